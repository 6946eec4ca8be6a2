//! Crawls that are stopped, killed and gone on with by the help of a state.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rusqlite::Connection;
use rustix::process::Signal;
use serde_json::Value;
use tempfile::TempDir;

use crate::support::scrape::{Scrape, parse};
use crate::support::{Answer, Gate, Hit, Site};

/// A folder in which the program runs again and again.
struct Desk(TempDir);

impl Desk {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn scrape(&self, args: &str) -> Scrape {
        Scrape::in_shell(&format!("cd '{}' && exec \"$scrape\" {args}", self.0.path().display()))
    }

    /// The records of a file by the URL that answered; each has one.
    fn records(&self, name: &str) -> BTreeMap<String, Value> {
        let records = parse(&fs::read_to_string(self.0.path().join(name)).unwrap());
        let mut found = BTreeMap::new();
        for record in records {
            let url = record["final_url"].as_str().or(record["url"].as_str()).unwrap().to_owned();
            assert!(found.insert(url, record.clone()).is_none(), "twice in {name}: {record}");
        }
        found
    }

    fn query<T: rusqlite::types::FromSql>(&self, sql: &str) -> T {
        let connection = Connection::open(self.0.path().join("s.db")).unwrap();
        connection.query_row(sql, [], |row| row.get(0)).unwrap()
    }

    /// How many rows the tables of a crawl have.
    fn left(&self) -> [i64; 4] {
        ["frontier", "departures", "starts", "passed"].map(|it| self.query(&format!("SELECT count(*) FROM {it}")))
    }

    /// How many pages have yet to come.
    fn waiting(&self) -> i64 {
        self.query("SELECT count(*) FROM frontier WHERE NOT has_failed")
    }
}

/// A site whose page N links to 2N, 2N + 1 and some that were met before: a tree with shortcuts. Some pages are not there, some
/// lead to another one, some are busy at first.
fn answer(hit: &Hit, pages: usize) -> Answer {
    match hit.path.trim_start_matches('/').parse::<usize>() {
        Ok(n) if n == 0 || n > pages => Answer::status(404),
        Ok(n) if n % 50 == 27 => Answer::title("missing").with_status(404),
        Ok(n) if n % 50 == 19 => Answer::redirect(302, &format!("/{}", n + 1)),
        Ok(n) if n % 90 == 31 && hit.nth == 0 => Answer::status(503),
        Ok(n) => {
            let links = [2 * n, 2 * n + 1, n / 2 + 1, n * 7 % pages + 1].into_iter().filter(|&it| it <= pages);
            let links: String = links.map(|it| ["<a href=/", &it.to_string(), ">x</a>"].concat()).collect();
            Answer::html(format!("<title>{n}</title>{links}"))
        }
        Err(_) => Answer::status(404),
    }
}

/// What a page's record says, whenever it was made.
fn essence(records: &BTreeMap<String, Value>) -> BTreeSet<(String, String)> {
    let essence = |(url, record): (&String, &Value)| (url.clone(), format!("{} {}", record["status"], record["title"]));
    records.iter().map(essence).collect()
}

#[test]
fn whenever_a_crawl_is_killed_no_page_is_lost_or_has_two_records() {
    const PAGES: usize = 2000;
    const KILLS: usize = 30;
    let seed = fastrand::u64(..);
    let mut random = fastrand::Rng::with_seed(seed);
    let (site, desk) = (Site::start(|hit| answer(hit, PAGES)), Desk::new());
    let usual = format!("{} --depth all --allow-traps --retry 1 --retry-delay 0.01 --fail-on none", site.url("/1"));
    let args = format!("{usual} --state s.db --resume -o out.jsonl");
    let mut killed = 0;
    while killed < KILLS {
        let (asked, more) = (site.count(), random.usize(..2 * PAGES / KILLS));
        let mut run = desk.scrape(&args).spawn();
        while site.count() < asked + more && !run.ends_within(Duration::from_micros(200)) {}
        if run.ends_within(Duration::ZERO) {
            break;
        }
        run.signal(Signal::KILL);
        assert_eq!(run.finish().code, None);
        killed += 1;
        assert_eq!(desk.query::<String>("PRAGMA integrity_check"), "ok", "seed {seed}");
    }
    desk.scrape(&args).run().exits(0);
    assert_eq!(desk.waiting(), 0);
    let asked = site.count();
    desk.scrape(&format!("{usual} -o undisturbed.jsonl")).run().exits(0);
    let [found, expected] = ["out.jsonl", "undisturbed.jsonl"].map(|name| essence(&desk.records(name)));
    let differ: Vec<_> = found.symmetric_difference(&expected).collect();
    assert!(differ.is_empty(), "seed {seed}, {killed} kills: {differ:?}");
    assert!(expected.len() > PAGES * 9 / 10 && killed > KILLS / 4, "{killed} kills, {} pages", expected.len());
    let undisturbed = site.count() - asked;
    // What was in flight, and what was done in the moment in which a batch is gathered.
    assert!(asked - undisturbed < killed * 200, "{asked} requests with {killed} kills, {undisturbed} without");
}

