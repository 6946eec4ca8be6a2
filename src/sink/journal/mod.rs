//! An output as the journal of its run: an earlier run's file tells what is done already. What it finished stays, the rest is
//! taken out, and more records can follow.
//!
//! What was decided:
//! - A record stands unless its failure is one that a run would try again: the same kinds and statuses, the same care for
//!   requests that are not idempotent. One that the stop of a run left (`cancelled`) never stands, nor does a line that is
//!   no URL: whoever reads the list again meets it again.
//! - The record's `url` tells which seed it is of. Of two records of one URL, the first stands.
//! - A page may have several records, which stand one behind the other. The last page of a file may lack some, and nothing
//!   tells whether it does: it is taken out.
//! - A last record without its line end is torn. So is a line of JSON or TSV with a NUL byte, which no writer of ours makes,
//!   but a file system that lost power does.
//! - Only the end is cut in place. If more has to go, the rest is copied to a file beside (`NAME.resuming`), which takes the
//!   place of the first when the disk has it. So at any moment one of both is whole.
//! - A compressed file is always copied, unless all of it stays; what follows is a member (gzip) or a frame (zstd) of its own.
//! - A file has one writer: it is locked (`flock`) until it is closed, where the file system can do that.
//! - Requests are made at least once, not exactly once: nobody knows how far one had come when its run was killed.

mod copy;
mod layout;
mod sift;
#[cfg(test)]
mod tests;

use std::fs::{self, File};
use std::io::{self, BufReader};
use std::path::Path;

use url::Url;

pub(super) use self::copy::Copy;
use self::copy::Rewrite;
use self::layout::{Entry, Layout, Piece};
pub use self::sift::{Contents, replace, sift};
use super::{Compression, Foreign, Format, lock};
use crate::failure::{Kind, Retry};
use crate::{seeds, visit};

/// What of a journal stands.
#[derive(Clone, Copy, Debug)]
pub struct Rules<'a> {
    /// The names of the fields that records have.
    pub fields: &'a [Box<str>],
    /// Whether no failure stands.
    pub retry_failed: bool,
    /// Whether the requests may be carried out twice without harm (RFC 9110, section 9.2.2).
    pub is_idempotent: bool,
    /// Whether a page may have several records.
    pub has_groups: bool,
}

/// A file of records, written by an earlier run or not yet there.
#[derive(Clone, Copy, Debug)]
pub struct Journal<'a> {
    /// The file. Its name tells how it is compressed.
    pub path: &'a Path,
    /// The format of its records.
    pub format: Format,
    /// What of it stands.
    pub rules: Rules<'a>,
}

/// A journal that records can be added to.
#[derive(Debug)]
pub struct Reopened {
    /// The file, at its end. It is locked until it is closed.
    pub file: File,
    /// Whether nothing is in it, not even a header.
    pub is_empty: bool,
}

/// Why a file cannot be gone on with.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The format keeps too little to read its records back.
    #[error("records cannot be read back from the format {0}")]
    Format(Format),
    /// Another run has it open.
    #[error("another run is writing to it")]
    Busy,
    /// It holds something else than records with these fields. The file is as it was.
    #[error(transparent)]
    Foreign(#[from] Foreign),
    /// It cannot be read or written.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl Journal<'_> {
    /// Takes out what does not stand and opens the file for what follows. `finish` gets the URL of each record, or of each
    /// page's records, that is about to stay, and tells whether it did not have it before; those of which it had are
    /// taken out, too.
    ///
    /// One page's records are held at a time. The file is made if it is not there.
    ///
    /// # Errors
    /// See [`Error`]. Unless it is one of writing, the file is as it was.
    pub fn reopen(&self, finish: impl FnMut(&Url) -> bool) -> Result<Reopened, Error> {
        let layout = Layout::of(self.format, self.rules.fields).ok_or(Error::Format(self.format))?;
        let file = lock(self.path)?.ok_or(Error::Busy)?;
        let compression = Compression::of(self.path).0;
        // A handle of its own has a position of its own.
        let mut reader = compression.reader(BufReader::new(File::open(self.path)?))?;
        let rewrite = Rewrite::new(fs::canonicalize(self.path)?, file, compression)?;
        let mut sieve = Sieve { rules: self.rules, finish, group: None, rewrite };
        let (mut record, mut at, mut lines) = (Vec::new(), 0, 0);
        let is_whole = loop {
            record.clear();
            match layout.cut(&mut reader, &mut record) {
                Ok(true) => {}
                // It may end within a record, and a compressed file within its compression.
                Ok(false) => break record.is_empty(),
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => break false,
                Err(error) => return Err(error.into()),
            }
            let piece = layout.parse(&record, at == 0);
            let piece = piece.and_then(|piece| sieve.judge(piece));
            let ruling = piece.map_err(|reason| Foreign { line: lines + 1, reason })?;
            sieve.pass(at, &record, ruling)?;
            at += record.len() as u64;
            lines += memchr::memchr_iter(b'\n', &record).count() as u64;
        };
        // What was the last page's is dropped with the sieve, where it may lack some.
        let rewrite = sieve.rewrite;
        let is_empty = rewrite.is_empty();
        Ok(Reopened { file: rewrite.finish(if is_whole { Some(at) } else { None })?, is_empty })
    }
}

