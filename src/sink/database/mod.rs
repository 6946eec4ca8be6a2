//! An SQLite database: a row for each record in the table `pages`, and what it said before in `history`.
//!
//! What was decided:
//! - A record is a row of `pages`: the keys of the record and the fields are its columns. Its key is the URL as given and
//!   `item`, the number of the record among those of its page, counted from 0. A later run replaces it, with all its items.
//! - What is replaced goes to `history`, with the time at which it was, unless the new one says the same: the place in the
//!   input, the time, and how long and how often it was tried do not count.
//! - A run with more fields adds columns. Fields that a run does not ask for are null in what it writes.
//! - Values are what they are: text, integers, reals, truth values as 0 and 1; times are texts in ISO 8601, which SQLite
//!   reckons with; lists and maps are JSON, for `json_each` and `->>`.
//! - SQLite tells no upper from lower case in names. A field that is called like a key is written as `fields.NAME`.
//! - A thread of its own writes, in transactions of many records, each at most half a second long. So the file is sound
//!   whenever it ends, and others may read it meanwhile (write-ahead logging). At the end, it is one file again.
//! - A run that a state has [gone on with](crate::store::Begin::resume) cuts nothing off: what it asks for once more replaces the
//!   row that there may be, and is in `history` only if it says something else now.

mod schema;
mod writer;

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::mpsc::{SyncSender, channel, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::types::Value as Cell;

use self::schema::{APPLICATION, Columns, VERSION};
use self::writer::{Message, Page, Writer};
use super::{Options, apart};
use crate::engine::Sink;
use crate::job::Outcome;
use crate::record::{COLUMNS, Record};
use crate::value::Value;

/// How long another program may keep the file from being written.
const PATIENCE: Duration = Duration::from_secs(10);

/// As many pages wait for the thread that writes them.
const WAITING: usize = 1024;

/// Whether a file of this name is a database.
#[must_use]
pub fn is_database(path: &Path) -> bool {
    let known = ["db", "sqlite", "sqlite3"];
    path.extension().is_some_and(|extension| known.iter().any(|known| extension.eq_ignore_ascii_case(known)))
}

/// Why a database cannot be written. Nothing in it was changed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It is another kind of file.
    #[error("it is no SQLite database")]
    NoDatabase,
    /// It has tables of somebody else's.
    #[error("it is the database of another program")]
    Foreign,
    /// Another version made it.
    #[error("its tables are of version {0}, and this program knows version {VERSION}")]
    Version(u32),
    /// It is damaged.
    #[error("it is damaged: {0}")]
    Damaged(String),
    /// Two fields would be one column.
    #[error("the fields {0} and {1} would be one column: SQLite tells no upper from lower case")]
    SameName(Box<str>, Box<str>),
    /// It cannot be read or written. No source: that says the same once more.
    #[error("{0}")]
    Sqlite(rusqlite::Error),
    /// It cannot be read.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        writer::damage(&error).map_or(Self::Sqlite(error), Self::Damaged)
    }
}

/// A database that may be written, and has not been yet.
#[derive(Debug)]
pub struct Opened {
    is_new: bool,
    connection: Connection,
    columns: Columns,
    name: String,
    lock: Option<File>,
}

/// The sink.
pub struct Database {
    options: Options,
    messages: Option<SyncSender<Message>>,
    writer: Option<JoinHandle<io::Result<()>>>,
}

impl Database {
    /// Opens a file, which may be empty, for records with the fields of `options`. It is not changed yet.
    ///
    /// # Errors
    /// It is not ours, or damaged.
    pub fn open(path: &Path, options: &Options) -> Result<Opened, Error> {
        let columns = Columns::new(options)?;
        let is_new = check(path)?;
        let connection = Connection::open(path)?;
        connection.busy_timeout(PATIENCE)?;
        if !is_new {
            let found: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
            if found != "ok" {
                return Err(Error::Damaged(found));
            }
        }
        Ok(Opened { is_new, connection, columns, name: path.to_string_lossy().into_owned(), lock: None })
    }

    fn send(&mut self, message: Message) -> io::Result<()> {
        let Some(messages) = &self.messages else { return Ok(()) };
        if apart(|| messages.send(message)).is_ok() { Ok(()) } else { self.end() }
    }

