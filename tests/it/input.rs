//! Where URLs come from, and what a line may look like.

use std::fs::OpenOptions;
use std::io::Write;
use std::process::Command;

use serde_json::{Value, json};

use crate::support::site::closed_port;
use crate::support::{Answer, Run, Site, fetch, scrape};

fn site() -> Site {
    Site::start(|hit| Answer::title(&hit.path))
}

fn urls(run: &Run) -> Vec<Value> {
    run.records().into_iter().map(|record| record["url"].clone()).collect()
}

#[test]
fn urls_files_and_standard_input_are_read_in_the_order_of_the_arguments() {
    let site = site();
    let run = scrape([&site.url("/argument"), "list.txt", "-"])
        .file("list.txt", site.url("/file"))
        .stdin(site.url("/stdin"))
        .args(["-f", "jsonl", "--ordered"])
        .run()
        .succeeds();
    assert_eq!(urls(&run), [site.url("/argument"), site.url("/file"), site.url("/stdin")]);
    let sources: Vec<_> = run.records().into_iter().map(|record| record["source"].clone()).collect();
    assert_eq!(
        sources,
        [json!({"file": null, "line": 1}), json!({"file": "list.txt", "line": 1}), json!({"file": "-", "line": 1})]
    );
}

#[test]
fn the_line_of_a_url_argument_is_its_position() {
    let site = site();
    let run = scrape(["list.txt", &site.url("/b"), &site.url("/c")]).file("list.txt", "").args(["-f", "jsonl"]).run();
    assert_eq!(run.record_of("/b")["source"], json!({"file": null, "line": 2}));
    assert_eq!(run.record_of("/c")["source"], json!({"file": null, "line": 3}));
}

#[test]
fn a_piped_standard_input_is_the_source_when_none_is_named() {
    let site = site();
    let run = scrape(["-f", "jsonl"]).stdin(site.url("/a")).run().succeeds();
    assert_eq!(run.record()["source"], json!({"file": "-", "line": 1}));
}

#[test]
fn blank_lines_comments_white_space_crlf_and_a_bom_are_fine() {
    let site = site();
    let (a, b, c) = (site.url("/a"), site.url("/b"), site.url("/c"));
    let list = format!("\u{feff}{a}\r\n\r\n# a comment\r\n  \t# another\n\n \t{b}  \t\r\n{c}");
    let run = scrape(["list.txt", "-f", "jsonl", "--ordered"]).file("list.txt", list).run().succeeds();
    assert_eq!(urls(&run), [a, b, c]);
    let lines: Vec<_> = run.records().into_iter().map(|record| record["source"]["line"].clone()).collect();
    assert_eq!(lines, [1, 6, 7]);
}

#[test]
fn a_missing_scheme_becomes_https() {
    let port = closed_port();
    let run = scrape(["-f", "jsonl", "--retry", "0"]).stdin(format!("127.0.0.1:{port}/x\nlocalhost:{port}")).run();
    let urls: Vec<_> = run.records().into_iter().map(|record| record["url"].as_str().unwrap().to_owned()).collect();
    assert!(urls.iter().any(|url| url == &format!("https://127.0.0.1:{port}/x")), "{urls:?}");
    assert!(urls.iter().any(|url| url.starts_with(&format!("https://localhost:{port}"))), "{urls:?}");
}

#[test]
fn the_default_scheme_can_be_chosen() {
    let site = site();
    let line = format!("127.0.0.1:{}/x", site.port());
    let run = scrape(["-f", "jsonl", "--default-scheme", "http"]).stdin(line).run().succeeds();
    assert_eq!(run.record()["url"], site.url("/x"));
}

#[test]
fn an_international_host_is_asked_for_by_its_ascii_name() {
    let site = site();
    let name = "xn--bcher-kva.test";
    let record = fetch(["--resolve", &site.resolve(name), &site.url_of("bücher.test", "/")]);
    assert_eq!(record["error"], Value::Null);
    assert_eq!(record["final_url"], site.url_of(name, "/"));
    assert_eq!(site.hit().header("host"), Some(&*format!("{name}:{}", site.port())));
}

