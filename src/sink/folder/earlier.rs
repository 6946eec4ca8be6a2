//! What a folder has to which more is saved.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::path::Path;

use serde::Deserialize;
use url::Url;

use super::{RANDOM, SAVING, key};
use crate::sink::Compression;
use crate::sink::journal::Copy;
use crate::sink::recorded::read_line;

/// The pages of a manifest, as far as whoever goes on with it has to know them.
pub struct Earlier {
    /// The hashes of the URLs that stay.
    pub(super) saved: HashSet<u64>,
    /// How many bytes of the manifest were read.
    length: u64,
    /// The files that do not stay.
    removed: Vec<Box<str>>,
    /// Where the lines stand in the manifest that do not stay.
    undone: HashSet<u64>,
}

/// A line of a manifest.
#[derive(Deserialize)]
struct Line {
    url: Box<str>,
    final_url: Box<str>,
    redirects: Vec<Hop>,
    file: Box<str>,
}

#[derive(Deserialize)]
struct Hop {
    url: Box<str>,
}

impl Line {
    /// The URL that was asked for first.
    fn first(&self) -> Option<Url> {
        Url::parse(self.redirects.first().map_or(&self.final_url, |hop| &hop.url)).ok()
    }
}

impl Earlier {
    /// Reads the first `length` bytes of a manifest, which are whole lines, and what is behind them: that does not stay, nor
    /// does a page of whose URL, as it was asked for first, `is_done` tells that somebody asks for it once more.
    ///
    /// # Errors
    /// It cannot be read, or holds something else.
    pub fn read(manifest: &Path, length: u64, is_done: impl Fn(&Url) -> bool) -> io::Result<Self> {
        let mut reader = BufReader::new(File::open(manifest)?);
        let (mut saved, mut removed, mut undone) = (HashSet::new(), Vec::new(), HashSet::new());
        let (mut kept, mut at, mut text) = (HashSet::new(), 0, Vec::new());
        while read_line(&mut reader, &mut text)? {
            match serde_json::from_slice::<Line>(&text) {
                Ok(line) if at < length && line.first().is_some_and(|first| is_done(&first)) => {
                    saved.insert(key(&line.url));
                    kept.insert(key(&line.file));
                }
                Ok(line) => {
                    removed.push(line.file);
                    undone.extend((at < length).then_some(at));
                }
                Err(_) if at < length => return Err(foreign()),
                // A disk that lost power.
                Err(_) => {}
            }
            let start = at;
            at += text.len() as u64;
            text.clear();
            if start < length && at > length {
                return Err(foreign());
            }
        }
        if at < length {
            return Err(foreign());
        }
        removed.retain(|file| !kept.contains(&key(file)));
        Ok(Self { saved, length, removed, undone })
    }

    /// Whether a line is to be taken out that does not stand behind those that stay.
    #[must_use]
    pub fn has_undone(&self) -> bool {
        !self.undone.is_empty()
    }

    /// Removes the files of pages that do not stay from their folder, and what was being saved when a run was killed: nobody
    /// else may save to it.
    ///
    /// # Errors
    /// One cannot be removed.
    pub fn clear(&self, folder: &Path) -> io::Result<()> {
        // A name leads nowhere else, whoever has written it.
        let names = self.removed.iter().filter(|name| Path::new(&***name).file_name() == Some((***name).as_ref()));
        names.map(|name| folder.join(&**name)).try_for_each(|path| match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        })?;
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            if is_incomplete(&entry.file_name().to_string_lossy()) && entry.file_type()?.is_file() {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }

    /// Copies what stays of the manifest, which was read, to a file beside it (`NAME.resuming`): its length. No part of
    /// `manifest` is a symbolic link.
    ///
    /// # Errors
    /// It cannot be written. There is no copy then.
    pub fn sift(&self, manifest: &Path) -> io::Result<u64> {
        let file = File::open(manifest)?;
        let (mut reader, mut copy) =
            (BufReader::new((&file).take(self.length)), Copy::of(manifest, Compression::None)?);
        let (mut at, mut line) = (0, Vec::new());
        while reader.read_until(b'\n', &mut line)? > 0 {
            if !self.undone.contains(&at) {
                copy.out.write_all(&line)?;
            }
            at += line.len() as u64;
            line.clear();
        }
        copy.keep(&file, false)
    }
}

/// Whether a file of this name was being saved.
fn is_incomplete(name: &str) -> bool {
    let random = name.strip_prefix(SAVING);
    random.is_some_and(|random| random.len() == RANDOM && random.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

fn foreign() -> io::Error {
    io::Error::new(ErrorKind::InvalidData, "it holds something else than a manifest")
}
