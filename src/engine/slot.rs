//! A place in which one visit at a time is in flight: a task that takes one job after another. A task for each job would
//! cost each of them its making, which is a good part of what a small page costs.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use futures::future::{FutureExt, poll_fn};
use futures::task::AtomicWaker;
use tokio::task::JoinError;
use tokio_util::task::AbortOnDropHandle;

use crate::job::{Job, Outcome};
use crate::visit::Visit;

/// A task that visits. It ends with this, amid a visit or not.
#[derive(Debug)]
pub(super) struct Slot {
    counter: Arc<Counter>,
    task: AbortOnDropHandle<()>,
}

/// Where a job and what came of it change hands.
#[derive(Debug, Default)]
struct Counter {
    on_it: Mutex<Handed>,
    giver: AtomicWaker,
    worker: AtomicWaker,
}

#[derive(Debug, Default)]
#[expect(
    clippy::large_enum_variant,
    reason = "there is one for each task, and a box would be one more for each outcome"
)]
enum Handed {
    #[default]
    Nothing,
    Job(Box<Job>),
    Outcome(Outcome),
}

impl Slot {
    /// Starts a task that visits by `visitor`.
    pub(super) fn new<V: Visit>(visitor: Arc<V>) -> Self {
        let counter = Arc::new(Counter::default());
        let at = Arc::clone(&counter);
        let task = tokio::spawn(async move {
            loop {
                let job = poll_fn(|context| at.poll_job(context)).await;
                let outcome = visitor.visit(*job).await;
                at.give_back(outcome);
            }
        });
        Self { counter, task: AbortOnDropHandle::new(task) }
    }

    /// Visits `job`.
    ///
    /// # Errors
    /// The visit panicked, with which the task has ended.
    pub(super) async fn visit(&mut self, job: Box<Job>) -> Result<Outcome, JoinError> {
        self.counter.give(job);
        poll_fn(|context| {
            if let Poll::Ready(outcome) = self.counter.poll_outcome(context) {
                return Poll::Ready(Ok(outcome));
            }
            match self.task.poll_unpin(context) {
                Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
                Poll::Ready(Ok(())) => unreachable!("the task ends by a panic alone"),
                Poll::Pending => Poll::Pending,
            }
        })
        .await
    }
}

impl Counter {
    fn give(&self, job: Box<Job>) {
        *self.lock() = Handed::Job(job);
        self.worker.wake();
    }

    fn give_back(&self, outcome: Outcome) {
        *self.lock() = Handed::Outcome(outcome);
        self.giver.wake();
    }

    fn poll_job(&self, context: &mut Context<'_>) -> Poll<Box<Job>> {
        self.worker.register(context.waker());
        let mut on_it = self.lock();
        match std::mem::take(&mut *on_it) {
            Handed::Job(job) => Poll::Ready(job),
            other => {
                *on_it = other;
                Poll::Pending
            }
        }
    }

    fn poll_outcome(&self, context: &mut Context<'_>) -> Poll<Outcome> {
        self.giver.register(context.waker());
        let mut on_it = self.lock();
        match std::mem::take(&mut *on_it) {
            Handed::Outcome(outcome) => Poll::Ready(outcome),
            other => {
                *on_it = other;
                Poll::Pending
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Handed> {
        self.on_it.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
