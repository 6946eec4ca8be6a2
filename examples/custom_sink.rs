//! A sink of one's own: how many pages and bytes each host gave.
//!
//! ```sh
//! cargo run --release --example custom_sink urls.txt
//! ```

use std::collections::BTreeMap;
use std::io::{self, Write};

use scrape::canonical::host_key;
use scrape::engine::{Engine, Sink};
use scrape::job::Outcome;
use scrape::seeds::{self, Source};
use scrape::visit::Local;

#[derive(Default)]
struct Hosts {
    pages_and_bytes: BTreeMap<String, (u64, u64)>,
}

impl Sink for Hosts {
    fn accept(&mut self, outcome: &Outcome) -> io::Result<()> {
        if let (Some(trail), Some(facts)) = (&outcome.trail, &outcome.facts) {
            let (pages, bytes) = self.pages_and_bytes.entry(host_key(&trail.url).into()).or_default();
            *pages += 1;
            *bytes += facts.bytes.unwrap_or(0);
        }
        Ok(())
    }

    fn finish(self: Box<Self>) -> io::Result<()> {
        let mut out = io::stdout().lock();
        self.pages_and_bytes.iter().try_for_each(|(host, (pages, bytes))| writeln!(out, "{host}\t{pages}\t{bytes}"))
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let sources = std::env::args_os().skip(1).map(Source::from_argument).collect();
    let seeds = seeds::open(sources, seeds::Options::default())?;
    Engine::new(Local::default()).run(seeds, vec![Box::new(Hosts::default())]).await?;
    Ok(())
}
