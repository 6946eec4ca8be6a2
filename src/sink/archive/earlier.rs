//! What an archive has that is gone on with.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use url::Url;

use super::capture::{Listing, Original, REVISITED, media};
use super::originals::Originals;
use super::press::Log;
use super::{archive_compression, filename};
use crate::sink::Compression;
use crate::sink::journal::Copy;
use crate::warc::{Digest, Header, Packer, Reader, Record, kind, parse_response};

/// The longest head of an answer that is read.
const MAX_HEAD: usize = 1 << 20;

/// The most that is read of metadata: it may have what a line of 16 MiB carried along.
const MAX_METADATA: usize = 17 << 20;

/// The records of an archive, as far as whoever goes on with it has to know them.
pub struct Earlier {
    /// The identifier of the first record.
    pub(super) info: Arc<str>,
    pub(super) originals: Originals,
    pub(super) log: Log,
    length: u64,
    /// The bytes of metadata by which the last word on a URL was said that is to be asked for once more.
    undone: Vec<Range<u64>>,
}

/// A record that ends where the next one starts.
enum Open {
    Undone,
    Listed(Listing),
    Other,
}

impl Earlier {
    /// Reads the first `length` bytes of the archive at `path`, which hold whole records of this program. `is_done` tells of a
    /// URL, as it was asked for first, whether nobody asks for it any more.
    ///
    /// # Errors
    /// It cannot be read, or holds something else.
    pub fn read(path: &Path, length: u64, is_done: impl Fn(&Url) -> bool) -> io::Result<Self> {
        let mut reader = Reader::new(BufReader::new(File::open(path)?.take(length)))?;
        let log = Log::new(filename(path));
        let mut earlier = Self { info: "".into(), originals: Originals::default(), log, length, undone: Vec::new() };
        let mut before = (0, Open::Other);
        loop {
            let header = reader.next_record().map_err(io::Error::other)?;
            let start = if header.is_some() { reader.offset().ok_or_else(foreign)? } else { length };
            earlier.end(before.1, before.0..start)?;
            let Some(header) = header else { break };
            before = (start, earlier.open(&header, &mut reader, &is_done)?);
        }
        if earlier.info.is_empty() && length > 0 { Err(foreign()) } else { Ok(earlier) }
    }

    /// What there is to know of a record.
    fn open<R: BufRead>(
        &mut self,
        header: &Header,
        reader: &mut Reader<R>,
        is_done: impl Fn(&Url) -> bool,
    ) -> io::Result<Open> {
        match header.kind() {
            kind::WARCINFO if self.info.is_empty() => {
                self.info = header.get("WARC-Record-ID").unwrap_or_default().into();
                Ok(Open::Other)
            }
            kind::METADATA => {
                let (block, _) = reader.read_block(MAX_METADATA).map_err(io::Error::other)?;
                let fields = Header::parse(&block);
                let hop = fields.get("hop").and_then(|hop| hop.split_once(' ')).map(|(_, url)| url);
                let first = hop.or_else(|| header.uri("WARC-Target-URI")).and_then(|url| Url::parse(url).ok());
                let is_undone = fields.get("final") == Some("yes") && !first.is_some_and(|first| is_done(&first));
                Ok(if is_undone { Open::Undone } else { Open::Other })
            }
            kind::RESPONSE | kind::REVISIT => {
                let (block, _) = reader.read_block(MAX_HEAD).map_err(io::Error::other)?;
                self.answer(header, block).map(Open::Listed).ok_or_else(foreign)
            }
            _ => Ok(Open::Other),
        }
    }

    /// What the index lists of an answer. Its payload is remembered, if it is one to remember.
    fn answer(&mut self, header: &Header, block: Vec<u8>) -> Option<Listing> {
        let (id, target, date) =
            (header.get("WARC-Record-ID")?, header.uri("WARC-Target-URI")?, header.get("WARC-Date")?);
        let digest = Digest::parse(header.get("WARC-Payload-Digest")?)?;
        let message = parse_response(block)?;
        let is_revisit = header.kind() == kind::REVISIT;
        if !is_revisit && header.get("WARC-Truncated").is_none() && !message.body.is_empty() {
            let original = Original { id: id.into(), url: target.into(), date: date.into() };
            self.originals.remember(digest, original);
        }
        let mime = if is_revisit { REVISITED.into() } else { media(&message.headers) };
        let (url, at) = (Url::parse(target).ok()?, date.parse().ok()?);
        Some(Listing { url, at, mime, status: message.status, digest, start: 0, length: 0 })
    }

    /// Takes note of a record that has these bytes.
    fn end(&mut self, open: Open, bytes: Range<u64>) -> io::Result<()> {
        let length = usize::try_from(bytes.end - bytes.start).map_err(io::Error::other)?;
        let listing = match open {
            Open::Listed(listing) => Some(Listing { length, ..listing }),
            Open::Undone => {
                self.undone.push(bytes);
                None
            }
            Open::Other => None,
        };
        self.log.note(length, listing)
    }

    /// Whether what was the last word on some URL is none any more.
    #[must_use]
    pub fn has_undone(&self) -> bool {
        !self.undone.is_empty()
    }

    /// Copies the archive at `path`, which was read, to a file beside it (`NAME.resuming`) in which that is said: its length.
    /// No part of `path` is a symbolic link.
    ///
    /// # Errors
    /// It cannot be written. There is no copy then.
    pub fn sift(&self, path: &Path) -> io::Result<u64> {
        let file = File::open(path)?;
        let mut packer = Packer::new(archive_compression(path) == Some(Compression::Gzip));
        let (mut source, mut copy) = (BufReader::new(&file), Copy::of(path, Compression::None)?);
        let (mut at, mut bytes) = (0, Vec::new());
        for Range { start, end } in &self.undone {
            io::copy(&mut source.by_ref().take(start - at), &mut copy.out)?;
            bytes.clear();
            source.by_ref().take(end - start).read_to_end(&mut bytes)?;
            let record = superseded(&bytes, &mut packer)?;
            copy.out.write_all(&record)?;
            at = *end;
        }
        io::copy(&mut source.take(self.length - at), &mut copy.out)?;
        copy.keep(&file, false)
    }
}

/// A record of metadata that says of its request that it was not the last one.
fn superseded(bytes: &[u8], packer: &mut Packer) -> io::Result<Vec<u8>> {
    let mut reader = Reader::new(bytes)?;
    let mut header = reader.next_record().map_err(io::Error::other)?.ok_or_else(foreign)?;
    let (block, _) = reader.read_block(usize::MAX).map_err(io::Error::other)?;
    let mut fields = Header::parse(&block);
    fields.set("final", "no");
    // They are those of the block.
    for name in ["WARC-Block-Digest", "Content-Length"] {
        header.remove(name);
    }
    let mut record = Vec::new();
    packer.pack(Record { header, block: &[fields.to_text().as_bytes()] }, &mut record)?;
    Ok(record)
}

fn foreign() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "it holds something else than records of this program")
}
