//! What a run came to, for a person and for a program.

mod totals;
mod words;

use std::collections::BTreeMap;

pub(super) use self::totals::{totals, write};
pub(super) use self::words::{complaint, lines, links};
use super::exit::{FailOn, Status};
use crate::frontier::traps::Trap;
use crate::frontier::{GivenUp, Limit, Slowed};
use crate::job::Summary;
use crate::sink::Tally;
use crate::sink::expect::{Contract, Fill, Verdict};
use crate::store::Change;

/// What a run came to, as a whole.
pub(super) struct Conclusion {
    pub(super) totals: Summary,
    /// How many records of pages that were fetched there are.
    pub(super) records: u64,
    /// How much of each field is in them.
    pub(super) fills: Vec<Fill>,
    /// What came of each expectation.
    pub(super) verdicts: Vec<Verdict>,
    /// How many pages changed in which way; none where that was not asked for.
    pub(super) changes: Option<BTreeMap<Change, u64>>,
    /// What ended the run before its list did.
    pub(super) ended_by: Option<Ending>,
    pub(super) crawl: Crawled,
    /// The hosts that were asked for less than the options allow.
    pub(super) slowed: Vec<Slowed>,
    /// The origins that could not be reached any more.
    pub(super) given_up: Vec<GivenUp>,
}

/// What there is to say of a crawl.
#[derive(Clone, Debug, Default)]
pub(super) struct Crawled {
    /// Whether links were followed.
    pub(super) is_one: bool,
    /// Whether robots.txt was ignored.
    pub(super) ignores_robots: bool,
    /// Redirects that led out of the scope, or to a page that had its own job.
    pub(super) elsewhere: u64,
    /// Links that were not followed as their host has enough pages.
    pub(super) beyond_host: u64,
    /// What came of checking links, where they are checked.
    pub(super) checked: Option<Tally>,
    /// What was kept out as it has no end, most of it first.
    pub(super) trapped: Vec<Trap>,
}

/// What may end a run before its list does.
#[derive(Clone, Copy, Debug)]
pub(super) enum Ending {
    Limit(Limit),
    Deadline,
    Signal,
}

impl Ending {
    /// The option, or the word, for it.
    fn name(self) -> &'static str {
        match self {
            Self::Limit(Limit::Targets) => "limit",
            Self::Limit(Limit::Pages) => "max-pages",
            Self::Limit(Limit::Bytes) => "max-bytes",
            Self::Deadline => "deadline",
            Self::Signal => "signal",
        }
    }

    /// The option that set the limit which was reached.
    fn of_limit(self) -> Option<String> {
        matches!(self, Self::Limit(_)).then(|| format!("--{}", self.name()))
    }
}

impl Conclusion {
    /// The end of a run that was, or was not, `is_complete`.
    pub(super) fn new(totals: Summary, contract: &Contract, is_complete: bool) -> Self {
        let (records, fills, verdicts) = (contract.records(), contract.fills(), contract.verdicts(is_complete));
        let (crawl, slowed, given_up) = (Crawled::default(), Vec::new(), Vec::new());
        Self { totals, records, fills, verdicts, changes: None, ended_by: None, crawl, slowed, given_up }
    }

    /// Whether a page has changed, in whichever way.
    pub(super) fn has_changes(&self) -> bool {
        self.changes.as_ref().is_some_and(|changes| changes.values().any(|&count| count > 0))
    }

    /// What it comes to under a policy.
    pub(super) fn status(&self, policy: FailOn) -> Status {
        let is_unexpected = self.verdicts.iter().any(|verdict| verdict.held == Some(false));
        let expected = if is_unexpected { Status::Unexpected } else { Status::Success };
        let is_broken = self.crawl.checked.as_ref().is_some_and(|tally| tally.broken() > 0) && policy != FailOn::None;
        let links = if is_broken { Status::SomeFailed } else { Status::Success };
        Status::of(&self.totals, policy).max(expected).max(links)
    }

    /// A line for each expectation that broke.
    pub(super) fn complaints(&self) -> impl Iterator<Item = String> {
        self.verdicts.iter().filter_map(Verdict::complaint)
    }
}
