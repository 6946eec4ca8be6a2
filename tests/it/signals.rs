//! Being stopped: what was finished is written whole.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::support::scrape::{Running, Scrape, parse};
use crate::support::site::PATIENCE;
use crate::support::{Answer, Gate, Site, scrape};

/// How long what is in flight may still take after the first signal.
const GRACE: Duration = Duration::from_secs(5);

fn list(site: &Site, pages: usize) -> String {
    (0..pages).map(|n| site.url(&format!("/{n}\n"))).collect()
}

/// Runs two at a time over pages that take a moment, sends `signal` amid the first, and lets it end.
fn drained(signal: Signal) -> (Site, crate::support::Run) {
    let gate = Gate::shut();
    let held = gate.clone();
    let latency = Duration::from_millis(50);
    let site = Site::start(move |hit| Answer::title(&hit.path).after(latency).behind(&held));
    let mut run = scrape(["-c", "2", "-f", "jsonl"]).spawn();
    run.write(&list(&site, 200));
    site.wait_for(2);
    run.signal(signal);
    gate.open();
    (site, run.finish())
}

#[test]
fn ctrl_c_lets_what_is_in_flight_finish_and_starts_nothing_more() {
    let (site, run) = drained(Signal::INT);
    let run = run.exits(130);
    let records = run.records();
    assert!((2..200).contains(&records.len()), "{} records", records.len());
    assert_eq!(records.len(), site.hits().len());
    assert!(records.iter().all(|record| record["error"].is_null()), "{}", run.stdout);
}

#[test]
fn sigterm_does_as_ctrl_c_does() {
    let (site, run) = drained(Signal::TERM);
    assert_eq!(run.exits(143).records().len(), site.hits().len());
    assert!(site.hits().len() < 200);
}

#[test]
fn sighup_does_as_ctrl_c_does() {
    let (site, run) = drained(Signal::HUP);
    assert!(matches!(run.code, Some(129 | 130 | 143)), "{run:?}");
    assert_eq!(run.records().len(), site.hits().len());
}

#[test]
fn what_does_not_finish_within_the_grace_is_cancelled() {
    let site = Site::start(|hit| match &*hit.path {
        "/done" => Answer::title("done"),
        _ => Answer::silence(),
    });
    let mut run = scrape(["-c", "3", "--per-host", "3", "-f", "jsonl", "--read-timeout", "60", "-m", "60"]).spawn();
    run.write(&format!("{}\n{}", site.url("/done"), list(&site, 20)));
    let done = run.line();
    site.wait_for(4);
    let start = Instant::now();
    run.signal(Signal::INT);
    let run = run.finish().exits(130);
    assert!(start.elapsed() >= GRACE);
    assert!(done.contains("/done"));
    let records = run.records();
    assert_eq!(records.len(), 3, "those in flight and no others: {}", run.stdout);
    assert!(records.iter().all(|record| record["error"]["kind"] == "cancelled"));
    // How long it ran, which was longer than the grace.
    let ran = |record: &Value| Duration::from_millis(record["elapsed_ms"].as_u64().unwrap());
    assert!(records.iter().all(|record| ran(record) >= GRACE), "{}", run.stdout);
}

/// Interrupts again and again until the program is gone: one signal may swallow the next before it is seen.
pub(crate) fn interrupt_until_gone(run: &mut Running) {
    let start = Instant::now();
    loop {
        run.signal(Signal::INT);
        if run.ends_within(Duration::from_millis(100)) {
            break;
        }
        assert!(start.elapsed() < PATIENCE, "still there");
    }
    assert!(start.elapsed() < GRACE, "the grace was not cut short: {:?}", start.elapsed());
}

#[test]
fn ctrl_c_twice_stops_at_once() {
    let site = Site::start(|_| Answer::silence());
    let mut run = scrape(["-f", "jsonl", &site.url("/")]).spawn();
    site.wait_for(1);
    interrupt_until_gone(&mut run);
    run.finish().exits(130).records();
}

#[test]
fn ctrl_c_twice_stops_at_once_even_while_standard_output_blocks() {
    // A line that is written whole or not at all (PIPE_BUF is 4096), of which a pipe of 64 KiB holds about 18.
    let site = Site::start(|_| Answer::title(&"x".repeat(3000)));
    let mut run = scrape(["-c", "8", "-f", "jsonl"]).spawn();
    run.write(&list(&site, 500));
    // Nobody reads: when the 24th is asked for, 16 of the others have been answered and no more than 8 are in flight.
    site.wait_for(24);
    interrupt_until_gone(&mut run);
    let run = run.finish().exits(130);
    assert!(!run.records().is_empty());
}

#[test]
fn a_file_never_ends_in_half_a_line() {
    let site = Site::start(|_| Answer::html(format!("<title>t</title><pre>{}</pre>", "x".repeat(50_000))));
    let mut run = scrape(["-f", "jsonl", "-s", "pre=pre", "-o", "out.jsonl", "-o", "out.tsv"]).spawn();
    run.write(&list(&site, 1000));
    site.wait_for(60);
    interrupt_until_gone(&mut run);
    let run = run.finish().exits(130);
    parse(&run.file("out.jsonl"));
    let tsv = run.file("out.tsv");
    assert!(tsv.lines().all(|line| line.split('\t').count() == 7) && (tsv.is_empty() || tsv.ends_with('\n')));
}

