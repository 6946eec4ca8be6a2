//! What holds for a crawl whatever the graph, the robots.txt of its hosts, the failures, the timing and the limits.

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::num::NonZeroUsize;
use std::ops::Range;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use url::Url;

use super::depths::Depths;
use super::{BacklogOptions, Crawl, Limits, Next, Obey, Options, Order, Queue, RetryOptions, Width};
use crate::failure::{Failure, Kind, Retry};
use crate::job::{
    End, HostHint, Job, Lack, Link, LinkKind, Location, Outcome, Redirect, Role, Seed, Target, Trail, Trust,
};

/// What a page, or a robots.txt, does when it is asked.
#[derive(Clone, Debug)]
enum Manner {
    Fine,
    FailsTwice,
    Fails,
    Throttles,
    /// This machine had too little of something the first time.
    Lacks(Lack),
    /// A redirect; that of a page leads to one with a higher number, that of a robots.txt to that of a host.
    LeadsTo(usize),
}

#[derive(Clone, Debug)]
struct Page {
    host: usize,
    manner: Manner,
    links: Vec<usize>,
}

/// What a robots.txt says: of which pages, by the last digit, it tells crawlers to stay away.
#[derive(Clone, Debug)]
struct Rules {
    manner: Manner,
    forbidden: Option<usize>,
}

#[derive(Clone, Debug)]
struct Web {
    pages: Vec<Page>,
    rules: Vec<Rules>,
}

const HOSTS: usize = 5;

fn manner() -> impl Strategy<Value = Manner> {
    prop_oneof![
        6 => Just(Manner::Fine),
        1 => Just(Manner::FailsTwice),
        1 => Just(Manner::Fails),
        1 => Just(Manner::Throttles),
        1 => prop_oneof![Just(Lack::Connections), Just(Lack::Memory)].prop_map(Manner::Lacks),
        2 => any::<prop::sample::Index>().prop_map(|to| Manner::LeadsTo(to.index(1000))),
    ]
}

fn web() -> impl Strategy<Value = Web> {
    web_of(0..12)
}

/// One whose pages have so many links each.
fn web_of(links: Range<usize>) -> impl Strategy<Value = Web> {
    let page = (0..HOSTS, manner(), prop::collection::vec(0..1000_usize, links));
    let page = page.prop_map(|(host, manner, links)| Page { host, manner, links });
    let rules = (manner(), prop::option::of(0..4_usize)).prop_map(|(manner, forbidden)| Rules { manner, forbidden });
    (prop::collection::vec(page, 1..80), prop::collection::vec(rules, HOSTS)).prop_map(|(pages, rules)| {
        let mut web = Web { pages, rules };
        let count = web.pages.len();
        for (n, page) in web.pages.iter_mut().enumerate() {
            page.links.iter_mut().for_each(|link| *link %= count);
            page.manner = match page.manner {
                Manner::LeadsTo(_) if n + 1 == count => Manner::Fine,
                Manner::LeadsTo(to) => Manner::LeadsTo(n + 1 + to % (count - n - 1)),
                ref other => other.clone(),
            };
        }
        for rules in &mut web.rules {
            if let Manner::LeadsTo(to) = &mut rules.manner {
                *to %= HOSTS;
            }
        }
        web
    })
}

impl Web {
    fn url(&self, page: usize) -> Url {
        Url::parse(&format!("http://h{}.test/{page}", self.pages[page].host)).unwrap()
    }

    /// Whether the rules of a page's host let a crawler have it.
    fn allows(&self, page: usize) -> bool {
        let mut host = self.pages[page].host;
        for _ in 0..5 {
            match &self.rules[host].manner {
                Manner::LeadsTo(other) => host = *other,
                Manner::Fails => return false,
                _ => return self.rules[host].forbidden != Some(page % 10),
            }
        }
        true
    }

