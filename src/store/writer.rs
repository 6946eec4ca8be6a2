//! The thread that writes. Whoever tells it something waits for no disk, unless that falls far behind.

use std::fs::File;
use std::io;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, params};

use super::Error;
use super::changes::{Finding, judge};
use super::frontier::{Advance, tidy};
use super::lookup::{Packer, before};
use super::notes;
use super::outbox::keep;
use crate::engine::blocking;
use crate::failure::Kind;
use crate::job::Validators;
use crate::state::{Kept, Shelf};

/// How long a transaction waits for more.
const LINGER: Duration = Duration::from_millis(100);
/// How many pages a transaction has at most, about.
const PAGES: usize = 8192;
/// How many batches may wait to be written.
const WAITING: usize = 64;

/// What a visit to a page found.
#[derive(Clone, Debug)]
pub(super) struct Observation {
    pub(super) key: u64,
    pub(super) url: Box<str>,
    /// The URL that answered, if it is another one.
    pub(super) final_url: Option<Box<str>>,
    /// When, in milliseconds since 1970.
    pub(super) at: i64,
    pub(super) status: Option<u16>,
    pub(super) found: Finding,
    pub(super) validators: Option<Box<Validators>>,
    /// Whether a run that is gone on with has nothing to do about it.
    pub(super) is_done: bool,
}

/// What is written together.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) pages: Vec<Observation>,
    /// How these, and what is no page, move a crawl on.
    pub(super) advances: Vec<Advance>,
    /// Records of these pages for the outbox, a line each.
    pub(super) posts: Vec<u8>,
    /// What is noted of them, packed.
    pub(super) notes: Vec<u8>,
    /// Answers to keep.
    pub(super) kept: Vec<Kept>,
    /// How far the files have come with these pages.
    pub(super) positions: Vec<u64>,
    /// Whether the run has come to the end of its list.
    pub(super) is_end: bool,
}

/// What the thread writes to, and for whom.
pub(super) struct Ledger {
    pub(super) connection: Connection,
    pub(super) run: i64,
    pub(super) extraction: i64,
    /// The part of the outbox that its records make.
    pub(super) part: i64,
    /// The files of records: what is said of them must be on the disk by then.
    pub(super) files: Vec<(String, File)>,
}

impl Batch {
    /// Whether there is nothing in it of pages.
    pub(super) fn is_empty(&self) -> bool {
        self.pages.is_empty() && self.advances.is_empty() && self.kept.is_empty()
    }

    /// How many pages it is worth: some links take as long to write as one does.
    pub(super) fn weight(&self) -> usize {
        self.pages.len() + self.advances.iter().map(Advance::len).sum::<usize>() / 16
    }
}

/// Why the thread has ended before its time: the kind, and words.
type Fault = Arc<Mutex<Option<(io::ErrorKind, String)>>>;

/// A way to tell the thread something.
#[derive(Clone, Debug)]
pub(super) struct Teller {
    sender: SyncSender<Batch>,
    fault: Fault,
}

impl Teller {
    /// Has a batch written, soon.
    ///
    /// # Errors
    /// Something before it could not be written.
    pub(super) fn tell(&self, batch: Batch) -> io::Result<()> {
        let told = match self.sender.try_send(batch) {
            Err(TrySendError::Full(batch)) => blocking(|| self.sender.send(batch).is_ok()),
            told => told.is_ok(),
        };
        if told { Ok(()) } else { Err(self.fault()) }
    }

    fn fault(&self) -> io::Error {
        let fault = self.fault.lock().unwrap_or_else(PoisonError::into_inner);
        match &*fault {
            Some((kind, words)) => io::Error::new(*kind, words.clone()),
            None => io::Error::other("the writer of the state has ended"),
        }
    }
}

/// The thread.
#[derive(Debug)]
pub(super) struct Writer {
    pub(super) teller: Teller,
    thread: JoinHandle<()>,
}

