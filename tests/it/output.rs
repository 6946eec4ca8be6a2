//! What is written, where, and in which form.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::scrape::{Scrape, parse};
use crate::support::site::closed_port;
use crate::support::{Answer, Gate, Run, Site, scrape};

const KEYS: [&str; 20] = [
    "v",
    "url",
    "source",
    "final_url",
    "status",
    "content_type",
    "charset",
    "length",
    "bytes",
    "title",
    "elapsed_ms",
    "attempts",
    "redirects",
    "depth",
    "referrer",
    "links_found",
    "fetched_at",
    "input",
    "error",
    "fields",
];

/// A title as an attacker would write it: a tab, a newline, a backslash, an escape sequence, a bidi override, quotes.
const HOSTILE: &str = "a&#9;b\u{1b}[31m\\red\u{202e}\"q\", &#x9b;31m";

fn site() -> Site {
    Site::start(|hit| match &*hit.path {
        "/moved" => Answer::redirect(301, "/here"),
        "/gone" => Answer::title("Gone").with_status(410),
        "/cut" => Answer::html("whole").cut_after(2),
        "/nothing" => Answer::nothing(),
        "/binary" => Answer::typed("image/png", &b"\x89PNG"[..]),
        "/hostile" => Answer::html(format!("<title>{HOSTILE}</title><h1>x</h1><pre>one\n two\t\\</pre>")),
        path => Answer::title(path),
    })
}

/// Runs over a list in which everything occurs that a record can tell of.
fn everything(site: &Site, args: &[&str]) -> Run {
    let list =
        ["/", "/moved", "/gone", "/cut", "/nothing", "/binary", "/hostile"].map(|path| site.url(path)).join("\n");
    let list = format!("{list}\nhttp://127.0.0.1:{}/\nhttp://\n", closed_port());
    scrape(["--retry", "0", "-x", "h1", "-s", "pre=pre"]).args(args).stdin(list).run().exits(1)
}

#[test]
fn a_record_has_all_its_keys_in_their_order_whatever_happened() {
    let run = everything(&site(), &["-f", "jsonl"]);
    assert_eq!(run.records().len(), 9);
    for line in run.stdout.lines() {
        let record: Value = serde_json::from_str(line).unwrap();
        assert_eq!(record.as_object().unwrap().len(), KEYS.len(), "{line}");
        assert_eq!(record["v"], 1);
        let positions =
            KEYS.map(|key| line.find(&format!("\"{key}\":")).unwrap_or_else(|| panic!("no {key} in {line}")));
        assert!(positions.is_sorted(), "{line}");
    }
}

#[test]
fn every_record_is_as_the_schema_says() {
    let schema: Value = serde_json::from_str(&scrape(["schema"]).run().succeeds().stdout).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    for record in everything(&site(), &["-f", "jsonl"]).records() {
        let errors: Vec<_> = validator.iter_errors(&record).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{errors:?}: {record}");
    }
    assert!(!validator.is_valid(&json!({"v": 1})), "the schema asks for every key");
    let keys: Vec<_> = schema["required"].as_array().unwrap().iter().map(|key| key.as_str().unwrap()).collect();
    assert!(KEYS.iter().all(|key| keys.contains(key)), "{keys:?}");
}

#[test]
fn a_record_tells_the_facts() {
    let site = site();
    let record = everything(&site, &["-f", "jsonl"]).record_of("/moved");
    let page = "<!doctype html><title>/here</title>";
    assert_eq!(record["final_url"], site.url("/here"));
    assert_eq!(record["redirects"], json!([{"status": 301, "url": site.url("/moved")}]));
    assert_eq!(record["source"], json!({"file": "-", "line": 2}));
    assert_eq!((&record["bytes"], &record["length"]), (&json!(page.len()), &json!(page.len())));
    assert_eq!((&record["charset"], &record["content_type"]), (&json!("utf-8"), &json!("text/html; charset=utf-8")));
    assert_eq!(record["input"], Value::Null);
    let fetched_at: jiff::Timestamp = record["fetched_at"].as_str().unwrap().parse().unwrap();
    assert!(jiff::Timestamp::now().duration_since(fetched_at).as_secs() < 60);
}

