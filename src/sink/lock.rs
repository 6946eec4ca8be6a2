//! One writer at a time.

use std::fs::{self, File, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Opens a file for this process alone; none if another one has it. It is made if it is not there, and locked (`flock`)
/// until it is closed, which the end of the process does too, however it comes.
///
/// Where the file system has no locks, nothing is locked.
///
/// # Errors
/// The file cannot be opened.
pub fn lock(path: &Path) -> io::Result<Option<File>> {
    loop {
        let file = File::options().read(true).write(true).create(true).truncate(false).open(path)?;
        if let Err(TryLockError::WouldBlock) = file.try_lock() {
            return Ok(None);
        }
        // Until we had the lock, somebody may have given the name to another file, or removed it.
        let ours = file.metadata()?;
        if fs::metadata(path).is_ok_and(|named| (named.dev(), named.ino()) == (ours.dev(), ours.ino())) {
            return Ok(Some(file));
        }
    }
}
