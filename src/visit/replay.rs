//! A visitor that asks nobody for what an archive has.

use futures::future::{BoxFuture, FutureExt};

use super::{Reader, Visit};
use crate::fetch::Limits;
use crate::job::{HostHint, Job, Outcome};

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

impl<V: Visit> Visit for Replay<V> {
    fn visit(&self, job: Job) -> BoxFuture<'_, Outcome> {
        let Some(stored) = job.trail.stored.clone() else { return self.otherwise.visit(job) };
        let visit = async {
            let at = stored.at;
            let (facts, end) = self.reader.restore(stored, self.limits.clone()).await;
            let Job { target, trail } = job;
            let (fetched_at, hint) = (Some(at), HostHint::default());
            Outcome {
                target,
                trail: Some(trail),
                fetched_at,
                facts,
                end,
                links: Vec::new(),
                listing: None,
                hint,
                exchange: None,
                mention: None,
            }
        };
        visit.boxed()
    }
}
