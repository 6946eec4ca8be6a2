//! A state that keeps pages → its seeds, each with its page.

use std::io;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;

use super::budget::Budget;
use super::origin::Origin;
use super::{Entry, Options};
use crate::exchange::Response;
use crate::job::{Seed, Stored};
use crate::state::{self, Answers, Kept};

/// The pages of a state, in order.
pub(super) struct State {
    answers: Answers,
    origin: Origin,
    budget: Arc<Budget>,
    /// The number of the current page, counted from 1.
    page: u64,
}

impl State {
    /// The state at `path`.
    pub(super) fn open(path: &Path, origin: Origin, options: &Options) -> Result<Self, state::Error> {
        let answers = Answers::open(path, options.max_body)?;
        Ok(Self { answers, origin, budget: Arc::default(), page: 0 })
    }

    fn entry(&mut self, Kept { given, input, stored }: Kept) -> Entry {
        self.page += 1;
        let hold = |response: Response| Response { body: self.hold(response.body), ..response };
        let stored = Stored { response: stored.response.map(hold), ..stored };
        let seed = self.origin.seed(self.page, &given, input)?;
        Ok(Seed { auth: None, stored: Some(Arc::new(stored)), ..seed })
    }

    fn hold(&self, body: Bytes) -> Bytes {
        self.budget.hold(body.into())
    }
}

impl Iterator for State {
    type Item = io::Result<Entry>;

    fn next(&mut self) -> Option<Self::Item> {
        let kept = self.answers.read().map_err(io::Error::from).transpose()?;
        Some(kept.map(|kept| self.entry(kept)))
    }
}