    /// Waits until all is written, or tells why it is not.
    fn end(&mut self) -> io::Result<()> {
        self.messages = None;
        let Some(writer) = self.writer.take() else { return Ok(()) };
        apart(|| writer.join()).unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

impl Opened {
    /// Whether nothing was ever written to it.
    #[must_use]
    pub fn is_new(&self) -> bool {
        self.is_new
    }

    /// Holds this handle of the file, which is [locked](super::lock), for as long as it is written. It is closed after SQLite
    /// has closed its own, whose locks go with any handle (POSIX, `fcntl`).
    pub fn hold(&mut self, lock: File) {
        self.lock = Some(lock);
    }

    /// Makes what the database lacks, and a sink that writes to it.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn start(self, options: &Options) -> io::Result<Database> {
        let Self { connection, columns, name, lock, .. } = self;
        let explain = move |error: &rusqlite::Error| writer::explain(&name, error);
        columns.prepare(&connection).map_err(|error| explain(&error))?;
        let (messages, waiting) = sync_channel(WAITING);
        let write = move || {
            let written = Writer { connection, columns }.write(&waiting);
            drop(lock);
            written.map_err(|error| explain(&error))
        };
        let writer = thread::Builder::new().name("database".into()).spawn(write)?;
        Ok(Database { options: options.clone(), messages: Some(messages), writer: Some(writer) })
    }
}

/// Whether the file is new. What is not ours is known by its first bytes (SQLite's file format, section 1.3): nothing is
/// made beside it, as SQLite would.
fn check(path: &Path) -> Result<bool, Error> {
    const MAGIC: &[u8] = b"SQLite format 3\0";
    let mut header = Vec::new();
    File::open(path)?.take(100).read_to_end(&mut header)?;
    let number =
        |at: usize| header.get(at..at + 4).map(|bytes| bytes.iter().fold(0, |n, &byte| n << 8 | u32::from(byte)));
    match (number(60), number(68)) {
        _ if header.is_empty() => Ok(true),
        (Some(version), Some(APPLICATION)) if header.starts_with(MAGIC) => {
            if version == VERSION {
                Ok(false)
            } else {
                Err(Error::Version(version))
            }
        }
        _ if header.starts_with(MAGIC) => Err(Error::Foreign),
        _ => Err(Error::NoDatabase),
    }
}

impl Sink for Database {
    fn accept(&mut self, outcome: &Outcome) -> io::Result<()> {
        let records = Record::of(outcome, &self.options.fields);
        let rows: Vec<_> = records.map(|record| cells(&record)).collect();
        let seed = outcome.trail.as_ref().map(|trail| trail.hops.first().map_or(&trail.url, |hop| &hop.url));
        let host = seed.and_then(|url| url.host_str()).map(String::from);
        let page = Page { url: outcome.target.given.clone(), host, rows };
        if page.rows.is_empty() { Ok(()) } else { self.send(Message::Page(page)) }
    }

    fn commit(&mut self) -> io::Result<()> {
        let (asked, answer) = channel();
        self.send(Message::Commit(asked))?;
        if apart(|| answer.recv()).is_ok() { Ok(()) } else { self.end() }
    }

    fn finish(mut self: Box<Self>) -> io::Result<()> {
        self.end()
    }
}

/// The keys of a record, and its fields.
fn cells(record: &Record<'_>) -> Vec<Cell> {
    let keys = COLUMNS.iter().map(|column| cell(&(column.read)(record)));
    keys.chain(record.fields().map(|(_, value)| cell(value))).collect()
}

fn cell(value: &Value<'_>) -> Cell {
    match value {
        Value::Null => Cell::Null,
        Value::Bool(truth) => Cell::Integer((*truth).into()),
        Value::Int(number) => i64::try_from(*number).map_or_else(|_| Cell::Text(number.to_string()), Cell::Integer),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(number), _) => Cell::Integer(number),
            (None, Some(number)) => Cell::Real(number),
            (None, None) => Cell::Text(number.to_string()),
        },
        Value::Json(raw) if matches!(raw.get().as_bytes(), b"null") => Cell::Null,
        _ => Cell::Text(value.to_cell().into_owned()),
    }
}
