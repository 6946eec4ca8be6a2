//! The file: made, known by its head, or refused.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};
use url::Url;

/// What a file of ours says of itself: `application_id` and `user_version`.
const APPLICATION: u32 = 0x7363_7270;
/// What makes the tables of each version of those of the one before. An older file is brought up to date, a newer one is
/// refused.
const STEPS: [&str; VERSION as usize] = [TABLES, ANSWERS, OUTBOX, FRONTIER, SIFTING, NOTES];
/// The version of the tables.
const VERSION: u32 = 6;

/// How many pages of the file its log may have: 16 MB. Most runs then bring it into the file at their end, and only then.
const LOG: u32 = 4096;

/// The size and the parts of the head of a SQLite file (its file format, section 1.3).
const HEAD: usize = 100;
/// What every SQLite file begins with.
pub const MAGIC: &[u8; 16] = b"SQLite format 3\0";
const USER_VERSION: usize = 60;
const APPLICATION_ID: usize = 68;

const TABLES: &str = "
    -- what was asked for; names: those of a version's values, as a JSON list
    CREATE TABLE extractions (id INTEGER PRIMARY KEY, fingerprint INTEGER NOT NULL UNIQUE, names TEXT NOT NULL);
    -- times are milliseconds since 1970; is_whole: it came to the end of its list
    CREATE TABLE runs (
        id INTEGER PRIMARY KEY, started INTEGER NOT NULL, extraction INTEGER NOT NULL,
        is_whole INTEGER NOT NULL DEFAULT 0
    );
    -- the files of the last run, and how far each holds the pages that are done in it
    CREATE TABLE outputs (path TEXT PRIMARY KEY, position INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE pages (
        id INTEGER PRIMARY KEY,
        key INTEGER NOT NULL UNIQUE,          -- XXH3 of the URL without its fragment
        url TEXT NOT NULL,
        final_url TEXT,                       -- where the version came from, if not from there
        run INTEGER NOT NULL,                 -- the last one in which it was done
        seen INTEGER NOT NULL,                -- when it was asked for last
        status INTEGER,
        failure TEXT,                         -- the kind, if it did not count as fetched
        failures INTEGER NOT NULL DEFAULT 0,  -- in how many runs in a row
        etag TEXT, last_modified TEXT,
        extraction INTEGER,                   -- of the last version; null: there is none
        hash INTEGER                          -- of the last version; null: it is gone
    );
    -- content: [title, [[value, ...], ...]] as JSON, if long then compressed by zstd; null: gone
    CREATE TABLE versions (
        id INTEGER PRIMARY KEY, page INTEGER NOT NULL, run INTEGER NOT NULL, at INTEGER NOT NULL,
        status INTEGER, extraction INTEGER NOT NULL, content
    );
    CREATE INDEX versions_of_page ON versions (page);
";

const ANSWERS: &str = "
    -- the last answers of pages, where they are kept
    CREATE TABLE answers (
        id INTEGER PRIMARY KEY,
        key INTEGER NOT NULL UNIQUE,  -- as that of pages
        given TEXT NOT NULL,          -- the URL as the list has it
        input TEXT,                   -- what else its line carried, as JSON
        url TEXT NOT NULL,            -- that answered
        hops TEXT NOT NULL,           -- the redirects before: [[status, url], ...] as JSON
        attempt INTEGER NOT NULL, spent INTEGER NOT NULL, at INTEGER NOT NULL, -- times are milliseconds
        head BLOB NOT NULL,           -- status and header fields, as HTTP/1.1 has them
        body INTEGER NOT NULL
    );
    CREATE INDEX answers_of_body ON answers (body);
    -- digest: SHA-256; content: content codings undone, compressed by zstd
    CREATE TABLE bodies (id INTEGER PRIMARY KEY, digest BLOB NOT NULL UNIQUE, content BLOB NOT NULL);
";

const OUTBOX: &str = "
    -- records that have not been delivered yet, as JSON; part: those that one process has kept
    CREATE TABLE outbox (id INTEGER PRIMARY KEY AUTOINCREMENT, part INTEGER NOT NULL, record TEXT NOT NULL);
";

const FRONTIER: &str = "
    -- what the pages that one seed leads to have in common; hash: of all the rest
    CREATE TABLE starts (
        id INTEGER PRIMARY KEY, hash INTEGER NOT NULL UNIQUE, seed TEXT NOT NULL, landed TEXT NOT NULL,
        file TEXT, line INTEGER NOT NULL, input TEXT
    );
    -- pages that lead on
    CREATE TABLE departures (id INTEGER PRIMARY KEY, page TEXT NOT NULL, start INTEGER NOT NULL);
    -- pages that a crawl came by and has no outcome of; chosen_by: the address that named it, if known; null: the user
    CREATE TABLE frontier (
        id INTEGER PRIMARY KEY, key INTEGER NOT NULL UNIQUE, url TEXT NOT NULL, departure INTEGER NOT NULL,
        depth INTEGER NOT NULL, kind TEXT NOT NULL, chosen_by TEXT
    );
    -- the keys of URLs that a crawl has asked for and that are no pages
    CREATE TABLE passed (key INTEGER PRIMARY KEY);
";

const SIFTING: &str = "
    -- whether the file beside it (NAME.resuming), of which all stands, is to take its place
    ALTER TABLE outputs ADD COLUMN is_sifted INTEGER NOT NULL DEFAULT 0;
    -- whether its outcome was a failure: it waits for a run that tries those again
    ALTER TABLE frontier ADD COLUMN has_failed INTEGER NOT NULL DEFAULT 0;
    -- whether it was asked for on the way to such a page
    ALTER TABLE passed ADD COLUMN has_failed INTEGER NOT NULL DEFAULT 0;
";

const NOTES: &str = "
    -- what those who check links have to know of the pages that are done in the last run: lines, compressed by zstd;
    -- null: what has failed before it is tried again
    CREATE TABLE notes (id INTEGER PRIMARY KEY, content BLOB);
    -- whether it checks links, and has such notes
    ALTER TABLE runs ADD COLUMN checks INTEGER NOT NULL DEFAULT 0;
";

/// Why a file cannot serve as a state. It is as it was.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is something else in it.
    #[error("it is no state of scrape, but {0}")]
    Foreign(&'static str),
    /// It was written by a later version of this program.
    #[error("its version is {0}, and this program knows none above {VERSION}")]
    Newer(u32),
    /// It was ours, but something has destroyed a part of it.
    #[error("it is damaged: {0}")]
    Damaged(String),
    /// It keeps no pages.
    #[error("it is a state that keeps no pages, as one of a run with --keep-bodies does")]
    Bare,
    /// Another run has it open.
    #[error("another run is using it")]
    Busy,
    /// This file is to be gone on with, and no run that it knows wrote what is in there.
    #[error("it knows nothing of what is in {}", .0.display())]
    Unknown(PathBuf),
    /// It was written for something else than what is asked for now.
    #[error("{0}")]
    Mismatch(String),
    /// It cannot be read or written.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// SQLite cannot read or write it. No source: that says the same once more.
    #[error("{}", explain(.0))]
    Sqlite(rusqlite::Error),
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
        match error.sqlite_error_code() {
            Some(DatabaseCorrupt | NotADatabase) => Self::Damaged(error.to_string()),
            _ => Self::Sqlite(error),
        }
    }
}

