//! What comes back: bodies in every coding, limits, and servers that break the rules.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::coding::{brotli, deflate, gzip, gzip_bomb, raw_deflate, zstd};
use crate::support::{Answer, Site, fetch, scrape};

const PAGE: &str = "<!doctype html><title>Saluton</title><p>mondo";

/// The record of a page that is answered so.
fn answered(answer: Answer, args: &[&str]) -> Value {
    let site = Site::start(move |_| answer.clone());
    fetch(args.iter().copied().chain([&*site.url("/")]))
}

/// The record of a page that comes in these content codings.
fn encoded(coding: &str, body: Vec<u8>) -> Value {
    answered(Answer::html(body).header("Content-Encoding", coding), &[])
}

#[test]
fn every_content_coding_is_undone() {
    let page = PAGE.as_bytes();
    let bodies = [
        ("gzip", gzip(page)),
        ("GZIP", gzip(page)),
        ("x-gzip", gzip(page)),
        ("br", brotli(page)),
        ("zstd", zstd(page)),
        ("deflate", deflate(page)),
        ("deflate", raw_deflate(page)),
        ("identity", page.to_vec()),
        ("gzip, br", brotli(&gzip(page))),
    ];
    for (coding, body) in bodies {
        let record = encoded(coding, body);
        assert_eq!((&record["title"], &record["error"]), (&json!("Saluton"), &Value::Null), "{coding}");
        assert_eq!((&record["bytes"], &record["length"]), (&json!(PAGE.len()), &json!(PAGE.len())), "{coding}");
    }
}

#[test]
fn an_encoded_body_may_come_in_chunks() {
    let page = format!("{PAGE}{}", "x".repeat(100_000));
    let record = answered(Answer::html(gzip(page.as_bytes())).header("Content-Encoding", "gzip").chunked(), &[]);
    assert_eq!((&record["length"], &record["error"]), (&json!(page.len()), &Value::Null));
}

#[test]
fn an_empty_body_is_empty_in_every_coding() {
    for coding in ["gzip", "br", "zstd", "deflate"] {
        let record = encoded(coding, Vec::new());
        assert_eq!((&record["bytes"], &record["error"]), (&json!(0), &Value::Null), "{coding}");
    }
}

#[test]
fn a_body_that_is_not_in_its_coding_is_a_decode_failure() {
    let page = PAGE.repeat(50);
    for (coding, mut body) in [("gzip", gzip(page.as_bytes())), ("zstd", zstd(page.as_bytes()))] {
        for byte in body.iter_mut().skip(12) {
            *byte ^= 0x5a;
        }
        let record = encoded(coding, body);
        assert_eq!((&record["error"]["kind"], &record["title"]), (&json!("decode"), &Value::Null), "{coding}");
    }
}

#[test]
fn a_body_may_be_as_large_as_the_cap_and_no_larger() {
    let page = |size| Answer::typed("text/plain", "x".repeat(size));
    let record = answered(page(10_000), &["--max-body", "10000"]);
    assert_eq!((&record["bytes"], &record["error"]), (&json!(10_000), &Value::Null));
    for answer in [page(10_001), page(10_001).chunked(), page(10_001).until_close()] {
        assert_eq!(answered(answer, &["--max-body", "10000"])["error"]["kind"], "too_large");
    }
}

#[test]
fn the_cap_counts_decoded_bytes() {
    let answer = Answer::typed("application/zip", gzip_bomb(11 << 20)).header("Content-Encoding", "gzip");
    let record = answered(answer.clone(), &[]);
    assert_eq!(record["error"]["kind"], "too_large");
    assert_eq!(record["status"], 200, "that much is known");
    let record = answered(answer, &["--max-body", "12M"]);
    assert_eq!((&record["error"], &record["bytes"]), (&Value::Null, &json!(11 << 20)));
}

#[test]
fn an_endless_body_is_given_up_at_the_cap() {
    let answer = Answer::html("x".repeat(10_000)).endless();
    assert_eq!(answered(answer, &["--max-body", "1M"])["error"]["kind"], "too_large");
}

