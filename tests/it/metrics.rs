//! Figures for Prometheus' `node_exporter`.

#![expect(clippy::float_cmp, reason = "they are whole numbers, or the same ones")]

use std::collections::{BTreeMap, BTreeSet};
use std::time::{SystemTime, UNIX_EPOCH};

use rustix::process::Signal;

use crate::support::scrape::Scrape;
use crate::support::{Answer, Gate, Run, Site, scrape};

/// The samples of a file in the text format 0.0.4, or what is wrong with it. Stricter than Prometheus is: each metric has
/// its HELP and its TYPE, in this order, and all its samples below.
fn parse(text: &str) -> Result<BTreeMap<String, f64>, String> {
    let (mut samples, mut done) = (BTreeMap::new(), BTreeSet::new());
    let (mut name, mut is_typed) = (String::new(), false);
    if !text.ends_with('\n') {
        return Err("the last line has no end".into());
    }
    for line in text.lines() {
        let wrong = |why: &str| Err(format!("{why}: {line}"));
        if let Some(help) = line.strip_prefix("# HELP ") {
            name = help.split_once(' ').ok_or("no help")?.0.into();
            is_typed = false;
            if !done.insert(name.clone()) {
                return wrong("twice");
            }
            if !name.chars().all(|c| c.is_ascii_lowercase() || c == '_') {
                return wrong("no name");
            }
        } else if let Some(typed) = line.strip_prefix("# TYPE ") {
            let kind = typed.strip_prefix(&name).and_then(|rest| rest.strip_prefix(' '));
            if kind != Some(if name.ends_with("_total") { "counter" } else { "gauge" }) {
                return wrong("not its type");
            }
            is_typed = true;
        } else {
            let (series, value) = line.rsplit_once(' ').ok_or("no value")?;
            let labels = series.strip_prefix(&name).and_then(|rest| rest.strip_prefix('{')?.strip_suffix('}'));
            let is_label = |label: &str| label.split_once("=\"").is_some_and(|(_, value)| value.ends_with('"'));
            if !is_typed || !labels.is_some_and(|labels| labels.split(',').all(is_label)) {
                return wrong("no sample of this metric");
            }
            let value = value.parse().map_err(|_| format!("no number: {line}"))?;
            if samples.insert(series.strip_prefix("scrape_").ok_or("no prefix")?.into(), value).is_some() {
                return wrong("twice");
            }
        }
    }
    Ok(samples)
}

#[track_caller]
fn metrics(run: &Run) -> BTreeMap<String, f64> {
    parse(&run.file("shop.prom")).unwrap()
}

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64()
}

#[test]
fn the_parser_of_this_test_is_strict() {
    let good = "# HELP scrape_a_total A.\n# TYPE scrape_a_total counter\nscrape_a_total{list=\"x\"} 1\n";
    assert_eq!(parse(good).unwrap()["a_total{list=\"x\"}"], 1.0);
    for (old, new) in [("counter", "gauge"), ("} 1\n", "} 1"), ("# TYPE", "# type"), ("} 1", "} one"), ("\"}", "}")] {
        assert!(parse(&good.replace(old, new)).is_err(), "{old} -> {new}");
    }
    assert!(parse(&good.repeat(2)).is_err());
}

#[test]
fn the_figures_of_a_run_are_there_for_another_user_to_read() {
    let site =
        Site::start(|hit| if hit.path == "/404" { Answer::status(404) } else { Answer::html("<title>é</title>") });
    let before = now();
    let run = Scrape::in_shell("umask 077; exec \"$scrape\" \"$@\"").args(["sh", "--metrics", "shop.prom"]);
    let run = run.args(["/1", "/2", "/404"].map(|path| site.url(path))).args(["--expect", "length > 100"]).run();
    let metrics = metrics(&run.exits(3));
    let value = |series: &str| metrics.get(series).copied();
    assert_eq!(value("runs_total{list=\"shop\",exit_status=\"3\"}"), Some(1.0));
    assert_eq!(value("urls_total{list=\"shop\",result=\"fetched\"}"), Some(2.0));
    assert_eq!(value("urls_total{list=\"shop\",result=\"failed\"}"), Some(1.0));
    assert_eq!(value("last_run_urls{list=\"shop\",result=\"failed\"}"), Some(1.0));
    assert_eq!(value("pages_total{list=\"shop\",status=\"200\"}"), Some(2.0));
    assert_eq!(value("pages_total{list=\"shop\",status=\"404\"}"), Some(1.0));
    assert_eq!(value("failures_total{list=\"shop\",kind=\"status\"}"), Some(1.0));
    assert_eq!(value("bytes_total{list=\"shop\"}"), Some(34.0));
    assert_eq!(value("records_total{list=\"shop\"}"), Some(2.0));
    assert_eq!(value("broken_expectations_total{list=\"shop\"}"), Some(1.0));
    assert_eq!(value("last_run_exit_status{list=\"shop\"}"), Some(3.0));
    assert_eq!(value("last_success_timestamp_seconds{list=\"shop\"}"), Some(0.0));
    assert!(value("last_run_duration_seconds{list=\"shop\"}").unwrap() > 0.0);
    let ended = value("last_run_timestamp_seconds{list=\"shop\"}").unwrap();
    assert!((before - 0.01..=now() + 0.01).contains(&ended), "{before} {ended}");
}

