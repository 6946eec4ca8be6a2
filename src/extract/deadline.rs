//! When a page takes too long.

use std::cell::Cell;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use crate::failure::{Failure, Kind};

/// When to give a page up.
///
/// Building a tree takes quadratic time for several kinds of input (deep nesting, many formatting elements), most of it
/// where no callback shows it, and so does matching a selector. A clock shows it: that of the thread's own computing, so
/// that a busy machine changes nothing, and what other processes computed for the page. Real pages need less than a
/// hundredth of what they get.
#[derive(Debug)]
pub(super) struct Deadline(Cell<Duration>);

/// How long this thread has been computing.
fn computed() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap_or_default()
}

impl Deadline {
    /// The deadline for a text that this thread is about to read.
    pub(super) fn for_text(text: &str) -> Self {
        let bytes = u32::try_from(text.len()).unwrap_or(u32::MAX);
        Self(Cell::new(computed() + Duration::from_secs(1) + Duration::from_nanos(300) * bytes))
    }

    pub(super) fn has_passed(&self) -> bool {
        self.left().is_none()
    }

    /// The time that is left, if any is.
    pub(super) fn left(&self) -> Option<Duration> {
        self.0.get().checked_sub(computed()).filter(|left| !left.is_zero())
    }

    /// So much time was spent on the page elsewhere.
    pub(super) fn spend(&self, time: Duration) {
        self.0.set(self.0.get().saturating_sub(time));
    }

    /// A failure once the time is over.
    pub(super) fn check(&self) -> Result<(), Failure> {
        if self.has_passed() { Err(Failure::new(Kind::TooComplex, "the page takes too long to parse")) } else { Ok(()) }
    }
}

/// Counts work that is done in small steps, and looks at the clock now and then.
#[derive(Debug)]
pub(super) struct Meter<'d> {
    deadline: &'d Deadline,
    /// How many steps are left until it does.
    left: Cell<usize>,
}

/// How many steps of some nanoseconds go by between two looks at the clock, which takes 200 of them.
const STEPS: usize = 4096;

impl<'d> Meter<'d> {
    pub(super) fn new(deadline: &'d Deadline) -> Self {
        Self { deadline, left: Cell::new(STEPS) }
    }

    /// Some steps were done, or will be.
    ///
    /// # Errors
    /// The time is over.
    pub(super) fn count(&self, steps: usize) -> Result<(), Failure> {
        let left = self.left.get().checked_sub(steps);
        self.left.set(left.unwrap_or(STEPS));
        if left.is_some() { Ok(()) } else { self.deadline.check() }
    }
}
