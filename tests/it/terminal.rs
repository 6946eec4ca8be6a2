//! What is said beside the records; what needs no terminal of it.

use crate::support::{Answer, Site, scrape};

fn site() -> Site {
    Site::start(|hit| match &*hit.path {
        "/missing" => Answer::title("Missing").with_status(404),
        path => Answer::title(path),
    })
}

#[test]
fn a_pipe_sees_no_escape_sequences_and_no_progress() {
    let site = site();
    for args in
        [&["-f", "table"][..], &["-f", "tsv"], &["-f", "jsonl"], &["--progress", "auto"], &["--progress", "none"]]
    {
        let run = scrape(args).args([site.url("/"), site.url("/missing")]).run().exits(1);
        assert!(!run.stdout.contains('\u{1b}') && !run.stderr.contains('\u{1b}'), "{run:?}");
        assert_eq!(run.stderr, "scrape: 1 of 2 failed: status ×1\n", "{args:?}");
    }
}

#[test]
fn the_progress_never_reaches_standard_output() {
    let site = site();
    let silent = scrape(["-f", "tsv", "--progress", "none", &site.url("/")]).run().succeeds();
    for progress in ["bar", "log"] {
        let run = scrape(["-f", "tsv", "--progress", progress, &site.url("/")]).run().exits(0);
        let cells = |text: &str| text.split('\t').take(4).map(String::from).collect::<Vec<_>>();
        assert_eq!((run.stdout.lines().count(), cells(&run.stdout)), (1, cells(&silent.stdout)), "{progress}");
    }
    scrape(["--progress", "loud", &site.url("/")]).run().refused_over("auto");
}

#[test]
fn verbosity_goes_to_standard_error_and_changes_no_record() {
    let site = site();
    let run = scrape(["-vv", "-f", "jsonl", &site.url("/")]).run().exits(0);
    assert_eq!(run.record()["title"], "/");
    assert!(!run.stderr.is_empty() && !run.stderr.contains('\u{1b}'), "{run:?}");
}

#[test]
fn quiet_hides_warnings_and_no_errors() {
    assert!(!scrape(["-f", "jsonl"]).stdin("").run().exits(0).stderr.is_empty());
    assert_eq!(scrape(["-q", "-f", "jsonl"]).stdin("").run().exits(0).stderr, "");
    assert!(!scrape(["-q", "nowhere.txt"]).run().exits(5).stderr.is_empty());
}

#[test]
fn errors_name_the_program_and_are_short() {
    let run = scrape(["nowhere.txt"]).run().exits(5);
    assert!(run.stderr.starts_with("scrape: "), "{run:?}");
    assert!(run.stderr.lines().count() <= 3, "{run:?}");
}

#[test]
fn the_name_of_a_hostile_source_is_neutralised() {
    let run = scrape(["no\u{1b}[31mwhere.txt"]).run().exits(5);
    assert!(!run.stderr.contains('\u{1b}'), "{run:?}");
}
