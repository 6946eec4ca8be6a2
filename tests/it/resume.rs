//! Runs that are stopped, killed and gone on with: each URL has its record, and one alone.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::time::Duration;

use flate2::read::MultiGzDecoder;
use rusqlite::{Connection, OpenFlags};
use rustix::process::Signal;
use serde_json::Value;
use tempfile::TempDir;

use crate::support::scrape::{Scrape, parse};
use crate::support::{Answer, Gate, Hit, Site, scrape};

fn list(site: &Site, pages: usize) -> String {
    (0..pages).map(|n| site.url(&format!("/{n}\n"))).collect()
}

/// The program in a folder that outlives it.
fn scrape_in(folder: &TempDir, args: &[&str]) -> Scrape {
    let script = format!("cd '{}' && exec \"$scrape\" {}", folder.path().display(), args.join(" "));
    Scrape::in_shell(&script)
}

fn folder(urls: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("urls.txt"), urls).unwrap();
    folder
}

fn text(folder: &TempDir, name: &str) -> String {
    fs::read_to_string(folder.path().join(name)).unwrap()
}

/// The text of a file, compressed or not.
fn read(folder: &TempDir, name: &str) -> String {
    let bytes = fs::read(folder.path().join(name)).unwrap();
    match Path::new(name).extension().and_then(|extension| extension.to_str()) {
        Some("gz") => std::io::read_to_string(MultiGzDecoder::new(&*bytes)).unwrap(),
        Some("zst") => String::from_utf8(zstd::decode_all(&*bytes).unwrap()).unwrap(),
        _ => String::from_utf8(bytes).unwrap(),
    }
}

/// The lines of a JSON Lines file, by the end of their URL; each URL has one.
fn by_path(text: &str) -> BTreeMap<String, Value> {
    let records = parse(text);
    let count = records.len();
    let path = |record: &Value| format!("/{}", record["url"].as_str().unwrap().rsplit('/').next().unwrap());
    let map: BTreeMap<_, _> = records.into_iter().map(|record| (path(&record), record)).collect();
    assert_eq!(map.len(), count, "a URL has two records:\n{text}");
    map
}

#[test]
fn what_is_done_is_not_done_again_and_the_rest_is_appended() {
    let site = Site::start(|hit| Answer::title(&hit.path));
    for name in ["out.jsonl", "out.csv", "out.tsv", "out.jsonl.gz", "out.csv.zst"] {
        let folder = folder(&list(&site, 3));
        let resume =
            || scrape_in(&folder, &["urls.txt", "-o", name, "--resume", "--summary", "summary.json"]).run().succeeds();
        resume();
        fs::write(folder.path().join("urls.txt"), list(&site, 5)).unwrap();
        let before = site.hits().len();
        resume();
        assert_eq!(site.hits().len() - before, 2, "{name}");
        let totals: Value = serde_json::from_str(&text(&folder, "summary.json")).unwrap();
        assert_eq!((&totals["targets"], &totals["done_before"]), (&2.into(), &3.into()), "{totals}");
        resume();
        assert_eq!(site.hits().len() - before, 2, "{name}");
        let text = read(&folder, name);
        let header = usize::from(name.contains("csv"));
        assert_eq!(text.lines().count(), 5 + header, "{name}: {text}");
        assert_eq!(text.matches("final_url").count(), if header > 0 { 1 } else { text.matches("\"v\":1").count() });
        for n in 0..5 {
            let url = site.url(&format!("/{n}"));
            assert_eq!(text.lines().filter(|line| line.contains(&url)).count(), 1, "{name}: {text}");
        }
    }
}

