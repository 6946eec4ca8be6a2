//! What the pipeline guarantees, with a visitor that follows a script. Time is paused: waits cost nothing.

use std::io;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::stream;
use scrape::engine::{Engine, Sink};
use scrape::failure::{Failure, Kind};
use scrape::frontier::{self, Frontier};
use scrape::job::{
    End, HostHint, Job, Link, LinkKind, Location, Outcome, Redirect, Rejected, Role, Seed, Target, Trust,
};
use scrape::visit::Visit;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use url::Url;

/// What one page does.
type Script = dyn Fn(&Job) -> Reaction + Send + Sync;

struct Reaction {
    after: Duration,
    end: End,
    hint: HostHint,
}

/// Answers at once.
fn fine() -> Reaction {
    Reaction { after: Duration::ZERO, end: End::Done { rows: Vec::new(), failure: None }, hint: HostHint::default() }
}

fn fine_after(after: Duration) -> Reaction {
    Reaction { after, ..fine() }
}

fn fails(kind: Kind) -> Reaction {
    Reaction { end: End::failed(Failure::new(kind, "scripted")), ..fine() }
}

struct Scripted {
    script: Box<Script>,
    in_flight: AtomicUsize,
    most_in_flight: AtomicUsize,
    starts: Mutex<Vec<(String, Instant)>>,
}

impl Visit for Scripted {
    async fn visit(&self, job: Job) -> Outcome {
        self.starts.lock().unwrap().push((job.trail.url.to_string(), Instant::now()));
        let in_flight = self.in_flight.fetch_add(1, Ordering::SeqCst) + 1;
        self.most_in_flight.fetch_max(in_flight, Ordering::SeqCst);
        let Reaction { after, end, hint } = (self.script)(&job);
        sleep(after).await;
        self.in_flight.fetch_sub(1, Ordering::SeqCst);
        Outcome { end, hint, ..Outcome::failed(job, Failure::new(Kind::Internal, "replaced")) }
    }
}

fn engine(concurrency: usize, script: impl Fn(&Job) -> Reaction + Send + Sync + 'static) -> Engine<Scripted> {
    let visitor = Scripted {
        script: Box::new(script),
        in_flight: AtomicUsize::new(0),
        most_in_flight: AtomicUsize::new(0),
        starts: Mutex::default(),
    };
    Engine { concurrency: NonZeroUsize::new(concurrency).unwrap(), ..Engine::new(visitor) }
}

fn target(given: &str) -> Target {
    Target { id: 0, given: given.into(), at: Location { file: None, line: 1 }, input: None }
}

fn seed(url: &str) -> Seed {
    Seed { target: target(url), url: Url::parse(url).unwrap(), auth: None, stored: None, role: Role::Page }
}

fn seeds<'a>(urls: impl IntoIterator<Item = &'a str>) -> stream::Iter<std::vec::IntoIter<Result<Seed, Rejected>>> {
    stream::iter(urls.into_iter().map(|url| Ok(seed(url))).collect::<Vec<_>>())
}

/// Keeps what it is given: the URL, and the kind of the failure.
type Seen = Arc<Mutex<Vec<(String, Option<Kind>)>>>;

fn keep(seen: &Seen) -> Vec<Box<dyn Sink>> {
    let seen = Arc::clone(seen);
    vec![Box::new(move |outcome: &Outcome| {
        seen.lock().unwrap().push((outcome.target.given.to_string(), outcome.failure().map(|failure| failure.kind)));
        Ok(())
    })]
}

#[tokio::test(start_paused = true)]
async fn a_slow_host_does_not_delay_others() {
    let urls: Vec<_> = (0..200)
        .map(|n| if n < 100 { format!("http://slow.test/{n}") } else { format!("http://h{n}.test/") })
        .collect();
    let engine = engine(16, |job| match job.trail.url.host_str() {
        Some("slow.test") => fine_after(Duration::from_secs(100)),
        _ => fine_after(Duration::from_secs(1)),
    });
    let (started, fast) = (Instant::now(), Arc::new(Mutex::new(Duration::ZERO)));
    let last = Arc::clone(&fast);
    let note = move |outcome: &Outcome| {
        if !outcome.target.given.contains("slow") {
            *last.lock().unwrap() = started.elapsed();
        }
        Ok(())
    };
    engine.run(seeds(urls.iter().map(String::as_str)), vec![Box::new(note)]).await.unwrap();
    // 100 hosts with 15 slots: a slow host that took more than one slot for its 100 seconds would make it longer.
    assert!(*fast.lock().unwrap() <= Duration::from_secs(8), "{:?}", fast.lock().unwrap());
}

