//! What the frontier costs a job: admitted, offered, settled.
//!
//! One iteration is a run of a million jobs on one core, driven as the engine drives it: seeds are admitted while
//! there is room, 64 jobs are in flight, the oldest of them ends first. The clock is a number. Seeds are made, and
//! outcomes dropped, in batches as large as the reader's look-ahead and outside the measured time: they are not the
//! frontier's.

use std::collections::VecDeque;
use std::hint::black_box;
use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput};
use futures::FutureExt;
use futures::stream::{self, StreamExt};
use scrape::frontier::{Frontier, Next, Options, Queue};
use scrape::job::{End, Facts, HostHint, Job, Location, Outcome, Role, Seed, Target};
use url::Url;

const JOBS: usize = 1_000_000;
const IN_FLIGHT: usize = 64;
/// As many seeds as wait between the thread that reads a list and the frontier.
const BATCH: usize = 1_024;
/// How far apart two steps are on the clock that is a number.
const STEP: Duration = Duration::from_nanos(250);

/// The seeds of `batch`: as in most lists, the hosts take turns.
fn seeds(batch: usize, hosts: usize) -> Vec<Seed> {
    let seed = |n: usize| {
        let url = format!("https://www.host-{}.example/catalogue/item-{n}.html", n % hosts);
        let at = Location { file: None, line: n as u64 };
        let target = Target { id: 0, given: url.as_str().into(), at, input: None };
        Seed { target, url: Url::parse(&url).expect("a URL"), auth: None, stored: None, role: Role::Page }
    };
    (batch * BATCH..JOBS.min((batch + 1) * BATCH)).map(seed).collect()
}

/// What comes of a job whose page is fine.
fn answer(job: Job) -> Outcome {
    Outcome {
        target: job.target,
        trail: Some(job.trail),
        fetched_at: None,
        facts: Some(Facts { status: 200, ..Facts::default() }),
        end: End::Done { rows: Vec::new(), failure: None },
        links: Vec::new(),
        hint: HostHint::default(),
        exchange: None,
        listing: None,
        mention: None,
    }
}

/// A run on a clock that is a number.
struct Run {
    queue: Queue,
    now: Instant,
    in_flight: VecDeque<Job>,
    settled: Vec<Outcome>,
}

impl Run {
    fn new(options: Options) -> Self {
        Self { queue: Queue::new(options), now: Instant::now(), in_flight: VecDeque::new(), settled: Vec::new() }
    }

    /// Takes all of `seeds`, working on what there is where there is no room for the next.
    fn take(&mut self, seeds: Vec<Seed>) {
        for seed in seeds {
            while !self.queue.has_room() {
                self.step();
            }
            self.queue.admit(seed, self.now);
        }
    }

    /// Starts a job, or ends the oldest one, or lets time pass.
    fn step(&mut self) {
        self.now += STEP;
        if self.in_flight.len() < IN_FLIGHT {
            match self.queue.next(self.now) {
                Ok(Next::Visit(job)) => return self.in_flight.push_back(*job),
                Ok(Next::Settled(outcome)) => return self.settled.push(*outcome),
                Err(Some(at)) if self.in_flight.is_empty() => self.now = at,
                Err(_) => {}
            }
        }
        let oldest = self.in_flight.pop_front();
        self.settled.extend(oldest.and_then(|job| self.queue.settle(answer(job), self.now)));
    }
}

/// The time that a run of the queue alone takes.
fn queue(hosts: usize, options: &Options) -> Duration {
    let mut run = Run::new(options.clone());
    let mut took = Duration::ZERO;
    for batch in 0..JOBS.div_ceil(BATCH) {
        let seeds = seeds(batch, hosts);
        let started = Instant::now();
        run.take(seeds);
        took += started.elapsed();
        run.settled.clear();
    }
    let started = Instant::now();
    run.queue.complete();
    while !run.queue.is_finished() {
        run.step();
    }
    took += started.elapsed();
    assert_eq!(black_box(run.queue.progress()).settled, JOBS as u64);
    took
}

/// The time that the same takes with the stream around the queue: its lock, its clock, its polling.
fn stream(hosts: usize) -> Duration {
    let frontier = Frontier::new(Options::default());
    let (mut took, mut settled) = (Duration::ZERO, Vec::new());
    for batch in 0..JOBS.div_ceil(BATCH) {
        let mut jobs = frontier.jobs(stream::iter(seeds(batch, hosts).into_iter().map(Ok)).chain(stream::pending()));
        let mut in_flight = VecDeque::new();
        let started = Instant::now();
        while let Some(Some(Next::Visit(job))) = jobs.next().now_or_never() {
            in_flight.push_back(*job);
            if in_flight.len() == IN_FLIGHT {
                settled.extend(in_flight.pop_front().and_then(|job| frontier.settle(answer(job))));
            }
        }
        settled.extend(in_flight.drain(..).filter_map(|job| frontier.settle(answer(job))));
        took += started.elapsed();
        settled.clear();
    }
    assert_eq!(black_box(frontier.progress()).settled, JOBS as u64);
    took
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("frontier");
    group.sample_size(10).throughput(Throughput::Elements(JOBS as u64));
    let usual = Options::default;
    let delay = Duration::from_millis(10);
    for (name, hosts, options) in [
        ("one host", 1, Options { per_host: NonZeroUsize::MAX, ..usual() }),
        ("10,000 hosts", 10_000, usual()),
        ("10,000 hosts, a delay each", 10_000, Options { delay, ..usual() }),
        ("10,000 hosts, in order", 10_000, Options { window: Some(scrape::frontier::WINDOW), ..usual() }),
    ] {
        group.bench_function(name, |bencher| {
            bencher.iter_custom(|iterations| (0..iterations).map(|_| queue(hosts, &options)).sum());
        });
    }
    group.bench_function("10,000 hosts, as a stream", |bencher| {
        bencher.iter_custom(|iterations| (0..iterations).map(|_| stream(10_000)).sum());
    });
    group.finish();
    criterion.final_summary();
}
