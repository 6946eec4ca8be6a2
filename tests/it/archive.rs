//! `-o x.warc.gz` and `--save`: what was fetched is kept, and read again without a network.

use std::fs;
use std::io::{Read, Write};
use std::path::Path;

use ::scrape::warc::{Digest, Header, Reader};
use flate2::read::MultiGzDecoder;
use serde_json::{Value, json};

use crate::support::authority::Authority;
use crate::support::coding::{brotli, gzip, gzip_bomb};
use crate::support::scrape::parse;
use crate::support::{Answer, Hit, Run, Site, scrape};

const PAGE: &str = "<!doctype html><html lang=en><title>A page</title><h1>One</h1><a href=x>x</a></html>";

/// A site with a bit of everything that pages may be.
fn site() -> Site {
    Site::start(|hit| match hit.path.as_str() {
        "/gzip" => Answer::html(gzip(PAGE.as_bytes())).header("Content-Encoding", "gzip"),
        "/br" => Answer::html(brotli(PAGE.as_bytes())).header("Content-Encoding", "br"),
        "/chunked" => Answer::html(PAGE.repeat(20)).chunked(),
        "/chunked-gzip" => Answer::html(gzip(PAGE.repeat(9).as_bytes())).header("Content-Encoding", "gzip").chunked(),
        "/cut" => Answer::html(PAGE.repeat(3)).cut_after(60),
        "/large" => Answer::typed("text/plain", "x".repeat(9000)),
        "/bomb" => Answer::html(gzip_bomb(1 << 20)).header("Content-Encoding", "gzip"),
        "/damaged" => Answer::html(*b"\x1f\x8b\x08\0\0\0\0\0\0\0nonsense").header("Content-Encoding", "gzip"),
        "/missing" => Answer::title("not there").with_status(404),
        "/flaky" if hit.nth == 0 => Answer::title("not now").with_status(503),
        "/old" => Answer::redirect(301, "/older").header("Set-Cookie", "a=b"),
        "/older" => Answer::redirect(302, "/"),
        "/nowhere" => Answer::redirect(302, "ftp://a.test/"),
        "/round" => Answer::redirect(302, "/round?"),
        "/round?" => Answer::redirect(302, "/round"),
        "/latin" => Answer::typed("text/html; charset=iso-8859-1", *b"<title>caf\xe9</title>"),
        "/json" => Answer::typed("application/json", r#"{"a": 1}"#),
        "/empty" => Answer::status(204),
        _ => Answer::title(&format!("at {}", hit.path)),
    })
}

const PATHS: [&str; 18] = [
    "/gzip",
    "/br",
    "/chunked",
    "/chunked-gzip",
    "/cut",
    "/large",
    "/bomb",
    "/damaged",
    "/missing",
    "/flaky",
    "/old",
    "/older",
    "/nowhere",
    "/round",
    "/latin",
    "/json",
    "/empty",
    "/same",
];

fn list(site: &Site, paths: &[&str]) -> String {
    paths.iter().map(|path| site.url(path) + "\n").collect()
}

/// Fetches with small limits, so that some pages are too large.
fn crawl(site: &Site, paths: &[&str], args: &[&str]) -> Run {
    let limits = ["--max-body", "8K", "--max-redirs", "5", "--retry-delay", "0", "-x", "lang,h1,links,headers"];
    scrape(["-"]).args(limits).args(args).stdin(list(site, paths)).run()
}

/// What an archive says, decompressed.
fn records(archive: &Path) -> Vec<(Header, Vec<u8>)> {
    let bytes = fs::read(archive).unwrap();
    let mut reader = Reader::new(&bytes[..]).unwrap();
    let mut records = Vec::new();
    while let Some(header) = reader.next_record().unwrap() {
        let (block, is_whole) = reader.read_block(usize::MAX).unwrap();
        assert!(is_whole);
        records.push((header, block));
    }
    records
}

/// The records of a kind for a path.
fn of_kind(records: &[(Header, Vec<u8>)], kind: &str, path: &str) -> Vec<(Header, String)> {
    let is_it =
        |header: &Header| header.kind() == kind && header.uri("WARC-Target-URI").is_some_and(|uri| uri.ends_with(path));
    let found = records.iter().filter(|(header, _)| is_it(header));
    found.map(|(header, block)| (header.clone(), String::from_utf8_lossy(block).into_owned())).collect()
}

/// Records without what a replay cannot know: where the URL stood, and how long it took.
fn comparable(text: &str) -> Vec<Value> {
    let mut records = parse(text);
    for record in &mut records {
        for key in ["source", "fetched_at"] {
            record[key] = Value::Null;
        }
    }
    records.sort_by_key(|record| record["url"].to_string());
    records
}

/// Reads archives again, offline: there is no route to anywhere but a proxy at which nobody listens.
fn replay(bytes: &[u8], args: &[&str]) -> Run {
    let run = scrape(["pages.warc.gz", "-f", "jsonl", "--proxy", "http://127.0.0.1:9"]).args(args);
    run.file("pages.warc.gz", bytes).run()
}

fn record(kind: &str, uri: &str, block: &str) -> String {
    let length = block.len();
    format!(
        "WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Target-URI: {uri}\r\nContent-Length: {length}\r\n\r\n{block}\r\n\r\n"
    )
}

fn page(title: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<title>{title}</title>")
}

#[test]
fn what_is_read_again_is_what_was_fetched() {
    let site = site();
    let live = crawl(&site, &PATHS, &["-o", "x.jsonl", "-o", "x.warc.gz"]).exits(1);
    let hits = site.hits().len();
    let limits = ["--max-body", "8K", "--max-redirs", "5", "-x", "lang,h1,links,headers"];
    let again = replay(&fs::read(live.path("x.warc.gz")).unwrap(), &limits).exits(1);
    assert_eq!(comparable(&again.stdout), comparable(&live.file("x.jsonl")));
    assert_eq!(comparable(&again.stdout).len(), PATHS.len());
    assert_eq!(site.hits().len(), hits, "nobody is asked");
}

#[test]
fn other_fields_can_be_read_from_what_was_fetched() {
    let site = site();
    let live = crawl(&site, &["/gzip"], &["-o", "x.warc"]).succeeds();
    let again = replay(&fs::read(live.path("x.warc")).unwrap(), &["-s", "price=h1"]).succeeds();
    assert_eq!(again.record()["fields"], json!({"price": "One"}));
}

#[test]
fn every_attempt_and_hop_is_in_the_archive() {
    let site = site();
    let live = crawl(&site, &["/flaky", "/old", "/empty"], &["-o", "x.warc.gz"]).succeeds();
    let records = records(&live.path("x.warc.gz"));
    assert_eq!(records[0].0.kind(), "warcinfo");
    assert!(String::from_utf8_lossy(&records[0].1).contains("software: scrape/"));
    let statuses = |path| {
        let answers = of_kind(&records, "response", path);
        answers.iter().map(|(_, block)| block[9..12].to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(
        (statuses("/flaky"), statuses("/old"), statuses("/older")),
        (vec!["503".into(), "200".into()], vec!["301".into()], vec!["302".into()])
    );
    assert_eq!((records.len() - 1) / 3, site.hits().len(), "a request, an answer and metadata for each");
    let (answer, block) = of_kind(&records, "response", "/older").remove(0);
    assert_eq!(answer.get("WARC-IP-Address"), Some("127.0.0.1"));
    assert_eq!(answer.get("WARC-Protocol"), Some("http/1.1"));
    assert!(block.starts_with("HTTP/1.1 302 Found\r\nlocation: /\r\n"), "{block}");
    let (request, block) = of_kind(&records, "request", "/older").remove(0);
    assert_eq!(request.get("WARC-Concurrent-To"), answer.get("WARC-Record-ID"));
    assert!(block.starts_with("GET /older HTTP/1.1\r\nhost: 127.0.0.1:"), "{block}");
    let (_, fields) = of_kind(&records, "metadata", "/older").remove(0);
    assert!(fields.contains(&format!("via: {}\r\nhopsFromSeed: R\r\n", site.url("/old"))), "{fields}");
}

#[test]
fn payloads_are_as_they_came_without_their_chunks() {
    let site = site();
    let live = crawl(&site, &["/chunked-gzip"], &["-o", "x.warc"]).succeeds();
    let text = fs::read(live.path("x.warc")).unwrap();
    let payload = gzip(PAGE.repeat(9).as_bytes());
    assert!(text.windows(payload.len()).any(|window| window == payload));
    let (_, block) = of_kind(&records(&live.path("x.warc")), "response", "gzip").remove(0);
    assert!(block.contains("\r\nx-crawler-transfer-encoding: chunked\r\n"), "{block}");
    assert!(!block.contains("\r\ntransfer-encoding"), "{block}");
    assert!(block.contains("\r\ncontent-encoding: gzip\r\n"), "{block}");
}

#[test]
fn what_came_of_a_body_that_was_cut_is_kept_and_said_to_be_cut() {
    let site = site();
    let live = crawl(&site, &["/cut", "/large", "/bomb"], &["--retry", "0", "-o", "x.warc.gz"]).exits(4);
    let records = records(&live.path("x.warc.gz"));
    let cut = |path| of_kind(&records, "response", path).remove(0);
    let (header, block) = cut("/cut");
    assert_eq!(header.get("WARC-Truncated"), Some("disconnect"));
    assert!(block.ends_with(&PAGE[..60]), "{block}");
    assert_eq!(cut("/large").0.get("WARC-Truncated"), Some("length"));
    assert_eq!(cut("/bomb").0.get("WARC-Truncated"), Some("length"));
}

#[test]
fn a_slow_body_is_cut_by_time() {
    let site = Site::start(|_| Answer::html(PAGE).stall_after(30));
    let args = ["--retry", "0", "--read-timeout", "0.2", "-o", "x.warc.gz"];
    let live = scrape([site.url("/")]).args(args).run().exits(4);
    let (header, _) = of_kind(&records(&live.path("x.warc.gz")), "response", "/").remove(0);
    assert_eq!(header.get("WARC-Truncated"), Some("time"));
}

#[test]
fn a_payload_that_came_before_is_not_written_again() {
    let site = Site::start(|hit| Answer::html(PAGE).header("X-Path", &hit.path));
    let args = ["-c", "1", "-x", "h1,headers", "-o", "x.jsonl", "-o", "x.warc.gz"];
    let live = scrape(args).args([site.url("/a"), site.url("/b")]).run().succeeds();
    let bytes = fs::read(live.path("x.warc.gz")).unwrap();
    let records = records(&live.path("x.warc.gz"));
    let first = of_kind(&records, "response", "/a").remove(0).0;
    let (second, block) = of_kind(&records, "revisit", "/b").remove(0);
    assert_eq!(second.get("WARC-Profile"), Some("http://netpreserve.org/warc/1.1/revisit/identical-payload-digest"));
    for (refers, to) in [("", "WARC-Record-ID"), ("-Date", "WARC-Date"), ("-Target-URI", "WARC-Target-URI")] {
        assert_eq!(second.get(&format!("WARC-Refers-To{refers}")), first.get(to), "{refers}");
    }
    assert_eq!(second.get("WARC-Payload-Digest"), first.get("WARC-Payload-Digest"));
    assert!(block.ends_with("\r\n\r\n") && block.contains("x-path: /b"), "{block}");
    let again = replay(&bytes, &["-x", "h1,headers"]).succeeds();
    assert_eq!(comparable(&again.stdout), comparable(&live.file("x.jsonl")));
    // Compressed as a whole, or from a pipe, there is no way back to the payload.
    let mut plain = Vec::new();
    MultiGzDecoder::new(&bytes[..]).read_to_end(&mut plain).unwrap();
    for run in [replay(&gzip(&plain), &[]), scrape(["-", "-f", "jsonl"]).stdin(bytes).run()] {
        let lost = run.exits(1).record_of("/b");
        assert_eq!(lost["error"]["message"], "the archive has the payload of this record nowhere before it", "{lost}");
    }
}

#[test]
fn secrets_that_were_sent_are_not_in_the_archive() {
    let site = Site::start(|_| Answer::title("in"));
    let url = site.url("/").replace("http://", "http://me:sesame@");
    let secrets = ["-H", "X-Api-Key: sesame", "-b", "token=sesame", "-d", "password=sesame"];
    let live = scrape([url]).args(secrets).args(["-o", "x.warc", "-H", "Accept-Language: de"]).run().succeeds();
    assert!(site.hit().header("cookie").is_some());
    let text = live.file("x.warc");
    assert!(!text.contains("sesame") && !text.to_lowercase().contains("authorization"), "{text}");
    assert!(text.contains("accept-language: de"), "{text}");
}

#[test]
fn what_comes_by_http_2_is_written_as_other_tools_read_it() {
    let authority = Authority::new();
    let site = Site::secure(authority.http2_server(), |_| Answer::html(PAGE));
    let args = ["--cacert", "ca.pem", "-f", "jsonl", "-o", "-", "-o", "x.warc.gz"];
    let live = scrape([site.url("/")]).args(args).file("ca.pem", authority.pem()).run().succeeds();
    let (header, block) = of_kind(&records(&live.path("x.warc.gz")), "response", "/").remove(0);
    assert_eq!(header.get("WARC-Protocol"), Some("h2"));
    assert!(block.starts_with("HTTP/1.1 200 OK\r\n"), "{block}");
    let again = replay(&fs::read(live.path("x.warc.gz")).unwrap(), &[]).succeeds();
    assert_eq!(comparable(&again.stdout), comparable(&live.stdout));
}

/// The archives stay in cargo's folder for what tests leave behind, where tools of other makers can check them.
#[test]
fn archives_have_what_other_tools_check() {
    let authority = Authority::new();
    let (site, secure) = (site(), Site::secure(authority.http2_server(), |_| Answer::html(PAGE)));
    let urls = list(&site, &PATHS) + &list(&site, &["/same?again"]) + &secure.url("/");
    let args = ["--max-body", "8K", "--cacert", "ca.pem", "-c", "1", "-o", "plain.warc", "-o", "packed.warc.gz", "-"];
    let live = scrape(args).file("ca.pem", authority.pem()).stdin(urls).run().exits(1);
    for name in ["plain.warc", "packed.warc.gz"] {
        let records = records(&live.path(name));
        assert_eq!((records.len() - 1) / 3, site.hits().len() + secure.hits().len());
        for (header, block) in &records {
            let digest = |bytes: &[u8]| Some(Digest::of(&[bytes]).to_string());
            assert_eq!(header.get("WARC-Block-Digest").map(String::from), digest(block));
            let payload = block.windows(4).position(|window| window == b"\r\n\r\n").map(|end| &block[end + 4..]);
            if header.kind() == "response" {
                assert_eq!(header.get("WARC-Payload-Digest").map(String::from), payload.and_then(digest));
            }
        }
        fs::copy(live.path(name), Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)).unwrap();
    }
}

#[test]
fn the_index_is_sorted_and_leads_to_each_answer() {
    let site = site();
    let live = crawl(&site, &["/z", "/a?y=2&x=1", "/m", "/old"], &["-o", "pages.warc.gz"]).succeeds();
    let (text, archive) = (live.file("pages.cdxj"), fs::read(live.path("pages.warc.gz")).unwrap());
    assert!(text.lines().is_sorted() && text.lines().count() == 6, "{text}");
    assert!(text.contains(&format!("1,0,0,127:{})/a?x=1&y=2 20", site.port())), "{text}");
    for line in text.lines() {
        let entry: Value = serde_json::from_str(line.splitn(3, ' ').nth(2).unwrap()).unwrap();
        let number = |name: &str| entry[name].as_str().unwrap().parse::<usize>().unwrap();
        let member = &archive[number("offset")..][..number("length")];
        let mut reader = Reader::new(member).unwrap();
        let header = reader.next_record().unwrap().unwrap();
        assert_eq!((header.kind(), header.get("WARC-Target-URI")), ("response", entry["url"].as_str()));
        assert_eq!(
            (header.get("WARC-Payload-Digest"), &entry["filename"]),
            (entry["digest"].as_str(), &json!("pages.warc.gz"))
        );
        assert!(reader.next_record().unwrap().is_none(), "one gzip member for each record");
    }
}

#[test]
fn bodies_kept_for_the_archive_count_as_memory() {
    let site = Site::start(|_| Answer::typed("application/octet-stream", vec![7; 1 << 20]).chunked());
    let tight = ["--max-body", "1M", "--max-memory", "19M", "-f", "jsonl", "-o", "-", "-o", "x.warc.gz"];
    let urls = (0..12).map(|n| site.url(&format!("/{n}\n"))).collect::<String>();
    let live = scrape(["-"]).args(tight).stdin(urls).run().succeeds();
    assert!(live.records().iter().all(|record| record["attempts"] == 1));
    let answers = records(&live.path("x.warc.gz"));
    let answers = answers.iter().filter(|(header, _)| ["response", "revisit"].contains(&header.kind()));
    assert_eq!(answers.count(), 12, "what found no memory does not count");
    scrape(["--max-body", "1M", "--max-memory", "18M", "-o", "x.warc.gz", "-"]).run().refused_over("--max-memory");
}

#[test]
fn archives_of_other_makers_are_read() {
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: text/html\r\n\r\n7\r\n<title>\r\n3\r\ntwo\r\n0\r\n\r\n";
    let parts = [
        record("warcinfo", "", "software: x\n"),
        record("response", "dns:a.test", "1.2.3.4"),
        record("response", "<http://a.test/1>", "HTTP/1.0 200 OK\nContent-Type: text/html\n\n<title>one</title>"),
        record("request", "http://a.test/1", "GET / HTTP/1.0\n\n").replace("\r\n", "\n"),
        record("response", "http://a.test/2", chunked),
        record("response", "http://a.test/3", "HTTP/1.1 302 Found\r\nLocation: /4\r\n\r\n"),
        record("resource", "http://a.test/r", "text"),
        record("response", "http://a.test/4", &page("four")),
        record("response", "http://a.test/5", "HTTP/1.1 301 Gone\r\nLocation: http://b.test/\r\n\r\n"),
        record("response", "http://a.test/1", &page("one again")),
        record("response", "http://a.test/6", "no answer"),
    ];
    let whole = parts.concat();
    let single: Vec<u8> = parts.iter().flat_map(|part| gzip(part.as_bytes())).collect();
    for bytes in [whole.clone().into_bytes(), gzip(whole.as_bytes()), single] {
        let run = replay(&bytes, &[]).exits(1);
        let titles: Vec<_> = ["/1", "/2", "/3"].map(|path| run.record_of(path)["title"].clone()).into();
        assert_eq!(titles, ["one", "two", "four"]);
        let hopped = run.record_of("/3");
        assert_eq!(hopped["redirects"], json!([{"status": 302, "url": "http://a.test/3"}]));
        assert_eq!((&hopped["final_url"], &hopped["source"]["line"]), (&json!("http://a.test/4"), &json!(6)));
        let led_nowhere = run.record_of("/5");
        assert_eq!((&led_nowhere["error"]["kind"], &led_nowhere["status"]), (&json!("redirect"), &json!(301)));
        assert_eq!(run.record_of("/6")["error"]["message"], "the archive has no HTTP answer in this record");
        assert_eq!(run.records().len(), 5, "the second answer of a URL, and what is no answer, give none");
    }
}

#[test]
fn an_archive_that_was_cut_gives_what_is_whole_and_says_where_it_ends() {
    let parts: Vec<_> = (0..4).map(|n| record("response", &format!("http://a.test/{n}"), &page("t"))).collect();
    let members: Vec<_> = parts.iter().map(|part| gzip(part.as_bytes())).collect();
    for parts in [parts.iter().map(|part| part.clone().into_bytes()).collect::<Vec<_>>(), members] {
        let whole = parts.concat();
        let end: usize = parts[..2].iter().map(Vec::len).sum();
        for cut in [end + 30, end + parts[2].len() - 20] {
            let run = replay(&whole[..cut], &[]).exits(5);
            assert_eq!(run.records().len(), 2);
            assert!(
                run.stderr.contains(&format!("pages.warc.gz broke off: the record at byte {end}: ")),
                "{}",
                run.stderr
            );
        }
        assert_eq!(replay(&whole[..end], &[]).succeeds().records().len(), 2);
    }
}

#[test]
fn nonsense_in_an_archive_is_bounded_and_told() {
    let good = record("response", "http://a.test/", &page("t"));
    let with = |fields: &str| {
        format!("{good}WARC/1.1\r\nWARC-Type: response\r\nWARC-Target-URI: http://a.test/2\r\n{fields}\r\n\r\n")
    };
    for (bytes, words) in [
        (with("Content-Length: 99999999999999999999"), "its Content-Length is"),
        (with("Content-Length: -1"), "its Content-Length is"),
        (with("Content-Length: 18446744073709551615"), "the file ends"),
        (with("X: y"), "it has no Content-Length"),
        (with("Content-Length: 1\r\nContent-Length: 2"), "more than one Content-Length"),
        (with(&format!("X: {}", "y".repeat(1 << 20))), "its head is longer than"),
        (format!("{good}nonsense"), "no record starts here"),
    ] {
        let run = replay(bytes.as_bytes(), &[]).exits(5);
        assert!(run.stderr.contains(words), "{words}: {}", run.stderr);
        assert_eq!(run.records().len(), 1);
    }
}

#[test]
fn a_bomb_in_an_archive_takes_no_more_memory_than_one_from_a_server() {
    let bomb = gzip_bomb(80 << 20);
    let head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Encoding: gzip\r\n\r\n";
    let length = head.len() + bomb.len();
    let fields = format!(
        "WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: http://a.test/\r\nContent-Length: {length}\r\n\r\n"
    );
    // A block of 80 MiB, which takes 80 KiB in the file.
    let size = 80_u64 << 20;
    let huge = format!(
        "\r\n\r\nWARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: http://a.test/2\r\nContent-Length: {size}\r\n\r\n"
    );
    let parts = [gzip(&[fields.as_bytes(), head, &bomb].concat()), gzip(huge.as_bytes()), gzip_bomb(size)];
    let mut run = scrape(["-", "-f", "jsonl", "--max-body", "1M"]).spawn();
    let archive = run_with(&mut run, parts.concat());
    assert_eq!(archive["error"]["kind"], "too_large");
    let run = run.finish().exits(4);
    assert_eq!(run.record()["error"]["kind"], "protocol", "it is no HTTP answer");
}

/// The first record of what is piped in, when the program has taken no more memory than it may.
fn run_with(run: &mut crate::support::scrape::Running, bytes: Vec<u8>) -> Value {
    run.write_bytes(bytes);
    let record = serde_json::from_str(&run.line()).unwrap();
    let peak = run.peak_memory();
    assert!(peak < 64 << 20, "{} MiB", peak >> 20);
    record
}

#[test]
fn urls_and_archives_can_be_mixed_and_stored_pages_wait_for_nobody() {
    let site = Site::start(|_| Answer::title("live"));
    let stored: String = (0..50).map(|n| record("response", &format!("http://a.test/{n}"), &page("kept"))).collect();
    let args = ["pages.warc", &site.url("/live"), "-f", "jsonl", "--delay", "1h", "--rate", "1/h"];
    let run = scrape(args).file("pages.warc", stored).run().succeeds();
    assert_eq!(run.records().len(), 51);
    assert_eq!(run.record_of("/live")["title"], "live");
    assert_eq!(site.hits().len(), 1);
}

#[test]
fn an_archive_that_is_read_cannot_be_written() {
    let file = record("response", "http://a.test/", &page("t"));
    scrape(["x.warc", "-o", "x.warc"]).file("x.warc", file).run().refused_over("is a source, too");
}

#[test]
fn pages_are_saved_under_safe_names_with_a_manifest() {
    let site = site();
    let paths = ["/gzip", "/json", "/missing", "/cut", "/old", "/..%2f..%2fetc/CON?x=\"%00", "/con", "/CON"];
    let run = crawl(&site, &paths, &["--retry", "0", "--save", "a/kept", "-f", "jsonl"]).exits(1);
    let manifest = parse(&run.file("a/kept/manifest.jsonl"));
    assert_eq!(manifest.len(), paths.len() - 2, "neither failures nor what is not whole");
    let mut names = Vec::new();
    for line in &manifest {
        let name = line["file"].as_str().unwrap();
        let (stem, extension) = name.split_once('.').unwrap();
        assert!(
            name.len() <= 120 && stem.bytes().all(|byte| b"abcdefghijklmnopqrstuvwxyz0123456789-_".contains(&byte)),
            "{name}"
        );
        assert!(["html", "json"].contains(&extension), "{name}");
        let body = fs::read(run.path("a/kept").join(name)).unwrap();
        assert_eq!(line["length"], body.len());
        names.push(name.to_owned());
    }
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), manifest.len(), "no two pages share a file");
    let files = fs::read_dir(run.path("a/kept")).unwrap().count();
    assert_eq!(files, manifest.len() + 1, "nothing else is left there");
    let gzipped = manifest.iter().find(|line| line["url"].as_str().unwrap().ends_with("/gzip")).unwrap();
    assert_eq!(fs::read_to_string(run.path("a/kept").join(gzipped["file"].as_str().unwrap())).unwrap(), PAGE);
    assert_eq!((&gzipped["media_type"], &gzipped["charset"]), (&json!("text/html"), &json!("utf-8")));
}