/// A site whose index names sitemaps of pages; some pages are in two of them.
fn answer_listed(hit: &Hit, (sitemaps, pages): (usize, usize)) -> Answer {
    let base = format!("http://{}", hit.header("Host").unwrap());
    let text = |element: &str, urls: &mut dyn Iterator<Item = String>| {
        let urls: Vec<_> = urls.map(|url| format!("<{element}><loc>{base}{url}</loc></{element}>")).collect();
        let urls = urls.concat();
        Answer::untyped(
            format!("<x{element}>{urls}</x{element}>").replace("xurl", "urlset").replace("xsitemap", "sitemapindex"),
        )
    };
    match (hit.path.as_str(), hit.path.strip_prefix("/s").and_then(|n| n.parse::<usize>().ok())) {
        ("/index.xml", _) => text("sitemap", &mut (0..sitemaps).map(|n| format!("/s{n}"))),
        (_, Some(n)) => text("url", &mut (n * pages..(n + 1) * pages + 5).map(|page| format!("/{page}"))),
        ("/robots.txt", _) => Answer::untyped(""),
        (path, None) => Answer::title(path),
    }
}

#[test]
fn whenever_it_is_killed_each_page_that_sitemaps_list_has_one_record() {
    const SITEMAPS: usize = 8;
    const PAGES: usize = 100;
    let seed = fastrand::u64(..);
    let mut random = fastrand::Rng::with_seed(seed);
    let (site, desk) = (Site::start(|hit| answer_listed(hit, (SITEMAPS, PAGES))), Desk::new());
    let args = format!("--sitemap {} --state s.db --resume -f jsonl -o out.jsonl", site.url("/index.xml"));
    let mut killed = 0;
    for _ in 0..8 {
        let (asked, more) = (site.count(), random.usize(..SITEMAPS * PAGES / 5));
        let mut run = desk.scrape(&args).spawn();
        while site.count() < asked + more && !run.ends_within(Duration::from_micros(200)) {}
        if run.ends_within(Duration::ZERO) {
            break;
        }
        run.signal(Signal::KILL);
        assert_eq!(run.finish().code, None);
        killed += 1;
    }
    desk.scrape(&args).run().exits(0);
    let found: BTreeSet<_> = desk.records("out.jsonl").into_keys().collect();
    let expected: BTreeSet<_> = (0..SITEMAPS * PAGES + 5).map(|page| site.url(&format!("/{page}"))).collect();
    assert_eq!(found, expected, "seed {seed}, {killed} kills");
    assert!(killed > 1, "seed {seed}");
}

#[test]
fn a_crawl_goes_on_where_a_limit_has_ended_it_and_its_records_tell_the_way() {
    let (site, desk) = (Site::start(|hit| answer(hit, 300)), Desk::new());
    let usual = format!("{} --depth all --allow-traps --retry 1 --retry-delay 0.01 --fail-on none", site.url("/1"));
    let args = format!("{usual} --state s.db --resume -o out.jsonl");
    desk.scrape(&format!("{args} --max-pages 60")).run().exits(0);
    let some = desk.records("out.jsonl");
    assert_eq!(some.values().filter(|record| record["error"].is_null()).count(), 60);
    assert!(desk.left()[0] > 0);
    let asked = site.count();
    desk.scrape(&args).run().exits(0);
    let hits = site.hits();
    let again: Vec<_> = hits[asked..].iter().filter(|hit| some.contains_key(&site.url(&hit.path))).collect();
    assert!(again.is_empty(), "{again:?}");
    assert_eq!(desk.waiting(), 0);
    let failed = desk.records("out.jsonl").values().filter(|record| !record["error"].is_null()).count();
    assert_eq!(
        desk.left()[0],
        i64::try_from(failed).unwrap(),
        "a crawl that has come to its end leaves its failures alone"
    );

    desk.scrape(&format!("{usual} -c 1 -o undisturbed.jsonl")).run().exits(0);
    let [found, expected] = ["out.jsonl", "undisturbed.jsonl"].map(|name| desk.records(name));
    assert_eq!(essence(&found), essence(&expected));
    for (url, record) in &found {
        let is_seed = *url == site.url("/1");
        assert_eq!(record["referrer"].is_null(), is_seed, "{record}");
        assert_eq!(record["depth"].as_u64() == Some(0), is_seed, "{record}");
        assert!(is_seed || found.contains_key(record["referrer"].as_str().unwrap()), "{record}");
    }
}

#[test]
fn a_list_does_not_go_on_with_a_crawl_and_a_new_run_forgets_what_is_left() {
    let (site, desk) = (Site::start(|hit| answer(hit, 100)), Desk::new());
    let url = site.url("/1");
    desk.scrape(&format!("{url} --depth all --state s.db --max-pages 9 -o out.jsonl")).run().exits(0);
    let left = desk.left();
    let refused = desk.scrape(&format!("{url} --state s.db --resume -o out.jsonl")).run();
    refused.refused_over("was a crawl");
    assert_eq!(desk.left(), left, "it is as it was");
    desk.scrape(&format!("{url} --state s.db -o other.jsonl")).run().exits(0);
    assert_eq!(desk.left(), [0; 4]);
}

