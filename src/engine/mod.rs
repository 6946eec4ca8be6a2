//! The pipeline: jobs from the frontier, each visited in a task of its own, their outcomes to the sinks.
//!
//! Three guarantees come from its shape. A visit is in a task apart, so requests go on while a sink blocks; a panic in one
//! is that job's failure; and dropping the run aborts what is in flight.

mod slot;

use std::any::Any;
use std::io;
use std::num::NonZeroUsize;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::{Duration, Instant};

use futures::future::{Either, ready};
use futures::stream::{Stream, StreamExt};
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::task::block_in_place;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use self::slot::Slot;
use crate::failure::{Failure, Kind};
use crate::frontier::{self, Frontier, Next};
use crate::job::{Attempt, End, Job, Outcome, Rejected, Seed, Summary};
use crate::visit::Visit;

/// Where final outcomes go. A method may take its time, since requests are driven by other tasks; one that blocks for long
/// tells the runtime ([`blocking`]).
pub trait Sink: Send {
    /// Takes one final outcome.
    ///
    /// # Errors
    /// What it writes to fails. That ends the run.
    fn accept(&mut self, outcome: &Outcome) -> io::Result<()>;

    /// Takes what an earlier part of the run had, of which all was told then, before anything else: what is counted, or told only
    /// at the end, begins with that. Not all of the outcome is known any more.
    ///
    /// # Errors
    /// As for [`accept`](Sink::accept).
    fn recall(&mut self, _: &Outcome) -> io::Result<()> {
        Ok(())
    }

    /// Takes one request and what came of it, as soon as it has ended; where it is final, before
    /// [`accept`](Sink::accept) takes its outcome. There are attempts only where the visitor keeps what went over the wire
    /// ([`Recorded`](crate::visit::Recorded)), which is forgotten after this.
    ///
    /// # Errors
    /// As for [`accept`](Sink::accept).
    fn attempt(&mut self, _: &Attempt) -> io::Result<()> {
        Ok(())
    }

    /// Nothing more is waiting right now: what is buffered should be seen. It is said again now and then for as long as that is so.
    ///
    /// # Errors
    /// As for [`accept`](Sink::accept).
    fn idle(&mut self) -> io::Result<()> {
        Ok(())
    }

    /// What was accepted is about to count as done: it should be out, and what follows should stand apart from it.
    ///
    /// # Errors
    /// As for [`accept`](Sink::accept).
    fn commit(&mut self) -> io::Result<()> {
        self.idle()
    }

    /// Nearly all has come, and is about to count as done: what is known only at the end should be told before that.
    ///
    /// # Errors
    /// As for [`accept`](Sink::accept).
    fn conclude(&mut self) -> io::Result<()> {
        Ok(())
    }

    /// The run is over.
    ///
    /// # Errors
    /// As for [`accept`](Sink::accept).
    fn finish(self: Box<Self>) -> io::Result<()>;
}

/// Does what may block for long, with a word to the runtime if there is one whose other tasks would wait, too.
pub fn blocking<T>(work: impl FnOnce() -> T) -> T {
    let has_others = |runtime: Handle| runtime.runtime_flavor() == RuntimeFlavor::MultiThread;
    if Handle::try_current().is_ok_and(has_others) { block_in_place(work) } else { work() }
}

/// A closure is a sink that has nothing to finish.
impl<F> Sink for F
where
    F: FnMut(&Outcome) -> io::Result<()> + Send,
{
    fn accept(&mut self, outcome: &Outcome) -> io::Result<()> {
        self(outcome)
    }

    fn finish(self: Box<Self>) -> io::Result<()> {
        Ok(())
    }
}

/// One run: a frontier, what visits its jobs, and how many at once.
pub struct Engine<V> {
    /// Decides what is next. Keep a clone to look at the run or to close it.
    pub frontier: Frontier,
    /// Visits jobs.
    pub visitor: Arc<V>,
    /// How many visits are in flight at most.
    pub concurrency: NonZeroUsize,
    /// Ends what is in flight, each as a failure of kind `cancelled`.
    pub cancel: CancellationToken,
}

/// What came out of the pipeline.
enum Done {
    Visited(Outcome),
    Settled(Outcome),
}

/// The slots that no visit is in.
#[derive(Debug, Default)]
struct Idle(Mutex<Vec<Slot>>);

impl Idle {
    fn take(&self) -> Option<Slot> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    fn put(&self, slot: Slot) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(slot);
    }
}

/// How long nothing may come before the sinks hear of that again.
const LULL: Duration = Duration::from_millis(200);

/// How many visits are in flight unless somebody says otherwise.
const CONCURRENCY: NonZeroUsize = NonZeroUsize::new(64).unwrap();

