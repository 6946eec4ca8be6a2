//! Parquet files: what is in them, and when there is one.

use std::fs::File;
use std::path::Path;

use parquet::errors::Result;
use parquet::file::reader::{FileReader, SerializedFileReader};
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::support::scrape::{Scrape, parse};
use crate::support::{Answer, Gate, Site, scrape};

const PAGE: &str = "<html lang=en><title>Lamps</title><p class=price>12.50<ul><li>red<li>blue</ul>\
    <script type=application/ld+json>{\"name\": \"Lamp\"}</script><a href=/next rel=nofollow>Next</a>";

fn site() -> Site {
    Site::start(|hit| match &*hit.path {
        "/missing" => Answer::title("Missing").with_status(404),
        "/moved" => Answer::redirect(301, "/page"),
        _ => Answer::html(PAGE),
    })
}

/// The rows of a file, each as JSON.
fn rows(path: &Path) -> Result<Vec<Value>> {
    let file = SerializedFileReader::new(File::open(path)?)?;
    let rows = file.get_row_iter(None)?;
    rows.map(|row| Ok(row?.to_json_value())).collect()
}

#[test]
fn a_file_says_what_json_lines_say_with_the_types_of_the_fields() {
    let site = site();
    let list = ["/page", "/moved", "/missing"].map(|path| site.url(path)).join("\n") + "\nhttp://\n";
    let fields = ["-x", "lang,links,jsonld", "-s", "price=.price | number", "-s", "items[]=li", "-s", "any=$.a"];
    let run = scrape(["--ordered", "-o", "out.parquet", "-o", "out.jsonl"]).args(fields).stdin(list).run().exits(1);
    let mut records = parse(&run.file("out.jsonl"));
    let mut rows = rows(&run.path("out.parquet")).unwrap();
    assert_eq!(rows.len(), 4);
    for (row, record) in rows.iter_mut().zip(&mut records) {
        let fields = record["fields"].take();
        record.as_object_mut().unwrap().remove("fields");
        record.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        let [at, time] = [row["fetched_at"].take(), record["fetched_at"].take()];
        let [at, time] = [at, time].map(|time| time.as_str().map(|time| time[..10].to_owned() + &time[11..23]));
        assert_eq!(at, time);
        // What has no type of its own is JSON.
        if let Some(items) = row["jsonld"].as_array_mut() {
            for item in items {
                *item = serde_json::from_str(item.as_str().unwrap()).unwrap();
            }
        }
        // A key that is not always there is null.
        if let Some(error) = row["error"].as_object_mut() {
            error.retain(|_, value| !value.is_null());
        }
        assert_eq!(row, record);
    }
    assert_eq!((&rows[0]["price"], &rows[0]["items"]), (&json!(12.5), &json!(["red", "blue"])));
    assert_eq!(rows[1]["redirects"], json!([{"status": 301, "url": site.url("/moved")}]));
    assert_eq!(rows[2]["error"]["kind"], "status");
}

#[test]
fn a_pipe_takes_it_and_a_terminal_does_not() {
    let site = site();
    let url = site.url("/page");
    let run = Scrape::in_shell(&format!("\"$scrape\" -f parquet -o - {url} | cat > out.parquet")).run().succeeds();
    assert_eq!(rows(&run.path("out.parquet")).unwrap()[0]["title"], "Lamps");

    let shown = scrape(["-f", "parquet", "-o", "-", &url]).run_in_terminal();
    let words = ["parquet is nothing that a terminal can show", "-o pages.parquet"];
    assert!(words.iter().all(|word| shown.contains(word)), "{shown}");
    assert_eq!(site.hits().len(), 1, "nothing was fetched");
}

#[test]
fn it_is_not_compressed_twice() {
    let run = scrape(["-o", "dir/out.parquet.zst", "-"]).run();
    let run = run.refused_over("dir/out.parquet.zst: parquet is compressed already");
    assert!(run.stderr.contains("out.parquet\n"), "{}", run.stderr);
    scrape(["-f", "parquet", "-o", "out.gz", "-"]).run().refused_over("name it out.parquet");
}

#[test]
fn a_file_is_complete_after_ctrl_c_and_nothing_to_read_after_a_kill() {
    for (signal, is_complete) in [(Signal::INT, true), (Signal::KILL, false)] {
        let gate = Gate::shut();
        let held = gate.clone();
        let site = Site::start(move |hit| match &*hit.path {
            "/0" | "/1" => Answer::title(&hit.path),
            _ => Answer::title(&hit.path).behind(&held),
        });
        let list: String = (0..50).map(|n| site.url(&format!("/{n}\n"))).collect();
        let mut run = scrape(["-c", "2", "-o", "out.parquet"]).spawn();
        run.write(&list);
        site.wait_for(4);
        run.signal(signal);
        gate.open();
        let run = run.finish();
        let read = rows(&run.path("out.parquet"));
        if is_complete {
            assert_eq!(run.code, Some(130));
            let rows = read.unwrap();
            assert_eq!(rows.len(), site.hits().len());
            assert!(rows.iter().all(|row| row["error"].is_null()), "{rows:?}");
        } else {
            assert!(read.is_err(), "{read:?}");
        }
    }
}

#[test]
fn a_full_disk_is_an_error_that_names_the_file() {
    let site = site();
    let run = scrape(["-f", "parquet", "-o", "/dev/full", &site.url("/page")]).run().exits(5);
    assert!(run.stderr.contains("cannot write /dev/full: No space left on device"), "{}", run.stderr);
}

#[test]
fn a_reader_that_goes_away_ends_the_run_quietly() {
    let site = site();
    Scrape::in_shell(&format!("\"$scrape\" -f parquet {} | true", site.url("/page"))).run().succeeds();
}

#[test]
fn an_empty_list_is_a_file_without_rows() {
    let run = scrape(["-q", "-o", "out.parquet"]).stdin("").run().succeeds();
    assert_eq!(rows(&run.path("out.parquet")).unwrap(), [Value::Null; 0]);
}
