//! What a run came to.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{End, Outcome};
use crate::failure::Kind;
use crate::histogram::Histogram;

/// What a run came to.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// Targets with a final outcome.
    pub targets: u64,
    /// Those among them that no seed names: a crawl came by them.
    pub discovered: u64,
    /// Those of these that do not count as fetched.
    pub discovered_failed: u64,
    /// Targets that count as fetched.
    pub fetched: u64,
    /// Those among them whose page came from the cache, without anybody being asked.
    pub cached: u64,
    /// Seeds dropped because their page was fetched for another one.
    pub duplicates: u64,
    /// Chains that would have gone on beyond the limit of their pages.
    pub cut: u64,
    /// Sitemaps that somebody named, and that could not be read to their end.
    pub sitemaps_failed: u64,
    /// Items that were left out, as they lack a required field.
    pub left_out: u64,
    /// Seeds dropped because their page was done by an earlier run.
    pub done_before: u64,
    /// Answers by status.
    pub by_status: BTreeMap<u16, u64>,
    /// Failures by kind.
    pub by_kind: BTreeMap<Kind, u64>,
    /// Bytes of all bodies, content codings undone.
    pub bytes: u64,
    /// How long the last attempt of each target took that was answered.
    pub latency: Histogram,
    /// How long the run took.
    pub elapsed: Duration,
}

impl Summary {
    /// Counts a final outcome.
    pub fn count(&mut self, outcome: &Outcome) {
        if matches!(outcome.end, End::Elsewhere(_) | End::Listed) {
            return;
        }
        self.targets += 1;
        let found = outcome.trail.as_ref().and_then(|trail| trail.found.as_ref());
        let is_discovered = found.is_some_and(|found| found.kind.pages().is_none());
        self.discovered += u64::from(is_discovered);
        self.discovered_failed += u64::from(is_discovered && outcome.failure().is_some());
        if let Some(facts) = &outcome.facts {
            *self.by_status.entry(facts.status).or_default() += 1;
            self.bytes += facts.bytes.unwrap_or(0);
            self.left_out += facts.recipe.map_or(0, |used| used.left_out);
            if let Some(trail) = &outcome.trail {
                self.latency.record(trail.spent);
            }
        }
        match outcome.failure() {
            None => {
                self.fetched += 1;
                self.cached += u64::from(outcome.hint.unasked);
            }
            Some(failure) => *self.by_kind.entry(failure.kind).or_default() += 1,
        }
    }

    /// Targets that do not count as fetched.
    #[must_use]
    pub fn failed(&self) -> u64 {
        self.targets - self.fetched
    }
}
