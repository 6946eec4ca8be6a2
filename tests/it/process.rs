//! What the machine denies: disks that are full, streams that are closed, files that may not be opened.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use rustix::process::Signal;

use crate::support::scrape::{Scrape, parse};
use crate::support::{Answer, Gate, Site, scrape};

fn list(site: &Site, pages: usize) -> String {
    (0..pages).map(|n| site.url(&format!("/{n}\n"))).collect()
}

fn make_fifo(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

#[test]
fn a_disk_that_gets_full_leaves_whole_lines() {
    let site = Site::start(|hit| Answer::title(&hit.path.repeat(400)));
    let runs = [("-o out.jsonl", "out.jsonl"), ("> out.jsonl", "standard output"), (">> out.jsonl", "standard output")];
    for (output, name) in runs {
        // In blocks of 512 bytes, or, as some shells count, of 1,024.
        let script = format!("ulimit -f 60; exec \"$scrape\" -f jsonl {output}");
        let run = Scrape::in_shell(&script).stdin(list(&site, 200)).run().exits(5);
        assert!(run.stderr.contains(&format!("cannot write {name}: File too large")), "{run:?}");
        let records = parse(&run.file("out.jsonl"));
        assert!((1..200).contains(&records.len()), "{} records", records.len());
    }
}

#[test]
fn a_full_disk_under_one_output_leaves_the_others_whole() {
    let site = Site::start(|hit| Answer::title(&hit.path));
    let outputs = ["-f", "jsonl", "-o", "/dev/full", "-o", "out.jsonl", "-o", "out.csv", "--summary", "summary.json"];
    let run = scrape(outputs).stdin(list(&site, 50)).run().exits(5);
    assert!(run.stderr.contains("/dev/full") && run.stderr.lines().count() == 1, "{run:?}");
    parse(&run.file("out.jsonl"));
    assert!(run.file("out.csv").ends_with('\n'));
}

#[test]
fn a_full_disk_is_told_of_the_last_record_and_of_the_summary_too() {
    let site = Site::start(|hit| Answer::title(&hit.path));
    for format in ["table", "tsv", "jsonl", "csv"] {
        let run = scrape(["-f", format, "-o", "/dev/full", &site.url("/")]).run().exits(5);
        assert!(run.stderr.contains("cannot write /dev/full: No space left"), "{run:?}");
    }
    let run = scrape(["-f", "jsonl", "--summary", "/dev/full", &site.url("/")]).run().exits(5);
    assert!(run.stderr.contains("--summary"), "{run:?}");
    assert!(run.record()["error"].is_null(), "the record is there all the same");
}

#[test]
fn a_full_disk_is_told_of_help_too() {
    for command in ["--help", "--version", "help", "schema", "man", "completions bash"] {
        let run = Scrape::in_shell(&format!("\"$scrape\" {command} > /dev/full")).run().exits(5);
        assert!(run.stderr.contains("No space left"), "{run:?}");
    }
}

#[test]
fn closed_standard_streams_are_empty_or_forget_what_they_are_told() {
    let site = Site::start(|hit| Answer::title(&hit.path));
    let url = site.url("/");
    let run = |script: &str| Scrape::in_shell(&format!("url={url}; {script}")).run();
    assert_eq!(parse(&run("\"$scrape\" $url -o - -o out.jsonl >&-").succeeds().file("out.jsonl")).len(), 1);
    assert_eq!(run("\"$scrape\" -f jsonl $url <&-").succeeds().records().len(), 1);
    assert!(run("\"$scrape\" <&-").exits(0).stderr.contains("no URL"));
    assert_eq!(run("\"$scrape\" -f jsonl -vv --progress log $url 2>&-").succeeds().records().len(), 1);
    run("\"$scrape\" nowhere.txt 2>&-").exits(5);
    run("\"$scrape\" --nonsense 2>&-").exits(2);
    assert_eq!(parse(&run("\"$scrape\" $url -o out.jsonl <&- >&- 2>&-").succeeds().file("out.jsonl")).len(), 1);
}

#[test]
fn two_outputs_may_be_one_pipe_in_which_lines_stay_whole() {
    let site = Site::start(|hit| Answer::title(&hit.path));
    let run = scrape(["-f", "jsonl", "-o", "-", "-o", "/dev/stdout"]).stdin(list(&site, 100)).run().succeeds();
    assert_eq!(run.records().len(), 200);
}

#[test]
fn an_environment_with_nothing_in_it_is_nothing_to_talk_about() {
    let site = Site::start(|hit| Answer::title(&hit.path));
    let script = format!("exec env -i \"$scrape\" {} -o out.jsonl", site.url("/"));
    assert_eq!(parse(&Scrape::in_shell(&script).run().succeeds().file("out.jsonl")).len(), 1);
}

#[test]
fn too_few_files_are_an_error_that_names_the_limit_before_anything_is_fetched() {
    let site = Site::start(|hit| Answer::title(&hit.path));
    for limit in [5, 8, 11, 14] {
        let script = format!("ulimit -n {limit}; exec \"$scrape\" -q {}", site.url("/"));
        let run = Scrape::in_shell(&script).run().exits(5);
        assert!(run.stderr.contains("ulimit -n") || run.stderr.contains("Too many open files"), "{limit}: {run:?}");
    }
    assert!(site.hits().is_empty());
}

#[test]
fn a_run_gets_by_with_20_files_lookups_included() {
    let site = Site::start(|hit| Answer::title(&hit.path));
    let names = (0..20).map(|n| site.url_of("localhost", &format!("/name{n}\n"))).collect::<String>();
    let script = "ulimit -n 20; exec \"$scrape\" -q -4 -f jsonl";
    let run = Scrape::in_shell(script).stdin(list(&site, 20) + &names).run().succeeds();
    assert_eq!(run.records().len(), 40);
    assert!(run.records().iter().all(|record| record["attempts"] == 1), "{}", run.stdout);
}

#[test]
fn many_outputs_leave_connections_to_work_with() {
    let site = Site::with_hosts(9, |hit| Answer::title(&hit.path));
    let output = |n| format!(" -o {n}.jsonl");
    let outputs: String = (0..30).map(output).collect();
    let urls: String = (1..=9)
        .flat_map(|host| (0..5).map(move |n| (host, n)))
        .fold(String::new(), |list, (host, n)| list + &site.url_at(host, &format!("/{n}\n")));
    let script = format!("ulimit -n 64; exec \"$scrape\" -q {outputs}");
    let run = Scrape::in_shell(&script).stdin(urls).run().succeeds();
    let records = parse(&run.file("29.jsonl"));
    assert_eq!(records.len(), 45);
    assert!(records.iter().all(|record| record["attempts"] == 1));
}

/// Takes all files from a running program, names what is fetched then, gives them back when it has told of their want,
/// and expects all of it as if nothing had been.
#[test]
fn when_files_run_out_jobs_wait_for_them_uncounted() {
    let site = Site::with_hosts(2, |hit| Answer::title(&hit.path));
    let program = Scrape::in_shell("exec \"$scrape\" -4 -v -f jsonl 2>told");
    let told = program.path("told");
    make_fifo(&told);
    let mut run = program.spawn();
    let mut told = BufReader::new(File::open(told).unwrap()).lines();
    run.write(&list(&site, 1));
    run.line();
    let before = run.limit_files(Some(3));
    let urls = [site.url_at(2, "/address"), site.url_of("localhost", "/name")];
    for url in &urls {
        run.write(&format!("{url}\n"));
        let is_told = |line: &String| line.contains(url) && line.contains("too many open files");
        assert!(told.by_ref().map(Result::unwrap).any(|line| is_told(&line)), "{url}");
    }
    run.limit_files(before);
    std::thread::spawn(move || told.for_each(drop));
    let records = run.finish().exits(0).records();
    assert_eq!(records.len(), 2);
    for record in records {
        assert!(record["error"].is_null() && record["attempts"] == 1, "{record}");
    }
}

#[test]
fn a_signal_that_tells_of_a_closed_pipe_ends_nothing() {
    let gate = Gate::shut();
    let held = gate.clone();
    let site = Site::start(move |hit| Answer::title(&hit.path).behind(&held));
    let mut run = scrape(["-f", "jsonl"]).spawn();
    run.write(&list(&site, 3));
    site.wait_for(3);
    run.signal(Signal::PIPE);
    gate.open();
    assert_eq!(run.finish().succeeds().records().len(), 3);
}

#[test]
fn an_interrupt_at_any_moment_leaves_whole_lines_and_loses_nothing_that_was_fetched() {
    const PAGES: usize = 400;
    let site = Site::start(|hit| Answer::title(&hit.path));
    let mut seen = 0;
    for hits in [1, 2, 3, 5, 8, 13, 50, 120, 250, 399, 400] {
        let outputs = ["-o", "out.csv", "-o", "out.jsonl", "--summary", "summary.json"];
        let mut run = scrape(outputs).args(["-c", "4", "--retry", "0"]).spawn();
        run.write(&list(&site, PAGES));
        site.wait_for(seen + hits);
        run.signal(Signal::INT);
        let run = run.finish();
        let asked = site.hits().len() - seen;
        seen += asked;
        let records = parse(&run.file("out.jsonl"));
        assert!(run.code == Some(130) || (run.code == Some(0) && asked == PAGES), "{run:?}");
        assert_eq!(records.len(), asked, "after {hits}");
        assert!(records.iter().all(|record| record["error"].is_null()), "after {hits}");
        let csv = run.file("out.csv");
        assert!(csv.ends_with('\n') && csv.lines().count() == 1 + asked, "after {hits}: {csv}");
        let summary: serde_json::Value = serde_json::from_str(&run.file("summary.json")).unwrap();
        assert_eq!(summary["targets"], asked, "after {hits}");
    }
}

#[test]
fn an_interrupt_ends_a_list_without_an_end() {
    let site = Site::start(|hit| Answer::title(&hit.path));
    // All but the first are duplicates: nothing comes of them, and they never stop coming.
    let mut run = scrape(["-f", "jsonl"]).spawn();
    run.write_on_and_on(list(&site, 1).repeat(1000));
    run.line();
    run.signal(Signal::INT);
    assert!(run.ends_within(Duration::from_secs(20)), "still there");
    run.finish().exits(130);
}

#[test]
fn an_interrupt_ends_the_wait_for_the_reader_of_a_summary() {
    let site = Site::start(|hit| Answer::title(&hit.path));
    let program = scrape(["-f", "jsonl", "--summary", "summary", &site.url("/")]);
    let path = program.path("summary");
    make_fifo(&path);
    let mut reader = File::options().read(true).write(true).open(path).unwrap();
    // All that a pipe holds: the summary has to wait.
    reader.write_all(&vec![b' '; 64 << 10]).unwrap();
    let mut run = program.spawn();
    run.line();
    crate::signals::interrupt_until_gone(&mut run);
    run.finish().exits(130);
}