#[test]
fn a_folder_of_saved_pages_is_a_source() {
    let site = site();
    let script = "$scrape - -q -x h1,links --max-body 8K --save kept -o live.jsonl && $scrape kept --max-body 8K -x h1,links -f jsonl";
    let run = crate::support::scrape::Scrape::in_shell(script);
    let run = run.stdin(list(&site, &["/gzip", "/old", "/latin", "/json"])).run().succeeds();
    let timeless = |text: &str| {
        let mut records = comparable(text);
        for record in &mut records {
            record["elapsed_ms"] = Value::Null;
        }
        records
    };
    assert_eq!(timeless(&run.stdout), timeless(&run.file("live.jsonl")));
    assert_eq!(site.hits().len(), 6);
}

#[test]
fn a_manifest_leads_to_nothing_outside_its_folder() {
    let line = |(n, file): (usize, &str)| {
        let line = json!({"url": format!("http://a.test/{n}"), "final_url": "http://a.test/", "status": 200, "file": file, "content_type": "text/html", "fetched_at": "2026-01-01T00:00:00Z"});
        format!("{line}\n")
    };
    let files = ["../secret", "/etc/passwd", "sub/page", "..", ".", "", "missing"];
    let manifest: String = files.into_iter().enumerate().map(line).collect();
    let run = scrape(["kept", "-f", "jsonl"]).file("secret", "<title>s</title>").file("kept/sub/page", "x");
    let run = run.file("kept/manifest.jsonl", manifest).run().exits(4);
    assert_eq!(run.records().len(), files.len());
    assert!(run.records().iter().all(|record| record["title"].is_null()), "{}", run.stdout);
    scrape(["empty"]).file("empty/x", "").run().exits(5);
    let torn = format!("{}{{\"url\": ", line((0, "a.html")));
    let run = scrape(["kept", "-f", "jsonl"])
        .file("kept/a.html", "<title>t</title>")
        .file("kept/manifest.jsonl", torn)
        .run()
        .exits(5);
    assert!(run.stderr.contains("manifest.jsonl, line 2"), "{}", run.stderr);
    assert_eq!(run.record()["title"], "t");
}