#[tokio::test(start_paused = true)]
async fn there_are_never_more_in_flight_than_asked_for_also_under_retries() {
    let urls: Vec<_> = (0..300).map(|n| format!("http://h{}.test/{n}", n % 30)).collect();
    let engine = engine(7, |job| match job.trail.attempt {
        1 => Reaction { after: Duration::from_millis(job.target.id % 5), ..fails(Kind::Reset) },
        _ => fine_after(Duration::from_millis(3)),
    });
    let summary = engine.run(seeds(urls.iter().map(String::as_str)), Vec::new()).await.unwrap();
    assert_eq!((summary.targets, summary.fetched), (300, 300));
    assert_eq!(engine.visitor.most_in_flight.load(Ordering::SeqCst), 7);
}

#[tokio::test(start_paused = true)]
async fn starts_on_one_host_are_the_delay_apart_whatever_redirects_there() {
    let delay = Duration::from_millis(250);
    let frontier = Frontier::new(frontier::Options { delay, ..frontier::Options::default() });
    let scripted = engine(64, |job| {
        if let Some("a.test") = job.trail.url.host_str() {
            fine()
        } else {
            let to = Url::parse(&format!("http://a.test/from{}", job.target.id)).unwrap();
            Reaction { end: End::Redirect(Redirect { status: 302, to, rewrite_to_get: false, by: None }), ..fine() }
        }
    });
    let engine = Engine { frontier, ..scripted };
    let urls: Vec<_> = (0..8).flat_map(|n| [format!("http://b{n}.test/"), format!("http://a.test/{n}")]).collect();
    engine.run(seeds(urls.iter().map(String::as_str)), Vec::new()).await.unwrap();
    let starts = engine.visitor.starts.lock().unwrap();
    let times: Vec<_> = starts.iter().filter(|(url, _)| url.contains("a.test")).map(|&(_, at)| at).collect();
    assert_eq!(times.len(), 16);
    assert!(times.windows(2).all(|pair| pair[1] - pair[0] >= delay), "{times:?}");
}

#[tokio::test(start_paused = true)]
async fn a_retry_waits_as_long_as_the_host_says_and_so_do_the_hosts_other_jobs() {
    let wait = Duration::from_secs(77);
    let engine = engine(1, move |job| match (job.trail.url.path(), job.trail.attempt) {
        ("/busy", 1) => {
            let hint = HostHint { retry_after: Some(wait), throttled: true, ..HostHint::default() };
            Reaction { hint, ..fails(Kind::Timeout) }
        }
        _ => fine(),
    });
    let started = Instant::now();
    let urls = ["http://a.test/busy", "http://a.test/other", "http://b.test/"];
    engine.run(seeds(urls), Vec::new()).await.unwrap();
    let starts = engine.visitor.starts.lock().unwrap();
    let order: Vec<_> = starts.iter().map(|(url, at)| (url.as_str(), at.duration_since(started) >= wait)).collect();
    assert_eq!(
        order,
        [
            ("http://a.test/busy", false),
            ("http://b.test/", false),
            ("http://a.test/busy", true),
            ("http://a.test/other", true)
        ]
    );
}

