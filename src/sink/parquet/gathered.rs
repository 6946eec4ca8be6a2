//! A table that is made of a file of lines at the end of a run.

use std::borrow::Cow;
use std::fs::{self, File, Permissions};
use std::io::{self, BufReader, ErrorKind};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::{Builder, NamedTempFile};

use super::Parquet;
use crate::engine::Sink;
use crate::job::Outcome;
use crate::record::COLUMNS;
use crate::sink::recorded::{Object, no_record, read_line};
use crate::sink::{Compression, Foreign, Lines, Options, apart};
use crate::value::Value;

/// A Parquet file that appears whole or not at all when the run ends, with a row for each record that another sink, which comes
/// before it, has written to a file of JSON Lines.
pub struct Gathered {
    lines: PathBuf,
    path: PathBuf,
    options: Options,
}

impl Gathered {
    /// The file at `path`, to be made of that at `lines`, which is compressed as its name tells.
    #[must_use]
    pub fn new(lines: &Path, path: &Path, options: &Options) -> Self {
        Self { lines: lines.into(), path: path.into(), options: options.clone() }
    }

    fn make(&self) -> io::Result<()> {
        let path = self.path.canonicalize()?;
        let file = beside(&path)?;
        let name = self.path.to_string_lossy();
        let mut table = Box::new(Parquet::new(Lines::new(&*name, file.as_file().try_clone()?), &self.options));
        let compression = Compression::of(&self.lines).0;
        let mut lines = compression.reader(BufReader::new(File::open(&self.lines)?))?;
        let (mut text, mut number) = (Vec::new(), 0);
        while read_line(&mut lines, &mut text)? {
            number += 1;
            let values = values(&text).map_err(|reason| Foreign { line: number, reason });
            table.put(values.map_err(|foreign| io::Error::new(ErrorKind::InvalidData, foreign))?.into_iter())?;
            text.clear();
        }
        table.finish()?;
        file.as_file().sync_all()?;
        file.persist(&path).map_err(|error| error.error)?;
        Ok(())
    }
}

/// A new file beside another one (`NAME.making`), in place of the one that a killed run has left there.
fn beside(path: &Path) -> io::Result<NamedTempFile> {
    let (folder, name) = (path.parent().unwrap_or(Path::new("/")), path.file_name().unwrap_or_default());
    let mut name = name.to_owned();
    name.push(".making");
    match fs::remove_file(folder.join(&name)) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    // As readable as any other file is by default: the umask applies.
    let permissions = Permissions::from_mode(0o666);
    Builder::new().prefix(&name).rand_bytes(0).permissions(permissions).tempfile_in(folder)
}

/// The keys of a record, and its fields.
fn values(line: &[u8]) -> Result<Vec<Cow<'static, Value<'static>>>, String> {
    let record = Object::parse(line)?;
    let mut values = Vec::new();
    for column in COLUMNS {
        values.push(Cow::Owned(record.value(column.name)?));
    }
    let fields: Object<'_> = record.value("fields")?;
    for (_, raw) in fields.entries() {
        values.push(Cow::Owned(serde_json::from_str(raw.get()).map_err(|error| no_record(&error))?));
    }
    Ok(values)
}

impl Sink for Gathered {
    fn accept(&mut self, _: &Outcome) -> io::Result<()> {
        Ok(())
    }

    fn finish(self: Box<Self>) -> io::Result<()> {
        let explain = |error: io::Error| {
            let (path, lines) = (self.path.display(), self.lines.display());
            io::Error::new(error.kind(), format!("cannot make {path} of {lines}: {error}"))
        };
        apart(|| self.make()).map_err(explain)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_run_has_left_is_in_nobodys_way() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pages.parquet");
        fs::write(folder.path().join("pages.parquet.making"), "half a table").unwrap();
        let file = beside(&path).unwrap();
        assert_eq!(file.as_file().metadata().unwrap().len(), 0);
        file.persist(&path).unwrap();
        let names: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["pages.parquet"]);
    }
}
