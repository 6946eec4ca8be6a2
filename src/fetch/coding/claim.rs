//! Whether a body is coded as it claims.

use std::io::{self, Write};

use super::brotli::Brotli;
use super::inflate::{Inflate, Wrapper};
use super::zstd::Zstd;
use super::{Coding, Layer};
use crate::fetch::body::{Collected, TooLarge};
use crate::fetch::memory::Room;

/// So many bytes show whether a body is coded as it claims.
const SNIFFED: usize = 16;

/// What a coding may add to the smallest of bodies.
const OVERHEAD: usize = 1024;

const GZIP: [u8; 2] = [0x1f, 0x8b];
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// A body that claims a coding: believed once its first bytes are seen.
pub(super) struct Claim {
    coding: Coding,
    /// The first bytes, until they are enough.
    start: Vec<u8>,
    /// What the body is handed to: once its first bytes are seen, the coding's layer if they bear it out.
    layer: Option<Box<dyn Layer>>,
    is_decided: bool,
    /// The largest decoded body.
    cap: usize,
    /// How much of the coded body has come.
    taken: usize,
    /// What the coding's layer takes its memory from.
    room: Room,
}

impl Claim {
    pub(super) fn new(coding: Coding, cap: usize, room: Room, inner: Box<dyn Layer>) -> Self {
        Self { coding, start: Vec::new(), layer: Some(inner), is_decided: false, cap, taken: 0, room }
    }

    /// Decides by the first bytes, and hands them on.
    fn decide(&mut self) -> io::Result<()> {
        self.is_decided = true;
        let inner = self.layer.take().ok_or(io::ErrorKind::Other)?;
        let mut layer = layer(self.coding, &self.start, inner, &self.room)?;
        layer.write_all(&self.start)?;
        self.layer = Some(layer);
        Ok(())
    }

    /// Counts what comes. A body that is much larger than what it stands for is not meant to be read: one coding in
    /// another could keep a decoder busy for ever and make nothing of it.
    fn count(&mut self, piece: &[u8]) -> io::Result<()> {
        self.taken = self.taken.saturating_add(piece.len());
        if self.taken > self.cap.saturating_mul(2).saturating_add(OVERHEAD) {
            return Err(TooLarge::error(self.cap));
        }
        Ok(())
    }
}

fn layer(coding: Coding, start: &[u8], inner: Box<dyn Layer>, room: &Room) -> io::Result<Box<dyn Layer>> {
    Ok(match coding {
        Coding::Gzip if !agrees(start, &GZIP) => inner,
        Coding::Gzip => Box::new(Inflate::new(Wrapper::Gzip, inner)),
        Coding::Zstd if !agrees(start, &ZSTD) => inner,
        Coding::Zstd => Box::new(Zstd::new(inner, room)?),
        // One byte is what many coders make of nothing, and may look like text.
        Coding::Brotli if start.len() > 1 && is_text(start) => inner,
        Coding::Brotli => Box::new(Brotli::new(inner, room)),
        Coding::Deflate if is_text(start) => inner,
        Coding::Deflate => Box::new(Inflate::new(Wrapper::of_deflate(start), inner)),
    })
}

/// Whether a body that starts so has the mark of its coding, or ended amid it.
fn agrees(start: &[u8], mark: &[u8]) -> bool {
    start.iter().zip(mark).all(|(have, want)| have == want)
}

/// Whether a body that starts so is text: UTF-8, perhaps cut within a character, without control characters.
fn is_text(start: &[u8]) -> bool {
    let valid = start.utf8_chunks().next().map_or("", |chunk| chunk.valid());
    let is_whole = start.len() - valid.len() < 4 && (valid.len() == start.len() || start.len() == SNIFFED);
    is_whole && valid.chars().all(|c| matches!(c, '\t' | '\n' | '\r') || !c.is_control())
}

impl Write for Claim {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        if self.is_decided {
            self.count(piece)?;
            let layer = self.layer.as_mut().ok_or(io::ErrorKind::Other)?;
            layer.write_all(piece)?;
            return Ok(piece.len());
        }
        let piece = &piece[..piece.len().min(SNIFFED - self.start.len())];
        self.count(piece)?;
        self.start.extend_from_slice(piece);
        if self.start.len() == SNIFFED {
            self.decide()?;
        }
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Layer for Claim {
    fn finish(mut self: Box<Self>) -> io::Result<Collected> {
        // No byte is no stream, as in the answer to a HEAD.
        if !self.is_decided && !self.start.is_empty() {
            self.decide()?;
        }
        self.layer.ok_or(io::ErrorKind::Other)?.finish()
    }
}
