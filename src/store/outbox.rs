//! Records that somebody elsewhere is to be told of, until he has been.
//!
//! What was decided:
//! - They are written in the transaction that has the pages that they are of, so that who was killed has either both or
//!   neither: what is told is told at least once, and never forgotten.
//! - The records of one process are a part by themselves, so that those of a run that was killed come together as they did
//!   before, whatever the next one adds.

use std::fs::File;
use std::path::Path;

use rusqlite::{Connection, OpenFlags, params};

use super::Error;
use crate::state;

/// The part that a process begins.
pub(super) fn next_part(connection: &Connection) -> Result<i64, Error> {
    Ok(connection.query_row("SELECT coalesce(max(part), 0) + 1 FROM outbox", [], |row| row.get(0))?)
}

/// Adds records, a line each.
pub(super) fn keep(connection: &Connection, part: i64, lines: &[u8]) -> Result<(), Error> {
    let mut statement = connection.prepare_cached("INSERT INTO outbox (part, record) VALUES (?, ?)")?;
    for line in lines.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()) {
        statement.execute(params![part, String::from_utf8_lossy(line)])?;
    }
    Ok(())
}

/// What waits in a state that no run tells of anything any more. No other run can begin until it is dropped.
#[derive(Debug)]
pub struct Outbox {
    connection: Connection,
    /// Closed last: see [`state::open`].
    _lock: File,
}

impl Outbox {
    pub(super) fn open(path: &Path, lock: File) -> Result<Self, Error> {
        Ok(Self { connection: state::connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?, _lock: lock })
    }

    /// Calls `take` with the number and the JSON text of each record of the first part, in order, for as long as it wants
    /// more.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn read(&self, mut take: impl FnMut(u64, &str) -> bool) -> Result<(), Error> {
        let mut statement = self.connection.prepare_cached(
            "SELECT id, record FROM outbox WHERE part = (SELECT part FROM outbox ORDER BY id LIMIT 1) ORDER BY id",
        )?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let record = row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?;
            if !take(row.get::<_, i64>(0)?.cast_unsigned(), record) {
                break;
            }
        }
        Ok(())
    }

    /// Forgets the records up to this number.
    ///
    /// # Errors
    /// The state cannot be written.
    pub fn remove_to(&self, last: u64) -> Result<(), Error> {
        self.connection.execute("DELETE FROM outbox WHERE id <= ?", [last.cast_signed()])?;
        Ok(())
    }
}
