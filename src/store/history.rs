//! What a state tells people: the versions of pages, and how each differs from the one before.

use std::collections::hash_map::{Entry, HashMap};
use std::io::{self, ErrorKind};
use std::path::Path;

use jiff::Timestamp;
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde_json::value::RawValue;
use url::Url;

use super::Error;
use super::changes::{Difference, compare};
use super::lookup::unpack;
use super::shape::Content;
use crate::canonical::fingerprint;
use crate::record::Change;
use crate::state;

/// A version of a page, and what it is to the one before. A page that is gone is one without values.
#[derive(Clone, Debug)]
pub struct Event {
    /// The URL that the list named.
    pub url: String,
    /// When it was seen first.
    pub at: Timestamp,
    /// What became of the page then.
    pub change: Change,
    /// The status of the answer.
    pub status: Option<u16>,
    /// The fields that differ from the version before, where there is one with the same fields.
    pub differences: Vec<Difference>,
    /// All values by name, as JSON.
    pub values: Vec<(String, Box<RawValue>)>,
}

/// Which events are wanted.
#[derive(Clone, Copy, Debug)]
pub enum Which {
    /// Those since then.
    Since(Timestamp),
    /// Those of the last run.
    LastRun,
    /// All.
    All,
}

/// A state, open for reading. A run may go on meanwhile.
pub struct History {
    pub(super) connection: Connection,
}

/// A version as it stands in the file.
struct Version {
    id: i64,
    page: i64,
    event: Event,
    extraction: i64,
    content: Option<Content>,
}

impl History {
    /// Opens the state at `path`.
    ///
    /// # Errors
    /// It cannot be opened, or is no state.
    pub fn open(path: &Path) -> Result<Self, Error> {
        Ok(Self { connection: state::open_to_read(path)? })
    }

    /// Whether the page was ever asked for.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn has(&self, url: &Url) -> Result<bool, Error> {
        Ok(self.page(url)?.is_some())
    }

    /// Calls `tell` with the events of one page, or of all pages, the oldest first.
    ///
    /// # Errors
    /// The state cannot be read, or what `tell` returns.
    pub fn events(
        &self,
        url: Option<&Url>,
        which: Which,
        mut tell: impl FnMut(&Event) -> io::Result<()>,
    ) -> Result<(), Error> {
        let page = url.map(|url| self.page(url)).transpose()?;
        let (since, run) = match which {
            Which::Since(since) => (Some(since.as_millisecond()), None),
            Which::LastRun => (None, self.last_run()?),
            Which::All => (None, None),
        };
        let mut names = Names::default();
        let mut statement = self.connection.prepare(
            "SELECT versions.id, page, at, versions.status, versions.extraction, content, url
             FROM versions JOIN pages ON pages.id = page
             WHERE (?1 IS NULL OR page = ?1) AND (?2 IS NULL OR at >= ?2) AND (?3 IS NULL OR versions.run = ?3)
             ORDER BY versions.id",
        )?;
        let mut rows = statement.query(params![page.map(|page| page.unwrap_or(-1)), since, run])?;
        while let Some(row) = rows.next()? {
            let version = Version::read(row)?;
            let names = names.of(version.extraction, self)?;
            tell(&self.complete(version, names)?)?;
        }
        Ok(())
    }

    fn page(&self, url: &Url) -> Result<Option<i64>, Error> {
        let key = fingerprint(url).cast_signed();
        Ok(self.connection.query_row("SELECT id FROM pages WHERE key = ?", [key], |row| row.get(0)).optional()?)
    }

    fn last_run(&self) -> Result<Option<i64>, Error> {
        Ok(self.connection.query_row("SELECT max(id) FROM runs", [], |row| row.get(0))?)
    }

    /// The event that a version is, by what stands before it.
    fn complete(&self, version: Version, names: &[Box<str>]) -> Result<Event, Error> {
        let mut statement = self.connection.prepare_cached(
            "SELECT extraction, content FROM versions WHERE page = ? AND id < ? ORDER BY id DESC LIMIT 2",
        )?;
        let before = statement.query_map([version.page, version.id], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let before: Vec<(i64, Value)> = before.collect::<Result<_, _>>()?;
        let Version { event, extraction, content, .. } = version;
        let Some(content) = content else { return Ok(Event { change: Change::Gone, ..event }) };
        let change = match before.first() {
            None => Change::New,
            Some((_, Value::Null)) => Change::Back,
            Some(&(other, _)) if other != extraction => Change::New,
            Some(_) => Change::Changed,
        };
        let old = before.into_iter().find(|(_, content)| *content != Value::Null);
        let old = old.filter(|&(other, _)| other == extraction).map(|(_, content)| unpack(content)).transpose()?;
        let differences = old.map_or_else(Vec::new, |old| compare(&old, &content, names));
        Ok(Event { change, differences, values: content.values(names), ..event })
    }
}

/// The names of values, by what was asked for.
#[derive(Default)]
pub(super) struct Names(HashMap<i64, Vec<Box<str>>>);

impl Names {
    pub(super) fn of(&mut self, extraction: i64, history: &History) -> Result<&[Box<str>], Error> {
        let new = match self.0.entry(extraction) {
            Entry::Occupied(known) => return Ok(known.into_mut()),
            Entry::Vacant(new) => new,
        };
        let mut statement = history.connection.prepare_cached("SELECT names FROM extractions WHERE id = ?")?;
        let names: String = statement.query_row([extraction], |row| row.get(0))?;
        let names = serde_json::from_str(&names);
        Ok(new.insert(names.map_err(|error| Error::Damaged(format!("its names are no names ({error})")))?))
    }
}

impl Version {
    fn read(row: &Row<'_>) -> Result<Self, Error> {
        let at = Timestamp::from_millisecond(row.get(2)?);
        let content: Value = row.get(5)?;
        let event = Event {
            url: row.get(6)?,
            at: at.map_err(|error| Error::Io(io::Error::new(ErrorKind::InvalidData, error)))?,
            change: Change::New,
            status: row.get(3)?,
            differences: Vec::new(),
            values: Vec::new(),
        };
        let content = if content == Value::Null { None } else { Some(unpack(content)?) };
        Ok(Self { id: row.get(0)?, page: row.get(1)?, event, extraction: row.get(4)?, content })
    }
}
