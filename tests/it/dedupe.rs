//! Equal URLs are one target.

use serde_json::Value;

use crate::support::{Answer, Site, scrape};

fn site() -> Site {
    Site::start(|hit| match &*hit.path {
        "/old" | "/older" => Answer::redirect(301, "/new"),
        path => Answer::title(path),
    })
}

#[test]
fn equal_urls_are_fetched_once_and_give_one_record() {
    let site = site();
    let list = [site.url("/a"), site.url("/a#part"), site.url("/b/../a"), site.url("/a").replace("http", "HTTP")];
    let run = scrape(["-f", "jsonl", "--summary", "summary.json"]).stdin(list.join("\n")).run().succeeds();
    assert_eq!(run.record()["url"], site.url("/a"));
    assert_eq!(run.record()["source"]["line"], 1);
    assert_eq!(site.paths(), ["/a"]);
    let summary: Value = serde_json::from_str(&run.file("summary.json")).unwrap();
    assert_eq!(summary["duplicates"], 3, "{summary}");
}

#[test]
fn duplicates_are_found_across_sources() {
    let site = site();
    let run = scrape([&site.url("/a"), "list.txt", "-f", "jsonl"]).file("list.txt", site.url("/a")).run().succeeds();
    assert_eq!((run.records().len(), site.hits().len()), (1, 1));
}

#[test]
fn nothing_but_the_fragment_is_stripped() {
    let site = site();
    let paths = ["/a", "/a/", "/a?", "/a?x=1&y=2", "/a?y=2&x=1", "/A", "/a?utm_source=x"];
    let list = paths.map(|path| site.url(path)).join("\n");
    let run = scrape(["-f", "jsonl"]).stdin(list).run().succeeds();
    assert_eq!((run.records().len(), site.hits().len()), (paths.len(), paths.len()));
}

#[test]
fn the_fragment_is_never_sent() {
    let site = site();
    let run = scrape(["-f", "jsonl", &site.url("/a#part")]).run().succeeds();
    assert_eq!(site.paths(), ["/a"]);
    assert_eq!(run.record()["error"], Value::Null);
}

#[test]
fn duplicates_can_be_kept() {
    let site = site();
    let list = format!("{0}\n{0}\n{0}\n", site.url("/a"));
    let run = scrape(["-f", "jsonl", "--keep-duplicates"]).stdin(list).run().succeeds();
    assert_eq!((run.records().len(), site.hits().len()), (3, 3));
}

#[test]
fn equal_urls_are_one_by_128_bits_too() {
    let site = site();
    let list = ["/a", "/a#part", "/b", "/b/../a", "/a?"].map(|path| site.url(path)).join("\n");
    scrape(["--dedupe-bits", "128"]).stdin(list).run().succeeds();
    let mut paths = site.paths();
    paths.sort();
    assert_eq!(paths, ["/a", "/a?", "/b"]);
}

#[test]
fn a_state_knows_urls_by_64_bits_and_says_so() {
    let site = site();
    let run = scrape(["--dedupe-bits", "128", "--state", "s.db", &site.url("/a")]).run().exits(2);
    assert!(run.stderr.contains("--dedupe-bits does not go with --state"), "{}", run.stderr);
    assert_eq!(site.count(), 0);
    let run = scrape(["--dedupe-bits", "96", &site.url("/a")]).run().exits(2);
    assert!(run.stderr.contains("64, 128"), "{}", run.stderr);
}

#[test]
fn distinct_urls_that_redirect_to_one_page_stay_distinct() {
    let site = site();
    let run = scrape(["-f", "jsonl", &site.url("/old"), &site.url("/older"), &site.url("/new")]).run().succeeds();
    assert_eq!(run.records().len(), 3);
    assert_eq!(site.hits_of("/new").len(), 3);
}

#[test]
fn a_long_list_of_one_url_is_one_fetch() {
    let site = site();
    let list = format!("{}\n", site.url("/a")).repeat(20_000);
    let run = scrape(["-f", "jsonl"]).stdin(list).run().succeeds();
    assert_eq!((run.records().len(), site.hits().len()), (1, 1));
}

#[test]
fn duplicates_do_not_count_towards_the_limit() {
    let site = site();
    let list = [site.url("/a"), site.url("/a"), site.url("/b"), site.url("/c")].join("\n");
    scrape(["-f", "jsonl", "--limit", "2"]).stdin(list).run().exits(0);
    let mut paths = site.paths();
    paths.sort();
    assert_eq!(paths, ["/a", "/b"]);
}