    /// The pages that a crawl has in the end: those that are so many links from a seed at most, by the shortest way.
    fn reachable(&self, seeds: &[usize], most: u32) -> BTreeSet<usize> {
        let mut had = BTreeSet::new();
        let mut nearest = HashMap::new();
        let mut open: VecDeque<_> = seeds.iter().map(|&seed| (seed, true, 0)).collect();
        while let Some((page, is_typed, depth)) = open.pop_front() {
            if nearest.get(&(page, is_typed)).is_some_and(|&nearest| nearest <= depth) || depth > most {
                continue;
            }
            nearest.insert((page, is_typed), depth);
            match &self.pages[page].manner {
                _ if !is_typed && !self.allows(page) => {}
                Manner::Fails => {}
                Manner::LeadsTo(to) => open.push_front((*to, is_typed, depth)),
                _ => {
                    had.insert(page);
                    open.extend(self.pages[page].links.iter().map(|&link| (link, false, depth + 1)));
                }
            }
        }
        had
    }
}

/// A run on a clock that is a number.
struct Run<'w> {
    web: &'w Web,
    queue: Queue,
    now: Instant,
    in_flight: Vec<Job>,
    lacked: HashSet<Url>,
    finals: Vec<Outcome>,
    /// The seeds to come; none once that is all.
    late: Option<Vec<usize>>,
}

fn number(url: &Url) -> usize {
    url.path()[1..].parse().unwrap()
}

fn failed(job: Job, kind: Kind) -> Outcome {
    Outcome::failed(job, Failure::new(kind, "no").with_retry(Retry::Always))
}