#[test]
fn failures_that_are_final_stay_and_what_may_be_gone_is_tried_again() {
    let answer = |hit: &Hit| match (hit.path.as_str(), hit.nth) {
        ("/0", _) => Answer::status(404),
        ("/1", 0) => Answer::status(503),
        ("/2", 0) => Answer::reset(),
        _ => Answer::title(&hit.path),
    };
    let site = Site::start(answer);
    let folder = folder(&(list(&site, 4) + "ftp://a.test/0\nftp://a.test/0\n"));
    let run = |more: &[&str]| {
        scrape_in(&folder, &[&["urls.txt", "-o", "out.jsonl", "--resume", "--retry", "0"], more].concat()).run()
    };
    run(&[]).exits(1);
    let before = site.hits().len();
    let again = run(&[]).exits(1);
    assert!(again.stderr.contains("invalid_url ×2"), "the lines that are no URLs are met again: {again:?}");
    assert_eq!(site.hits().len() - before, 2);
    let records = parse(&text(&folder, "out.jsonl"));
    assert_eq!(records.len(), 6, "a line that is no URL has a record each time it is named, and no other one");
    let kind =
        |n: usize| records.iter().find(|r| r["url"] == site.url(&format!("/{n}"))).unwrap()["error"]["kind"].clone();
    assert_eq!([kind(0), kind(1), kind(2), kind(3)], ["status".into(), Value::Null, Value::Null, Value::Null]);
    run(&["--retry-failed"]);
    assert_eq!(site.hits_of("/0").len(), 2);
    assert_eq!(parse(&text(&folder, "out.jsonl")).len(), 6);
}

#[test]
fn a_url_is_known_by_what_it_names_whatever_it_was_redirected_to_and_however_it_is_spelled() {
    let site = Site::start(|hit| match hit.path.as_str() {
        "/old" => Answer::redirect(301, "/new"),
        path => Answer::title(path),
    });
    let (old, new) = (site.url("/old"), site.url("/new"));
    let folder = folder(&format!("{old}\n"));
    for name in ["out.jsonl", "out.csv", "out.tsv"] {
        let run = || scrape_in(&folder, &["urls.txt", "-o", name, "--resume"]).run().succeeds();
        fs::write(folder.path().join("urls.txt"), format!("{old}\n")).unwrap();
        run();
        let before = site.hits().len();
        fs::write(folder.path().join("urls.txt"), format!("{}#x\n{new}\n", old.replace("http", "HTTP"))).unwrap();
        run();
        assert_eq!(site.paths()[before..], ["/new"], "{name}: the page was fetched for another URL, not for this one");
        assert_eq!(text(&folder, name).lines().count(), 2 + usize::from(name == "out.csv"));
    }
}

#[test]
fn pages_with_several_records_have_all_of_them_once() {
    let html = "<div class=i><b>1</b></div><div class=i><b>2</b></div><div class=i><b>3</b></div>";
    let site = Site::start(move |_| Answer::html(html));
    let folder = folder(&list(&site, 4));
    let recipe = "[[recipe]]\nitems = \".i\"\n[recipe.fields]\nname = \"b\"\n";
    fs::write(folder.path().join("recipe.toml"), recipe).unwrap();
    let run = || {
        scrape_in(&folder, &["urls.txt", "-r", "recipe.toml", "-o", "out.jsonl", "--resume"]).run().succeeds();
        text(&folder, "out.jsonl")
    };
    let whole = run();
    let lines: Vec<_> = whole.split_inclusive('\n').collect();
    for kept in 0..=lines.len() {
        fs::write(folder.path().join("out.jsonl"), lines[..kept].concat()).unwrap();
        let mut items: Vec<_> = parse(&run())
            .iter()
            .map(|record| (record["url"].to_string(), record["fields"]["name"].to_string()))
            .collect();
        assert_eq!(items.len(), 12);
        items.sort();
        items.dedup();
        assert_eq!(items.len(), 12, "after {kept} records");
    }
}

