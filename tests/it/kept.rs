//! `--state --keep-bodies`: a state keeps the pages, and is a source.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use rusqlite::Connection;
use serde_json::Value;

use crate::support::coding::gzip;
use crate::support::scrape::{Run, Scrape, parse};
use crate::support::{Answer, Hit, Site};

const PAGE: &str = "<!doctype html><title>A page</title><h1>One</h1><a href=x>x</a>";

/// A folder in which the program runs again and again.
struct Desk(tempfile::TempDir);

impl Desk {
    fn new(list: &str) -> Self {
        let desk = Self(tempfile::tempdir().unwrap());
        fs::write(desk.path("urls.txt"), list).unwrap();
        desk
    }

    fn run(&self, args: &str) -> Run {
        Scrape::in_shell(&format!("cd '{}' && exec \"$scrape\" {args}", self.0.path().display())).run()
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.0.path().join(name)
    }

    /// The records of the state's pages, read where nobody can be asked.
    fn read(&self, args: &str) -> Vec<Value> {
        self.run(&format!("s.db -f jsonl --ordered --proxy http://127.0.0.1:9 {args}")).succeeds().records()
    }

    fn count(&self, table: &str) -> i64 {
        query(&self.path("s.db"), &format!("SELECT count(*) FROM {table}"))
    }
}

fn query<T: rusqlite::types::FromSql>(path: &Path, sql: &str) -> T {
    Connection::open(path).unwrap().query_row(sql, [], |row| row.get(0)).unwrap()
}

/// A state as it was before pages could be kept.
fn age(path: &Path) {
    let steps = "DROP TABLE starts; DROP TABLE departures; DROP TABLE frontier; DROP TABLE passed; DROP TABLE outbox;
        DROP TABLE answers; DROP TABLE bodies; DROP TABLE notes; ALTER TABLE outputs DROP COLUMN is_sifted;
        ALTER TABLE runs DROP COLUMN checks; PRAGMA user_version = 1; VACUUM;";
    Connection::open(path).unwrap().execute_batch(steps).unwrap();
}

fn list(site: &Site, paths: &[&str]) -> String {
    paths.iter().map(|path| site.url(path) + "\n").collect()
}

fn titles(records: &[Value]) -> Vec<&str> {
    records.iter().map(|record| record["title"].as_str().unwrap()).collect()
}

/// Records without what a source cannot know, by URL.
fn comparable(mut records: Vec<Value>) -> Vec<Value> {
    for record in &mut records {
        for key in ["source", "fetched_at"] {
            record[key] = Value::Null;
        }
        if let Some(headers) = record["fields"]["headers"].as_array_mut() {
            headers.retain(|header| header["name"] != "content-encoding");
        }
    }
    records.sort_by_key(|record| record["url"].to_string());
    records
}

