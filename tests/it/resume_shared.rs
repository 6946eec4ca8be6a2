//! Outputs that a run may not have: another one writes to them, or the state does not know what is in them.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::support::scrape::{Run, Scrape, parse};
use crate::support::{Answer, Gate, Site};

/// Each kind of output with records, and the file that stands for it.
const OUTPUTS: [(&str, &str); 12] = [
    ("-o out.jsonl", "out.jsonl"),
    ("-o out.csv", "out.csv"),
    ("-o out.tsv", "out.tsv"),
    ("-o out.jsonl.gz", "out.jsonl.gz"),
    ("-o a.warc.gz", "a.warc.gz"),
    ("-o b.warc", "b.warc"),
    ("-o pages.db", "pages.db"),
    ("-o pages.parquet", "pages.parquet"),
    ("-o report.html", "report.html"),
    ("--save saved", "saved/manifest.jsonl"),
    ("--graph links.dot", "links.dot"),
    ("--graph links.jsonl.gz", "links.jsonl.gz"),
];

/// A folder in which the program runs again and again.
struct Desk(TempDir);

impl Desk {
    fn new(site: &Site, pages: usize) -> Self {
        let desk = Self(tempfile::tempdir().unwrap());
        let list: String = (0..pages).map(|n| site.url(&format!("/{n}\n"))).collect();
        fs::write(desk.path("urls.txt"), list).unwrap();
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn scrape(&self, args: &str) -> Scrape {
        Scrape::in_shell(&format!("cd '{}' && exec \"$scrape\" urls.txt {args}", self.0.path().display()))
    }

    fn run(&self, args: &str) -> Run {
        self.scrape(args).run()
    }

    fn urls(&self, name: &str) -> Vec<String> {
        let lines = parse(&fs::read_to_string(self.path(name)).unwrap());
        lines.iter().map(|line| line["url"].as_str().unwrap().to_owned()).collect()
    }

    /// All files by name, with what is in them.
    fn files(&self) -> BTreeSet<(PathBuf, Vec<u8>)> {
        let mut files = BTreeSet::new();
        gather(self.0.path(), &mut files);
        files
    }
}

fn gather(folder: &Path, files: &mut BTreeSet<(PathBuf, Vec<u8>)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            gather(&path, files);
        } else {
            let bytes = fs::read(&path).unwrap();
            files.insert((path, bytes));
        }
    }
}

fn held_site(gate: &Gate) -> Site {
    let held = gate.clone();
    Site::start(move |hit| match hit.path.as_str() {
        "/0" => Answer::title("first"),
        _ => Answer::title(&hit.path).behind(&held),
    })
}

fn is_refused(desk: &Desk, args: &str) {
    let run = desk.run(args).exits(75);
    assert!(run.stderr.contains("another run is writing to it"), "{args}: {run:?}");
    assert!(run.stderr.contains("wait for its end"), "{args}: {run:?}");
}

#[test]
fn two_runs_with_different_states_do_not_write_to_one_output() {
    for (output, _) in OUTPUTS {
        let gate = Gate::shut();
        let site = held_site(&gate);
        let desk = Desk::new(&site, 2);
        let first = desk.scrape(&format!("{output} --state s1.db --resume")).spawn();
        site.wait_for(2);
        is_refused(&desk, &format!("{output} --state s2.db --resume"));
        is_refused(&desk, &format!("{output} --state s2.db"));
        is_refused(&desk, &format!("-o other.jsonl {output} --state s2.db"));
        assert_eq!(site.count(), 2, "{output}");
        gate.open();
        first.finish().succeeds();
        desk.run(&format!("{output} --state s1.db --resume")).succeeds();
        assert_eq!(site.count(), 2, "{output}: all was done");
    }
}

#[test]
fn a_run_with_a_state_and_one_without_do_not_go_on_with_one_file() {
    let kinds = ["--state s.db --resume", "--state s.db", "--resume"];
    for (first, second) in [(kinds[0], kinds[2]), (kinds[1], kinds[2]), (kinds[2], kinds[0]), (kinds[2], kinds[1])] {
        let gate = Gate::shut();
        let site = held_site(&gate);
        let desk = Desk::new(&site, 2);
        let first = desk.scrape(&format!("-o out.jsonl {first}")).spawn();
        site.wait_for(2);
        is_refused(&desk, &format!("-o out.jsonl {second}"));
        gate.open();
        first.finish().succeeds();
        assert_eq!(desk.urls("out.jsonl").len(), 2);
    }
}

#[test]
fn a_file_that_was_replaced_is_written_by_one_run_too() {
    let gate = Gate::shut();
    let held = gate.clone();
    let site = Site::start(move |hit| match (hit.path.as_str(), hit.nth) {
        ("/0", 0) => Answer::status(404),
        ("/0", _) => Answer::title("there").behind(&held),
        _ => Answer::title(&hit.path),
    });
    let desk = Desk::new(&site, 2);
    let args = "-o out.jsonl -o a.warc.gz --save saved --state s1.db";
    desk.run(&format!("{args} -c 1")).exits(1);
    let first = desk.scrape(&format!("{args} --resume --retry-failed")).spawn();
    site.wait_for(3);
    for output in ["-o out.jsonl", "-o a.warc.gz", "--save saved"] {
        is_refused(&desk, &format!("{output} --state s2.db"));
    }
    is_refused(&desk, "-o out.jsonl --resume");
    gate.open();
    first.finish().succeeds();
    assert_eq!(desk.urls("out.jsonl").len(), 2);
}