impl Run<'_> {
    fn answer(&mut self, job: Job) -> Outcome {
        let url = job.trail.url.clone();
        let is_rules = job.trail.role == Role::Robots;
        let host = usize::from(url.host_str().unwrap().as_bytes()[1] - b'0');
        let manner = if is_rules { &self.web.rules[host].manner } else { &self.web.pages[number(&url)].manner };
        let redirect = |to| End::Redirect(Redirect { status: 302, to, rewrite_to_get: false, by: None });
        match manner {
            Manner::Fails => failed(job, Kind::Reset),
            Manner::FailsTwice if job.trail.attempt <= 2 => failed(job, Kind::Reset),
            Manner::Throttles if job.trail.attempt == 1 => {
                let retry_after = Some(Duration::from_millis(70));
                let hint = HostHint { retry_after, throttled: true, ..HostHint::default() };
                Outcome { hint, ..failed(job, Kind::Status) }
            }
            Manner::Lacks(lack) if self.lacked.insert(url) => {
                let hint = HostHint { lack: Some(*lack), ..HostHint::default() };
                Outcome { hint, ..failed(job, Kind::Connect) }
            }
            Manner::LeadsTo(to) if !is_rules => Outcome::ended(job, redirect(self.web.url(*to))),
            Manner::LeadsTo(to) if job.trail.hops.len() < 5 => {
                Outcome::ended(job, redirect(Url::parse(&format!("http://h{to}.test/robots.txt")).unwrap()))
            }
            Manner::LeadsTo(_) => {
                Outcome::ended(job, End::Robots { status: Some(404), body: Vec::new(), by: None, failure: None })
            }
            _ if is_rules => {
                let forbidden = self.web.rules[host].forbidden;
                let body = forbidden.map(|digit| format!("User-agent: *\nDisallow: /*{digit}$\n")).unwrap_or_default();
                Outcome::ended(job, End::Robots { status: Some(200), body: body.into(), by: None, failure: None })
            }
            _ => self.page(job),
        }
    }

    fn page(&self, job: Job) -> Outcome {
        let most = self.queue.options.crawl.as_ref().map_or(0, |crawl| crawl.depth);
        if job.trail.depth() >= most && !job.trail.may_be_nearer() {
            return Outcome::ended(job, End::Done { rows: Vec::new(), failure: None });
        }
        let links = self.web.pages[number(&job.trail.url)].links.iter().map(|&link| Link {
            url: self.web.url(link),
            trust: Trust::Chosen { by: None },
            kind: LinkKind::Crawled,
            input: None,
            is_admitted: false,
        });
        Outcome { links: links.collect(), ..Outcome::ended(job, End::Done { rows: Vec::new(), failure: None }) }
    }

    fn start(&mut self) -> bool {
        match self.queue.next(self.now) {
            Ok(Next::Visit(job)) => self.in_flight.push(*job),
            Ok(Next::Settled(outcome)) => self.finals.push(*outcome),
            Err(_) => return false,
        }
        true
    }

    fn end(&mut self, choice: usize) {
        if !self.in_flight.is_empty() {
            let job = self.in_flight.swap_remove(choice % self.in_flight.len());
            let outcome = self.answer(job);
            self.finals.extend(self.queue.settle(outcome, self.now));
        }
    }

    /// Brings the next seed, or tells that there will be none.
    fn bring_seed(&mut self) {
        match self.late.as_mut().map(Vec::pop) {
            None => {}
            Some(Some(page)) => self.queue.admit(seed(self.web.url(page)), self.now),
            Some(None) => {
                self.late = None;
                self.queue.complete();
            }
        }
    }

    /// Goes on until nothing is left, jumping to whatever instant the queue names.
    fn finish(&mut self, choices: &[u8], concurrency: usize, close_at: Option<usize>) {
        let choices = choices.iter().copied().cycle().map(usize::from).take(50_000);
        for (n, choice) in choices.enumerate() {
            if close_at == Some(n) {
                self.queue.close(self.now);
            }
            if choice % 7 == 0 {
                self.bring_seed();
            }
            if self.queue.is_finished() {
                return;
            }
            if choice % 3 > 0 && self.in_flight.len() < concurrency && self.start() {
                continue;
            }
            if choice % 5 == 0 {
                self.now += Duration::from_millis(20);
            }
            match self.queue.next(self.now) {
                Ok(Next::Visit(job)) => self.in_flight.push(*job),
                Ok(Next::Settled(outcome)) => self.finals.push(*outcome),
                Err(Some(at)) if self.in_flight.is_empty() => self.now = at,
                Err(None) if self.in_flight.is_empty() && self.late.is_some() => self.bring_seed(),
                Err(None) if self.in_flight.is_empty() => break,
                Err(_) => self.end(choice),
            }
        }
        panic!("the run does not end: {:?}", self.queue.progress());
    }

    /// It had these pages, each once, at this depth at most, and nothing is left of it.
    fn assert_sound(&self, expected: &BTreeSet<usize>, most: u32) -> Result<(), TestCaseError> {
        let had: BTreeSet<_> = self.succeeded().map(|trail| number(&trail.url)).collect();
        prop_assert_eq!(&had, expected);
        prop_assert!(self.succeeded().all(|trail| trail.depth() <= most));
        let found: Vec<_> = self.succeeded().filter(|trail| trail.found.is_some()).map(|trail| &trail.url).collect();
        prop_assert_eq!(found.iter().collect::<HashSet<_>>().len(), found.len(), "a page was had twice");
        let first: HashSet<_> = self.finals.iter().map(|outcome| outcome.trail.as_ref().unwrap().first_url()).collect();
        prop_assert_eq!(first.len(), self.finals.len(), "a target ended twice");
        let progress = self.queue.progress();
        prop_assert_eq!((progress.settled, progress.targets), (first.len() as u64, first.len() as u64));
        prop_assert!(progress.is_complete);
        prop_assert_eq!(self.queue.lanes().backlog().len(), 0);
        prop_assert_eq!(self.queue.lanes().backlog().starts(), 0);
        prop_assert!(self.queue.depths.as_ref().is_none_or(Depths::is_empty));
        Ok(())
    }

    fn succeeded(&self) -> impl Iterator<Item = &Trail> {
        let fine = |outcome: &&Outcome| matches!(outcome.end, End::Done { failure: None, .. });
        self.finals.iter().filter(fine).filter_map(|outcome| outcome.trail.as_ref())
    }
}

