//! What holds for the queue whatever the seeds, the hosts' behaviour, the timing and the order of the outcomes.

use std::collections::{HashMap, VecDeque};
use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use url::Url;

use super::{Crawl, HostState, Limit, LimitBy, Limits, Next, Obey, Options, Progress, Queue, RetryOptions};
use crate::canonical::host_key;
use crate::failure::{Failure, Kind, Retry};
use crate::job::{End, Facts, HostHint, Job, Lack, Location, Outcome, Redirect, Rejected, Role, Seed, Target};

fn target(line: u64) -> Target {
    Target { id: 0, given: "x".into(), at: Location { file: None, line }, input: None }
}

fn seed(url: &str) -> Seed {
    Seed { target: target(1), url: Url::parse(url).unwrap(), auth: None, stored: None, role: Role::Page }
}

fn outcome(job: Job, end: End) -> Outcome {
    Outcome { end, ..Outcome::failed(job, Failure::new(Kind::Internal, "replaced")) }
}

fn done(job: Job) -> Outcome {
    outcome(job, End::Done { rows: Vec::new(), failure: None })
}

fn options() -> Options {
    Options {
        retry: RetryOptions { delay: Duration::from_millis(40), ..RetryOptions::default() },
        ..Options::default()
    }
}

fn visit(queue: &mut Queue, now: Instant) -> Option<Job> {
    match queue.next(now) {
        Ok(Next::Visit(job)) => Some(*job),
        _ => None,
    }
}

/// What a page does when it is asked.
#[derive(Clone, Debug)]
enum Page {
    Fine,
    FailsTwice,
    Fails,
    RedirectsTo(u8),
    Throttles(u64),
}

fn page() -> impl Strategy<Value = Page> {
    prop_oneof![
        4 => Just(Page::Fine),
        1 => Just(Page::FailsTwice),
        1 => Just(Page::Fails),
        1 => (0..6_u8).prop_map(Page::RedirectsTo),
        1 => (0..200_u64).prop_map(Page::Throttles),
    ]
}

fn answer(page: &Page, job: Job) -> Outcome {
    let failed =
        |kind, retry| End::Done { rows: Vec::new(), failure: Some(Failure::new(kind, "no").with_retry(retry)) };
    match page {
        Page::FailsTwice if job.trail.attempt <= 2 => outcome(job, failed(Kind::Reset, Retry::Idempotent)),
        Page::Fails => outcome(job, failed(Kind::Connect, Retry::Always)),
        Page::RedirectsTo(host) if job.trail.hops.len() < 3 => {
            let to = Url::parse(&format!("http://h{host}.test/hop")).unwrap();
            outcome(job, End::Redirect(Redirect { status: 302, to, rewrite_to_get: false, by: None }))
        }
        Page::Throttles(millis) if job.trail.attempt == 1 => {
            let hint =
                HostHint { retry_after: Some(Duration::from_millis(*millis)), throttled: true, ..HostHint::default() };
            Outcome { hint, ..outcome(job, failed(Kind::Status, Retry::Always)) }
        }
        _ => done(job),
    }
}

/// One step of a run: start something, let something that is in flight end, or let time pass.
#[derive(Clone, Debug)]
enum Step {
    Start,
    End(usize),
    Wait(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => Just(Step::Start),
        3 => any::<usize>().prop_map(Step::End),
        1 => (0..60_u64).prop_map(Step::Wait),
    ]
}

struct Run {
    queue: Queue,
    pages: Vec<Page>,
    now: Instant,
    in_flight: Vec<Job>,
    last_start: HashMap<String, Instant>,
    finals: Vec<u64>,
}

impl Run {
    fn start(&mut self, per_host: usize, delay: Duration) -> bool {
        match self.queue.next(self.now) {
            Ok(Next::Visit(job)) => {
                let host = host_key(&job.trail.url).to_owned();
                self.in_flight.push(*job);
                let same = self.in_flight.iter().filter(|job| host_key(&job.trail.url) == host).count();
                assert!(same <= per_host, "{same} in flight on {host}");
                if let Some(last) = self.last_start.insert(host, self.now) {
                    assert!(self.now - last >= delay, "started {:?} after the one before", self.now - last);
                }
                true
            }
            Ok(Next::Settled(outcome)) => {
                self.finals.push(outcome.target.id);
                true
            }
            Err(_) => false,
        }
    }

    fn end(&mut self, choice: usize) {
        if self.in_flight.is_empty() {
            return;
        }
        let job = self.in_flight.swap_remove(choice % self.in_flight.len());
        let page = self.pages[usize::try_from(job.target.id).unwrap()].clone();
        self.finals.extend(self.queue.settle(answer(&page, job), self.now).map(|outcome| outcome.target.id));
    }

    /// Goes on until nothing is left, jumping to whatever instant the queue names.
    fn finish(&mut self, per_host: usize, delay: Duration) {
        for _ in 0..20_000 {
            if self.queue.is_finished() {
                return;
            }
            if self.start(per_host, delay) {
                continue;
            }
            match self.queue.next(self.now) {
                Err(Some(at)) if self.in_flight.is_empty() => {
                    assert!(at > self.now, "asked to wait for the past");
                    self.now = at;
                }
                _ => self.end(0),
            }
        }
        panic!("the run does not end: {:?}", self.queue.progress());
    }
}

