//! Heads that no honest server sends.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Answer, Site, Step, Wire, fetch, scrape};

use Step::{Repeat, Request, Stall};

const BODY: &str = "<title>here</title>";

/// The record of a page that is answered so. The connection stays open.
fn answered(answer: impl Into<Vec<u8>>, args: &[&str]) -> Value {
    let wire = Wire::always([Request, Step::send(answer), Stall]);
    fetch(args.iter().copied().chain(["--max-time", "10s", &*wire.url("/")]))
}

/// The record of a page with these header fields, line ends included, under a good status line.
fn with_fields(fields: impl AsRef<[u8]>) -> Value {
    let start = format!("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {}\r\n", BODY.len());
    answered([start.as_bytes(), fields.as_ref(), b"\r\n", BODY.as_bytes()].concat(), &["-x", "headers"])
}

fn kind_of(record: &Value) -> &str {
    record["error"]["kind"].as_str().unwrap_or("none")
}

/// The value of a header field in a record.
fn field<'a>(record: &'a Value, name: &str) -> Option<&'a str> {
    let fields = record["fields"]["headers"].as_array().unwrap();
    fields.iter().find(|field| field["name"] == name)?["value"].as_str()
}

#[test]
fn fields_that_are_none_are_passed_over() {
    let odd: [(&str, &[u8]); 9] = [
        ("no colon", b"no colon here\r\n"),
        ("no name", b": value\r\n"),
        ("white space in a name", b"Bad Name: value\r\n"),
        ("white space before the colon", b"Name : value\r\n"),
        ("control characters", b"Name: \x01\x02\x1b[31m\x7f\r\n"),
        ("bytes beyond ASCII", b"Name: caf\xe9 \xff\r\n"),
        ("a name beyond ASCII", b"N\xe4me: value\r\n"),
        ("a line feed alone", b"Name: value\n"),
        ("an empty value", b"Name:\r\n"),
    ];
    for (what, fields) in odd {
        let record = with_fields([fields, b"X-Last: seen\r\n"].concat());
        assert_eq!((kind_of(&record), &record["title"]), ("none", &json!("here")), "{what}: {record}");
        assert_eq!(field(&record, "x-last"), Some("seen"), "{what}: {record}");
    }
}

#[test]
fn a_nul_or_a_lone_cr_in_a_field_is_a_protocol_failure() {
    for fields in ["Na\0me: value\r\n", "Name: va\0lue\r\n", "\0\r\n", "Name: va\rlue\r\n"] {
        assert_eq!(kind_of(&with_fields(fields)), "protocol", "{fields:?}");
    }
}

#[test]
fn a_folded_value_is_one_value() {
    let record = with_fields("X-Folded: one\r\n two\r\n\tthree\r\nX-Last: seen\r\n");
    assert_eq!(field(&record, "x-folded"), Some("one two three"), "{record}");
    assert_eq!(field(&record, "x-last"), Some("seen"), "{record}");
}

#[test]
fn a_value_of_any_bytes_is_one_record() {
    let record = with_fields(b"Name: caf\xe9 \x80\xff\xfe\r\n");
    assert_eq!(field(&record, "name"), Some("caf\u{fffd} \u{fffd}\u{fffd}\u{fffd}"), "{record}");
}

#[test]
fn heads_beyond_all_bounds_are_a_protocol_failure_and_memory_stays_low() {
    let many = "X: y\r\n".repeat(100_000);
    let long = format!("X: {}\r\n", "y".repeat(1 << 20));
    let name = format!("{}: y\r\n", "x".repeat(1 << 20));
    let heads = [
        ("100,000 fields", vec![Step::send(many)]),
        ("a value of 1 MB", vec![Step::send(long)]),
        ("a name of 1 MB", vec![Step::send(name)]),
        ("fields without end", vec![Repeat("X: y\r\n".repeat(1000).into(), Duration::ZERO)]),
        ("a value without end", vec![Step::send("X: "), Repeat(vec![b'y'; 10_000], Duration::ZERO)]),
    ];
    for (what, fields) in heads {
        let wire = Wire::always([&[Request, Step::send("HTTP/1.1 200 OK\r\n")], &*fields, &[Stall]].concat());
        let mut run = scrape(["-", "-f", "jsonl", "--retry", "0"]).spawn();
        run.write(&wire.url("/\n"));
        let record: Value = serde_json::from_str(&run.line()).unwrap();
        let peak = run.peak_memory();
        run.finish().exits(4);
        assert_eq!(kind_of(&record), "protocol", "{what}: {record}");
        assert!(peak < 64 << 20, "{what}: {peak} bytes");
        let message = record["error"]["message"].as_str().unwrap();
        assert!(message.contains("head"), "{what}: {message:?}");
    }
}

#[test]
fn as_many_fields_as_a_real_page_may_have_are_read() {
    let many: Vec<String> = (0..900).map(|n| format!("X-{n}: {n}\r\n")).collect();
    let record = with_fields(many.concat());
    assert_eq!((kind_of(&record), field(&record, "x-899")), ("none", Some("899")));
    let record = with_fields(format!("X-Long: {}\r\n", "y".repeat(200_000)));
    assert_eq!((kind_of(&record), field(&record, "x-long").map(str::len)), ("none", Some(200_000)));
}

