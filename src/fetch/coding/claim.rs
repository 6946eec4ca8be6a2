//! Whether a body is coded as it claims.

use std::io::{self, Write};

use super::brotli::Brotli;
use super::deflate::Deflate;
use super::gzip::Gzip;
use super::zstd::Zstd;
use super::{Coding, Layer};

/// So many bytes show whether a body is coded as it claims.
const SNIFFED: usize = 16;

/// A body that claims a coding: believed once its first bytes are seen.
pub(super) enum Claim {
    Undecided { coding: Coding, start: Vec<u8>, inner: Option<Box<dyn Layer>> },
    Decided(Box<dyn Layer>),
}

impl Claim {
    pub(super) fn new(coding: Coding, inner: Box<dyn Layer>) -> Self {
        Self::Undecided { coding, start: Vec::new(), inner: Some(inner) }
    }

    /// Decides by the first bytes, and hands them on.
    fn decide(&mut self) -> io::Result<()> {
        let Self::Undecided { coding, start, inner } = self else { return Ok(()) };
        let Some(inner) = inner.take() else { return Err(io::ErrorKind::Other.into()) };
        let start = std::mem::take(start);
        let mut layer = layer(*coding, &start, inner)?;
        let written = layer.write_all(&start);
        *self = Self::Decided(layer);
        written
    }
}

fn layer(coding: Coding, start: &[u8], inner: Box<dyn Layer>) -> io::Result<Box<dyn Layer>> {
    let is_text = start.iter().all(|byte| matches!(byte, b'\t' | b'\n' | b'\r' | b' '..=b'~'));
    Ok(match coding {
        Coding::Gzip if !start.starts_with(&[0x1f, 0x8b]) => inner,
        Coding::Gzip => Box::new(Gzip::new(inner)),
        Coding::Zstd if !start.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) => inner,
        Coding::Zstd => Box::new(Zstd::new(inner)?),
        Coding::Deflate | Coding::Brotli if is_text => inner,
        Coding::Deflate => Box::new(Deflate::new(start, inner)),
        Coding::Brotli => Box::new(Brotli::new(inner)),
    })
}

impl Write for Claim {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        match self {
            Self::Decided(layer) => layer.write(piece),
            Self::Undecided { start, .. } => {
                let taken = piece.len().min(SNIFFED - start.len());
                start.extend_from_slice(&piece[..taken]);
                if start.len() == SNIFFED {
                    self.decide()?;
                }
                Ok(taken)
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Layer for Claim {
    fn finish(mut self: Box<Self>) -> io::Result<Vec<u8>> {
        match *self {
            // No byte is no stream, as in the answer to a HEAD.
            Self::Undecided { ref start, inner: Some(inner), .. } if start.is_empty() => inner.finish(),
            Self::Undecided { .. } => {
                self.decide()?;
                self.finish()
            }
            Self::Decided(layer) => layer.finish(),
        }
    }
}
