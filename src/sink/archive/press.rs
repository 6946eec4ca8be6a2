//! Threads that make the bytes of an archive, as many as there are cores, and write them in order.
//!
//! Compressing a page takes many times as long as fetching it: whoever gives the work does not wait for it, unless the threads
//! have fallen behind. Each does the next work, waits for its turn, and writes what it has made: so what was given first is
//! first in the file.

use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use super::capture::Listing;
use crate::engine::blocking;
use crate::warc::{Entry, Index, Packer};

/// How much work may wait for each thread.
const WAITING: usize = 4;

/// What is written together, and what of it the index lists.
pub(super) struct Packed {
    pub(super) bytes: Vec<u8>,
    pub(super) listing: Option<Listing>,
}

type Work = Box<dyn FnOnce(&mut Packer) -> io::Result<Packed> + Send>;

/// Work, in the order in which it was given.
type Works = Mutex<Receiver<(u64, Work)>>;

/// The threads, and what they write to.
pub(super) struct Press {
    queue: SyncSender<(u64, Work)>,
    given: u64,
    output: Arc<Output>,
    threads: Vec<JoinHandle<()>>,
}

struct Output {
    state: Mutex<State>,
    turned: Condvar,
}

/// What is known of the bytes of an archive.
pub(super) struct Log {
    /// What the index calls it.
    filename: String,
    index: Index<File>,
    /// How many there are.
    offset: u64,
}

struct State {
    out: Box<dyn Write + Send>,
    log: Log,
    /// Whose turn it is.
    turn: u64,
    fault: Option<io::Error>,
}

impl Press {
    /// Starts the threads, which write to `out`, behind what there is.
    pub(super) fn start(out: Box<dyn Write + Send>, log: Log, is_compressed: bool) -> io::Result<Self> {
        let count = thread::available_parallelism().map_or(1, usize::from);
        let (queue, works) = sync_channel(count * WAITING);
        let works = Arc::new(Mutex::new(works));
        let state = Mutex::new(State { out, log, turn: 0, fault: None });
        let output = Arc::new(Output { state, turned: Condvar::new() });
        let spawn = |_| {
            let (works, output) = (Arc::clone(&works), Arc::clone(&output));
            let work = move || work_off(&works, &output, Packer::new(is_compressed));
            thread::Builder::new().name("archive".into()).spawn(work)
        };
        let threads = (0..count).map(spawn).collect::<io::Result<_>>()?;
        Ok(Self { queue, given: 0, output, threads })
    }

    /// Has work done, some time.
    ///
    /// # Errors
    /// Something before it failed.
    pub(super) fn give(
        &mut self,
        work: impl FnOnce(&mut Packer) -> io::Result<Packed> + Send + 'static,
    ) -> io::Result<()> {
        let work = (self.given, Box::new(work) as Work);
        self.given += 1;
        let given = match self.queue.try_send(work) {
            Err(TrySendError::Full(work)) => blocking(|| self.queue.send(work).is_ok()),
            given => given.is_ok(),
        };
        if given { Ok(()) } else { Err(self.output.lock().take_fault()) }
    }

    /// Waits until all that was given is written, and stays open for more.
    ///
    /// # Errors
    /// Something failed.
    pub(super) fn settle(&self) -> io::Result<()> {
        let is_behind = |state: &mut State| state.turn < self.given && state.fault.is_none();
        let settled = || self.output.turned.wait_while(self.output.lock(), is_behind);
        let mut state = blocking(settled).unwrap_or_else(PoisonError::into_inner);
        if state.fault.is_some() { Err(state.take_fault()) } else { state.out.flush() }
    }

    /// Waits until all is written.
    ///
    /// # Errors
    /// Something failed.
    pub(super) fn finish(self) -> io::Result<Index<File>> {
        let Self { queue, output, threads, .. } = self;
        drop(queue);
        for thread in threads {
            thread.join().map_err(|_| io::Error::other("a thread has panicked"))?;
        }
        let output = Arc::into_inner(output).ok_or_else(|| io::Error::other("a thread is still writing"))?;
        let mut state = output.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        match state.fault {
            Some(fault) => Err(fault),
            None => state.out.flush().map(|()| state.log.index),
        }
    }
}

impl Output {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes what was made of the work of this number when it is its turn. Tells whether more is of any use.
    fn write(&self, number: u64, made: io::Result<Packed>) -> bool {
        let waits = |state: &mut State| state.turn != number;
        let mut state = self.turned.wait_while(self.lock(), waits).unwrap_or_else(PoisonError::into_inner);
        if state.fault.is_none() {
            state.fault = made.and_then(|packed| state.write(packed)).err();
        }
        state.turn += 1;
        self.turned.notify_all();
        state.fault.is_none()
    }
}

impl Log {
    /// That of an archive of this name, with nothing in it.
    pub(super) fn new(filename: String) -> Self {
        Self { filename, index: Index::new(tempfile::tempfile), offset: 0 }
    }

    /// Takes note of so many bytes more.
    pub(super) fn note(&mut self, count: usize, listing: Option<Listing>) -> io::Result<()> {
        let before = self.offset;
        self.offset += count as u64;
        let Some(Listing { url, at, mime, status, digest, start, length }) = listing else { return Ok(()) };
        let entry = Entry {
            url: url.as_str(),
            mime: &mime,
            status: status.to_string(),
            digest: digest.to_string(),
            length: length.to_string(),
            offset: (before + start as u64).to_string(),
            filename: &self.filename,
        };
        self.index.push(&url, at, &entry)
    }
}

impl State {
    fn write(&mut self, packed: Packed) -> io::Result<()> {
        self.out.write_all(&packed.bytes)?;
        self.log.note(packed.bytes.len(), packed.listing)
    }

    fn take_fault(&mut self) -> io::Error {
        let fault = self.fault.as_ref().map(|fault| io::Error::new(fault.kind(), fault.to_string()));
        fault.unwrap_or_else(|| ErrorKind::BrokenPipe.into())
    }
}

/// Does work until there is no more, or what was made cannot be written.
fn work_off(works: &Works, output: &Output, mut packer: Packer) {
    let next = || works.lock().unwrap_or_else(PoisonError::into_inner).recv();
    while let Ok((number, work)) = next() {
        // Others wait for its turn to be over, whatever becomes of it.
        let made = catch_unwind(AssertUnwindSafe(|| work(&mut packer)));
        let made = made.unwrap_or_else(|_| Err(io::Error::other("a record could not be made")));
        if !output.write(number, made) {
            break;
        }
    }
}
