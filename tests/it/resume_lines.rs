//! Files of lines of runs that are stopped, killed and gone on with by the help of a state: each URL has its record, and one
//! alone.

use std::collections::BTreeSet;
use std::fs;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rustix::process::Signal;

use crate::support::desk::{Desk, list, site_of_days};
use crate::support::scrape::{Scrape, parse};
use crate::support::{Answer, Site};

#[test]
fn an_output_whose_disk_gets_full_is_gone_on_with_and_no_record_is_lost() {
    let (site, _) = site_of_days(|hit, _| Answer::title(&hit.path.repeat(5000)));
    let desk = Desk::new(&site, 300);
    let limited = format!(
        "cd '{}' && ulimit -f 700 && trap '' XFSZ && exec \"$scrape\" urls.txt --state s.db -o out.jsonl",
        desk.folder().display()
    );
    let run = Scrape::in_shell(&limited).run().exits(5);
    assert!(run.stderr.contains("cannot write out.jsonl"), "{run:?}");
    let done = desk.query::<i64>("SELECT count(*) FROM pages WHERE run = 1");
    desk.run("--state s.db --resume -o out.jsonl").exits(0);
    let told = parse(&desk.read("out.jsonl"));
    let urls: BTreeSet<_> = told.iter().filter_map(|record| record["url"].as_str()).collect();
    assert_eq!((urls.len(), told.len()), (300, 300), "after {done} of them");
}

#[test]
fn a_run_that_was_stopped_goes_on_and_only_then_are_its_changes_old() {
    let (site, day) = site_of_days(|hit, day| Answer::title(&format!("{} {day}", hit.path)));
    let desk = Desk::new(&site, 10);
    let args = "--state s.db --changed --resume -o out.jsonl";
    let lines = || parse(&desk.read("out.jsonl")).len();
    let run = |pages: u32| {
        desk.run(&format!("{args} --max-pages {pages}")).succeeds();
        lines()
    };
    assert_eq!([run(4), run(4), run(4)], [4, 8, 10]);
    assert_eq!(site.hits().len(), 10);
    desk.run(args).succeeds();
    assert_eq!((site.hits().len(), lines()), (20, 0), "the run was whole: this is another one");
    day.store(1, Ordering::SeqCst);
    desk.run(args).succeeds();
    assert_eq!(lines(), 10);
}

#[test]
fn what_may_be_gone_in_a_moment_is_tried_again_and_has_one_record() {
    let (site, _) = site_of_days(|hit, _| match (hit.path.as_str(), hit.nth) {
        ("/0", 0) => Answer::status(503),
        ("/1", _) => Answer::status(404),
        _ => Answer::title(&hit.path),
    });
    let desk = Desk::new(&site, 4);
    desk.write("urls.txt", &format!("no url\n{}", list(&site, 4)));
    for _ in 0..3 {
        desk.run("--state s.db --resume --retry 0 -o out.csv -o out.tsv").exits(1);
        assert_eq!(desk.read("out.tsv").lines().count(), 5);
        assert_eq!(desk.read("out.csv").lines().count(), 6);
    }
    let text = desk.read("out.tsv");
    assert!(text.lines().any(|line| line.contains("/0\t200")), "{text}");
    assert_eq!([site.hits_of("/0").len(), site.hits_of("/1").len(), site.hits_of("/2").len()], [2, 1, 1]);
}

/// How many records of a file, whatever its format, tell of an answer that does not count as fetched.
fn failures(text: &str) -> usize {
    text.lines().filter(|line| line.contains("status: ") || line.contains("\"status\",")).count()
}

#[test]
fn final_failures_are_tried_again_where_that_is_wanted_and_have_one_record() {
    let (site, day) = site_of_days(|hit, day| match (hit.path.as_str(), day) {
        ("/0" | "/3" | "/7", 0) | ("/3", _) => Answer::status(404),
        _ => Answer::title(&hit.path),
    });
    let desk = Desk::new(&site, 9);
    desk.write("urls.txt", &format!("no url\n{}", list(&site, 9)));
    let names = ["out.jsonl", "out.csv", "out.tsv", "out.csv.gz", "out.tsv.zst"];
    let args = format!("--state s.db --resume --retry 0 -c 1 -o {}", names.join(" -o "));
    let asked = || (0..9).map(|n| site.hits_of(&format!("/{n}")).len()).collect::<Vec<_>>();
    let once = |failed: usize| {
        for name in names {
            let (text, header) = (desk.unpack(name), usize::from(name.contains(".csv")));
            assert_eq!(text.lines().count(), 10 + header, "{name}: {text}");
            assert_eq!(text.matches("invalid_url").count(), 1, "{name}: {text}");
            assert_eq!(failures(&text), failed, "{name}: {text}");
            for n in 0..9 {
                let url = site.url(&format!("/{n}"));
                let is_of = |line: &&str| line.split(['\t', ',', '"']).any(|cell| cell == url);
                assert_eq!(text.lines().filter(is_of).count(), 1, "{name}: {url}: {text}");
            }
        }
    };
    desk.run(&args).exits(1);
    let before = desk.read("out.tsv");
    day.store(1, Ordering::SeqCst);
    desk.run(&args).exits(1);
    assert_eq!((asked(), desk.read("out.tsv")), (vec![1; 9], before), "only where it is wanted");
    desk.run(&format!("{args} --retry-failed")).exits(1);
    assert_eq!(asked(), [2, 1, 1, 2, 1, 1, 1, 2, 1]);
    once(1);
    assert_eq!(desk.query::<i64>("SELECT failures FROM pages WHERE url LIKE '%/3'"), 1, "it is the same run");
    desk.run(&format!("{args} --retry-failed")).exits(1);
    assert_eq!(asked(), [2, 1, 1, 3, 1, 1, 1, 2, 1]);
    once(1);
    assert!(desk.names().iter().all(|name| !name.ends_with(".resuming")), "{:?}", desk.names());
}