impl Writer {
    /// Starts it. What cannot be written is told under this name.
    pub(super) fn start(ledger: Ledger, name: String) -> io::Result<Self> {
        let (sender, receiver) = sync_channel(WAITING);
        let fault = Fault::default();
        let teller = Teller { sender, fault: Arc::clone(&fault) };
        let work = move || {
            if let Err(error) = ledger.write_all(&receiver).map_err(io::Error::from) {
                let words = format!("cannot write {name}: {error}");
                *fault.lock().unwrap_or_else(PoisonError::into_inner) = Some((error.kind(), words));
            }
        };
        Ok(Self { teller, thread: std::thread::Builder::new().name("state".into()).spawn(work)? })
    }

    /// Waits until all that was told is written. Nobody else may be left to tell it something.
    ///
    /// # Errors
    /// Something could not be written.
    pub(super) fn finish(self) -> io::Result<()> {
        let Self { teller: Teller { sender, fault }, thread } = self;
        drop(sender);
        let fell = thread.join().is_err();
        let fault = fault.lock().unwrap_or_else(PoisonError::into_inner).take();
        match fault {
            Some((kind, words)) => Err(io::Error::new(kind, words)),
            None if fell => Err(io::Error::other("the writer of the state has panicked")),
            None => Ok(()),
        }
    }
}

impl Ledger {
    /// Writes what comes, until nobody is left to tell something.
    fn write_all(mut self, receiver: &Receiver<Batch>) -> Result<(), Error> {
        let (mut packer, mut pages) = (Packer::new()?, Shelf::new()?);
        while let Ok(first) = receiver.recv() {
            let transaction = self.connection.transaction()?;
            let (connection, run, extraction) = (&*transaction, self.run, self.extraction);
            let mut entry = Entry { connection, run, extraction, packer: &mut packer };
            let mut positions = Vec::new();
            // Each as it comes: where the run has ended by then, it waits for the rest alone.
            for batch in gather(first, receiver) {
                batch.pages.iter().try_for_each(|page| entry.write(page))?;
                batch.advances.iter().try_for_each(|advance| advance.write(&transaction))?;
                keep(&transaction, self.part, &batch.posts)?;
                notes::write(&transaction, &batch.notes)?;
                batch.kept.iter().try_for_each(|kept| pages.put(&transaction, kept))?;
                if batch.is_end {
                    transaction.execute("UPDATE runs SET is_whole = 1 WHERE id = ?", [self.run])?;
                    tidy(&transaction)?;
                }
                if !batch.positions.is_empty() {
                    positions = batch.positions;
                }
            }
            // What is said of a file is true of the disk by then.
            for ((path, file), position) in self.files.iter().zip(positions) {
                file.sync_data().or_else(unless_never)?;
                let mut statement = transaction.prepare_cached("UPDATE outputs SET position = ? WHERE path = ?")?;
                statement.execute(params![position.cast_signed(), path])?;
            }
            transaction.commit()?;
        }
        Ok(())
    }
}

/// A file system that cannot sync is none that can be relied on, but nor is it an error.
fn unless_never(error: io::Error) -> io::Result<()> {
    if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) { Ok(()) } else { Err(error) }
}

/// What comes within a moment, as it comes.
fn gather(first: Batch, receiver: &Receiver<Batch>) -> impl Iterator<Item = Batch> {
    let (until, mut weight, mut first) = (Instant::now() + LINGER, 0, Some(first));
    std::iter::from_fn(move || {
        let batch = match first.take() {
            Some(batch) => batch,
            None if weight >= PAGES => return None,
            // Nothing has come, or nobody is left.
            None => receiver.recv_timeout(until.saturating_duration_since(Instant::now())).ok()?,
        };
        weight += batch.weight();
        Some(batch)
    })
}

/// Where pages are written.
struct Entry<'a> {
    connection: &'a Connection,
    run: i64,
    extraction: i64,
    packer: &'a mut Packer,
}

