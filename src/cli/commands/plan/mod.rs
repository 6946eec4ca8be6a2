//! `scrape plan SOURCE...`: what a list comes to before anybody is asked. The keys of its JSON are always all present;
//! [`VERSION`] changes when one is removed or means something else.

mod text;

use std::io::{self, IsTerminal};

use anyhow::Context;
use indicatif::ProgressBar;
use serde_json::{Value, json};

use super::{options, run as job};
use crate::cli::args::{self, ReportFormat};
use crate::cli::config::Environment;
use crate::cli::exit::{Status, Stop};
use crate::cli::logging::{self, Voice};
use crate::cli::outputs;
use crate::cli::sheet::Screen;
use crate::frontier::Width;
use crate::frontier::rehearsal::{Bound, Forecast, Suppositions, Told, rehearse};
use crate::seeds;
use crate::sink::escape_json;

/// The version of a plan, its key `v`.
const VERSION: u64 = 1;

/// What a run takes by itself, for each URL of its list, and for each request in flight (benches/README.md), in bytes.
const OF_ALL: u64 = 16 << 20;
const OF_A_URL: u64 = 12;
const OF_A_URL_BY_128_BITS: u64 = 22;
const OF_A_REQUEST: u64 = 28 << 10;
/// What a page is supposed to have, in bytes: its body and its text take that each.
const PAGE: u64 = 100_000;

pub(in crate::cli) fn run(args: &args::Plan, environment: &Environment) -> Result<Status, Stop> {
    let voice = Voice::new(ProgressBar::hidden(), args.general.quiet);
    logging::start(&voice, args.general.verbose);
    let max_body = seeds::Options::default().max_body;
    let seeds = job::open_seeds(&args.input, job::sources(&args.input, Vec::new())?, (max_body, None))?;
    let breakages = seeds.breakages();
    let supposed = Suppositions { concurrency: args.pace.concurrency, latency: args.latency, hosts: args.top };
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let runtime = runtime.context("cannot start the runtime").map_err(Stop::broken)?;
    let forecast = runtime.block_on(rehearse(options::paced(&args.input, &args.pace), &supposed, seeds));
    if forecast.urls + forecast.stored + forecast.bad.count == 0 {
        tracing::warn!("there is no URL in the input");
    }
    let is_terminal = io::stdout().is_terminal();
    let text = match args.format.unwrap_or(if is_terminal { ReportFormat::Text } else { ReportFormat::Json }) {
        ReportFormat::Json => json(&forecast, args),
        ReportFormat::Text => {
            let screen = Screen { width: outputs::width(), color: is_terminal && environment.wants_color };
            text::page(&forecast, args, screen)
        }
    };
    let status = super::print(text.as_bytes())?;
    let broken = breakages.take();
    for error in &broken {
        tracing::error!("{error}");
    }
    Ok(status.max(if broken.is_empty() { Status::Success } else { Status::Broken }))
}

/// The memory that a run takes, in bytes.
fn memory(forecast: &Forecast, fingerprints: Width) -> u64 {
    let in_flight = u64::try_from(forecast.in_flight).unwrap_or(u64::MAX);
    let of_a_url = match fingerprints {
        Width::Bits64 => OF_A_URL,
        Width::Bits128 => OF_A_URL_BY_128_BITS,
    };
    let of_urls = (forecast.urls + forecast.stored) * of_a_url;
    OF_ALL + of_urls + in_flight.saturating_mul(OF_A_REQUEST + 2 * PAGE)
}

fn json(forecast: &Forecast, args: &args::Plan) -> String {
    let hosts = forecast
        .largest
        .iter()
        .map(|share| json!({"host": share.host, "urls": share.urls, "seconds": share.time.as_secs_f64()}));
    let bound = forecast.bound.map(|bound| match bound {
        Bound::Host => "host",
        Bound::Concurrency => "concurrency",
        Bound::Rate => "rate",
        Bound::Order => "order",
    });
    let plan = json!({
        "v": VERSION,
        "urls": forecast.urls,
        "archived": forecast.stored,
        "duplicates": told(&forecast.duplicates),
        "bad": told(&forecast.bad),
        "hosts": {"count": forecast.hosts, "largest": hosts.collect::<Vec<_>>()},
        "seconds": forecast.time.as_secs_f64(),
        "bound": bound,
        "in_flight": forecast.in_flight,
        "memory": memory(forecast, args.input.dedupe_bits),
        "supposed": {"latency_ms": args.latency.as_secs_f64() * 1000.0, "page": PAGE},
    });
    escape_json(&format!("{plan:#}\n"))
}

fn told(told: &Told) -> Value {
    let lines = told.lines.iter().map(|line| {
        let (file, number) = (line.at.file.as_deref(), line.at.line);
        json!({"file": file, "line": number, "given": line.given, "reason": line.reason})
    });
    json!({"count": told.count, "lines": lines.collect::<Vec<_>>()})
}
