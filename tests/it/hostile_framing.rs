//! Bodies whose end is told wrongly, twice or never.

use serde_json::Value;

use crate::support::{Step, Wire, fetch};

use Step::{Repeat, Request, Stall};

const PAGE: &str = "<title>whole</title>";

/// The record of a page whose answer is `head`, under a status line, and `body`; `end` is what follows.
fn framed(head: &str, body: &str, end: &[Step]) -> Value {
    let answer = format!("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n{head}\r\n{body}");
    let wire = Wire::always([&[Request, Step::send(answer)], end].concat());
    fetch(["--max-time", "5s", &wire.url("/")])
}

/// The same where the connection ends with the answer.
fn cut(head: &str, body: &str) -> Value {
    framed(head, body, &[])
}

fn kind_of(record: &Value) -> &str {
    record["error"]["kind"].as_str().unwrap_or("none")
}

/// Asserts that each of these answers is a failure of this kind, with a message that fits into a line.
fn all_fail(kind: &str, answers: &[(&str, &str, &str)]) {
    for (what, head, body) in answers {
        let record = cut(head, body);
        assert_eq!(kind_of(&record), kind, "{what}: {record}");
        let message = record["error"]["message"].as_str().unwrap();
        assert!((10..100).contains(&message.len()), "{what}: {message:?}");
        assert!(!message.contains("TooLarge") && !message.contains("hyper"), "{what}: {message:?}");
        assert_eq!(record["title"], Value::Null, "{what}: {record}");
    }
}

fn all_succeed(answers: &[(&str, &str, &str)]) {
    for (what, head, body) in answers {
        // The connection stays open: what tells the end of the body is not its end.
        let record = framed(head, body, &[Stall]);
        assert_eq!((kind_of(&record), &record["title"]), ("none", &"whole".into()), "{what}: {record}");
    }
}

#[test]
fn a_body_that_ends_before_its_framing_says_is_truncated() {
    all_fail(
        "truncated",
        &[
            ("a short body", "Content-Length: 21\r\n", PAGE),
            ("no body", "Content-Length: 21\r\n", ""),
            ("the largest length", "Content-Length: 18446744073709551613\r\n", PAGE),
            ("no chunk", "Transfer-Encoding: chunked\r\n", ""),
            ("amid a chunk size", "Transfer-Encoding: chunked\r\n", "1"),
            ("amid a chunk", "Transfer-Encoding: chunked\r\n", "14\r\n<title>"),
            ("after a chunk", "Transfer-Encoding: chunked\r\n", "14\r\n<title>whole</title>"),
            ("no last chunk", "Transfer-Encoding: chunked\r\n", "14\r\n<title>whole</title>\r\n"),
            ("amid the last chunk", "Transfer-Encoding: chunked\r\n", "14\r\n<title>whole</title>\r\n0\r\n"),
            ("amid a trailer", "Transfer-Encoding: chunked\r\n", "14\r\n<title>whole</title>\r\n0\r\nX: y\r\n"),
            ("a huge chunk", "Transfer-Encoding: chunked\r\n", "FFFFFFFFFFFFFFFE\r\n<title>whole</title>"),
            ("both", "Content-Length: 20\r\nTransfer-Encoding: chunked\r\n", "14\r\n<title>"),
        ],
    );
}

#[test]
fn a_length_that_is_none_is_a_protocol_failure() {
    let lengths = [
        "-1",
        "+20",
        "0x14",
        "20.0",
        "2e1",
        "20 bytes",
        "",
        "18446744073709551616",
        "99999999999999999999999999",
        "20, 21",
        "20,",
        "\u{662}\u{660}",
    ];
    for length in lengths {
        all_fail("protocol", &[(length, &format!("Content-Length: {length}\r\n"), PAGE)]);
    }
    all_fail("protocol", &[("two lengths", "Content-Length: 20\r\nContent-Length: 21\r\n", PAGE)]);
}