proptest! {
    #[test]
    fn every_target_ends_once_and_no_limit_is_passed(
        seeds in prop_oneof![
            3 => prop::collection::vec((0..6_u8, page()), 1..60),
            1 => prop::collection::vec((0..3_u8, prop_oneof![9 => Just(Page::Fails), 1 => page()]), 1..90),
        ],
        steps in prop::collection::vec(step(), 0..300),
        per_host in 1..4_usize,
        delay in prop_oneof![Just(0_u64), 1..30_u64],
        interval in prop::option::of(1..20_u64),
        close_at in prop::option::of(0..300_usize),
    ) {
        let delay = Duration::from_millis(delay);
        let options = Options {
            per_host: NonZeroUsize::new(per_host).unwrap(),
            delay,
            interval: interval.map(Duration::from_millis),
            keep_duplicates: true,
            ..options()
        };
        let now = Instant::now();
        let mut run = Run {
            queue: Queue::new(options),
            pages: seeds.iter().map(|(_, page)| page.clone()).collect(),
            now,
            in_flight: Vec::new(),
            last_start: HashMap::new(),
            finals: Vec::new(),
        };
        for (host, _) in &seeds {
            run.queue.admit(seed(&format!("http://h{host}.test/")), now);
        }
        run.queue.complete();
        for (n, step) in steps.into_iter().enumerate() {
            match step {
                _ if close_at == Some(n) => run.queue.close(run.now),
                Step::Start => drop(run.start(per_host, delay)),
                Step::End(choice) => run.end(choice),
                Step::Wait(millis) => run.now += Duration::from_millis(millis),
            }
        }
        run.finish(per_host, delay);
        let distinct = run.finals.iter().collect::<std::collections::HashSet<_>>().len();
        prop_assert_eq!(distinct, run.finals.len(), "a target ended twice");
        if close_at.is_none() {
            prop_assert_eq!(run.finals.len(), seeds.len());
        }
        prop_assert_eq!(run.queue.progress().settled, run.finals.len() as u64);
    }
}

#[test]
fn the_host_with_the_fewest_in_flight_is_next_and_equals_take_turns() {
    let (mut queue, now) = (Queue::new(options()), Instant::now());
    for path in ["slow.test/1", "slow.test/2", "slow.test/3", "a.test/1", "a.test/2", "b.test/1"] {
        queue.admit(seed(&format!("http://{path}")), now);
    }
    queue.complete();
    let order: Vec<_> = std::iter::from_fn(|| visit(&mut queue, now))
        .map(|job| job.trail.url.as_str().trim_start_matches("http://").to_owned())
        .collect();
    assert_eq!(order, ["slow.test/1", "a.test/1", "b.test/1", "slow.test/2", "a.test/2", "slow.test/3"]);
}

#[test]
fn the_first_lines_of_a_list_do_not_get_all_slots_before_the_next_ones_are_read() {
    let (mut queue, now) = (Queue::new(options()), Instant::now());
    (0..3).for_each(|n| queue.admit(seed(&format!("http://slow.test/{n}")), now));
    assert!(visit(&mut queue, now).is_some());
    let later = queue.next(now).unwrap_err().expect("an instant");
    queue.admit(seed("http://fast.test/"), now);
    assert_eq!(host_key(&visit(&mut queue, now).unwrap().trail.url), "fast.test");
    assert!(later <= now + Duration::from_millis(20));
    assert!(visit(&mut queue, later).is_some(), "a list that comes slowly does not hold anything up for long");
    queue.complete();
    assert!(visit(&mut queue, now).is_some(), "nor does a list that has ended");
}

#[test]
fn duplicates_are_counted_and_dropped_unless_they_are_kept() {
    let now = Instant::now();
    for (keep_duplicates, expected) in [(false, (1, 2)), (true, (3, 0))] {
        let mut queue = Queue::new(Options { keep_duplicates, ..options() });
        for url in ["http://a.test/x", "http://A.test:80/x", "http://a.test/x"] {
            queue.admit(seed(url), now);
        }
        let progress = queue.progress();
        assert_eq!((progress.targets, progress.duplicates), expected);
    }
}

#[test]
fn what_a_host_asks_for_pauses_the_host_and_not_the_others() {
    let (mut queue, now) = (Queue::new(options()), Instant::now());
    for url in ["http://a.test/1", "http://a.test/2", "http://b.test/1"] {
        queue.admit(seed(url), now);
    }
    queue.complete();
    let job = visit(&mut queue, now).unwrap();
    assert!(queue.settle(answer(&Page::Throttles(500), job), now).is_none());
    let other = visit(&mut queue, now).unwrap();
    assert_eq!(host_key(&other.trail.url), "b.test");
    assert_eq!(queue.next(now).unwrap_err(), Some(now + Duration::from_millis(500)));
    let later = now + Duration::from_millis(500);
    assert_eq!(visit(&mut queue, later).unwrap().trail.attempt, 2, "begun work goes first");
    assert!(visit(&mut queue, later).is_some());
}

#[test]
fn a_limit_counts_targets_and_lines_that_are_no_urls() {
    let mut queue = Queue::new(Options { limits: Limits { targets: Some(2), ..Limits::default() }, ..options() });
    queue.reject(Rejected { target: target(1), reason: "no".into() });
    assert!(queue.wants_more());
    queue.admit(seed("http://a.test/"), Instant::now());
    assert!(!queue.wants_more());
}