impl Entry<'_> {
    fn write(&mut self, page: &Observation) -> Result<(), Error> {
        let known = before(self.connection, page.key)?;
        let ruling = judge(known.map(|(_, before)| before).unwrap_or_default(), &page.found, self.extraction);
        let id = match &page.found {
            Finding::Page(hash, _) => Some(self.write_page(known.map(|(id, _)| id), page, *hash)?),
            Finding::Unchanged => self.write_unchanged(page)?,
            Finding::Gone => Some(self.write_failure(page, Kind::Status, ruling.failures)?),
            Finding::Failed(kind) => Some(self.write_failure(page, *kind, ruling.failures)?),
        };
        let Some(id) = id.filter(|_| ruling.is_version) else { return Ok(()) };
        let content = if let Finding::Page(_, content) = &page.found {
            self.packer.pack(content)
        } else {
            self.connection.prepare_cached("UPDATE pages SET hash = NULL WHERE id = ?")?.execute([id])?;
            ValueRef::Null
        };
        self.connection
            .prepare_cached(
                "INSERT INTO versions (page, run, at, status, extraction, content) VALUES (?, ?, ?, ?, ?, ?)",
            )?
            .execute(params![id, self.run, page.at, page.status, self.extraction, ToSqlOutput::Borrowed(content)])?;
        Ok(())
    }

    /// Writes what is known now of a page, whose row has this number if there is one: the number of its row.
    fn write_page(&self, known: Option<i64>, page: &Observation, hash: u64) -> Result<i64, Error> {
        // One statement for both that returns the number takes twice as long.
        let mut statement = self.connection.prepare_cached(if known.is_some() {
            "UPDATE pages SET
                 final_url = ?3, run = ?4, seen = ?5, status = ?6, failure = NULL, failures = 0, etag = ?7,
                 last_modified = ?8, extraction = ?9, hash = ?10
             WHERE key = ?1"
        } else {
            "INSERT INTO pages (key, url, final_url, run, seen, status, etag, last_modified, extraction, hash)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        })?;
        let validators = page.validators.as_deref();
        let etag = validators.and_then(|known| known.etag.as_deref());
        let modified = validators.and_then(|known| known.last_modified.as_deref());
        statement.execute(params![
            page.key.cast_signed(),
            page.url,
            page.final_url,
            self.run,
            page.at,
            page.status,
            etag,
            modified,
            self.extraction,
            hash.cast_signed(),
        ])?;
        Ok(known.unwrap_or_else(|| self.connection.last_insert_rowid()))
    }

    fn write_unchanged(&self, page: &Observation) -> Result<Option<i64>, Error> {
        let mut statement = self.connection.prepare_cached(
            "UPDATE pages SET run = ?2, seen = ?3, failure = NULL, failures = 0,
                 etag = coalesce(?4, etag), last_modified = coalesce(?5, last_modified)
             WHERE key = ?1",
        )?;
        let known = page.validators.as_deref();
        let etag = known.and_then(|known| known.etag.as_deref());
        let modified = known.and_then(|known| known.last_modified.as_deref());
        statement.execute(params![page.key.cast_signed(), self.run, page.at, etag, modified])?;
        Ok(None)
    }

    fn write_failure(&self, page: &Observation, kind: Kind, failures: u32) -> Result<i64, Error> {
        let mut statement = self.connection.prepare_cached(
            "INSERT INTO pages (key, url, run, seen, status, failure, failures) VALUES (?, ?, ?, ?, ?, ?, ?)
             ON CONFLICT (key) DO UPDATE SET
                 run = max(run, excluded.run), seen = excluded.seen, status = excluded.status,
                 failure = excluded.failure, failures = excluded.failures
             RETURNING id",
        )?;
        let run = if page.is_done { self.run } else { 0 };
        let values = params![page.key.cast_signed(), page.url, run, page.at, page.status, kind.slug(), failures];
        Ok(statement.query_row(values, |row| row.get(0))?)
    }
}