#[test]
fn what_is_read_again_is_what_was_fetched_and_nobody_is_asked() {
    let site = Site::start(|hit| match hit.path.as_str() {
        "/gzip" => Answer::html(gzip(PAGE.as_bytes())).header("Content-Encoding", "gzip"),
        "/chunked" => Answer::html(PAGE.repeat(20)).chunked(),
        "/latin" => Answer::typed("text/html; charset=iso-8859-1", *b"<title>caf\xe9</title>"),
        "/old" => Answer::redirect(301, "/older"),
        "/older" => Answer::redirect(302, "/gzip").header("Set-Cookie", "a=b"),
        "/json" => Answer::typed("application/json", r#"{"a": 1}"#).header("X-Of", "a").header("x-of", "b"),
        "/empty" => Answer::status(204),
        "/flaky" if hit.nth == 0 => Answer::status(503),
        _ => Answer::title(&hit.path),
    });
    let paths = ["/gzip", "/chunked", "/latin", "/old", "/json", "/empty", "/flaky", "/a#part"];
    let named = format!("{{\"url\": \"{}\", \"sku\": [1, \"é\"]}}\n", site.url("/named"));
    let desk = Desk::new(&(list(&site, &paths) + &named));
    let fields = "-x h1,links,headers,cookies --retry-delay 0";
    desk.run(&format!("urls.txt --state s.db --keep-bodies -o out.jsonl {fields}")).succeeds();
    let hits = site.count();
    let live = parse(&fs::read_to_string(desk.path("out.jsonl")).unwrap());
    let again = desk.read(fields);
    assert!(again.iter().all(|record| record["source"]["file"] == "s.db"), "{again:?}");
    assert_eq!(comparable(again), comparable(live));
    let prices = desk.read("-s 'heading=h1'");
    assert_eq!(prices.iter().filter(|record| record["fields"]["heading"] == "One").count(), 3);
    assert_eq!(site.count(), hits);
}

#[test]
fn of_each_url_the_last_page_is_kept_and_each_body_once() {
    let day = Arc::new(AtomicU32::new(0));
    let today = Arc::clone(&day);
    let answer = move |hit: &Hit| match (hit.path.as_str(), today.load(Ordering::SeqCst)) {
        ("/0" | "/1", 0 | 1) => Answer::title("same"),
        ("/2", 1) => Answer::status(404),
        ("/2", 2) => Answer::status(503),
        (path, day) => Answer::title(&format!("{path} {day}")),
    };
    let site = Site::start(answer);
    let desk = Desk::new(&list(&site, &["/0", "/1", "/2"]));
    let run = || {
        desk.run("urls.txt --state s.db --keep-bodies -o out.jsonl --retry 0 --fail-on none -c 1").exits(0);
        day.fetch_add(1, Ordering::SeqCst);
        (desk.count("answers"), desk.count("bodies"))
    };
    assert_eq!([run(), run()], [(3, 2); 2]);
    assert_eq!(titles(&desk.read("")), ["same", "same", "/2 0"]);
    assert_eq!(run(), (3, 3), "nobody has the one that both had");
    assert_eq!(titles(&desk.read("")), ["/0 2", "/1 2", "/2 0"]);
    assert_eq!(query::<String>(&desk.path("s.db"), "PRAGMA integrity_check"), "ok");
}

#[test]
fn only_a_page_that_is_kept_is_asked_for_by_its_validators() {
    let site = Site::start(|hit| match hit.header("If-None-Match") {
        Some(_) => Answer::status(304),
        None => Answer::title("there").header("ETag", "\"a\""),
    });
    let desk = Desk::new(&list(&site, &["/0"]));
    for args in ["", "--keep-bodies", "--keep-bodies", ""] {
        desk.run(&format!("urls.txt --state s.db --changed {args} -o out.jsonl")).succeeds();
    }
    let conditional = site.hits().iter().map(|hit| hit.header("If-None-Match").is_some()).collect::<Vec<_>>();
    assert_eq!(conditional, [false, false, true, true]);
    assert_eq!(titles(&desk.read("")), ["there"]);
}

#[test]
fn a_state_of_before_is_brought_up_to_date_by_a_run_and_by_nothing_else() {
    let site = Site::start(|hit| Answer::title(&hit.path));
    let desk = Desk::new(&list(&site, &["/0"]));
    let state = desk.path("s.db");
    desk.run("urls.txt --state s.db --keep-bodies").succeeds();
    age(&state);
    let old = fs::read(&state).unwrap();
    desk.run("diff s.db").succeeds();
    let run = desk.run("s.db").exits(5);
    assert!(run.stderr.contains("s.db") && run.stderr.contains("--keep-bodies"), "{run:?}");
    assert!(fs::read(&state).unwrap() == old, "reading changes nothing");
    desk.run("urls.txt --state s.db --changed -o out.jsonl").succeeds();
    assert_eq!(fs::read_to_string(desk.path("out.jsonl")).unwrap(), "", "what was known is known");
    assert_eq!((query::<i64>(&state, "PRAGMA user_version"), desk.count("versions")), (6, 1));
    desk.run("urls.txt --state s.db --keep-bodies").succeeds();
    assert_eq!(titles(&desk.read("")), ["/0"]);
}

#[test]
fn a_database_that_keeps_no_pages_is_no_source() {
    let site = Site::start(|hit| Answer::title(&hit.path));
    let desk = Desk::new(&list(&site, &["/0"]));
    desk.run("urls.txt --keep-bodies").refused_over("--state");
    desk.run("urls.txt --state s.db --keep-bodies").succeeds();
    desk.run("s.db --state s.db -o out.jsonl").refused_over("s.db is a source, too");
    let whole = fs::read(desk.path("s.db")).unwrap();
    let mut newer = whole.clone();
    newer[60..64].copy_from_slice(&9_u32.to_be_bytes());
    fs::write(desk.path("newer.db"), newer).unwrap();
    fs::write(desk.path("cut.db"), &whole[..60]).unwrap();
    Connection::open(desk.path("other.db")).unwrap().execute_batch("CREATE TABLE t (a)").unwrap();
    desk.run("urls.txt --state bare.db").succeeds();
    for (args, words) in [
        ("newer.db", "its version is 9"),
        ("cut.db", "cut off"),
        ("other.db", "another program's database"),
        ("bare.db", "--keep-bodies"),
        ("- < s.db", "named by its path"),
    ] {
        let run = desk.run(args).exits(5);
        assert!(run.stderr.contains(words), "{args}: {run:?}");
    }
    assert_eq!(site.count(), 2);
}

#[test]
fn a_page_that_is_damaged_ends_the_source_with_words() {
    let site = Site::start(|hit| Answer::title(&hit.path));
    let desk = Desk::new(&list(&site, &["/0", "/1", "/2"]));
    desk.run("urls.txt --state s.db --keep-bodies").succeeds();
    for wrong in ["UPDATE bodies SET content = x'00' WHERE id = 2", "UPDATE answers SET head = 'x' WHERE id = 2"] {
        let state = fs::read(desk.path("s.db")).unwrap();
        Connection::open(desk.path("s.db")).unwrap().execute_batch(wrong).unwrap();
        let run = desk.run("s.db -f jsonl").exits(5);
        assert_eq!(run.records().len(), 1, "{run:?}");
        assert!(run.stderr.contains("s.db broke off after line 1"), "{run:?}");
        fs::write(desk.path("s.db"), state).unwrap();
    }
}

#[test]
fn large_pages_are_kept_with_little_memory_and_asked_for_once() {
    let site = Site::start(|hit| Answer::typed("text/plain", hit.path.repeat(1 << 19)));
    let paths: Vec<_> = (0..40).map(|n| format!("/{n}")).collect();
    let desk = Desk::new(&list(&site, &paths.iter().map(String::as_str).collect::<Vec<_>>()));
    desk.run("urls.txt --state s.db --keep-bodies --max-memory 64M --max-body 4M -c 4 -o out.jsonl").succeeds();
    assert_eq!((desk.count("answers"), site.count()), (40, 40));
    assert!(desk.read("").iter().all(|record| record["length"].as_u64() > Some(1 << 19)));
    let small = desk.run("s.db -f jsonl --max-body 512K").exits(4).records();
    assert!(small.iter().all(|record| record["error"]["kind"] == "too_large"), "{small:?}");
}