#[test]
fn a_page_of_very_many_fields_is_asked_for_again_and_none_after_it() {
    let site = Site::start(|_| (0..300).fold(Answer::html(BODY), |answer, n| answer.header(&format!("X-{n}"), "y")));
    let urls = [site.url("/1"), site.url("/2"), site.url("/3")];
    scrape(["-c", "1"]).args(&urls).run().succeeds();
    assert_eq!(site.paths(), ["/1", "/1", "/2", "/3"]);
}

#[test]
fn what_is_sent_is_not_sent_twice_for_an_answer_of_very_many_fields() {
    let site = Site::start(|_| (0..300).fold(Answer::html(BODY), |answer, n| answer.header(&format!("X-{n}"), "y")));
    scrape(["--data", "a=b", &site.url("/")]).run().succeeds();
    assert_eq!(site.count(), 1);
}

#[test]
fn status_lines_that_are_none_are_a_protocol_failure() {
    let lines = [
        "HTTP/1.1 000 Zero",
        "HTTP/1.1 99 Low",
        "HTTP/1.1 1000 High",
        "HTTP/1.1 2OO OK",
        "HTTP/1.1 -200 OK",
        "HTTP/1.1",
        "HTTP/1.1 ",
        "HTTP/2.0 200 OK",
        "HTTP/1.2 200 OK",
        "HTTP/0.9 200 OK",
        "HTTP/1.1.1 200 OK",
        "http/1.1 200 OK",
        "ICY 200 OK",
        "RTSP/1.0 200 OK",
        "<!doctype html><title>HTTP/0.9</title>",
    ];
    for line in lines {
        let record = answered(format!("{line}\r\nContent-Length: {}\r\n\r\n{BODY}", BODY.len()), &[]);
        assert_eq!((kind_of(&record), &record["status"]), ("protocol", &Value::Null), "{line}: {record}");
        let message = record["error"]["message"].as_str().unwrap();
        assert!((10..100).contains(&message.len()), "{line}: {message:?}");
    }
}

#[test]
fn status_lines_that_browsers_put_up_with_are_read() {
    let lines = [
        "HTTP/1.1 200",
        "HTTP/1.1 200 ",
        "HTTP/1.1 200 Everything is fine, and the reason is long",
        "HTTP/1.1 200 caf\u{e9}",
        "HTTP/1.0 200 OK",
        "\r\nHTTP/1.1 200 OK",
    ];
    for line in lines {
        let answer = format!("{line}\r\nContent-Type: text/html\r\nContent-Length: {}\r\n\r\n{BODY}", BODY.len());
        let record = answered(answer, &[]);
        assert_eq!((kind_of(&record), &record["title"]), ("none", &json!("here")), "{line:?}: {record}");
    }
    let record = answered(format!("HTTP/1.1 200 OK\nContent-Length: {}\n\n{BODY}", BODY.len()), &[]);
    assert_eq!((kind_of(&record), &record["title"]), ("none", &json!("here")), "line feeds alone: {record}");
}

#[test]
fn a_status_that_nobody_knows_is_an_answer_that_does_not_count() {
    for status in [999, 600, 499] {
        let record = answered(format!("HTTP/1.1 {status} Odd\r\nContent-Length: 0\r\n\r\n"), &[]);
        assert_eq!((kind_of(&record), &record["status"]), ("status", &json!(status)), "{record}");
    }
}

#[test]
fn interim_answers_are_passed_over() {
    let interim = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>; rel=preload\r\n\r\n\
                   HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 199 Odd\r\n\r\n";
    let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{BODY}", BODY.len());
    for count in [1, 250] {
        let record = answered(format!("{}{answer}", interim.repeat(count)), &[]);
        assert_eq!((kind_of(&record), &record["title"]), ("none", &json!("here")), "{count}: {record}");
    }
}

#[test]
fn interim_answers_without_end_are_a_timeout() {
    for limit in [["--max-time", "500ms"], ["--read-timeout", "300ms"]] {
        let flood = Repeat(b"HTTP/1.1 100 Continue\r\n\r\n".into(), Duration::from_millis(5));
        let wire = Wire::always([Request, flood]);
        let record = fetch(["--connect-timeout", "200ms", limit[0], limit[1], &wire.url("/")]);
        assert_eq!(kind_of(&record), "timeout", "{limit:?}: {record}");
    }
}

#[test]
fn a_body_where_there_can_be_none_is_none() {
    for status in [204, 304] {
        for framing in ["Content-Length: 19", "Transfer-Encoding: chunked"] {
            let body = if framing.starts_with('C') { BODY.to_owned() } else { format!("13\r\n{BODY}\r\n0\r\n\r\n") };
            let record = answered(format!("HTTP/1.1 {status} None\r\n{framing}\r\n\r\n{body}"), &[]);
            assert_eq!((kind_of(&record), &record["bytes"]), ("none", &json!(0)), "{status}, {framing}: {record}");
        }
    }
    let record = answered(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{BODY}", BODY.len()), &["-I"]);
    assert_eq!((kind_of(&record), &record["status"]), ("none", &json!(200)), "{record}");
}

#[test]
fn a_switch_of_protocols_that_nobody_asked_for_is_no_page() {
    let head = "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n\x01\x02";
    let record = answered(head, &[]);
    assert_eq!((kind_of(&record), &record["status"]), ("status", &json!(101)), "{record}");
}
