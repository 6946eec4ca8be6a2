//! `--max-memory`: bodies that are too much together come one after the other, and none fails of it.

use std::io;
use std::net::Ipv4Addr;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::support::coding::{gzip_bomb, stored_gzip};
use crate::support::{Answer, Site, scrape};

const MIB: usize = 1 << 20;

/// A server that answers every request alike, and all that are open at a time in lock-step: a piece of each in turn.
struct LockStep {
    port: u16,
    runtime: Option<Runtime>,
}

/// A connection that has asked for something.
type Asking = BufReader<TcpStream>;

impl LockStep {
    fn start(answer: Vec<u8>) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))).unwrap();
        let port = listener.local_addr().unwrap().port();
        let (asking, asked) = unbounded_channel();
        let again = asking.clone();
        runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(read_request(BufReader::new(stream), asking.clone()));
            }
        });
        runtime.spawn(async move { answer_in_turn(&answer, asked, again).await });
        Self { port, runtime: Some(runtime) }
    }

    fn list(&self, count: usize) -> String {
        let url = |n| format!("http://127.0.0.1:{}/{n}\n", self.port);
        (0..count).map(url).collect()
    }
}

impl Drop for LockStep {
    fn drop(&mut self) {
        self.runtime.take().unwrap().shutdown_background();
    }
}

async fn read_request(mut stream: Asking, asking: UnboundedSender<Asking>) -> io::Result<()> {
    let mut line = String::new();
    while stream.read_line(&mut line).await? > 2 {
        line.clear();
    }
    if line == "\r\n" {
        let _ = asking.send(stream);
    }
    Ok(())
}

async fn answer_in_turn(answer: &[u8], mut asked: UnboundedReceiver<Asking>, again: UnboundedSender<Asking>) {
    const PIECE: usize = 32 << 10;
    let mut open: Vec<(Asking, usize)> = Vec::new();
    loop {
        if open.is_empty() {
            open.extend(asked.recv().await.map(|stream| (stream, 0)));
        }
        while let Ok(stream) = asked.try_recv() {
            open.push((stream, 0));
        }
        let mut rest = Vec::new();
        for (mut stream, sent) in open {
            let piece = &answer[sent..answer.len().min(sent + PIECE)];
            match stream.write_all(piece).await {
                Ok(()) if sent + piece.len() < answer.len() => rest.push((stream, sent + piece.len())),
                Ok(()) => drop(tokio::spawn(read_request(stream, again.clone()))),
                Err(_) => {}
            }
        }
        open = rest;
    }
}

/// What makes sense as no text and hardly compresses.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 1_u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 56) as u8
    };
    std::iter::repeat_with(&mut next).take(length).collect()
}

fn answer(headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n{headers}\r\n");
    [head.as_bytes(), body].concat()
}

fn with_length(headers: &str, body: &[u8]) -> Vec<u8> {
    answer(&format!("{headers}Content-Length: {}\r\n", body.len()), body)
}

fn chunked(headers: &str, body: &[u8]) -> Vec<u8> {
    let chunk = |piece: &[u8]| [format!("{:x}\r\n", piece.len()).as_bytes(), piece, b"\r\n"].concat();
    let framed: Vec<_> = body.chunks(10_000).flat_map(chunk).chain(*b"0\r\n\r\n").collect();
    answer(&format!("{headers}Transfer-Encoding: chunked\r\n"), &framed)
}

/// Fetches `count` bodies of 8 MiB, all asked for at once, with memory for one and a bit, and gives the records.
fn fetch_all(site: &LockStep, count: usize, args: &[&str]) -> Vec<Value> {
    let limits = ["--max-body", "8M", "--max-memory", "26M", "--per-host", "64", "-f", "jsonl"];
    let mut run = scrape(limits).args(args).spawn();
    run.write(&site.list(count));
    let lines: String = (0..count).map(|_| run.line()).collect();
    // 20 such bodies at once would be 160 MiB. What the program itself and its connections take comes on top.
    let peak = run.peak_memory();
    assert!(peak < 112 << 20, "{} MiB", peak >> 20);
    assert_eq!(run.finish().stdout, "", "a record too many");
    crate::support::scrape::parse(&lines)
}

/// Fetches bodies of 8 MiB that come as `answer`, and asserts that each came once and at the first attempt.
fn all_come(answer: Vec<u8>, args: &[&str]) {
    const COUNT: usize = 20;
    let records = fetch_all(&LockStep::start(answer), COUNT, args);
    let mut urls: Vec<_> = records.iter().map(|record| record["url"].to_string()).collect();
    urls.sort_unstable();
    urls.dedup();
    assert_eq!(urls.len(), COUNT);
    for record in records {
        let facts = (&record["error"], &record["bytes"], &record["attempts"]);
        assert_eq!(facts, (&Value::Null, &json!(8 * MIB), &json!(1)), "{record}");
    }
}

#[test]
fn bodies_that_are_too_much_together_all_come_in_the_end() {
    all_come(with_length("", &noise(8 * MIB)), &[]);
}

#[test]
fn so_do_those_that_do_not_tell_their_length() {
    all_come(chunked("", &noise(8 * MIB)), &[]);
}

#[test]
fn so_do_those_in_a_content_coding() {
    all_come(chunked("Content-Encoding: gzip\r\n", &stored_gzip(&noise(8 * MIB))), &[]);
}

#[test]
fn so_do_those_of_a_host_that_is_asked_one_at_a_time() {
    all_come(chunked("", &noise(8 * MIB)), &["--per-host", "1"]);
}

#[test]
fn what_must_not_be_asked_for_twice_is_not() {
    let site = Site::start(|_| Answer::typed("application/octet-stream", vec![0; 8 * MIB]));
    let limits = ["--max-body", "8M", "--max-memory", "26M", "-f", "jsonl", "-X", "POST"];
    let list: String = (0..8).map(|n| site.url(&format!("/{n}\n"))).collect();
    let run = scrape(limits).stdin(list).run().succeeds();
    assert!(run.records().iter().all(|record| record["attempts"] == 1), "{}", run.stdout);
    assert_eq!((run.records().len(), site.hits().len()), (8, 8));
}

#[test]
fn bombs_are_found_out_in_as_little_memory() {
    let bomb = gzip_bomb(4 << 20);
    let site = LockStep::start(with_length("Content-Encoding: gzip\r\n", &bomb));
    for record in fetch_all(&site, 64, &["--max-body", "256K", "--max-memory", "17M"]) {
        let facts = (&record["error"]["kind"], &record["attempts"]);
        assert_eq!(facts, (&json!("too_large"), &json!(1)), "{record}");
    }
}

#[test]
fn small_pages_do_not_wait_for_a_large_one() {
    let site = LockStep::start(with_length("", &noise(MIB / 4)));
    let records = fetch_all(&site, 300, &[]);
    assert!(records.iter().all(|record| record["error"].is_null() && record["attempts"] == 1));
}

#[test]
fn memory_for_less_than_one_body_is_refused_and_a_large_body_brings_its_own() {
    let site = Site::start(|_| Answer::title("ok"));
    for (limits, word) in [("--max-memory 26M", "--max-body"), ("--max-memory 1G --max-body 1G", "--max-memory")] {
        scrape(limits.split(' ')).args([site.url("/")]).run().refused_over(word);
    }
    assert!(site.hits().is_empty());
    scrape(["--max-body", "2G", &site.url("/")]).run().succeeds();
}
