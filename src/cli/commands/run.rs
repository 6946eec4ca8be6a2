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
use crate::cache::Cache;
use crate::cli::args::{self, ProgressMode, Run};
use crate::cli::config::Environment;
use crate::cli::cookies::{self, Cookies};
use crate::cli::exit::{Status, Stop};
use crate::cli::files;
use crate::cli::logging::{self, Voice};
use crate::cli::outputs::{self, Opened, Outputs};
use crate::cli::progress::{self, Progress};
use crate::cli::signals;
use crate::cli::summary::{self, Conclusion, Ending};
use crate::engine::{Engine, Sink};
use crate::extract::{Ask, Extractor};
use crate::fetch::{self, Fetcher};
use crate::frontier::Frontier;
use crate::job::Summary;
use crate::seeds::{self, Seeds, Source};
use crate::sink::expect::Contract;
use crate::sink::journal::Rules;
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
    let (ran, caught) = runtime.block_on(async {
        let (cancel, deadline) = (engine.cancel.clone(), args.endurance.deadline);
        let caught = signals::watch(engine.frontier.clone(), cancel, voice.clone(), deadline)
            .context("cannot watch for signals")
            .map_err(Stop::broken)?;
        Ok::<_, Stop>((drive(engine, seeds, sinks).await, caught))
    })?;
    let saved = cookies.map_or(Ok(()), Cookies::save);
    let totals = ran.map_err(Stop::broken)?;
    let (is_unread, breakages) = (unread.load(Ordering::Relaxed), breakages.take());
    let is_whole = caught.status().is_none() && breakages.is_empty() && totals.done_before == 0;
    let mut conclusion = Conclusion::new(totals, &contract, is_whole && !is_unread);
    conclusion.ended_by = match caught.status() {
        Some(Status::Unfinished) => Some(Ending::Deadline),
        Some(_) => Some(Ending::Signal),
        None => frontier.progress().limit.map(Ending::Limit),
    };
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
    let options = outputs::options(&args.output, &extractor, environment);
    let duplicate_of = extractor.duplicate_of();
    let contract = options::contract(&args.output.expect, &extractor)?;
    let others = args.output.output.len() + extractor.files();
    let mut fetching = options::fetch(&args.fetching, environment)?;
    fetching.connection.idle_per_host = args.pace.per_host.get();
    fetching.connection.trace = extractor.needs_timing();
    if outputs::want_raw_bodies(&args.output) {
        options::keep_raw(&mut fetching.limits, &args.fetching.limits);
    }
    let limits = fetching.limits.clone();
    let mut fetcher = Fetcher::new(fetching).map_err(Stop::usage)?;
    if args.cache.offline {
        fetcher = fetcher.offline();
    }
    if let Some(cache) = open_cache(args)? {
        fetcher = fetcher.with_cache(Arc::new(cache));
    }
    let written = args.output.output.iter().chain(&args.output.summary).chain(&args.endurance.failed_to);
    let cookies = cookies::open(&args.fetching.request, written)?;
    if let Some(cookies) = &cookies {
        fetcher = fetcher.with_cookies(Arc::clone(&cookies.jar));
    }
    let has_groups = extractor.may_give_several();
    if args.endurance.resume && extractor.recipes().any(|recipe| recipe.next.is_some()) {
        return Err(Stop::usage(anyhow!(
            "--resume does not go with recipes that have `next`: a list that was left half-way would not be gone on with"
        )));
    }
    let visitor = visitor(args, fetcher, extractor, limits);
    let files = files::afford(args.pace.concurrency, others);
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
    let is_idempotent = options::retry(&args.fetching)?.idempotent;
    let mut opened = outputs::open(&args.output, args.endurance.failed_to.as_deref(), &sources, &options)?;
    if args.endurance.resume {
        let retry_failed = args.endurance.retry_failed;
        let rules = Rules { fields: &options.fields, retry_failed, is_idempotent, has_groups };
        resume(args, &mut opened, rules, &frontier)?;
    }
    let Outputs { mut sinks, summary } = opened.start(&options, is_idempotent, &bar, on_close)?;
    sinks.push(Box::new(contract.clone()));
    let mut sinks = outputs::arrange(sinks, args.output.ordered, duplicate_of);
    sinks.push(Box::new(Progress::start(args.display.progress, &frontier, bar, &voice)));
    ensure_files()?;
    let engine = Engine { frontier, visitor: Arc::new(visitor), concurrency: files.concurrency, cancel };
    Ok(Plan { seeds, engine, sinks, contract, voice, summary, cookies, unread })
}

/// Runs the engine as one of the runtime's tasks: its visits are then handed from task to task within a thread, and not
/// from thread to thread.
async fn drive(engine: Engine<Visitor>, seeds: Seeds, sinks: Vec<Box<dyn Sink>>) -> io::Result<Summary> {
    let ran = tokio::spawn(async move { engine.run(seeds, sinks).await }).await;
    ran.unwrap_or_else(|error| resume_unwind(error.into_panic()))
}

/// The cache that the options name.
fn open_cache(args: &Run) -> Result<Option<Cache>, Stop> {
    let args::Cache { cache: Some(path), cache_size, offline } = &args.cache else { return Ok(None) };
    if outputs::want_raw_bodies(&args.output) {
        let error = anyhow!("--cache does not go with an archive, which is of all that goes over the wire");
        return Err(
            Stop::usage(error).with_hint(Some("fetch once into the archive: it is a source for later runs".into()))
        );
    }
    let opened = if *offline { Cache::open_to_read(path) } else { Cache::open(path, *cache_size) };
    opened.map(Some).with_context(|| format!("cannot open the cache {}", path.display())).map_err(Stop::broken)
}

/// What visits the jobs.
fn visitor(args: &Run, fetcher: Fetcher, extractor: Extractor, limits: fetch::Limits) -> Visitor {
    let local = Local::new(fetcher, extractor, args.output.ok_status.clone().unwrap_or_default());
    let reader = local.reader().clone();
    let wants_exchanges = outputs::want_exchanges(&args.output);
    let live: Box<dyn Visit> = if wants_exchanges { Box::new(Recorded::new(local)) } else { Box::new(local) };
    Replay::new(live, reader, limits)
}

/// Has the frontier skip what the output has already.
fn resume(args: &Run, opened: &mut Opened, rules: Rules<'_>, frontier: &Frontier) -> Result<(), Stop> {
    let excluded = [
        ("--dedupe-text", args.extraction.dedupe_text, "the texts of the earlier run are not known any more"),
        ("--keep-duplicates", args.input.keep_duplicates, "nothing tells which of a URL's lines its records are of"),
        ("--ordered", args.output.ordered, "what is tried again comes behind what is done already"),
    ];
    if let Some((option, _, why)) = excluded.into_iter().find(|&(_, is_given, _)| is_given) {
        return Err(Stop::usage(anyhow!("--resume does not go with {option}: {why}")));
    }
    opened.resume(rules, |url| frontier.skip(url))
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
    if totals.targets == 0 && totals.done_before == 0 && status <= Status::Unexpected {
        tracing::warn!("there is no URL in the input");
    } else if io::stderr().is_terminal() || is_wanted {
        voice.say(summary::lines(conclusion));
    } else if status != Status::Success && totals.failed() > 0 {
        voice.say(summary::complaint(totals));
    }
}