#[test]
fn too_large_a_body_is_not_asked_for_again() {
    let site = Site::start(|_| Answer::html("x".repeat(100)));
    let run = scrape(["--max-body", "99", "-f", "jsonl", "--retry-delay", "1ms", &site.url("/")]).run().exits(4);
    assert_eq!((&run.record()["attempts"], site.hits().len()), (&json!(1), 1));
}

#[test]
fn an_attempt_takes_no_longer_than_its_limit() {
    let answers = [
        Answer::silence(),
        Answer::html(PAGE).stall_after(0),
        Answer::html(PAGE).stall_after(10),
        Answer::html(PAGE.repeat(1000)).drip(Duration::from_millis(20)),
    ];
    for answer in answers {
        let record = answered(answer, &["-m", "300ms"]);
        assert_eq!(record["error"]["kind"], "timeout", "{record}");
        assert!(record["elapsed_ms"].as_u64().unwrap() >= 300);
    }
}

#[test]
fn a_server_that_falls_silent_is_given_up() {
    for answer in [Answer::silence(), Answer::html(PAGE).stall_after(10), Answer::html(PAGE).chunked().stall_after(10)]
    {
        let start = Instant::now();
        let record = answered(answer, &["--read-timeout", "300ms"]);
        assert_eq!(record["error"]["kind"], "timeout", "{record}");
        assert!(start.elapsed() >= Duration::from_millis(300));
    }
}

#[test]
fn a_server_that_is_slow_but_not_silent_is_waited_for() {
    let record = answered(Answer::html(PAGE).drip(Duration::from_millis(15)), &["--read-timeout", "400ms"]);
    assert_eq!((&record["error"], &record["title"]), (&Value::Null, &json!("Saluton")));
    assert!(record["elapsed_ms"].as_u64().unwrap() >= 15 * PAGE.len() as u64);
}

#[test]
fn a_header_that_comes_byte_by_byte_is_waited_for() {
    let answer = Answer::raw("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 0\r\n\r\n");
    let record = answered(answer.drip(Duration::from_millis(15)), &["--read-timeout", "400ms"]);
    assert_eq!((&record["error"], &record["status"]), (&Value::Null, &json!(200)), "{record}");
}

#[test]
fn no_time_is_no_limit() {
    for option in ["-m", "--connect-timeout", "--read-timeout"] {
        let record = answered(Answer::html(PAGE).drip(Duration::from_millis(2)), &[option, "0"]);
        assert_eq!((&record["error"], &record["title"]), (&Value::Null, &json!("Saluton")), "{option}");
    }
}

#[test]
fn the_time_spent_queued_does_not_count() {
    let site = Site::start(|_| Answer::title("slow").after(Duration::from_millis(250)));
    let list: String = (0..8).map(|n| site.url(&format!("/{n}\n"))).collect();
    scrape(["-c", "1", "-m", "1500ms", "--retry", "0"]).stdin(list).run().succeeds();
    assert_eq!(site.hits().len(), 8);
}

#[test]
fn a_body_shorter_than_announced_is_truncated() {
    for answer in [Answer::html(PAGE).cut_after(10), Answer::html(PAGE).chunked().cut_after(10)] {
        let record = answered(answer, &[]);
        assert_eq!(record["error"]["kind"], "truncated", "{record}");
    }
}

#[test]
fn a_reset_amid_the_body_leaves_it_truncated() {
    for answer in [Answer::html(PAGE).reset_after(10), Answer::html(PAGE).chunked().reset_after(10)] {
        let record = answered(answer, &[]);
        assert_eq!((&record["error"]["kind"], &record["status"]), (&json!("truncated"), &json!(200)), "{record}");
    }
}

#[test]
fn a_switch_to_a_protocol_that_nobody_asked_for_is_a_failure() {
    let head = "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n";
    assert!(!answered(Answer::raw(head), &[])["error"].is_null());
}

