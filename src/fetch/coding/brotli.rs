//! The coding `br`.

use std::io::{self, Write};

use brotli_decompressor::DecompressorWriter;

use super::{BUFFER, Layer};

/// A brotli stream (RFC 7932).
pub(super) struct Brotli(DecompressorWriter<Box<dyn Layer>>);

impl Brotli {
    pub(super) fn new(inner: Box<dyn Layer>) -> Self {
        Self(DecompressorWriter::new(inner, BUFFER))
    }
}

impl Write for Brotli {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        self.0.write(piece)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Layer for Brotli {
    fn finish(mut self: Box<Self>) -> io::Result<Vec<u8>> {
        self.0.close()?;
        match self.0.into_inner() {
            Ok(inner) => inner.finish(),
            Err(_) => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
}
