//! A run in the state: begun, or gone on with.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::outputs::{self, Resumed};
use super::session::{Begin, name};
use super::shape::Shape;
use super::{Error, frontier};

/// What a run is.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of its own")]
pub(super) struct Run {
    pub(super) id: i64,
    /// The number of what is asked for.
    pub(super) extraction: i64,
    /// How far its files had come; none where it is not gone on with.
    pub(super) resumed: Option<Vec<Resumed>>,
    /// Whether the run before asked for other fields.
    pub(super) is_reshaped: bool,
    pub(super) keeps_pages: bool,
    pub(super) crawls: bool,
    pub(super) checks: bool,
    pub(super) compresses: bool,
}

impl Run {
    /// The run before, if that is to be gone on with, or a new one.
    pub(super) fn begin(connection: &Connection, shape: &Shape, begin: Begin<'_>) -> Result<Self, Error> {
        let before: Option<(i64, i64, bool, bool)> = connection
            .query_row("SELECT id, extraction, is_whole, checks FROM runs ORDER BY id DESC LIMIT 1", [], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
            })
            .optional()?;
        let known = extraction(connection, shape)?;
        let is_reshaped = before.is_some_and(|(_, other, ..)| Some(other) != known);
        let left = before.filter(|&(_, _, is_whole, _)| begin.resume && !(is_whole && begin.ends));
        let (id, extraction, resumed) = match left {
            Some(_) if is_reshaped => {
                return Err(Error::Mismatch("the run to go on with had other fields".into()));
            }
            Some(_) if !begin.crawls && frontier::is_any_waiting(connection)? => {
                return Err(Error::Mismatch("the run to go on with was a crawl, and has pages left".into()));
            }
            // What its pages say of links was not kept, or would not be from now on.
            Some((.., checked)) if checked != begin.checks => {
                let words = if checked { "checked links" } else { "did not check links, or not as this version does" };
                return Err(Error::Mismatch(format!("the run to go on with {words}")));
            }
            Some((id, extraction, ..)) => (id, extraction, Some(outputs::resume(connection, begin.files)?)),
            None => {
                outputs::check_known(connection, begin.filled)?;
                let (id, extraction) = start(connection, (known, shape), begin)?;
                (id, extraction, None)
            }
        };
        let Begin { keeps_pages, crawls, checks, compresses, .. } = begin;
        Ok(Self { id, extraction, resumed, is_reshaped, keeps_pages, crawls, checks, compresses })
    }
}

/// The number of what is asked for, if that is known.
fn extraction(connection: &Connection, shape: &Shape) -> Result<Option<i64>, Error> {
    let known = "SELECT id FROM extractions WHERE fingerprint = ?";
    Ok(connection.query_row(known, [shape.fingerprint.cast_signed()], |row| row.get(0)).optional()?)
}

/// Begins a run, of whose files nothing stands: its number, and that of what is asked for.
fn start(
    connection: &Connection,
    (known, shape): (Option<i64>, &Shape),
    begin: Begin<'_>,
) -> Result<(i64, i64), Error> {
    let transaction = connection.unchecked_transaction()?;
    let extraction = if let Some(extraction) = known {
        extraction
    } else {
        let names = serde_json::to_string(&shape.names).unwrap_or_default();
        let values = params![shape.fingerprint.cast_signed(), names];
        connection.execute("INSERT INTO extractions (fingerprint, names) VALUES (?, ?)", values)?;
        connection.last_insert_rowid()
    };
    let started = Timestamp::now().as_millisecond();
    let values = params![started, extraction, begin.checks];
    connection.execute("INSERT INTO runs (started, extraction, checks) VALUES (?, ?, ?)", values)?;
    let run = connection.last_insert_rowid();
    frontier::clear(connection)?;
    connection.execute("DELETE FROM notes", [])?;
    connection.execute("DELETE FROM outputs", [])?;
    for path in begin.files {
        connection.execute("INSERT INTO outputs (path, position) VALUES (?, 0)", [name(path)])?;
    }
    transaction.commit()?;
    Ok((run, extraction))
}
