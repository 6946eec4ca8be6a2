//! What a large crawl costs the frontier: how much memory, and how long a job takes.
//!
//! Each page that comes first leads to a hundred others until there are so many, so that nearly all of them wait at once. 64
//! jobs are in flight, the oldest of them ends first, and each origin is asked for its robots.txt. The clock is a number.
//! Each case is a process of its own, which tells the most memory that it had. `-- HOSTS PAGES` runs another one.

#![expect(clippy::print_stdout, reason = "a benchmark tells its figures")]

use std::collections::VecDeque;
use std::process::Command;
use std::time::{Duration, Instant};
use std::{env, fs};

use scrape::frontier::{Crawl, Next, Options, Queue};
use scrape::job::{End, Job, Link, LinkKind, Location, Outcome, Role, Seed, Target, Trust};
use url::Url;

const CASES: [[&str; 2]; 3] = [["1000", "5000000"], ["1", "5000000"], ["1000000", "5000000"]];
const LINKS: usize = 100;
const IN_FLIGHT: usize = 64;
const STEP: Duration = Duration::from_nanos(250);

/// The page of a number: the hosts take turns.
fn page(number: usize, hosts: usize) -> Url {
    let url = format!("https://www.host-{}.example/catalogue/item-{number}.html", number % hosts);
    Url::parse(&url).expect("a URL")
}

/// What comes of a job; its links lead to the pages from `next` on.
fn answer(job: Job, next: &mut usize, (hosts, pages): (usize, usize)) -> Outcome {
    if job.trail.role == Role::Robots {
        let body = b"User-agent: *\nDisallow: /private/\n".to_vec();
        return Outcome::ended(job, End::Robots { status: Some(200), body, by: None, failure: None });
    }
    let links = *next..pages.min(*next + LINKS);
    *next = links.end;
    let link = |number| Link {
        url: page(number, hosts),
        trust: Trust::Chosen { by: None },
        kind: LinkKind::Crawled,
        input: None,
        is_admitted: false,
    };
    let end = End::Done { rows: Vec::new(), failure: None };
    Outcome { links: links.map(link).collect(), ..Outcome::ended(job, end) }
}

/// Walks all of it, and gives the most that waited.
fn walk(hosts: usize, pages: usize) -> usize {
    let mut queue = Queue::new(Options { crawl: Some(Crawl::default()), ..Options::default() });
    let (mut now, mut in_flight, mut next, mut most) = (Instant::now(), VecDeque::new(), 1, 0);
    let url = page(0, hosts);
    let target = Target { id: 0, given: url.as_str().into(), at: Location { file: None, line: 1 }, input: None };
    queue.admit(Seed { target, url, auth: None, role: Role::Page, stored: None }, now);
    queue.complete();
    while !queue.is_finished() {
        now += STEP;
        if in_flight.len() < IN_FLIGHT {
            match queue.next(now) {
                Ok(Next::Visit(job)) => {
                    in_flight.push_back(*job);
                    continue;
                }
                Ok(Next::Settled(_)) => continue,
                Err(Some(at)) if in_flight.is_empty() => now = at,
                Err(_) => {}
            }
        }
        if let Some(job) = in_flight.pop_front() {
            drop(queue.settle(answer(job, &mut next, (hosts, pages)), now));
            most = most.max(queue.progress().queued);
        }
    }
    assert_eq!(queue.progress().settled, pages as u64);
    most
}

/// The most memory that this process had, in megabytes.
fn peak() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse().ok());
    peak.unwrap_or(f64::NAN) / 1000.0
}

fn run(hosts: usize, pages: usize) {
    let started = Instant::now();
    let most = walk(hosts, pages);
    let (took, peak) = (started.elapsed(), peak());
    let each = took / u32::try_from(pages).expect("fewer pages than 2³²");
    println!("{hosts} hosts, {pages} pages, {most} of them at once: {peak:.0} MB at most, {each:.2?} a page");
}

fn main() {
    let numbers: Vec<usize> = env::args().skip(1).filter_map(|argument| argument.parse().ok()).collect();
    if let [hosts, pages] = numbers[..] {
        return run(hosts, pages);
    }
    for case in CASES {
        let program = env::current_exe().expect("this program");
        let status = Command::new(program).args(case).status().expect("a process");
        assert!(status.success(), "{case:?}: {status}");
    }
}
