//! Where others leave what the state is to have with the pages that it is of.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

/// Takes whole lines, until the state takes them from there. Clones are one.
#[derive(Clone, Debug, Default)]
pub struct Tray(Arc<Mutex<Vec<u8>>>);

impl Tray {
    /// What has come since this was last asked: whole lines.
    pub(super) fn take(&self) -> Vec<u8> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Write for Tray {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(text);
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