#[test]
fn an_interrupt_ends_the_wait_for_a_retry() {
    let site = Site::start(|_| Answer::status(503).header("Retry-After", "100"));
    let mut run = scrape(["-f", "jsonl", &site.url("/")]).spawn();
    site.wait_for(1);
    run.signal(Signal::INT);
    assert!(run.ends_within(GRACE * 4), "still there");
    run.finish().exits(130);
    assert_eq!(site.hits().len(), 1);
}

#[test]
fn an_interrupt_ends_the_wait_for_more_input() {
    let site = Site::start(|hit| Answer::title(&hit.path));
    let mut run = scrape(["-f", "jsonl"]).spawn();
    run.write(&list(&site, 1));
    run.line();
    run.signal(Signal::INT);
    assert!(run.ends_within(GRACE * 4), "still there");
    run.finish().exits(130);
}

#[test]
fn a_reader_that_goes_away_ends_the_run_quietly() {
    let site = Site::start(|hit| Answer::title(&hit.path).after(Duration::from_millis(5)));
    for format in ["jsonl", "tsv", "csv", "table"] {
        let mut run = scrape(["-c", "2", "-f", format]).spawn();
        run.write(&list(&site, 1000));
        run.line();
        run.close_stdout();
        run.finish().succeeds();
    }
    assert!(site.hits().len() < 4 * 1000, "nobody wants the rest");
}

#[test]
fn a_reader_that_goes_away_ends_a_run_that_waits_for_input() {
    let site = Site::start(|hit| Answer::title(&hit.path));
    let mut run = scrape(["-f", "jsonl"]).spawn();
    run.write(&list(&site, 1));
    run.line();
    run.close_stdout();
    run.write(&site.url("/one\n"));
    assert!(run.ends_within(PATIENCE), "standard input is still open");
    run.finish().succeeds();
}

#[test]
fn an_interrupt_ends_the_wait_of_a_redirect_for_the_delay() {
    let site = Site::with_hosts(2, |hit| match &*hit.path {
        "/from" => Answer::redirect(302, "/to"),
        path => Answer::title(path),
    });
    let mut run = scrape(["--delay", "30", "-f", "jsonl", "-o", "-", "-o", "out.csv", "--summary", "summary.json"]);
    run = run.args([site.url_at(2, "/done"), site.url("/from")]);
    let mut run = run.spawn();
    assert!(run.line().contains("/done"));
    site.wait_for(2);
    run.signal(Signal::INT);
    assert!(run.ends_within(GRACE), "there is nothing in flight to wait for");
    let run = run.finish().exits(130);
    let record = run.record();
    assert_eq!((&record["url"], &record["error"]["kind"]), (&json!(site.url("/from")), &json!("cancelled")));
    assert_eq!(run.file("out.csv").lines().count(), 3, "the header and both records");
    let summary: Value = serde_json::from_str(&run.file("summary.json")).unwrap();
    assert_eq!((&summary["targets"], &summary["fetched"]), (&json!(2), &json!(1)));
    assert!(site.hits_of("/to").is_empty());
}

#[test]
fn an_interrupt_that_takes_the_reader_along_is_told_as_an_interrupt() {
    let gate = Gate::shut();
    let held = gate.clone();
    let site = Site::start(move |hit| match &*hit.path {
        "/held" => Answer::title("held").behind(&held),
        path => Answer::title(path),
    });
    let program = Scrape::in_shell("exec \"$scrape\" -f jsonl 2>told");
    let told = program.path("told");
    assert!(Command::new("mkfifo").arg(&told).status().unwrap().success());
    let mut run = program.spawn();
    let mut told = BufReader::new(File::open(told).unwrap());
    run.write(&format!("{}\n{}\n", site.url("/"), site.url("/held")));
    run.line();
    site.wait_for(2);
    run.signal(Signal::INT);
    let mut words = String::new();
    told.read_line(&mut words).unwrap();
    assert!(words.contains("stopping"), "{words}");
    run.close_stdout();
    gate.open();
    run.finish().exits(130);
}

#[test]
fn a_signal_that_was_ignored_stays_ignored() {
    let gate = Gate::shut();
    let held = gate.clone();
    let site = Site::start(move |hit| Answer::title(&hit.path).behind(&held));
    // As `nohup` does.
    let mut run = Scrape::in_shell("trap '' HUP; exec \"$scrape\" -f jsonl").spawn();
    run.write(&site.url("/1\n"));
    site.wait_for(1);
    run.signal(Signal::HUP);
    run.write(&site.url("/2\n"));
    site.wait_for(2);
    gate.open();
    assert_eq!(run.finish().succeeds().records().len(), 2);
}