fn seed(url: Url) -> Seed {
    let target = Target { id: 0, given: url.as_str().into(), at: Location { file: None, line: 1 }, input: None };
    Seed { target, url, auth: None, role: Role::Page, stored: None }
}

/// One that has no seeds yet.
fn start(web: &Web, options: Options) -> Run<'_> {
    let (queue, now) = (Queue::new(options), Instant::now());
    Run { web, queue, now, in_flight: Vec::new(), lacked: HashSet::new(), finals: Vec::new(), late: None }
}

fn run<'w>(web: &'w Web, seeds: &[usize], options: Options) -> Run<'w> {
    let mut run = start(web, options);
    for &page in seeds {
        run.queue.admit(seed(web.url(page)), run.now);
    }
    run.queue.complete();
    run
}

fn backlog() -> impl Strategy<Value = BacklogOptions> {
    (prop_oneof![Just(0), 0..300_usize, Just(1 << 20)], 1..HOSTS + 1).prop_map(|(memory, hosts)| BacklogOptions {
        folder: None,
        memory,
        hosts,
    })
}

fn order() -> impl Strategy<Value = Order> {
    prop_oneof![Just(Order::Breadth), Just(Order::Depth), Just(Order::Path), Just(Order::Sitemap)]
}

fn options() -> impl Strategy<Value = Options> {
    let delay = prop_oneof![Just(0_u64), 1..30_u64];
    let crawl = (order(), prop::option::of(0..8_u64));
    (1..4_usize, delay, crawl, backlog(), any::<bool>()).prop_map(|(per_host, delay, (order, most), backlog, few)| {
        Options {
            per_host: NonZeroUsize::new(per_host).unwrap(),
            delay: Duration::from_millis(delay),
            crawl: Some(Crawl { per_host: most, order, ..Crawl::default() }),
            connections: if few { 2 } else { usize::MAX },
            fingerprints: if few { Width::Bits128 } else { Width::Bits64 },
            retry: RetryOptions { delay: Duration::from_millis(40), ..RetryOptions::default() },
            backlog,
            ..Options::default()
        }
    })
}

fn without_most(options: Options) -> Options {
    Options { crawl: options.crawl.map(|crawl| Crawl { per_host: None, ..crawl }), ..options }
}

