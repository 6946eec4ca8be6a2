//! Connections that are used again: what a server may do to them in between.

use serde_json::json;

use crate::support::wire::Request as Asked;
use crate::support::{Gate, Run, Step, Wire, scrape};

use Step::{Finish, Request, Reset, Stall};

fn page(title: &str) -> Step {
    let body = format!("<title>{title}</title>");
    Step::send(format!("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {}\r\n\r\n{body}", body.len()))
}

/// Two pages of one host, one after the other. A retry that is not at once takes longer than a test may.
fn two_pages(wire: &Wire, args: &[&str]) -> Run {
    let args = args.iter().copied().chain(["-c", "1", "-f", "jsonl", "--retry-delay", "1h"]);
    scrape(args).args([wire.url("/a"), wire.url("/b")]).run()
}

fn asked(wire: &Wire) -> Vec<(usize, String)> {
    wire.requests().into_iter().map(|Asked { connection, path }| (connection, path)).collect()
}

#[test]
fn a_kept_connection_that_turns_out_closed_is_replaced_at_once() {
    for (how, end) in [("close", vec![]), ("FIN", vec![Finish, Stall]), ("RST", vec![Reset])] {
        let wire = Wire::start(move |connection| match connection {
            0 => [vec![Request, page("first"), Request], end.clone()].concat(),
            _ => vec![Request, page("second"), Stall],
        });
        let run = two_pages(&wire, &["--max-time", "20s"]).succeeds();
        assert_eq!(run.records().len(), 2, "{how}");
        let record = run.record_of("/b");
        assert_eq!((&record["title"], &record["attempts"]), (&json!("second"), &json!(1)), "{how}: {record}");
        let expected = [(0, "/a"), (0, "/b"), (1, "/b")].map(|(connection, path)| (connection, path.to_owned()));
        assert_eq!(asked(&wire), expected, "{how}");
    }
}

#[test]
fn as_many_kept_connections_as_turn_out_closed_are_replaced() {
    let both = Gate::shut();
    let wire = {
        let both = both.clone();
        Wire::start(move |connection| match connection {
            // Both are answered once both were made, and closed when asked again.
            0 | 1 => vec![Request, Step::Wait(both.clone()), page("first"), Request],
            _ => vec![Request, page("second"), Stall],
        })
    };
    let mut run = scrape(["-", "-f", "jsonl", "-c", "2", "--retry-delay", "1h", "--max-time", "20s"]).spawn();
    run.write(&format!("{}\n{}\n", wire.url("/a"), wire.url("/b")));
    wire.wait_for(2);
    both.open();
    for _ in 0..2 {
        run.line();
    }
    run.write(&wire.url("/c\n"));
    let record = run.finish().succeeds().record();
    assert_eq!((&record["title"], &record["attempts"]), (&json!("second"), &json!(1)), "{record}");
}

#[test]
fn a_new_connection_that_turns_out_closed_is_a_failure() {
    let wire = Wire::always([Request]);
    let record = scrape(["-f", "jsonl", "--retry", "0", &wire.url("/")]).run().exits(4).record();
    assert_eq!((&record["error"]["kind"], wire.connections()), (&json!("reset"), 1));
}

#[test]
fn what_is_not_idempotent_is_not_sent_again_unseen() {
    let wire = Wire::start(|connection| match connection {
        0 => vec![Request, page("first"), Request],
        _ => vec![Request, page("second"), Stall],
    });
    let run = two_pages(&wire, &["-X", "POST"]).exits(1);
    assert_eq!(run.record_of("/b")["error"]["kind"], "reset");
    assert_eq!(asked(&wire), [(0, "/a".to_owned()), (0, "/b".to_owned())]);
}

/// Two pages of a server that sends `surplus` on the connection that it keeps after the first one.
fn after_surplus(surplus: &str, first: Step, args: &[&str]) -> (Run, Vec<(usize, String)>) {
    let surplus = Step::send(surplus);
    let wire = Wire::start(move |connection| match connection {
        0 => vec![Request, first.clone(), surplus.clone(), Request, page("too late"), Stall],
        _ => vec![Request, page("second"), Stall],
    });
    let run = two_pages(&wire, args).succeeds();
    (run, asked(&wire))
}

const UNASKED: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 22\r\n\r\n<title>unasked</title>";

#[test]
fn bytes_behind_an_answer_are_never_taken_for_the_next_one() {
    let heads = [
        ("a length", "Content-Length: 20\r\n\r\n<title>first</title>"),
        ("chunks", "Transfer-Encoding: chunked\r\n\r\n14\r\n<title>first</title>\r\n0\r\n\r\n"),
        ("no body", "Content-Length: 0\r\n\r\n"),
    ];
    for (framing, rest) in heads {
        for surplus in ["\r\n", "garbage", "<p>more of the body</p>", UNASKED] {
            // In one piece, so that all of it is there when the answer has been read.
            let whole = format!("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n{rest}{surplus}");
            let (run, asked) = after_surplus("", Step::send(whole), &["--max-time", "20s"]);
            let record = run.record_of("/b");
            assert_eq!(
                (&record["title"], &record["attempts"]),
                (&json!("second"), &json!(1)),
                "{framing}: {surplus:?}"
            );
            assert_eq!(asked, [(0, "/a".to_owned()), (1, "/b".to_owned())], "{framing}: {surplus:?}");
        }
    }
}

#[test]
fn an_unasked_answer_on_an_idle_connection_is_never_taken_for_the_next_one() {
    for surplus in ["\r\n", "garbage", UNASKED, "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n"] {
        // The connection has been idle for long when the next request is due.
        let (run, asked) = after_surplus(surplus, page("first"), &["--delay", "500ms", "--max-time", "20s"]);
        assert_eq!(run.record_of("/b")["title"], "second", "{surplus:?}");
        assert_eq!(asked, [(0, "/a".to_owned()), (1, "/b".to_owned())], "{surplus:?}");
    }
}
