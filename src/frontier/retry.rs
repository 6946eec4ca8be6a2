//! What waits to be tried again.

use std::cmp::{Ordering, Reverse};
use std::time::Instant;

use crate::job::Outcome;

/// An outcome that is not final: its job is tried again at an instant.
#[derive(Debug)]
pub(super) struct Retry {
    pub(super) at: Instant,
    pub(super) outcome: Box<Outcome>,
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
