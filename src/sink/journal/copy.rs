//! A file without what is taken out of it.

use std::fs::{self, File};
use std::io::{self, BufWriter, ErrorKind, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{MetadataExt, fchown};
use std::path::{Path, PathBuf};

use tempfile::TempPath;

use crate::sink::Compression;
use crate::sink::compression::Compressor;

/// A file that loses some of its bytes. It is cut where they are its last ones, else copied.
pub(super) struct Rewrite {
    path: PathBuf,
    file: File,
    compression: Compression,
    /// How many bytes stay, compression undone; without a copy, the first ones.
    kept: u64,
    copy: Option<Copy>,
}

/// What takes the place of a file, or is gone when it is dropped.
pub(in crate::sink) struct Copy {
    path: TempPath,
    file: File,
    pub(in crate::sink) out: Compressor,
}

impl Rewrite {
    /// Nothing of it stays unless it is [kept](Self::keep). No part of `path` is a symbolic link.
    pub(super) fn new(path: PathBuf, file: File, compression: Compression) -> io::Result<Self> {
        let mut rewrite = Self { path, file, compression, kept: 0, copy: None };
        if compression != Compression::None && rewrite.file.metadata()?.len() > 0 {
            rewrite.copy = Some(Copy::of(&rewrite.path, compression)?);
        }
        Ok(rewrite)
    }

    /// Whether nothing stays.
    pub(super) fn is_empty(&self) -> bool {
        self.kept == 0
    }

    /// Keeps `bytes`, which are so many bytes from the start of the file, behind all that were kept before.
    pub(super) fn keep(&mut self, start: u64, bytes: &[u8]) -> io::Result<()> {
        if self.copy.is_none() && start != self.kept {
            let mut copy = Copy::of(&self.path, self.compression)?;
            io::copy(&mut File::open(&self.path)?.take(self.kept), &mut copy.out)?;
            self.copy = Some(copy);
        }
        if let Some(copy) = &mut self.copy {
            copy.out.write_all(bytes)?;
        }
        self.kept += bytes.len() as u64;
        Ok(())
    }

    /// The file with what was kept, safely on the disk, at its end. `len` is how long it was, compression undone; none if
    /// it ended before its time.
    pub(super) fn finish(self, len: Option<u64>) -> io::Result<File> {
        let Self { path, mut file, kept, copy, .. } = self;
        match copy {
            None if len != Some(kept) => {
                file.set_len(kept)?;
                file.sync_all()?;
            }
            None => {}
            // Not even an empty member.
            Some(_) if kept == 0 => file.set_len(0)?,
            Some(_) if len == Some(kept) => {}
            Some(copy) => file = copy.replace(&path, &file)?,
        }
        file.seek(SeekFrom::End(0))?;
        Ok(file)
    }
}

impl Copy {
    /// An empty file beside the one of this path.
    pub(in crate::sink) fn of(path: &Path, compression: Compression) -> io::Result<Self> {
        let path = beside(path);
        // A run that was killed may have left one behind; what the name leads to is no business of ours.
        match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(named(&error, &path)),
            _ => {}
        }
        let file = File::options().write(true).create_new(true).open(&path).map_err(|error| named(&error, &path))?;
        let out = Compressor::new(compression, Box::new(BufWriter::new(file.try_clone()?)))?;
        Ok(Self { path: TempPath::try_from_path(path)?, file, out })
    }

    /// Takes the place of `file` under its name, with its owner and permissions.
    fn replace(mut self, path: &Path, file: &File) -> io::Result<File> {
        self.out.finish()?;
        self.complete(file)?;
        // Nobody else knows of it yet. Where there are no locks, there are none.
        let _ = self.file.try_lock();
        self.path.persist(path)?;
        sync_folder(path)?;
        Ok(self.file)
    }

    /// Stays where it is, safely on the disk, with the owner and the permissions of `file`: its length. If `is_empty`, nothing
    /// was written to it.
    pub(in crate::sink) fn keep(mut self, file: &File, is_empty: bool) -> io::Result<u64> {
        self.out.finish()?;
        if is_empty {
            // Not even an empty member.
            self.file.set_len(0)?;
        }
        self.complete(file)?;
        sync_folder(&self.path)?;
        self.path.keep()?;
        Ok(self.file.metadata()?.len())
    }

    fn complete(&self, file: &File) -> io::Result<()> {
        let metadata = file.metadata()?;
        // Only root may give a file away: whoever else rewrites another's file becomes its owner.
        let _ = fchown(&self.file, Some(metadata.uid()), Some(metadata.gid()));
        self.file.set_permissions(metadata.permissions())?;
        self.file.sync_all()
    }
}

/// The name of a file's copy.
pub(super) fn beside(path: &Path) -> PathBuf {
    let mut path = path.to_owned().into_os_string();
    path.push(".resuming");
    path.into()
}

/// Has the disk know the name of a file.
pub(super) fn sync_folder(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

fn named(error: &io::Error, path: &Path) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}
