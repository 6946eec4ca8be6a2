//! Rows on a terminal that has a progress bar in its last line.

use std::fs::File;
use std::io::{self, Write};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use indicatif::ProgressBar;
use tokio::task::block_in_place;

/// How long rows are gathered: each time they are shown, the bar is erased and drawn again, which takes a terminal
/// longer than the rows do. Nobody reads faster.
const GATHERED: Duration = Duration::from_millis(30);

/// How many bytes are shown at once.
const ENOUGH: usize = 64 * 1024;

/// How many pieces wait for a terminal that is slow or was told to stop (Ctrl-S).
const WAITING: usize = 256;

/// A terminal, written to by a thread of its own.
pub(super) struct Terminal {
    rows: Option<SyncSender<Vec<u8>>>,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl Terminal {
    /// Shows what is written above `bar`.
    pub(super) fn start(file: File, bar: ProgressBar) -> Self {
        let (rows, waiting) = sync_channel(WAITING);
        let thread = std::thread::spawn(move || show(&waiting, file, &bar));
        Self { rows: Some(rows), thread: Some(thread) }
    }

    /// What the thread came to. It ends early only if the terminal has gone.
    fn end(&mut self) -> io::Result<()> {
        self.rows = None;
        let ended = self.thread.take().map(JoinHandle::join);
        ended.unwrap_or(Ok(Ok(()))).unwrap_or_else(|_| Err(io::Error::other("the writer of the terminal panicked")))
    }
}

fn show(waiting: &Receiver<Vec<u8>>, mut file: File, bar: &ProgressBar) -> io::Result<()> {
    while let Ok(mut text) = waiting.recv() {
        let until = Instant::now() + GATHERED;
        while text.len() < ENOUGH
            && let Ok(more) = waiting.recv_timeout(until.saturating_duration_since(Instant::now()))
        {
            text.extend(more);
        }
        bar.suspend(|| file.write_all(&text))?;
    }
    Ok(())
}

impl Write for Terminal {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        let Some(rows) = &self.rows else { return Err(io::ErrorKind::BrokenPipe.into()) };
        let sent = match rows.try_send(text.to_vec()) {
            // Requests go on while the terminal is waited for.
            Err(TrySendError::Full(text)) => block_in_place(|| rows.send(text)).is_ok(),
            sent => sent.is_ok(),
        };
        if sent { Ok(text.len()) } else { self.end().and(Err(io::ErrorKind::BrokenPipe.into())) }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The last rows are shown before anything else is.
impl Drop for Terminal {
    fn drop(&mut self) {
        // There is nobody to tell when the terminal has gone.
        let _ = self.end();
    }
}
