//! The program on a long list of which one URL in ten is at a hostile server, beside the same list without those.
//!
//! ```sh
//! cargo bench --bench soak            # 20,000 URLs
//! cargo bench --bench soak -- 2000    # fewer
//! ```
//!
//! For both it tells how many records came, how many URLs have none or too many, how many records are not what they
//! should be, the most memory that the program had, and when the last fine page and the last record came. It fails
//! unless there is exactly one right record for each URL.

use std::collections::HashMap;
use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context;
use serde_json::Value;

mod world;

use world::{MAX_BODY, Manner, Page, World};

const URLS: usize = 20_000;

const ARGUMENTS: [&str; 11] =
    ["--no-config", "-f", "jsonl", "-c", "256", "--max-time", "5", "--retry-delay", "100ms", "--max-body", MAX_BODY];

/// What came of a run.
#[derive(Default)]
struct Soak {
    urls: usize,
    records: usize,
    lost: usize,
    doubled: usize,
    wrong: usize,
    /// Bytes.
    peak: u64,
    last_fine: Duration,
    last: Duration,
}

impl Soak {
    fn is_right(&self) -> bool {
        (self.records, self.lost, self.doubled, self.wrong) == (self.urls, 0, 0, 0)
    }

    fn line(&self, name: &str) -> String {
        let Self { urls, records, lost, doubled, wrong, peak, last_fine, last } = self;
        let (fine, all, mib) = (last_fine.as_secs_f64(), last.as_secs_f64(), peak >> 20);
        format!(
            "{name:<14} {urls:>7} {records:>8} {lost:>6} {doubled:>8} {wrong:>6} {mib:>9} {fine:>12.2} {all:>11.2}\n"
        )
    }
}

/// Runs the program over these pages.
fn soak(pages: &[&Page]) -> anyhow::Result<Soak> {
    let mut program = Command::new(env!("CARGO_BIN_EXE_scrape"));
    program.args(ARGUMENTS).env_clear().stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let start = Instant::now();
    let mut child = program.spawn().context("cannot start the program")?;
    let list: String = pages.iter().map(|page| page.url.clone() + "\n").collect();
    let mut stdin = child.stdin.take().context("its standard input")?;
    std::thread::spawn(move || stdin.write_all(list.as_bytes()));

    let mut soak = Soak { urls: pages.len(), ..Soak::default() };
    let mut open: HashMap<_, _> = pages.iter().map(|page| (page.url.as_str(), (*page, 0))).collect();
    for line in BufReader::new(child.stdout.take().context("its standard output")?).lines() {
        let record: Value = serde_json::from_str(&line?)?;
        soak.records += 1;
        soak.last = start.elapsed();
        // A number that only grows; when the last record has come it may be too late to ask.
        soak.peak = peak_memory(child.id()).unwrap_or(soak.peak);
        let Some((page, count)) = record["url"].as_str().and_then(|url| open.get_mut(url)) else {
            soak.wrong += 1;
            continue;
        };
        *count += 1;
        soak.wrong += usize::from(!is_right(page, &record));
        if page.manner == Manner::Fine {
            soak.last_fine = soak.last;
        }
    }
    child.wait()?;
    soak.lost = open.values().filter(|(_, count)| *count == 0).count();
    soak.doubled = open.values().filter(|(_, count)| *count > 1).count();
    Ok(soak)
}

fn is_right(page: &Page, record: &Value) -> bool {
    match page.manner.kind() {
        Some(kind) => record["error"]["kind"] == kind,
        None => record["error"].is_null() && record["title"] == page.path,
    }
}

/// The most memory that a process has had, in bytes. Only Linux tells.
fn peak_memory(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let kib = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?.trim().strip_suffix(" kB")?;
    kib.parse::<u64>().ok()?.checked_mul(1024)
}

fn main() -> anyhow::Result<ExitCode> {
    // `cargo test --all-targets` starts it, too.
    if !std::env::args().any(|argument| argument == "--bench") {
        return Ok(ExitCode::SUCCESS);
    }
    let urls = std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(URLS);
    let world = World::start(160, 4).context("cannot make a world")?;
    let pages = world.pages(urls);
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "{:<14} {:>7} {:>8} {:>6} {:>8} {:>6} {:>9} {:>12} {:>11}",
        "", "URLs", "records", "lost", "doubled", "wrong", "peak MiB", "last fine s", "last s"
    )?;
    let fine: Vec<_> = pages.iter().filter(|page| page.manner == Manner::Fine).collect();
    let alone = soak(&fine)?;
    write!(out, "{}", alone.line("fine alone"))?;
    let mixed = soak(&pages.iter().collect::<Vec<_>>())?;
    write!(out, "{}", mixed.line("with hostile"))?;
    Ok(if alone.is_right() && mixed.is_right() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
