//! What a list comes to before anybody is asked: the queue itself, by a clock that leaps from one event to the next.
//!
//! Each page takes the same time in it, comes at the first attempt and leads nowhere. All else is as in a run: which URLs are
//! duplicates, whose turn it is, how far the list is read ahead.

use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use futures::{Stream, StreamExt};

use super::census::Census;
use super::{Limit, Next, Options, Queue};
use crate::canonical::host_key;
use crate::job::{End, Facts, Job, Location, Outcome, Rejected, Role, Seed};

/// So many lines that are told of are kept.
const LINES: usize = 1_000;

/// What is supposed of a run.
#[derive(Clone, Debug)]
pub struct Suppositions {
    /// How many visits are in flight at most.
    pub concurrency: NonZeroUsize,
    /// How long each of them takes.
    pub latency: Duration,
    /// How many hosts are to be named.
    pub hosts: usize,
}

/// What a list comes to.
#[derive(Clone, Debug)]
pub struct Forecast {
    /// URLs to fetch.
    pub urls: u64,
    /// URLs whose answers an archive has.
    pub stored: u64,
    /// URLs that are dropped because they were named before.
    pub duplicates: Told,
    /// Lines that are no URL.
    pub bad: Told,
    /// How many hosts are asked.
    pub hosts: usize,
    /// Those with the most URLs, the largest first.
    pub largest: Vec<Share>,
    /// How long it takes.
    pub time: Duration,
    /// What makes it take so long; none where nothing is fetched.
    pub bound: Option<Bound>,
    /// The most requests that are in flight at once.
    pub in_flight: usize,
    /// Which limit ends it.
    pub limit: Option<Limit>,
}

/// Lines of which there is something to tell.
#[derive(Clone, Debug, Default)]
pub struct Told {
    /// How many there are.
    pub count: u64,
    /// The first 1,000 of them.
    pub lines: Vec<Line>,
}

/// A line of which there is something to tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Where it stands.
    pub at: Location,
    /// Its URL as given, or what it has in the place of one.
    pub given: Box<str>,
    /// Why it is no URL; none where it is one.
    pub reason: Option<String>,
}

/// A host's part of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Share {
    /// The host.
    pub host: Box<str>,
    /// How many URLs it has.
    pub urls: u64,
    /// How long it takes to ask for them, if nothing else is in the way.
    pub time: Duration,
}

/// What a run takes its time for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// The pace at which its largest host is asked.
    Host,
    /// How many requests may be in flight.
    Concurrency,
    /// How many requests may start in a time.
    Rate,
    /// The order of the list: URLs of few hosts stand together for longer than it is read ahead.
    Order,
}

impl Told {
    fn add(&mut self, at: &Location, given: &str, reason: Option<String>) {
        self.count += 1;
        if self.lines.len() < LINES {
            self.lines.push(Line { at: at.clone(), given: given.into(), reason });
        }
    }
}

/// Plays a run with these options to its end.
pub async fn rehearse<S>(options: Options, supposed: &Suppositions, mut seeds: S) -> Forecast
where
    S: Stream<Item = Result<Seed, Rejected>> + Unpin,
{
    let mut play = Play::new(options, supposed);
    loop {
        while play.wants_a_seed() {
            match seeds.next().await {
                Some(seed) => play.take(seed),
                None => play.queue.complete(),
            }
        }
        if !play.queue.wants_more() {
            play.queue.complete();
        }
        if !play.go_on() {
            return play.forecast();
        }
    }
}

/// A run that is played.
struct Play<'s> {
    supposed: &'s Suppositions,
    options: Options,
    queue: Queue,
    started: Instant,
    now: Instant,
    /// What is in flight, and when it ends: that is in the order in which it started.
    in_flight: VecDeque<(Instant, Job)>,
    census: Census,
    stored: u64,
    duplicates: Told,
    bad: Told,
    /// The most that was in flight.
    peak: usize,
}

