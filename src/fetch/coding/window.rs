//! What a coding keeps to look back at.

use std::io::{self, Write};

use super::Layer;
use crate::fetch::body::Collected;
use crate::fetch::memory::Room;

/// Counts what the layer before it keeps to look back at: what it has put out, up to its window. It is asked of the
/// system at once, but takes memory as it fills.
pub(super) struct Window {
    /// How much of it is not filled yet.
    left: usize,
    room: Room,
    inner: Box<dyn Layer>,
}

impl Window {
    /// A window of two to the power of `log` bytes.
    pub(super) fn over(log: u32, inner: Box<dyn Layer>, room: &Room) -> Self {
        Self { left: 1 << log, room: room.clone(), inner }
    }
}

impl Write for Window {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        let filled = piece.len().min(self.left);
        if filled > 0 {
            self.room.grow_decoders(filled).map_err(io::Error::other)?;
            self.left -= filled;
        }
        self.inner.write_all(piece)?;
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Layer for Window {
    fn finish(self: Box<Self>) -> io::Result<Collected> {
        self.inner.finish()
    }
}