#[test]
fn a_pipe_gets_tsv_without_a_header() {
    let site = site();
    let run = everything(&site, &[]);
    let lines: Vec<Vec<_>> = run.stdout.lines().map(|line| line.split('\t').collect()).collect();
    assert_eq!(lines.len(), 9);
    assert!(lines.iter().all(|cells| cells.len() == 8), "{}", run.stdout);
    let of = |path: &str| lines.iter().find(|cells| cells[0] == site.url(path)).unwrap();
    let page = of("/");
    assert_eq!((page[1], page[2], page[3], page[5]), ("200", "31", "/", ""));
    assert!(page[4].parse::<u64>().is_ok());
    assert!(of("/gone")[5].starts_with("status: "));
    assert_eq!((of("/nothing")[1], of("/nothing")[3]), ("", ""));
    assert!(of("/nothing")[5].starts_with("reset: "));
}

#[test]
fn tsv_escapes_tabs_newlines_backslashes_and_control_characters() {
    let site = site();
    let run = everything(&site, &["-f", "tsv"]);
    let line = run.stdout.lines().find(|line| line.starts_with(&site.url("/hostile"))).unwrap();
    let cells: Vec<_> = line.split('\t').collect();
    assert!(cells[3].contains("\\\\red") && !cells[3].contains("\\\\\\"), "{line:?}");
    assert!(!cells[3].contains(char::is_control), "{line:?}");
    assert!(cells[6..] == ["x", "one two \\\\"] || cells[6..] == ["x", "one\\n two\\t\\\\"], "{line:?}");
}

#[test]
fn csv_has_a_header_of_the_keys_and_then_the_fields() {
    let site = site();
    let run = everything(&site, &["-f", "csv"]);
    let mut reader = csv::Reader::from_reader(run.stdout.as_bytes());
    let header: Vec<_> = reader.headers().unwrap().iter().map(String::from).collect();
    assert_eq!(header, [&KEYS[..19], &["h1", "pre"]].concat());
    let rows: Vec<_> = reader.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 9);
    let hostile = rows.iter().find(|row| row[1] == site.url("/hostile")).unwrap();
    assert!(hostile[9].contains("\"q\","), "{hostile:?}");
    assert_eq!(&hostile[19], "x");
}

#[test]
fn a_table_is_neutralised_in_a_pipe_too() {
    let run = everything(&site(), &["-f", "table"]);
    let bad = |c: char| (c.is_control() && c != '\n') || ('\u{202a}'..='\u{202e}').contains(&c);
    assert!(!run.stdout.contains(bad), "{:?}", run.stdout);
    assert!(run.stdout.contains("Gone") && run.stdout.contains("410"), "{}", run.stdout);
}

#[test]
fn a_format_that_does_not_exist_is_refused_with_those_that_do() {
    let run = scrape(["-f", "yaml", "http://127.0.0.1:1/"]).run().refused_over("jsonl");
    assert!(["table", "tsv", "csv"].iter().all(|format| run.stderr.contains(format)), "{run:?}");
}

#[test]
fn several_files_are_written_from_one_run_each_in_the_format_of_its_name() {
    let site = site();
    let run = everything(&site, &["-o", "out.jsonl", "-o", "out.csv", "--output", "out.tsv"]);
    assert_eq!(run.stdout, "");
    assert_eq!(parse(&run.file("out.jsonl")).len(), 9);
    assert_eq!(csv::Reader::from_reader(run.file("out.csv").as_bytes()).records().count(), 9);
    assert_eq!(run.file("out.tsv").lines().count(), 9);
    assert_eq!(site.hits().len(), 8, "every page is fetched once");
}

#[test]
fn a_file_is_compressed_where_its_name_says_so() {
    let run = everything(&site(), &["-o", "out.jsonl.gz", "-o", "out.csv.zst", "-o", "out.jsonl"]);
    let file = |name| std::fs::File::open(run.path(name)).unwrap();
    let jsonl = std::io::read_to_string(flate2::read::GzDecoder::new(file("out.jsonl.gz"))).unwrap();
    assert_eq!(jsonl, run.file("out.jsonl"));
    let csv = std::io::read_to_string(zstd::Decoder::new(file("out.csv.zst")).unwrap()).unwrap();
    assert_eq!(csv::Reader::from_reader(csv.as_bytes()).records().count(), 9);
    let run = scrape(["-o", "out.gz", "http://127.0.0.1/"]).run().exits(2);
    assert!(run.stderr.contains("out.gz: its name does not tell the format"), "{run:?}");
}

#[test]
fn a_dash_keeps_standard_output_beside_a_file() {
    let run = everything(&site(), &["-o", "out.csv", "-o", "-", "-f", "jsonl"]);
    assert_eq!(run.records().len(), 9);
    assert!(!run.file("out.csv").is_empty());
}

