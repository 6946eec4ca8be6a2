//! What is said as JSON.

use serde_json::Value;

use crate::support::scrape::parse;
use crate::support::{Answer, Site, scrape};

const JSON: [&str; 2] = ["--log-format", "json"];

/// What was said, each with the keys that all have.
#[track_caller]
fn said(stderr: &str) -> Vec<Value> {
    let said = parse(stderr);
    for one in &said {
        let time = one["time"].as_str().unwrap();
        assert!(time.len() == "2026-11-22T20:31:31.123Z".len() && time.ends_with('Z'), "{one}");
        assert!(["error", "warn", "info", "debug"].contains(&one["level"].as_str().unwrap()), "{one}");
        assert!(one["message"].is_string(), "{one}");
    }
    said
}

#[test]
fn each_thing_said_is_an_object_with_fields_that_name_their_units() {
    let site = Site::start(|hit| if hit.nth == 0 { Answer::status(503) } else { Answer::title("t") });
    let run = scrape([&site.url("/"), "-v", "--retry-delay", "1ms"]).args(JSON).run().exits(0);
    let said = said(&run.stderr);
    let retry = said.iter().find(|one| one["message"] == "will try again").unwrap();
    assert!(retry["wait_ms"].is_u64() && retry["attempt"] == 1, "{retry}");
    assert_eq!((&retry["url"], &retry["level"]), (&Value::from(site.url("/")), &Value::from("info")));
    let end = said.last().unwrap();
    assert_eq!((&end["targets"], &end["fetched"], &end["exit_status"]), (&1.into(), &1.into(), &0.into()));
    assert!(end["elapsed_ms"].is_u64() && end["bytes"].is_u64(), "{end}");
}

#[test]
fn failures_and_last_words_are_objects_too() {
    let site = Site::start(|_| Answer::status(404));
    let run = scrape([&site.url("/"), "--expect", "items >= 2"]).args(JSON).run().exits(4);
    let told = said(&run.stderr);
    assert_eq!((&told[0]["failed"], &told[0]["by_kind"]["status"]), (&1.into(), &1.into()));
    assert!(told.iter().any(|one| one["level"] == "error"), "{told:?}");
    let run = scrape(["none.txt"]).args(JSON).run().exits(5);
    let told = said(&run.stderr);
    assert!(told.len() == 1 && told[0]["level"] == "error", "{run:?}");
    assert!(told[0]["message"].as_str().unwrap().contains("none.txt"), "{run:?}");
}

#[test]
fn nothing_is_said_when_all_is_well() {
    let site = Site::start(|_| Answer::title("t"));
    scrape([&site.url("/")]).args(JSON).run().succeeds();
}

#[test]
fn no_bar_is_drawn_between_the_objects() {
    let site = Site::start(|_| Answer::title("t"));
    for progress in ["auto", "bar", "none"] {
        let run = scrape([&site.url("/"), "-o", "out.jsonl", "--progress", progress]).args(JSON);
        let shown = run.run_in_terminal().replace("\r\n", "\n");
        assert_eq!(said(&shown).len(), 1, "{progress}: {shown:?}");
    }
}

#[test]
fn what_a_server_wrote_stays_inside_its_string() {
    let site = Site::start(|_| Answer::redirect(302, "http://x\u{1b}[2J\u{202e}\"/"));
    let run = scrape([&site.url("/"), "-vv", "--retry", "0"]).args(JSON).run();
    assert!(!said(&run.stderr).is_empty());
    assert!(!run.stderr.chars().any(|c| c.is_control() && c != '\n' || c == '\u{202e}'), "{:?}", run.stderr);
}