#[test]
fn files_that_a_killed_run_was_about_to_replace_are_replaced_first() {
    let (site, day) = site_of_days(|hit, day| match (hit.path.as_str(), day) {
        ("/1", 0) => Answer::status(404),
        _ => Answer::title(&hit.path),
    });
    let sift = |name: &str, desk: &Desk| {
        let text: String =
            desk.read(name).lines().filter(|line| !line.contains("/1\t")).map(|it| it.to_owned() + "\n").collect();
        desk.write(&format!("{name}.resuming"), &text);
        text.len()
    };
    // Both, one, or none of two files were replaced when it was killed.
    for replaced in 0..3 {
        let desk = Desk::new(&site, 3);
        day.store(0, Ordering::SeqCst);
        let args = "--state s.db --resume --retry 0 -c 1 -o a.tsv -o b.tsv";
        desk.run(args).exits(1);
        let length = ["a.tsv", "b.tsv"].map(|name| sift(name, &desk))[0];
        desk.execute(&format!(
            "UPDATE outputs SET position = {length}, is_sifted = 1; UPDATE pages SET run = 0 WHERE failure IS NOT NULL"
        ));
        for name in &["a.tsv", "b.tsv"][..replaced] {
            fs::rename(desk.folder().join(format!("{name}.resuming")), desk.folder().join(name)).unwrap();
        }
        day.store(1, Ordering::SeqCst);
        desk.run(args).succeeds();
        assert_eq!([desk.read("a.tsv").lines().count(), desk.read("b.tsv").lines().count()], [3, 3]);
        assert_eq!(desk.read("a.tsv").matches("\t200\t").count(), 3, "{}", desk.read("a.tsv"));
        assert_eq!(desk.query::<i64>("SELECT sum(is_sifted) FROM outputs"), 0);
        assert!(desk.names().iter().all(|name| !name.ends_with(".resuming")), "{:?}", desk.names());
    }
    let desk = Desk::new(&site, 3);
    desk.run("--state s.db --resume -o a.tsv").succeeds();
    desk.execute("UPDATE outputs SET position = 7, is_sifted = 1");
    let (run, text) = (desk.run("--state s.db --resume -o a.tsv").exits(5), desk.read("a.tsv"));
    assert!(run.stderr.contains("a.tsv.resuming is not there any more"), "{run:?}");
    assert_eq!(text.lines().count(), 3);
}

#[test]
fn a_file_that_lost_what_is_done_is_refused() {
    let (site, _) = site_of_days(|hit, _| Answer::title(&hit.path));
    let desk = Desk::new(&site, 3);
    desk.run("--state s.db --resume -o out.jsonl").succeeds();
    desk.write("out.jsonl", "");
    desk.run("--state s.db --resume -o out.jsonl").refused_over("it had");
    desk.run("--state s.db --resume -o other.jsonl").refused_over("did not write to");
    desk.run("--state s.db --resume -o out.jsonl -x h1").refused_over("other fields");
    desk.run("--state s.db -o out.jsonl").succeeds();
    assert_eq!(parse(&desk.read("out.jsonl")).len(), 3);
}