#[test]
fn chunks_that_are_none_are_a_protocol_failure() {
    let chunks = [
        ("no size", "\r\n<title>whole</title>\r\n0\r\n\r\n"),
        ("no number", "xyz\r\n<title>whole</title>\r\n0\r\n\r\n"),
        ("a negative size", "-14\r\n<title>whole</title>\r\n0\r\n\r\n"),
        ("a prefixed size", "0x14\r\n<title>whole</title>\r\n0\r\n\r\n"),
        ("an overflowing size", "FFFFFFFFFFFFFFFFF\r\n<title>whole</title>\r\n0\r\n\r\n"),
        ("a size too small", "5\r\n<title>whole</title>\r\n0\r\n\r\n"),
        ("no chunks at all", "<title>whole</title>"),
        ("line feeds alone", "14\n<title>whole</title>\n0\n\n"),
    ];
    for (what, body) in chunks {
        all_fail("protocol", &[(what, "Transfer-Encoding: chunked\r\n", body)]);
    }
    let chunk = "14\r\n<title>whole</title>\r\n";
    let extension = format!("14;{}\r\n<title>whole</title>\r\n0\r\n\r\n", "x".repeat(100_000));
    let extensions = format!("1;{}\r\nx\r\n", "x".repeat(1000)).repeat(100);
    let trailer = format!("{chunk}0\r\nX: {}\r\n\r\n", "x".repeat(100_000));
    let trailers = format!("{chunk}0\r\n{}\r\n", "X: y\r\n".repeat(10_000));
    let floods = [
        ("a huge extension", extension),
        ("huge extensions", extensions),
        ("a huge trailer", trailer),
        ("many trailers", trailers),
    ];
    for (what, body) in floods {
        all_fail("protocol", &[(what, "Transfer-Encoding: chunked\r\n", &body)]);
    }
}

#[test]
fn what_browsers_put_up_with_is_read() {
    let chunks = "14\r\n<title>whole</title>\r\n0\r\n\r\n";
    all_succeed(&[
        ("bytes behind the body", "Content-Length: 20\r\n", "<title>whole</title><title>surplus</title>"),
        ("two equal lengths", "Content-Length: 20\r\nContent-Length: 20\r\n", PAGE),
        ("a list of equal lengths", "Content-Length: 20, 20\r\n", PAGE),
        ("leading zeros", "Content-Length: 0000000000000000000020\r\n", PAGE),
        ("white space around the length", "Content-Length: \t 20 \t\r\n", PAGE),
        ("a length besides chunks", "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", chunks),
        ("chunks besides a length", "Transfer-Encoding: chunked\r\nContent-Length: 500\r\n", chunks),
        ("any case", "Transfer-Encoding: CHUNKED\r\n", chunks),
        ("an extension", "Transfer-Encoding: chunked\r\n", "14;a=b;c\r\n<title>whole</title>\r\n0\r\n\r\n"),
        ("white space behind a size", "Transfer-Encoding: chunked\r\n", "14  \r\n<title>whole</title>\r\n0\r\n\r\n"),
        ("leading zeros of a size", "Transfer-Encoding: chunked\r\n", "00014\r\n<title>whole</title>\r\n00\r\n\r\n"),
        ("a trailer", "Transfer-Encoding: chunked\r\n", "14\r\n<title>whole</title>\r\n0\r\nX: y\r\n\r\n"),
        ("bytes behind the chunks", "Transfer-Encoding: chunked\r\n", &format!("{chunks}surplus")),
    ]);
}

#[test]
fn a_transfer_coding_is_undone_or_refused() {
    for coding in ["compress", "zip", "gzip;q=1"] {
        for head in [format!("Transfer-Encoding: {coding}, chunked\r\n"), format!("Transfer-Encoding: {coding}\r\n")] {
            let record = cut(&head, "14\r\n<title>whole</title>\r\n0\r\n\r\n");
            assert_eq!(kind_of(&record), "decode", "{head}: {record}");
            assert!(record["error"]["message"].as_str().unwrap().contains("transfer coding"), "{record}");
        }
    }
    let coded = crate::support::coding::gzip(PAGE.as_bytes());
    let chunk = [format!("{:x}\r\n", coded.len()).as_bytes(), &coded, b"\r\n0\r\n\r\n"].concat();
    let answer = [&b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"[..], &chunk].concat();
    let wire = Wire::always([Request, Step::Send(answer), Stall]);
    assert_eq!(fetch([wire.url("/")])["title"], "whole");
}

#[test]
fn a_body_without_end_is_given_up_at_the_cap() {
    let flood = |head: &str, unit: &str| {
        let head = format!("HTTP/1.1 200 OK\r\n{head}\r\n");
        let wire =
            Wire::always([Request, Step::send(head), Repeat(unit.repeat(2000).into(), std::time::Duration::ZERO)]);
        fetch(["--max-body", "300k", "--max-time", "20s", &wire.url("/")])
    };
    let bodies = [
        ("until the connection ends", "", "<p>more"),
        ("of a length", "Content-Length: 9000000000000000000\r\n", "<p>more"),
        ("in chunks", "Transfer-Encoding: chunked\r\n", "7\r\n<p>more\r\n"),
    ];
    for (what, head, unit) in bodies {
        let record = flood(head, unit);
        assert_eq!(kind_of(&record), "too_large", "{what}: {record}");
    }
}
