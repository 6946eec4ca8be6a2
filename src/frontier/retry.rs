//! What waits to be tried again.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::time::Instant;

use crate::job::Outcome;

/// What waits to be tried again, the earliest first.
#[derive(Debug, Default)]
pub(super) struct Retries(BinaryHeap<Retry>);

impl Retries {
    /// The job of an outcome is tried again at an instant.
    pub(super) fn push(&mut self, at: Instant, outcome: Box<Outcome>) {
        self.0.push(Retry { at, outcome });
    }

    /// The first whose instant has come.
    pub(super) fn pop(&mut self, now: Instant) -> Option<Box<Outcome>> {
        self.0.peek().filter(|retry| retry.at <= now)?;
        self.0.pop().map(|retry| retry.outcome)
    }

    /// When the next one comes.
    pub(super) fn next_at(&self) -> Option<Instant> {
        self.0.peek().map(|retry| retry.at)
    }

    /// All that wait. None do then.
    pub(super) fn take(&mut self) -> impl ExactSizeIterator<Item = Box<Outcome>> + use<> {
        std::mem::take(&mut self.0).into_iter().map(|retry| retry.outcome)
    }
}

/// An outcome that is not final: its job is tried again at an instant.
#[derive(Debug)]
struct Retry {
    at: Instant,
    outcome: Box<Outcome>,
}

impl Retry {
    fn key(&self) -> (Reverse<Instant>, Reverse<u64>) {
        (Reverse(self.at), Reverse(self.outcome.target.id))
    }
}

/// The earliest is the greatest, as a [`BinaryHeap`] wants it.
impl Ord for Retry {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }
}

impl PartialOrd for Retry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Retry {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Retry {}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::failure::{Failure, Kind};
    use crate::job::{Job, Location, Target, Trail};

    fn outcome(id: u64) -> Box<Outcome> {
        let target = Target { id, given: "x".into(), at: Location { file: None, line: 1 }, input: None };
        let trail = Trail::new(url::Url::parse("http://a.test/").unwrap(), None);
        Box::new(Outcome::failed(Job { target, trail }, Failure::new(Kind::Reset, "no")))
    }

    #[test]
    fn they_come_when_it_is_time_and_those_of_one_instant_as_they_are_numbered() {
        let (mut retries, now) = (Retries::default(), Instant::now());
        let later = now + Duration::from_secs(1);
        for (at, id) in [(later, 1), (now, 3), (now, 2), (later, 0)] {
            retries.push(at, outcome(id));
        }
        let due = |retries: &mut Retries, at| retries.pop(at).map(|outcome| outcome.target.id);
        assert_eq!([due(&mut retries, now), due(&mut retries, now), due(&mut retries, now)], [Some(2), Some(3), None]);
        assert_eq!((retries.next_at(), due(&mut retries, later)), (Some(later), Some(0)));
        assert_eq!((retries.take().len(), retries.next_at()), (1, None));
    }
}
