//! What is known from run to run: states, and what changed.

use std::collections::BTreeSet;
use std::fs;
use std::sync::atomic::Ordering;

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::support::desk::{Desk, list, site_of_days};
use crate::support::scrape::{Run, Scrape, parse};
use crate::support::{Answer, Gate, Hit, Site};

impl Desk {
    /// What changed, as path and change; a failure has its kind.
    fn changes(&self, args: &str) -> Vec<(String, String)> {
        let run = self.run(&format!("--state s.db --changed -f jsonl --retry 0 --fail-on none {args}")).exits(0);
        let mut told: Vec<_> = run.records().iter().map(|record| (path(record), change(record))).collect();
        told.sort();
        told
    }
}

fn path(record: &Value) -> String {
    format!("/{}", record["url"].as_str().unwrap().rsplit('/').next().unwrap())
}

fn change(record: &Value) -> String {
    let error = &record["error"]["kind"];
    record["fields"]["change"].as_str().or(error.as_str()).unwrap_or("none").to_owned()
}

fn told(changes: &[(&str, &str)]) -> Vec<(String, String)> {
    changes.iter().map(|&(path, change)| (path.into(), change.into())).collect()
}

#[test]
fn a_state_has_a_row_for_each_url_and_its_versions_and_tidies_up() {
    let (site, day) = site_of_days(|hit, day| match hit.path.as_str() {
        "/0" => Answer::title("same").header("ETag", "\"a\""),
        "/1" => Answer::title(&format!("day {day}")),
        _ => Answer::status(404),
    });
    let desk = Desk::new(&site, 3);
    for _ in 0..3 {
        desk.run("--state s.db -o out.jsonl").exits(1);
        assert_eq!(parse(&desk.read("out.jsonl")).len(), 3, "a state alone changes nothing");
        day.fetch_add(1, Ordering::SeqCst);
    }
    assert_eq!(site.hits().len(), 9);
    assert!(site.hits().iter().all(|hit| hit.header("If-None-Match").is_none()));
    assert_eq!(desk.query::<i64>("SELECT count(*) FROM pages"), 3);
    assert_eq!(desk.query::<i64>("SELECT count(*) FROM versions"), 4, "of which a page that failed has none");
    assert_eq!(desk.query::<String>("SELECT etag FROM pages WHERE url LIKE '%/0'"), "\"a\"");
    assert_eq!(desk.query::<i64>("SELECT failures FROM pages WHERE failure = 'status'"), 3);
    assert_eq!(desk.query::<i64>("SELECT sum(is_whole) FROM runs"), 3);
    assert_eq!(desk.names().len(), 3, "{:?}: no file is left beside", desk.names());
}

#[test]
fn a_state_changes_nothing_of_the_records() {
    let html = "<title>t\u{202e}</title><h1>\"h\"</h1><a href=/a rel=nofollow>a\\\u{2028}</a><a href=/b>b</a><img src=i alt='\u{7f}'>";
    let (site, _) = site_of_days(move |_, _| Answer::html(html));
    let desk = Desk::new(&site, 2);
    let told = |args: &str| {
        let files = ["out.jsonl", "out.csv"];
        desk.run(&format!("-x links,images,headings -o {} -o {} {args}", files[0], files[1])).exits(0);
        let mut records = parse(&desk.read(files[0]));
        records.sort_by_key(path);
        let fields: Vec<_> = records.iter().map(|record| record["fields"].clone()).collect();
        let mut cells: Vec<_> =
            desk.read(files[1]).lines().map(|line| line.split_once("[{").map(|it| it.1.to_owned())).collect();
        cells.sort();
        (fields, cells)
    };
    let bare = told("");
    assert!(bare.0[0]["links"][0]["text"].as_str().unwrap().starts_with("a\\"), "{:?}", bare.0[0]);
    assert_eq!(told("--state s.db"), bare);
}