/// What becomes of a record.
enum Ruling {
    /// It is kept whatever it is.
    Header,
    /// It is kept, unless there is another one of its URL.
    Stands(Url),
    /// It is taken out.
    Falls,
}

/// The records of one page, as far as they came.
struct Group {
    url: Url,
    start: u64,
    bytes: Vec<u8>,
}

/// Lets through what stands.
struct Sieve<'a, F> {
    rules: Rules<'a>,
    finish: F,
    group: Option<Group>,
    rewrite: Rewrite,
}

impl<F: FnMut(&Url) -> bool> Sieve<'_, F> {
    /// What becomes of a piece; or why it is no record of ours.
    fn judge(&self, piece: Piece<'_>) -> Result<Ruling, String> {
        match piece {
            Piece::Header | Piece::Aside => Ok(Ruling::Header),
            Piece::Debris => Ok(Ruling::Falls),
            Piece::Record(entry) if !stands(&entry, self.rules) => Ok(Ruling::Falls),
            Piece::Record(Entry { url, .. }) => {
                seeds::url(&url).map(Ruling::Stands).map_err(|reason| format!("its url {url:?} is {reason}"))
            }
        }
    }

    /// Passes on a record that starts so many bytes from the start.
    fn pass(&mut self, start: u64, record: &[u8], ruling: Ruling) -> io::Result<()> {
        match (ruling, &mut self.group) {
            (Ruling::Stands(url), Some(group)) if group.url == url => group.bytes.extend_from_slice(record),
            (Ruling::Stands(url), _) => {
                self.end_group()?;
                self.group = Some(Group { url, start, bytes: record.to_vec() });
                if !self.rules.has_groups {
                    self.end_group()?;
                }
            }
            (Ruling::Header, _) => self.rewrite.keep(start, record)?,
            (Ruling::Falls, _) => self.end_group()?,
        }
        Ok(())
    }

    /// Something follows the page's records: they are all there.
    fn end_group(&mut self) -> io::Result<()> {
        match self.group.take() {
            Some(group) if (self.finish)(&group.url) => self.rewrite.keep(group.start, &group.bytes),
            _ => Ok(()),
        }
    }
}

/// Whether a record is the last word on its URL.
fn stands(entry: &Entry<'_>, rules: Rules<'_>) -> bool {
    let Some((kind, message)) = &entry.error else { return true };
    let kind = Kind::ALL.into_iter().find(|known| known.slug() == kind);
    let retry = match kind {
        Some(Kind::InvalidUrl | Kind::Cancelled) => return false,
        Some(Kind::Status) => entry.status.map_or(Retry::Never, visit::retry_of),
        // What else there is to know is in the words alone.
        Some(Kind::Dns) if message.contains("Temporary failure") => Retry::Always,
        Some(kind) => kind.retry(),
        None => Retry::Never,
    };
    !rules.retry_failed && (retry == Retry::Never || retry == Retry::Idempotent && !rules.is_idempotent)
}
