//! Which hosts were asked for less than the options allow, and why.

use std::collections::{BTreeMap, HashMap};

use crate::failure::Kind;
use crate::job::Outcome;

/// So many are told apart, those that come first.
const KNOWN: usize = 1000;

/// A host that was asked for less than the options allow.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Slowed {
    /// Its name, or what it [shares](super::LimitBy) its limit by.
    pub host: Box<str>,
    /// Its answers that it is asked too much, by status.
    pub by_status: BTreeMap<u16, u64>,
    /// Answers that did not come in time.
    pub timeouts: u64,
    /// How many times its answers took more than twice as long as at best.
    pub slow: u64,
    /// How few requests were allowed in flight when they were fewest.
    pub limit: usize,
}

/// The hosts that were slowed.
#[derive(Debug, Default)]
pub(super) struct Register(HashMap<Box<str>, Slowed>);

impl Register {
    /// Takes note of an outcome that left its host with a limit. Whether it `lowered` that makes the difference between a
    /// host that is slow and one that answers.
    pub(super) fn add(&mut self, host: &str, outcome: &Outcome, lowered: bool, limit: usize) {
        let timed_out = is_timeout(outcome);
        let throttled = outcome.facts.as_ref().filter(|_| outcome.hint.throttled).map(|facts| facts.status);
        if !lowered && throttled.is_none() && !timed_out {
            return;
        }
        if !self.0.contains_key(host) {
            if self.0.len() >= KNOWN {
                return;
            }
            self.0.insert(host.into(), Slowed { host: host.into(), limit, ..Slowed::default() });
        }
        let Some(slowed) = self.0.get_mut(host) else { return };
        slowed.timeouts += u64::from(timed_out);
        if let Some(status) = throttled {
            *slowed.by_status.entry(status).or_default() += 1;
        }
        slowed.slow += u64::from(lowered && !timed_out && throttled.is_none());
        slowed.limit = slowed.limit.min(limit);
    }

    /// All of them, those that complained most first.
    pub(super) fn all(&self) -> Vec<Slowed> {
        let complaints = |slowed: &Slowed| slowed.by_status.values().sum::<u64>() + slowed.timeouts + slowed.slow;
        let mut all: Vec<_> = self.0.values().cloned().collect();
        all.sort_unstable_by(|one, other| {
            complaints(other).cmp(&complaints(one)).then_with(|| one.host.cmp(&other.host))
        });
        all
    }
}

/// Whether an answer, or the rest of one, did not come in time.
pub(super) fn is_timeout(outcome: &Outcome) -> bool {
    outcome.failure().is_some_and(|failure| failure.kind == Kind::Timeout)
}
