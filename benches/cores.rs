//! Pages that take long to read beside answers that are small: do all cores read, and do the small ones come in time?
//!
//! ```sh
//! cargo bench --bench cores
//! ```
//!
//! The program fetches small answers, each of which its server holds back for 20 ms, then pages that take some
//! milliseconds to read, from another host, and then both at once. For each it tells how long the small ones took (the field
//! `timing`), and how many cores were busy with the program.

use std::fmt::Write as _;
use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader as Incoming};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;
use tokio::time::sleep;

const LATENCY: Duration = Duration::from_millis(20);
const SMALL: usize = 1500;
const HEAVY: usize = 600;
/// The paragraphs of a heavy page: 400 KB.
const PARAGRAPHS: usize = 2500;
/// The parts of a second that Linux counts the time of a processor in.
const TICKS: f64 = 100.0;

/// What came of a run.
struct Figures {
    /// The seconds that each small answer took, sorted.
    small: Vec<f64>,
    wall: f64,
    cpu: f64,
}

impl Figures {
    fn line(&self, name: &str) -> String {
        let Self { small, wall, cpu } = self;
        let mut line = format!("{name:<12}");
        for percent in [50, 99, 100] {
            let place = (small.len() * percent).div_ceil(100);
            match small.get(place.saturating_sub(1)) {
                Some(seconds) => _ = write!(line, " {:>9.1}", seconds * 1000.0),
                None => _ = write!(line, " {:>9}", "-"),
            }
        }
        line + &format!(" {:>9.2} {:>9.2}\n", wall, cpu / wall)
    }
}

/// Runs the program over these URLs.
fn run(urls: &[String], small: SocketAddr) -> anyhow::Result<Figures> {
    let mut program = Command::new(env!("CARGO_BIN_EXE_scrape"));
    program.args([
        "--no-config",
        "-f",
        "jsonl",
        "-x",
        "timing",
        "-s",
        "n=count(//p)",
        "-s",
        "last=p:last-child > a@href",
    ]);
    program.env_clear().stdin(Stdio::piped()).stdout(Stdio::piped());
    let start = Instant::now();
    let mut child = program.spawn().context("cannot start the program")?;
    let mut stdin = child.stdin.take().context("its standard input")?;
    let list = urls.join("\n");
    thread::spawn(move || stdin.write_all(list.as_bytes()));

    let mut figures = Figures { small: Vec::new(), wall: 0.0, cpu: 0.0 };
    let is_small = format!("http://{small}/");
    for line in BufReader::new(child.stdout.take().context("its standard output")?).lines() {
        let record: Value = serde_json::from_str(&line?)?;
        anyhow::ensure!(record["error"].is_null(), "{record}");
        if record["url"].as_str().is_some_and(|url| url.starts_with(&is_small)) {
            figures.small.extend(record["fields"]["timing"]["total"].as_f64());
        }
        // Times that only grow; when the last record has come it may be too late to ask.
        (figures.wall, figures.cpu) = (start.elapsed().as_secs_f64(), cpu_time(child.id()).unwrap_or(figures.cpu));
    }
    child.wait()?;
    figures.small.sort_by(f64::total_cmp);
    Ok(figures)
}

/// The seconds of a processor that a process has had (proc(5), stat). Only Linux tells.
fn cpu_time(process: u32) -> Option<f64> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let fields = stat.rsplit_once(')')?.1.split_ascii_whitespace();
    let ticks = fields.skip(11).take(2).map(|ticks| ticks.parse::<f64>().ok()).sum::<Option<f64>>()?;
    Some(ticks / TICKS)
}

/// A host whose every answer is this page, after `latency`; with an address of its own, as it is no other one's turn then.
async fn host(last: u8, page: String, latency: Duration) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::new(127, 0, 0, last), 0)).await?;
    let address = listener.local_addr()?;
    let answer = format!("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {}\r\n\r\n{page}", page.len());
    let answer: Arc<[u8]> = answer.into_bytes().into();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(talk(stream, Arc::clone(&answer), latency));
        }
    });
    Ok(address)
}

async fn talk(stream: TcpStream, answer: Arc<[u8]>, latency: Duration) -> io::Result<()> {
    let mut stream = Incoming::new(stream);
    let mut line = String::new();
    while stream.read_line(&mut line).await? > 0 {
        if line == "\r\n" {
            sleep(latency).await;
            stream.write_all(&answer).await?;
        }
        line.clear();
    }
    Ok(())
}

fn heavy_page() -> String {
    let paragraph = |n| {
        format!(
            "<div class=c{}><p>Paragraph <b>{n}</b>: <i>some</i> words and a <a href=/{n}>link</a> to the next one, <span>and so on</span> and on.</p></div>",
            n % 9
        )
    };
    (0..PARAGRAPHS).map(paragraph).collect()
}

fn main() -> anyhow::Result<ExitCode> {
    // `cargo test --all-targets` starts it, too.
    if !std::env::args().any(|argument| argument == "--bench") {
        return Ok(ExitCode::SUCCESS);
    }
    let servers = Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let small = servers.block_on(host(1, "<title>small</title>".into(), LATENCY))?;
    let heavy = servers.block_on(host(2, heavy_page(), Duration::ZERO))?;
    let urls = |address, count| (0..count).map(move |n| format!("http://{address}/{n}"));
    let (few, many): (Vec<_>, Vec<_>) = (urls(small, SMALL).collect(), urls(heavy, HEAVY).collect());
    let mut out = io::stdout().lock();
    writeln!(out, "{:<12} {:>9} {:>9} {:>9} {:>9} {:>9}", "", "median ms", "99 % ms", "most ms", "wall s", "cores")?;
    write!(out, "{}", run(&few, small)?.line("small"))?;
    write!(out, "{}", run(&many, small)?.line("heavy"))?;
    write!(out, "{}", run(&[few, many].concat(), small)?.line("both"))?;
    Ok(ExitCode::SUCCESS)
}
