//! The coding `deflate`.

use std::io::{self, Write};

use flate2::{Decompress, FlushDecompress, Status};

use super::{BUFFER, Layer};

/// A deflate stream (RFC 1951), in its zlib wrapper or, as some servers understood the standard, without.
pub(super) struct Deflate {
    stream: Decompress,
    buffer: Vec<u8>,
    is_over: bool,
    inner: Box<dyn Layer>,
}

impl Deflate {
    /// `start` is how the stream starts: the wrapper shows.
    pub(super) fn new(start: &[u8], inner: Box<dyn Layer>) -> Self {
        Self { stream: Decompress::new(has_zlib_header(start)), buffer: vec![0; BUFFER], is_over: false, inner }
    }
}

impl Write for Deflate {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        let mut taken = 0;
        while !self.is_over {
            let (read, written) = (self.stream.total_in(), self.stream.total_out());
            let status = self.stream.decompress(&piece[taken..], &mut self.buffer, FlushDecompress::None)?;
            let written = usize::try_from(self.stream.total_out() - written).unwrap_or(0);
            taken += usize::try_from(self.stream.total_in() - read).unwrap_or(0);
            self.inner.write_all(&self.buffer[..written])?;
            self.is_over = status == Status::StreamEnd;
            if written < self.buffer.len() && taken == piece.len() {
                return Ok(taken);
            }
        }
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Layer for Deflate {
    fn finish(self: Box<Self>) -> io::Result<Vec<u8>> {
        if !self.is_over {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.inner.finish()
    }
}

/// RFC 1950, section 2.2: the method is 8 and the first two bytes are a multiple of 31.
fn has_zlib_header(start: &[u8]) -> bool {
    matches!(start, [method, flags, ..] if method & 0x0f == 8 && u16::from_be_bytes([*method, *flags]) % 31 == 0)
}
