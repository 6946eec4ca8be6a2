//! Files that are made of others at the end of a run.

use std::fs::{self, File, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use tempfile::{Builder, NamedTempFile};

use super::apart;

/// Has `write` write the file at `path`, which is there already, of what is in that at `source`: the new one takes its place
/// when it is whole.
pub(super) fn make(path: &Path, source: &Path, write: impl FnOnce(&File) -> io::Result<()>) -> io::Result<()> {
    let make = || {
        let path = path.canonicalize()?;
        let file = beside(&path)?;
        write(file.as_file())?;
        file.as_file().sync_all()?;
        file.persist(&path).map_err(|error| error.error)?;
        Ok(())
    };
    apart(make).map_err(|error: io::Error| {
        let words = format!("cannot make {} of {}: {error}", path.display(), source.display());
        io::Error::new(error.kind(), words)
    })
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

    #[test]
    fn a_file_that_cannot_be_made_is_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("links.dot");
        fs::write(&path, "before").unwrap();
        let failed = make(&path, Path::new("lines"), |mut file| {
            io::Write::write_all(&mut file, b"half")?;
            Err(ErrorKind::StorageFull.into())
        });
        let error = failed.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::StorageFull);
        assert!(error.to_string().ends_with(&format!("links.dot of lines: {}", ErrorKind::StorageFull)), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "before");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
