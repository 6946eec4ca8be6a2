//! One run's use of a state: begun or gone on with, told of, concluded.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::{Connection, OpenFlags};
use url::Url;

use super::frontier;
use super::lookup::{Lookup, Versions};
use super::notes::{self, Notes};
use super::outbox::{Outbox, next_part};
use super::outputs::{self, Resumed};
use super::run::Run;
use super::shape::Shape;
use super::sink::{Downstream, Late, Pieces, Recorder};
use super::tray::Tray;
use super::untold::Untold;
use super::watch::Watch;
use super::writer::{Batch, Ledger, Observation, Writer};
use super::{Change, Error};
use crate::engine::Sink;
use crate::job::Job;
use crate::state;

/// How a run begins.
#[expect(clippy::struct_excessive_bools, reason = "each is an option of its own")]
#[derive(Clone, Copy, Debug)]
pub struct Begin<'a> {
    /// The files that it writes records to.
    pub files: &'a [PathBuf],
    /// Those of them that have something in them, if that must not be lost where there is no run to go on with.
    pub filled: &'a [PathBuf],
    /// Whether it goes on with the one before. If there is none, it begins as any other.
    pub resume: bool,
    /// Whether it is a crawl: it is told what it came by and has not asked for.
    pub crawls: bool,
    /// Whether it checks links: where they are found is asked for wherever redirects have led.
    pub checks: bool,
    /// Whether one that has come to the end of its list is over, and not gone on with for what was added to that.
    pub ends: bool,
    /// Whether pages are kept, of which the visitor tells ([`Recorded`](crate::visit::Recorded)).
    pub keeps_pages: bool,
    /// Whether the user has files compressed: records that are told of together are compressed together.
    pub compresses: bool,
}

/// What of a record is told where only changes are wanted.
#[derive(Clone, Copy, Debug)]
pub struct Mark {
    /// Which field of a row tells what became of its page; the next one tells how that differs.
    pub field: usize,
    /// After how many runs in which it failed a page is told of once more; none: never.
    pub error_after: Option<u32>,
}

/// A state, open for one run.
#[derive(Debug)]
pub struct Session {
    path: PathBuf,
    shape: Arc<Shape>,
    run: Run,
    /// Until the thread that writes has it.
    connection: Option<Connection>,
    lookup: Arc<Lookup>,
    writer: Option<Writer>,
    /// What is known of pages that were tried in vain and would be tried again: it counts when the run is whole.
    held: Arc<Mutex<Vec<Observation>>>,
    changes: Arc<Mutex<BTreeMap<Change, u64>>>,
    posts: Option<Tray>,
    /// What is kept for those who check links.
    notes: Option<Tray>,
    /// Closed last: see [`state::open`].
    lock: File,
}

/// A state that is not told anything any more. No other run can begin until it is dropped.
#[derive(Debug)]
pub struct Ended {
    path: PathBuf,
    lock: File,
}

