//! The program as its users meet it: the real binary against a local site that can misbehave.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod support;

mod article;
mod config;
mod dedupe;
mod engine;
mod exit;
mod extract;
mod fetch;
mod input;
mod layering;
mod output;
mod page;
mod politeness;
mod readme;
mod redirects;
mod request;
mod retry;
mod signals;
mod terminal;
mod tls;
