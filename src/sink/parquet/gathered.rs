//! A table that is made of a file of lines at the end of a run.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, BufReader, ErrorKind};
use std::path::{Path, PathBuf};

use super::Parquet;
use crate::engine::Sink;
use crate::job::Outcome;
use crate::record::COLUMNS;
use crate::sink::making::make;
use crate::sink::recorded::{Object, no_record, read_line};
use crate::sink::{Compression, Foreign, Lines, Options};
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

    fn write(&self, file: &File) -> io::Result<()> {
        let name = self.path.to_string_lossy();
        let mut table = Box::new(Parquet::new(Lines::new(&*name, file.try_clone()?), &self.options));
        let compression = Compression::of(&self.lines).0;
        let mut lines = compression.reader(BufReader::new(File::open(&self.lines)?))?;
        let (mut text, mut number) = (Vec::new(), 0);
        while read_line(&mut lines, &mut text)? {
            number += 1;
            let values = values(&text).map_err(|reason| Foreign { line: number, reason });
            table.put(values.map_err(|foreign| io::Error::new(ErrorKind::InvalidData, foreign))?.into_iter())?;
            text.clear();
        }
        table.finish()
    }
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
        make(&self.path, &self.lines, |file| self.write(file))
    }
}