#[test]
fn a_page_that_was_done_before_is_counted_once_and_dropped_and_counts_towards_the_limit_of_targets() {
    let mut queue = Queue::new(Options { limits: Limits { targets: Some(2), ..Limits::default() }, ..options() });
    let now = Instant::now();
    assert!(queue.skip(&Url::parse("http://a.test/").unwrap()));
    assert!(!queue.skip(&Url::parse("http://a.test/#top").unwrap()), "it is the same page");
    queue.admit(seed("http://a.test/"), now);
    queue.admit(seed("http://a.test/"), now);
    assert!(visit(&mut queue, now).is_none());
    queue.admit(seed("http://b.test/"), now);
    assert!(!queue.wants_more());
    let Progress { targets, done_before, duplicates, .. } = queue.progress();
    assert_eq!((targets, done_before, duplicates), (1, 1, 1));
}

/// Takes `pages` as long as they are wanted, all at once, and settles them in turn; gives the final outcomes.
fn take(options: Options, pages: &[Page]) -> (Vec<Outcome>, Progress) {
    let (mut queue, mut now) = (Queue::new(options), Instant::now());
    let (mut pages, mut finals) = (pages.iter().cycle().take(1000).enumerate(), Vec::new());
    let (mut scripts, mut flying) = (HashMap::new(), VecDeque::new());
    loop {
        while queue.wants_more() && queue.has_room() {
            let Some((n, page)) = pages.next() else { break };
            let url = format!("http://{n}.test/");
            scripts.insert(url.clone(), page.clone());
            queue.admit(seed(&url), now);
        }
        if !queue.wants_more() {
            queue.complete();
        }
        // Whatever waits has waited long enough.
        now += Duration::from_mins(2);
        flying.extend(std::iter::from_fn(|| visit(&mut queue, now)));
        let Some(job) = flying.pop_front() else { break };
        let page = scripts.get(job.trail.seed_url().as_str()).cloned().unwrap_or(Page::Fine);
        finals.extend(queue.settle(answer(&page, job), now));
    }
    (finals, queue.progress())
}

#[test]
fn the_limit_of_pages_holds_to_the_page_whatever_fails() {
    let pages = [Page::Fine, Page::Fails, Page::RedirectsTo(1), Page::FailsTwice, Page::Fails];
    for limit in [1, 2, 7, 100] {
        let limits = Limits { pages: Some(limit), ..Limits::default() };
        let (finals, progress) = take(Options { limits, ..options() }, &pages);
        let fetched = finals.iter().filter(|outcome| outcome.failure().is_none()).count();
        assert_eq!(u64::try_from(fetched).unwrap(), limit);
        assert_eq!(progress.limit, Some(Limit::Pages));
        assert_eq!(progress.targets, progress.settled, "no target was taken in vain");
    }
}

#[test]
fn at_the_limit_of_bytes_what_was_begun_ends_and_what_was_not_is_dropped() {
    let (mut queue, now) =
        (Queue::new(Options { limits: Limits { bytes: Some(100), ..Limits::default() }, ..options() }), Instant::now());
    for n in 0..12 {
        queue.admit(seed(&format!("http://a.test/{n}")), now);
    }
    queue.complete();
    let begun: Vec<_> = std::iter::from_fn(|| visit(&mut queue, now)).collect();
    assert_eq!(begun.len(), 8);
    let mut begun = begun.into_iter();
    assert!(
        queue.settle(answer(&Page::FailsTwice, begun.next().unwrap()), now).is_none(),
        "it waits to be tried again"
    );
    let large = |job| Outcome { facts: Some(Facts { bytes: Some(60), ..Facts::default() }), ..done(job) };
    assert!(queue.settle(large(begun.next().unwrap()), now).is_some() && queue.wants_more());
    assert!(queue.settle(large(begun.next().unwrap()), now).is_some() && !queue.wants_more());
    assert!(begun.all(|job| queue.settle(done(job), now).is_some()));
    assert!(!queue.is_finished());
    let later = now + Duration::from_mins(1);
    let again = visit(&mut queue, later).unwrap();
    assert_eq!(again.trail.attempt, 2);
    assert!(queue.settle(done(again), later).is_some() && queue.is_finished());
    assert_eq!((queue.progress().settled, queue.progress().limit), (8, Some(Limit::Bytes)));
}

#[test]
fn a_host_keeps_its_turn_when_more_is_queued_for_it() {
    let (mut queue, now) = (Queue::new(options()), Instant::now());
    for url in ["http://a.test/1", "http://b.test/1", "http://a.test/2"] {
        queue.admit(seed(url), now);
    }
    queue.complete();
    let urls: Vec<_> = std::iter::from_fn(|| visit(&mut queue, now)).map(|job| String::from(job.trail.url)).collect();
    assert_eq!(urls, ["http://a.test/1", "http://b.test/1", "http://a.test/2"]);
}

#[test]
fn the_window_keeps_targets_close_to_the_oldest_open_one() {
    let window = NonZeroUsize::new(2);
    let (mut queue, now) = (Queue::new(Options { window, ..options() }), Instant::now());
    queue.admit(seed("http://a.test/"), now);
    queue.admit(seed("http://b.test/"), now);
    let (first, second) = (visit(&mut queue, now).unwrap(), visit(&mut queue, now).unwrap());
    assert!(queue.settle(done(second), now).is_some());
    assert!(!queue.has_room(), "the oldest is still open");
    assert!(queue.settle(done(first), now).is_some());
    assert!(queue.has_room());
}

