//! The script that everybody writes first, many at once: the length of each page of a list.
//!
//! ```sh
//! cargo run --release --example fetch_list urls.txt
//! ```

use std::io::{self, Write};

use scrape::engine::Engine;
use scrape::job::Outcome;
use scrape::seeds::{self, Source};
use scrape::visit::Local;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let list = std::env::args_os().nth(1).unwrap_or_else(|| "urls.txt".into());
    let seeds = seeds::open(vec![Source::from_argument(list)], seeds::Options::default())?;
    let print = |outcome: &Outcome| match (&outcome.facts, outcome.failure()) {
        (Some(facts), None) => writeln!(io::stdout(), "{} {}", outcome.target.given, facts.length.unwrap_or(0)),
        (_, failure) => writeln!(io::stderr(), "{} {failure:?}", outcome.target.given),
    };
    Engine::new(Local::default()).run(seeds, vec![Box::new(print)]).await?;
    Ok(())
}
