//! What is known from run to run: states, changes, and runs that go on with the help of a state.

use std::collections::BTreeSet;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use rusqlite::Connection;
use rustix::process::Signal;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::scrape::{Run, Scrape, parse};
use crate::support::{Answer, Gate, Hit, Site};

/// A folder with a list, in which the program runs again and again.
struct Desk(TempDir);

impl Desk {
    fn new(site: &Site, pages: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let desk = Self(folder);
        desk.write("urls.txt", &list(site, pages));
        desk
    }

    fn scrape(&self, args: &str) -> Scrape {
        Scrape::in_shell(&format!("cd '{}' && exec \"$scrape\" {args}", self.0.path().display()))
    }

    fn run(&self, args: &str) -> Run {
        self.scrape(&format!("urls.txt {args}")).run()
    }

    /// What changed, as path and change; a failure has its kind.
    fn changes(&self, args: &str) -> Vec<(String, String)> {
        let run = self.run(&format!("--state s.db --changed -f jsonl --retry 0 --fail-on none {args}")).exits(0);
        let mut told: Vec<_> = run.records().iter().map(|record| (path(record), change(record))).collect();
        told.sort();
        told
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.0.path().join(name), text).unwrap();
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.0.path().join(name)).unwrap()
    }

    /// The text of a file whose name may tell that it is compressed. It has to be whole.
    fn unpack(&self, name: &str) -> String {
        let bytes = fs::read(self.0.path().join(name)).unwrap();
        match name.rsplit('.').next() {
            Some("gz") => std::io::read_to_string(flate2::read::MultiGzDecoder::new(&*bytes)).unwrap(),
            Some("zst") => String::from_utf8(zstd::decode_all(&*bytes).unwrap()).unwrap(),
            _ => String::from_utf8(bytes).unwrap(),
        }
    }

    fn query<T: rusqlite::types::FromSql>(&self, sql: &str) -> T {
        let connection = Connection::open(self.0.path().join("s.db")).unwrap();
        connection.query_row(sql, [], |row| row.get(0)).unwrap()
    }

    fn execute(&self, sql: &str) {
        Connection::open(self.0.path().join("s.db")).unwrap().execute_batch(sql).unwrap();
    }

    fn names(&self) -> BTreeSet<String> {
        let entries = fs::read_dir(self.0.path()).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }
}

fn list(site: &Site, pages: usize) -> String {
    (0..pages).map(|n| site.url(&format!("/{n}\n"))).collect()
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

/// A site whose answers depend on the day, which the test turns.
fn site_of_days(answer: impl Fn(&Hit, u32) -> Answer + Send + Sync + 'static) -> (Site, Arc<AtomicU32>) {
    let day = Arc::new(AtomicU32::new(0));
    let today = Arc::clone(&day);
    (Site::start(move |hit| answer(hit, today.load(Ordering::SeqCst))), day)
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
    let state = fs::read(desk.0.path().join("s.db")).unwrap();
    let mut newer = state.clone();
    newer[60..64].copy_from_slice(&7_u32.to_be_bytes());
    let cut = state[..50].to_vec();
    let foreign = {
        let path = desk.0.path().join("foreign.db");
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
        fs::write(desk.0.path().join("s.db"), &bytes).unwrap();
        for command in ["urls.txt --state s.db", "diff s.db", "history s.db http://a.test/"] {
            desk.scrape(command).run().refused_over(words);
            assert_eq!(fs::read(desk.0.path().join("s.db")).unwrap(), bytes, "{words}");
        }
    }
    assert_eq!(site.hits().len(), 1);
}

#[test]
fn a_state_that_is_damaged_or_cannot_be_written_is_told_with_words_and_status_5() {
    let (site, _) = site_of_days(|_, _| Answer::title("t"));
    let desk = Desk::new(&site, 1);
    desk.run("--state s.db").exits(0);
    let mut state = fs::read(desk.0.path().join("s.db")).unwrap();
    state[100..].fill(0xa5);
    fs::write(desk.0.path().join("s.db"), state).unwrap();
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
        desk.0.path().display()
    );
    let run = Scrape::in_shell(&limited).run().exits(5);
    assert_eq!(run.stderr.matches("cannot write s.db: the disk ").count(), 1, "{run:?}");
    assert!(!run.stderr.contains("Error code"), "{run:?}");
    assert_eq!(desk.query::<String>("PRAGMA integrity_check"), "ok");
    desk.run("--state s.db --changed -f jsonl").exits(0);
    assert_eq!(desk.query::<i64>("SELECT count(*) FROM pages"), 2000);
}

