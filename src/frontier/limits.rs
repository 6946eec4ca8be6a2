//! When enough has been done.

use crate::job::{End, Outcome};

/// How much is done at most. What the user sets here ends a run well; what is left over has no outcome.
#[derive(Clone, Debug, Default)]
pub struct Limits {
    /// Targets taken, with those that were [done before](super::Frontier::skip).
    pub targets: Option<u64>,
    /// Pages fetched, to the page: no more targets are open than may still be fetched, and one that fails makes room.
    pub pages: Option<u64>,
    /// Bytes of all bodies, content codings undone. What was begun by then ends, so the last bodies come on top.
    pub bytes: Option<u64>,
}

/// Which of the [`Limits`] ended a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// That of the targets.
    Targets,
    /// That of the pages.
    Pages,
    /// That of the bytes.
    Bytes,
}

/// What counts towards the limits.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Spent {
    pub(super) pages: u64,
    pub(super) bytes: u64,
}

impl Spent {
    /// Counts a final outcome.
    pub(super) fn count(&mut self, outcome: &Outcome) {
        self.pages += u64::from(matches!(outcome.end, End::Done { failure: None, .. } | End::Unchanged));
        self.bytes += outcome.facts.as_ref().and_then(|facts| facts.bytes).unwrap_or(0);
    }
}

impl Limits {
    /// The limit that is reached by `targets` and by what was `spent`.
    pub(super) fn reached(&self, targets: u64, spent: Spent) -> Option<Limit> {
        let is_reached = |limit: Option<u64>, count| limit.is_some_and(|limit| count >= limit);
        let limits = [
            (Limit::Bytes, self.bytes, spent.bytes),
            (Limit::Pages, self.pages, spent.pages),
            (Limit::Targets, self.targets, targets),
        ];
        limits.into_iter().find(|&(_, limit, count)| is_reached(limit, count)).map(|(limit, ..)| limit)
    }

    /// Whether so many open targets may all be fetched, and one more.
    pub(super) fn leave_room(&self, open: u64, spent: Spent) -> bool {
        self.pages.is_none_or(|pages| spent.pages + open < pages)
    }
}
