//! Servers that break connections, and such that never let one end.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::wire::Deaf;
use crate::support::{Step, Wire, fetch, scrape};

use Step::{Finish, Repeat, Request, Reset, Stall};

const HEAD: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 100\r\n\r\n";

/// The record of a page whose server follows this script for each connection.
fn scripted(steps: &[Step], args: &[&str]) -> Value {
    let wire = Wire::always(steps);
    fetch(args.iter().copied().chain([&*wire.url("/")]))
}

fn kind_of(record: &Value) -> &str {
    record["error"]["kind"].as_str().unwrap_or("none")
}

#[test]
fn a_connection_that_ends_before_the_answer_is_whole_is_a_failure_of_the_right_kind() {
    let partial = |text: &str| vec![Request, Step::send(text)];
    let points = [
        ("at once", vec![], "reset"),
        ("after the request", vec![Request], "reset"),
        ("amid the version", partial("HTT"), "reset"),
        ("amid the status", partial("HTTP/1.1 20"), "reset"),
        ("after the status line", partial("HTTP/1.1 200 OK\r\n"), "reset"),
        ("amid a header", partial("HTTP/1.1 200 OK\r\nContent-"), "reset"),
        ("before the blank line", partial(HEAD.trim_end()), "reset"),
        ("before the body", partial(HEAD), "truncated"),
        ("amid the body", partial(&format!("{HEAD}<title>half")), "truncated"),
    ];
    for (point, script, kind) in points {
        for (how, end) in [("close", vec![]), ("FIN", vec![Finish, Stall]), ("RST", vec![Reset])] {
            let record = scripted(&[&*script, &*end].concat(), &[]);
            // An RST may be there before the connection is known to be made.
            let is_too_early = (how, point, kind_of(&record)) == ("RST", "at once", "connect");
            assert!(is_too_early || kind_of(&record) == kind, "{how} {point}: {record}");
            let status = if kind == "truncated" { json!(200) } else { Value::Null };
            assert_eq!((&record["status"], &record["title"]), (&status, &Value::Null), "{how} {point}");
        }
    }
}

#[test]
fn a_server_that_falls_silent_is_a_timeout_wherever_it_does() {
    let partial = |text: &str| vec![Request, Step::send(text), Stall];
    let scripts = [
        ("it never reads", vec![Stall]),
        ("it never answers", vec![Request, Stall]),
        ("amid the status", partial("HTTP/1.1 20")),
        ("amid a header", partial("HTTP/1.1 200 OK\r\nContent-")),
        ("before the body", partial(HEAD)),
        ("amid the body", partial(&format!("{HEAD}<title>half"))),
        ("amid a chunk", partial("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhalf")),
    ];
    for (point, script) in scripts {
        for limit in ["--max-time", "--read-timeout"] {
            // A quarter of the time is for connecting, where that counts extra.
            let record = scripted(&script, &[limit, "300ms", "--connect-timeout", "100ms"]);
            assert_eq!(kind_of(&record), "timeout", "{limit}, {point}: {record}");
        }
    }
}

#[test]
fn a_body_that_nobody_reads_is_a_timeout() {
    let wire = Wire::always([Stall]);
    let run = scrape(["-f", "jsonl", "--retry", "0", "-m", "300ms", "-d", "@large", &wire.url("/")])
        .file("large", vec![b'x'; 32 << 20])
        .run();
    assert_eq!(kind_of(&run.record()), "timeout");
}

#[test]
fn bytes_that_come_one_by_one_do_not_outlast_the_deadline() {
    let pause = Duration::from_millis(20);
    let long = "x".repeat(10_000);
    let scripts = [
        ("the head", vec![Request, Step::Drip(format!("HTTP/1.1 200 OK\r\nX: {long}").into(), pause)]),
        ("the body", vec![Request, Step::send(HEAD.replace("100", "10000")), Step::Drip(long.clone().into(), pause)]),
        (
            "empty chunks of a line each",
            vec![
                Request,
                Step::send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
                Step::Drip("1\r\nx\r\n".repeat(2_000).into(), pause),
            ],
        ),
        ("interim answers", vec![Request, Repeat(b"HTTP/1.1 100 Continue\r\n\r\n".into(), Duration::from_millis(1))]),
    ];
    for (what, script) in scripts {
        let start = Instant::now();
        let record = scripted(&script, &["--max-time", "400ms"]);
        assert_eq!(kind_of(&record), "timeout", "{what}: {record}");
        assert!(start.elapsed() < Duration::from_secs(20), "{what}: {:?}", start.elapsed());
    }
}

#[test]
fn slow_redirects_share_one_deadline() {
    let hop = "HTTP/1.1 302 Found\r\nLocation: /on\r\nContent-Length: 0\r\n\r\n";
    let steps = vec![[Request, Step::Pause(Duration::from_millis(150)), Step::send(hop)]; 20].concat();
    let wire = Wire::always(steps);
    let record = fetch(["--max-time", "500ms", "--max-redirs", "100", &wire.url("/")]);
    assert_eq!(kind_of(&record), "timeout", "{record}");
    assert!(wire.requests().len() <= 4, "{:?}", wire.requests());
}

#[test]
fn an_address_that_drops_every_syn_is_a_timeout_of_connecting() {
    let deaf = Deaf::start();
    let record = fetch(["--connect-timeout", "300ms", &deaf.url()]);
    assert_eq!(record["error"], json!({"kind": "timeout", "message": "no connection in time"}), "{record}");
    let record = fetch(["--max-time", "300ms", &deaf.url()]);
    assert_eq!(kind_of(&record), "timeout", "{record}");
}

#[test]
fn another_protocol_is_said_to_be_no_http() {
    let banners = [
        ("SSH", "SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"),
        ("SMTP", "220 mail.test ESMTP ready\r\n"),
        ("FTP", "220-Welcome\r\n220 ready\r\n"),
        ("a TLS alert", "\x15\x03\x01\0\x02\x02\x46"),
        ("MySQL", "J\0\0\0\n8.0.36\0"),
        ("HTTP/2", "\0\0\x06\x04\0\0\0\0\0\0\x03\0\0\0d"),
    ];
    for (protocol, banner) in banners {
        // Some wait for a request, some greet whoever comes.
        for script in [vec![Step::send(banner), Request, Stall], vec![Request, Step::send(banner), Stall]] {
            let record = scripted(&script, &["--max-time", "5s"]);
            assert_eq!(kind_of(&record), "protocol", "{protocol}: {record}");
            assert_eq!(record["error"]["message"], "the server does not speak HTTP", "{protocol}");
        }
    }
}

#[test]
fn an_answer_before_the_request_keeps_nobody_waiting() {
    let answer = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 20\r\n\r\n<title>early</title>";
    let record = scripted(&[Step::send(answer), Stall], &["--max-time", "20s"]);
    // If it comes after the request was written, nothing tells it from the answer to that.
    match kind_of(&record) {
        "none" => assert_eq!(record["title"], "early"),
        kind => assert_eq!(kind, "protocol", "{record}"),
    }
}
