//! Runs that nobody watches: one at a time, silent unless something has changed.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::process::Command;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::Value;
use tempfile::TempDir;

use crate::support::scrape::{Running, Scrape, parse};
use crate::support::site::PATIENCE;
use crate::support::{Answer, Gate, Hit, Run, Site, scrape};

/// The program in a folder that outlives it, in the environment that cron gives, or less: it has no HOME and no TERM.
fn from_cron(folder: &TempDir, args: &[&str]) -> Scrape {
    let script = format!("cd '{}' && exec env -i \"$scrape\" {}", folder.path().display(), args.join(" "));
    Scrape::in_shell(&script)
}

fn folder(urls: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("urls.txt"), urls).unwrap();
    folder
}

fn note(folder: &TempDir, name: &str) -> Value {
    serde_json::from_str(&fs::read_to_string(folder.path().join(name)).unwrap()).unwrap()
}

const ARGS: [&str; 6] = ["urls.txt", "-o", "out.jsonl", "--cron", "--retry", "0"];

/// A site whose answers' status is what `urls` name, or what the number of the request says.
fn site() -> Site {
    Site::start(|hit| match hit.path.trim_matches('/').split('-').nth(hit.nth).and_then(|status| status.parse().ok()) {
        Some(200) | None => Answer::title("fine"),
        Some(status) => Answer::status(status),
    })
}

#[test]
fn nothing_is_said_while_the_exit_status_stays_the_same() {
    let site = site();
    let folder = folder(&format!("{}\n{}\n", site.url("/200-404-404-200-200-404"), site.url("/")));
    let told: Vec<_> = (0..6).map(|_| from_cron(&folder, &ARGS).run()).map(|run| (run.code, run.stderr)).collect();
    let codes: Vec<_> = told.iter().map(|(code, _)| code.unwrap()).collect();
    assert_eq!(codes, [0, 1, 1, 0, 0, 1]);
    let report = "scrape: some URLs failed (exit status 1); last time the exit status was 0\n\
                  scrape: 1 of 2 failed: status ×1\n";
    let recovery = "scrape: all is well again (exit status 0); last time the exit status was 1\n";
    let said: Vec<_> = told.iter().map(|(_, said)| said.as_str()).collect();
    assert_eq!(said, ["", report, "", recovery, "", report]);
    assert_eq!(note(&folder, "out.jsonl.cron"), serde_json::json!({"pid": null, "exit_status": 1}));
}

#[test]
fn a_first_run_that_fails_says_so() {
    let site = site();
    let folder = folder(&site.url("/500"));
    let run = from_cron(&folder, &ARGS).run().exits(4);
    assert!(run.stderr.starts_with("scrape: nothing could be fetched (exit status 4)\n"), "{run:?}");
}

#[test]
fn what_breaks_the_program_is_said_once_too() {
    let folder = folder("");
    let run = || from_cron(&folder, &["none.txt", "-o", "out.jsonl", "--cron"]).run().exits(5);
    let first = run();
    assert!(first.stderr.contains("exit status 5") && first.stderr.contains("none.txt"), "{first:?}");
    assert_eq!(run().stderr, "");
}

#[test]
fn what_was_asked_for_is_said_in_any_case() {
    let site = site();
    let folder = folder(&site.url("/"));
    let run = from_cron(&folder, &[&ARGS[..], &["-v"]].concat()).run().exits(0);
    assert!(run.stderr.contains("1 of 1 fetched"), "{run:?}");
}

#[test]
fn nothing_is_drawn_on_a_terminal() {
    let site = site();
    let shown = scrape([&site.url("/"), "-o", "out.jsonl", "--cron"]).run_in_terminal();
    assert_eq!(shown, "");
}

/// Starts a run that cannot end before the gate is open.
fn held(folder: &TempDir, site: &Site, args: &[&str]) -> Running {
    let before = site.count();
    let run = from_cron(folder, args).spawn();
    site.wait_for(before + 1);
    run
}

fn held_site(gate: &Gate) -> Site {
    let held = gate.clone();
    Site::start(move |hit: &Hit| Answer::title(&hit.path).behind(&held))
}

fn refuse(run: Run, pid: &str) {
    let run = run.exits(75);
    assert!(run.stderr.contains(&format!("process {pid}")) && run.stderr.contains("out.jsonl"), "{run:?}");
}

#[test]
fn a_second_run_for_an_output_says_who_has_it_and_touches_nothing() {
    let gate = Gate::shut();
    let site = held_site(&gate);
    let folder = folder(&site.url("/1"));
    let first = held(&folder, &site, &ARGS);
    let pid = first.pid().as_raw_pid().to_string();
    let other = folder.path().join("other.csv");
    fs::write(&other, "what was there\n").unwrap();
    refuse(from_cron(&folder, &ARGS).run(), &pid);
    refuse(from_cron(&folder, &["urls.txt", "-o", "other.csv", "-o", "out.jsonl", "--cron", "-q"]).run(), &pid);
    refuse(from_cron(&folder, &["urls.txt", "-o", "out.jsonl", "--cron", "--resume"]).run(), &pid);
    assert_eq!(fs::read_to_string(other).unwrap(), "what was there\n");
    assert_eq!(site.count(), 1);
    gate.open();
    first.finish().succeeds();
    from_cron(&folder, &ARGS).run().succeeds();
}