#[test]
fn what_is_new_changed_gone_and_back_is_told_and_nothing_else() {
    let (site, day) = site_of_days(|hit, day| match (hit.path.as_str(), day) {
        ("/0", _) => Answer::title("same").header("Date", "Sun, 06 Nov 1994 08:49:37 GMT"),
        ("/1", day) => Answer::html(format!("<title>{}</title><h1>{day}</h1><!-- {} -->", day / 2, hit.nth)),
        ("/2", 1..3) => Answer::status(410),
        ("/3", 0) => Answer::status(404),
        (path, _) => Answer::title(path),
    });
    let desk = Desk::new(&site, 4);
    let next = || {
        let told = desk.changes("");
        day.fetch_add(1, Ordering::SeqCst);
        told
    };
    assert_eq!(next(), told(&[("/0", "new"), ("/1", "new"), ("/2", "new"), ("/3", "status")]));
    assert_eq!(next(), told(&[("/2", "gone"), ("/3", "new")]));
    assert_eq!(next(), told(&[("/1", "changed")]));
    assert_eq!(next(), told(&[("/2", "back")]));
    assert_eq!(next(), told(&[("/1", "changed")]));
    assert_eq!(desk.query::<i64>("SELECT count(*) FROM versions WHERE content IS NULL"), 1);
}

#[test]
fn a_change_names_the_fields_with_both_values_and_a_gone_page_keeps_its_facts() {
    let (site, day) = site_of_days(|hit, day| match (hit.path.as_str(), day) {
        ("/1", 1) => Answer::status(404),
        (_, day) => Answer::html(format!("<title>t</title><b>{}</b><i>x</i>", 10 + day)),
    });
    let desk = Desk::new(&site, 2);
    let args = "--state s.db --changed -f jsonl --fail-on none -s 'price=b | number' -s name=i -x headers";
    let first = desk.run(args).exits(0);
    assert_eq!(first.record_of("/0")["fields"]["diff"], Value::Null);
    day.store(1, Ordering::SeqCst);
    let second = desk.run(args).exits(0);
    let fields = &second.record_of("/0")["fields"];
    assert_eq!((&fields["change"], &fields["diff"]), (&"changed".into(), &json!({"price": {"old": 10, "new": 11}})));
    let gone = second.record_of("/1");
    assert_eq!((&gone["status"], &gone["error"]["kind"]), (&404.into(), &"status".into()));
    assert_eq!((&gone["fields"]["change"], &gone["fields"]["diff"]), (&"gone".into(), &Value::Null));
}