#[test]
fn an_output_whose_disk_gets_full_is_gone_on_with_and_no_record_is_lost() {
    let (site, _) = site_of_days(|hit, _| Answer::title(&hit.path.repeat(5000)));
    let desk = Desk::new(&site, 300);
    let limited = format!(
        "cd '{}' && ulimit -f 700 && trap '' XFSZ && exec \"$scrape\" urls.txt --state s.db -o out.jsonl",
        desk.0.path().display()
    );
    let run = Scrape::in_shell(&limited).run().exits(5);
    assert!(run.stderr.contains("cannot write out.jsonl"), "{run:?}");
    let done = desk.query::<i64>("SELECT count(*) FROM pages WHERE run = 1");
    desk.run("--state s.db --resume -o out.jsonl").exits(0);
    let told: BTreeSet<_> = parse(&desk.read("out.jsonl")).iter().map(path).collect();
    assert_eq!((told.len(), parse(&desk.read("out.jsonl")).len()), (300, 300), "after {done} of them");
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

#[test]
fn a_run_that_was_stopped_goes_on_and_only_then_are_its_changes_old() {
    let (site, day) = site_of_days(|hit, day| Answer::title(&format!("{} {day}", hit.path)));
    let desk = Desk::new(&site, 10);
    let args = "--state s.db --changed --resume -o out.jsonl";
    let lines = || parse(&desk.read("out.jsonl")).len();
    let run = |pages: u32| {
        desk.run(&format!("{args} --max-pages {pages}")).succeeds();
        lines()
    };
    assert_eq!([run(4), run(4), run(4)], [4, 8, 10]);
    assert_eq!(site.hits().len(), 10);
    desk.run(args).succeeds();
    assert_eq!((site.hits().len(), lines()), (20, 0), "the run was whole: this is another one");
    day.store(1, Ordering::SeqCst);
    desk.run(args).succeeds();
    assert_eq!(lines(), 10);
}

#[test]
fn what_may_be_gone_in_a_moment_is_tried_again_and_has_one_record() {
    let (site, _) = site_of_days(|hit, _| match (hit.path.as_str(), hit.nth) {
        ("/0", 0) => Answer::status(503),
        ("/1", _) => Answer::status(404),
        _ => Answer::title(&hit.path),
    });
    let desk = Desk::new(&site, 4);
    desk.write("urls.txt", &format!("no url\n{}", list(&site, 4)));
    for code in [1, 1, 1] {
        desk.run("--state s.db --resume --retry 0 -o out.csv -o out.tsv").exits(code);
        assert_eq!(desk.read("out.tsv").lines().count(), 5);
        assert_eq!(desk.read("out.csv").lines().count(), 6);
    }
    let text = desk.read("out.tsv");
    assert!(text.lines().any(|line| line.contains("/0\t200")), "{text}");
    assert_eq!([site.hits_of("/0").len(), site.hits_of("/1").len(), site.hits_of("/2").len()], [2, 1, 1]);
}

/// How many records of a file, whatever its format, tell of an answer that does not count as fetched.
fn failures(text: &str) -> usize {
    text.lines().filter(|line| line.contains("status: ") || line.contains("\"status\",")).count()
}

#[test]
fn final_failures_are_tried_again_where_that_is_wanted_and_have_one_record() {
    let (site, day) = site_of_days(|hit, day| match (hit.path.as_str(), day) {
        ("/0" | "/3" | "/7", 0) | ("/3", _) => Answer::status(404),
        _ => Answer::title(&hit.path),
    });
    let desk = Desk::new(&site, 9);
    desk.write("urls.txt", &format!("no url\n{}", list(&site, 9)));
    let names = ["out.jsonl", "out.csv", "out.tsv", "out.csv.gz", "out.tsv.zst"];
    let args = format!("--state s.db --resume --retry 0 -c 1 -o {}", names.join(" -o "));
    let asked = || (0..9).map(|n| site.hits_of(&format!("/{n}")).len()).collect::<Vec<_>>();
    let once = |failed: usize| {
        for name in names {
            let (text, header) = (desk.unpack(name), usize::from(name.contains(".csv")));
            assert_eq!(text.lines().count(), 10 + header, "{name}: {text}");
            assert_eq!(text.matches("invalid_url").count(), 1, "{name}: {text}");
            assert_eq!(failures(&text), failed, "{name}: {text}");
            for n in 0..9 {
                let url = site.url(&format!("/{n}"));
                let is_of = |line: &&str| line.split(['\t', ',', '"']).any(|cell| cell == url);
                assert_eq!(text.lines().filter(is_of).count(), 1, "{name}: {url}: {text}");
            }
        }
    };
    desk.run(&args).exits(1);
    let before = desk.read("out.tsv");
    day.store(1, Ordering::SeqCst);
    desk.run(&args).exits(1);
    assert_eq!((asked(), desk.read("out.tsv")), (vec![1; 9], before), "only where it is wanted");
    desk.run(&format!("{args} --retry-failed")).exits(1);
    assert_eq!(asked(), [2, 1, 1, 2, 1, 1, 1, 2, 1]);
    once(1);
    assert_eq!(desk.query::<i64>("SELECT failures FROM pages WHERE url LIKE '%/3'"), 1, "it is the same run");
    desk.run(&format!("{args} --retry-failed")).exits(1);
    assert_eq!(asked(), [2, 1, 1, 3, 1, 1, 1, 2, 1]);
    once(1);
    assert!(desk.names().iter().all(|name| !name.ends_with(".resuming")), "{:?}", desk.names());
}

#[test]
fn files_that_a_killed_run_was_about_to_replace_are_replaced_first() {
    let (site, day) = site_of_days(|hit, day| match (hit.path.as_str(), day) {
        ("/1", 0) => Answer::status(404),
        _ => Answer::title(&hit.path),
    });
    let sift = |name: &str, desk: &Desk| {
        let text: String =
            desk.read(name).lines().filter(|line| !line.contains("/1\t")).map(|it| it.to_owned() + "\n").collect();
        desk.write(&format!("{name}.resuming"), &text);
        text.len()
    };
    // Both, one, or none of two files were replaced when it was killed.
    for replaced in 0..3 {
        let desk = Desk::new(&site, 3);
        day.store(0, Ordering::SeqCst);
        let args = "--state s.db --resume --retry 0 -c 1 -o a.tsv -o b.tsv";
        desk.run(args).exits(1);
        let length = ["a.tsv", "b.tsv"].map(|name| sift(name, &desk))[0];
        desk.execute(&format!(
            "UPDATE outputs SET position = {length}, is_sifted = 1; UPDATE pages SET run = 0 WHERE failure IS NOT NULL"
        ));
        for name in &["a.tsv", "b.tsv"][..replaced] {
            fs::rename(desk.0.path().join(format!("{name}.resuming")), desk.0.path().join(name)).unwrap();
        }
        day.store(1, Ordering::SeqCst);
        desk.run(args).succeeds();
        assert_eq!([desk.read("a.tsv").lines().count(), desk.read("b.tsv").lines().count()], [3, 3]);
        assert_eq!(desk.read("a.tsv").matches("\t200\t").count(), 3, "{}", desk.read("a.tsv"));
        assert_eq!(desk.query::<i64>("SELECT sum(is_sifted) FROM outputs"), 0);
        assert!(desk.names().iter().all(|name| !name.ends_with(".resuming")), "{:?}", desk.names());
    }
    let desk = Desk::new(&site, 3);
    desk.run("--state s.db --resume -o a.tsv").succeeds();
    desk.execute("UPDATE outputs SET position = 7, is_sifted = 1");
    let (run, text) = (desk.run("--state s.db --resume -o a.tsv").exits(5), desk.read("a.tsv"));
    assert!(run.stderr.contains("a.tsv.resuming is not there any more"), "{run:?}");
    assert_eq!(text.lines().count(), 3);
}

#[test]
fn a_file_that_lost_what_is_done_is_refused() {
    let (site, _) = site_of_days(|hit, _| Answer::title(&hit.path));
    let desk = Desk::new(&site, 3);
    desk.run("--state s.db --resume -o out.jsonl").succeeds();
    desk.write("out.jsonl", "");
    desk.run("--state s.db --resume -o out.jsonl").refused_over("it had");
    desk.run("--state s.db --resume -o other.jsonl").refused_over("did not write to");
    desk.run("--state s.db --resume -o out.jsonl -x h1").refused_over("other fields");
    desk.run("--state s.db -o out.jsonl").succeeds();
    assert_eq!(parse(&desk.read("out.jsonl")).len(), 3);
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

/// Kills the program again and again, and goes on.
fn kill_and_resume(names: &[&str], pages: usize, kills: usize, seed: u64) {
    let mut random = fastrand::Rng::with_seed(seed);
    let site = Site::start(|hit| match hit.path.trim_start_matches('/').parse::<usize>() {
        Ok(n) if n % 50 == 1 => Answer::status(404),
        Ok(n) if n % 90 == 2 && hit.nth == 0 => Answer::status(503),
        _ => Answer::title(&hit.path),
    });
    let desk = Desk::new(&site, pages);
    let args = format!("urls.txt --state s.db --resume --retry 0 -o {}", names.join(" -o "));
    let mut killed = 0;
    while killed < kills {
        let (asked, more) = (site.count(), random.usize(..2 * pages / kills));
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
    desk.scrape(&args).run().exits(1);
    desk.scrape(&args).run().exits(0);
    let undisturbed = desk.run("-f tsv").exits(1);
    let essence = |line: &str| line.split('\t').take(4).collect::<Vec<_>>().join("\t");
    let expected: BTreeSet<_> = undisturbed.stdout.lines().map(essence).collect();
    for name in names {
        let text = desk.unpack(name);
        let found: BTreeSet<_> = text.lines().map(essence).collect();
        assert_eq!(
            text.lines().count(),
            pages,
            "{name}: a URL is lost or has two records: seed {seed}, {killed} kills"
        );
        assert!(found == expected, "{name}: seed {seed}, {killed} kills");
    }
    assert_eq!(desk.query::<i64>("SELECT count(*) FROM pages"), i64::try_from(pages).unwrap());
    assert!(killed > kills / 4, "only {killed} kills: seed {seed}");
}

#[test]
fn whenever_it_is_killed_every_file_has_each_record_once_and_the_state_is_sound() {
    kill_and_resume(&["one.tsv", "two.tsv"], 5000, 100, fastrand::u64(..));
}

#[test]
fn a_compressed_file_that_is_killed_has_each_record_once_and_is_whole() {
    kill_and_resume(&["one.tsv.gz", "two.tsv.zst"], 1000, 20, fastrand::u64(..));
}

/// Failures are tried again by runs of which each is killed at some moment, those in which files are replaced among them.
#[test]
fn whenever_a_run_that_tries_failures_again_is_killed_every_file_has_each_record_once() {
    const PAGES: usize = 2000;
    let seed = fastrand::u64(..);
    let mut random = fastrand::Rng::with_seed(seed);
    let site = Site::start(|hit| match hit.path.trim_start_matches('/').parse::<usize>() {
        Ok(n) if n % 7 == 1 && hit.nth < n % 4 => Answer::status(404),
        Ok(n) if n % 200 == 6 => Answer::status(410),
        _ => Answer::title(&hit.path),
    });
    let desk = Desk::new(&site, PAGES);
    let names = ["one.tsv", "two.csv.gz", "three.jsonl.zst"];
    let args = format!("urls.txt --state s.db --resume --fail-on none --retry 0 -o {}", names.join(" -o "));
    desk.scrape(&args).run().exits(0);
    let (mut killed, mut unreplaced) = (0, 0);
    for _ in 0..10 {
        let (asked, more) = (site.count(), random.usize(..60));
        let mut run = desk.scrape(&format!("{args} --retry-failed")).spawn();
        let is_begun = || desk.names().iter().any(|name| name.ends_with(".resuming"));
        let is_early = random.bool();
        let is_time = || site.count() >= asked + more || is_early && is_begun();
        while !is_time() && !run.ends_within(Duration::from_micros(random.u64(1..500))) {}
        if !run.ends_within(Duration::ZERO) {
            run.signal(Signal::KILL);
        }
        killed += usize::from(run.finish().code.is_none());
        unreplaced += usize::from(is_begun());
        assert_eq!(desk.query::<String>("PRAGMA integrity_check"), "ok", "seed {seed}");
        if random.bool() {
            desk.scrape(&args).run().exits(0);
        }
    }
    for _ in 0..3 {
        desk.scrape(&format!("{args} --retry-failed")).run().exits(0);
    }
    let expected: BTreeSet<_> = (0..PAGES).map(|n| site.url(&format!("/{n}"))).collect();
    for name in names {
        let (text, header) = (desk.unpack(name), usize::from(name.contains(".csv")));
        let url = |line: &str| line.split(['\t', ',', '"']).find(|&cell| expected.contains(cell)).map(String::from);
        let found: Vec<_> = text.lines().skip(header).filter_map(url).collect();
        assert_eq!(found.len(), PAGES, "{name}: seed {seed}, {killed} kills");
        assert!(found.into_iter().collect::<BTreeSet<_>>() == expected, "{name}: seed {seed}, {killed} kills");
        assert_eq!(failures(&text), 10, "{name}: seed {seed}, {killed} kills");
    }
    assert!(killed > 2, "only {killed} kills, {unreplaced} of them before the files were replaced: seed {seed}");
}
