//! The files of a cache. Their names are hashes: nothing that a server says becomes a part of a path.

use std::ffi::OsStr;
use std::fs::{self, DirBuilder, DirEntry, Metadata};
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use super::Key;

/// Where the files are within the folder that the user names: no other file in there is ever touched.
const INSIDE: &str = "v1";

/// What a file is called until it is whole.
const UNFINISHED: &str = ".new-";

/// What is older and unfinished was left behind by a run that was killed.
const ABANDONED: Duration = Duration::from_hours(1);

/// Keeps the folder out of backups (<https://bford.info/cachedir/>).
const TAG: &str =
    "Signature: 8a477f597d28d172789f06886806bc55\n# Pages that scrape keeps (--cache). They can be removed.\n";

/// The folder.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    /// How many bytes its files may have together.
    size: u64,
    /// About how many they have; none as long as nobody has looked.
    taken: Mutex<Option<u64>>,
}

/// A file of the folder.
struct Kept {
    path: PathBuf,
    bytes: u64,
    modified: SystemTime,
}

impl Folder {
    /// Opens a folder, which is made if there is none. Nobody else may read what is in it.
    pub(super) fn open(path: &Path, size: u64) -> io::Result<Self> {
        let inside = path.join(INSIDE);
        DirBuilder::new().recursive(true).mode(0o700).create(&inside)?;
        let tag = path.join("CACHEDIR.TAG");
        if !tag.exists() {
            fs::write(tag, TAG)?;
        }
        tempfile::Builder::new().prefix(UNFINISHED).tempfile_in(&inside)?;
        Ok(Self { path: inside, size, taken: Mutex::new(None) })
    }

    /// Opens a folder that is there.
    pub(super) fn open_to_read(path: &Path) -> io::Result<Self> {
        let inside = path.join(INSIDE);
        fs::read_dir(&inside)?;
        Ok(Self { path: inside, size: 0, taken: Mutex::new(None) })
    }

    pub(super) fn read(&self, key: &Key) -> Option<Vec<u8>> {
        fs::read(self.file(key)).ok()
    }

    /// Writes a file, whole or not at all. It is not waited until the disk has it: its checksum tells.
    pub(super) fn write(&self, key: &Key, parts: &[&[u8]]) -> io::Result<()> {
        let mut file = tempfile::Builder::new().prefix(UNFINISHED).tempfile_in(&self.path)?;
        for part in parts {
            file.write_all(part)?;
        }
        file.persist(self.file(key)).map_err(|error| error.error)?;
        self.make_room(parts.iter().map(|part| part.len() as u64).sum());
        Ok(())
    }

    pub(super) fn remove(&self, key: &Key) {
        // Mostly there is none.
        let _ = fs::remove_file(self.file(key));
    }

    fn file(&self, key: &Key) -> PathBuf {
        let (high, low) = key.0.split_at(16);
        let hex = |half: &[u8]| half.iter().fold(0_u128, |bits, &byte| bits << 8 | u128::from(byte));
        self.path.join(format!("{:032x}{:032x}", hex(high), hex(low)))
    }

    /// Counts what was written, and removes the oldest files where there is too much. What other runs write is counted when
    /// this one looks.
    fn make_room(&self, written: u64) {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let now = match *taken {
            Some(before) => before + written,
            None => self.look().iter().map(|kept| kept.bytes).sum(),
        };
        *taken = Some(if now > self.size { self.shrink() } else { now });
    }

    /// Removes the oldest files, and a few more than need be, so that this is seldom done. What is left, in bytes.
    fn shrink(&self) -> u64 {
        let mut files = self.look();
        files.sort_by_key(|kept| kept.modified);
        let mut taken: u64 = files.iter().map(|kept| kept.bytes).sum();
        let enough = self.size - self.size / 8;
        for kept in files.iter().take_while(|kept| kept.modified <= SystemTime::now()) {
            if taken <= enough {
                break;
            }
            // Another run may have done it.
            let _ = fs::remove_file(&kept.path);
            taken = taken.saturating_sub(kept.bytes);
        }
        taken
    }

    /// The answers. What was left behind unfinished is removed.
    fn look(&self) -> Vec<Kept> {
        let mut answers = Vec::new();
        for (entry, metadata) in fs::read_dir(&self.path).into_iter().flatten().filter_map(with_metadata) {
            let (path, modified) = (entry.path(), metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH));
            if is_unfinished(&entry.file_name()) {
                if modified.elapsed().is_ok_and(|age| age > ABANDONED) {
                    let _ = fs::remove_file(path);
                }
            } else if is_answer(&entry.file_name()) {
                answers.push(Kept { path, bytes: metadata.len(), modified });
            }
        }
        answers
    }
}

fn with_metadata(entry: io::Result<DirEntry>) -> Option<(DirEntry, Metadata)> {
    let entry = entry.ok()?;
    let metadata = entry.metadata().ok().filter(Metadata::is_file)?;
    Some((entry, metadata))
}

fn is_unfinished(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(UNFINISHED.as_bytes())
}

fn is_answer(name: &OsStr) -> bool {
    let name = name.as_encoded_bytes();
    name.len() == 64 && name.iter().all(u8::is_ascii_hexdigit)
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::*;

    fn key(byte: u8) -> Key {
        Key([byte; 32])
    }

    fn age(folder: &Folder, byte: u8, seconds: u64) {
        let file = File::options().write(true).open(folder.file(&key(byte))).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(seconds)).unwrap();
    }

    #[test]
    fn the_oldest_go_when_there_is_too_much_and_what_is_not_ours_stays() {
        let home = tempfile::tempdir().unwrap();
        let folder = Folder::open(home.path(), 1000).unwrap();
        fs::write(folder.path.join("notes.txt"), [b'x'; 2000]).unwrap();
        for byte in 0..3 {
            folder.write(&key(byte), &[&[byte; 200], &[byte; 100]]).unwrap();
            age(&folder, byte, 100 - u64::from(byte));
        }
        assert_eq!(folder.read(&key(0)).map(|file| file.len()), Some(300));
        folder.write(&key(9), &[&[9; 300]]).unwrap();
        assert_eq!([0, 1, 2, 9].map(|byte| folder.read(&key(byte)).is_some()), [false, false, true, true]);
        assert!(folder.path.join("notes.txt").exists());
    }

    #[test]
    fn what_a_killed_run_left_unfinished_is_removed_and_what_another_one_writes_is_not() {
        let home = tempfile::tempdir().unwrap();
        let folder = Folder::open(home.path(), 1000).unwrap();
        let [old, new] = ["old", "new"].map(|name| folder.path.join(format!("{UNFINISHED}{name}")));
        for path in [&old, &new] {
            fs::write(path, "half").unwrap();
        }
        File::options().write(true).open(&old).unwrap().set_modified(SystemTime::now() - 2 * ABANDONED).unwrap();
        folder.write(&key(1), &[b"x"]).unwrap();
        assert_eq!((old.exists(), new.exists()), (false, true));
    }
}
