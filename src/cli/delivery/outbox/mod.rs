//! What has not reached the receiver yet: in the state, where there is one, or else in a file of its own.

mod spool;

use std::io;
use std::path::{Path, PathBuf};

pub(super) use self::spool::Spool;
use crate::store;

/// The most records of a batch.
const RECORDS: usize = 100;

/// No record more is added to a batch that has so many bytes.
const BYTES: usize = 256 << 10;

/// Records that are delivered together.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Batch {
    /// The JSON texts of the records, with commas between.
    pub(super) records: Vec<u8>,
    /// How many there are.
    pub(super) count: usize,
    /// Where it ends: behind this byte of the file, or with this record of the state.
    end: u64,
}

impl Batch {
    fn add(&mut self, record: &[u8]) {
        if self.count > 0 {
            self.records.push(b',');
        }
        self.records.extend_from_slice(record);
        self.count += 1;
    }

    fn is_full(&self) -> bool {
        self.count >= RECORDS || self.records.len() >= BYTES
    }

    fn unless_empty(self) -> Option<Self> {
        (self.count > 0).then_some(self)
    }
}

/// Where records wait.
#[derive(Debug)]
pub(super) enum Outbox {
    /// In the state that is this file.
    State(PathBuf, store::Outbox),
    /// In a file.
    Spool(Spool),
}

impl Outbox {
    /// The file.
    pub(super) fn path(&self) -> &Path {
        match self {
            Self::State(path, _) => path,
            Self::Spool(spool) => spool.path(),
        }
    }

    /// The batch that is to be delivered next. It is the same one, by which the receiver knows it, until it has been.
    ///
    /// # Errors
    /// It cannot be read.
    pub(super) fn next(&mut self) -> io::Result<Option<Batch>> {
        match self {
            Self::State(_, state) => first(state),
            Self::Spool(spool) => spool.next(),
        }
    }

    /// The next batch has been delivered.
    ///
    /// # Errors
    /// It cannot be taken out.
    pub(super) fn remove(&mut self, next: &Batch) -> io::Result<()> {
        match self {
            Self::State(_, state) => Ok(state.remove_to(next.end)?),
            Self::Spool(spool) => {
                spool.skip_to(next.end);
                Ok(())
            }
        }
    }

    /// No more is delivered now.
    ///
    /// # Errors
    /// What was delivered cannot be taken out.
    pub(super) fn close(self) -> io::Result<()> {
        match self {
            Self::State(..) => Ok(()),
            Self::Spool(spool) => spool.close(),
        }
    }
}

fn first(state: &store::Outbox) -> io::Result<Option<Batch>> {
    let mut batch = Batch::default();
    state.read(|id, record| {
        batch.add(record.as_bytes());
        batch.end = id;
        !batch.is_full()
    })?;
    Ok(batch.unless_empty())
}
