//! The coding `br`.

use std::io::{self, Write};

use brotli_decompressor::{BrotliDecoderParameter, DecompressorWriter};

use super::window::Window;
use super::{BUFFER, Layer};
use crate::fetch::body::Collected;
use crate::fetch::memory::Room;

/// The largest window that a body may ask for (RFC 7932, section 9.1).
const WINDOW_LOG: u32 = 24;

/// A brotli stream (RFC 7932).
pub(super) struct Brotli(DecompressorWriter<Box<dyn Layer>>);

impl Brotli {
    pub(super) fn new(inner: Box<dyn Layer>, room: &Room) -> Self {
        let inner: Box<dyn Layer> = Box::new(Window::over(WINDOW_LOG, inner, room));
        let mut stream = DecompressorWriter::new(inner, BUFFER);
        // An extension that no HTTP client has to know: a window of up to a gigabyte.
        stream.set_parameter(BrotliDecoderParameter::BROTLI_DECODER_PARAM_LARGE_WINDOW, 0);
        Self(stream)
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
    fn finish(mut self: Box<Self>) -> io::Result<Collected> {
        // What is damaged has failed before: here the stream says only that it is not over.
        self.0.close().map_err(|error| match error.kind() {
            io::ErrorKind::InvalidData => io::ErrorKind::UnexpectedEof.into(),
            _ => error,
        })?;
        match self.0.into_inner() {
            Ok(inner) => inner.finish(),
            Err(_) => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
}