#[test]
fn a_closed_queue_drops_what_never_started_and_reports_what_waits_as_it_failed() {
    let (mut queue, now) = (Queue::new(options()), Instant::now());
    for url in ["http://a.test/1", "http://b.test/1", "http://c.test/1", "http://d.test/1"] {
        queue.admit(seed(url), now);
    }
    queue.complete();
    let [waits, hops, flies] = [(); 3].map(|()| visit(&mut queue, now).unwrap());
    assert!(queue.settle(answer(&Page::Fails, waits), now).is_none());
    assert!(queue.settle(answer(&Page::RedirectsTo(1), hops), now).is_none());
    queue.close(now);
    let kinds = [(); 2].map(|()| match queue.next(now) {
        Ok(Next::Settled(outcome)) => outcome.failure().unwrap().kind,
        next => panic!("{next:?}"),
    });
    assert_eq!(kinds, [Kind::Connect, Kind::Cancelled], "a retry ends as it failed, a hop that waits as cancelled");
    queue.admit(seed("http://e.test/late"), now);
    assert!(queue.settle(answer(&Page::RedirectsTo(1), flies), now).is_none());
    let hop = visit(&mut queue, now).expect("what is in flight is followed to its end");
    assert!(queue.settle(answer(&Page::Fails, hop), now).is_some(), "no retry any more");
    assert!(queue.is_finished());
}

#[test]
fn a_host_that_must_not_be_asked_yet_does_not_hold_up_the_end() {
    let delay = Duration::from_secs(30);
    let (mut queue, now) = (Queue::new(Options { delay, ..options() }), Instant::now());
    queue.admit(seed("http://h1.test/hop"), now);
    let job = visit(&mut queue, now).unwrap();
    queue.close(now);
    let outcome = queue.settle(answer(&Page::RedirectsTo(1), job), now).expect("the hop would have to wait");
    assert_eq!(outcome.failure().unwrap().kind, Kind::Cancelled);
    assert!(queue.is_finished());
}

#[test]
fn a_job_for_which_there_was_no_connection_goes_back_uncounted() {
    let (mut queue, now) = (Queue::new(options()), Instant::now());
    queue.admit(seed("http://a.test/"), now);
    queue.complete();
    let job = visit(&mut queue, now).unwrap();
    let mut starved = answer(&Page::Fails, job);
    starved.hint.lack = Some(Lack::Connections);
    assert!(queue.settle(starved, now).is_none());
    let at = queue.next(now).unwrap_err().expect("a pause");
    assert_eq!(visit(&mut queue, at).unwrap().trail.attempt, 1);
}

#[test]
fn jobs_that_starve_together_share_one_pause() {
    let (mut queue, now) = (Queue::new(options()), Instant::now());
    (0..200).for_each(|n| queue.admit(seed(&format!("http://h{n}.test/")), now));
    queue.complete();
    let jobs: Vec<_> = std::iter::from_fn(|| visit(&mut queue, now)).collect();
    assert_eq!(jobs.len(), 200);
    for job in jobs {
        let mut starved = answer(&Page::Fails, job);
        starved.hint.lack = Some(Lack::Connections);
        assert!(queue.settle(starved, now).is_none());
    }
    assert_eq!(queue.next(now).unwrap_err(), Some(now + Duration::from_millis(500)));
}

#[test]
fn closing_once_more_ends_what_waits_for_the_rate() {
    let interval = Some(Duration::from_secs(10));
    let (mut queue, now) = (Queue::new(Options { interval, ..options() }), Instant::now());
    queue.admit(seed("http://a.test/"), now);
    let job = visit(&mut queue, now).unwrap();
    queue.close(now);
    assert!(queue.settle(answer(&Page::RedirectsTo(1), job), now).is_none());
    assert!(queue.next(now).is_err(), "the rate lets nothing start");
    queue.close(now);
    let Ok(Next::Settled(outcome)) = queue.next(now) else { panic!("it ends") };
    assert_eq!(outcome.failure().unwrap().kind, Kind::Cancelled);
    assert!(queue.is_finished());
}

#[test]
fn connections_are_kept_as_long_as_there_are_not_too_many_hosts() {
    let (mut queue, now) = (Queue::new(Options { connections: 2, ..options() }), Instant::now());
    let mut kept = |now| {
        let kept = (0..4).map(|n| {
            queue.admit(seed(&format!("http://h{n}.test/{now:?}")), now);
            let job = visit(&mut queue, now).unwrap();
            let is_kept = job.trail.keep_alive;
            let _ = queue.settle(done(job), now);
            is_kept
        });
        kept.collect::<Vec<_>>()
    };
    assert_eq!(kept(now), [true, true, false, false]);
    assert_eq!(kept(now + Duration::from_secs(6)), [true, true, false, false], "the first ones have timed out");
}

#[test]
fn lines_that_carry_much_are_not_read_far_ahead() {
    let (mut queue, now) = (Queue::new(options()), Instant::now());
    let input = serde_json::value::to_raw_value(&"x".repeat(1 << 20)).unwrap();
    for n in 0..64 {
        assert!(queue.has_room(), "{n}");
        let mut seed = seed(&format!("http://a.test/{n}"));
        seed.target.input = Some(std::sync::Arc::from(input.clone()));
        queue.admit(seed, now);
    }
    assert!(!queue.has_room());
    let job = visit(&mut queue, now).unwrap();
    assert!(queue.settle(done(job), now).is_some());
    assert!(queue.has_room());
}

