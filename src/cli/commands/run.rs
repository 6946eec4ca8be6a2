//! `scrape SOURCE...`: the main job.

use std::io::{self, IsTerminal};
use std::sync::Arc;

use anyhow::{Context, anyhow};
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

use super::options;
use crate::cli::args::{self, Run};
use crate::cli::config::Environment;
use crate::cli::exit::{Status, Stop};
use crate::cli::logging::{self, Voice};
use crate::cli::progress::{self, Progress};
use crate::cli::signals::{self, Caught};
use crate::cli::{files, outputs, summary};
use crate::engine::{Engine, Sink};
use crate::extract::{Ask, Extractor};
use crate::fetch::Fetcher;
use crate::frontier::Frontier;
use crate::job::Summary;
use crate::seeds::{self, Seeds, Source};
use crate::visit::Local;

/// A run that is ready to start.
struct Plan {
    seeds: Seeds,
    engine: Engine<Local>,
    sinks: Vec<Box<dyn Sink>>,
    voice: Voice,
}

pub(in crate::cli) fn run(args: &Run, asks: &[Ask], environment: &Environment) -> Result<Status, Stop> {
    let plan = plan(args, asks, environment)?;
    let (frontier, voice, breakages) = (plan.engine.frontier.clone(), plan.voice.clone(), plan.seeds.breakages());
    let runtime = Runtime::new().context("cannot start the runtime").map_err(Stop::broken)?;
    let (ran, caught) = runtime.block_on(drive(plan))?;
    // A lookup that nobody waits for any more must not hold up the end.
    runtime.shutdown_background();

    let summary = match ran {
        Ok(summary) => summary,
        // Whoever reads the records has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(Status::Success),
        Err(error) => return Err(Stop::broken(error)),
    };
    let mut status = Status::of(&summary, args.output.fail_on).max(caught.status().unwrap_or(Status::Success));
    for error in breakages.take() {
        tracing::error!("{error}");
        status = status.max(Status::Broken);
    }
    report(args, &summary, status, &voice)?;
    if caught.status().is_some() {
        let left = frontier.progress().targets - summary.targets;
        voice.say(format_args!("stopped before the end: {left} of the URLs read so far were not started"));
    }
    Ok(status)
}

/// Opens everything that can be wrong before the first fetch.
fn plan(args: &Run, asks: &[Ask], environment: &Environment) -> Result<Plan, Stop> {
    let bar = progress::bar(args.general.progress, args.general.quiet);
    let voice = Voice::new(bar.clone(), args.general.quiet);
    logging::start(&voice, args.general.verbose);
    let extractor = Extractor::new(asks).map_err(Stop::usage)?;
    let fields = extractor.names().into();
    let fetcher = Fetcher::new(options::fetch(args)?).map_err(Stop::usage)?;
    let visitor = Local::new(fetcher, extractor, args.output.ok_status.clone().unwrap_or_default());
    let sources = sources(&args.input)?;
    let seeds = open_seeds(&args.input, sources.clone())?;
    let mut sinks = outputs::open(&args.output, &sources, &outputs::options(fields, environment), &bar)?;
    let frontier = Frontier::new(options::frontier(args));
    sinks.push(Box::new(Progress::start(args.general.progress, &frontier, bar, &voice)));
    let concurrency = files::afford(args.pace.concurrency);
    let engine = Engine { frontier, visitor: Arc::new(visitor), concurrency, cancel: CancellationToken::new() };
    Ok(Plan { seeds, engine, sinks, voice })
}

async fn drive(plan: Plan) -> Result<(io::Result<Summary>, Caught), Stop> {
    let Plan { seeds, engine, sinks, voice } = plan;
    let caught = signals::watch(engine.frontier.clone(), engine.cancel.clone(), voice)
        .context("cannot watch for signals")
        .map_err(Stop::broken)?;
    Ok((engine.run(seeds, sinks).await, caught))
}

fn sources(args: &args::Input) -> Result<Vec<Source>, Stop> {
    if !args.sources.is_empty() {
        return Ok(args.sources.iter().cloned().map(Source::from_argument).collect());
    }
    if io::stdin().is_terminal() {
        let hint = "scrape urls.txt, scrape https://example.com, or … | scrape -   (all options: scrape --help)";
        return Err(Stop::usage(anyhow!("no source: name a URL or a file of URLs")).with_hint(Some(hint.into())));
    }
    Ok(vec![Source::Stdin])
}

fn open_seeds(args: &args::Input, sources: Vec<Source>) -> Result<Seeds, Stop> {
    let options = seeds::Options { default_scheme: args.default_scheme, column: args.column.clone() };
    seeds::open(sources, options).map_err(|error| {
        let hint = error.hint();
        Stop::broken(error).with_hint(hint)
    })
}

/// Tells what the run came to: in full on a terminal or when asked, in a log only what went wrong.
fn report(args: &Run, summary: &Summary, status: Status, voice: &Voice) -> Result<(), Stop> {
    if let Some(path) = &args.output.summary {
        summary::write(path, summary, status)
            .with_context(|| format!("cannot write {}", path.display()))
            .map_err(Stop::broken)?;
    }
    if summary.targets == 0 && status == Status::Success {
        tracing::warn!("there is no URL in the input");
    } else if io::stderr().is_terminal() || args.general.verbose > 0 {
        voice.say(summary::lines(summary));
    } else if status != Status::Success && summary.failed() > 0 {
        voice.say(summary::complaint(summary));
    }
    Ok(())
}