#[test]
fn a_body_may_end_with_the_connection() {
    let record = answered(Answer::html(PAGE).until_close(), &[]);
    assert_eq!((&record["title"], &record["error"]), (&json!("Saluton"), &Value::Null));
}

#[test]
fn a_connection_that_ends_before_the_answer_is_a_reset() {
    for answer in [Answer::nothing(), Answer::reset(), Answer::raw("HTTP/1.1 200 OK\r\nContent-")] {
        let record = answered(answer, &[]);
        assert_eq!((&record["error"]["kind"], &record["status"]), (&json!("reset"), &Value::Null), "{record}");
    }
}

#[test]
fn what_is_not_http_is_a_protocol_failure() {
    let garbage =
        ["SSH-2.0-OpenSSH_9.2\r\n", "\0\x01\x02\x03garbage\r\n\r\n", "HTTP/1.1 abc\r\n\r\n", "220 mail.test ESMTP\r\n"];
    for text in garbage {
        assert_eq!(answered(Answer::raw(text), &[])["error"]["kind"], "protocol", "{text:?}");
    }
}

#[test]
fn a_refused_connection_is_a_connect_failure() {
    let record = fetch([format!("http://127.0.0.1:{}/", crate::support::site::closed_port())]);
    assert_eq!(record["error"]["kind"], "connect");
    assert!(!record["error"]["message"].as_str().unwrap().is_empty());
}

#[test]
fn many_and_long_and_odd_headers_are_fine() {
    let many = (0..200).fold(Answer::title("many"), |answer, n| answer.header(&format!("X-{n}"), "value"));
    assert_eq!(answered(many, &[])["title"], "many");
    let long = Answer::title("long").header("Set-Cookie", &"x".repeat(60_000));
    assert_eq!(answered(long, &[])["title"], "long");
    let odd = Answer::title("odd").header("Bad Header", "value").header("X-Latin", "caf\u{e9}");
    assert_eq!(answered(odd, &[])["title"], "odd");
}

#[test]
fn an_error_page_is_a_failure_with_all_its_facts() {
    let record = answered(Answer::title("Not here").with_status(404), &[]);
    assert_eq!(record["error"]["kind"], "status");
    assert!(record["error"]["message"].as_str().unwrap().contains("404"));
    assert_eq!(
        (&record["status"], &record["title"], &record["charset"]),
        (&json!(404), &json!("Not here"), &json!("utf-8"))
    );
    assert_eq!(record["length"], "<!doctype html><title>Not here</title>".len());
}

#[test]
fn which_statuses_count_as_fetched_can_be_chosen() {
    let page = |status| Answer::title("page").with_status(status);
    assert_eq!(answered(page(404), &["--ok-status", "404"])["error"], Value::Null);
    assert_eq!(answered(page(410), &["--ok-status", "404"])["error"]["kind"], "status");
    assert_eq!(answered(page(399), &[])["error"], Value::Null);
    assert_eq!(answered(page(400), &[])["error"]["kind"], "status");
}

#[test]
fn sizes_and_times_are_read_as_people_write_them() {
    for args in
        [["--max-body", "10M"], ["--max-body", "10485760"], ["--max-body", "64k"], ["-m", "30"], ["-m", "1m30s"]]
    {
        assert_eq!(answered(Answer::html(PAGE), &args)["error"], Value::Null, "{args:?}");
    }
    for args in [
        ["--max-body", "ten"],
        ["--max-body", "-1"],
        ["-m", "soon"],
        ["-m", "-1"],
        ["--delay", "1 fortnight"],
        ["--delay", "1e19"],
    ] {
        scrape(args).args(["http://127.0.0.1:1/"]).run().exits(2);
    }
}

#[test]
fn a_page_that_is_empty_is_fetched() {
    for answer in [Answer::status(204), Answer::html("")] {
        let record = answered(answer, &[]);
        assert_eq!((&record["error"], &record["title"], &record["bytes"]), (&Value::Null, &Value::Null, &json!(0)));
    }
}