#[test]
fn lanes_go_when_they_have_nothing_to_do() {
    let delay = Duration::from_secs(1);
    let (mut queue, mut now) = (Queue::new(Options { delay, ..options() }), Instant::now());
    for n in 0..10_000 {
        queue.admit(seed(&format!("http://h{n}.test/")), now);
        let job = visit(&mut queue, now).unwrap();
        let _ = queue.settle(done(job), now);
        now += Duration::from_millis(10);
    }
    assert!(queue.lanes().len() <= 101, "{} lanes", queue.lanes().len());
}

/// What bodies that grow step by step do in a memory of limited size.
struct Bodies {
    queue: Queue,
    free: usize,
    /// Each job with what its body has taken, and how large it will be.
    growing: Vec<(Job, usize, usize)>,
    ended: Vec<Outcome>,
}

impl Bodies {
    const MEMORY: usize = 12;
    const LARGEST: usize = 10;

    /// Starts what may start now: what found no memory once has room for the largest body there is, or none.
    fn start(&mut self, sizes: &[usize], concurrency: usize, now: Instant) {
        while self.growing.len() < concurrency
            && let Some(job) = visit(&mut self.queue, now)
        {
            let size = sizes[usize::try_from(job.target.id).unwrap()];
            let taken = if job.trail.is_large { Self::LARGEST } else { 0 };
            if taken > self.free {
                self.settle(job, Some(Lack::Memory), now);
            } else {
                self.free -= taken;
                self.growing.push((job, taken, size));
            }
        }
    }

    /// Lets one body grow, end, or find no memory.
    fn grow(&mut self, choice: usize, now: Instant) {
        let at = choice % self.growing.len();
        let (_, taken, size) = &mut self.growing[at];
        if *taken < *size && self.free > 0 {
            (*taken, self.free) = (*taken + 1, self.free - 1);
            return;
        }
        let lack = (*taken < *size).then_some(Lack::Memory);
        let (job, taken, _) = self.growing.swap_remove(at);
        self.free += taken;
        self.settle(job, lack, now);
    }

    fn settle(&mut self, job: Job, lack: Option<Lack>, now: Instant) {
        let mut outcome = if lack.is_some() { answer(&Page::Fails, job) } else { done(job) };
        outcome.hint.lack = lack;
        self.ended.extend(self.queue.settle(outcome, now));
    }
}

proptest! {
    #[test]
    fn every_body_finds_memory_in_the_end_whatever_the_order(
        sizes in prop::collection::vec(1..=Bodies::LARGEST, 1..60),
        concurrency in 1..20_usize,
        choices in prop::collection::vec(any::<usize>(), 1..200),
    ) {
        let now = Instant::now();
        let options = Options { per_host: NonZeroUsize::new(4).unwrap(), ..options() };
        let mut bodies =
            Bodies { queue: Queue::new(options), free: Bodies::MEMORY, growing: Vec::new(), ended: Vec::new() };
        for n in 0..sizes.len() {
            bodies.queue.admit(seed(&format!("http://h{}.test/{n}", n % 7)), now);
        }
        bodies.queue.complete();
        let mut choices = choices.into_iter().cycle();
        for _ in 0..20_000 {
            bodies.start(&sizes, concurrency, now);
            if bodies.growing.is_empty() {
                break;
            }
            bodies.grow(choices.next().unwrap(), now);
        }
        prop_assert!(bodies.queue.is_finished());
        prop_assert_eq!((bodies.ended.len(), bodies.free), (sizes.len(), Bodies::MEMORY));
        prop_assert!(bodies.ended.iter().all(|outcome| outcome.failure().is_none()));
        prop_assert!(bodies.ended.iter().all(|outcome| outcome.trail.as_ref().unwrap().attempt == 1));
    }
}

#[test]
fn a_closed_queue_tells_of_what_was_to_be_asked_for_again_for_want_of_memory() {
    let (mut queue, now) = (Queue::new(options()), Instant::now());
    (0..2).for_each(|n| queue.admit(seed(&format!("http://h{n}.test/")), now));
    queue.complete();
    let [first, second] = [(); 2].map(|()| visit(&mut queue, now).unwrap());
    let lacking = |job| {
        let mut outcome = answer(&Page::Fails, job);
        outcome.hint.lack = Some(Lack::Memory);
        outcome
    };
    assert!(queue.settle(lacking(first), now).is_none());
    queue.close(now);
    assert!(
        matches!(queue.next(now), Ok(Next::Settled(outcome)) if outcome.failure().unwrap().kind == Kind::Cancelled)
    );
    assert!(queue.settle(lacking(second), now).is_some(), "it is not asked for again any more");
    assert!(queue.is_finished());
}

/// Settles a job as one whose host could not be reached.
fn unreached(queue: &mut Queue, job: Job, now: Instant) -> Option<Outcome> {
    queue.settle(answer(&Page::Fails, job), now)
}

fn end(next: Result<Next, Option<Instant>>) -> Outcome {
    match next {
        Ok(Next::Settled(outcome)) => *outcome,
        next => panic!("{next:?}"),
    }
}

/// A queue with so many URLs at each of these hosts, and no more to come.
fn queue_of(options: Options, urls: usize, hosts: &[&str], now: Instant) -> Queue {
    let mut queue = Queue::new(options);
    for host in hosts {
        (0..urls).for_each(|n| queue.admit(seed(&format!("http://{host}/{n}")), now));
    }
    queue.complete();
    queue
}