impl Ended {
    /// What waits in it.
    ///
    /// # Errors
    /// The state cannot be opened again.
    pub fn outbox(self) -> Result<Outbox, Error> {
        Outbox::open(&self.path, self.lock)
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Session {
    /// Opens a state, or makes it, for a run that makes records of this shape.
    ///
    /// # Errors
    /// It cannot be opened, is no state, or was written for another shape or other files than those to go on with. It is as
    /// it was then.
    pub fn open(path: &Path, shape: Shape, begin: Begin<'_>) -> Result<Self, Error> {
        // One that is not there yet knows nothing, and is not made then.
        let is_new = fs::metadata(path).map_or(true, |metadata| metadata.len() == 0);
        if is_new && let Some(filled) = begin.filled.first() {
            return Err(Error::Unknown(filled.clone()));
        }
        let (connection, lock) = state::open(path)?;
        let run = Run::begin(&connection, &shape, begin)?;
        let reader = state::connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        let shape = Arc::new(shape);
        Ok(Self {
            path: path.to_owned(),
            shape: Arc::clone(&shape),
            connection: Some(connection),
            lookup: Arc::new(Lookup::new(reader, run.extraction, shape, run.keeps_pages)),
            run,
            writer: None,
            held: Arc::default(),
            changes: Arc::default(),
            posts: None,
            notes: None,
            lock,
        })
    }

    /// How far each file of the run that is gone on with has come; none where this is a run of its own.
    #[must_use]
    pub fn resumed(&self) -> Option<&[Resumed]> {
        self.run.resumed.as_deref()
    }

    /// Whether the run before asked for other fields, so that its versions do not count.
    #[must_use]
    pub fn is_reshaped(&self) -> bool {
        self.run.is_reshaped
    }

    /// Whether pages that are done in this run have failed.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn has_failures(&self) -> Result<bool, Error> {
        let Some(connection) = &self.connection else { return Ok(false) };
        let any = "SELECT EXISTS (SELECT 1 FROM pages WHERE run = ? AND failure IS NOT NULL)";
        Ok(connection.query_row(any, [self.run.id], |row| row.get(0))?)
    }

    /// Takes back that pages that have failed are done. Those of the files that it goes on with that have a length here are to be
    /// replaced by what stands of them without those, which has that length, and is on the disk.
    ///
    /// # Errors
    /// The state cannot be written. It is as it was then.
    pub fn take_back_failures(&mut self, lengths: &[Option<u64>]) -> Result<(), Error> {
        let (Some(connection), Some(resumed)) = (&self.connection, &mut self.run.resumed) else { return Ok(()) };
        outputs::take_back(connection, self.run.id, (resumed, lengths))
    }

    /// Takes note that those of the files that it goes on with that have a length here are to be replaced by what stands of them,
    /// which has that length, and is on the disk.
    ///
    /// # Errors
    /// The state cannot be written. It is as it was then.
    pub fn sift(&mut self, lengths: &[Option<u64>]) -> Result<(), Error> {
        let (Some(connection), Some(resumed)) = (&self.connection, &mut self.run.resumed) else { return Ok(()) };
        outputs::sift(connection, resumed, lengths)
    }

    /// Takes note that all files are replaced that were to be.
    ///
    /// # Errors
    /// The state cannot be written.
    pub fn settle(&mut self) -> Result<(), Error> {
        let (Some(connection), Some(resumed)) = (&self.connection, &mut self.run.resumed) else { return Ok(()) };
        outputs::settle(connection, resumed)
    }

    /// Calls `finish` with the URL of each page that is done in this run.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn for_each_done(&self, mut finish: impl FnMut(&Url)) -> Result<(), Error> {
        let Some(connection) = &self.connection else { return Ok(()) };
        let mut statement = connection.prepare("SELECT url FROM pages WHERE run = ?")?;
        let mut rows = statement.query([self.run.id])?;
        while let Some(row) = rows.next()? {
            // A line that is no URL is met again.
            if let Ok(url) = Url::parse(row.get_ref(0)?.as_str().unwrap_or_default()) {
                finish(&url);
            }
        }
        Ok(())
    }

    /// Calls `readmit` with each page that the run came by before it was stopped and has no outcome of, in the order in which
    /// they were found, after `know` was called with the [fingerprint](crate::canonical::fingerprint) of each URL that it
    /// has asked for and that is no [page](Self::for_each_done).
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn for_each_waiting(&self, know: impl FnMut(u64), readmit: impl FnMut(&Job)) -> Result<(), Error> {
        let Some(connection) = &self.connection else { return Ok(()) };
        frontier::for_each_passed(connection, know)?;
        frontier::for_each_waiting(connection, readmit)
    }

    /// What is known from before, for conditional requests.
    #[must_use]
    pub fn known(&self) -> Versions {
        Versions(Arc::clone(&self.lookup))
    }

