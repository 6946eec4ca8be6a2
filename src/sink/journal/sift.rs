//! A file without its failures, which waits beside it until it may take its place. Meanwhile somebody else has to
//! remember that it does: of both, only one counts.

use std::fs::{self, File};
use std::io::{self, BufReader, ErrorKind, Read, Write};
use std::path::Path;

use super::copy::{Copy, beside, sync_folder};
use super::layout::{Layout, Piece};
use super::{Error, Foreign};
use crate::failure::Kind;
use crate::sink::{Compression, Format};

/// What is in a file.
#[derive(Clone, Copy, Debug)]
pub enum Contents<'a> {
    /// Records with these fields.
    Records(Format, &'a [Box<str>]),
    /// What a [report](crate::sink::report::Report::kept_in) takes of them.
    Report,
}

/// Copies what has not failed of the first `end` bytes of a file, which hold that as a whole, to a file beside it
/// (`NAME.resuming`): its length. No part of `path` is a symbolic link.
///
/// # Errors
/// See [`Error`]. There is no copy then.
pub fn sift(path: &Path, contents: Contents<'_>, end: u64) -> Result<u64, Error> {
    let layout = match contents {
        Contents::Records(format, fields) => Layout::of(format, fields).ok_or(Error::Format(format))?,
        Contents::Report => Layout::of_report(),
    };
    let compression = Compression::of(path).0;
    let file = File::open(path)?;
    let mut reader = compression.reader(BufReader::new(file.try_clone()?.take(end)))?;
    let mut copy = Copy::of(path, compression)?;
    let (mut record, mut lines, mut kept) = (Vec::new(), 0, 0);
    let mut is_first = true;
    while layout.cut(&mut reader, &mut record)? {
        let piece = layout.parse(&record, is_first).map_err(|reason| Foreign { line: lines + 1, reason })?;
        if stands(&piece) {
            copy.out.write_all(&record)?;
            kept += record.len();
        }
        lines += memchr::memchr_iter(b'\n', &record).count() as u64;
        is_first = false;
        record.clear();
    }
    if !record.is_empty() {
        return Err(Foreign { line: lines + 1, reason: "it ends before its time".into() }.into());
    }
    Ok(copy.keep(&file, kept == 0)?)
}

/// Whether it is not told again: it did not fail, or is what was found out about a link of a page that did not.
fn stands(piece: &Piece<'_>) -> bool {
    /// What needs no request.
    const FOUND: [Kind; 2] = [Kind::Fragment, Kind::InvalidUrl];
    match piece {
        Piece::Header | Piece::Aside => true,
        Piece::Record(entry) => {
            entry.error.as_ref().is_none_or(|(failed, _)| FOUND.iter().any(|kind| kind.slug() == failed))
        }
        Piece::Debris => false,
    }
}

/// Has the [copy](sift) of a file, which has this length, take its place: the copy, open and locked. None if it has taken it
/// already.
///
/// # Errors
/// It cannot be renamed, or is not there. The file is as it was then.
pub fn replace(path: &Path, length: u64) -> io::Result<Option<File>> {
    let copy = beside(path);
    let has_length = |path: &Path| match fs::symlink_metadata(path) {
        Ok(metadata) => Ok(metadata.is_file() && metadata.len() == length),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    };
    let mut replaced = None;
    if has_length(&copy)? {
        let file = File::options().read(true).write(true).open(&copy)?;
        // Whoever has the file has its copy. Where there are no locks, there are none.
        let _ = file.try_lock();
        fs::rename(&copy, path)?;
        replaced = Some(file);
    } else if !has_length(path)? {
        return Err(io::Error::new(ErrorKind::NotFound, format!("{} is not there any more", copy.display())));
    }
    sync_folder(path)?;
    Ok(replaced)
}
