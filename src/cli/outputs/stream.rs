//! How text gets into a file or a pipe.

use std::fs::File;
use std::io::{self, ErrorKind, Seek, SeekFrom, Write};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tokio::task::block_in_place;

/// A file that keeps all of a write or nothing of it: a disk that gets full leaves no half line behind.
pub(super) struct Whole(pub(super) File);

impl Whole {
    /// Takes back what was written last, unless something follows it.
    fn take_back(&mut self, written: u64) -> io::Result<()> {
        let end = self.0.stream_position()?;
        let metadata = self.0.metadata()?;
        if metadata.is_file() && metadata.len() == end {
            let start = end.saturating_sub(written);
            self.0.set_len(start)?;
            self.0.seek(SeekFrom::Start(start))?;
        }
        Ok(())
    }
}

impl Write for Whole {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.0.write(text)
    }

    fn write_all(&mut self, text: &[u8]) -> io::Result<()> {
        let mut rest = text;
        while !rest.is_empty() {
            match self.0.write(rest) {
                Ok(written) if written > 0 => rest = &rest[written..],
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                failed => {
                    let error = failed.err().unwrap_or_else(|| ErrorKind::WriteZero.into());
                    // That it cannot be written is what is wrong, whatever becomes of the rest.
                    let _ = self.take_back((text.len() - rest.len()) as u64);
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A pipe or a socket, which blocks when its reader is slow. Requests go on meanwhile: the thread is given up before.
pub(super) struct Patient(pub(super) File);

/// What fits into a pipe that is ready (POSIX: `PIPE_BUF`; this is Linux's).
const CERTAIN: usize = 4096;

impl Patient {
    /// Whether it is ready, waiting for that as long as `timeout` says.
    fn is_ready(&self, timeout: Option<&Timespec>) -> io::Result<bool> {
        Ok(poll(&mut [PollFd::new(&self.0, PollFlags::OUT)], timeout)? > 0)
    }

    /// Writes even where whoever started us has made it non-blocking.
    fn write_patiently(&mut self, text: &[u8]) -> io::Result<usize> {
        loop {
            match self.0.write(text) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.is_ready(None)?;
                }
                written => return written,
            }
        }
    }
}

impl Write for Patient {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        if text.len() <= CERTAIN && self.is_ready(Some(&Timespec::default()))? {
            return self.write_patiently(text);
        }
        block_in_place(|| self.write_patiently(text))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
