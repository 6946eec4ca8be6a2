//! `--check-links` with a state: runs that are stopped, killed and gone on with tell what an undisturbed one does.

use std::fs;
use std::io::Read;
use std::path::PathBuf;
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

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A run that checks the links of a site.
    fn check(&self, site: &Site, args: &str) -> Scrape {
        let folder = self.0.path().display();
        let usual = "--check-links --allow-traps --retry 1 --retry-delay 0.01";
        Scrape::in_shell(&format!("cd '{folder}' && exec \"$scrape\" {usual} {args} {}", site.url("/1")))
    }

    fn records(&self, name: &str) -> Vec<Value> {
        parse(&fs::read_to_string(self.path(name)).unwrap())
    }

    /// What the records of a file say of links, whenever they were made, in order.
    fn told(&self, name: &str) -> Vec<String> {
        let told = |it: Value| format!("{} {} {} {}", it["url"], it["error"], it["referrer"], it["depth"]);
        let mut told: Vec<_> = self.records(name).into_iter().map(told).collect();
        told.sort();
        told
    }

    fn state(&self) -> Connection {
        Connection::open(self.path("s.db")).unwrap()
    }

    /// What an undisturbed run tells.
    fn undisturbed(&self, site: &Site) -> Vec<String> {
        self.check(site, "-o undisturbed.jsonl").run().exits(1);
        self.told("undisturbed.jsonl")
    }
}

/// What goes on with the run of a state, or begins it.
const GO_ON: &str = "--state s.db --resume -o out.jsonl";

/// A site whose page N links to 2N and 2N + 1. Most pages have a broken link that no other page has: to a place of its own or of the
/// page before, to a page that is not there or is busy, or to what is no URL. Some are found where redirects lead.
fn answer(hit: &Hit, pages: usize) -> Answer {
    let path = hit.path.trim_start_matches('/');
    match path.parse::<usize>() {
        Ok(n) if n == 0 || n > pages => Answer::status(404),
        Ok(n) if n % 20 == 19 => Answer::redirect(301, &format!("/moved{n}")),
        Ok(n) => page(n, pages),
        Err(_) => match path.strip_prefix("moved").and_then(|n| n.parse().ok()) {
            Some(n) => page(n, pages),
            None if path.starts_with("busy") => Answer::status(503),
            None if path.starts_with("away") => Answer::redirect(301, &path.replace("away", "/lost")),
            None => Answer::status(404),
        },
    }
}

fn page(n: usize, pages: usize) -> Answer {
    let up = n / 2;
    let broken = match n % 7 {
        0 => format!("#none{n}"),
        1 if up > 0 => format!("/{up}#none{n}"),
        2 => format!("/gone{n}"),
        3 => format!("http://<none{n}>/"),
        4 if n.is_multiple_of(3) => format!("/busy{n}"),
        5 => format!("#here{n}"),
        6 => format!("/away{n}"),
        _ => "#top".into(),
    };
    // A redirect leads there, too.
    let lost =
        if up % 7 == 6 && n == 2 * up { format!("<a href=/lost{up}>the link of {n}</a>") } else { String::new() };
    let children = [2 * n, 2 * n + 1].into_iter().filter(|&it| it <= pages);
    let children: Vec<_> = children.map(|it| format!("<a href=/{it}>on</a>")).collect();
    let lines = "\n".repeat(n % 5);
    Answer::html(format!("<p id=here{n}>{lines}<a href='{broken}'>the link of {n}</a>{lost}{}", children.concat()))
}

#[test]
fn whenever_a_check_of_links_is_killed_each_broken_one_is_told_once() {
    const PAGES: usize = 400;
    const KILLS: usize = 20;
    let seed = fastrand::u64(..);
    let mut random = fastrand::Rng::with_seed(seed);
    let (site, desk) = (Site::start(|hit| answer(hit, PAGES)), Desk::new());
    let expected = desk.undisturbed(&site);
    let kinds = ["fragment", "status", "invalid_url"].map(|kind| {
        expected
            .iter()
            .filter(|told| told.contains(&format!("\"kind\":\"{kind}\"")) && told.contains("the link"))
            .count()
    });
    assert!(kinds.iter().all(|&count| count > PAGES / 10), "{kinds:?}");
    let mut killed = 0;
    while killed < KILLS {
        let (asked, more) = (site.count(), random.usize(..3 * PAGES / KILLS));
        let mut run = desk.check(&site, GO_ON).spawn();
        while site.count() < asked + more && !run.ends_within(Duration::from_micros(200)) {}
        if run.ends_within(Duration::ZERO) {
            break;
        }
        run.signal(Signal::KILL);
        run.finish();
        killed += 1;
    }
    desk.check(&site, GO_ON).run().exits(1);
    assert_eq!(desk.told("out.jsonl"), expected, "seed {seed}, {killed} kills");
    assert!(killed > KILLS / 4, "{killed} kills");
}

