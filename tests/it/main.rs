//! The program as its users meet it: the real binary against a local site that can misbehave.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod support;

mod addresses;
mod archive;
mod article;
mod cache;
mod check;
mod config;
mod contracts;
mod cookies;
mod crawl;
mod crawl_state;
mod cron;
mod database;
mod datasets;
mod dedupe;
mod delivery;
mod engine;
mod exit;
mod explain;
mod expressions;
mod extract;
mod fetch;
mod guess;
mod hostile_connections;
mod hostile_decoding;
mod hostile_framing;
mod hostile_headers;
mod input;
mod jq;
mod kept;
mod layering;
mod log;
mod memory;
mod metrics;
mod output;
mod page;
mod pagination;
mod parquet;
mod politeness;
mod process;
mod readme;
mod recipes;
mod redirects;
mod report;
mod request;
mod resume;
mod retry;
mod reuse;
mod signals;
mod soak;
mod state;
mod terminal;
mod tls;