#[test]
fn counters_grow_from_run_to_run_and_the_last_success_is_remembered() {
    let site = Site::start(|hit| if hit.nth == 1 { Answer::status(500) } else { Answer::title("t") });
    let url = site.url("/");
    let script = "for n in 1 2 3; do \"$scrape\" \"$@\"; cp shop.prom \"$n.prom\"; done; ls -A";
    let run = Scrape::in_shell(script).args(["sh", &url, "--retry", "0", "--metrics", "shop.prom", "-o", "out.jsonl"]);
    let run = run.run().exits(0);
    let of = |n: u8| parse(&run.file(&format!("{n}.prom"))).unwrap();
    let success = |n| of(n)["last_success_timestamp_seconds{list=\"shop\"}"];
    assert!(success(1) > 0.0 && success(1) == success(2) && success(2) < success(3));
    assert_eq!([1, 2, 3].map(|n| of(n)["last_run_exit_status{list=\"shop\"}"]), [0.0, 4.0, 0.0]);
    assert_eq!([1, 2, 3].map(|n| of(n)["pages_total{list=\"shop\",status=\"200\"}"]), [1.0, 1.0, 2.0]);
    assert_eq!([2, 3].map(|n| of(n)["pages_total{list=\"shop\",status=\"500\"}"]), [1.0; 2]);
    assert_eq!(of(3)["runs_total{list=\"shop\",exit_status=\"0\"}"], 2.0);
    assert_eq!(run.stdout, "1.prom\n2.prom\n3.prom\nout.jsonl\nshop.prom\n", "no temporary file is left");
}

#[test]
fn they_are_written_for_all_to_read() {
    let site = Site::start(|_| Answer::title("t"));
    let script = "umask 077; \"$scrape\" \"$@\" && stat -c %a shop.prom";
    let run = Scrape::in_shell(script).args(["sh", &site.url("/"), "--metrics", "shop.prom", "-o", "out.jsonl"]).run();
    assert_eq!(run.succeeds().stdout, "644\n");
}

#[test]
fn a_run_that_breaks_counts_too() {
    let site = Site::start(|_| Answer::title("t"));
    for args in [&["none.txt"][..], &[&site.url("/"), "-f", "tsv", "-o", "/dev/full"]] {
        let run = scrape(args).args(["--metrics", "shop.prom"]).run().exits(5);
        let metrics = metrics(&run);
        assert_eq!(metrics["last_run_exit_status{list=\"shop\"}"], 5.0);
        assert_eq!(metrics["runs_total{list=\"shop\",exit_status=\"5\"}"], 1.0);
        assert!(!metrics.keys().any(|series| series.starts_with("pages_total")), "what is not known is not told");
    }
}

#[test]
fn a_run_that_is_stopped_counts_too() {
    let gate = Gate::shut();
    let held = gate.clone();
    let site = Site::start(move |_| Answer::title("t").behind(&held));
    let run = scrape([&site.url("/"), "--metrics", "shop.prom"]).spawn();
    site.wait_for(1);
    run.signal(Signal::TERM);
    gate.open();
    let metrics = metrics(&run.finish().exits(143));
    assert_eq!(metrics["last_run_exit_status{list=\"shop\"}"], 143.0);
    assert_eq!(metrics["pages_total{list=\"shop\",status=\"200\"}"], 1.0);
}

#[test]
fn a_file_that_nobody_would_read_or_nobody_can_write_is_refused_before_the_first_fetch() {
    let site = Site::start(|_| Answer::title("t"));
    let run = scrape([&site.url("/"), "--metrics", "shop.txt"]).run().refused_over("shop.txt");
    assert!(run.stderr.contains("hint: name it shop.prom"), "{run:?}");
    let run = scrape([&site.url("/"), "--metrics", "none/shop.prom"]).run().exits(5);
    assert!(run.stderr.contains("cannot write none/shop.prom"), "{run:?}");
    let run = scrape([&site.url("/")]).file("scrape.toml", "metrics = \"shop.prom\"").run().refused_over("metrics");
    assert!(run.stderr.contains("scrape.toml"), "{run:?}");
    assert!(site.hits().is_empty());
}
