//! `scrape SOURCE...`: the main job.

use std::fs::File;
use std::io::{self, IsTerminal};
use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, anyhow};
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

use super::options;
use crate::cli::args::{self, ProgressMode, Run};
use crate::cli::config::Environment;
use crate::cli::cookies::{self, Cookies};
use crate::cli::exit::{Status, Stop};
use crate::cli::files;
use crate::cli::logging::{self, Voice};
use crate::cli::outputs::{self, Outputs};
use crate::cli::progress::{self, Progress};
use crate::cli::signals::{self, Caught};
use crate::cli::summary::{self, Conclusion};
use crate::engine::{Engine, Sink};
use crate::extract::Ask;
use crate::fetch::Fetcher;
use crate::frontier::Frontier;
use crate::job::Summary;
use crate::seeds::{self, Seeds, Source};
use crate::sink::expect::Contract;
use crate::visit::{Local, Recorded, Replay, Visit};

/// What visits jobs: from here, or what they bring along.
type Visitor = Replay<Box<dyn Visit>>;

/// A run that is ready to start.
struct Plan {
    seeds: Seeds,
    engine: Engine<Visitor>,
    sinks: Vec<Box<dyn Sink>>,
    contract: Contract,
    voice: Voice,
    /// Where the totals go.
    summary: Option<File>,
    cookies: Option<Cookies>,
    /// Whether the reader of all that is written has gone.
    unread: Arc<AtomicBool>,
}

pub(in crate::cli) fn run(args: &Run, asks: &[Ask], environment: &Environment) -> Result<Status, Stop> {
    let plan = plan(args, asks, environment)?;
    let runtime = Runtime::new().context("cannot start the runtime").map_err(Stop::broken)?;
    let status = carry_out(plan, args, &runtime);
    // A lookup that nobody waits for any more must not hold up the end.
    runtime.shutdown_background();
    status
}

/// Runs the plan and tells what came of it. Signals are watched until all of that is done.
fn carry_out(plan: Plan, args: &Run, runtime: &Runtime) -> Result<Status, Stop> {
    let Plan { seeds, engine, sinks, contract, voice, summary, cookies, unread } = plan;
    let (breakages, frontier) = (seeds.breakages(), engine.frontier.clone());
    let (ran, caught) = runtime.block_on(drive(engine, seeds, sinks, voice.clone()))?;
    let saved = cookies.map_or(Ok(()), Cookies::save);
    let totals = ran.map_err(Stop::broken)?;
    let (is_unread, breakages) = (unread.load(Ordering::Relaxed), breakages.take());
    let is_complete = !is_unread && caught.status().is_none() && breakages.is_empty();
    let conclusion = Conclusion::new(totals, &contract, is_complete);
    let status = if is_unread { Status::Success } else { conclusion.status(args.output.fail_on) };
    let mut status = status.max(caught.status().unwrap_or(Status::Success));
    let broken = breakages.into_iter().map(|error| error.to_string());
    for error in broken.chain(saved.err().map(|error| format!("{error:#}"))) {
        tracing::error!("{error}");
        status = status.max(Status::Broken);
    }
    if let Some(file) = summary {
        let written = summary::write(file, &conclusion, status);
        written.context("cannot write the file of --summary").map_err(Stop::broken)?;
    }
    report(args, &conclusion, status, &voice);
    if !is_unread {
        conclusion.complaints().for_each(|complaint| tracing::error!("{complaint}"));
    }
    let left = frontier.progress().targets - conclusion.totals.targets;
    if caught.status().is_some() && left > 0 {
        voice.say(format_args!("stopped early: at least {left} URLs were not started"));
    }
    Ok(status)
}

