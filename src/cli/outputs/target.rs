//! Files and standard output, open and untouched.

use std::fs::{File, Metadata};
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use anyhow::Context;

use super::stream::{Patient, Whole};
use crate::cli::exit::Stop;
use crate::sink::{Compression, Lines};

/// The name of standard output in messages.
pub(super) const STDOUT: &str = "standard output";

/// A file that is open but not emptied yet.
pub(super) struct Target {
    pub(super) path: PathBuf,
    pub(super) file: File,
    pub(super) metadata: Metadata,
    /// Whether it has records that stay.
    pub(super) is_continued: bool,
}

impl Target {
    /// Goes on with another handle, or with the file that has taken the place of this one.
    pub(super) fn reopen(&mut self, file: File) -> Result<(), Stop> {
        let metadata = file.metadata().with_context(|| format!("cannot write {}", self.path.display()));
        (self.metadata, self.file) = (metadata.map_err(Stop::broken)?, file);
        Ok(())
    }

    pub(super) fn emptied(self) -> Result<Self, Stop> {
        let emptied = if self.metadata.is_file() { self.file.set_len(0) } else { Ok(()) };
        emptied.with_context(|| format!("cannot write {}", self.path.display())).map_err(Stop::broken)?;
        Ok(self)
    }

    /// The same, for what is written in one way behind records that stay and at its beginning.
    pub(super) fn emptied_unless_continued(self) -> Result<Self, Stop> {
        if self.is_continued { Ok(self) } else { self.emptied() }
    }

    pub(super) fn lines(self) -> Result<Lines, Stop> {
        let name = self.path.to_string_lossy();
        let kind = self.metadata.file_type();
        let is_pipe = kind.is_fifo() || kind.is_socket();
        match Compression::of(&self.path).0 {
            Compression::None if is_pipe => Ok(Lines::pipe(&*name, Patient(self.file))),
            Compression::None => Ok(Lines::new(&*name, Whole(self.file))),
            compression => {
                let out: Box<dyn Write + Send> =
                    if is_pipe { Box::new(Patient(self.file)) } else { Box::new(Whole(self.file)) };
                Lines::compressed(&*name, out, compression).context("cannot compress").map_err(Stop::broken)
            }
        }
    }
}

pub(super) fn open_file(path: &Path) -> Result<Target, Stop> {
    let file = File::options().write(true).create(true).truncate(false).open(path);
    let opened = file.and_then(|file| Ok((file.metadata()?, file)));
    let (metadata, file) = opened.with_context(|| format!("cannot write {}", path.display())).map_err(Stop::broken)?;
    Ok(Target { path: path.to_owned(), file, metadata, is_continued: false })
}

pub(super) fn standard_output() -> Result<Target, Stop> {
    let file = io::stdout().as_fd().try_clone_to_owned().map(File::from);
    let opened = file.and_then(|file| Ok((file.metadata()?, file)));
    let (metadata, file) = opened.context("cannot write standard output").map_err(Stop::broken)?;
    Ok(Target { path: STDOUT.into(), file, metadata, is_continued: false })
}