    /// Where one of the sinks behind the [sink](Self::sink) writes the records that are to wait in the outbox, as lines of
    /// JSON.
    pub fn posts(&mut self) -> Tray {
        self.posts.get_or_insert_default().clone()
    }

    /// Where one of the sinks behind the [sink](Self::sink) leaves lines of what it is told, for a run that goes on with this
    /// one to [recall](Self::recall).
    pub fn notes(&mut self) -> Tray {
        self.notes.get_or_insert_default().clone()
    }

    /// Calls `recall` with each of the [notes](Self::notes) of the run that is gone on with, of outcomes that count as done, in
    /// their order; and with whether what has failed is to be tried again, if it is of that.
    ///
    /// # Errors
    /// The state cannot be read, or `recall` fails; [`io::ErrorKind::InvalidData`] of that means that it is damaged.
    pub fn recall(&self, recall: impl FnMut(&[u8], bool) -> io::Result<()>) -> Result<(), Error> {
        self.connection.as_ref().map_or(Ok(()), |connection| notes::for_each(connection, recall))
    }

    /// The sink that tells the state of all that passes to each sink of `inner`, which write to `files` among others. With a
    /// mark, only what has changed passes. What would be tried again, if requests are or are not idempotent, comes at the
    /// end, where there are files.
    ///
    /// # Errors
    /// The thread that writes cannot be started.
    pub fn sink(
        &mut self,
        inner: Vec<Box<dyn Sink>>,
        files: Vec<(PathBuf, File)>,
        mark: Option<Mark>,
        is_idempotent: bool,
    ) -> io::Result<Box<dyn Sink>> {
        let Some(connection) = self.connection.take() else { return Err(io::Error::other("the state has its sink")) };
        let positions = files.iter().map(|(_, file)| file.try_clone()).collect::<io::Result<Vec<_>>>()?;
        let files = files.into_iter().map(|(path, file)| (name(&path), file)).collect();
        let part = next_part(&connection)?;
        let ledger = Ledger { connection, run: self.run.id, extraction: self.run.extraction, part, files };
        let writer = Writer::start(ledger, self.path.display().to_string())?;
        let teller = writer.teller.clone();
        self.writer = Some(writer);
        let notes = self.notes.clone().map(Notes::new).transpose()?;
        let untold = Untold::new(teller, self.run.compresses, self.run.keeps_pages, self.posts.clone());
        let recorder = Recorder {
            downstream: Downstream::new(inner, positions),
            untold: untold.with_notes(notes),
            shape: Arc::clone(&self.shape),
            watch: mark.map(|mark| Watch {
                lookup: Arc::clone(&self.lookup),
                mark,
                extraction: self.run.extraction,
                counts: Arc::clone(&self.changes),
            }),
            late: Late::new(Arc::clone(&self.held)),
            is_idempotent,
            crawls: self.run.crawls,
            checks: self.run.checks,
            pieces: Pieces::default(),
        };
        Ok(Box::new(recorder))
    }

    /// How many changes of each kind the sink has let pass.
    #[must_use]
    pub fn changes(&self) -> BTreeMap<Change, u64> {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Ends the use of the state, once the sink is finished: all that it was told is written then. `is_whole` tells whether
    /// the run came to the end of its list.
    ///
    /// # Errors
    /// Something could not be written.
    pub fn conclude(mut self, is_whole: bool) -> io::Result<Ended> {
        self.lookup.close();
        if let Some(writer) = self.writer.take() {
            if is_whole {
                let pages = std::mem::take(&mut *self.held.lock().unwrap_or_else(PoisonError::into_inner));
                // Why it cannot be told is what the end tells.
                let _ = writer.teller.tell(Batch { pages, is_end: true, ..Batch::default() });
            }
            writer.finish()?;
        }
        Ok(Ended { path: self.path, lock: self.lock })
    }
}

/// The name of a file in the state.
pub(super) fn name(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