/// What SQLite's error means.
fn explain(error: &rusqlite::Error) -> String {
    use rusqlite::ErrorCode::{CannotOpen, DiskFull, ReadOnly, SystemIoFailure};
    match error.sqlite_error_code() {
        Some(DiskFull) => "the disk is full".into(),
        Some(ReadOnly) => "it, or its folder, may not be written to".into(),
        Some(CannotOpen) => "it, or a file beside it (-wal, -shm), cannot be opened".into(),
        Some(SystemIoFailure) => format!("the disk fails: {error}"),
        _ => error.to_string(),
    }
}

impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::Io(error) => error,
            Error::Sqlite(inner) if inner.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull) => {
                Self::new(ErrorKind::StorageFull, explain(&inner))
            }
            error => Self::other(error),
        }
    }
}

/// Opens a state for a run, or makes it. The lock holds until the file that comes along is closed, which must not be before
/// the connections are: closing any handle of a file gives up SQLite's own locks on it.
pub(crate) fn open(path: &Path) -> Result<(Connection, File), Error> {
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
    if let Err(TryLockError::WouldBlock) = file.try_lock() {
        return Err(Error::Busy);
    }
    judge(&file)?;
    let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    // A run that was killed may have left an empty file, or a making that SQLite has just undone: then this is 0.
    let version: u32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    make(&connection, STEPS.get(version as usize..).unwrap_or_default())?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    // A commit waits for no disk: see the module's words on what a loss of power may take.
    connection.pragma_update(None, "synchronous", "normal")?;
    connection.pragma_update(None, "cache_size", -16_384)?;
    connection.pragma_update(None, "wal_autocheckpoint", LOG)?;
    Ok((connection, file))
}

