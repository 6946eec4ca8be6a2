//! A visitor that asks nobody for what an archive has.

use std::sync::Arc;

use futures::future::FutureExt;

use super::{Reader, Visit};
use crate::fetch::Limits;
use crate::job::{Job, Outcome, Stored};

/// Reads the answers that jobs bring along, and visits by another visitor where they bring none.
#[derive(Debug)]
pub struct Replay<V> {
    otherwise: V,
    reader: Reader,
    limits: Limits,
}

impl<V: Visit> Replay<V> {
    /// Reads with `reader`, within the limits that bodies have.
    #[must_use]
    pub fn new(otherwise: V, reader: Reader, limits: Limits) -> Self {
        Self { otherwise, reader, limits }
    }
}

impl<V: Visit> Replay<V> {
    async fn replay(&self, Job { target, trail }: Job, stored: Arc<Stored>) -> Outcome {
        let at = stored.at;
        let (facts, end) = self.reader.restore(stored, self.limits.clone()).await;
        Outcome { fetched_at: Some(at), facts, ..Outcome::ended(Job { target, trail }, end) }
    }
}

impl<V: Visit> Visit for Replay<V> {
    async fn visit(&self, job: Job) -> Outcome {
        match job.trail.stored.clone() {
            Some(stored) => self.replay(job, stored).boxed().await,
            None => self.otherwise.visit(job).await,
        }
    }
}
