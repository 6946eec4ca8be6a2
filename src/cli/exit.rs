//! How the program ends: what its exit status tells a script, and what its last words tell a person.

use std::fmt;
use std::process::ExitCode;
use std::str::FromStr;

use crate::failure::Kind;
use crate::job::Summary;

/// The exit status. Several at once: the one declared last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Status {
    /// Every target met the policy.
    Success,
    /// Something has changed since an earlier run.
    Changed,
    /// The run is complete; some targets failed.
    SomeFailed,
    /// What was fetched is not as it was expected to be.
    Unexpected,
    /// The policy broke and nothing could be fetched, in no part of the run.
    NothingFetched,
    /// Stopped at its deadline, after a drain.
    Unfinished,
    /// SIGTERM or SIGHUP, after a drain.
    Terminated,
    /// SIGINT, after a drain.
    Interrupted,
    /// Something could not be read or written.
    Broken,
    /// A bug.
    Internal,
    /// Wrong usage: found before anything else can happen.
    Usage,
}

impl Status {
    pub(super) const fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::SomeFailed => 1,
            Self::Usage => 2,
            Self::Unexpected => 3,
            Self::NothingFetched => 4,
            Self::Broken => 5,
            Self::Changed => 6,
            Self::Internal => 70,
            Self::Unfinished => 75,
            Self::Interrupted => 130,
            Self::Terminated => 143,
        }
    }

    /// What a complete run comes to.
    pub(super) fn of(summary: &Summary, policy: FailOn) -> Self {
        if summary.by_kind.contains_key(&Kind::Internal) {
            Self::Internal
        } else if !policy.is_broken_by(summary) {
            Self::Success
        } else if summary.fetched == 0 && summary.done_before == 0 {
            Self::NothingFetched
        } else {
            Self::SomeFailed
        }
    }
}

/// In words, for a report.
impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Success => "all is well again",
            Self::Changed => "something changed",
            Self::SomeFailed => "some URLs failed",
            Self::Unexpected => "what was fetched is not as expected",
            Self::NothingFetched => "nothing could be fetched",
            Self::Unfinished => "not finished",
            Self::Terminated => "terminated",
            Self::Interrupted => "interrupted",
            Self::Broken => "something cannot be read or written",
            Self::Internal => "a bug",
            Self::Usage => "the command is wrong",
        })?;
        write!(f, " (exit status {})", self.code())
    }
}

impl From<Status> for ExitCode {
    fn from(status: Status) -> Self {
        Self::from(status.code())
    }
}

/// When failed targets make a failed run: those that were given, not those that a crawl came by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum FailOn {
    /// One failed.
    Any,
    /// All failed.
    All,
    /// Never.
    None,
    /// So many failed.
    Count(u64),
    /// Such a part of them failed, in percent.
    Percent(f64),
}

impl FromStr for FailOn {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = || text.parse().ok().filter(|&count| count > 0).map(Self::Count);
        let percent = || {
            let percent: f64 = text.strip_suffix('%')?.parse().ok()?;
            (percent > 0.0 && percent <= 100.0).then_some(Self::Percent(percent))
        };
        match text {
            "any" => Some(Self::Any),
            "all" => Some(Self::All),
            "none" => Some(Self::None),
            _ => number().or_else(percent),
        }
        .ok_or_else(|| "any, all, none, a number above 0 or a percentage (5%)".into())
    }
}

impl FailOn {
    #[expect(clippy::cast_precision_loss, reason = "a percentage of 2⁵³ targets may be off by one")]
    fn is_broken_by(self, summary: &Summary) -> bool {
        let failed = summary.failed() - summary.discovered_failed;
        let targets = summary.targets - summary.discovered;
        match self {
            Self::None => false,
            Self::Any => failed > 0,
            Self::All => failed > 0 && failed == targets,
            Self::Count(count) => failed >= count,
            Self::Percent(percent) => failed > 0 && failed as f64 * 100.0 >= percent * targets as f64,
        }
    }
}

/// Why the program ends before its time.
#[derive(Debug)]
pub(super) struct Stop {
    pub(super) status: Status,
    error: anyhow::Error,
    hint: Option<String>,
}

impl Stop {
    /// The command is wrong.
    pub(super) fn usage(error: impl Into<anyhow::Error>) -> Self {
        Self { status: Status::Usage, error: error.into(), hint: None }
    }

    /// Something cannot be read or written.
    pub(super) fn broken(error: impl Into<anyhow::Error>) -> Self {
        Self { status: Status::Broken, error: error.into(), hint: None }
    }

    /// All went well, but there is nothing to show for it.
    pub(super) fn with_status(status: Status, error: impl Into<anyhow::Error>) -> Self {
        Self { status, error: error.into(), hint: None }
    }

    /// Somebody else is at work: try again later.
    pub(super) fn busy(error: impl Into<anyhow::Error>) -> Self {
        Self { status: Status::Unfinished, error: error.into(), hint: None }
    }

    /// Adds something to try.
    pub(super) fn with_hint(self, hint: Option<String>) -> Self {
        Self { hint, ..self }
    }
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#}", self.error)?;
        self.hint.as_ref().map_or(Ok(()), |hint| write!(f, "\nhint: {hint}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary(fetched: u64, failed: u64) -> Summary {
        Summary { targets: fetched + failed, fetched, ..Summary::default() }
    }

    fn status(policy: &str, fetched: u64, failed: u64) -> u8 {
        Status::of(&summary(fetched, failed), policy.parse().unwrap()).code()
    }

    #[test]
    fn the_policy_decides_how_many_failures_make_a_failed_run() {
        assert_eq!([status("any", 9, 0), status("any", 9, 1), status("any", 0, 9)], [0, 1, 4]);
        assert_eq!([status("all", 1, 9), status("all", 0, 9)], [0, 4]);
        assert_eq!([status("none", 0, 9), status("any", 0, 0)], [0, 0]);
        assert_eq!([status("3", 9, 2), status("3", 9, 3)], [0, 1]);
        assert_eq!([status("10%", 91, 9), status("10%", 90, 10)], [0, 1]);
    }

    #[test]
    fn a_policy_that_means_nothing_is_refused() {
        for wrong in ["", "some", "0", "-1", "0%", "101%", "NaN%", "%"] {
            assert!(wrong.parse::<FailOn>().is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_bug_is_always_told() {
        let mut summary = summary(9, 1);
        summary.by_kind.insert(Kind::Internal, 1);
        assert_eq!(Status::of(&summary, FailOn::None).code(), 70);
    }

    #[test]
    fn of_several_the_gravest_is_told() {
        use Status::{
            Broken, Changed, Internal, Interrupted, NothingFetched, SomeFailed, Success, Terminated, Unexpected,
            Unfinished,
        };
        let graver = [Internal, Broken, Interrupted, Terminated, Unfinished, NothingFetched];
        let order = [&graver[..], &[Unexpected, SomeFailed, Changed, Success]].concat();
        assert!(order.is_sorted_by(|graver, lighter| graver > lighter));
    }
}
