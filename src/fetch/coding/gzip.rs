//! The coding `gzip`.

use std::io::{self, Write};

use flate2::write::GzDecoder;

use super::Layer;

/// One gzip member after the other (RFC 1952), then whatever a server put behind them.
pub(super) struct Gzip {
    member: Option<GzDecoder<Box<dyn Layer>>>,
    is_over: bool,
}

impl Gzip {
    pub(super) fn new(inner: Box<dyn Layer>) -> Self {
        Self { member: Some(GzDecoder::new(inner)), is_over: false }
    }
}

impl Write for Gzip {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        let Some(member) = self.member.as_mut().filter(|_| !self.is_over) else { return Ok(piece.len()) };
        let taken = member.write(piece)?;
        if taken > 0 || piece.is_empty() {
            return Ok(taken);
        }
        // The member is complete. What follows is another one, or garbage that everybody ignores.
        if piece[0] != 0x1f {
            self.is_over = true;
            return Ok(piece.len());
        }
        if let Some(member) = self.member.take() {
            self.member = Some(GzDecoder::new(member.finish()?));
        }
        self.write(piece)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Layer for Gzip {
    fn finish(self: Box<Self>) -> io::Result<Vec<u8>> {
        match self.member {
            Some(member) => member.finish()?.finish(),
            None => Err(io::ErrorKind::InvalidData.into()),
        }
    }
}
