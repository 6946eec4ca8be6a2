//! Bodies whose content coding is damaged, cut short, a lie or a trap.

use serde_json::{Value, json};

use crate::support::coding::{brotli, deflate, gzip, gzip_bomb, raw_deflate, zstd};
use crate::support::{Answer, Site, fetch, scrape};

const PAGE: &str = "<!doctype html><title>Saluton</title><p>mondo";

/// The record of a page that comes in these content codings.
fn encoded(coding: &str, body: impl Into<Vec<u8>>) -> Value {
    record_of(Answer::html(body).header("Content-Encoding", coding), &[])
}

fn record_of(answer: Answer, args: &[&str]) -> Value {
    let site = Site::start(move |_| answer.clone());
    fetch(args.iter().copied().chain([&*site.url("/")]))
}

fn kind_of(record: &Value) -> &str {
    record["error"]["kind"].as_str().unwrap_or("none")
}

fn codings() -> [(&'static str, Vec<u8>); 7] {
    let page = PAGE.repeat(20);
    let page = page.as_bytes();
    [
        ("gzip", gzip(page)),
        ("x-gzip", gzip(page)),
        ("br", brotli(page)),
        ("zstd", zstd(page)),
        ("deflate", deflate(page)),
        ("deflate", raw_deflate(page)),
        ("deflate, gzip", gzip(&deflate(page))),
    ]
}

#[test]
fn a_coded_body_that_was_cut_short_is_truncated_though_its_length_is_right() {
    for (coding, body) in codings() {
        // What is so short that it may be text is taken for that, where the coding has no mark.
        let shortest = if coding.contains("gzip") || coding == "zstd" { 1 } else { 16 };
        for cut in [shortest, body.len() / 2, body.len() - 1] {
            let record = encoded(coding, &body[..cut]);
            assert_eq!(kind_of(&record), "truncated", "{coding} cut at {cut}: {record}");
            assert_eq!((&record["status"], &record["title"]), (&json!(200), &Value::Null), "{coding} cut at {cut}");
        }
    }
}

#[test]
fn a_damaged_checksum_is_a_decode_failure() {
    for coding in ["gzip", "deflate"] {
        let mut body = if coding == "gzip" { gzip(PAGE.as_bytes()) } else { deflate(PAGE.as_bytes()) };
        // The checksum ends four bytes before the end of a gzip stream, and at that of a zlib stream.
        let last = body.len() - if coding == "gzip" { 5 } else { 1 };
        body[last] ^= 1;
        let record = encoded(coding, body);
        assert_eq!(kind_of(&record), "decode", "{coding}: {record}");
    }
    let mut body = gzip(PAGE.as_bytes());
    *body.last_mut().unwrap() ^= 1;
    assert_eq!(kind_of(&encoded("gzip", body)), "decode", "the length of a gzip stream");
}

#[test]
fn text_that_claims_to_be_coded_is_read_as_it_is() {
    let with_bom = format!("\u{feff}{PAGE}");
    for coding in ["gzip", "x-gzip", "GZIP", "br", "zstd", "deflate", "gzip, br", "gzip, gzip"] {
        for page in [PAGE, &with_bom] {
            let record = encoded(coding, page);
            assert_eq!((kind_of(&record), &record["title"]), ("none", &json!("Saluton")), "{coding}: {record}");
        }
    }
}

#[test]
fn codings_may_be_named_in_any_case_and_in_several_fields() {
    let page = PAGE.as_bytes();
    for (coding, body) in [("GZip", gzip(page)), ("BR", brotli(page)), ("ZSTD", zstd(page)), ("X-GZIP", gzip(page))] {
        assert_eq!(encoded(coding, body)["title"], "Saluton", "{coding}");
    }
    let answer = Answer::html(brotli(&gzip(page))).header("Content-Encoding", "gzip").header("Content-Encoding", "br");
    assert_eq!(record_of(answer, &[])["title"], "Saluton");
}

#[test]
fn an_unknown_coding_is_a_failure_that_names_it() {
    for coding in ["compress", "aes128gcm", "gzip, sdch", "\u{e9}"] {
        let record = encoded(coding, PAGE);
        assert_eq!(kind_of(&record), "decode", "{coding}: {record}");
        let unknown = coding.rsplit(' ').next().unwrap();
        assert!(record["error"]["message"].as_str().unwrap().contains(unknown), "{coding}: {record}");
    }
    let tower = "gzip,".repeat(1000);
    assert_eq!(kind_of(&encoded(&tower, gzip(PAGE.as_bytes()))), "decode");
}

#[test]
fn what_has_no_body_needs_no_coding() {
    let answer = Answer::html("").header("Content-Encoding", "compress");
    assert_eq!(kind_of(&record_of(answer.clone(), &["-I"])), "none");
    assert_eq!(kind_of(&record_of(answer.with_status(204), &[])), "none");
}

#[test]
fn a_bomb_stops_at_the_cap_and_memory_stays_flat() {
    let gigabyte = gzip_bomb(16 << 20).repeat(64);
    let nested = gzip(&gigabyte);
    // The zeros are what follows the end of the page's stream.
    let garbage = [gzip(&gzip(PAGE.as_bytes())), gigabyte.clone()].concat();
    let members = gzip(&gzip(b"").repeat(70_000));
    let bombs = [
        ("1 MB for 1 GB", "gzip", "too_large", gigabyte),
        ("gzip in gzip", "gzip, gzip", "too_large", nested),
        ("what follows a page", "gzip, gzip", "too_large", garbage),
        ("70,000 empty members", "gzip, gzip", "decode", members),
        ("zstd", "zstd", "too_large", zstd(&vec![0; 64 << 20])),
        ("deflate in zstd", "deflate, zstd", "too_large", zstd(&deflate(&vec![0; 16 << 20]))),
    ];
    for (bomb, coding, kind, body) in bombs {
        let site = Site::start(move |_| Answer::html(body.clone()).header("Content-Encoding", coding));
        let mut run = scrape(["-", "-f", "jsonl", "--retry", "0"]).spawn();
        run.write(&site.url("/\n"));
        let record: Value = serde_json::from_str(&run.line()).unwrap();
        let peak = run.peak_memory();
        run.finish().exits(4);
        assert_eq!(kind_of(&record), kind, "{bomb}: {record}");
        assert!(peak < 64 << 20, "{bomb}: {peak} bytes");
    }
}
