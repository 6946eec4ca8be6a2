//! The exit status tells cron's owner what to do.

use crate::support::site::closed_port;
use crate::support::{Answer, Run, Site, scrape};

/// A site whose page `/STATUS...` answers with that status.
fn site() -> Site {
    Site::start(|hit| Answer::title("page").with_status(hit.path[1..4].parse().unwrap()))
}

fn run(site: &Site, args: &[&str], paths: &[&str]) -> Run {
    let list = paths.iter().map(|path| site.url(path) + "\n").collect::<String>();
    scrape(["-f", "jsonl", "--retry", "0"]).args(args).stdin(list).run()
}

#[test]
fn all_fetched_is_0() {
    assert_eq!(run(&site(), &[], &["/200", "/204"]).succeeds().records().len(), 2);
}

#[test]
fn some_failed_is_1() {
    run(&site(), &[], &["/200", "/404"]).exits(1);
}

#[test]
fn all_failed_is_4() {
    run(&site(), &[], &["/404", "/500"]).exits(4);
    scrape(["--retry", "0", &format!("http://127.0.0.1:{}/", closed_port())]).run().exits(4);
}

#[test]
fn an_empty_list_is_0_with_a_warning() {
    for list in ["", "# nothing but a comment\n\n"] {
        let run = scrape(["-f", "jsonl"]).stdin(list).run().exits(0);
        assert!(run.stderr.starts_with("scrape: "), "{run:?}");
        assert_eq!(run.stdout, "");
    }
}

#[test]
fn a_usage_error_is_2_and_writes_to_standard_error_alone() {
    for args in [
        ["--nonsense", "x"],
        ["-c", "0"],
        ["-c", "many"],
        ["--fail-on", "sometimes"],
        ["--rate", "fast"],
        ["--per-host", "-1"],
    ] {
        let run = scrape(args).args(["http://127.0.0.1:1/"]).run().exits(2);
        assert!(run.stdout.is_empty() && !run.stderr.is_empty(), "{run:?}");
    }
}

#[test]
fn an_unreadable_source_is_5_whatever_else_fails() {
    scrape(["http://", "nowhere.txt"]).run().exits(5);
}

#[test]
fn the_policy_decides_what_a_failure_is() {
    let site = site();
    let mixed = ["/200", "/200/2", "/404", "/404/2"];
    let cases = [("any", 1), ("all", 0), ("none", 0), ("1", 1), ("2", 1), ("3", 0), ("40%", 1), ("60%", 0)];
    for (policy, code) in cases {
        let run = run(&site, &["--fail-on", policy], &mixed);
        assert_eq!(run.code, Some(code), "--fail-on {policy}");
    }
    run(&site, &["--fail-on", "all"], &["/404", "/500"]).exits(4);
    run(&site, &["--fail-on", "none"], &["/404", "/500"]).exits(0);
    run(&site, &["--fail-on", "3"], &["/404", "/500"]).exits(0);
}

#[test]
fn help_and_version_are_for_standard_output() {
    let help = scrape(["--help"]).run().succeeds().stdout;
    for option in
        ["--concurrency", "--per-host", "--max-time", "--extract", "--select", "--format", "--output", "--fail-on"]
    {
        assert!(help.contains(option), "{option}");
    }
    assert!(scrape(["-h"]).run().succeeds().stdout.len() <= help.len());
    assert_eq!(scrape(["--version"]).run().succeeds().stdout, concat!("scrape ", env!("CARGO_PKG_VERSION"), "\n"));
}

#[test]
fn a_closed_pipe_is_no_failure_of_the_help_either() {
    let run = crate::support::scrape::Scrape::in_shell("{ \"$scrape\" --help; echo $? >&2; } | head -n 1").run();
    assert_eq!(run.stderr, "0\n");
    assert_eq!(run.stdout.lines().count(), 1);
}

#[test]
fn completions_and_the_man_page_are_printed() {
    for shell in ["bash", "zsh", "fish"] {
        assert!(scrape(["completions", shell]).run().succeeds().stdout.contains("per-host"), "{shell}");
    }
    scrape(["completions", "cmd"]).run().exits(2);
    assert!(scrape(["man"]).run().succeeds().stdout.contains(".TH"));
}

#[test]
fn a_place_that_cannot_be_written_to_is_told_before_anything_is_fetched() {
    let site = Site::start(|hit| Answer::title(&hit.path));
    // Nobody can make a file there, root neither; where there is no such folder, there is nothing to make it in.
    let folder = "/sys/kernel";
    let cases = [
        ("-o", "out.jsonl"),
        ("-o", "out.parquet"),
        ("-o", "out.warc.gz"),
        ("-o", "out.warc"),
        ("-o", "out.db"),
        ("-o", "report.html"),
        ("--save", "pages"),
        ("--state", "s.db"),
        ("--summary", "summary.json"),
        ("--failed-to", "failed.jsonl"),
        ("--metrics", "run.prom"),
        ("--cookie-jar", "jar"),
        ("--cache", "cache"),
    ];
    for (option, name) in cases {
        let path = format!("{folder}/{name}");
        for more in [&[][..], &["--cron", "-o", "out.csv"]] {
            let run = scrape([&*site.url("/"), option, &path]).args(more).run().exits(5);
            assert!(run.stderr.contains(&path), "{option}: {run:?}");
            assert_eq!(run.stdout, "", "{option}");
        }
    }
    assert_eq!(site.count(), 0);
}
