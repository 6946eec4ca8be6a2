//! A visitor that asks for what it does not know yet.

use super::Visit;
use crate::job::{Job, Outcome, Role, Trail, Validators};

/// What is known of pages from before.
pub trait Known: Send + Sync + 'static {
    /// The version that is known of the page that the next request of `trail` is for; none where a page is wanted whatever
    /// its version. It is asked in the task of the visit, and should not take long.
    fn version(&self, trail: &Trail) -> Option<Validators>;
}

/// Visits by another visitor, which asks for pages in other versions than the known ones alone: a visit ends as
/// [`Unchanged`](crate::job::End::Unchanged) where there is none.
#[derive(Debug)]
pub struct Conditional<V, K> {
    visitor: V,
    known: K,
}

impl<V: Visit, K: Known> Conditional<V, K> {
    /// Visits by `visitor` what is not as `known` has it.
    #[must_use]
    pub fn new(visitor: V, known: K) -> Self {
        Self { visitor, known }
    }
}

impl<V: Visit, K: Known> Visit for Conditional<V, K> {
    async fn visit(&self, mut job: Job) -> Outcome {
        if job.trail.role == Role::Page {
            job.trail.validators = self.known.version(&job.trail).map(Box::new);
        }
        self.visitor.visit(job).await
    }
}