#[test]
fn the_schema_describes_the_records_of_changes() {
    let (site, day) = site_of_days(|hit, day| match (hit.path.as_str(), day) {
        ("/1", 1) => Answer::status(404),
        (_, day) => Answer::title(&day.to_string()),
    });
    let desk = Desk::new(&site, 2);
    let schema: Value = serde_json::from_str(&desk.scrape("schema --changed").run().succeeds().stdout).unwrap();
    let schema = jsonschema::validator_for(&schema).unwrap();
    for _ in 0..2 {
        for record in desk.run("--state s.db --changed -f jsonl --fail-on none").records() {
            assert!(schema.is_valid(&record), "{record}");
        }
        day.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn versions_are_asked_for_by_their_validators_and_an_unchanged_one_costs_no_body() {
    let answer = |hit: &Hit, day: u32| {
        let (tag, modified) = ("W/\"v1\"", "Sun, 06 Nov 1994 08:49:37 GMT");
        let is_known = hit.header("If-None-Match") == Some(tag) || hit.header("If-Modified-Since") == Some(modified);
        match hit.path.as_str() {
            _ if is_known && day < 2 => Answer::status(304),
            "/0" => Answer::title(&day.to_string()).header("ETag", tag),
            "/1" => Answer::title(&day.to_string()).header("Last-Modified", modified),
            _ => Answer::title("t"),
        }
    };
    let (site, day) = site_of_days(answer);
    let desk = Desk::new(&site, 3);
    assert_eq!(desk.changes("").len(), 3);
    day.store(1, Ordering::SeqCst);
    assert_eq!(desk.changes("--summary sum.json"), told(&[]));
    let header = |path: &str, name: &str| site.hits_of(path)[1].header(name).map(String::from);
    assert_eq!([header("/0", "If-None-Match"), header("/0", "If-Modified-Since")], [Some("W/\"v1\"".into()), None]);
    assert_eq!(header("/1", "If-Modified-Since"), Some("Sun, 06 Nov 1994 08:49:37 GMT".into()));
    assert_eq!([header("/2", "If-None-Match"), header("/2", "If-Modified-Since")], [None, None]);
    let totals: Value = serde_json::from_str(&desk.read("sum.json")).unwrap();
    assert_eq!((&totals["fetched"], &totals["by_status"]["304"]), (&3.into(), &2.into()));
    assert_eq!(totals["changes"], json!({"new": 0, "changed": 0, "gone": 0, "back": 0}));
    day.store(2, Ordering::SeqCst);
    assert_eq!(desk.changes("--summary sum.json"), told(&[("/0", "changed"), ("/1", "changed")]));
    let totals: Value = serde_json::from_str(&desk.read("sum.json")).unwrap();
    assert_eq!(totals["changes"], json!({"new": 0, "changed": 2, "gone": 0, "back": 0}));
    desk.run("--summary sum.json").succeeds();
    let totals: Value = serde_json::from_str(&desk.read("sum.json")).unwrap();
    assert_eq!(totals["changes"], Value::Null, "nobody asked for them");
}

#[test]
fn nothing_but_reading_is_conditional() {
    let (site, _) = site_of_days(|_, _| Answer::title("t").header("ETag", "\"a\""));
    let desk = Desk::new(&site, 1);
    for args in ["-d a=b", "-X PUT", "-X DELETE", ""] {
        desk.changes(args);
        desk.changes(args);
    }
    let conditional = site.hits().iter().map(|hit| hit.header("If-None-Match").is_some()).collect::<Vec<_>>();
    assert_eq!(conditional, [false, false, false, false, false, false, true, true]);
}

#[test]
fn validators_go_to_the_url_that_gave_them() {
    let (site, day) = site_of_days(|hit, day| match (hit.path.as_str(), day) {
        ("/0", 0 | 1) => Answer::redirect(302, "/a").header("ETag", "\"hop\""),
        ("/0", _) => Answer::redirect(302, "/b"),
        (_, 1) if hit.header("If-None-Match").is_some() => Answer::status(304),
        _ => Answer::title("t").header("ETag", "\"a\""),
    });
    let desk = Desk::new(&site, 1);
    assert_eq!(desk.changes(""), told(&[("/0", "new")]));
    for _ in 0..2 {
        day.fetch_add(1, Ordering::SeqCst);
        assert_eq!(desk.changes(""), told(&[]), "another place with the same page is no change");
    }
    let tag = |hit: &Hit| (hit.path.clone(), hit.header("If-None-Match").map(String::from));
    let sent: Vec<_> = site.hits().iter().map(tag).filter(|(_, tag)| tag.is_some()).collect();
    assert_eq!(sent, [("/a".into(), Some("\"a\"".into()))]);
}

#[test]
fn a_304_that_nobody_asked_for_is_an_answer_like_any_other() {
    let (site, _) = site_of_days(|_, _| Answer::status(304));
    let desk = Desk::new(&site, 1);
    assert_eq!(desk.changes(""), told(&[("/0", "new")]));
    assert_eq!(desk.run("-f jsonl").succeeds().record()["status"], 304);
}

#[test]
fn a_failure_is_told_once_or_as_often_as_is_wanted_and_never_becomes_a_version() {
    let (site, day) = site_of_days(|_, day| match day {
        0 | 8 => Answer::title("there").header("ETag", "\"a\""),
        _ => Answer::status(503),
    });
    let mut desks = 0;
    for (args, expected) in [("", vec![0, 1, 8]), ("--error-after 3", vec![0, 1, 4, 7, 8])] {
        day.store(0, Ordering::SeqCst);
        let desk = Desk::new(&site, 1);
        let mut days = Vec::new();
        for today in 0..9 {
            let changes = desk.changes(args);
            let change = match today {
                0 => "new",
                8 => "back",
                _ => "status",
            };
            if !changes.is_empty() {
                assert_eq!(changes, told(&[("/0", change)]), "day {today}");
                days.push(today);
            }
            day.fetch_add(1, Ordering::SeqCst);
        }
        assert_eq!(days, expected);
        assert_eq!(desk.query::<i64>("SELECT count(*) FROM versions"), 1);
        let conditional = site.hits().iter().filter(|hit| hit.header("If-None-Match").is_some()).count();
        desks += 1;
        assert_eq!(conditional, desks, "who has failed is asked for it all");
    }
}

#[test]
fn a_line_that_is_no_url_is_told_once() {
    let (site, _) = site_of_days(|_, _| Answer::title("t"));
    let desk = Desk::new(&site, 0);
    desk.write("urls.txt", "ftp://a.test/x\n");
    assert_eq!(desk.changes(""), told(&[("/x", "invalid_url")]));
    assert_eq!(desk.changes(""), told(&[]));
}

#[test]
fn where_other_fields_are_asked_for_every_page_is_new_and_that_is_said() {
    let (site, _) = site_of_days(|_, _| Answer::html("<h1>a</h1>").header("ETag", "\"a\""));
    let desk = Desk::new(&site, 1);
    desk.changes("");
    let run = desk.run("--state s.db --changed -f jsonl -x h1").exits(0);
    assert!(run.stderr.contains("every page is new"), "{run:?}");
    assert_eq!(change(&run.record()), "new");
    assert!(site.hits()[1].header("If-None-Match").is_none(), "the page is wanted whatever its version");
    assert_eq!(desk.run("--state s.db --changed -f jsonl -x h1").succeeds().stdout, "");
}

#[test]
fn all_records_of_a_page_are_one_version() {
    let (site, day) = site_of_days(|_, day| {
        let names = if day == 0 { ["a", "b"] } else { ["a", "c"] };
        Answer::html(names.map(|name| format!("<p><b>{name}</b></p>")).concat())
    });
    let desk = Desk::new(&site, 1);
    desk.write("r.toml", "[[recipe]]\nitems = \"p\"\n[recipe.fields]\nname = \"b\"\n");
    let args = "--state s.db --changed -f jsonl -r r.toml";
    assert_eq!(desk.run(args).succeeds().records().len(), 2);
    assert_eq!(desk.run(args).succeeds().stdout, "");
    day.store(1, Ordering::SeqCst);
    let records = desk.run(args).succeeds().records();
    assert_eq!(records.iter().map(change).collect::<Vec<_>>(), ["changed", "changed"]);
    assert_eq!(records[0]["fields"]["diff"], json!({"name": {"old": ["a", "b"], "new": ["a", "c"]}}));
    assert_eq!(records[1]["fields"]["diff"], Value::Null);
}

#[test]
fn a_list_that_is_followed_is_read_to_its_end_although_its_first_page_is_unchanged() {
    let (site, day) = site_of_days(|hit, day| match hit.path.as_str() {
        _ if hit.header("If-None-Match").is_some() => Answer::status(304),
        "/0" => Answer::html("<title>1</title><a href=/2>next</a>").header("ETag", "\"a\""),
        _ => Answer::title(&day.to_string()),
    });
    let desk = Desk::new(&site, 1);
    desk.write("r.toml", "[[recipe]]\nnext = \"a@href\"\n[recipe.fields]\nt = \"title\"\n");
    assert_eq!(desk.changes("-r r.toml").len(), 2);
    day.store(1, Ordering::SeqCst);
    assert_eq!(desk.changes("-r r.toml"), told(&[("/2", "changed")]));
}

#[test]
fn the_exit_status_tells_of_changes_where_nothing_graver_is_to_tell() {
    let (site, day) = site_of_days(|hit, day| match hit.path.as_str() {
        "/0" => Answer::title(&day.to_string()),
        _ => Answer::status(404),
    });
    let desk = Desk::new(&site, 1);
    let run = |code| desk.run("--state s.db --changed --exit-code -f jsonl").exits(code);
    run(6);
    run(0);
    day.store(1, Ordering::SeqCst);
    run(6);
    desk.write("urls.txt", &list(&site, 2));
    day.store(2, Ordering::SeqCst);
    run(1);
    desk.run("--state s.db --exit-code").refused_over("--changed");
}

#[test]
fn what_does_not_go_together_is_refused_with_words_and_leaves_nothing_behind() {
    let (site, _) = site_of_days(|_, _| Answer::title("t"));
    let desk = Desk::new(&site, 1);
    let refused = |args: &str, words: &str| {
        desk.run(args).refused_over(words);
    };
    refused("--changed", "add --state FILE.db");
    refused("--changed --resume -o out.jsonl", "add --state FILE.db");
    refused("--state s.db --changed --dedupe-text", "--dedupe-text: ");
    refused("--state s.db --changed --keep-duplicates", "--keep-duplicates: ");
    refused("--state s.db --changed --resume --retry-failed -o out.jsonl", "--retry-failed: ");
    refused("--state s.db -o a.parquet -o a.parquet.jsonl.zst", "where the records of a.parquet are gathered");
    refused("--state s.db --graph a.dot -f jsonl -o a.dot.steps.zst", "where the steps of a.dot are gathered");
    refused("--state a.dot --graph a.dot", "is an output, too");
    refused("--state out.jsonl -o out.jsonl", "is an output, too");
    refused("--state out.db -o out.db", "is an output, too");
    refused("--state urls.txt", "urls.txt is a source, too");
    assert_eq!(desk.read("urls.txt"), list(&site, 1));
    assert!(!desk.names().contains("s.db"));
    assert_eq!(site.hits().len(), 0);
}

#[test]
fn a_file_that_is_no_state_of_this_version_is_refused_and_left_as_it_is() {
    let (site, _) = site_of_days(|_, _| Answer::title("t"));
    let desk = Desk::new(&site, 1);
    desk.run("--state s.db").exits(0);
    let state = fs::read(desk.folder().join("s.db")).unwrap();
    let mut newer = state.clone();
    newer[60..64].copy_from_slice(&7_u32.to_be_bytes());
    let cut = state[..50].to_vec();
    let foreign = {
        let path = desk.folder().join("foreign.db");
        Connection::open(&path).unwrap().execute_batch("CREATE TABLE t (a)").unwrap();
        fs::read(path).unwrap()
    };
    let cases = [
        (newer, "its version is 7"),
        (cut, "cut off"),
        (foreign, "another program's"),
        (b"a\tb\n".to_vec(), "no state"),
    ];
    for (bytes, words) in cases {
        fs::write(desk.folder().join("s.db"), &bytes).unwrap();
        for command in ["urls.txt --state s.db", "diff s.db", "history s.db http://a.test/"] {
            desk.scrape(command).run().refused_over(words);
            assert_eq!(fs::read(desk.folder().join("s.db")).unwrap(), bytes, "{words}");
        }
    }
    assert_eq!(site.hits().len(), 1);
}

#[test]
fn a_state_that_is_damaged_or_cannot_be_written_is_told_with_words_and_status_5() {
    let (site, _) = site_of_days(|_, _| Answer::title("t"));
    let desk = Desk::new(&site, 1);
    desk.run("--state s.db").exits(0);
    let mut state = fs::read(desk.folder().join("s.db")).unwrap();
    state[100..].fill(0xa5);
    fs::write(desk.folder().join("s.db"), state).unwrap();
    for command in ["urls.txt --state s.db", "diff s.db", "report s.db -o r.html"] {
        let run = desk.scrape(command).run().exits(5);
        let told = "scrape: cannot use s.db as the state: it is damaged: database disk image is malformed\n\
            hint: move it away: a new one is begun\n";
        assert_eq!(run.stderr, told, "{command}");
    }
    let run = desk.run("--state nowhere/s.db").exits(5);
    assert!(run.stderr.contains("nowhere/s.db"), "{run:?}");
    let run = desk.run("--state .").exits(5);
    assert!(run.stderr.contains("directory"), "{run:?}");
}

#[test]
fn a_disk_that_gets_full_ends_the_run_with_words_and_the_state_is_sound() {
    let (site, _) = site_of_days(|hit, _| Answer::title(&hit.path.repeat(100)));
    let desk = Desk::new(&site, 2000);
    desk.run("--state s.db --limit 1").exits(0);
    let limited = format!(
        "cd '{}' && ulimit -f 300 && trap '' XFSZ && exec \"$scrape\" urls.txt --state s.db -f jsonl > /dev/null",
        desk.folder().display()
    );
    let run = Scrape::in_shell(&limited).run().exits(5);
    assert_eq!(run.stderr.matches("cannot write s.db: the disk ").count(), 1, "{run:?}");
    assert!(!run.stderr.contains("Error code"), "{run:?}");
    assert_eq!(desk.query::<String>("PRAGMA integrity_check"), "ok");
    desk.run("--state s.db --changed -f jsonl").exits(0);
    assert_eq!(desk.query::<i64>("SELECT count(*) FROM pages"), 2000);
}

#[test]
fn two_runs_do_not_use_one_state() {
    let gate = Gate::shut();
    let held = gate.clone();
    let site = Site::start(move |hit| Answer::title(&hit.path).behind(&held));
    let desk = Desk::new(&site, 1);
    let first = desk.scrape("urls.txt --state s.db").spawn();
    site.wait_for(1);
    let second = desk.run("--state s.db").exits(75);
    assert!(second.stderr.contains("another run is using it"), "{second:?}");
    gate.open();
    first.finish().exits(0);
    desk.run("--state s.db").exits(0);
}

/// A desk with three runs behind it: a page that changed, one that went away and came back, and a hostile title.
fn desk_with_a_past() -> (Site, Desk) {
    let (site, day) = site_of_days(|hit, day| match (hit.path.as_str(), day) {
        ("/1", 1) => Answer::status(404),
        ("/1", _) => Answer::title("there"),
        (_, day) => Answer::html(format!("<title>day {day} \u{1b}[31mred</title><b>{day}</b>")),
    });
    let desk = Desk::new(&site, 2);
    for _ in 0..3 {
        desk.run("--state s.db -s n=b -s title=b --fail-on none -o out.jsonl").exits(0);
        day.fetch_add(1, Ordering::SeqCst);
    }
    (site, desk)
}

/// The events of a command, as path, change and the fields that differ.
fn events(run: &Run) -> Vec<(String, String, Vec<String>)> {
    let fields = |event: &Value| event["diff"].as_object().map(|diff| diff.keys().cloned().collect());
    let told = |event: &Value| {
        let change = event["change"].as_str().unwrap().to_owned();
        (path(event), change, fields(event).unwrap_or_default())
    };
    run.records().iter().map(told).collect()
}

#[test]
fn history_tells_the_versions_of_a_url_in_a_pipe_as_json() {
    let (site, desk) = desk_with_a_past();
    let run = desk.scrape(&format!("history s.db {}", site.url("/0"))).run().succeeds();
    let changes: Vec<_> = events(&run).into_iter().map(|(_, change, _)| change).collect();
    assert_eq!(changes, ["new", "changed", "changed"]);
    let last = &run.records()[2];
    assert_eq!(last["diff"]["n"], json!({"old": "1", "new": "2"}));
    assert_eq!((&last["values"]["n"], &last["values"]["fields.title"]), (&"2".into(), &"2".into()));
    assert_eq!((&last["v"], &last["status"]), (&1.into(), &200.into()));
    let run = desk.scrape(&format!("history s.db {} -f json", site.url("/1"))).run().succeeds();
    let changes: Vec<_> = events(&run).into_iter().map(|(_, change, _)| change).collect();
    assert_eq!(changes, ["new", "gone", "back"]);
    assert_eq!((&run.records()[1]["values"], &run.records()[1]["status"]), (&Value::Null, &404.into()));
    desk.scrape("history s.db http://nobody.test/").run().refused_over("knows nothing of http://nobody.test/");
    desk.scrape("history s.db ftp://a.test/").run().refused_over("no URL");
    assert!(desk.scrape("history none.db http://a.test/").run().exits(5).stderr.contains("none.db"));
}

#[test]
fn diff_tells_what_changed_in_the_last_run_since_a_time_or_of_a_url() {
    let (site, desk) = desk_with_a_past();
    let diff = |args: &str| {
        let told = events(&desk.scrape(&format!("diff s.db {args}")).run().succeeds());
        told.into_iter()
            .map(|(path, change, fields)| format!("{path} {change} {}", fields.join(",")))
            .collect::<BTreeSet<_>>()
    };
    let last = BTreeSet::from(["/0 changed fields.title,n,title".to_owned(), "/1 back ".to_owned()]);
    assert_eq!(diff(""), last);
    assert_eq!(diff(&site.url("/1")), BTreeSet::from(["/1 back ".to_owned()]));
    assert_eq!(diff("--since 7d").len(), 5);
    assert_eq!(diff(&format!("{} --since 1h", site.url("/0"))).len(), 2);
    assert_eq!(diff("--since 0"), BTreeSet::new());
    desk.scrape("diff s.db --since soon").run().refused_over("7d");
}

#[test]
fn a_terminal_shows_differences_by_field_in_colour_and_nothing_that_acts() {
    let (site, desk) = desk_with_a_past();
    let shown = desk.scrape(&format!("diff s.db {}", site.url("/0"))).env("TERM", "xterm").run_in_terminal();
    assert!(shown.contains("changed") && shown.contains("+ \"2\"") && shown.contains("- \"1\""), "{shown}");
    assert!(shown.contains("\x1b[31m- \"1\""), "{shown:?}");
    assert!(shown.contains("day 1") && !shown.contains("\x1b[31mred"), "{shown:?}");
    let plain = desk.scrape(&format!("history s.db {} -f text", site.url("/0"))).run().succeeds().stdout;
    assert!(!plain.contains('\x1b') && plain.matches("changed").count() == 2, "{plain}");
}
