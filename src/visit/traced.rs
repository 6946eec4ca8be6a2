//! A visitor that remembers how each of its visits went.

use std::sync::{Mutex, PoisonError};

use super::Visit;
use crate::fetch::{Trace, traced};
use crate::job::{Job, Outcome};

/// Visits by another visitor, and keeps what came of each request and how it went. Meant for few: it keeps whole pages.
#[derive(Debug)]
pub struct Traced<V> {
    visitor: V,
    visits: Mutex<Vec<(Outcome, Trace)>>,
}

impl<V: Visit> Traced<V> {
    /// Visits by `visitor`.
    #[must_use]
    pub fn new(visitor: V) -> Self {
        Self { visitor, visits: Mutex::default() }
    }

    /// The visits that have ended since this was last asked, in the order in which they did.
    #[must_use]
    pub fn take(&self) -> Vec<(Outcome, Trace)> {
        std::mem::take(&mut *self.visits.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<V: Visit> Visit for Traced<V> {
    async fn visit(&self, job: Job) -> Outcome {
        let (outcome, trace) = traced(self.visitor.visit(job)).await;
        let mut visits = self.visits.lock().unwrap_or_else(PoisonError::into_inner);
        visits.push((outcome.clone(), trace));
        outcome
    }
}
