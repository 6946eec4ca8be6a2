//! Which job may start now. Everything that waits, waits here: for a host's turn, for the delay between two requests
//! to one host, for a back-off, for the time that a host asked for.
//!
//! [`Queue`] decides, as a pure state machine; [`Frontier`] puts a clock beside it and makes it a stream.

mod admission;
mod backlog;
mod backoff;
mod census;
mod circuits;
mod clocks;
mod closing;
#[cfg(test)]
mod crawl_tests;
mod depths;
mod first_look;
mod gates;
mod health;
mod hosts;
mod known;
mod lanes;
mod latency;
mod limits;
mod open;
mod order;
mod politeness;
mod progress;
mod queue;
#[cfg(test)]
mod queue_tests;
mod quota;
mod ready;
pub mod rehearsal;
mod retry;
mod rotation;
mod sample;
mod sampling;
mod scarcity;
pub mod scope;
mod seen;
mod settling;
mod sharing;
mod slowed;
mod sitemaps;
pub mod traps;
mod ways;

use std::io;
use std::num::NonZeroUsize;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures::stream::Stream;
use futures::task::AtomicWaker;
use tokio::time::{Instant, Sleep, sleep_until};
use url::Url;

pub use self::admission::Crawl;
pub use self::backlog::Options as BacklogOptions;
pub use self::backoff::{Options as RetryOptions, Refusal, Wait};
pub use self::circuits::GivenUp;
pub use self::clocks::{Clocks, Folder};
pub use self::gates::Obey;
pub use self::hosts::{Host, HostState};
pub use self::limits::{Limit, Limits};
pub use self::order::Order;
pub use self::progress::Progress;
pub use self::queue::{Next, Queue};
pub use self::sampling::Draw;
pub use self::seen::{Seen, Width};
pub use self::sharing::LimitBy;
pub use self::sitemaps::{MAX_NESTING, USUAL};
pub use self::slowed::Slowed;
use crate::job::{Job, Outcome, Rejected, Seed};

/// How hosts are treated.
#[derive(Clone, Debug)]
pub struct Options {
    /// How many requests to one host may be in flight.
    pub per_host: NonZeroUsize,
    /// What counts as one host.
    pub limit_by: LimitBy,
    /// The time between two starts on one host.
    pub delay: Duration,
    /// The time between two starts anywhere.
    pub interval: Option<Duration>,
    /// When enough has been done.
    pub limits: Limits,
    /// How many jobs are held at most: queued, waiting or in flight.
    pub look_ahead: NonZeroUsize,
    /// How far a target may be ahead of the oldest one that has no outcome yet; none where order does not matter.
    pub window: Option<NonZeroUsize>,
    /// Whether a page that was admitted before is admitted again.
    pub keep_duplicates: bool,
    /// By how many bits of their fingerprints pages are told apart.
    pub fingerprints: Width,
    /// Whether lists are followed from page to page.
    pub follow: bool,
    /// How the other links of pages are followed, if they are.
    pub crawl: Option<Crawl>,
    /// Where the pages wait that a crawl has come by.
    pub backlog: BacklogOptions,
    /// Whether the sitemaps of each seed's origin are asked for.
    pub sitemaps: bool,
    /// How many of the pages that seeds and sitemaps name are visited, and what draws them; none where all are.
    pub sample: Option<Draw>,
    /// Whose robots.txt is obeyed.
    pub obey: Obey,
    /// The name that this crawler goes by there: its [product token](crate::robots::product_token).
    pub token: Box<str>,
    /// How many connections may be kept open to hosts that have been asked.
    pub connections: usize,
    /// How long a connection is kept when it is not used.
    pub idle_timeout: Duration,
    /// When a failed job is tried again.
    pub retry: RetryOptions,
}

const PER_HOST: NonZeroUsize = NonZeroUsize::new(8).unwrap();
const LOOK_AHEAD: NonZeroUsize = NonZeroUsize::new(16_384).unwrap();

/// The usual window where order matters.
pub const WINDOW: NonZeroUsize = NonZeroUsize::new(4096).unwrap();

impl Default for Options {
    fn default() -> Self {
        Self {
            per_host: PER_HOST,
            limit_by: LimitBy::default(),
            delay: Duration::ZERO,
            interval: None,
            limits: Limits::default(),
            look_ahead: LOOK_AHEAD,
            window: None,
            keep_duplicates: false,
            fingerprints: Width::default(),
            follow: true,
            crawl: None,
            backlog: BacklogOptions::default(),
            sitemaps: false,
            sample: None,
            obey: Obey::default(),
            token: env!("CARGO_PKG_NAME").into(),
            connections: usize::MAX,
            idle_timeout: Duration::from_secs(5),
            retry: RetryOptions::default(),
        }
    }
}

/// A handle on the queue of one run. Clones are handles on the same queue.
#[derive(Clone, Debug)]
pub struct Frontier {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    queue: Mutex<Queue>,
    /// Wakes the stream when the queue was closed from another task.
    waker: AtomicWaker,
}

impl Frontier {
    /// An empty frontier.
    #[must_use]
    pub fn new(options: Options) -> Self {
        Self { shared: Arc::new(Shared { queue: Mutex::new(Queue::new(options)), waker: AtomicWaker::new() }) }
    }

