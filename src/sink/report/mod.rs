//! One page of HTML that tells a person what came of a run. It needs no network, and is whole without its script, which sorts
//! and filters tables.
//!
//! What was decided:
//! - The figures are those of records: the same, whether they come from the run itself or from its JSON Lines later. Times are
//!   whole milliseconds, of the last attempt; a page is what one or several records with the same `url`, `source` and
//!   `fetched_at` are of that stand one behind the other.
//! - How long answers took is told of those that came, also where they are failures (a 404); requests without an answer would
//!   tell of our time limits.
//! - A host is throttled where it answers a last attempt by 429 or 503, and given up where it was not asked for a page, as it
//!   could not be reached. What a run did about the answers between is not in records.
//! - Of a crawl there is a map of the site, too.
//! - Where a state has to know how far a run has come, what the report takes of it is written to a file of lines, and read back
//!   by whoever goes on with the run: what an earlier part did is told of as what the last one did. It says how many parts
//!   there were; its times run from the first page to the last, with what lay between.
//! - What changed is what the fields `change` and `diff` tell. A state tells of its last run, and of all pages that it knows as
//!   they were when they were asked for last; of their times and sizes it knows nothing.
//! - Memory has a bound: times are [counted](crate::histogram::Histogram), the first 1000 hosts are told apart and 50 shown,
//!   and of more than 5000 pages there is a uniform sample; of pages that changed, the first 500 are shown.
//! - Whatever a page or a list says is text: escaped, neutralised as on a terminal, isolated (`bdi`, UAX #9), and linked only if
//!   it is of http or https. A Content-Security-Policy lets our style and our script through by their hashes, and nothing else.

mod changes;
mod chart;
mod hosts;
mod journal;
mod page;
mod read;
mod render;
mod sample;
mod site;
mod statistics;
#[cfg(test)]
mod tests;
mod timeline;
mod view;

use std::io::{self, BufRead};
use std::sync::Arc;

use self::journal::Journal;
use self::site::Trace;
use self::statistics::Statistics;
use super::{Compression, Lines};
use crate::engine::Sink;
use crate::job::{End, Outcome};
use crate::record::{Change, Record};

pub use self::page::{Page, Way};
pub use self::read::Error;

/// The figures of a report. Their memory does not grow with the number of pages.
#[derive(Debug, Default)]
pub struct Survey(Statistics);

impl Survey {
    /// Counts a final outcome of a run that asked for these fields.
    pub fn add(&mut self, outcome: &Outcome, fields: &[Box<str>]) {
        let trace = self.0.site.trace(outcome);
        self.take(outcome, fields, &trace);
    }

    /// Counts a final outcome, which leaves that trace.
    fn take(&mut self, outcome: &Outcome, fields: &[Box<str>], trace: &Trace) {
        self.0.follow(trace);
        if !outcome.is_record() && !matches!(outcome.end, End::Unchanged) {
            return;
        }
        let page = Page::of(outcome);
        for record in Record::of(outcome, fields).filter(|_| page.failure.is_none()) {
            self.0.add_fields(record.fields().map(|(name, value)| (name, value.is_blank())));
        }
        if let Some(first) = Record::of(outcome, fields).next() {
            self.0.changes.note(&page, first.fields());
        }
        self.0.add(&page);
    }

    /// Counts a page, and for each field of each of its records whether that is blank.
    pub fn add_page<'n, R>(&mut self, page: &Page<'_>, records: impl Iterator<Item = R>)
    where
        R: Iterator<Item = (&'n str, bool)>,
    {
        records.for_each(|fields| self.0.add_fields(fields));
        self.0.add(page);
    }

    /// Counts a page that changed: each field that differs, with what it was and what it is, as JSON.
    pub fn add_change<'n>(
        &mut self,
        page: &Page<'_>,
        change: Change,
        differences: impl Iterator<Item = (&'n str, (String, String))>,
    ) {
        self.0.changes.add(page, change, differences);
    }

    /// Counts the records of a run: JSON Lines, compressed or not; or what a [report](Report::kept_in) has written of it.
    ///
    /// # Errors
    /// See [`Error`]. What stands before the line that is wrong has been counted.
    pub fn read(&mut self, records: impl BufRead, compression: Compression) -> Result<(), Error> {
        read::read(compression.reader(records)?, &mut self.0)
    }

    /// The page.
    ///
    /// # Errors
    /// There is a bug in its template.
    pub fn to_html(&self) -> io::Result<String> {
        render::render(&self.0)
    }
}

/// Does something with the page of a report.
type Deliver = Box<dyn FnOnce(&str) -> io::Result<()> + Send>;

/// The sink of a report.
pub struct Report {
    survey: Survey,
    fields: Arc<[Box<str>]>,
    journal: Option<Journal>,
    /// Whether the run is gone on with, and nothing has come of that yet.
    is_resumed: bool,
    deliver: Deliver,
}

impl Report {
    /// A report on a run that asks for these fields. At the end, however it comes, `deliver` gets the page.
    pub fn new(fields: Arc<[Box<str>]>, deliver: impl FnOnce(&str) -> io::Result<()> + Send + 'static) -> Self {
        let deliver = Box::new(deliver);
        Self { survey: Survey::default(), fields, journal: None, is_resumed: false, deliver }
    }

    /// The same, with what it takes of the run written as lines, from which it can be [read](Survey::read) back.
    #[must_use]
    pub fn kept_in(self, lines: Lines) -> Self {
        Self { journal: Some(Journal::new(lines, Arc::clone(&self.fields))), ..self }
    }

    /// The same, of a run that is gone on with: of its parts before, that is known.
    #[must_use]
    pub fn behind(self, earlier: Option<Survey>) -> Self {
        Self { is_resumed: earlier.is_some(), survey: earlier.unwrap_or_default(), ..self }
    }
}

impl Sink for Report {
    fn accept(&mut self, outcome: &Outcome) -> io::Result<()> {
        let mut trace = self.survey.0.site.trace(outcome);
        trace.is_resumed = std::mem::take(&mut self.is_resumed);
        self.survey.take(outcome, &self.fields, &trace);
        self.journal.as_mut().map_or(Ok(()), |journal| journal.add(outcome, &trace))
    }

    fn idle(&mut self) -> io::Result<()> {
        self.journal.as_mut().map_or(Ok(()), Journal::flush)
    }

    fn commit(&mut self) -> io::Result<()> {
        self.journal.as_mut().map_or(Ok(()), Journal::part)
    }

    fn finish(self: Box<Self>) -> io::Result<()> {
        let kept = self.journal.map_or(Ok(()), |mut journal| journal.finish());
        kept.and((self.deliver)(&self.survey.to_html()?))
    }
}