impl<'s> Play<'s> {
    fn new(options: Options, supposed: &'s Suppositions) -> Self {
        let now = Instant::now();
        Self {
            supposed,
            queue: Queue::new(options.clone()),
            options,
            started: now,
            now,
            in_flight: VecDeque::new(),
            census: Census::new(supposed.hosts.max(1)),
            stored: 0,
            duplicates: Told::default(),
            bad: Told::default(),
            peak: 0,
        }
    }

    fn wants_a_seed(&self) -> bool {
        !self.queue.progress().is_complete && self.queue.wants_more() && self.queue.has_room()
    }

    fn take(&mut self, seed: Result<Seed, Rejected>) {
        let seed = match seed {
            Ok(seed) => seed,
            Err(rejected) => {
                let reason = Some(rejected.reason.clone());
                self.bad.add(&rejected.target.at, &rejected.target.given, reason);
                return self.queue.reject(rejected);
            }
        };
        let (at, given, url) = (seed.target.at.clone(), seed.target.given.clone(), seed.url.clone());
        let (is_stored, duplicates) = (seed.stored.is_some(), self.queue.progress().duplicates);
        self.queue.admit(seed, self.now);
        if self.queue.progress().duplicates > duplicates {
            self.duplicates.add(&at, &given, None);
        } else if is_stored {
            self.stored += 1;
        } else {
            self.census.add(host_key(&url));
        }
    }

    /// Starts what may start and, when there is no more of that, leaps to what is next. False where nothing is left.
    fn go_on(&mut self) -> bool {
        if self.queue.is_finished() {
            return false;
        }
        let has_slot = self.in_flight.len() < self.supposed.concurrency.get();
        let next = if has_slot { self.queue.next(self.now) } else { Err(None) };
        let at = match next {
            Ok(Next::Settled(_)) => return true,
            Ok(Next::Visit(job)) => {
                let takes = if job.trail.stored.is_some() { Duration::ZERO } else { self.supposed.latency };
                self.start(*job, takes);
                return true;
            }
            Err(at) => at,
        };
        let ends = self.in_flight.front().map(|(at, _)| *at);
        let Some(at) = at.into_iter().chain(ends).min() else { return false };
        self.now = self.now.max(at);
        while self.in_flight.front().is_some_and(|(at, _)| *at <= self.now) {
            self.in_flight.pop_front().into_iter().for_each(|(_, job)| self.end(job));
        }
        true
    }

    fn start(&mut self, job: Job, takes: Duration) {
        if takes.is_zero() || job.trail.role == Role::Address {
            return self.end(job);
        }
        self.in_flight.push_back((self.now + takes, job));
        self.peak = self.peak.max(self.in_flight.len());
    }

    fn end(&mut self, job: Job) {
        let end = match job.trail.role {
            Role::Robots => End::Robots { status: Some(404), body: Vec::new(), by: None, failure: None },
            Role::Address => End::Address(None),
            Role::Page | Role::Sitemap => End::Done { rows: Vec::new(), failure: None },
        };
        let facts = Some(Facts { status: 200, ..Facts::default() });
        let _ = self.queue.settle(Outcome { facts, ..Outcome::ended(job, end) }, self.now);
    }

    fn forecast(self) -> Forecast {
        let progress = self.queue.progress();
        let share = |(host, urls)| Share { host, urls, time: self.time_of(urls) };
        let largest: Vec<_> = self.census.largest().into_iter().map(share).collect();
        let urls = progress.targets - self.bad.count - self.stored;
        let time = self.now.duration_since(self.started);
        Forecast {
            urls,
            bound: (urls > 0).then(|| self.bound(urls, largest.first(), time)),
            stored: self.stored,
            hosts: self.census.hosts(),
            largest: largest.into_iter().take(self.supposed.hosts).collect(),
            time,
            in_flight: self.peak,
            limit: progress.limit,
            duplicates: self.duplicates,
            bad: self.bad,
        }
    }