/// Runs until something lets `host` be asked no more: what is asked there fails, all else is fine. Gives what was asked there,
/// and when; each failure; and when it ended.
fn run_with_dead(queue: &mut Queue, host: &str, now: Instant) -> (Vec<Duration>, Vec<Kind>, Duration) {
    let (mut asked, mut kinds, mut at) = (Vec::new(), Vec::new(), now);
    while !queue.is_finished() {
        assert!(at < now + Duration::from_hours(1), "{:?}", queue.progress());
        let ended = match queue.next(at) {
            Ok(Next::Visit(job)) if host_key(&job.trail.url) == host => {
                asked.push(at - now);
                unreached(queue, *job, at)
            }
            Ok(Next::Visit(job)) => queue.settle(done(*job), at),
            Ok(Next::Settled(outcome)) => Some(*outcome),
            Err(Some(next)) => {
                at = next;
                None
            }
            Err(None) => panic!("nothing is waited for: {:?}", queue.progress()),
        };
        kinds.extend(ended.and_then(|outcome| outcome.failure().map(|failure| failure.kind)));
    }
    (asked, kinds, at - now)
}

fn count(kinds: &[Kind], kind: Kind) -> usize {
    kinds.iter().filter(|&&one| one == kind).count()
}

#[test]
fn a_dead_host_is_given_up_after_ten_failures_and_four_probes() {
    let now = Instant::now();
    let retry = RetryOptions { retries: 0, ..RetryOptions::default() };
    let mut queue = queue_of(Options { retry, ..Options::default() }, 5000, &["dead.test", "a.test"], now);
    let (asked, kinds, took) = run_with_dead(&mut queue, "dead.test", now);
    let seconds: Vec<_> = asked.iter().skip(10).map(Duration::as_secs).collect();
    assert_eq!((asked.len(), seconds), (14, vec![1, 3, 7, 15]));
    assert_eq!((count(&kinds, Kind::Connect), count(&kinds, Kind::HostDown)), (14, 4986));
    assert!(took < Duration::from_secs(16), "{took:?}");
    let [given_up] = &queue.given_up()[..] else { panic!("{:?}", queue.given_up()) };
    assert_eq!((&*given_up.origin, given_up.urls), ("http://dead.test", 4986));
}

#[test]
fn urls_of_a_dead_host_that_come_later_are_not_asked_for_and_a_rate_does_not_delay_their_end() {
    let now = Instant::now();
    let retry = RetryOptions { retries: 0, ..RetryOptions::default() };
    let interval = Some(Duration::from_millis(100));
    let mut queue = queue_of(Options { interval, retry, ..Options::default() }, 50, &["dead.test"], now);
    let (_, _, took) = run_with_dead(&mut queue, "dead.test", now);
    let later = now + took;
    (50..3000).for_each(|n| queue.admit(seed(&format!("http://dead.test/{n}")), later));
    let (asked, kinds, took) = run_with_dead(&mut queue, "dead.test", later);
    assert_eq!((asked.len(), kinds.len()), (0, 2950));
    assert!(took <= Duration::from_millis(100), "{took:?}");
    let much_later = later + Duration::from_hours(1);
    queue.admit(seed("http://dead.test/again"), much_later);
    assert!(visit(&mut queue, much_later).is_some(), "it may be back");
}

#[test]
fn a_list_of_fewer_than_ten_urls_of_a_dead_host_ends_as_if_it_had_no_circuit() {
    let now = Instant::now();
    let mut queue = queue_of(options(), 9, &["dead.test"], now);
    let (asked, kinds, took) = run_with_dead(&mut queue, "dead.test", now);
    assert_eq!((asked.len(), count(&kinds, Kind::Connect)), (27, 9), "each is tried three times");
    assert!(took <= Duration::from_millis(40 + 80), "{took:?}");
    assert_eq!(queue.given_up(), []);
}

#[test]
fn what_waits_to_be_tried_again_when_its_host_is_given_up_ends_as_it_failed() {
    let now = Instant::now();
    let mut queue = queue_of(options(), 100, &["dead.test"], now);
    let (asked, kinds, _) = run_with_dead(&mut queue, "dead.test", now);
    assert_eq!(asked.len(), 14);
    assert_eq!(kinds.len(), 100);
    assert!(count(&kinds, Kind::Connect) >= 1 && count(&kinds, Kind::HostDown) >= 86, "{kinds:?}");
}

/// Fails ten jobs of a queue that has them, so that their host is parked; the instant of the probe.
fn park(queue: &mut Queue, now: Instant) -> Instant {
    for _ in 0..10 {
        let job = visit(queue, now).unwrap();
        let _ = unreached(queue, job, now);
    }
    queue.next(now).unwrap_err().expect("the probe waits")
}

#[test]
fn one_good_answer_closes_the_circuit_and_the_host_recovers_step_by_step() {
    let now = Instant::now();
    let retry = RetryOptions { retries: 0, ..RetryOptions::default() };
    let mut queue = queue_of(Options { retry, ..Options::default() }, 100, &["a.test"], now);
    let at = park(&mut queue, now);
    assert_eq!(queue.hosts(1, now)[0].state, HostState::Parked);
    let probe = visit(&mut queue, at).unwrap();
    assert!(visit(&mut queue, at).is_none(), "one at a time");
    let fine = Outcome { facts: Some(Facts { status: 200, ..Facts::default() }), ..done(probe) };
    assert!(queue.settle(fine, at).is_some());
    let next: Vec<_> = std::iter::from_fn(|| visit(&mut queue, at)).collect();
    assert_eq!(next.len(), 2, "{:?}", queue.hosts(1, at));
    for job in next {
        assert!(unreached(&mut queue, job, at).is_some());
    }
    assert!(visit(&mut queue, at).is_some(), "failures are counted anew");
    assert_eq!(queue.given_up(), []);
}