/// Opens a state that is there, for reading alone.
pub(crate) fn open_to_read(path: &Path) -> Result<Connection, Error> {
    let mut file = File::open(path)?;
    if judge(&mut file)? == Head::Empty {
        return Err(Error::Foreign("an empty file"));
    }
    let has_log = has_log(path);
    let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    match connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(())).map_err(Error::from) {
        Err(Error::Sqlite(error)) if !has_log && wants_more_files(&error) => connect_unchanging(path),
        read => read.map(|()| connection),
    }
}

/// Whether SQLite would have to make files beside it: it reads none of our states without (its WAL format, section 2.2).
fn wants_more_files(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{CannotOpen, ReadOnly};
    matches!(error.sqlite_error_code(), Some(CannotOpen | ReadOnly))
}

/// Whether some of it is not in the file itself.
fn has_log(path: &Path) -> bool {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    Path::new(&log).try_exists().unwrap_or(true)
}

/// Opens a state, for reading alone, in a folder that may not be written to: as a file that nobody changes (SQLite's URI
/// filenames, `immutable`). Who may write there and begins a run meanwhile changes it at its first checkpoint.
fn connect_unchanging(path: &Path) -> Result<Connection, Error> {
    let path = std::path::absolute(path)?;
    let mut uri = Url::from_file_path(&path).map_err(|()| io::Error::from(ErrorKind::InvalidInput))?;
    uri.set_query(Some("immutable=1"));
    connect(Path::new(uri.as_str()), OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI)
}

/// Opens one more connection to a state that is open already.
pub(crate) fn connect(path: &Path, access: OpenFlags) -> Result<Connection, Error> {
    let connection = Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    connection.set_prepared_statement_cache_capacity(32);
    Ok(connection)
}

/// Makes the tables by the steps that are left, at once or not at all.
fn make(connection: &Connection, steps: &[&str]) -> Result<(), Error> {
    if steps.is_empty() {
        return Ok(());
    }
    connection.execute_batch(&format!(
        "BEGIN IMMEDIATE; {} PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {VERSION}; COMMIT;",
        steps.concat()
    ))?;
    Ok(())
}

/// What the head of a file tells.
#[derive(Debug, PartialEq, Eq)]
enum Head {
    Empty,
    Ours,
}

