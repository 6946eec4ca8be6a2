//! `scrape explain URL`: one URL goes through the stages of a run, and what each of them did is told.
//!
//! The engine and its frontier are those of a run, with the one difference that a failure is not tried again: the rules
//! are asked whether it would be. Nothing that may be a secret is written: credentials, cookies, bodies that are sent, and
//! the values of header fields but the harmless ones are `…`.

mod curl;
mod json;
mod report;
mod text;

use std::io::{self, IsTerminal};
use std::panic::resume_unwind;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context;
use indicatif::ProgressBar;
use tokio::runtime::Runtime;

use self::report::Report;
use super::options;
use crate::cli::args::{Explain, ReportFormat};
use crate::cli::config::Environment;
use crate::cli::cookies::{self, Cookies};
use crate::cli::exit::{FailOn, Status, Stop};
use crate::cli::logging::{self, Voice};
use crate::cli::{outputs, signals};
use crate::engine::Engine;
use crate::extract::{Ask, Extractor};
use crate::fetch::{Fetcher, Trace};
use crate::frontier::{self, Frontier, RetryOptions};
use crate::job::{Outcome, Summary};
use crate::seeds::{self, Seeds, Source};
use crate::visit::{Accepted, Local, Traced};

/// What one URL led to.
#[derive(Default)]
struct Story {
    /// Every request and what came of it.
    visits: Vec<(Outcome, Trace)>,
    /// What came of the URL; none if the run was stopped before it began.
    last: Option<Outcome>,
    totals: Summary,
    /// What a signal asked for.
    caught: Option<Status>,
}

pub(in crate::cli) fn run(args: &Explain, asks: &[Ask], environment: &Environment) -> Result<Status, Stop> {
    let voice = Voice::new(ProgressBar::hidden(), args.general.quiet);
    logging::start(&voice, args.general.verbose);
    let extractor = Extractor::new(asks).map_err(Stop::usage)?;
    let mut fetching = options::fetch(&args.fetching, environment)?;
    fetching.connection.describe_tls = true;
    let (request, retry) = (fetching.request.clone(), options::retry(&args.fetching)?);
    let mut fetcher = Fetcher::new(fetching).map_err(Stop::usage)?;
    let cookies = cookies::open(&args.fetching.request, [])?;
    if let Some(cookies) = &cookies {
        fetcher = fetcher.with_cookies(Arc::clone(&cookies.jar));
    }
    let local = Local::new(fetcher, Extractor::new(asks).map_err(Stop::usage)?, Accepted::default());
    let seeds = seeds::open(vec![Source::Url(args.url.clone())], seeds::Options::default()).map_err(Stop::broken)?;

    let runtime = Runtime::new().context("cannot start the runtime").map_err(Stop::broken)?;
    let story = runtime.block_on(drive(engine(local, &retry), seeds, voice));
    // A lookup that nobody waits for any more must not hold up the end.
    runtime.shutdown_background();
    let Story { visits, last, totals, caught } = story?;
    let saved = cookies.map_or(Ok(()), Cookies::save).map_err(Stop::broken);
    if let Some(last) = last {
        let curl = curl::command(&args.fetching, &request, &last);
        let report = Report { curl, ..Report::new(report::requests(visits, &request), last, &extractor) };
        print(&report, &retry, args.format, environment)?;
    }
    saved.map(|()| Status::of(&totals, FailOn::Any).max(caught.unwrap_or(Status::Success)))
}

fn print(
    report: &Report,
    retry: &RetryOptions,
    format: ReportFormat,
    environment: &Environment,
) -> Result<Status, Stop> {
    let text = match format {
        ReportFormat::Json => json::text(report, retry),
        ReportFormat::Text => {
            let color = io::stdout().is_terminal() && environment.wants_color;
            text::page(report, retry, text::Screen { width: outputs::width(), color })
        }
    };
    super::print(text.as_bytes())
}

/// The engine of a run that tries nothing again.
fn engine(visitor: Local, retry: &RetryOptions) -> Engine<Traced<Local>> {
    let retry = RetryOptions { retries: 0, ..retry.clone() };
    let frontier = Frontier::new(frontier::Options { retry, ..frontier::Options::default() });
    Engine { frontier, ..Engine::new(Traced::new(visitor)) }
}

async fn drive(engine: Engine<Traced<Local>>, seeds: Seeds, voice: Voice) -> Result<Story, Stop> {
    let caught = signals::watch(engine.frontier.clone(), engine.cancel.clone(), voice, None)
        .context("cannot watch for signals")
        .map_err(Stop::broken)?;
    let last = Arc::new(Mutex::new(None));
    let visitor = Arc::clone(&engine.visitor);
    let keep = {
        let last = Arc::clone(&last);
        move |outcome: &Outcome| {
            *last.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome.clone());
            Ok(())
        }
    };
    let ran = tokio::spawn(async move { engine.run(seeds, vec![Box::new(keep)]).await }).await;
    let totals = ran.unwrap_or_else(|error| resume_unwind(error.into_panic())).map_err(Stop::broken)?;
    let last = last.lock().unwrap_or_else(PoisonError::into_inner).take();
    Ok(Story { visits: visitor.take(), last, totals, caught: caught.status() })
}