#[test]
fn an_output_that_cannot_be_written_is_told_before_the_first_fetch() {
    let site = site();
    let run = scrape(["-o", "nowhere/out.jsonl", &site.url("/")]).run().exits(5);
    assert!(run.stderr.starts_with("scrape: ") && run.stderr.contains("nowhere/out.jsonl"), "{run:?}");
    assert!(site.hits().is_empty());
}

#[test]
fn a_full_disk_is_an_error() {
    let site = site();
    let list: String = (0..300).map(|n| site.url(&format!("/{n}\n"))).collect();
    let run = scrape(["-f", "jsonl", "-o", "/dev/full"]).stdin(list.clone()).run().exits(5);
    assert!(run.stderr.contains("/dev/full"), "{run:?}");
    let run = Scrape::in_shell("exec \"$scrape\" -f jsonl > /dev/full").stdin(list).run().exits(5);
    assert!(run.stderr.starts_with("scrape: "), "{run:?}");
}

/// A list that is long enough for a reader to go away in its middle.
fn long_list(site: &Site) -> String {
    (0..1000).map(|n| site.url(&format!("/{n}\n"))).collect()
}

#[test]
fn a_reader_of_a_file_that_goes_away_is_an_error() {
    let site = site();
    let script = "mkfifo out.jsonl; head -n 1 out.jsonl >first & \"$scrape\" -o out.jsonl; echo $?; wait";
    let run = Scrape::in_shell(script).stdin(long_list(&site)).run();
    assert_eq!(run.stdout, "5\n", "{run:?}");
    assert!(run.stderr.contains("out.jsonl"), "{run:?}");
    assert_eq!(parse(&run.file("first")).len(), 1);
}

#[test]
fn a_reader_of_standard_output_that_goes_away_leaves_the_files_complete() {
    let site = site();
    let script = "{ \"$scrape\" -f jsonl -o - -o out.jsonl --summary s.json; echo $? >&2; } | head -n 1";
    let run = Scrape::in_shell(script).stdin(long_list(&site)).run();
    assert_eq!((&*run.stderr, run.records().len()), ("0\n", 1));
    assert_eq!(parse(&run.file("out.jsonl")).len(), 1000);
    let summary: Value = serde_json::from_str(&run.file("s.json")).unwrap();
    assert_eq!((&summary["targets"], &summary["fetched"]), (&json!(1000), &json!(1000)));
}

#[test]
fn a_reader_that_goes_away_gets_a_summary_nevertheless() {
    let site = site();
    let script = "{ \"$scrape\" -f jsonl --summary s.json; echo $? >&2; } | head -n 1";
    let run = Scrape::in_shell(script).stdin(long_list(&site)).run();
    assert_eq!((&*run.stderr, run.records().len()), ("0\n", 1));
    let summary: Value = serde_json::from_str(&run.file("s.json")).unwrap();
    assert!(summary["targets"].as_u64().unwrap() >= 1, "{summary}");
}

#[test]
fn an_output_that_is_also_a_source_is_refused_and_left_as_it_is() {
    let site = site();
    let line = json!({"url": site.url("/")}).to_string() + "\n";
    for output in ["list.jsonl", "./list.jsonl", "folder/../list.jsonl", "link.jsonl"] {
        let program = scrape(["list.jsonl", "-o", output]).file("list.jsonl", &line).file("folder/x", "");
        std::os::unix::fs::symlink("list.jsonl", program.path("link.jsonl")).unwrap();
        let run = program.run().refused_over(output);
        assert_eq!(run.file("list.jsonl"), line, "{output}");
    }
    assert!(site.hits().is_empty());
}

#[test]
fn a_list_that_is_also_standard_output_is_refused_and_left_as_it_is() {
    let site = site();
    // The limit: what is not refused would never end.
    let run = Scrape::in_shell("exec \"$scrape\" --limit 5 urls.txt >> urls.txt").file("urls.txt", site.url("/\n"));
    let run = run.run().exits(2);
    assert!(run.stderr.starts_with("scrape: "), "{run:?}");
    assert_eq!(run.file("urls.txt"), site.url("/\n"));
    assert!(site.hits().is_empty());
}