#[test]
fn a_probe_that_asks_nobody_is_none() {
    let now = Instant::now();
    let retry = RetryOptions { retries: 0, ..RetryOptions::default() };
    let mut queue = queue_of(Options { retry, ..Options::default() }, 100, &["a.test"], now);
    let at = park(&mut queue, now);
    let mut cached = done(visit(&mut queue, at).unwrap());
    cached.hint.unasked = true;
    assert!(queue.settle(cached, at).is_some());
    let probe = visit(&mut queue, at).expect("the next one is the probe");
    assert!(unreached(&mut queue, probe, at).is_some());
    assert_eq!(queue.next(at).unwrap_err(), Some(at + Duration::from_secs(2)));
}

#[test]
fn any_answer_in_between_and_any_failure_of_another_kind_leaves_a_host_as_it_is() {
    let now = Instant::now();
    let retry = RetryOptions { retries: 0, ..RetryOptions::default() };
    let mut queue = queue_of(Options { retry, ..Options::default() }, 400, &["a.test"], now);
    for n in 0..400 {
        let job = visit(&mut queue, now).unwrap_or_else(|| panic!("{n}"));
        let kind = [Kind::Connect, Kind::Protocol, Kind::Truncated][n % 3];
        let mut outcome = outcome(job, End::failed(Failure::new(kind, "no")));
        if n % 9 == 8 {
            outcome.facts = Some(Facts { status: 500, ..Facts::default() });
        }
        assert!(queue.settle(outcome, now).is_some());
    }
    assert!(queue.is_finished());
}

#[test]
fn another_port_of_a_dead_host_is_asked_all_the_same() {
    let now = Instant::now();
    let retry = RetryOptions { retries: 0, ..RetryOptions::default() };
    let mut queue = Queue::new(Options { retry, ..Options::default() });
    (0..100).for_each(|n| queue.admit(seed(&format!("http://a.test:81/{n}")), now));
    (0..100).for_each(|n| queue.admit(seed(&format!("http://a.test/{n}")), now));
    queue.complete();
    let (mut at, mut fine, mut down) = (now, 0, 0);
    while !queue.is_finished() {
        match queue.next(at) {
            Ok(Next::Visit(job)) if job.trail.url.port().is_some() => drop(unreached(&mut queue, *job, at)),
            Ok(Next::Visit(job)) => fine += u32::from(queue.settle(done(*job), at).is_some()),
            Ok(Next::Settled(_)) => down += 1,
            Err(next) => at = next.expect("something waits"),
        }
    }
    assert_eq!((fine, down), (100, 86));
}

#[test]
fn closing_ends_what_is_parked_at_once() {
    let now = Instant::now();
    let mut queue = queue_of(options(), 100, &["a.test"], now);
    park(&mut queue, now);
    queue.close(now);
    let kinds: Vec<_> = (0..10).map(|_| end(queue.next(now)).failure().unwrap().kind).collect();
    assert_eq!(kinds, [Kind::Connect; 10], "what had been tried ends as it failed, the rest is dropped");
    assert!(queue.is_finished());
}

#[test]
fn a_timeout_halves_what_its_host_is_asked_for_at_once() {
    let now = Instant::now();
    let mut queue = queue_of(options(), 100, &["a.test"], now);
    let jobs: Vec<_> = std::iter::from_fn(|| visit(&mut queue, now)).collect();
    assert_eq!(jobs.len(), 8);
    for job in jobs {
        let mut late = outcome(job, End::failed(Failure::new(Kind::Timeout, "no answer in time")));
        late.facts = Some(Facts { status: 200, ..Facts::default() });
        let _ = queue.settle(late, now);
    }
    assert_eq!(std::iter::from_fn(|| visit(&mut queue, now)).count(), 4);
    let [slowed] = &queue.slowed()[..] else { panic!("{:?}", queue.slowed()) };
    assert_eq!((&*slowed.host, slowed.timeouts, slowed.limit), ("a.test", 8, 4));
}

#[test]
fn hosts_of_one_domain_share_their_limits_where_that_is_wanted() {
    let now = Instant::now();
    for (limit_by, expected) in [(LimitBy::Host, 24), (LimitBy::Domain, 16)] {
        let mut queue =
            queue_of(Options { limit_by, ..options() }, 20, &["a.shop.co.uk", "b.shop.co.uk", "other.co.uk"], now);
        assert_eq!(std::iter::from_fn(|| visit(&mut queue, now)).count(), expected);
        let names: Vec<_> = queue.hosts(9, now).iter().map(|host| host.name.to_string()).collect();
        match limit_by {
            LimitBy::Domain => assert_eq!(names, ["shop.co.uk", "other.co.uk"]),
            _ => assert_eq!(names, ["a.shop.co.uk", "b.shop.co.uk", "other.co.uk"]),
        }
    }
}

/// Answers a question for an address by its host's name.
fn tell_address(queue: &mut Queue, job: Job, now: Instant) {
    assert_eq!(job.trail.role, Role::Address);
    let address = match job.trail.url.host_str() {
        Some("alone.test") => None,
        Some("far.test") => Some([192, 0, 2, 2].into()),
        _ => Some([192, 0, 2, 1].into()),
    };
    assert!(queue.settle(outcome(job, End::Address(address)), now).is_none());
}