#[test]
fn what_was_only_asked_for_its_head_has_no_body_again() {
    let site = Site::start(|_: &Hit| Answer::html(PAGE));
    let live = scrape([site.url("/")]).args(["-I", "-o", "x.warc.gz", "-o", "x.jsonl"]).run().succeeds();
    let again = replay(&fs::read(live.path("x.warc.gz")).unwrap(), &[]).succeeds();
    assert_eq!(comparable(&again.stdout), comparable(&live.file("x.jsonl")));
    assert!(again.record()["bytes"].is_null());
}

#[test]
fn nothing_is_archived_of_who_does_not_answer() {
    let url = format!("http://127.0.0.1:{}/", crate::support::site::closed_port());
    let live = scrape([&*url, "--retry", "0", "-o", "x.warc"]).run().exits(4);
    let records = records(&live.path("x.warc"));
    let kinds: Vec<_> = records.iter().map(|(header, _)| header.kind()).collect();
    assert_eq!(kinds, ["warcinfo", "request", "metadata"]);
    assert!(String::from_utf8_lossy(&records[2].1).contains("failure: connect "));
    let mut file = fs::File::options().append(true).open(live.path("x.warc")).unwrap();
    file.write_all(record("response", "http://a.test/", &page("t")).as_bytes()).unwrap();
    assert_eq!(replay(&fs::read(live.path("x.warc")).unwrap(), &[]).succeeds().records().len(), 1);
}
