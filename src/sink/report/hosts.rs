//! What came of each host, for as many of them as memory allows.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::page::Page;
use crate::histogram::Histogram;

/// So many hosts are told apart, those that come first. A few kilobytes each.
const KNOWN: usize = 1000;

/// So many are shown.
const SHOWN: usize = 50;

/// Hosts, and what came of them.
#[derive(Debug, Default)]
pub(super) struct Hosts {
    known: HashMap<Box<str>, Host>,
    /// Those that came when enough were known.
    others: Host,
}

/// What came of a host, or of several.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Host {
    pub(super) pages: u64,
    pub(super) failed: u64,
    /// Answers that asked for fewer requests.
    pub(super) throttled: u64,
    /// Pages that it was not asked for, as it could not be reached.
    pub(super) given_up: u64,
    pub(super) latency: Histogram,
}

impl Host {
    fn count(&mut self, page: &Page<'_>) {
        self.pages += 1;
        self.failed += u64::from(page.failure.is_some());
        self.throttled += u64::from(page.is_throttled());
        self.given_up += u64::from(page.is_given_up());
        page.latency().into_iter().for_each(|latency| self.latency.record(latency));
    }

    fn add(&mut self, other: &Self) {
        self.pages += other.pages;
        self.failed += other.failed;
        self.throttled += other.throttled;
        self.given_up += other.given_up;
        self.latency.add(&other.latency);
    }
}

impl Hosts {
    /// Counts a page for its host.
    pub(super) fn add(&mut self, page: &Page<'_>) {
        let Some(host) = page.host() else { return };
        let is_full = self.known.len() >= KNOWN;
        match self.known.entry(host.into()) {
            Entry::Vacant(_) if is_full => self.others.count(page),
            entry => entry.or_default().count(page),
        }
    }

    /// Those with the most pages, and all the others together, where there are any.
    pub(super) fn ranked(&self) -> (Vec<(&str, &Host)>, Option<Host>) {
        let mut known: Vec<_> = self.known.iter().map(|(name, host)| (&**name, host)).collect();
        known.sort_unstable_by_key(|&(name, host)| (std::cmp::Reverse(host.pages), name));
        let rest = known.split_off(known.len().min(SHOWN));
        let mut others = self.others.clone();
        for (_, host) in rest {
            others.add(host);
        }
        let has_others = others.pages > 0;
        (known, has_others.then_some(others))
    }
}