#[test]
fn what_is_refused_touches_no_file() {
    let site = site();
    for (options, name, code) in [
        ("-o old.jsonl -o ./old.jsonl", "old.jsonl", 2),
        ("-o old.jsonl --summary old.jsonl", "old.jsonl", 2),
        ("-o old.jsonl --summary ./old.jsonl", "old.jsonl", 2),
        ("-o old.jsonl --summary -", "old.jsonl", 2),
        ("-o old.csv -o /nonexistent/x.csv", "old.csv", 5),
        ("-o old.csv --summary /nonexistent/x", "old.csv", 5),
    ] {
        let run = scrape(options.split(' ')).args([site.url("/")]).file(name, "precious").run().exits(code);
        assert_eq!((&*run.file(name), &*run.stdout), ("precious", ""), "{options}");
    }
    assert!(site.hits().is_empty());
}

#[test]
fn two_outputs_that_are_one_file_are_refused() {
    scrape(["-o", "out.jsonl", "-o", "./out.jsonl", "http://127.0.0.1:1/"]).run().refused_over("out.jsonl");
}

#[test]
fn a_record_is_written_as_soon_as_its_page_is_there() {
    for format in ["jsonl", "tsv"] {
        let gate = Gate::shut();
        let held = gate.clone();
        let site = Site::start(move |hit| match &*hit.path {
            "/slow" => Answer::title("slow").behind(&held),
            path => Answer::title(path),
        });
        let mut run = scrape(["-f", format, &site.url("/slow"), &site.url("/fast")]).spawn();
        assert!(run.line().contains("/fast"));
        gate.open();
        assert!(run.line().contains("/slow"));
        run.finish().succeeds();
    }
}

#[test]
fn the_order_of_the_input_can_be_kept() {
    let site = Site::start(|hit| {
        let n: u64 = hit.path[1..].parse().unwrap();
        Answer::title(&hit.path).after(Duration::from_millis(if n.is_multiple_of(8) { 60 } else { 0 }))
    });
    let urls: Vec<_> = (0..40).map(|n| site.url(&format!("/{n}"))).collect();
    let list = urls.join("\n") + "\nhttp://\n" + &site.url("/40");
    let run = scrape(["--ordered", "-f", "jsonl"]).stdin(list).run().exits(1);
    let lines: Vec<_> = run.records().iter().map(|record| record["source"]["line"].as_u64().unwrap()).collect();
    assert_eq!(lines, (1..=42).collect::<Vec<_>>());
}

#[test]
fn standard_error_is_silent_in_a_pipe_when_all_is_fine() {
    let site = site();
    for format in ["table", "tsv", "jsonl", "csv"] {
        let run = scrape(["-f", format, &site.url("/")]).run().succeeds();
        assert!(!run.stdout.is_empty());
    }
}

#[test]
fn the_summary_is_json_that_tells_what_came_of_the_run() {
    let run = everything(&site(), &["--summary", "summary.json"]);
    let text = run.file("summary.json");
    let summary: Value = serde_json::from_str(&text).unwrap();
    assert!(summary.is_object());
    for word in ["\"200\"", "\"410\"", "invalid_url", "connect", "truncated", "reset"] {
        assert!(text.contains(word), "{word} in {text}");
    }
}

#[test]
fn a_record_is_one_line_however_long_it_is() {
    let site = Site::start(|_| Answer::html(format!("<title>t</title><pre>{}</pre>", "line\n".repeat(100_000))));
    let list: String = (0..10).map(|n| site.url(&format!("/{n}\n"))).collect();
    let run = scrape(["-s", "pre=pre", "-f", "jsonl"]).stdin(list).run().succeeds();
    assert_eq!(run.records().len(), 10);
}

#[test]
fn a_formula_in_a_title_is_made_a_text_for_spreadsheets_on_demand() {
    let site = Site::start(|_| Answer::html("<title>=cmd|' /C calc'!A0</title><b>-5</b><i>+1+1</i>"));
    let args = ["-s", "b=b", "-s", "i=i", "-o", "out.csv", "-o", "out.tsv", "-o", "out.jsonl", &site.url("/")];
    let run = scrape(args).args(["--csv-safe"]).run().succeeds();
    assert!(run.file("out.csv").contains(",'=cmd|' /C calc'!A0,"), "{run:?}");
    assert!(run.file("out.csv").ends_with(",-5,'+1+1\n"), "numbers are numbers");
    assert!(run.file("out.tsv").ends_with("\t-5\t'+1+1\n"));
    assert_eq!(parse(&run.file("out.jsonl"))[0]["title"], "=cmd|' /C calc'!A0");
    let run = scrape(args).run().succeeds();
    assert!(run.file("out.csv").contains(",=cmd|' /C calc'!A0,"), "cells are exact otherwise");
}
