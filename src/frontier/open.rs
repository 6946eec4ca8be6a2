//! Which targets have no final outcome, where their order matters.

use std::collections::VecDeque;

/// Which of the targets, numbered as they come, have no final outcome.
#[derive(Debug, Default)]
pub(super) struct Open {
    /// The oldest one that has none; if all have one, the next to come.
    oldest: u64,
    /// Whether it and each one after it has none.
    are_open: VecDeque<bool>,
}

impl Open {
    /// The next target comes.
    pub(super) fn add(&mut self) {
        self.are_open.push_back(true);
    }

    /// The target called `id` has its final outcome.
    pub(super) fn remove(&mut self, id: u64) {
        let at = id.checked_sub(self.oldest).and_then(|at| usize::try_from(at).ok());
        if let Some(is_open) = at.and_then(|at| self.are_open.get_mut(at)) {
            *is_open = false;
        }
        while self.are_open.front() == Some(&false) {
            self.are_open.pop_front();
            self.oldest += 1;
        }
    }

    /// How many targets there are from the oldest one on.
    pub(super) fn span(&self) -> usize {
        self.are_open.len()
    }
}