#[tokio::test]
async fn a_panic_in_one_visit_is_that_jobs_failure() {
    let engine = engine(4, |job| match job.trail.url.path() {
        "/bad" => panic!("scripted panic"),
        _ => fine(),
    });
    let seen = Seen::default();
    let summary = engine.run(seeds(["http://a.test/1", "http://a.test/bad", "http://a.test/2"]), keep(&seen)).await;
    assert_eq!(summary.unwrap().fetched, 2);
    let seen = seen.lock().unwrap();
    assert!(seen.contains(&("http://a.test/bad".into(), Some(Kind::Internal))), "{seen:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sink_that_blocks_does_not_stop_what_is_in_flight() {
    let engine = engine(8, |job| match job.trail.url.path() {
        "/first" => fine(),
        _ => fine_after(Duration::from_millis(20)),
    });
    let visitor = Arc::clone(&engine.visitor);
    let (ended, wait_for_end) = mpsc::channel();
    tokio::spawn(async move {
        // The other seven end while the sink below blocks its thread.
        while visitor.starts.lock().unwrap().len() < 8 || visitor.in_flight.load(Ordering::SeqCst) > 0 {
            tokio::task::yield_now().await;
        }
        ended.send(()).unwrap();
    });
    let urls: Vec<_> = (0..7).map(|n| format!("http://h{n}.test/")).collect();
    let all = std::iter::once("http://a.test/first").chain(urls.iter().map(String::as_str));
    let mut blocked = false;
    let block = move |_: &Outcome| {
        if !std::mem::replace(&mut blocked, true) {
            wait_for_end.recv_timeout(Duration::from_secs(20)).map_err(io::Error::other)?;
        }
        Ok(())
    };
    engine.run(seeds(all), vec![Box::new(block)]).await.unwrap();
}

#[tokio::test]
async fn a_sink_that_fails_ends_the_run_and_the_others_are_finished() {
    struct Finishes(Arc<AtomicUsize>);
    impl Sink for Finishes {
        fn accept(&mut self, _: &Outcome) -> io::Result<()> {
            Ok(())
        }
        fn finish(self: Box<Self>) -> io::Result<()> {
            self.0.fetch_add(1, Ordering::SeqCst);
            Ok(())
        }
    }
    let finished = Arc::new(AtomicUsize::new(0));
    let fail = |_: &Outcome| Err(io::Error::from(io::ErrorKind::StorageFull));
    let sinks: Vec<Box<dyn Sink>> = vec![Box::new(fail), Box::new(Finishes(Arc::clone(&finished)))];
    let endless = stream::iter((0..).map(|n| Ok(seed(&format!("http://a.test/{n}")))));
    let error = engine(4, |_| fine()).run(endless, sinks).await.unwrap_err();
    assert_eq!((error.kind(), finished.load(Ordering::SeqCst)), (io::ErrorKind::StorageFull, 1));
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_run_ends_what_is_in_flight_as_cancelled() {
    let cancel = CancellationToken::new();
    let scripted = engine(2, |_| fine_after(Duration::from_hours(1)));
    let engine = Engine { cancel: cancel.clone(), ..scripted };
    let (frontier, seen) = (engine.frontier.clone(), Seen::default());
    tokio::spawn(async move {
        sleep(Duration::from_secs(1)).await;
        frontier.close();
        sleep(Duration::from_secs(5)).await;
        cancel.cancel();
    });
    let summary = engine.run(seeds(["http://a.test/", "http://b.test/", "http://c.test/"]), keep(&seen)).await.unwrap();
    assert_eq!(summary.targets, 2, "the third one never started");
    assert!(seen.lock().unwrap().iter().all(|(_, kind)| *kind == Some(Kind::Cancelled)));
}

#[tokio::test]
async fn a_run_without_seeds_ends() {
    let summary = engine(4, |_| fine()).run(seeds([]), Vec::new()).await.unwrap();
    assert_eq!(summary.targets, 0);
}

#[tokio::test]
async fn lines_that_are_no_urls_are_outcomes_too() {
    let rejected = Err(Rejected { target: target("::"), reason: "no host".into() });
    let seen = Seen::default();
    let mixed = stream::iter([rejected, Ok(seed("http://a.test/"))]);
    engine(4, |_| fine()).run(mixed, keep(&seen)).await.unwrap();
    let mut seen = std::mem::take(&mut *seen.lock().unwrap());
    seen.sort();
    assert_eq!(seen, [("::".into(), Some(Kind::InvalidUrl)), ("http://a.test/".into(), None)]);
}

/// Each page leads to one of the same host, whose path is longer.
struct Endless;

impl Visit for Endless {
    async fn visit(&self, job: Job) -> Outcome {
        let link = Link {
            url: job.trail.url.join("a/").unwrap(),
            trust: Trust::Typed,
            kind: LinkKind::Crawled,
            input: None,
            is_admitted: false,
        };
        let end = End::Done { rows: Vec::new(), failure: None };
        Outcome { links: vec![link], ..Outcome::ended(job, end) }
    }
}

#[tokio::test(start_paused = true)]
async fn a_file_of_pages_to_come_that_cannot_be_written_ends_the_run_and_no_page_is_told_that_lost_its_links() {
    let backlog = frontier::BacklogOptions { folder: Some("/nowhere/at/all".into()), memory: 0, hosts: 9 };
    let crawl = Some(frontier::Crawl::default());
    let options = frontier::Options { backlog, crawl, obey: frontier::Obey::Never, ..frontier::Options::default() };
    let (engine, seen) = (Engine { frontier: Frontier::new(options), ..Engine::new(Endless) }, Seen::default());
    let error = engine.run(seeds(["http://a.test/"]), keep(&seen)).await.unwrap_err();
    assert!(error.to_string().contains("/nowhere/at/all"), "{error}");
    assert_eq!(*seen.lock().unwrap(), []);
}
