//! What is said beside the records, and what a terminal is shown.

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

/// What makes a terminal do something, hides text or reorders it.
pub(crate) const HOSTILE: &str = "\u{1b}]0;owned\u{7}\u{9b}31mred\u{202e}lin\u{200b}e\u{2028}\rover\u{8}";

/// Asserts that nothing in `text` is acted on.
#[track_caller]
pub(crate) fn assert_is_shown_only(text: &str) {
    let is_active = |c: char| {
        (c.is_control() && !"\t\r\n".contains(c)) || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}')
    };
    assert!(!text.contains(is_active), "{text:?}");
    // What ends a line on a terminal, and nothing else, has a carriage return.
    assert!(!text.replace("\r\n", "\n").contains('\r'), "{text:?}");
}

#[test]
fn a_terminal_acts_on_nothing_that_a_server_or_a_list_says() {
    let site = Site::start(|hit| match &*hit.path {
        "/redirect" => Answer::redirect(302, "ftp://me:sesame@a\u{202e}\u{9b}.test/"),
        "/coding" => Answer::title("x").header("Content-Encoding", "g\u{9b}\u{202e}zip"),
        "/type" => Answer::typed("text/html;\u{202e}\u{9b}", format!("<title>{HOSTILE}</title>")),
        _ => Answer::html(format!("<title>{HOSTILE}</title><h1>{HOSTILE}</h1>")).header("X-Odd", "\u{9b}\u{202e}"),
    });
    let secret = site.url("/redirect").replace("://", "://me:sesame@");
    let list = format!(
        "{}\n{secret}\n{}\n{}\n{}\nhttp://me:sesame@{HOSTILE}/\n{{\"{HOSTILE}\": 1\n{{\"url\": \"\\u001b]0;\"}}\n",
        site.url("/"),
        site.url("/coding"),
        site.url("/type"),
        site.url("/\u{202e}"),
    );
    for format in ["table", "tsv", "csv", "jsonl"] {
        let args = ["-vv", "-f", format, "-x", "h1,headers", "--retry", "0", "--progress", "none", "li\u{1b}[1mst.txt"];
        let shown = scrape(args).file("li\u{1b}[1mst.txt", &list).env("NO_COLOR", "1").run_in_terminal();
        assert!(shown.contains("owned") && shown.contains("note: "), "{format}: {shown}");
        assert_is_shown_only(&shown);
        assert!(format != "table" || !shown.contains('\u{200b}'), "{shown}");
        assert!(!shown.contains("sesame"), "{format}: {shown}");
    }
}

#[test]
fn a_terminal_acts_on_nothing_that_an_error_quotes() {
    let quoted = "\u{1b}]0;owned\u{7}";
    let config = format!("timeout\u{202e} = 1\n\"{quoted}\" = 1\n");
    for args in [
        &[quoted][..],
        &["-x", quoted],
        &["-s", &format!("a={quoted}[")],
        &["-m", quoted, "x"],
        &[&format!("--{quoted}")],
        &["-o", quoted, "http://127.0.0.1:1/"],
        &["--column", quoted, "list.csv"],
        &["--column", "url", "list.csv"],
        &["schema", "-x", quoted],
        &["completions", quoted],
    ] {
        let list = format!("http://me:sesame@a.test/{quoted},b\n");
        let shown = scrape(args).file("list.csv", list).env("NO_COLOR", "1").run_in_terminal();
        assert!(shown.starts_with("scrape: ") || shown.starts_with("error: "), "{args:?}: {shown:?}");
        assert_is_shown_only(&shown);
        assert!(!shown.contains("sesame"), "{shown}");
    }
    let shown = scrape(["x"]).file("scrape.toml", config).env("NO_COLOR", "1").run_in_terminal();
    assert!(shown.contains("scrape.toml"), "{shown}");
    assert_is_shown_only(&shown);
}

#[test]
fn the_bar_stands_below_rows_that_are_harmless() {
    let site = Site::start(|_| Answer::title(HOSTILE));
    let shown = scrape(["--progress", "bar", &site.url("/")]).env("TERM", "xterm").run_in_terminal();
    assert!(shown.contains("owned") && shown.contains("in flight"), "{shown:?}");
    assert!(!shown.contains("\u{1b}]0;") && !shown.contains(['\u{7}', '\u{9b}', '\u{202e}', '\u{8}']), "{shown:?}");
}

#[test]
fn what_is_said_while_the_bar_is_drawn_holds_up_nothing() {
    let site = Site::start(|hit| if hit.nth == 0 { Answer::status(500) } else { Answer::title("x") });
    let urls = (0..400).map(|n| site.url(&format!("/{n}")));
    let args = ["-v", "-c", "64", "--per-host", "64", "--progress", "bar", "-o", "pages.jsonl"];
    let shown = scrape(args).args(urls).env("TERM", "xterm").run_in_terminal();
    assert!(shown.contains("will try again") && shown.contains("400 of 400 fetched"), "{shown:?}");
}

#[test]
fn a_terminal_is_told_how_long_answers_took_in_characters_that_it_has() {
    let site = site();
    let urls = ["/1", "/2"].map(|path| site.url(path));
    let took = |shown: String| shown.lines().find(|line| line.starts_with("  took ")).map(String::from);
    let plain = took(scrape(&urls).run_in_terminal()).expect("the line");
    assert!(plain.is_ascii() && plain.contains('#') && plain.contains("  p50 ") && plain.contains("  max "), "{plain}");
    let drawn = took(scrape(&urls).env("LANG", "en_US.UTF-8").run_in_terminal()).expect("the line");
    assert!(drawn.contains('▇') && !drawn.contains('#'), "{drawn}");
    assert_eq!(took(scrape(&urls[..1]).run_in_terminal()), None, "one answer is no distribution");
    let run = scrape(&urls).args(["-v"]).run().exits(0);
    assert!(took(run.stderr).is_some_and(|line| line.is_ascii()));
}