#[test]
fn what_cannot_be_resumed_is_refused_with_words_and_left_as_it_is() {
    let site = Site::start(|hit| Answer::title(&hit.path));
    let folder = folder(&list(&site, 2));
    scrape_in(&folder, &["urls.txt", "-x", "h1", "-o", "out.jsonl"]).run().succeeds();
    let (before, hits) = (text(&folder, "out.jsonl"), site.hits().len());
    let refused = |args: &[&str], words: &str| {
        scrape_in(&folder, &[&["urls.txt", "--resume"], args].concat()).run().refused_over(words);
    };
    let out = ["-x", "h1", "-o", "out.jsonl"];
    refused(&[], "-o FILE.jsonl");
    refused(&["-o", "-"], "-o FILE.jsonl");
    refused(&["-o", "out.jsonl", "-o", "other.csv"], "no other -o");
    refused(&["-o", "/dev/null", "-f", "jsonl"], "-o FILE.jsonl");
    refused(&["-o", "out.txt", "-f", "table"], "cannot be read back");
    refused(&[&out[..], &["--ordered"]].concat(), "--ordered: what is tried again");
    refused(&[&out[..], &["--keep-duplicates"]].concat(), "--keep-duplicates: ");
    refused(&[&out[..], &["--dedupe-text"]].concat(), "--dedupe-text: ");
    refused(&["-o", "out.jsonl"], r#"out.jsonl: line 1: it has "h1", which is not asked for"#);
    refused(&["-x", "h1,lang", "-o", "out.jsonl"], r#"it has no "lang""#);
    fs::copy(folder.path().join("out.jsonl"), folder.path().join("out.tsv")).unwrap();
    refused(&["-x", "h1", "-o", "out.tsv"], "name another file");
    scrape_in(&folder, &["urls.txt", "--retry-failed", "-o", "out.jsonl"]).run().refused_over("--resume");
    assert_eq!((text(&folder, "out.jsonl"), site.hits().len()), (before, hits));
}

#[test]
fn two_runs_do_not_go_on_with_one_file() {
    let gate = Gate::shut();
    let held = gate.clone();
    let site = Site::start(move |hit| Answer::title(&hit.path).behind(&held));
    let folder = folder(&list(&site, 2));
    let first = scrape_in(&folder, &["urls.txt", "-o", "out.jsonl", "--resume"]).spawn();
    site.wait_for(2);
    let second = scrape_in(&folder, &["urls.txt", "-o", "out.jsonl", "--resume"]).run().exits(75);
    assert!(second.stderr.contains("another run is writing to it"), "{second:?}");
    gate.open();
    first.finish().succeeds();
    assert_eq!(by_path(&text(&folder, "out.jsonl")).len(), 2);
}

#[test]
fn expectations_of_the_whole_run_are_not_told_of_a_part_of_it() {
    let site = Site::start(|hit| Answer::title(&hit.path));
    let folder = folder(&list(&site, 3));
    let run = |expect: &str| scrape_in(&folder, &["urls.txt", "-o", "out.jsonl", "--resume", "--expect", expect]).run();
    run("'items >= 3'").succeeds();
    run("'items >= 3'").succeeds();
    fs::write(folder.path().join("urls.txt"), list(&site, 4)).unwrap();
    run("'title ~ /nothing/'").exits(3);
}

#[test]
fn the_limit_of_urls_counts_what_was_done_and_that_of_pages_does_not() {
    let site = Site::start(|hit| Answer::title(&hit.path));
    let folder = folder(&list(&site, 10));
    let run = |limit: &[&str]| {
        scrape_in(&folder, &[&["urls.txt", "-o", "out.jsonl", "--resume"], limit].concat()).run().succeeds();
        text(&folder, "out.jsonl").lines().count()
    };
    assert_eq!([run(&["--limit", "4"]), run(&["--limit", "4"]), run(&["--limit", "5"])], [4, 4, 5]);
    assert_eq!([run(&["--max-pages", "2"]), run(&["--max-pages", "2"]), run(&["--max-pages", "2"])], [7, 9, 10]);
}

#[test]
fn pages_are_counted_to_the_page_and_failures_are_none() {
    let site = Site::start(|hit| match hit.path.trim_start_matches('/').parse::<usize>() {
        Ok(n) if n % 3 == 0 => Answer::status(404),
        _ => Answer::title(&hit.path),
    });
    let args = ["-f", "jsonl", "--max-pages", "20", "--fail-on", "none", "--summary", "summary.json"];
    let run = scrape(args).stdin(list(&site, 1000)).run().succeeds();
    let fetched = run.records().iter().filter(|record| record["error"].is_null()).count();
    assert_eq!(fetched, 20);
    assert_eq!(run.records().len(), site.hits().len(), "nothing was fetched in vain");
    let totals: Value = serde_json::from_str(&run.file("summary.json")).unwrap();
    assert_eq!((&totals["ended_by"], &totals["exit_status"]), (&"max-pages".into(), &0.into()));
    let run = scrape(["-v", "--max-pages", "1", "-f", "jsonl"]).stdin(list(&site, 9)).run();
    assert!(run.stderr.contains("ended   by --max-pages"), "{run:?}");
}

#[test]
fn bytes_are_counted_until_there_are_enough() {
    let site = Site::start(|_| Answer::html(" ".repeat(1000)));
    let args = ["-f", "jsonl", "-c", "4", "--max-bytes", "20K", "--summary", "summary.json"];
    let run = scrape(args).stdin(list(&site, 500)).run().succeeds();
    let records = run.records().len();
    assert!((21..=24).contains(&records), "{records}: enough, and what was in flight then");
    assert_eq!(records, site.hits().len());
    let totals: Value = serde_json::from_str(&run.file("summary.json")).unwrap();
    assert_eq!(totals["ended_by"], "max-bytes");
    for wrong in [["--max-bytes", "0"], ["--max-pages", "0"], ["--deadline", "0"]] {
        scrape(wrong).args([site.url("/")]).run().refused_over(wrong[0]);
    }
}

#[test]
fn at_its_deadline_a_run_starts_nothing_more_and_can_be_gone_on_with() {
    let gate = Gate::shut();
    let held = gate.clone();
    let site = Site::start(move |hit| match hit.path.as_str() {
        "/0" => Answer::title("first"),
        _ => Answer::title("held").behind(&held),
    });
    let folder = folder(&list(&site, 6));
    let args = ["urls.txt", "-c", "2", "-o", "out.jsonl", "--resume", "--summary", "summary.json"];
    let run = scrape_in(&folder, &[&args[..], &["--deadline", "2"]].concat()).run().exits(75);
    assert!(run.stderr.contains("the deadline has passed: up to 5 s for 2 in flight"), "{run:?}");
    assert_eq!(site.hits().len(), 3);
    let first = by_path(&text(&folder, "out.jsonl"));
    assert_eq!(first.len(), 3, "what was not begun has no record");
    assert_eq!(first["/1"]["error"]["kind"], "cancelled");
    let totals: Value = serde_json::from_str(&text(&folder, "summary.json")).unwrap();
    assert_eq!((&totals["ended_by"], &totals["exit_status"]), (&"deadline".into(), &75.into()));
    gate.open();
    scrape_in(&folder, &args).run().succeeds();
    assert_eq!(site.hits_of("/0").len(), 1);
    let whole = by_path(&text(&folder, "out.jsonl"));
    assert!(whole.len() == 6 && whole.values().all(|record| record["error"].is_null()), "{whole:?}");
}

#[test]
fn a_run_that_ends_in_time_has_not_missed_its_deadline() {
    let site = Site::start(|hit| Answer::title(&hit.path));
    scrape(["--deadline", "50m", "-f", "jsonl"]).stdin(list(&site, 3)).run().succeeds();
}

#[test]
fn ctrl_c_and_a_resume_make_a_whole_run() {
    let gate = Gate::shut();
    let held = gate.clone();
    let site = Site::start(move |hit| Answer::title(&hit.path).behind(&held));
    let folder = folder(&list(&site, 50));
    let run = scrape_in(&folder, &["urls.txt", "-c", "4", "-o", "out.jsonl", "--resume"]).spawn();
    site.wait_for(4);
    run.signal(Signal::INT);
    gate.open();
    run.finish().exits(130);
    scrape_in(&folder, &["urls.txt", "-o", "out.jsonl", "--resume"]).run().succeeds();
    assert_eq!(by_path(&text(&folder, "out.jsonl")).len(), 50);
    assert_eq!(site.hits().len(), 50, "what was in flight had ended");
}

#[test]
fn where_something_was_done_before_a_run_that_fetched_nothing_is_not_one_without_any_success() {
    let site = Site::start(|hit| match &*hit.path {
        "/busy" => Answer::status(503),
        path => Answer::title(path),
    });
    for state in ["", "--state s.db"] {
        for left in ["http://", &site.url("/busy")] {
            let folder = folder(&format!("{}\n{left}\n", site.url("/a")));
            for _ in 0..3 {
                scrape_in(&folder, &["urls.txt --retry 0 -o out.jsonl --resume", state]).run().exits(1);
            }
        }
    }
    let nothing = folder(&site.url("/busy"));
    for _ in 0..2 {
        scrape_in(&nothing, &["urls.txt --retry 0 -o out.jsonl --resume"]).run().exits(4);
    }
}

#[test]
fn what_failed_is_listed_with_its_reasons_and_the_list_is_a_source() {
    let site = Site::start(|hit| match (hit.path.as_str(), hit.nth) {
        ("/0", _) => Answer::status(404),
        ("/1", 0) => Answer::status(500),
        _ => Answer::title(&hit.path),
    });
    let urls = format!("{{\"url\": \"{}\", \"id\": 7}}\n{}ftp://a.test/\n", site.url("/1"), list(&site, 4));
    let folder = folder(&urls);
    scrape_in(&folder, &["urls.txt", "--retry", "0", "-o", "out.csv", "--failed-to", "failed.jsonl"]).run().exits(1);
    let failed = parse(&text(&folder, "failed.jsonl"));
    let of = |path: &str| failed.iter().find(|failure| failure["url"].as_str().unwrap().ends_with(path)).unwrap();
    assert_eq!(failed.len(), 3);
    assert_eq!(of("/0")["error"]["kind"], "status");
    assert_eq!([&of("/0")["retryable"], &of("/1")["retryable"], &of("a.test/")["retryable"]], [false, true, false]);
    assert_eq!([&of("/0")["attempts"], &of("a.test/")["attempts"]], [1, 0]);
    let again = scrape_in(&folder, &["failed.jsonl", "-f", "jsonl", "--failed-to", "still.jsonl"]).run().exits(1);
    assert_eq!(again.records().len(), 3);
    assert_eq!(again.record_of("/1")["input"]["id"], 7, "what the line carried is carried on");
    assert_eq!(parse(&text(&folder, "still.jsonl")).len(), 2);
}

#[test]
fn a_list_of_failures_is_empty_where_there_are_none_and_is_no_other_file() {
    let site = Site::start(|hit| Answer::title(&hit.path));
    let folder = folder(&list(&site, 2));
    fs::write(folder.path().join("failed.jsonl"), "old").unwrap();
    scrape_in(&folder, &["urls.txt", "-o", "out.csv", "--failed-to", "failed.jsonl"]).run().succeeds();
    assert_eq!(text(&folder, "failed.jsonl"), "");
    let refused = |path: &str, words: &str| {
        scrape_in(&folder, &["urls.txt", "-o", "out.csv", "--failed-to", path]).run().refused_over(words);
    };
    refused("-", "--failed-to goes to a file");
    refused("urls.txt", "is a source, too");
    refused("out.csv", "is named twice");
    scrape_in(&folder, &["urls.txt", "--failed-to", "nowhere/failed.jsonl"]).run().exits(5);
}

#[test]
fn a_reader_that_goes_away_ends_a_run_that_lists_its_failures_too() {
    let site = Site::start(|hit| Answer::title(&hit.path));
    let mut run = scrape(["-f", "jsonl", "--failed-to", "failed.jsonl"]).spawn();
    run.write_on_and_on(list(&site, 10_000));
    run.line();
    run.close_stdout();
    run.finish().exits(0);
}

/// Kills the program again and again, each time when some more pages were asked for or while the file is copied, and goes
/// on. Some pages are not there, some are busy when they are first asked for.
fn kill_and_resume(name: &str, pages: usize, kills: usize, seed: u64) {
    let mut random = fastrand::Rng::with_seed(seed);
    let site = Site::start(|hit| match hit.path.trim_start_matches('/').parse::<usize>() {
        Ok(n) if n % 50 == 1 => Answer::status(404),
        Ok(n) if n % 90 == 2 && hit.nth == 0 => Answer::status(503),
        _ => Answer::title(&hit.path),
    });
    let folder = folder(&list(&site, pages));
    let copy = folder.path().join(format!("{name}.resuming"));
    let args = ["urls.txt", "-o", name, "--resume", "--retry", "0"];
    let mut killed = 0;
    while killed < kills {
        let (asked, more) = (site.count(), random.usize(..pages / kills));
        let waits_for_copy = random.u8(..4) == 0;
        let mut run = scrape_in(&folder, &args).spawn();
        let is_time = || site.count() >= asked + more || waits_for_copy && copy.exists();
        while !is_time() && !run.ends_within(Duration::from_micros(200)) {}
        if run.ends_within(Duration::ZERO) {
            break;
        }
        run.signal(Signal::KILL);
        assert_eq!(run.finish().code, None);
        killed += 1;
    }
    // What was busy until now is not any more.
    scrape_in(&folder, &args).run();
    scrape_in(&folder, &args).run();
    let undisturbed = scrape(["-f", "jsonl"]).stdin(list(&site, pages)).run().exits(1);
    let expected: BTreeSet<String> = undisturbed.records().iter().map(essence).collect();
    let found: Vec<String> = parse(&read(&folder, name)).iter().map(essence).collect();
    let unique: BTreeSet<String> = found.iter().cloned().collect();
    assert_eq!(found.len(), unique.len(), "a URL has two records: seed {seed}, {killed} kills");
    assert!(unique == expected, "{} of {} records: seed {seed}, {killed} kills", unique.len(), expected.len());
    assert!(killed > kills / 4, "only {killed} kills: seed {seed}");
    assert!(!copy.exists());
}

/// What a record says, but for what differs from run to run.
fn essence(record: &Value) -> String {
    format!("{} {} {} {}", record["url"], record["status"], record["title"], record["error"])
}

#[test]
fn whenever_it_is_killed_nothing_is_lost_and_nothing_is_doubled() {
    kill_and_resume("out.jsonl", 5000, 100, fastrand::u64(..));
}

#[test]
fn whenever_it_is_killed_a_compressed_file_is_whole_too() {
    kill_and_resume("out.jsonl.gz", 500, 20, fastrand::u64(..));
}

/// The pages that the state of the run to go on with takes for done.
fn done(folder: &TempDir) -> BTreeSet<String> {
    let read = || {
        let state = Connection::open_with_flags(folder.path().join("s.db"), OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        let mut statement = state.prepare("SELECT url FROM pages WHERE run = (SELECT max(id) FROM runs)")?;
        statement.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()
    };
    // A run that was killed early has left none.
    read().unwrap_or_default()
}

#[test]
fn whenever_it_is_killed_a_pipe_has_got_each_record_and_none_again_that_the_state_knew() {
    const PAGES: usize = 3000;
    const KILLS: usize = 20;
    let seed = fastrand::u64(..);
    let mut random = fastrand::Rng::with_seed(seed);
    let site = Site::start(|hit| Answer::title(&hit.path));
    let folder = folder(&list(&site, PAGES));
    let run = || scrape_in(&folder, &["urls.txt", "--state", "s.db", "--resume", "-f", "jsonl"]);
    let url = |record: &Value| record["url"].as_str().unwrap().to_owned();
    let (mut told, mut count, mut killed) = (BTreeSet::new(), 0, 0);
    loop {
        let known = done(&folder);
        assert!(known.is_subset(&told), "what is done was not told: seed {seed}, {killed} kills");
        let left = PAGES - known.len();
        let mut running = run().spawn();
        let mut text = String::new();
        if killed < KILLS && left > 0 {
            // The pipe is full long before the end: the program can be as far as this, or some hundred records further.
            (0..random.usize(..left.min(2 * PAGES / KILLS))).for_each(|_| text += &running.line());
            running.signal(Signal::KILL);
            killed += 1;
        }
        let ended = running.finish();
        let urls: Vec<_> = parse(&(text + &ended.stdout)).iter().map(url).collect();
        assert!(urls.iter().all(|url| !known.contains(url)), "one comes again: seed {seed}, {killed} kills");
        count += urls.len();
        told.extend(urls);
        if ended.code.is_some() {
            ended.succeeds();
            break;
        }
    }
    assert_eq!(told.len(), PAGES, "a record is lost: seed {seed}, {killed} kills");
    assert!(killed > KILLS / 2 && count > PAGES, "{killed} kills, {count} records: seed {seed}");
}