#[test]
fn runs_with_a_state_that_are_unattended_do_not_wait_for_themselves() {
    let site = Site::start(|hit| Answer::title(&hit.path));
    let desk = Desk::new(&site, 2);
    for _ in 0..2 {
        desk.run("-o out.jsonl -o pages.db --save saved --state s.db --resume --cron").succeeds();
    }
    assert_eq!((site.count(), desk.urls("out.jsonl").len()), (2, 2));
}

#[test]
fn what_a_state_knows_nothing_of_is_not_lost_where_a_run_is_to_be_gone_on_with() {
    let site = Site::start(|hit| Answer::title(&hit.path));
    for (output, name) in OUTPUTS {
        let desk = Desk::new(&site, 2);
        desk.run(output).succeeds();
        // A state that knows of other runs, and of another output.
        desk.run("--state used.db --changed -o other.jsonl").succeeds();
        let (before, hits) = (desk.files(), site.count());
        for options in ["--state s.db", "--state s.db --changed", "--state used.db --changed"] {
            let state = options.split(' ').nth(1).unwrap();
            let words = format!("{name} has records, and the state {state} knows nothing of them");
            for output in [output.to_owned(), format!("-o other.jsonl {output}")] {
                if state == "s.db" && output.contains("other.jsonl") {
                    continue;
                }
                let run = desk.run(&format!("{output} {options} --resume")).refused_over(&words);
                assert!(run.stderr.contains("move it away to begin anew, or leave --resume out"), "{run:?}");
                assert!(desk.files() == before, "{output} {options}: something was touched");
            }
        }
        assert_eq!(site.count(), hits);
        desk.run(&format!("{output} --state s.db")).succeeds();
        desk.run(&format!("{output} --state s.db --resume")).succeeds();
        assert_eq!(site.count(), hits + 2, "{output}: without --resume it is begun anew");
        fs::remove_file(desk.path("s.db")).unwrap();
        desk.run(&format!("{output} --state s.db --resume")).refused_over("has records, and the state s.db");
    }
}

#[test]
fn an_output_that_is_empty_or_of_the_run_before_is_begun_anew() {
    let site = Site::start(|hit| Answer::title(&hit.path));
    let desk = Desk::new(&site, 2);
    fs::write(desk.path("out.jsonl"), "").unwrap();
    let args = "-o out.jsonl --state s.db --changed --resume";
    desk.run(args).succeeds();
    assert_eq!(desk.urls("out.jsonl").len(), 2);
    desk.run(args).succeeds();
    assert_eq!(desk.urls("out.jsonl").len(), 0, "the run was whole, and nothing has changed since");
}

#[test]
fn a_run_that_is_refused_leaves_no_new_output_behind() {
    let site = Site::start(|hit| Answer::title(&hit.path));
    let desk = Desk::new(&site, 2);
    let args = "-o out.jsonl --state s.db";
    desk.run(args).succeeds();
    let before = desk.files();
    for (output, _) in OUTPUTS.iter().filter(|(_, name)| *name != "out.jsonl") {
        desk.run(&format!("{args} --resume {output}")).refused_over("did not write to");
        assert!(desk.files() == before, "{output}: something is left");
    }
    desk.run(&format!("{args} --state urls.txt --save new -o new.warc")).refused_over("is a source, too");
    assert!(desk.files() == before && !desk.path("new").exists(), "something is left");
    fs::write(desk.path("empty.jsonl"), "").unwrap();
    desk.run(&format!("{args} --resume -o empty.jsonl")).refused_over("did not write to");
    assert!(desk.path("empty.jsonl").exists(), "it was there before");
}

#[test]
fn a_run_that_is_refused_as_another_one_is_busy_leaves_no_new_output_behind() {
    let gate = Gate::shut();
    let site = held_site(&gate);
    let desk = Desk::new(&site, 2);
    let first = desk.scrape("-o busy.jsonl -o busy.warc --state s1.db").spawn();
    site.wait_for(2);
    let names = || desk.files().into_iter().map(|(name, _)| name).collect::<BTreeSet<_>>();
    let before = names();
    let others = OUTPUTS.map(|(output, _)| output).join(" ");
    for busy in ["-o busy.jsonl", "-o busy.warc", "--state s1.db"] {
        for outputs in [format!("{busy} {others}"), format!("{others} {busy}")] {
            let state = if busy.contains("--state") { "" } else { "--state s2.db" };
            for resume in ["", "--resume"] {
                desk.run(&format!("{outputs} {state} {resume}")).exits(75);
                assert_eq!(names(), before, "{outputs} {resume}");
                assert!(!desk.path("saved").exists(), "{outputs} {resume}");
            }
        }
    }
    gate.open();
    first.finish().succeeds();
    assert_eq!(desk.urls("busy.jsonl").len(), 2);
}

#[test]
fn a_folder_that_was_moved_is_not_gone_on_with_and_the_words_tell_where_it_was() {
    let site = Site::start(|hit| Answer::title(&hit.path));
    let desk = Desk::new(&site, 2);
    fs::create_dir(desk.path("old")).unwrap();
    desk.run("-o old/out.jsonl -o old/report.html --state old/s.db").succeeds();
    fs::rename(desk.path("old"), desk.path("new")).unwrap();
    let before = desk.files();
    let args = "--state new/s.db --resume -o new/out.jsonl -o new/report.html";
    let folder = fs::canonicalize(desk.path("")).unwrap();
    let words = format!("did not write to {0}/new/out.jsonl, but to {0}/old/out.jsonl", folder.display());
    let run = desk.run(args).refused_over(&words);
    assert!(run.stderr.contains("have it where it was"), "{run:?}");
    assert!(desk.files() == before, "something was touched");
    fs::rename(desk.path("new"), desk.path("old")).unwrap();
    desk.run(&args.replace("new/", "old/")).succeeds();
    assert_eq!(site.count(), 2);
}