/// Opens everything that can be wrong before the first fetch.
fn plan(args: &Run, asks: &[Ask], environment: &Environment) -> Result<Plan, Stop> {
    let bar = progress::bar(args.display.progress, args.general.quiet);
    let voice = Voice::new(bar.clone(), args.general.quiet);
    logging::start(&voice, args.general.verbose);
    let extractor = options::extractor(asks)?;
    let (fields, duplicate_of): (Arc<[_]>, _) = (extractor.names().into(), extractor.duplicate_of());
    let contract = contract(&args.output.expect, Arc::clone(&fields))?;
    let mut fetching = options::fetch(&args.fetching, environment)?;
    fetching.connection.idle_per_host = args.pace.per_host.get();
    if outputs::want_raw_bodies(&args.output) {
        options::keep_raw(&mut fetching.limits, &args.fetching.limits);
    }
    let limits = fetching.limits.clone();
    let mut fetcher = Fetcher::new(fetching).map_err(Stop::usage)?;
    let cookies = cookies::open(&args.fetching.request, args.output.output.iter().chain(&args.output.summary))?;
    if let Some(cookies) = &cookies {
        fetcher = fetcher.with_cookies(Arc::clone(&cookies.jar));
    }
    let local = Local::new(fetcher, extractor, args.output.ok_status.clone().unwrap_or_default());
    let reader = local.reader().clone();
    let wants_exchanges = outputs::want_exchanges(&args.output);
    let live: Box<dyn Visit> = if wants_exchanges { Box::new(Recorded::new(local)) } else { Box::new(local) };
    let visitor = Replay::new(live, reader, limits);
    let files = files::afford(args.pace.concurrency, args.output.output.len());
    let frontier = Frontier::new(options::frontier(args, files)?);
    let (cancel, unread) = (CancellationToken::new(), Arc::new(AtomicBool::new(false)));

    let sources = sources(&args.input)?;
    let seeds = open_seeds(args, sources.clone())?;
    let on_close = {
        let (frontier, cancel, unread) = (frontier.clone(), cancel.clone(), Arc::clone(&unread));
        move || {
            unread.store(true, Ordering::Relaxed);
            frontier.close();
            cancel.cancel();
        }
    };
    let options = outputs::options(&args.output, fields, environment);
    let Outputs { mut sinks, summary } = outputs::open(&args.output, &sources, &options, &bar, on_close)?;
    sinks.push(Box::new(contract.clone()));
    let mut sinks = outputs::arrange(sinks, args.output.ordered, duplicate_of);
    sinks.push(Box::new(Progress::start(args.display.progress, &frontier, bar, &voice)));
    ensure_files()?;
    let engine = Engine { frontier, visitor: Arc::new(visitor), concurrency: files.concurrency, cancel };
    Ok(Plan { seeds, engine, sinks, contract, voice, summary, cookies, unread })
}

/// Runs the engine as one of the runtime's tasks: its visits are then handed from task to task within a thread, and not
/// from thread to thread.
async fn drive(
    engine: Engine<Visitor>,
    seeds: Seeds,
    sinks: Vec<Box<dyn Sink>>,
    voice: Voice,
) -> Result<(io::Result<Summary>, Caught), Stop> {
    let caught = signals::watch(engine.frontier.clone(), engine.cancel.clone(), voice)
        .context("cannot watch for signals")
        .map_err(Stop::broken)?;
    let ran = tokio::spawn(async move { engine.run(seeds, sinks).await }).await;
    Ok((ran.unwrap_or_else(|error| resume_unwind(error.into_panic())), caught))
}

fn contract(expectations: &[String], fields: Arc<[Box<str>]>) -> Result<Contract, Stop> {
    Contract::new(expectations, fields).map_err(|error| {
        let hint = error.hint().to_owned();
        Stop::usage(error).with_hint(Some(hint))
    })
}

fn ensure_files() -> Result<(), Stop> {
    files::ensure().context("cannot open as many files as a run needs").map_err(|error| {
        let hint = "raise the limit of open files (ulimit -n), or close what was left open";
        Stop::broken(error).with_hint(Some(hint.into()))
    })
}

fn sources(args: &args::Input) -> Result<Vec<Source>, Stop> {
    if args.sources.is_empty() && io::stdin().is_terminal() {
        let hint = "scrape urls.txt, scrape https://example.com, or … | scrape -   (all options: scrape --help)";
        return Err(Stop::usage(anyhow!("no source: name a URL or a file of URLs")).with_hint(Some(hint.into())));
    }
    if args.sources.is_empty() {
        return Ok(vec![Source::Stdin]);
    }
    let sources: Vec<_> = args.sources.iter().cloned().map(Source::from_argument).collect();
    for source in sources.iter().filter(|source| args.column.is_none() && looks_like_a_table(source)) {
        tracing::warn!("{source} is read as a list of URLs: --column NAME reads a table");
    }
    Ok(sources)
}

fn looks_like_a_table(source: &Source) -> bool {
    match source {
        Source::File(path) => path.extension().is_some_and(|extension| extension == "csv" || extension == "tsv"),
        Source::Url(_) | Source::Stdin => false,
    }
}

fn open_seeds(args: &Run, sources: Vec<Source>) -> Result<Seeds, Stop> {
    let (input, max_body) = (&args.input, args.fetching.limits.max_body);
    let options = seeds::Options { default_scheme: input.default_scheme, column: input.column.clone(), max_body };
    seeds::open(sources, options).map_err(|error| {
        let hint = error.hint();
        Stop::broken(error).with_hint(hint)
    })
}

/// Tells what the run came to: in full on a terminal or when asked, in a log only what went wrong.
fn report(args: &Run, conclusion: &Conclusion, status: Status, voice: &Voice) {
    let totals = &conclusion.totals;
    let is_wanted = args.general.verbose > 0 || args.display.progress == ProgressMode::Log;
    if totals.targets == 0 && status <= Status::Unexpected {
        tracing::warn!("there is no URL in the input");
    } else if io::stderr().is_terminal() || is_wanted {
        voice.say(summary::lines(conclusion));
    } else if status != Status::Success && totals.failed() > 0 {
        voice.say(summary::complaint(totals));
    }
}
