//! What a run has come to.

use std::io::{self, IsTerminal};

use crate::cli::args::{ProgressMode, Run};
use crate::cli::exit::Status;
use crate::cli::logging::Voice;
use crate::cli::summary::{self, Conclusion, Ending};
use crate::frontier::Limit;

/// How a run ended, whatever became of its pages.
pub(super) struct End {
    /// What stopped it before its time.
    pub(super) stopped: Option<Status>,
    /// The limit that it reached.
    pub(super) limit: Option<Limit>,
    /// Whether the reader of all that is written has gone.
    pub(super) is_unread: bool,
    /// What could not be read to its end, or written, but did not end it.
    pub(super) broken: Vec<String>,
}

impl End {
    /// Whether it has come to the end of its list, or to a limit that the user set.
    pub(super) fn is_undisturbed(&self) -> bool {
        self.stopped.is_none() && self.broken.is_empty() && !self.is_unread
    }

    /// What ended it early.
    pub(super) fn ending(&self) -> Option<Ending> {
        match self.stopped {
            Some(Status::Unfinished) => Some(Ending::Deadline),
            Some(_) => Some(Ending::Signal),
            None => self.limit.map(Ending::Limit),
        }
    }

    /// The exit status.
    pub(super) fn status(&self, args: &Run, conclusion: &Conclusion) -> Status {
        let broken = if self.broken.is_empty() { Status::Success } else { Status::Broken };
        let status = broken.max(self.stopped.unwrap_or(Status::Success));
        if self.is_unread {
            return status;
        }
        let has_news = args.endurance.exit_code && conclusion.has_changes();
        let news = if has_news { Status::Changed } else { Status::Success };
        status.max(news).max(conclusion.status(args.output.fail_on))
    }

    /// Tells what is wrong besides the pages.
    pub(super) fn complain(&self) {
        self.broken.iter().for_each(|error| tracing::error!("{error}"));
    }
}

/// Tells what the run came to: in full on a terminal or when asked, in a log only what went wrong.
pub(super) fn report(args: &Run, conclusion: &Conclusion, status: Status, (voice, is_utf8): (&Voice, bool)) {
    let totals = &conclusion.totals;
    let is_wanted = args.general.verbose > 0 || args.display.progress == ProgressMode::Log;
    if totals.targets == 0 && totals.done_before == 0 && status <= Status::Unexpected {
        tracing::warn!("there is no URL in the input");
    } else if io::stderr().is_terminal() && !args.unattended.cron || is_wanted {
        voice.tell(summary::lines(conclusion, is_utf8), || summary::totals(conclusion, status));
    } else if status != Status::Success && totals.failed() > 0 {
        voice.tell(summary::complaint(totals), || summary::totals(conclusion, status));
    }
}