fn to_depth(depth: u32, options: Options) -> Options {
    Options { crawl: without_most(options.clone()).crawl.map(|crawl| Crawl { depth, ..crawl }), ..options }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn every_reachable_page_is_had_once_and_the_crawl_ends(
        web in web(),
        seeds in prop::collection::vec(0..1000_usize, 1..4),
        options in options(),
        concurrency in 1..12_usize,
        choices in prop::collection::vec(any::<u8>(), 1..100),
    ) {
        let seeds: Vec<_> = seeds.into_iter().map(|seed| seed % web.pages.len()).collect();
        let mut run = run(&web, &seeds, without_most(options));
        run.finish(&choices, concurrency, None);
        run.assert_sound(&web.reachable(&seeds, u32::MAX), u32::MAX)?;
    }

    #[test]
    fn every_page_within_the_depth_is_had_once_whatever_the_timing(
        web in prop_oneof![web(), web_of(0..3), web_of(0..5)],
        seeds in prop::collection::vec(0..1000_usize, 1..4),
        options in options(),
        depth in 1..7_u32,
        concurrency in 1..12_usize,
        choices in prop::collection::vec(any::<u8>(), 1..100),
    ) {
        let seeds: Vec<_> = seeds.into_iter().map(|seed| seed % web.pages.len()).collect();
        let mut run = run(&web, &seeds, to_depth(depth, options));
        run.finish(&choices, concurrency, None);
        run.assert_sound(&web.reachable(&seeds, depth), depth)?;
    }

    #[test]
    fn seeds_that_come_late_are_no_deeper_for_that(
        web in prop_oneof![web(), web_of(0..3), web_of(0..5)],
        seeds in prop::collection::vec(0..1000_usize, 1..6),
        options in options(),
        depth in 1..5_u32,
        concurrency in 1..12_usize,
        choices in prop::collection::vec(any::<u8>(), 1..100),
    ) {
        let seeds: Vec<_> = seeds.into_iter().map(|seed| seed % web.pages.len()).collect();
        // What is forbidden to crawlers is not to seeds: which one a page is may depend on timing.
        let options = Options { obey: Obey::Never, ..to_depth(depth, options) };
        let web = Web { rules: vec![Rules { manner: Manner::Fine, forbidden: None }; HOSTS], ..web };
        let mut run = Run { late: Some(seeds.clone()), ..start(&web, options) };
        run.finish(&choices, concurrency, None);
        run.assert_sound(&web.reachable(&seeds, depth), depth)?;
    }

    #[test]
    fn limits_hold_to_the_page_and_the_crawl_ends(
        web in web(),
        seeds in prop::collection::vec(0..1000_usize, 1..4),
        options in options(),
        pages in 1..30_u64,
        concurrency in 1..12_usize,
        choices in prop::collection::vec(any::<u8>(), 1..100),
    ) {
        let seeds: Vec<_> = seeds.into_iter().map(|seed| seed % web.pages.len()).collect();
        let most = options.crawl.as_ref().and_then(|crawl| crawl.per_host);
        let limits = Limits { pages: Some(pages), ..Limits::default() };
        let mut run = run(&web, &seeds, Options { limits, ..options });
        run.finish(&choices, concurrency, None);
        let had = run.succeeded().count() as u64;
        prop_assert!(had <= pages);
        if had < pages && most.is_none() {
            let had: BTreeSet<_> = run.succeeded().map(|trail| number(&trail.url)).collect();
            prop_assert_eq!(had, web.reachable(&seeds, u32::MAX), "it has stopped before its limit");
        }
        let mut by_host = HashMap::<_, u64>::new();
        let pages = run.finals.iter().filter(|outcome| outcome.is_record());
        for trail in pages.filter_map(|outcome| outcome.trail.as_ref()).filter(|it| it.found.is_some()) {
            *by_host.entry(trail.first_url().host_str().unwrap().to_owned()).or_default() += 1;
        }
        prop_assert!(by_host.values().all(|&count| most.is_none_or(|most| count <= most)), "{by_host:?}");
    }

    #[test]
    fn it_ends_whenever_it_is_closed(
        web in web(),
        options in options(),
        pages in prop::option::of(1..30_u64),
        close_at in 0..400_usize,
        concurrency in 1..12_usize,
        choices in prop::collection::vec(any::<u8>(), 1..100),
    ) {
        let limits = Limits { pages, ..Limits::default() };
        let mut run = run(&web, &[0], Options { limits, ..options });
        run.finish(&choices, concurrency, Some(close_at));
        let first: HashSet<_> = run.finals.iter().map(|outcome| outcome.trail.as_ref().unwrap().first_url()).collect();
        prop_assert_eq!(first.len(), run.finals.len(), "a target ended twice");
        prop_assert!(run.finals.iter().all(|outcome| outcome.trail.as_ref().unwrap().role == Role::Page));
        prop_assert_eq!(run.queue.progress().settled, run.finals.len() as u64);
        prop_assert_eq!(run.queue.progress().queued, 0);
    }
}

