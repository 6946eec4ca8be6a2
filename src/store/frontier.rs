//! How far a crawl has come: what it came by and has no outcome of, written with the outcomes that it follows from.

use std::net::IpAddr;
use std::sync::Arc;

use rusqlite::{Connection, Row, params};
use serde_json::value::RawValue;
use url::Url;
use xxhash_rust::xxh3::xxh3_64;

use super::Error;
use crate::canonical::fingerprint;
use crate::job::{Departure, Found, Job, Link, LinkKind, Location, Outcome, Start, Target, Trail, Trust};

/// How a final outcome moves a crawl on.
#[derive(Debug)]
pub(super) struct Advance {
    /// The page that waits no more.
    done: u64,
    /// Whether it failed: then it stays, for a run that tries failures again.
    has_failed: bool,
    /// What was asked for on the way and has no row of a page: it is not asked for again.
    passed: Vec<u64>,
    leads: Option<Leads>,
}

/// The pages that became jobs.
#[derive(Debug)]
struct Leads {
    departure: Departure,
    depth: u32,
    at: Location,
    input: Option<Arc<RawValue>>,
    links: Vec<Link>,
}

impl Advance {
    /// What follows from an outcome; `has_row` tells whether it is written as that of a page, and `checks` whether each link is
    /// asked for by itself, though a redirect has led there.
    pub(super) fn of(outcome: &Outcome, (has_row, checks): (bool, bool)) -> Option<Self> {
        let trail = outcome.trail.as_ref()?;
        let first = trail.first_url();
        let is_there = trail.hops.iter().skip(1).map(|hop| &hop.url).chain((first != &trail.url).then_some(&trail.url));
        let is_there = is_there.filter(|_| !checks);
        let passed = is_there.chain((!has_row).then_some(first)).map(fingerprint).collect();
        // What sitemaps list is found again, by asking for them again.
        let is_lead = |link: &&Link| link.is_admitted && matches!(link.kind, LinkKind::Crawled | LinkKind::Checked);
        let links: Vec<_> = outcome.links.iter().filter(is_lead).cloned().collect();
        let Target { at, input, .. } = outcome.target.clone();
        let leads = Leads { departure: trail.departure(), depth: trail.depth(), at, input, links };
        let has_failed = outcome.failure().is_some();
        let leads = (!leads.links.is_empty()).then_some(leads);
        Some(Self { done: fingerprint(first), has_failed, passed, leads })
    }

    /// How many rows it has, about.
    pub(super) fn len(&self) -> usize {
        self.leads.as_ref().map_or(0, |leads| leads.links.len())
    }

    /// Writes it.
    pub(super) fn write(&self, connection: &Connection) -> Result<(), Error> {
        let done = if self.has_failed {
            "UPDATE frontier SET has_failed = 1 WHERE key = ?"
        } else {
            "DELETE FROM frontier WHERE key = ?"
        };
        connection.prepare_cached(done)?.execute([self.done.cast_signed()])?;
        for key in &self.passed {
            connection
                .prepare_cached("INSERT OR IGNORE INTO passed (key, has_failed) VALUES (?, ?)")?
                .execute(params![key.cast_signed(), self.has_failed])?;
        }
        self.leads.iter().try_for_each(|leads| leads.write(connection))
    }
}

impl Leads {
    fn write(&self, connection: &Connection) -> Result<(), Error> {
        let start = self.write_start(connection)?;
        connection
            .prepare_cached("INSERT INTO departures (page, start) VALUES (?, ?)")?
            .execute(params![self.departure.page.as_str(), start])?;
        let departure = connection.last_insert_rowid();
        let mut statement = connection.prepare_cached(
            "INSERT OR IGNORE INTO frontier (key, url, departure, depth, kind, chosen_by)
             VALUES (?, ?, ?, ?, ?, ?)",
        )?;
        for link in &self.links {
            let kind = if link.kind == LinkKind::Checked { "checked" } else { "crawled" };
            let chosen_by = match link.trust {
                Trust::Typed => None,
                Trust::Chosen { by } => Some(by.map(|by| by.to_string()).unwrap_or_default()),
            };
            let depth = self.depth + 1;
            let key = fingerprint(&link.url).cast_signed();
            statement.execute(params![key, link.url.as_str(), departure, depth, kind, chosen_by])?;
        }
        Ok(())
    }

    fn write_start(&self, connection: &Connection) -> Result<i64, Error> {
        let Start { seed, landed } = &*self.departure.start;
        let (file, line) = (self.at.file.as_deref(), self.at.line);
        let input = self.input.as_deref().map(RawValue::get);
        let hash = xxh3_64(format!("{seed} {landed} {line} {file:?} {input:?}").as_bytes());
        let mut statement = connection.prepare_cached(
            "INSERT INTO starts (hash, seed, landed, file, line, input) VALUES (?, ?, ?, ?, ?, ?)
             ON CONFLICT (hash) DO UPDATE SET hash = hash RETURNING id",
        )?;
        let values = params![hash.cast_signed(), seed.as_str(), landed.as_str(), file, line.cast_signed(), input];
        Ok(statement.query_row(values, |row| row.get(0))?)
    }
}

