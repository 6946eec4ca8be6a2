//! The coding `zstd`.

use std::io::{self, Write};

use zstd::stream::raw::{DParameter, Decoder, InBuffer, Operation, OutBuffer};

use super::window::Window;
use super::{BUFFER, Layer};
use crate::fetch::body::Collected;
use crate::fetch::memory::Room;

/// The largest window that a body may ask for: 8 MiB (RFC 9659).
const WINDOW_LOG: u32 = 23;

/// zstd frames (RFC 8878).
pub(super) struct Zstd {
    stream: Decoder<'static>,
    buffer: Vec<u8>,
    is_at_frame_end: bool,
    inner: Box<dyn Layer>,
}

impl Zstd {
    pub(super) fn new(inner: Box<dyn Layer>, room: &Room) -> io::Result<Self> {
        let mut stream = Decoder::new()?;
        stream.set_parameter(DParameter::WindowLogMax(WINDOW_LOG))?;
        Ok(Self {
            stream,
            buffer: vec![0; BUFFER],
            is_at_frame_end: false,
            inner: Box::new(Window::over(WINDOW_LOG, inner, room)),
        })
    }
}

impl Write for Zstd {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        let mut input = InBuffer::around(piece);
        loop {
            let mut output = OutBuffer::around(&mut self.buffer[..]);
            let left = self.stream.run(&mut input, &mut output)?;
            let written = output.pos();
            self.is_at_frame_end = left == 0;
            self.inner.write_all(&self.buffer[..written])?;
            if input.pos() == piece.len() && written < self.buffer.len() {
                return Ok(piece.len());
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Layer for Zstd {
    fn finish(self: Box<Self>) -> io::Result<Collected> {
        if !self.is_at_frame_end {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.inner.finish()
    }
}