impl<V: Visit> Engine<V> {
    /// A run that treats hosts as is usual, with 64 visits in flight.
    pub fn new(visitor: V) -> Self {
        Self {
            frontier: Frontier::new(frontier::Options::default()),
            visitor: Arc::new(visitor),
            concurrency: CONCURRENCY,
            cancel: CancellationToken::new(),
        }
    }

    /// Visits everything that follows from `seeds` and hands each final outcome to every sink.
    ///
    /// # Errors
    /// A sink failed, or the frontier's [file](frontier::BacklogOptions). The run ends at once; the other sinks are finished.
    pub async fn run<S>(&self, seeds: S, mut sinks: Vec<Box<dyn Sink>>) -> io::Result<Summary>
    where
        S: Stream<Item = Result<Seed, Rejected>> + Unpin,
    {
        let started = Instant::now();
        let mut summary = Summary::default();
        let ran = self.drive(seeds, &mut sinks, &mut summary).await;
        let finished = sinks.into_iter().map(Sink::finish).fold(Ok(()), Result::and);
        ran.and(finished)?;
        let progress = self.frontier.progress();
        (summary.duplicates, summary.done_before, summary.cut) =
            (progress.duplicates, progress.done_before, progress.cut);
        summary.sitemaps_failed = progress.sitemaps_failed;
        summary.elapsed = started.elapsed();
        Ok(summary)
    }

    async fn drive<S>(&self, seeds: S, sinks: &mut [Box<dyn Sink>], summary: &mut Summary) -> io::Result<()>
    where
        S: Stream<Item = Result<Seed, Rejected>> + Unpin,
    {
        let jobs = self.frontier.jobs(seeds);
        let idle = Idle::default();
        let mut done = pin!(jobs.map(|next| self.start(next, &idle)).buffer_unordered(self.concurrency.get()));
        loop {
            let next = match futures::poll!(done.next()) {
                Poll::Ready(next) => next,
                Poll::Pending => loop {
                    sinks.iter_mut().try_for_each(|sink| sink.idle())?;
                    if let Ok(next) = timeout(LULL, done.next()).await {
                        break next;
                    }
                },
            };
            let outcome = match next {
                None => return self.frontier.take_error().map_or(Ok(()), Err),
                Some(Done::Settled(outcome)) => Some(outcome),
                Some(Done::Visited(mut outcome)) => {
                    let attempt = outcome.take_attempt();
                    let settled = self.frontier.settle(outcome);
                    if let Some(mut attempt) = attempt {
                        attempt.is_final = settled.as_ref().is_some_and(has_record);
                        sinks.iter_mut().try_for_each(|sink| sink.attempt(&attempt))?;
                    }
                    settled
                }
            };
            // Not all that it leads to may be kept: no sink is told that it is done.
            if let Some(error) = self.frontier.take_error() {
                return Err(error);
            }
            if let Some(outcome) = outcome {
                summary.count(&outcome);
                sinks.iter_mut().try_for_each(|sink| sink.accept(&outcome))?;
            }
        }
    }

    fn start<'i>(&self, next: Next, idle: &'i Idle) -> impl Future<Output = Done> + use<'i, V> {
        let job = match next {
            Next::Settled(outcome) => return Either::Left(ready(Done::Settled(*outcome))),
            Next::Visit(job) => job,
        };
        let mut slot = idle.take().unwrap_or_else(|| Slot::new(Arc::clone(&self.visitor)));
        let visited = job.clone();
        let cancelled = self.cancel.clone().cancelled_owned();
        let started = Instant::now();
        let end = move |mut job: Box<Job>, failure| {
            job.trail.spent += started.elapsed();
            Outcome::failed(*job, failure)
        };
        Either::Right(async move {
            let outcome = tokio::select! {
                biased;
                visited = slot.visit(visited) => match visited {
                    Ok(outcome) => {
                        idle.put(slot);
                        outcome
                    }
                    Err(error) => end(job, internal(error)),
                },
                () = cancelled => end(job, Failure::new(Kind::Cancelled, "the run was stopped")),
            };
            Done::Visited(outcome)
        })
    }
}

/// Whether a final outcome is one of a page, fetched or not.
fn has_record(outcome: &Outcome) -> bool {
    !matches!(outcome.end, End::Elsewhere(_) | End::Listed)
}

fn internal(error: tokio::task::JoinError) -> Failure {
    let message = error.try_into_panic().map_or_else(|error| error.to_string(), |panic| panic_message(&*panic));
    Failure::new(Kind::Internal, message)
}

fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("panicked: {}", text.unwrap_or("no message"))
}