/// Reads the head by itself: SQLite might write to a file that it opens.
fn judge(file: impl Read) -> Result<Head, Error> {
    let mut head = Vec::new();
    match file.take(HEAD as u64).read_to_end(&mut head) {
        Err(error) if error.kind() == ErrorKind::IsADirectory => return Err(Error::Foreign("a folder")),
        read => read?,
    };
    let number = |at: usize| head.get(at..at + 4).and_then(|bytes| bytes.try_into().ok()).map(u32::from_be_bytes);
    match (head.len(), number(APPLICATION_ID), number(USER_VERSION)) {
        (0, ..) => Ok(Head::Empty),
        _ if !head.starts_with(MAGIC) => Err(Error::Foreign("a file of another kind")),
        (HEAD, Some(APPLICATION), Some(version)) if version > VERSION => Err(Error::Newer(version)),
        (HEAD, Some(APPLICATION), _) => Ok(Head::Ours),
        (HEAD, ..) => Err(Error::Foreign("another program's database")),
        _ => Err(Error::Foreign("a database that was cut off")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(application: u32, version: u32) -> Vec<u8> {
        let mut head = [&MAGIC[..], &[0; HEAD - MAGIC.len()]].concat();
        head[USER_VERSION..][..4].copy_from_slice(&version.to_be_bytes());
        head[APPLICATION_ID..][..4].copy_from_slice(&application.to_be_bytes());
        head
    }

    #[test]
    fn a_file_is_known_by_its_head() {
        assert_eq!(judge(&[][..]).unwrap(), Head::Empty);
        assert_eq!(judge(&*head(APPLICATION, VERSION)).unwrap(), Head::Ours);
        assert!(
            matches!(judge(&*head(APPLICATION, VERSION + 1)), Err(Error::Newer(version)) if version == VERSION + 1)
        );
        for other in [&head(7, VERSION)[..], &head(APPLICATION, VERSION)[..99], b"url\n", MAGIC] {
            assert!(matches!(judge(other), Err(Error::Foreign(_))), "{other:?}");
        }
    }

    #[test]
    fn an_error_of_sqlite_says_its_words_once() {
        use std::error::Error as _;

        use rusqlite::ffi;
        for (code, words) in [
            (ffi::SQLITE_CORRUPT, "it is damaged: words"),
            (ffi::SQLITE_NOTADB, "it is damaged: words"),
            (ffi::SQLITE_FULL, "the disk is full"),
            (ffi::SQLITE_IOERR, "the disk fails: words"),
            (ffi::SQLITE_READONLY, "it, or its folder, may not be written to"),
            (ffi::SQLITE_BUSY, "words"),
        ] {
            let error = rusqlite::Error::SqliteFailure(ffi::Error::new(code), Some("words".into()));
            let error = Error::from(error);
            assert_eq!((error.to_string().as_str(), error.source().is_none()), (words, true));
        }
    }

    #[test]
    fn each_older_version_is_brought_up_to_date() {
        let tables = |connection: &Connection| {
            let mut statement = connection.prepare("SELECT sql FROM sqlite_schema ORDER BY name").unwrap();
            let rows = statement.query_map([], |row| row.get::<_, Option<String>>(0)).unwrap();
            rows.collect::<Result<Vec<_>, _>>().unwrap()
        };
        let folder = tempfile::tempdir().unwrap();
        let (made, _lock) = open(&folder.path().join("new.db")).unwrap();
        for (version, steps) in (1..).zip((1..=STEPS.len()).map(|count| STEPS[..count].concat())) {
            let path = folder.path().join(format!("{version}.db"));
            Connection::open(&path)
                .unwrap()
                .execute_batch(&format!(
                    "{steps} PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {version};
                     INSERT INTO runs (started, extraction) VALUES (7, 1);"
                ))
                .unwrap();
            let (connection, _lock) = open(&path).unwrap();
            assert_eq!(tables(&connection), tables(&made), "version {version}");
            let number = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, u32>(0)).unwrap();
            assert_eq!((number("SELECT started FROM runs"), number("PRAGMA user_version")), (7, VERSION));
        }
    }

    #[test]
    fn a_state_is_read_where_no_file_can_be_made_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("50% of ?a=b#c d.db");
        let (connection, lock) = open(&path).unwrap();
        connection.execute("INSERT INTO runs (started, extraction) VALUES (7, 1)", []).unwrap();
        drop((connection, lock));
        let beside = |end: &str| folder.path().join(format!("50% of ?a=b#c d.db{end}"));
        // SQLite follows no link there, whoever asks for it.
        std::os::unix::fs::symlink("nowhere", beside("-shm")).unwrap();
        let started = |connection: &Connection| connection.query_row("SELECT started FROM runs", [], |row| row.get(0));
        let connection = open_to_read(&path).unwrap();
        assert_eq!(started(&connection), Ok(7_i64));
        assert!(connection.execute("DELETE FROM runs", []).is_err());
        // What is in its log would be missing.
        std::fs::write(beside("-wal"), "x").unwrap();
        assert!(matches!(open_to_read(&path), Err(Error::Sqlite(_))));
    }

    #[test]
    fn what_is_made_is_known_again_and_sound() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.db");
        for _ in 0..2 {
            let (connection, _lock) = open(&path).unwrap();
            let sound: String = connection.pragma_query_value(None, "integrity_check", |row| row.get(0)).unwrap();
            assert_eq!(sound, "ok");
            assert!(matches!(open(&path), Err(Error::Busy)));
        }
        open_to_read(&path).unwrap();
    }
}
