//! A file that is written as a whole: all of it or nothing, and not before it is complete.

use std::fs::{self, File, Metadata, Permissions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::{Builder, NamedTempFile};

/// The mode of a new file, before the umask takes of it.
const MODE: u32 = 0o666;

/// A file to be written.
#[derive(Debug)]
pub(super) struct Draft {
    /// As the user named it.
    name: PathBuf,
    place: Place,
}

#[derive(Debug)]
enum Place {
    /// A file, or none yet: what is complete takes its place.
    File(PathBuf),
    /// A pipe or a device, which is written to as it is.
    Other(File),
}

impl Draft {
    /// Makes sure that it can be written.
    pub(super) fn open(name: &Path) -> io::Result<Self> {
        let place = match fs::metadata(name) {
            Ok(metadata) if metadata.is_file() => {
                // Whoever may not write to it may not take its place.
                File::options().write(true).open(name)?;
                Place::File(resolve(name)?)
            }
            Ok(_) => Place::Other(File::options().write(true).open(name)?),
            Err(error) if error.kind() == ErrorKind::NotFound => Place::File(resolve(name)?),
            Err(error) => return Err(error),
        };
        if let Place::File(path) = &place {
            beside(path, MODE)?;
        }
        Ok(Self { name: name.to_owned(), place })
    }

    pub(super) fn name(&self) -> &Path {
        &self.name
    }

    /// Where it will be; none for what is no file.
    pub(super) fn path(&self) -> Option<&Path> {
        match &self.place {
            Place::File(path) => Some(path),
            Place::Other(_) => None,
        }
    }

    /// The file whose place it takes, if there is one.
    pub(super) fn metadata(&self) -> Option<Metadata> {
        fs::metadata(self.path()?).ok()
    }

    /// Writes all of it. The error names the file.
    pub(super) fn complete(self, text: &[u8]) -> io::Result<()> {
        let write = || match self.place {
            Place::Other(mut file) => file.write_all(text),
            Place::File(path) => replace(&path, text, MODE),
        };
        write().map_err(|error| io::Error::new(error.kind(), format!("cannot write {}: {error}", self.name.display())))
    }
}

/// The file that a path means, there or not: what a link leads to stays behind the link.
pub(super) fn resolve(name: &Path) -> io::Result<PathBuf> {
    fs::canonicalize(name).or_else(|_| {
        let file = name.file_name().ok_or(ErrorKind::InvalidInput)?;
        let folder = name.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        Ok(fs::canonicalize(folder)?.join(file))
    })
}

/// A new file in the folder of `path` that is gone unless it takes the other's place.
pub(super) fn beside(path: &Path, mode: u32) -> io::Result<NamedTempFile> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    Builder::new().permissions(Permissions::from_mode(mode)).tempfile_in(folder)
}

/// Puts a new file with this text in the place of `path`: all of it or nothing.
pub(super) fn replace(path: &Path, text: &[u8], mode: u32) -> io::Result<()> {
    let mut file = beside(path, mode)?;
    file.write_all(text)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}