/// The pages of one seed's page, each with nothing on it, in the order in which they are asked for.
fn asked(links: &[Url], crawl: Crawl, backlog: BacklogOptions) -> Vec<Url> {
    let options = Options { crawl: Some(crawl), backlog, obey: super::Obey::Never, ..Options::default() };
    let (mut queue, now) = (Queue::new(options), Instant::now());
    queue.admit(seed(Url::parse("http://seed.test/").unwrap()), now);
    queue.complete();
    let mut asked = Vec::new();
    while let Ok(Next::Visit(job)) = queue.next(now) {
        let crawled = |url: &Url| Link {
            url: url.clone(),
            trust: Trust::Typed,
            kind: LinkKind::Crawled,
            input: None,
            is_admitted: false,
        };
        let links = if asked.is_empty() { links.iter().map(crawled).collect() } else { Vec::new() };
        asked.push(job.trail.url.clone());
        let end = End::Done { rows: Vec::new(), failure: None };
        let outcome = queue.settle(Outcome { links, ..Outcome::ended(*job, end) }, now);
        assert!(outcome.is_some_and(|outcome| outcome.links.iter().all(|link| link.is_admitted)));
    }
    assert!(queue.is_finished() && queue.take_error().is_none());
    asked.split_off(1)
}

fn links(hosts: usize, count: usize) -> Vec<Url> {
    let path = |n: usize| "a/".repeat(n * 7 % 5);
    (0..count).map(|n| Url::parse(&format!("http://h{}.test/{}{n}", n % hosts, path(n))).unwrap()).collect()
}

#[test]
fn the_order_of_a_host_holds_whatever_is_in_the_file_and_however_many_hosts_there_are() {
    let links = links(7, 2000);
    let rank = |order, url: &Url| if order == Order::Path { url.path_segments().unwrap().count() } else { 0 };
    for (order, memory, hosts) in
        [(Order::Breadth, 1 << 20, 9), (Order::Breadth, 0, 9), (Order::Breadth, 100, 3), (Order::Path, 100, 9)]
    {
        let crawl = Crawl { order, avoids_traps: false, ..Crawl::default() };
        let asked = asked(&links, crawl, BacklogOptions { folder: None, memory, hosts });
        for host in 0..7 {
            let of_host = |url: &&Url| url.host_str() == Some(&format!("h{host}.test"));
            let mut expected: Vec<_> = links.iter().filter(of_host).collect();
            expected.sort_by_key(|url| rank(order, url));
            assert_eq!(asked.iter().filter(of_host).collect::<Vec<_>>(), expected, "{order:?}, {memory}, {hosts}");
        }
    }
}

#[test]
fn the_hosts_of_a_crawl_take_turns_whatever_is_in_the_file() {
    let crawl = Crawl { avoids_traps: false, ..Crawl::default() };
    let asked = asked(&links(7, 700), crawl, BacklogOptions { folder: None, memory: 0, hosts: 9 });
    for turn in asked.chunks(7) {
        assert_eq!(turn.iter().map(|url| url.host_str()).collect::<HashSet<_>>().len(), 7);
    }
}

#[test]
fn where_the_file_cannot_be_written_the_run_ends_and_says_why() {
    let crawl = Some(Crawl::default());
    let backlog = BacklogOptions { folder: Some("/nowhere/at/all".into()), memory: 0, hosts: 9 };
    let (mut queue, now) = (Queue::new(Options { crawl, backlog, ..Options::default() }), Instant::now());
    queue.admit(seed(Url::parse("http://h0.test/seed").unwrap()), now);
    let Ok(Next::Visit(job)) = queue.next(now) else { panic!("the seed") };
    let links = links(1, 3).into_iter().map(|url| Link {
        url,
        trust: Trust::Typed,
        kind: LinkKind::Crawled,
        input: None,
        is_admitted: false,
    });
    let end = End::Done { rows: Vec::new(), failure: None };
    let _ = queue.settle(Outcome { links: links.collect(), ..Outcome::ended(*job, end) }, now);
    assert!(queue.is_finished());
    let error = queue.take_error().expect("an error");
    assert!(error.to_string().contains("/nowhere/at/all"), "{error}");
}

