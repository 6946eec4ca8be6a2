//! `scrape plan`: what a list comes to, without a request.

use serde_json::{Value, json};

use crate::support::{Answer, Site, scrape};

const LIST: &str =
    "# shops\nhttps://a.test/1\na.test/2\nhttps://a.test/1#top\n\nftp://a.test/x\nhttps://b.test/\nno url\u{1b}[31m\n";

fn plan(args: &[&str]) -> Value {
    let run = scrape(["plan"]).args(args).file("urls.txt", LIST).run().succeeds();
    serde_json::from_str(&run.stdout).unwrap()
}

#[test]
fn a_list_with_mistakes_is_told_with_files_and_lines() {
    let plan = plan(&["urls.txt", "https://b.test:99999/", "--delay", "10"]);
    let line = |file: Option<&str>, line: u32, given: &str, reason: Option<&str>| json!({"file": file, "line": line, "given": given, "reason": reason});
    let file = Some("urls.txt");
    assert_eq!(plan["urls"], 3);
    assert_eq!(plan["hosts"]["count"], 2);
    assert_eq!(plan["hosts"]["largest"][0], json!({"host": "a.test", "urls": 2, "seconds": 10.5}));
    assert_eq!(plan["duplicates"], json!({"count": 1, "lines": [line(file, 4, "https://a.test/1#top", None)]}));
    assert_eq!((&plan["bound"], &plan["seconds"]), (&json!("host"), &json!(10.5)));
    let bad = plan["bad"]["lines"].as_array().unwrap();
    assert_eq!(bad[0], line(file, 6, "ftp://a.test/x", Some("scheme ftp is not supported: only http and https")));
    assert_eq!([&bad[1]["line"], &bad[2]["line"], &bad[2]["file"]], [&json!(8), &json!(2), &Value::Null]);
}

#[test]
fn nobody_is_asked() {
    let site = Site::start(|_| Answer::title("here"));
    let run = scrape(["plan", &*site.url("/1"), &*site.url("/2")]).run().succeeds();
    let plan: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!((&plan["urls"], site.count(), site.connections()), (&json!(2), 0, 0));
}

#[test]
fn the_screen_says_it_in_words_that_are_harmless() {
    let run = scrape(["plan", "urls.txt", "-f", "text", "--delay", "10"]).file("urls.txt", LIST).run().succeeds();
    insta::assert_snapshot!(run.stdout, @r"
    3 URLs on 2 hosts
      time         10 s, if a page takes 500 ms (--latency)
                   because of a.test: 2 URLs, one every 10 s (--delay)
      memory       17.2 MB, if a page has 100 kB: 2 at a time
      duplicates   1: left out (--keep-duplicates keeps them)
      bad lines    2: each is a record that tells what is wrong

    Hosts  by URLs, and the time that each takes at least
                2  a.test  10 s
                1  b.test  0.5 s

    Bad lines
      urls.txt:6  scheme ftp is not supported: only http and https: ftp://a.test/x
      urls.txt:8  not a URL: it has the control character U+001B: no url�[31m

    Duplicates
      urls.txt:4  https://a.test/1#top
    ");
}

#[test]
fn all_bad_lines_are_shown_where_that_is_asked_for() {
    let list = (0..30).map(|n| format!("ftp://a.test/{n}\n")).collect::<Vec<_>>().concat();
    let run = |args: &[&str]| scrape(["plan", "-", "-f", "text"]).args(args).stdin(&*list).run().exits(0).stdout;
    let (some, all) = (run(&[]), run(&["-v"]));
    assert!(
        some.contains("standard input:10  ") && !some.contains("input:11  ") && some.contains("and 20 more"),
        "{some}"
    );
    assert!(all.contains("standard input:30  ") && !all.contains("more"), "{all}");
}

#[test]
fn the_pace_is_that_of_the_main_job_from_its_configuration_too() {
    let seconds = |args: &[&str], config: &str| {
        let list = (0..100).map(|n| format!("http://a.test/{n}\n")).collect::<Vec<_>>().concat();
        let run = scrape(["plan", "-", "--latency", "1"]).args(args).stdin(list).file("scrape.toml", config).run();
        let plan: Value = serde_json::from_str(&run.succeeds().stdout).unwrap();
        (plan["seconds"].as_f64().unwrap(), plan["bound"].as_str().unwrap().to_owned())
    };
    assert_eq!(seconds(&["--per-host", "10"], ""), (10.0, "host".into()));
    assert_eq!(seconds(&["-c", "5"], ""), (20.0, "concurrency".into()));
    assert_eq!(seconds(&[], "rate = \"30/m\"\n"), (199.0, "rate".into()));
    assert_eq!(seconds(&["--limit", "10"], "per-host = 1\n"), (10.0, "host".into()));
}

#[test]
fn a_source_that_cannot_be_read_is_an_error() {
    let run = scrape(["plan", "missing.txt"]).run().exits(5);
    assert!(run.stderr.contains("missing.txt: no such file"), "{run:#?}");
    assert_eq!(run.stdout, "");
}

#[test]
fn an_empty_list_is_told() {
    let run = scrape(["plan", "-"]).stdin("# nothing\n").run().exits(0);
    assert!(run.stderr.contains("there is no URL in the input"), "{run:#?}");
    assert_eq!(serde_json::from_str::<Value>(&run.stdout).unwrap()["urls"], 0);
}

#[test]
fn what_an_archive_has_is_not_asked_for() {
    let site = Site::start(|hit| Answer::title(&hit.path));
    let script = format!("\"$scrape\" -o a.warc.gz {} && \"$scrape\" plan a.warc.gz", site.url("/1"));
    let run = crate::support::scrape::Scrape::in_shell(&script).run().succeeds();
    let plan: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!((&plan["archived"], &plan["urls"], &plan["seconds"]), (&json!(1), &json!(0), &json!(0.0)));
}