#[test]
fn userinfo_becomes_basic_authentication_and_is_never_shown() {
    let site = Site::start(|hit| match &*hit.path {
        "/" => Answer::redirect(302, "/b"),
        _ => Answer::title("in"),
    });
    let url = site.url("/").replace("://", "://me:s%C3%A9zame@");
    let run = scrape(["-vv", "-f", "jsonl", "-o", "-", "-o", "out.csv", &url]).run().exits(0);
    // Base64 of `me:sézame` in UTF-8.
    for hit in site.hits() {
        assert_eq!(hit.header("authorization"), Some("Basic bWU6c8OpemFtZQ=="), "{}", hit.path);
    }
    assert_eq!(run.record()["url"], site.url("/"));
    for text in [&run.stdout, &run.stderr, &run.file("out.csv")] {
        assert!(!text.contains("zame"), "{text}");
        assert!(!text.contains("bWU6c8OpemFtZQ"), "{text}");
    }
}

#[test]
fn userinfo_is_not_shown_where_the_url_is_wrong_either() {
    let run = scrape(["-f", "jsonl", "-vv"]).stdin("http://me:sesame@host:99999/\nhttp://me:sesame@/\n").run().exits(4);
    assert_eq!(run.records().len(), 2);
    assert!(!run.stdout.contains("sesame"), "{}", run.stdout);
    assert!(!run.stderr.contains("sesame"), "{}", run.stderr);
}

#[test]
fn a_column_of_a_csv_file_is_read_and_the_others_are_carried() {
    let site = site();
    let list = format!("name,site,note\r\n\"A, Inc.\",{},\r\nB,{},\"two\nlines\"\r\n", site.url("/a"), site.url("/b"));
    let run = scrape(["--column", "site", "firms.csv", "-f", "jsonl"]).file("firms.csv", list).run().succeeds();
    let (a, b) = (run.record_of("/a"), run.record_of("/b"));
    assert_eq!(a["input"], json!({"name": "A, Inc.", "note": ""}));
    assert_eq!(a["source"], json!({"file": "firms.csv", "line": 2}));
    assert_eq!(b["input"], json!({"name": "B", "note": "two\nlines"}));
    assert_eq!(b["source"]["line"], 3);
}

#[test]
fn a_column_of_a_tsv_file_is_read_as_well() {
    let site = site();
    let list = format!("url\tname\n{}\tA, Inc.\n", site.url("/a"));
    let run = scrape(["--column", "url", "firms.tsv", "-f", "jsonl"]).file("firms.tsv", list).run().succeeds();
    assert_eq!(run.record()["input"], json!({"name": "A, Inc."}));
}

#[test]
fn a_column_that_is_not_there_is_an_error_that_names_it() {
    let run = scrape(["--column", "sites", "firms.csv"]).file("firms.csv", "name,site\nA,http://127.0.0.1:1/\n").run();
    assert!(matches!(run.code, Some(2 | 5)), "{run:?}");
    assert!(run.stderr.contains("sites"), "{run:?}");
    assert_eq!(run.stdout, "");
}

#[test]
fn a_json_line_gives_its_url_and_the_rest_is_carried() {
    let site = site();
    let line = json!({"id": 7, "url": site.url("/a"), "tags": ["x", {"y": null}]}).to_string();
    let run = scrape(["list.jsonl", "-f", "jsonl"]).file("list.jsonl", line + "\n").run().succeeds();
    assert_eq!(run.record()["url"], site.url("/a"));
    assert_eq!(run.record()["input"], json!({"id": 7, "tags": ["x", {"y": null}]}));
}

#[test]
fn our_own_output_is_valid_input_and_carries_its_input_alone() {
    let site = site();
    let first = scrape(["--column", "url", "list.csv", "-f", "jsonl", "-x", "lang"])
        .file("list.csv", format!("url,name\n{},A\n", site.url("/a")))
        .run()
        .succeeds();
    let again = scrape(["-f", "jsonl"]).stdin(first.stdout.clone()).run().succeeds();
    assert_eq!(again.record()["url"], site.url("/a"));
    assert_eq!(again.record()["input"], json!({"name": "A"}));
    let plain = scrape(["-f", "jsonl", &site.url("/b")]).run().succeeds();
    let again = scrape(["-f", "jsonl"]).stdin(plain.stdout.clone()).run().succeeds();
    assert_eq!(again.record()["input"], Value::Null);
}

