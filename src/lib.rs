//! `scrape` fetches lists of URLs, many at once and fair to every host, and turns each page into a record: its length,
//! its title, and the fields that were asked for. This is the library under the program of the same name.
//!
//! ```text
//!  urls.txt / stdin / arguments                                             ┌─ table │ tsv │ jsonl │ csv (stdout, files)
//!         │                                                                 ├─ progress (stderr)
//!         ▼            Job                 Outcome                          ├─ a sink of your own
//!      seeds ──Seed──▶ frontier ──▶ engine ── visit(job) ──▶ settle ──▶ outcomes
//!                         ▲          spawn + buffer_unordered      │
//!                         └── retries, redirects, next pages ───────┘
//!  visit = fetch → page → extract
//! ```
//!
//! The [`frontier`] offers jobs as a stream and does all the waiting: a job comes only when its host may be asked now.
//! A [visitor](visit::Visit) turns one job into one outcome and never fails: a [failure](failure::Failure) is an
//! outcome. The [`engine`] is the short pipeline between them, and every [`Sink`](engine::Sink) sees each final
//! outcome.
//!
//! The modules stand in layers: each uses only those declared above it.
//!
//! ```
//! use scrape::engine::Engine;
//! use scrape::job::Outcome;
//! use scrape::seeds::{self, Source};
//! use scrape::visit::Local;
//!
//! # tokio::runtime::Runtime::new().unwrap().block_on(async {
//! let seeds = seeds::open(vec![Source::from_argument("http://127.0.0.1:9/")], seeds::Options::default())?;
//! let engine = Engine::new(Local::default());
//! # let frontier = scrape::frontier::Frontier::new(scrape::frontier::Options {
//! #     retry: scrape::frontier::RetryOptions { retries: 0, ..Default::default() },
//! #     ..Default::default()
//! # });
//! # let engine = Engine { frontier, ..engine };
//! let print = |outcome: &Outcome| {
//!     match (&outcome.facts, outcome.failure()) {
//!         (Some(facts), None) => println!("{} {:?} {:?}", outcome.target.given, facts.length, facts.title),
//!         (_, failure) => println!("{} {failure:?}", outcome.target.given),
//!     }
//!     Ok(())
//! };
//! let summary = engine.run(seeds, vec![Box::new(print)]).await?;
//! assert_eq!((summary.targets, summary.fetched), (1, 0), "nothing listens on that port");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # }).unwrap();
//! ```

// vocabulary: no I/O, no async
pub mod failure;
pub mod canonical;
pub mod value;
pub mod similarity;
pub mod histogram;
pub mod exchange;
pub mod job;
pub mod record;

// codecs: pure
pub mod dates;
pub mod robots;
pub mod sitemap;
pub mod warc;

// stages: each knows the layers above and, where it must, the stage before
pub mod state;
pub mod seeds;
pub mod frontier;
pub mod cache;
pub mod fetch;
pub mod page;
pub mod extract;

// engine
pub mod visit;
pub mod engine;

// consumers
pub mod sink;
pub mod store;

// application: the only place that prints, reads the environment, knows clap or anyhow
pub mod cli;