#[test]
fn what_is_compressed_is_whole_when_a_killed_check_has_been_gone_on_with() {
    const PAGES: usize = 400;
    let site = Site::start(|hit| answer(hit, PAGES));
    for name in ["out.jsonl.gz", "out.jsonl.zst"] {
        let desk = Desk::new();
        let expected = desk.undisturbed(&site);
        let (asked, go_on) = (site.count(), format!("--state s.db --resume -o {name}"));
        let mut run = desk.check(&site, &go_on).spawn();
        while site.count() < asked + PAGES && !run.ends_within(Duration::from_micros(200)) {}
        run.signal(Signal::KILL);
        run.finish();
        desk.check(&site, &go_on).run().exits(1);
        let packed = fs::read(desk.path(name)).unwrap();
        let unpacked = if name.ends_with("gz") {
            let mut unpacked = Vec::new();
            flate2::read::MultiGzDecoder::new(&*packed).read_to_end(&mut unpacked).unwrap();
            unpacked
        } else {
            zstd::decode_all(&*packed).unwrap()
        };
        fs::write(desk.path("out.jsonl"), unpacked).unwrap();
        assert_eq!(desk.told("out.jsonl"), expected, "{name}");
    }
}

#[test]
fn a_run_that_did_not_check_links_is_not_gone_on_with_by_one_that_does_nor_the_other_way_round() {
    let (site, desk) = (Site::start(|hit| answer(hit, 50)), Desk::new());
    let seed = site.url("/1");
    let folder = desk.0.path().display();
    let crawl = |args: &str| {
        let usual = "--depth all --allow-traps --retry 0 -o out.jsonl";
        Scrape::in_shell(&format!("cd '{folder}' && exec \"$scrape\" {usual} {args} {seed}")).run()
    };
    crawl("--state s.db --max-pages 9").exits(0);
    desk.check(&site, GO_ON).run().refused_over("the run to go on with did not check links");
    desk.check(&site, "--state t.db -o links.jsonl --max-pages 9").run();
    let args = "--state t.db --resume -o links.jsonl";
    Scrape::in_shell(&format!("cd '{folder}' && exec \"$scrape\" --depth all {args} {seed}"))
        .run()
        .refused_over("the run to go on with checked links");
}

#[test]
fn a_link_to_where_a_redirect_led_before_a_kill_is_told_by_itself() {
    let gate = Gate::shut();
    let held = gate.clone();
    let site = Site::start(move |hit| match hit.path.as_str() {
        "/1" => Answer::html("<a href=/away>a</a> <a href=/2>b</a>"),
        "/2" => Answer::html("<a href=/lost>c</a>").behind(&held),
        "/away" => Answer::redirect(301, "/lost"),
        _ => Answer::status(404),
    });
    let desk = Desk::new();
    let mut run = desk.check(&site, GO_ON).spawn();
    // The page that leads there directly is in flight, and nothing else comes.
    let is_told = "SELECT count(*) FROM pages WHERE url LIKE '%/away'";
    let state =
        || Connection::open(desk.path("s.db")).and_then(|it| it.query_row(is_told, [], |row| row.get::<_, i64>(0)));
    while !state().is_ok_and(|count| count == 1) {
        assert!(!run.ends_within(Duration::from_millis(1)));
    }
    run.signal(Signal::KILL);
    run.finish();
    gate.open();
    desk.check(&site, GO_ON).run().exits(1);
    assert_eq!(desk.told("out.jsonl"), desk.undisturbed(&site));
    assert_eq!(desk.told("out.jsonl").len(), 2);
}

#[test]
fn whenever_its_end_is_killed_each_broken_link_is_told_once() {
    const PAGES: usize = 30;
    let seed = fastrand::u64(..);
    let mut random = fastrand::Rng::with_seed(seed);
    let site = Site::start(|hit| answer(hit, PAGES));
    let expected = Desk::new().undisturbed(&site);
    let requests = site.count();
    for _ in 0..12 {
        let (desk, asked) = (Desk::new(), site.count());
        let mut run = desk.check(&site, GO_ON).spawn();
        while site.count() < asked + requests && !run.ends_within(Duration::from_micros(200)) {}
        for _ in 0..3 {
            if !run.ends_within(Duration::from_micros(random.u64(..15_000))) {
                run.signal(Signal::KILL);
            }
            run.finish();
            run = desk.check(&site, GO_ON).spawn();
        }
        run.finish().exits(1);
        assert_eq!(desk.told("out.jsonl"), expected, "seed {seed}");
    }
}

#[test]
fn a_place_that_was_told_of_is_told_again_unless_the_state_knows_that_it_was() {
    let gate = Gate::shut();
    let held = gate.clone();
    let site = Site::start(move |hit| if hit.path == "/7" { answer(hit, 20).behind(&held) } else { answer(hit, 20) });
    let desk = Desk::new();
    let mut run = desk.check(&site, GO_ON).spawn();
    site.wait_until(|hits| hits.iter().any(|hit| hit.path == "/7"));
    let has_some = || desk.state().query_row("SELECT count(*) > 9 FROM pages WHERE run = 1", [], |row| row.get(0));
    while !has_some().unwrap_or(false) && !run.ends_within(Duration::from_millis(1)) {}
    // From here on, nothing gets into the state.
    let state = desk.state();
    state.busy_timeout(Duration::from_secs(5)).unwrap();
    state.execute_batch("BEGIN IMMEDIATE").unwrap();
    gate.open();
    let has_told = || fs::read_to_string(desk.path("out.jsonl")).unwrap().contains("\"fragment\"");
    while !has_told() && !run.ends_within(Duration::from_micros(200)) {}
    run.signal(Signal::KILL);
    assert_eq!(run.finish().code, None);
    assert!(has_told());
    drop(state);
    desk.check(&site, GO_ON).run().exits(1);
    assert_eq!(desk.told("out.jsonl"), desk.undisturbed(&site));
}

