//! The decoded body, up to the cap.

use std::io::{self, Write};

use bytes::Bytes;

use super::Layer;

#[derive(Debug, thiserror::Error)]
#[error("the body is larger than {cap} bytes")]
pub(super) struct TooLarge {
    cap: usize,
}

impl TooLarge {
    pub(super) fn error(cap: usize) -> io::Error {
        io::Error::other(Self { cap })
    }
}

/// The innermost layer: the decoded body, up to the cap.
pub(super) struct Collected {
    body: Vec<u8>,
    /// How long the body will be: a guess.
    expected: usize,
    cap: usize,
}

impl Collected {
    pub(super) fn new(expected: usize, cap: usize) -> Self {
        Self { body: Vec::new(), expected, cap }
    }
}

impl Write for Collected {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        if piece.len() > self.cap - self.body.len() {
            return Err(TooLarge::error(self.cap));
        }
        if self.body.is_empty() {
            self.body.reserve(self.expected);
        }
        self.body.extend_from_slice(piece);
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Layer for Collected {
    fn finish(self: Box<Self>) -> io::Result<Vec<u8>> {
        Ok(self.body)
    }
}

/// A body without codings. Most come in one piece, which is not copied.
pub(in crate::fetch) struct Plain {
    first: Bytes,
    /// All of it, once there is a second piece.
    collected: Collected,
}

impl Plain {
    pub(super) fn new(collected: Collected) -> Self {
        Self { first: Bytes::new(), collected }
    }

    pub(super) fn push(&mut self, piece: Bytes) -> io::Result<()> {
        let Collected { body, cap, .. } = &self.collected;
        if body.is_empty() {
            if self.first.is_empty() && piece.len() <= *cap {
                self.first = piece;
                return Ok(());
            }
            self.collected.write_all(&self.first)?;
        }
        self.collected.write_all(&piece)
    }

    pub(super) fn finish(self) -> Bytes {
        if self.collected.body.is_empty() { self.first } else { self.collected.body.into() }
    }
}