#[test]
fn our_own_csv_is_valid_input_and_carries_its_input_alone() {
    let site = site();
    let list = format!("url,name\n{},\"A, Inc.\"\n", site.url("/a"));
    let run = scrape(["--column", "url", "list.csv", "-f", "csv", "-x", "lang"]).file("list.csv", list).run();
    let mut table = run.succeeds().stdout;
    for _ in 0..2 {
        let run = scrape(["--column", "url", "again.csv", "-f", "jsonl", "-o", "-", "-o", "out.csv"]);
        let run = run.file("again.csv", table).run().succeeds();
        assert_eq!(run.record()["url"], site.url("/a"));
        assert_eq!(run.record()["input"], json!({"name": "A, Inc."}));
        table = run.file("out.csv");
    }
}

#[test]
fn a_csv_file_without_a_column_is_a_list_with_a_warning() {
    let site = site();
    let run = scrape(["urls.csv", "-f", "jsonl"]).file("urls.csv", site.url("/a")).run().exits(0);
    assert_eq!(run.record()["error"], Value::Null);
    assert!(run.stderr.starts_with("scrape: ") && run.stderr.contains("--column"), "{run:?}");
    let run = scrape(["firms.csv", "-f", "jsonl"]).file("firms.csv", "name,website,city\n").run().exits(4);
    assert_eq!(run.record()["error"]["kind"], "invalid_url");
    assert!(run.stderr.contains("--column"), "{run:?}");
}

#[test]
fn a_line_that_is_no_url_is_a_record_of_its_own_and_does_not_end_the_run() {
    let site = site();
    let long = format!("http://{}.test/", "a.".repeat(50_000));
    let lines: [&[u8]; 9] = [
        b"http://",
        b"http://a b.test/",
        b"http://\xff\xfe.test/",
        b"http://nul\0.test/",
        long.as_bytes(),
        b"file:///etc/passwd",
        b"data:text/html,hello",
        b"javascript:alert(1)",
        b"ftp://127.0.0.1/",
    ];
    let mut list = lines.join(&b"\n"[..]);
    list.extend(format!("\n{}\n", site.url("/fine")).bytes());
    let run = scrape(["list.txt", "-f", "jsonl", "--ordered"]).file("list.txt", list).run().exits(1);
    let records = run.records();
    assert_eq!(records.len(), lines.len() + 1);
    for (n, record) in records[..lines.len()].iter().enumerate() {
        assert_eq!(record["error"]["kind"], "invalid_url", "{record}");
        assert_eq!(record["source"], json!({"file": "list.txt", "line": n + 1}));
        assert_eq!((&record["attempts"], &record["status"]), (&json!(0), &Value::Null));
        assert!(record["url"].as_str().unwrap().len() < 20_000, "the URL of a record is cut to a bearable length");
    }
    assert_eq!(records[lines.len()]["error"], Value::Null);
    assert_eq!(site.paths(), ["/fine"]);
}

#[test]
fn a_missing_source_is_told_before_the_first_fetch() {
    let site = site();
    let run = scrape([&site.url("/"), "nowhere.txt"]).run().exits(5);
    assert!(run.stderr.contains("nowhere.txt"), "{run:?}");
    assert_eq!(run.stdout, "");
    assert!(site.hits().is_empty());
}

#[test]
fn a_directory_is_no_source() {
    let site = site();
    let run = scrape([&site.url("/"), "folder"]).file("folder/list.txt", "").run().exits(5);
    assert!(run.stderr.contains("folder"), "{run:?}");
    assert!(site.hits().is_empty());
}

#[test]
fn a_missing_file_that_looks_like_a_host_gets_a_hint() {
    let run = scrape(["example.test"]).run().exits(5);
    assert!(run.stderr.contains("hint:") && run.stderr.contains("https://example.test"), "{run:?}");
    let run = scrape(["nowhere.txt"]).run().exits(5);
    assert!(!run.stderr.contains("https://nowhere.txt"), "{run:?}");
}

#[test]
fn fetching_starts_before_standard_input_ends() {
    let site = site();
    let mut run = scrape(["-f", "jsonl"]).spawn();
    for path in ["/1", "/2"] {
        run.write(&format!("{}\n", site.url(path)));
        let record: Value = serde_json::from_str(&run.line()).unwrap();
        assert_eq!(record["url"], site.url(path));
    }
    run.finish().succeeds();
}

