//! The thread that writes.

use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use rusqlite::types::Value as Cell;
use rusqlite::{Connection, ErrorCode, Result, Statement, params, params_from_iter};

use super::schema::Columns;

/// A transaction has no more pages.
const PAGES: usize = 4096;

/// A transaction is no longer.
const LENGTH: Duration = Duration::from_millis(500);

/// The records of a URL.
pub(super) struct Page {
    pub(super) url: Box<str>,
    pub(super) host: Option<String>,
    /// The values of each: the keys of the record, and the fields.
    pub(super) rows: Vec<Vec<Cell>>,
}

/// What the thread has.
pub(super) struct Writer {
    pub(super) connection: Connection,
    pub(super) columns: Columns,
}

struct Statements<'c> {
    farewell: Statement<'c>,
    insertion: Statement<'c>,
    removals: [Statement<'c>; 2],
}

impl Writer {
    /// Writes the pages that come until there are no more.
    pub(super) fn write(self, pages: &Receiver<Page>) -> Result<()> {
        let Self { connection, columns } = self;
        let [first, second] = Columns::removals(&connection)?;
        let mut statements = Statements {
            farewell: connection.prepare(&columns.farewell(&connection)?)?,
            insertion: connection.prepare(&columns.insertion())?,
            removals: [connection.prepare(&first)?, connection.prepare(&second)?],
        };
        while let Ok(page) = pages.recv() {
            connection.execute_batch("BEGIN IMMEDIATE")?;
            statements.put(page)?;
            statements.put_all(pages)?;
            connection.execute_batch("COMMIT")?;
        }
        drop(statements);
        // One file again, unless somebody else has it open: that is not waited for.
        connection.busy_timeout(Duration::ZERO)?;
        let _ = connection.query_row("PRAGMA journal_mode = DELETE", [], |_| Ok(()));
        connection.close().map_err(|(_, error)| error)
    }
}

impl Statements<'_> {
    /// Puts the pages that come while a transaction may last.
    fn put_all(&mut self, pages: &Receiver<Page>) -> Result<()> {
        let end = Instant::now() + LENGTH;
        for _ in 1..PAGES {
            match pages.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(page) => self.put(page)?,
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break,
            }
        }
        Ok(())
    }

    fn put(&mut self, page: Page) -> Result<()> {
        let Page { url, host, rows } = page;
        let now = format!("{:.3}", Timestamp::now());
        let count = i64::try_from(rows.len()).unwrap_or(i64::MAX);
        for (row, item) in rows.into_iter().zip(0..) {
            let own = [Cell::Integer(item), host.clone().map_or(Cell::Null, Cell::Text)];
            let mut cells: Vec<_> = own.into_iter().chain(row).collect();
            cells.push(Cell::Text(now.clone()));
            self.farewell.execute(params_from_iter(&cells))?;
            cells.pop();
            self.insertion.execute(params_from_iter(cells))?;
        }
        let [keep, remove] = &mut self.removals;
        if keep.execute(params![url, count, now])? > 0 {
            remove.execute(params![url, count])?;
        }
        Ok(())
    }
}

/// What SQLite says of a file that is damaged.
pub(super) fn damage(error: &rusqlite::Error) -> Option<String> {
    let is_damaged = matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase));
    is_damaged.then(|| error.to_string())
}

/// The error with the name of the file.
pub(super) fn explain(name: &str, error: &rusqlite::Error) -> io::Error {
    let kind = match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => io::ErrorKind::StorageFull,
        Some(ErrorCode::ReadOnly) => io::ErrorKind::ReadOnlyFilesystem,
        Some(ErrorCode::DatabaseBusy) => io::ErrorKind::ResourceBusy,
        _ => io::ErrorKind::Other,
    };
    io::Error::new(kind, format!("cannot write {name}: {error}"))
}
