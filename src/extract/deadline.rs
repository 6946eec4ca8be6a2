//! When a page takes too long.

use std::cell::{Cell, OnceCell};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use crate::failure::{Failure, Kind};

/// When to give a page up.
///
/// Building a tree takes quadratic time for several kinds of input (deep nesting, many formatting elements), most of it
/// where no callback shows it, and so does matching a selector. A clock shows it: that of the thread's own computing, so
/// that a busy machine changes nothing, and what other processes computed for the page. Real pages need less than a
/// hundredth of what they get. The time begins with the first look at the clock, which takes as long as reading the head of
/// a small page.
#[derive(Debug)]
pub(super) struct Deadline {
    allowed: Cell<Duration>,
    begun: OnceCell<Duration>,
}

/// How long this thread has been computing.
fn computed() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap_or_default()
}

impl Deadline {
    /// The deadline for a text that this thread reads.
    pub(super) fn for_text(text: &str) -> Self {
        let bytes = u32::try_from(text.len()).unwrap_or(u32::MAX);
        let allowed = Duration::from_secs(1) + Duration::from_nanos(300) * bytes;
        Self { allowed: Cell::new(allowed), begun: OnceCell::new() }
    }

    pub(super) fn has_passed(&self) -> bool {
        self.left().is_none()
    }

    /// The time that is left, if any is.
    pub(super) fn left(&self) -> Option<Duration> {
        let now = computed();
        let spent = now.saturating_sub(*self.begun.get_or_init(|| now));
        self.allowed.get().checked_sub(spent).filter(|left| !left.is_zero())
    }

    /// So much time was spent on the page elsewhere.
    pub(super) fn spend(&self, time: Duration) {
        self.allowed.set(self.allowed.get().saturating_sub(time));
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