    /// How long it takes to ask one host for so many pages.
    fn time_of(&self, urls: u64) -> Duration {
        let (latency, slots) = (self.supposed.latency, self.options.per_host.get() as u64);
        let with_delay = times(self.options.delay, urls.saturating_sub(1)) + latency;
        with_delay.max(times(latency, urls.div_ceil(slots)))
    }

    /// What the run takes this time for: of all that bounds it, the tightest, unless that is far from enough to explain it.
    fn bound(&self, urls: u64, largest: Option<&Share>, time: Duration) -> Bound {
        let slots = u32::try_from(self.supposed.concurrency.get()).unwrap_or(u32::MAX);
        let mut bounds = [
            (times(self.supposed.latency / slots, urls), Bound::Concurrency),
            (times(self.options.interval.unwrap_or_default(), urls), Bound::Rate),
            (largest.map_or(Duration::ZERO, |share| share.time), Bound::Host),
        ];
        bounds.sort_by_key(|&(time, _)| time);
        let [.., (least, bound)] = bounds;
        let is_explained = time <= least.saturating_mul(5) / 4 + self.supposed.latency.saturating_mul(4);
        if is_explained { bound } else { Bound::Order }
    }
}

/// A time so many times.
fn times(time: Duration, count: u64) -> Duration {
    let nanos = time.as_nanos().saturating_mul(count.into());
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use url::Url;

    use super::*;
    use crate::job::Target;

    const LATENCY: Duration = Duration::from_millis(100);

    fn number(count: usize) -> NonZeroUsize {
        NonZeroUsize::new(count).unwrap()
    }

    fn target(line: u64, given: &str) -> Target {
        Target { id: 0, given: given.into(), at: Location { file: None, line }, input: None }
    }

    /// A list: what is no URL is a bad line.
    fn list(urls: &[impl AsRef<str>]) -> Vec<Result<Seed, Rejected>> {
        let entry = |(given, line): (&_, _)| {
            let given = AsRef::<str>::as_ref(given);
            let target = target(line, given);
            match Url::parse(given) {
                Ok(url) => Ok(Seed { target, url, auth: None, role: Role::Page, stored: None }),
                Err(error) => Err(Rejected { target, reason: error.to_string() }),
            }
        };
        urls.iter().zip(1..).map(entry).collect()
    }

    /// So many URLs of a host.
    fn urls(host: &str, count: usize) -> Vec<String> {
        (0..count).map(|n| format!("http://{host}/{n}")).collect()
    }

    fn play(options: Options, concurrency: usize, urls: &[impl AsRef<str>]) -> Forecast {
        let supposed = Suppositions { concurrency: number(concurrency), latency: LATENCY, hosts: 3 };
        futures::FutureExt::now_or_never(rehearse(options, &supposed, futures::stream::iter(list(urls)))).unwrap()
    }

    #[test]
    fn a_host_is_asked_as_often_at_once_as_it_may_be() {
        let forecast = play(Options { per_host: number(4), ..Options::default() }, 64, &urls("a.test", 41));
        assert_eq!((forecast.time, forecast.bound), (11 * LATENCY, Some(Bound::Host)));
        assert_eq!((forecast.urls, forecast.in_flight, forecast.hosts), (41, 4, 1));
        assert_eq!(forecast.largest, [Share { host: "a.test".into(), urls: 41, time: 11 * LATENCY }]);
    }

    #[test]
    fn a_delay_and_a_rate_and_the_slots_take_their_time() {
        let delay = Options { delay: Duration::from_secs(1), ..Options::default() };
        let forecast = play(delay, 64, &urls("a.test", 10));
        assert_eq!((forecast.time, forecast.bound), (Duration::from_secs(9) + LATENCY, Some(Bound::Host)));
        let rate = Options { interval: Some(Duration::from_secs(2)), ..Options::default() };
        let forecast = play(rate, 64, &urls("a.test", 10));
        assert_eq!((forecast.time, forecast.bound), (Duration::from_secs(18) + LATENCY, Some(Bound::Rate)));
        let many: Vec<_> = (0..100).flat_map(|n| urls(&format!("{n}.test"), 2)).collect();
        let forecast = play(Options::default(), 10, &many);
        assert_eq!((forecast.time, forecast.bound), (20 * LATENCY, Some(Bound::Concurrency)));
        assert_eq!((forecast.in_flight, forecast.hosts), (10, 100));
    }

    #[test]
    fn a_list_that_names_its_hosts_one_after_the_other_is_told_apart_from_a_mixed_one() {
        let options = Options { look_ahead: number(16), per_host: number(2), ..Options::default() };
        let grouped: Vec<_> = ["a", "b", "c", "d"].into_iter().flat_map(|host| urls(host, 200)).collect();
        let mixed: Vec<_> = (0..800).map(|n| grouped[n % 4 * 200 + n / 4].clone()).collect();
        let [grouped, mixed] = [grouped, mixed].map(|urls| play(options.clone(), 64, &urls));
        assert_eq!((grouped.bound, mixed.bound), (Some(Bound::Order), Some(Bound::Host)));
        assert!(grouped.time > 3 * mixed.time, "{:?} {:?}", grouped.time, mixed.time);
    }

    #[test]
    fn what_is_not_fetched_is_told_with_its_line() {
        let forecast = play(Options::default(), 1, &["http://a/1", "x y", "http://a/2", "http://a/1#top", "http://b/"]);
        let line = |line, given: &str, reason| Line { at: Location { file: None, line }, given: given.into(), reason };
        let reason = Some("relative URL without a base".to_owned());
        assert_eq!((forecast.bad.count, forecast.bad.lines), (1, vec![line(2, "x y", reason)]));
        assert_eq!((forecast.duplicates.count, forecast.duplicates.lines), (1, vec![line(4, "http://a/1#top", None)]));
        assert_eq!((forecast.urls, forecast.time), (3, 3 * LATENCY));
    }

    #[test]
    fn a_limit_ends_it_and_an_empty_list_takes_no_time() {
        let limits = super::super::Limits { targets: Some(5), ..Default::default() };
        let forecast = play(Options { limits, ..Options::default() }, 1, &urls("a.test", 9));
        assert_eq!((forecast.urls, forecast.limit), (5, Some(Limit::Targets)));
        let forecast = play(Options::default(), 1, &[""; 0]);
        assert_eq!((forecast.urls, forecast.time, forecast.bound), (0, Duration::ZERO, None));
    }

    proptest! {
        #[test]
        fn every_line_is_counted_once_and_no_time_is_below_what_the_pace_allows(
            lines in prop::collection::vec((0..6_u8, 0..30_u8), 0..200),
            (per_host, concurrency, delay, rate) in (1..4_usize, 1..10_usize, 0..300_u64, 0..100_u64),
        ) {
            let line = |&(host, path): &(u8, u8)| match host {
                0 => format!("no URL {path}"),
                host => format!("http://{host}.test/{path}"),
            };
            let lines: Vec<_> = lines.iter().map(line).collect();
            let options = Options {
                per_host: number(per_host),
                delay: Duration::from_millis(delay),
                interval: (rate > 0).then(|| Duration::from_millis(rate)),
                ..Options::default()
            };
            let forecast = play(options, concurrency, &lines);
            let all = forecast.urls + forecast.duplicates.count + forecast.bad.count;
            prop_assert_eq!(all, lines.len() as u64);
            prop_assert!(forecast.in_flight <= concurrency);
            let urls = u32::try_from(forecast.urls).unwrap();
            prop_assert!(forecast.time >= LATENCY * urls / u32::try_from(concurrency).unwrap());
            prop_assert!(forecast.time >= Duration::from_millis(rate) * urls.saturating_sub(1));
        }
    }
}