#[test]
fn a_crawl_that_was_stopped_by_a_signal_goes_on() {
    let (site, desk) = (Site::start(|hit| answer(hit, 400)), Desk::new());
    let args = format!(
        "{} --depth all --allow-traps --retry 1 --retry-delay 0.01 --state s.db --resume -o out.jsonl",
        site.url("/1")
    );
    let mut run = desk.scrape(&args).spawn();
    while site.count() < 100 && !run.ends_within(Duration::from_micros(200)) {}
    run.signal(Signal::INT);
    run.finish();
    desk.scrape(&format!("{args} --fail-on none")).run().exits(0);
    desk.scrape(&format!("{} --depth all --allow-traps --fail-on none -o all.jsonl", site.url("/1"))).run().exits(0);
    let [found, expected] = ["out.jsonl", "all.jsonl"].map(|name| essence(&desk.records(name)));
    let differ: Vec<_> = found.symmetric_difference(&expected).collect();
    assert!(differ.is_empty(), "{differ:?}, {:?}", desk.left());
}

#[test]
fn what_a_crawl_comes_by_after_a_signal_waits_for_the_run_that_goes_on() {
    let gate = Gate::shut();
    let held = gate.clone();
    let site = Site::start(move |hit| match hit.path.as_str() {
        "/1" => Answer::html("<a href=/2>x</a>").after(Duration::from_millis(50)).behind(&held),
        _ => Answer::title(&hit.path),
    });
    let desk = Desk::new();
    let args = format!("{} --depth all --robots ignore --state s.db --resume -o out.jsonl", site.url("/1"));
    let run = desk.scrape(&args).spawn();
    site.wait_for(1);
    run.signal(Signal::INT);
    gate.open();
    run.finish();
    desk.scrape(&args).run().exits(0);
    assert_eq!(desk.records("out.jsonl").len(), 2);
    assert_eq!(site.hits_of("/1").len(), 1);
}

/// A site whose page 3, and 7 behind another, are not there on their first day; a new page is behind one of them.
fn answer_later(hit: &Hit, is_later: bool) -> Answer {
    let links = |paths: &[&str]| {
        let links: String = paths.iter().map(|path| ["<a href=", path, ">x</a>"].concat()).collect();
        Answer::html(format!("<title>{}</title>{links}", hit.path))
    };
    match hit.path.as_str() {
        "/1" => links(&["/2", "/3", "/4", "/busy"]),
        "/2" => links(&["/5", "/away"]),
        "/away" => Answer::redirect(302, "/7"),
        "/3" | "/7" if !is_later => Answer::status(404),
        "/busy" if !is_later => Answer::status(503),
        "/7" => links(&["/8", "/3"]),
        "/gone" => Answer::status(410),
        "/4" => links(&["/gone"]),
        _ => links(&[]),
    }
}

#[test]
fn failures_of_a_crawl_are_tried_again_where_they_were_and_lead_on() {
    let is_later = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&is_later);
    let site = Site::start(move |hit| answer_later(hit, flag.load(Ordering::SeqCst)));
    let desk = Desk::new();
    let usual = format!("{} --depth all --retry 0 --fail-on none", site.url("/1"));
    let args = format!("{usual} --state s.db --resume -o out.jsonl");
    let asked = || ["/1", "/2", "/3", "/4", "/5", "/away", "/busy", "/gone"].map(|path| site.hits_of(path).len());
    desk.scrape(&args).run().exits(0);
    assert_eq!(desk.records("out.jsonl").len(), 8);
    assert_eq!(asked(), [1; 8]);
    is_later.store(true, Ordering::SeqCst);
    desk.scrape(&args).run().exits(0);
    assert_eq!(asked(), [1, 1, 1, 1, 1, 1, 2, 1], "what may be gone in a moment is tried again, and nothing else");
    assert_eq!(desk.records("out.jsonl").len(), 8);
    desk.scrape(&format!("{args} --retry-failed")).run().exits(0);
    assert_eq!(asked(), [1, 1, 2, 1, 1, 2, 2, 2]);
    assert_eq!(desk.left()[0], 1, "the page that is gone for good");
    desk.scrape(&format!("{usual} -o undisturbed.jsonl")).run().exits(0);
    let [found, expected] = ["out.jsonl", "undisturbed.jsonl"].map(|name| desk.records(name));
    let place = |records: &BTreeMap<String, Value>| {
        let place = |(url, record): (&String, &Value)| {
            format!("{url} {} {} {}", record["status"], record["depth"], record["referrer"])
        };
        records.iter().map(place).collect::<Vec<_>>()
    };
    assert_eq!(place(&found), place(&expected));
}