/// Kills the program again and again, and goes on.
fn kill_and_resume(names: &[&str], pages: usize, kills: usize, seed: u64) {
    let mut random = fastrand::Rng::with_seed(seed);
    let site = Site::start(|hit| match hit.path.trim_start_matches('/').parse::<usize>() {
        Ok(n) if n % 50 == 1 => Answer::status(404),
        Ok(n) if n % 90 == 2 && hit.nth == 0 => Answer::status(503),
        _ => Answer::title(&hit.path),
    });
    let desk = Desk::new(&site, pages);
    let args = format!("urls.txt --state s.db --resume --retry 0 -o {}", names.join(" -o "));
    let mut killed = 0;
    while killed < kills {
        let (asked, more) = (site.count(), random.usize(..2 * pages / kills));
        let mut run = desk.scrape(&args).spawn();
        while site.count() < asked + more && !run.ends_within(Duration::from_micros(200)) {}
        if run.ends_within(Duration::ZERO) {
            break;
        }
        run.signal(Signal::KILL);
        assert_eq!(run.finish().code, None);
        killed += 1;
        assert_eq!(desk.query::<String>("PRAGMA integrity_check"), "ok", "seed {seed}");
    }
    desk.scrape(&args).run().exits(1);
    desk.scrape(&args).run().exits(0);
    let undisturbed = desk.run("-f tsv").exits(1);
    let essence = |line: &str| line.split('\t').take(4).collect::<Vec<_>>().join("\t");
    let expected: BTreeSet<_> = undisturbed.stdout.lines().map(essence).collect();
    for name in names {
        let text = desk.unpack(name);
        let found: BTreeSet<_> = text.lines().map(essence).collect();
        assert_eq!(
            text.lines().count(),
            pages,
            "{name}: a URL is lost or has two records: seed {seed}, {killed} kills"
        );
        assert!(found == expected, "{name}: seed {seed}, {killed} kills");
    }
    assert_eq!(desk.query::<i64>("SELECT count(*) FROM pages"), i64::try_from(pages).unwrap());
    assert!(killed > kills / 4, "only {killed} kills: seed {seed}");
}

#[test]
fn whenever_it_is_killed_every_file_has_each_record_once_and_the_state_is_sound() {
    kill_and_resume(&["one.tsv", "two.tsv"], 5000, 100, fastrand::u64(..));
}

#[test]
fn a_compressed_file_that_is_killed_has_each_record_once_and_is_whole() {
    kill_and_resume(&["one.tsv.gz", "two.tsv.zst"], 1000, 20, fastrand::u64(..));
}

/// Failures are tried again by runs of which each is killed at some moment, those in which files are replaced among them.
#[test]
fn whenever_a_run_that_tries_failures_again_is_killed_every_file_has_each_record_once() {
    const PAGES: usize = 2000;
    let seed = fastrand::u64(..);
    let mut random = fastrand::Rng::with_seed(seed);
    let site = Site::start(|hit| match hit.path.trim_start_matches('/').parse::<usize>() {
        Ok(n) if n % 7 == 1 && hit.nth < n % 4 => Answer::status(404),
        Ok(n) if n % 200 == 6 => Answer::status(410),
        _ => Answer::title(&hit.path),
    });
    let desk = Desk::new(&site, PAGES);
    let names = ["one.tsv", "two.csv.gz", "three.jsonl.zst"];
    let args = format!("urls.txt --state s.db --resume --fail-on none --retry 0 -o {}", names.join(" -o "));
    desk.scrape(&args).run().exits(0);
    let (mut killed, mut unreplaced) = (0, 0);
    for _ in 0..10 {
        let (asked, more) = (site.count(), random.usize(..60));
        let mut run = desk.scrape(&format!("{args} --retry-failed")).spawn();
        let is_begun = || desk.names().iter().any(|name| name.ends_with(".resuming"));
        let is_early = random.bool();
        let is_time = || site.count() >= asked + more || is_early && is_begun();
        while !is_time() && !run.ends_within(Duration::from_micros(random.u64(1..500))) {}
        if !run.ends_within(Duration::ZERO) {
            run.signal(Signal::KILL);
        }
        killed += usize::from(run.finish().code.is_none());
        unreplaced += usize::from(is_begun());
        assert_eq!(desk.query::<String>("PRAGMA integrity_check"), "ok", "seed {seed}");
        if random.bool() {
            desk.scrape(&args).run().exits(0);
        }
    }
    for _ in 0..3 {
        desk.scrape(&format!("{args} --retry-failed")).run().exits(0);
    }
    let expected: BTreeSet<_> = (0..PAGES).map(|n| site.url(&format!("/{n}"))).collect();
    for name in names {
        let (text, header) = (desk.unpack(name), usize::from(name.contains(".csv")));
        let url = |line: &str| line.split(['\t', ',', '"']).find(|&cell| expected.contains(cell)).map(String::from);
        let found: Vec<_> = text.lines().skip(header).filter_map(url).collect();
        assert_eq!(found.len(), PAGES, "{name}: seed {seed}, {killed} kills");
        assert!(found.into_iter().collect::<BTreeSet<_>>() == expected, "{name}: seed {seed}, {killed} kills");
        assert_eq!(failures(&text), 10, "{name}: seed {seed}, {killed} kills");
    }
    assert!(killed > 2, "only {killed} kills, {unreplaced} of them before the files were replaced: seed {seed}");
}