#[test]
fn where_pages_come_in_the_order_of_their_depth_nothing_is_kept_of_them() {
    // It could not be.
    let backlog = BacklogOptions { folder: Some("/nowhere/at/all".into()), ..BacklogOptions::default() };
    let crawl = Some(Crawl { depth: 3, avoids_traps: false, ..Crawl::default() });
    let options = Options { crawl, backlog, obey: Obey::Never, ..Options::default() };
    let (mut queue, now, mut asked) = (Queue::new(options), Instant::now(), 0);
    queue.admit(seed(Url::parse("http://h0.test/").unwrap()), now);
    queue.complete();
    while let Ok(Next::Visit(job)) = queue.next(now) {
        assert!(!job.trail.may_be_nearer(), "{}", job.trail.url);
        let crawled = |n| Link {
            url: job.trail.url.join(&format!("{n}/")).unwrap(),
            trust: Trust::Typed,
            kind: LinkKind::Crawled,
            input: None,
            is_admitted: false,
        };
        let links = if job.trail.depth() < 3 { (0..5).map(crawled).collect() } else { Vec::new() };
        let end = End::Done { rows: Vec::new(), failure: None };
        let _ = queue.settle(Outcome { links, ..Outcome::ended(*job, end) }, now);
        asked += 1;
    }
    assert!(queue.is_finished() && queue.take_error().is_none());
    assert_eq!(asked, 1 + 5 + 25 + 125);
}

#[test]
fn seeds_are_read_however_many_pages_wait_and_go_before_them() {
    let look_ahead = NonZeroUsize::new(2).unwrap();
    let crawl = Some(Crawl { avoids_traps: false, ..Crawl::default() });
    let options = Options { crawl, look_ahead, obey: super::Obey::Never, ..Options::default() };
    let (mut queue, now) = (Queue::new(options), Instant::now());
    queue.admit(seed(Url::parse("http://h0.test/first").unwrap()), now);
    let Ok(Next::Visit(job)) = queue.next(now) else { panic!("the seed") };
    let links = links(1, 300).into_iter().map(|url| Link {
        url,
        trust: Trust::Typed,
        kind: LinkKind::Crawled,
        input: None,
        is_admitted: false,
    });
    let end = End::Done { rows: Vec::new(), failure: None };
    let _ = queue.settle(Outcome { links: links.collect(), ..Outcome::ended(*job, end) }, now);
    assert!(queue.has_room() && queue.progress().queued > 200);
    queue.admit(seed(Url::parse("http://h0.test/second").unwrap()), now);
    assert!(matches!(queue.next(now), Ok(Next::Visit(job)) if job.trail.url.path() == "/second"));
}

#[test]
fn what_pages_lead_to_that_end_when_a_run_is_stopped_is_told_and_not_asked_for() {
    let options = Options { crawl: Some(Crawl::default()), obey: super::Obey::Never, ..Options::default() };
    let (mut queue, now) = (Queue::new(options), Instant::now());
    queue.admit(seed(Url::parse("http://h0.test/seed").unwrap()), now);
    let Ok(Next::Visit(job)) = queue.next(now) else { panic!("the seed") };
    queue.close(now);
    let link = |url: Url| Link { url, trust: Trust::Typed, kind: LinkKind::Crawled, input: None, is_admitted: false };
    let home = Url::parse("http://h0.test/seed").unwrap();
    let links = links(1, 2).into_iter().chain([home]).map(link).collect();
    let end = End::Done { rows: Vec::new(), failure: None };
    let outcome = queue.settle(Outcome { links, ..Outcome::ended(*job, end) }, now).expect("it is final");
    let admitted: Vec<_> = outcome.links.iter().map(|link| link.is_admitted).collect();
    assert_eq!(admitted, [true, true, false], "for the run that goes on with this one");
    assert!(queue.is_finished() && queue.progress().targets == 1);
}
