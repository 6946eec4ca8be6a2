//! A visitor that keeps what went over the wire.

use std::sync::Arc;

use jiff::Timestamp;

use super::Visit;
use crate::fetch::traced;
use crate::job::{Job, Outcome};

/// Visits by another visitor, and hands on what went over the wire with each outcome. A body is whole there only if its
/// fetcher [keeps it](crate::fetch::Limits::keep_raw).
#[derive(Debug)]
pub struct Recorded<V>(V);

impl<V: Visit> Recorded<V> {
    /// Visits by `visitor`.
    #[must_use]
    pub fn new(visitor: V) -> Self {
        Self(visitor)
    }
}

impl<V: Visit> Visit for Recorded<V> {
    async fn visit(&self, job: Job) -> Outcome {
        let at = Timestamp::now();
        let (mut outcome, trace) = traced(self.0.visit(job)).await;
        // What this machine had no memory for does not count, and is asked for again.
        if outcome.hint.lack.is_none() {
            outcome.exchange = trace.into_exchange(at).map(Arc::new);
        }
        outcome
    }
}
