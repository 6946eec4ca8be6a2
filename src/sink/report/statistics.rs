//! What a report counts while pages come. Its memory does not grow with their number.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::changes::Changes;
use super::hosts::Hosts;
use super::page::Page;
use super::sample::{Row, Sample, Top};
use super::site::{Site, Trace};
use super::timeline::Timeline;
use crate::histogram::Histogram;
use crate::sink::expect::Fill;

/// So many pages are in the table of all.
pub(super) const ROWS: usize = 5000;

/// So many of the slowest and of the largest are shown.
const TOP: usize = 10;

/// So many kinds of failure, and fields, are told apart: a file of records may name any.
const NAMES: usize = 200;

/// What stands for all kinds of failure beyond those.
const OTHER: &str = "other";

/// Figures of pages.
#[derive(Debug)]
pub(super) struct Statistics {
    pub(super) totals: Totals,
    pub(super) by_status: BTreeMap<u16, u64>,
    pub(super) by_kind: BTreeMap<Box<str>, Failed>,
    pub(super) latency: Histogram,
    pub(super) timeline: Timeline,
    pub(super) hosts: Hosts,
    pub(super) site: Site,
    pub(super) slowest: Top,
    pub(super) largest: Top,
    pub(super) sample: Sample,
    /// The fields of the records of pages that were fetched.
    pub(super) fills: Vec<Fill>,
    pub(super) changes: Changes,
}

/// Sums.
#[derive(Debug, Default)]
pub(super) struct Totals {
    pub(super) pages: u64,
    pub(super) fetched: u64,
    /// Pages that were tried more than once.
    pub(super) retried: u64,
    pub(super) bytes: u64,
    /// How many times the run was gone on with.
    pub(super) resumed: u64,
    /// When the first and the last page were done.
    pub(super) times: Option<(Timestamp, Timestamp)>,
}

/// Failures of a kind.
#[derive(Debug)]
pub(super) struct Failed {
    pub(super) count: u64,
    pub(super) first: Row,
}

impl Default for Statistics {
    fn default() -> Self {
        Self {
            totals: Totals::default(),
            by_status: BTreeMap::new(),
            by_kind: BTreeMap::new(),
            latency: Histogram::default(),
            timeline: Timeline::default(),
            hosts: Hosts::default(),
            site: Site::default(),
            slowest: Top::new(TOP),
            largest: Top::new(TOP),
            sample: Sample::new(ROWS),
            fills: Vec::new(),
            changes: Changes::default(),
        }
    }
}

impl Statistics {
    /// Counts a page.
    pub(super) fn add(&mut self, page: &Page<'_>) {
        self.totals.add(page);
        if let Some(status) = page.status {
            *self.by_status.entry(status).or_default() += 1;
        }
        if let Some((kind, _)) = &page.failure {
            let kind = if self.by_kind.len() < NAMES || self.by_kind.contains_key(&**kind) { kind } else { OTHER };
            let failed = self.by_kind.entry(kind.into());
            failed.or_insert_with(|| Failed { count: 0, first: Row::of(page) }).count += 1;
        }
        if let Some(latency) = page.latency() {
            self.latency.record(latency);
            self.slowest.add(u64::try_from(latency.as_millis()).unwrap_or(u64::MAX), page);
        }
        if let Some(bytes) = page.bytes {
            self.largest.add(bytes, page);
        }
        if let Some(at) = page.at {
            self.timeline.add(at, page.failure.is_none());
        }
        self.hosts.add(page);
        self.site.add(page);
        self.sample.add(page);
    }

    /// Counts what is in no record.
    pub(super) fn follow(&mut self, trace: &Trace) {
        self.totals.resumed += u64::from(trace.is_resumed);
        self.site.follow(trace);
    }

    /// Counts the fields of a record of a page that was fetched: whether each of them is blank, in the same order each time.
    pub(super) fn add_fields<'n>(&mut self, fields: impl Iterator<Item = (&'n str, bool)>) {
        for (place, (name, is_blank)) in fields.take(NAMES).enumerate() {
            if let Some(fill) = self.fill_of(name, place) {
                fill.records += 1;
                fill.filled += u64::from(!is_blank);
            }
        }
    }

    /// The count for a field, which is likely to be found at this place; none where enough fields are known already.
    fn fill_of(&mut self, name: &str, place: usize) -> Option<&mut Fill> {
        let is_it = |fill: &Fill| *fill.field == *name;
        let place = match self.fills.get(place) {
            Some(fill) if is_it(fill) => place,
            _ => self.fills.iter().position(is_it).unwrap_or(self.fills.len()),
        };
        if place == self.fills.len() && place < NAMES {
            self.fills.push(Fill { field: name.into(), filled: 0, records: 0 });
        }
        self.fills.get_mut(place)
    }
}

impl Totals {
    fn add(&mut self, page: &Page<'_>) {
        self.pages += 1;
        self.fetched += u64::from(page.failure.is_none());
        self.retried += u64::from(page.attempts > 1);
        self.bytes += page.bytes.unwrap_or(0);
        if let Some(at) = page.at {
            let (first, last) = self.times.unwrap_or((at, at));
            self.times = Some((first.min(at), last.max(at)));
        }
    }

    pub(super) fn failed(&self) -> u64 {
        self.pages - self.fetched
    }
}
