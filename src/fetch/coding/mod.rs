//! Content codings undone while the body arrives, counting: memory never holds more than the cap, nor more than there
//! is room for.
//!
//! Lenient where browsers are: names in any case, `x-gzip`, several codings, several gzip members, what follows the
//! end of the stream, deflate without its zlib wrapper, plain text that claims to be compressed. Strict where data
//! would be lost: a stream that ends early (`truncated`) or fails its checksum (`decode`) is a failure. So is a coding
//! that nobody knows, once there is a body; and the coded form of a body, of which no layer takes more than twice the
//! cap.

mod brotli;
mod claim;
mod inflate;
mod window;
mod zstd;

use std::io::{self, Write};

use bytes::Bytes;
use reqwest::header::{CONTENT_ENCODING, HeaderMap, TRANSFER_ENCODING};

use self::claim::Claim;
use super::body::{Collected, Measure, Plain, TooLarge};
use super::memory::{DECODER, Refusal};
use crate::failure::{Failure, Kind};

/// What a layer hands on at once.
const BUFFER: usize = 16 * 1024;

/// More codings than this, one in the other, are an attack.
const MAX_CODINGS: usize = 4;

/// A content coding (RFC 9110, section 8.4.1; RFC 7932; RFC 8878).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Coding {
    Gzip,
    Deflate,
    Brotli,
    Zstd,
}

impl Coding {
    fn parse(name: &str) -> Option<Self> {
        match name {
            "gzip" | "x-gzip" => Some(Self::Gzip),
            "deflate" => Some(Self::Deflate),
            "br" => Some(Self::Brotli),
            "zstd" => Some(Self::Zstd),
            _ => None,
        }
    }
}

/// Takes a body piece by piece and gives it back decoded.
pub(super) enum Decoder {
    /// There is nothing to undo.
    Plain(Plain),
    /// The outermost coding.
    Coded(Box<dyn Layer>),
}

impl Decoder {
    /// A decoder for the codings that `headers` name. Room is made for the start of the body, or for all of a small one.
    pub(super) fn new(headers: &HeaderMap, measure: Measure) -> Result<Self, Failure> {
        let (cap, room) = (measure.cap, measure.room.clone());
        let collected = Collected::new(measure)?;
        let codings = codings(headers)?;
        if codings.len() > MAX_CODINGS {
            return Err(Failure::new(Kind::Decode, format!("{} content codings, one in the other", codings.len())));
        }
        // The codings are named in the order in which they were applied: the last one is undone first.
        let Some((&innermost, others)) = codings.split_first() else { return Ok(Self::Plain(Plain::new(collected))) };
        room.grow_decoders(codings.len() * DECODER)?;
        let claim = |inner, &coding: &Coding| Box::new(Claim::new(coding, cap, room.clone(), inner));
        let innermost = claim(Box::new(collected), &innermost);
        Ok(Self::Coded(others.iter().fold(innermost, |inner, coding| claim(inner, coding))))
    }

    /// Takes the next piece.
    pub(super) fn push(&mut self, piece: Bytes) -> Result<(), Failure> {
        let pushed = match self {
            Self::Plain(plain) => plain.push(piece),
            Self::Coded(outermost) => outermost.write_all(&piece),
        };
        pushed.map_err(|error| explain(&error))
    }

    /// The decoded body.
    pub(super) fn finish(self) -> Result<Bytes, Failure> {
        match self {
            Self::Plain(plain) => Ok(plain.finish()),
            Self::Coded(outermost) => outermost.finish().map(Collected::keep).map_err(|error| explain(&error)),
        }
    }
}

/// The codings of a body in the order in which they were applied. Transfer codings are content codings by other names
/// (RFC 9112, section 7); `chunked` has been undone.
fn codings(headers: &HeaderMap) -> Result<Vec<Coding>, Failure> {
    let mut codings = Vec::new();
    for (field, what) in [(CONTENT_ENCODING, "content"), (TRANSFER_ENCODING, "transfer")] {
        for value in headers.get_all(field) {
            let names = String::from_utf8_lossy(value.as_bytes()).to_ascii_lowercase();
            for name in names.split(',').map(str::trim).filter(|name| !matches!(*name, "" | "identity" | "chunked")) {
                let unknown = || Failure::new(Kind::Decode, format!("unknown {what} coding {name:?}"));
                codings.push(Coding::parse(name).ok_or_else(unknown)?);
            }
        }
    }
    Ok(codings)
}

/// What an error of a decoder, or of a body's memory, means.
pub(super) fn explain(error: &io::Error) -> Failure {
    let inner = error.get_ref();
    if let Some(too_large) = inner.and_then(|inner| inner.downcast_ref::<TooLarge>()) {
        return Failure::new(Kind::TooLarge, too_large.to_string());
    }
    if let Some(&refusal) = inner.and_then(|inner| inner.downcast_ref::<Refusal>()) {
        return refusal.into();
    }
    match error.kind() {
        io::ErrorKind::OutOfMemory => Failure::new(Kind::TooLarge, "this machine has no memory for so large a body"),
        io::ErrorKind::UnexpectedEof => {
            Failure::new(Kind::Truncated, "the body ended before its content coding was complete")
        }
        _ => Failure::new(Kind::Decode, format!("the body's content coding is damaged: {error}")),
    }
}

/// A writer that hands what it makes of its input to the next one.
pub(super) trait Layer: Write + Send {
    /// Nothing more comes. The innermost layer comes back.
    fn finish(self: Box<Self>) -> io::Result<Collected>;
}

impl Layer for Collected {
    fn finish(self: Box<Self>) -> io::Result<Collected> {
        Ok(*self)
    }
}

#[cfg(test)]
mod tests;