/// Whether pages wait.
pub(super) fn is_any_waiting(connection: &Connection) -> Result<bool, Error> {
    Ok(connection.query_row("SELECT EXISTS (SELECT 1 FROM frontier WHERE NOT has_failed)", [], |row| row.get(0))?)
}

/// Forgets how far a crawl has come.
pub(super) fn clear(connection: &Connection) -> Result<(), Error> {
    Ok(connection
        .execute_batch("DELETE FROM frontier; DELETE FROM departures; DELETE FROM starts; DELETE FROM passed;")?)
}

/// Forgets how far a crawl has come that has come to its end, but for what its failures come from.
pub(super) fn tidy(connection: &Connection) -> Result<(), Error> {
    Ok(connection.execute_batch(
        "DELETE FROM departures WHERE id NOT IN (SELECT departure FROM frontier);
         DELETE FROM starts WHERE id NOT IN (SELECT start FROM departures);
         DELETE FROM passed WHERE NOT EXISTS (SELECT 1 FROM frontier);",
    )?)
}

/// Has the pages that failed wait again.
pub(super) fn take_back(connection: &Connection) -> Result<(), Error> {
    Ok(connection
        .execute_batch("UPDATE frontier SET has_failed = 0 WHERE has_failed; DELETE FROM passed WHERE has_failed;")?)
}

/// Calls `know` with the fingerprint of each URL that was asked for and has no row of a page.
pub(super) fn for_each_passed(connection: &Connection, mut know: impl FnMut(u64)) -> Result<(), Error> {
    let mut statement = connection.prepare("SELECT key FROM passed")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        know(row.get::<_, i64>(0)?.cast_unsigned());
    }
    Ok(())
}

/// The first of the numbers of seeds that are not read in this run.
const BEYOND: u64 = 1 << 63;

/// Calls `readmit` with each page that waits, in the order in which they were found. Their seeds are numbered beyond those
/// of the list, and credentials are not known.
pub(super) fn for_each_waiting(connection: &Connection, mut readmit: impl FnMut(&Job)) -> Result<(), Error> {
    let mut statement = connection.prepare(
        "SELECT frontier.url, depth, kind, chosen_by, departure, page, start, seed, landed, file, line, input
         FROM frontier JOIN departures ON departures.id = departure JOIN starts ON starts.id = start
         WHERE NOT has_failed ORDER BY frontier.id",
    )?;
    let mut rows = statement.query([])?;
    let mut last: Option<(i64, Departure, Target)> = None;
    while let Some(row) = rows.next()? {
        let number: i64 = row.get(4)?;
        if last.as_ref().is_none_or(|&(last, ..)| last != number) {
            let (departure, target) = read_departure(row, last.as_ref())?;
            last = Some((number, departure, target));
        }
        if let Some((_, departure, target)) = &last {
            readmit(&read_job(row, departure.clone(), target.clone())?);
        }
    }
    Ok(())
}

/// Reads where a page comes from, with as much of the one before as is the same.
fn read_departure(row: &Row<'_>, last: Option<&(i64, Departure, Target)>) -> Result<(Departure, Target), Error> {
    let (page, id) = (Arc::new(read_url(row, 5)?), BEYOND + row.get::<_, i64>(6)?.cast_unsigned());
    if let Some((_, departure, target)) = last.filter(|(.., target)| target.id == id) {
        return Ok((Departure { start: Arc::clone(&departure.start), page }, target.clone()));
    }
    let start = Arc::new(Start { seed: read_url(row, 7)?, landed: read_url(row, 8)? });
    let file: Option<String> = row.get(9)?;
    let at = Location { file: file.map(Arc::from), line: row.get::<_, i64>(10)?.cast_unsigned() };
    let input: Option<String> = row.get(11)?;
    let input = input.map(RawValue::from_string).transpose().map_err(|error| damaged(&error))?.map(Arc::from);
    Ok((Departure { start, page }, Target { id, given: "".into(), at, input }))
}

fn read_job(row: &Row<'_>, from: Departure, target: Target) -> Result<Job, Error> {
    let url = read_url(row, 0)?;
    let is_checked = row.get_ref(2)?.as_str().unwrap_or_default() == "checked";
    let kind = if is_checked { LinkKind::Checked } else { LinkKind::Crawled };
    let chosen_by: Option<String> = row.get(3)?;
    let trust = match chosen_by.as_deref() {
        None => Trust::Typed,
        Some("") => Trust::Chosen { by: None },
        Some(address) => Trust::Chosen { by: Some(address.parse::<IpAddr>().map_err(|error| damaged(&error))?) },
    };
    let target = Target { given: url.as_str().into(), ..target };
    Ok(Job { target, trail: Trail::to_found(url, trust, Found::new(from, kind, row.get(1)?)) })
}

fn read_url(row: &Row<'_>, column: usize) -> Result<Url, Error> {
    Url::parse(row.get_ref(column)?.as_str().unwrap_or_default()).map_err(|error| damaged(&error))
}

fn damaged(error: &dyn std::error::Error) -> Error {
    Error::Damaged(format!("a page to come is none ({error})"))
}