#[test]
fn hosts_at_one_address_share_their_limits_once_it_is_known_and_nobody_else_waits_for_that() {
    let now = Instant::now();
    let hosts = ["a.test", "b.test", "alone.test", "192.0.2.1", "far.test"];
    let mut queue = queue_of(Options { limit_by: LimitBy::Ip, ..options() }, 20, &hosts, now);
    let first: Vec<_> = std::iter::from_fn(|| visit(&mut queue, now)).collect();
    let (asked, pages): (Vec<_>, Vec<_>) = first.into_iter().partition(|job| job.trail.role == Role::Address);
    assert_eq!((asked.len(), pages.len()), (4, 8), "what has its address in the URL goes on");
    for job in asked {
        tell_address(&mut queue, job, now);
    }
    let mut started: Vec<_> = std::iter::from_fn(|| visit(&mut queue, now)).collect();
    let of = |jobs: &[Job], host| jobs.iter().filter(|job| job.trail.url.host_str() == Some(host)).count();
    assert_eq!(hosts.map(|host| of(&started, host)), [0, 0, 8, 0, 8], "the eight of that address are taken");
    let names: Vec<_> = queue.hosts(9, now).iter().map(|host| host.name.to_string()).collect();
    assert_eq!(names, ["192.0.2.1", "192.0.2.2", "alone.test"]);
    started.extend(pages);
    let mut order = Vec::new();
    while !started.is_empty() {
        for job in std::mem::take(&mut started) {
            order.push(job.trail.url.to_string());
            let _ = queue.settle(outcome(job, End::Done { rows: Vec::new(), failure: None }), now);
        }
        started.extend(std::iter::from_fn(|| visit(&mut queue, now)));
        assert!(started.len() <= 24);
    }
    assert_eq!((order.len(), queue.progress().queued, queue.progress().in_flight), (100, 0, 0));
    for host in hosts {
        let of_host: Vec<_> = order.iter().filter(|url| url.contains(&format!("//{host}/"))).collect();
        let number = |url: &&String| url.rsplit('/').next().unwrap().parse::<u32>().unwrap();
        assert!(of_host.iter().map(number).is_sorted(), "{of_host:?}");
    }
}

#[test]
fn a_run_that_is_closed_while_an_address_is_asked_for_ends() {
    let now = Instant::now();
    let mut queue = queue_of(Options { limit_by: LimitBy::Ip, ..options() }, 3, &["a.test"], now);
    let job = visit(&mut queue, now).unwrap();
    assert!(visit(&mut queue, now).is_none());
    queue.close(now);
    assert!(!queue.is_finished());
    tell_address(&mut queue, job, now);
    assert!(queue.is_finished() && visit(&mut queue, now).is_none());
    assert_eq!(queue.lanes().len(), 0);
}

#[test]
fn the_busiest_hosts_are_told_with_how_they_stand() {
    let (mut queue, now) = (Queue::new(options()), Instant::now());
    for (host, urls) in [("few.test", 1), ("many.test", 30), ("some.test", 3)] {
        (0..urls).for_each(|n| queue.admit(seed(&format!("http://{host}/{n}")), now));
    }
    queue.complete();
    let jobs: Vec<_> = std::iter::from_fn(|| visit(&mut queue, now)).collect();
    let told = |queue: &Queue| -> Vec<_> {
        let told = queue.hosts(2, now).into_iter();
        told.map(|host| (host.name.to_string(), host.in_flight, host.queued, host.limit, host.state)).collect()
    };
    let usual = HostState::Usual;
    assert_eq!(told(&queue), [("many.test".into(), 8, 22, 8, usual), ("some.test".into(), 3, 0, 8, usual)]);
    let busy = jobs.into_iter().find(|job| host_key(&job.trail.url) == "many.test").unwrap();
    assert!(queue.settle(answer(&Page::Throttles(9000), busy), now).is_none());
    assert_eq!(told(&queue)[0], ("many.test".into(), 7, 22, 4, HostState::BackingOff));
    assert_eq!(queue.hosts(1, now)[0].waits, Some(Duration::from_secs(9)));
}

#[test]
fn a_hop_that_may_not_be_followed_makes_room_for_a_page_that_waits_for_it() {
    let (limits, obey) = (Limits { pages: Some(1), ..Limits::default() }, Obey::Always);
    let options = Options { limits, obey, crawl: Some(Crawl::default()), ..options() };
    let (mut queue, now) = (Queue::new(options), Instant::now());
    (0..2).for_each(|n| queue.admit(seed(&format!("http://h1.test/{n}")), now));
    queue.complete();
    let rules = |queue: &mut Queue, text: &str| {
        let job = visit(queue, now).unwrap();
        assert_eq!(job.trail.role, Role::Robots);
        assert!(
            queue
                .settle(
                    outcome(job, End::Robots { status: Some(200), body: text.into(), by: None, failure: None }),
                    now
                )
                .is_none()
        );
    };
    rules(&mut queue, "");
    let first = visit(&mut queue, now).unwrap();
    assert!(visit(&mut queue, now).is_none(), "one page at most");
    assert!(queue.settle(answer(&Page::RedirectsTo(2), first), now).is_none());
    rules(&mut queue, "User-agent: *\nDisallow: /");
    assert_eq!(end(queue.next(now)).failure().unwrap().kind, Kind::Robots);
    let second = visit(&mut queue, now).expect("it is the one page now");
    assert!(queue.settle(done(second), now).is_some() && queue.is_finished());
}