    /// The same, and the time between two starts on one host passes between those of others, too, that have these clocks.
    #[must_use]
    pub fn with_clocks(self, clocks: impl Clocks + 'static) -> Self {
        self.queue().share(Box::new(clocks));
        self
    }

    /// The jobs that follow from `seeds`, each as soon as its host may be asked. The stream ends when nothing is
    /// queued, nothing is in flight and the seeds have ended; every job must therefore be [settled](Self::settle).
    pub fn jobs<S>(&self, seeds: S) -> Jobs<S>
    where
        S: Stream<Item = Result<Seed, Rejected>> + Unpin,
    {
        Jobs { frontier: self.clone(), seeds: Some(seeds), timer: None }
    }

    /// Whether the links of pages are followed.
    #[must_use]
    pub fn crawls(&self) -> bool {
        self.queue().options.crawl.is_some()
    }

    /// Takes what came of a job. It comes back when it is final. The stream must be polled after that.
    #[must_use]
    pub fn settle(&self, outcome: Outcome) -> Option<Outcome> {
        self.queue().settle(outcome, Instant::now().into_std())
    }

    /// Takes note that a page was done by an earlier run: a seed that names it is counted and dropped. Returns whether that
    /// was news.
    #[must_use]
    pub fn skip(&self, url: &Url) -> bool {
        self.queue().skip(url)
    }

    /// Takes note that an earlier run has asked for the URL of this [fingerprint](crate::canonical::fingerprint), though not as a
    /// page: no link that leads there becomes a job.
    pub fn know(&self, fingerprint: u64) {
        self.queue().know(fingerprint);
    }

    /// Takes a page that an earlier run came by and has no outcome of. False where it was admitted, or done, before.
    #[must_use]
    pub fn readmit(&self, job: &Job) -> bool {
        self.queue().readmit(job, Instant::now().into_std())
    }

    /// Why the run had to be closed, once: the [file](BacklogOptions) of the pages to come cannot be written or read.
    #[must_use]
    pub fn take_error(&self) -> Option<io::Error> {
        self.queue().take_error()
    }

    /// Starts nothing new; what is in flight goes on.
    pub fn close(&self) {
        self.queue().close(Instant::now().into_std());
        self.shared.waker.wake();
    }

    /// How the run stands.
    #[must_use]
    pub fn progress(&self) -> Progress {
        self.queue().progress()
    }

    /// The hosts that have the most to do, at most so many.
    #[must_use]
    pub fn hosts(&self, most: usize) -> Vec<Host> {
        self.queue().hosts(most, Instant::now().into_std())
    }

    /// The hosts that were asked for less than the options allow, those that complained most first.
    #[must_use]
    pub fn slowed(&self) -> Vec<Slowed> {
        self.queue().slowed()
    }

    /// The origins that were given up, those with the most URLs first.
    #[must_use]
    pub fn given_up(&self) -> Vec<GivenUp> {
        self.queue().given_up()
    }

    /// The parts of sites that were kept out as they have no end, most of them first.
    #[must_use]
    pub fn trapped(&self) -> Vec<traps::Trap> {
        self.queue().trapped()
    }

    /// Whether the run is over: nothing will come, nothing is queued, nothing is in flight.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.queue().is_finished()
    }

    /// Admits the seeds that are there and for which there is room. The queue stays locked for what is next.
    fn admit<S>(&self, seeds: &mut Option<S>, cx: &mut Context<'_>) -> MutexGuard<'_, Queue>
    where
        S: Stream<Item = Result<Seed, Rejected>> + Unpin,
    {
        let mut queue = self.queue();
        while let Some(open) = seeds {
            let seed = match queue.wants_more() {
                false => None,
                true if !queue.has_room() => break,
                true => {
                    // Whoever gives the seeds may look at this frontier.
                    drop(queue);
                    let seed = Pin::new(open).poll_next(cx);
                    queue = self.queue();
                    let Poll::Ready(seed) = seed else { break };
                    seed
                }
            };
            match seed {
                Some(Ok(seed)) => queue.admit(seed, Instant::now().into_std()),
                Some(Err(rejected)) => queue.reject(rejected),
                None => {
                    queue.complete();
                    *seeds = None;
                }
            }
        }
        queue
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        // The queue's methods do not panic half-way in a way that a later call could notice.
        self.shared.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The stream of [`Frontier::jobs`].
#[derive(Debug)]
pub struct Jobs<S> {
    frontier: Frontier,
    seeds: Option<S>,
    timer: Option<Pin<Box<Sleep>>>,
}

impl<S> Stream for Jobs<S>
where
    S: Stream<Item = Result<Seed, Rejected>> + Unpin,
{
    type Item = Next;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Next>> {
        let Self { frontier, seeds, timer } = self.get_mut();
        frontier.shared.waker.register(cx.waker());
        loop {
            let mut queue = frontier.admit(seeds, cx);
            let at = match queue.next(Instant::now().into_std()) {
                Ok(next) => return Poll::Ready(Some(next)),
                Err(_) if queue.is_finished() => return Poll::Ready(None),
                Err(None) => return Poll::Pending,
                Err(Some(at)) => Instant::from_std(at),
            };
            drop(queue);
            let timer = timer.get_or_insert_with(|| Box::pin(sleep_until(at)));
            if timer.deadline() != at {
                timer.as_mut().reset(at);
            }
            ready!(timer.as_mut().poll(cx));
        }
    }
}