#[test]
fn a_run_that_was_stopped_tells_what_is_broken_and_the_next_one_the_rest() {
    let gate = Gate::shut();
    let held = gate.clone();
    let site = Site::start(move |hit| if hit.path == "/7" { answer(hit, 60).behind(&held) } else { answer(hit, 60) });
    let desk = Desk::new();
    let run = desk.check(&site, GO_ON).spawn();
    // The links of 3, among them that to 7, are known.
    site.wait_until(|hits| hits.iter().any(|hit| hit.path == "/7"));
    run.signal(Signal::INT);
    gate.open();
    assert_eq!(run.finish().code, Some(130));
    let some = desk.told("out.jsonl");
    desk.check(&site, GO_ON).run().exits(1);
    let expected = desk.undisturbed(&site);
    assert_eq!(desk.told("out.jsonl"), expected);
    assert!(some.len() < expected.len() && some.iter().all(|told| expected.contains(told)), "{some:#?}");
}

#[test]
fn a_run_that_has_ended_tells_nothing_more_when_it_is_gone_on_with_but_that_links_are_broken() {
    let (site, desk) = (Site::start(|hit| answer(hit, 40)), Desk::new());
    let first = desk.check(&site, &format!("{GO_ON} --exclude '*busy*'")).run().exits(1);
    let told = fs::read_to_string(desk.path("out.jsonl")).unwrap();
    let asked = site.count();
    let again = desk.check(&site, &format!("{GO_ON} --exclude '*busy*'")).run().exits(1);
    assert_eq!(fs::read_to_string(desk.path("out.jsonl")).unwrap(), told);
    assert_eq!(again.stderr, first.stderr, "the links of the whole run are counted");
    assert_eq!(site.count(), asked);
    desk.check(&site, &format!("{GO_ON} --exclude '*busy*' --fail-on none")).run().exits(0);
}

#[test]
fn a_person_is_told_all_of_a_run_that_is_gone_on_with() {
    let (site, desk) = (Site::start(|hit| answer(hit, 40)), Desk::new());
    let table = "--state s.db --resume -f table";
    let first = desk.check(&site, &format!("{table} --max-pages 12")).run().exits(1);
    let last = desk.check(&site, table).run().exits(1);
    let whole = desk.check(&site, "-f table").run().exits(1);
    assert_eq!(last.stdout, whole.stdout);
    assert!(first.stdout.lines().count() < whole.stdout.lines().count());
    assert_eq!(desk.check(&site, table).run().exits(1).stdout, whole.stdout);
}

#[test]
fn a_run_of_its_own_knows_nothing_of_the_one_before() {
    let (site, desk) = (Site::start(|hit| answer(hit, 40)), Desk::new());
    desk.check(&site, "--state s.db -o out.jsonl").run().exits(1);
    let told = desk.told("out.jsonl");
    desk.check(&site, "--state s.db -o out.jsonl").run().exits(1);
    assert_eq!(desk.told("out.jsonl"), told);
    desk.check(&site, "--state s.db --depth 0 -o out.jsonl").run().exits(0);
    assert!(desk.told("out.jsonl").is_empty());
}

#[test]
fn what_has_failed_is_forgotten_when_it_is_tried_again() {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    let is_later = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&is_later);
    let site = Site::start(move |hit| match &*hit.path {
        "/1" => {
            Answer::html("<a href=/2>two</a><a href='/2#two'>x</a><a href='#none'>x</a><a href='http://<x>/'>x</a>")
        }
        "/2" if flag.load(Ordering::SeqCst) => Answer::html("<p>There is no place."),
        _ => Answer::status(404),
    });
    let desk = Desk::new();
    let kinds = || desk.records("out.jsonl").iter().map(|it| it["error"]["kind"].clone()).collect::<Vec<_>>();
    desk.check(&site, GO_ON).run().exits(1);
    assert_eq!(kinds(), ["invalid_url", "status", "fragment"]);
    is_later.store(true, Ordering::SeqCst);
    let run = desk.check(&site, &format!("{GO_ON} --retry-failed")).run().exits(1);
    assert_eq!(kinds(), ["invalid_url", "fragment", "fragment"]);
    assert_eq!(run.stderr, "scrape: 5 links checked: 3 broken\n");
    let mut told = desk.told("out.jsonl");
    told.dedup();
    assert_eq!(told, desk.undisturbed(&site));
    let again = desk.check(&site, GO_ON).run().exits(1);
    assert_eq!(again.stderr, run.stderr);
    assert_eq!(desk.told("out.jsonl"), told);
}