#[test]
fn the_lock_dies_with_its_process() {
    let gate = Gate::shut();
    let site = held_site(&gate);
    let folder = folder(&site.url("/1"));
    let mut first = held(&folder, &site, &ARGS);
    first.signal(Signal::KILL);
    assert!(first.ends_within(PATIENCE));
    gate.open();
    from_cron(&folder, &ARGS).run().succeeds();
    from_cron(&folder, &[&ARGS[..], &["--resume"]].concat()).run().succeeds();
}

#[test]
fn a_state_or_a_folder_is_enough_and_is_used_once_at_a_time() {
    for (args, name) in [(&["--state", "s.db"][..], "s.db"), (&["--save", "new/pages/"], "new/pages/manifest.jsonl")] {
        let gate = Gate::shut();
        let site = held_site(&gate);
        let folder = folder(&site.url("/1"));
        let args = [&["urls.txt", "--cron"], args].concat();
        let first = held(&folder, &site, &args);
        let second = from_cron(&folder, &args).run().exits(75);
        let holder = format!("another run (process {}) is writing to {name}", first.pid().as_raw_pid());
        assert!(second.stderr.contains(&holder), "{second:?}");
        // Whatever else it has.
        from_cron(&folder, &[&args[..], &["-o", "other.jsonl"]].concat()).run().exits(75);
        assert_eq!(site.count(), 1);
        gate.open();
        let first = first.finish().succeeds();
        assert_eq!(first.stdout.lines().count(), 1, "standard output has the records as ever");
        assert_eq!(note(&folder, &format!("{name}.cron")), serde_json::json!({"pid": null, "exit_status": 0}));
        from_cron(&folder, &args).run().succeeds();
    }
}

#[test]
fn runs_for_different_outputs_do_not_wait_for_each_other() {
    let gate = Gate::shut();
    let site = held_site(&gate);
    let folder = folder(&site.url("/1"));
    let first = held(&folder, &site, &ARGS);
    let second = held(&folder, &site, &["urls.txt", "-o", "second.jsonl", "--cron"]);
    gate.open();
    first.finish().succeeds();
    second.finish().succeeds();
}

#[test]
fn a_run_that_a_signal_stopped_is_forgotten() {
    let gate = Gate::shut();
    let site = held_site(&gate);
    let folder = folder(&site.url("/1"));
    let first = held(&folder, &site, &ARGS);
    first.signal(Signal::TERM);
    gate.open();
    first.finish().exits(143);
    from_cron(&folder, &ARGS).run().succeeds();
}

#[test]
fn a_run_that_stops_at_its_deadline_is_gone_on_with_by_the_next_one() {
    let gate = Gate::shut();
    let site = held_site(&gate);
    let folder = folder(&format!("{}\n{}\n", site.url("/1"), site.url("/2")));
    let args = [&ARGS[..], &["--resume", "--deadline", "1ms", "-c", "1"]].concat();
    from_cron(&folder, &args).run().exits(75);
    gate.open();
    let run = from_cron(&folder, &args[..7]).run().exits(0);
    assert!(run.stderr.contains("last time the exit status was 75"), "{run:?}");
    assert_eq!(parse(&fs::read_to_string(folder.path().join("out.jsonl")).unwrap()).len(), 2);
}

#[test]
fn a_file_that_says_nonsense_is_as_good_as_none() {
    let site = site();
    let folder = folder(&site.url("/"));
    fs::write(folder.path().join("out.jsonl.cron"), "{\"exit_status\": ").unwrap();
    from_cron(&folder, &ARGS).run().succeeds();
    assert_eq!(note(&folder, "out.jsonl.cron")["exit_status"], 0);
}

#[test]
fn without_a_file_there_is_nothing_to_lock() {
    let run = scrape(["http://127.0.0.1:9/", "--cron"]).run().refused_over("--cron needs an output");
    assert!(run.stderr.contains("hint: "), "{run:?}");
    scrape(["http://127.0.0.1:9/", "--cron", "-o", "-"]).run().refused_over("--cron needs an output");
    scrape(["http://127.0.0.1:9/", "--cron", "-o", "none/out.jsonl"]).run().exits(5);
}

#[test]
fn a_signal_ends_the_wait_before_the_start_and_nothing_is_touched() {
    let site = site();
    let program = Scrape::in_shell("exec \"$scrape\" \"$@\" 2>told").args(["sh", &site.url("/"), "-v"]);
    let program = program.args(["--jitter", "8760h", "-o", "out.jsonl"]).file("out.jsonl", "what was there\n");
    let (told, out) = (program.path("told"), program.path("out.jsonl"));
    assert!(Command::new("mkfifo").arg(&told).status().unwrap().success());
    let mut run = program.spawn();
    let mut told = BufReader::new(File::open(told).unwrap());
    let mut words = String::new();
    told.read_line(&mut words).unwrap();
    assert!(words.contains("starts in "), "{words}");
    assert!(!run.ends_within(Duration::ZERO), "it waits");
    run.signal(Signal::TERM);
    assert!(run.ends_within(PATIENCE));
    assert_eq!(fs::read_to_string(out).unwrap(), "what was there\n");
    assert!(site.hits().is_empty());
}

#[test]
fn a_short_wait_comes_to_its_end() {
    let site = site();
    scrape([&site.url("/"), "--jitter", "1ms"]).run().succeeds();
    scrape([&site.url("/"), "--jitter", "0"]).run().succeeds();
    scrape([&site.url("/"), "--jitter", "soon"]).run().refused_over("--jitter");
    assert_eq!(site.count(), 2);
}
