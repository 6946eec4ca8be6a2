//! The thread that writes.

use std::io;
use std::sync::mpsc::{Receiver, Sender};
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

/// What the thread is told.
pub(super) enum Message {
    /// To write these.
    Page(Page),
    /// To answer once all that came before is on the disk.
    Commit(Sender<()>),
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
    pub(super) fn write(self, messages: &Receiver<Message>) -> Result<()> {
        let Self { connection, columns } = self;
        let [first, second] = Columns::removals(&connection)?;
        let mut statements = Statements {
            farewell: connection.prepare(&columns.farewell(&connection)?)?,
            insertion: connection.prepare(&columns.insertion())?,
            removals: [connection.prepare(&first)?, connection.prepare(&second)?],
        };
        while let Ok(message) = messages.recv() {
            connection.execute_batch("BEGIN IMMEDIATE")?;
            let asked = statements.put_all(message, messages)?;
            connection.execute_batch("COMMIT")?;
            // Whoever asked may have gone.
            let _ = asked.map(|asked| asked.send(()));
        }
        drop(statements);
        // One file again, unless somebody else has it open: that is not waited for.
        connection.busy_timeout(Duration::ZERO)?;
        let _ = connection.query_row("PRAGMA journal_mode = DELETE", [], |_| Ok(()));
        connection.close().map_err(|(_, error)| error)
    }
}

impl Statements<'_> {
    /// Puts the pages that come while a transaction may last: who asked for its end, if somebody did.
    fn put_all(&mut self, first: Message, messages: &Receiver<Message>) -> Result<Option<Sender<()>>> {
        let end = Instant::now() + LENGTH;
        let mut message = first;
        for left in (0..PAGES).rev() {
            match message {
                Message::Page(page) => self.put(page)?,
                Message::Commit(asked) => return Ok(Some(asked)),
            }
            let time_left = end.saturating_duration_since(Instant::now());
            let Some(next) = (left > 0).then(|| messages.recv_timeout(time_left).ok()).flatten() else { break };
            message = next;
        }
        Ok(None)
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