#[test]
fn a_fifo_is_read_line_by_line() {
    let site = site();
    let program = scrape(["list.fifo", "-f", "jsonl"]);
    let path = program.path("list.fifo");
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    // Open for reading too: to open it for writing alone would wait for a reader.
    let mut fifo = OpenOptions::new().read(true).write(true).open(path).unwrap();
    let mut run = program.spawn();
    for path in ["/1", "/2"] {
        writeln!(fifo, "{}", site.url(path)).unwrap();
        assert!(run.line().contains(&site.url(path)));
    }
    drop(fifo);
    run.finish().succeeds();
}

#[test]
fn a_limit_ends_the_list_early_and_is_no_failure() {
    let site = site();
    let list: String = (0..20).map(|n| site.url(&format!("/{n}\n"))).collect();
    let run = scrape(["--limit", "7", "-f", "jsonl"]).stdin(list).run().exits(0);
    assert_eq!((run.records().len(), site.hits().len()), (7, 7));
}

#[test]
fn a_limit_does_not_wait_for_a_source_that_goes_on() {
    let site = site();
    let mut run = scrape(["--limit", "1", "-f", "jsonl"]).spawn();
    run.write(&format!("{}\n{}\n", site.url("/1"), site.url("/2")));
    run.line();
    assert!(run.ends_within(crate::support::site::PATIENCE), "standard input is still open");
    assert_eq!(site.paths(), ["/1"]);
}

#[test]
fn lines_may_end_with_carriage_returns_alone() {
    let site = site();
    let list = format!("{}\r# comment\r\r{}\r", site.url("/a"), site.url("/b"));
    let run = scrape(["list.txt", "-f", "jsonl", "--ordered"]).file("list.txt", list).run().succeeds();
    assert_eq!(urls(&run), [site.url("/a"), site.url("/b")]);
    assert_eq!(run.record_of("/b")["source"]["line"], 4);
    let table = format!("id,url\r1,{}\r\"2\r\",{}\r3,x:y\r", site.url("/a"), site.url("/b"));
    let run = scrape(["t.csv", "--column", "url", "-f", "jsonl", "--ordered"]).file("t.csv", table).run().exits(1);
    let lines: Vec<_> = run.records().into_iter().map(|record| record["source"]["line"].clone()).collect();
    assert_eq!(lines, [2, 3, 5]);
}

#[test]
fn a_list_that_is_no_text_is_refused_with_advice_before_the_first_fetch() {
    let site = site();
    let utf16 = format!("\u{feff}{}\n", site.url("/a")).encode_utf16().flat_map(u16::to_le_bytes).collect();
    let gzip = crate::support::coding::gzip(site.url("/a").as_bytes());
    for (bytes, word) in [(utf16, "iconv"), (gzip, "zcat"), (b"PK\x03\x04\x14".to_vec(), "CSV")] {
        for column in [&[][..], &["--column", "url"]] {
            let run = scrape([&*site.url("/b"), "list"]).args(column).file("list", &bytes).run().exits(5);
            assert!(run.stderr.starts_with("scrape: list cannot be read: ") && run.stderr.contains(word), "{run:?}");
        }
        let run = scrape(["-f", "jsonl"]).stdin(bytes).run().exits(5);
        assert!(run.stderr.contains(word) && run.stdout.is_empty(), "{run:?}");
    }
    assert!(site.hits().is_empty());
}

#[test]
fn a_binary_file_gives_bad_lines_with_their_numbers_and_the_good_one_is_fetched() {
    let site = site();
    let mut list: Vec<u8> = (0..=255).cycle().take(4096).filter(|byte| !b"\r\n".contains(byte)).collect();
    list.extend(format!("\n{}\n", site.url("/good")).bytes());
    list.extend(b"\xff\0\x1b]0;owned\x07\n");
    let run = scrape(["list", "-f", "jsonl", "--ordered"]).file("list", list).run().exits(1);
    let told: Vec<_> =
        run.records().iter().map(|one| (one["source"]["line"].clone(), one["error"].is_null())).collect();
    assert_eq!(told, [(json!(1), false), (json!(2), true), (json!(3), false)]);
    assert_eq!(site.paths(), ["/good"]);
}
