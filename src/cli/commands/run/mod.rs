//! `scrape SOURCE...`: the main job.

mod ending;
mod input;
mod visitor;

use std::fs::File;
use std::io;
use std::panic::resume_unwind;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, anyhow};
use indicatif::ProgressBar;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

use self::ending::{End, report};
pub(super) use self::input::{open_seeds, sources};
use self::visitor::{Fetching, Visitor, fetching, visitor};
use super::options;
use crate::cli::args::{Robots, Run};
use crate::cli::config::Environment;
use crate::cli::cookies::Cookies;
use crate::cli::cron::{self, Turn};
use crate::cli::delivery::Delivery;
use crate::cli::exit::{Status, Stop};
use crate::cli::files;
use crate::cli::logging::{self, Voice};
use crate::cli::metrics::Metrics;
use crate::cli::outputs::{self, Opened, Outputs};
use crate::cli::progress::{self, Progress};
use crate::cli::signals;
use crate::cli::state;
use crate::cli::summary::{self, Conclusion, Crawled};
use crate::engine::{Engine, Sink};
use crate::extract::{Ask, Extractor};
use crate::frontier::{Folder, Frontier};
use crate::job::Summary;
use crate::seeds::{Seeds, Source};
use crate::sink::expect::Contract;
use crate::sink::journal::Rules;
use crate::sink::{Fragments, Options, Tally, Wanted};
use crate::store::Session;
use crate::visit::SitemapOptions;

/// A run that is ready to start.
struct Plan {
    seeds: Seeds,
    engine: Engine<Visitor>,
    sinks: Vec<Box<dyn Sink>>,
    contract: Contract,
    /// Whether what the voice speaks to shows more than ASCII.
    is_utf8: bool,
    /// Where the totals go.
    summary: Option<File>,
    cookies: Option<Cookies>,
    state: Option<Session>,
    delivery: Delivery,
    /// What came of checking links, where they are checked.
    tally: Option<Tally>,
    /// Whether the reader of all that is written has gone.
    unread: Arc<AtomicBool>,
}

pub(in crate::cli) fn run(args: &Run, asks: &[Ask], environment: &Environment) -> Result<Status, Stop> {
    let unattended = &args.unattended;
    logging::speak(args.display.log_format);
    let bar = progress::bar(args.display.mode(!unattended.cron), args.general.quiet);
    let mut voice = Voice::new(bar.clone(), args.general.quiet);
    if unattended.cron && args.general.verbose == 0 {
        voice = voice.hushed();
    }
    logging::start(&voice, args.general.verbose);
    let turn = unattended.cron.then(|| Turn::take(args)).transpose()?;
    let metrics = unattended.metrics.as_deref().map(Metrics::open).transpose();
    let ended = metrics.and_then(|metrics| {
        let ended = attempt(args, asks, environment, (&voice, bar));
        conclude(ended, metrics)
    });
    match turn {
        Some(turn) => turn.end(ended, &voice),
        None => ended,
    }
}

/// Plans the run and carries it out.
fn attempt(
    args: &Run,
    asks: &[Ask],
    environment: &Environment,
    (voice, bar): (&Voice, ProgressBar),
) -> Result<(Status, Conclusion), Stop> {
    let plan = plan(args, asks, environment, (voice, bar))?;
    let runtime = Runtime::new().context("cannot start the runtime").map_err(Stop::broken)?;
    let ended = carry_out(plan, args, voice, &runtime);
    // A lookup that nobody waits for any more must not hold up the end.
    runtime.shutdown_background();
    ended
}

/// Writes the metrics, whatever the run came to.
fn conclude(ended: Result<(Status, Conclusion), Stop>, metrics: Option<Metrics>) -> Result<Status, Stop> {
    let (ended, conclusion) = match ended {
        Ok((status, conclusion)) => (Ok(status), Some(conclusion)),
        Err(stop) => (Err(stop), None),
    };
    let Some(metrics) = metrics else { return ended };
    let status = ended.as_ref().map_or_else(|stop| stop.status, |&status| status);
    let written = metrics.write(status, conclusion.as_ref());
    let written = written.context("cannot write the file of --metrics").map_err(Stop::broken);
    ended.and_then(|status| written.map(|()| status))
}

/// Runs the plan and tells what came of it. Signals are watched until all of that is done.
fn carry_out(plan: Plan, args: &Run, voice: &Voice, runtime: &Runtime) -> Result<(Status, Conclusion), Stop> {
    let Plan { seeds, engine, sinks, contract, is_utf8, summary, cookies, state, delivery, tally, unread } = plan;
    let (breakages, frontier) = (seeds.breakages(), engine.frontier.clone());
    let (ran, caught) = runtime.block_on(async {
        let (cancel, deadline) = (engine.cancel.clone(), args.endurance.deadline);
        let caught = signals::watch(engine.frontier.clone(), cancel, voice.clone(), deadline)
            .context("cannot watch for signals")
            .map_err(Stop::broken)?;
        Ok::<_, Stop>((drive(engine, seeds, sinks).await, caught))
    })?;
    let saved = cookies.map_or(Ok(()), Cookies::save);
    caught.drained();
    let progress = frontier.progress();
    let mut end = End {
        stopped: caught.status(),
        limit: progress.limit,
        is_unread: unread.load(Ordering::Relaxed),
        broken: breakages.take().iter().map(ToString::to_string).collect(),
    };
    let is_undisturbed = end.is_undisturbed();
    let changes = state.as_ref().filter(|_| args.extraction.changed).map(Session::changes);
    let is_at_end = ran.is_ok() && is_undisturbed && end.limit.is_none();
    let concluded = state.map(|state| state.conclude(is_at_end)).transpose();
    let (totals, state) = ran.and_then(|totals| Ok((totals, concluded?))).map_err(|error| break_off(error, args))?;
    let is_whole = is_undisturbed && totals.done_before == 0;
    let mut conclusion = Conclusion::new(totals, &contract, is_whole);
    conclusion.crawl = Crawled {
        is_one: args.crawl.is_one(),
        checked: tally,
        ignores_robots: args.crawl.robots == Robots::Ignore,
        elsewhere: progress.elsewhere,
        beyond_host: progress.beyond_host,
        trapped: frontier.trapped(),
    };
    conclusion.changes = changes;
    (conclusion.slowed, conclusion.given_up) = (frontier.slowed(), frontier.given_up());
    conclusion.ended_by = end.ending();
    end.broken.extend(saved.err().map(|error| format!("{error:#}")));
    end.complain();
    let status = end.status(args, &conclusion);
    let status = delivery.tell(state, &conclusion, (status, runtime));
    if let Some(file) = summary {
        let written = summary::write(file, &conclusion, status);
        written.context("cannot write the file of --summary").map_err(Stop::broken)?;
    }
    report(args, &conclusion, status, (voice, is_utf8));
    if !end.is_unread {
        conclusion.complaints().for_each(|complaint| tracing::error!("{complaint}"));
    }
    let left = frontier.progress().targets - conclusion.totals.targets;
    if caught.status().is_some() && left > 0 {
        voice.say(format_args!("stopped early: at least {left} URLs were not started"));
    }
    Ok((status, conclusion))
}

/// Why a run has broken off, and how it is gone on with.
fn break_off(error: io::Error, args: &Run) -> Stop {
    let is_resumable = args.endurance.state.is_some() || args.endurance.resume;
    let is_full = error.kind() == io::ErrorKind::StorageFull;
    let hint = (is_full && is_resumable).then(|| "make room, and go on with --resume".into());
    Stop::broken(error).with_hint(hint)
}

/// Opens everything that can be wrong before the first fetch.
fn plan(
    args: &Run,
    asks: &[Ask],
    environment: &Environment,
    (voice, bar): (&Voice, ProgressBar),
) -> Result<Plan, Stop> {
    state::check(args)?;
    let extractor = options::extractor(asks)?;
    let has_lists = extractor.recipes().any(|recipe| recipe.next.is_some());
    if args.endurance.resume {
        refuse_to_resume(args, has_lists)?;
    }
    let is_all_wanted = !args.crawl.check_links || args.general.verbose > 0;
    let wanted = if is_all_wanted { Wanted::All } else { Wanted::Broken };
    let options = Options { wanted, ..outputs::options(&args.output, &extractor, environment) };
    let duplicate_of = extractor.duplicate_of();
    let contract = options::contract(&args.output.expect, &extractor)?;
    let others = outputs::files(&args.output, args.endurance.state.is_some()) + extractor.files();
    let Fetching { fetcher, limits, cookies, token } = fetching(args, environment, &extractor)?;
    let crawl = options::crawl(args, &token)?;
    let since = options::since(args)?;
    let files = files::afford(args.pace.concurrency, others);
    let mut frontier = Frontier::new(options::frontier(args, files, &token)?);
    if let Some(path) = &args.pace.shared_politeness {
        frontier = frontier.with_clocks(open_clocks(path)?);
    }
    let cancel = CancellationToken::new();
    let sources = sources(&args.input, args.sitemaps.named().map(Source::from_sitemap).collect())?;
    let seeds = open_seeds(&args.input, sources.clone(), (args.fetching.limits.max_body, since))?;
    let is_idempotent = options::retry(&args.fetching)?.idempotent;
    let mut opened = outputs::open(&args.output, args.endurance.failed_to.as_deref(), &sources, &options)?;
    let delivery = Delivery::open(args, environment)?;
    args.unattended.jitter.into_iter().for_each(cron::wait);
    let mut state = recall(args, (&extractor, asks), (&mut opened, &frontier))?;
    let plain_files = if state.is_some() { opened.plain_files()? } else { Vec::new() };
    let mut sinks =
        delivery.sinks(&options, state.as_mut()).context("cannot keep the records for later").map_err(Stop::broken)?;
    let (unread, on_close) = readership(&frontier, &cancel);
    let Outputs { sinks: outputs, failures, summary } = opened.start(&options, is_idempotent, &bar, on_close)?;
    sinks.extend(outputs);
    let tally = args.crawl.check_links.then(Tally::default);
    if let Some(tally) = &tally {
        sinks.push(Box::new(tally.clone()));
        let fragments = Fragments::new(sinks, tally.clone());
        sinks = vec![Box::new(state::remember(fragments, state.as_mut(), args)?)];
    }
    sinks.push(Box::new(contract.clone()));
    if let Some(state) = &mut state {
        let mark = state::mark(args, &extractor);
        let sink = state.sink(sinks, plain_files, mark, is_idempotent);
        sinks = vec![sink.context("cannot write the state").map_err(Stop::broken)?];
    }
    sinks.extend(failures);
    let known = state.as_ref().filter(|_| !has_lists);
    let visitor = visitor(args, (fetcher, extractor), (limits, crawl, SitemapOptions { since }), known);
    let mut sinks = outputs::arrange(sinks, args.output.ordered, duplicate_of);
    sinks.push(Box::new(Progress::start(args.display.mode(!args.unattended.cron), &frontier, bar, voice)));
    ensure_files()?;
    let engine = Engine { frontier, visitor: Arc::new(visitor), concurrency: files.concurrency, cancel };
    let is_utf8 = environment.is_utf8();
    Ok(Plan { seeds, engine, sinks, contract, is_utf8, summary, cookies, state, delivery, tally, unread })
}

/// What was done before, by the state or the outputs themselves: the frontier skips what a run that is gone on with has done.
fn recall(
    args: &Run,
    (extractor, asks): (&Extractor, &[Ask]),
    (opened, frontier): (&mut Opened, &Frontier),
) -> Result<Option<Session>, Stop> {
    let endurance = &args.endurance;
    if let Some(path) = &endurance.state {
        return state::open(path, args, (extractor, asks), (opened, frontier)).map(Some);
    }
    if endurance.resume {
        let rules = Rules {
            fields: extractor.names(),
            retry_failed: endurance.retry_failed,
            is_idempotent: options::retry(&args.fetching)?.idempotent,
            has_groups: extractor.may_give_several(),
        };
        opened.resume(rules, |url| frontier.skip(url))?;
    }
    Ok(None)
}

/// Whether the reader of all that is written has gone, and what to do when it goes.
fn readership(frontier: &Frontier, cancel: &CancellationToken) -> (Arc<AtomicBool>, impl Fn() + Send + use<>) {
    let unread = Arc::new(AtomicBool::new(false));
    let (frontier, cancel, has_gone) = (frontier.clone(), cancel.clone(), Arc::clone(&unread));
    let on_close = move || {
        has_gone.store(true, Ordering::Relaxed);
        frontier.close();
        cancel.cancel();
    };
    (unread, on_close)
}

/// Runs the engine as one of the runtime's tasks: its visits are then handed from task to task within a thread, and not
/// from thread to thread.
async fn drive(engine: Engine<Visitor>, seeds: Seeds, sinks: Vec<Box<dyn Sink>>) -> io::Result<Summary> {
    let ran = tokio::spawn(async move { engine.run(seeds, sinks).await }).await;
    ran.unwrap_or_else(|error| resume_unwind(error.into_panic()))
}

/// The clocks of hosts that other runs go by, too.
fn open_clocks(path: &Path) -> Result<Folder, Stop> {
    let opened =
        Folder::open(path).with_context(|| format!("cannot use {}, the folder of --shared-politeness", path.display()));
    opened.map_err(Stop::broken)
}

/// What of the options makes it impossible to go on with a run.
fn refuse_to_resume(args: &Run, has_lists: bool) -> Result<(), Stop> {
    if has_lists {
        return Err(Stop::usage(anyhow!(
            "--resume does not go with recipes that have `next`: a list that was left half-way would not be gone on with"
        )));
    }
    let excluded = [
        ("--dedupe-text", args.extraction.dedupe_text, "the texts of the earlier run are not known any more"),
        ("--keep-duplicates", args.input.keep_duplicates, "nothing tells which of a URL's lines its records are of"),
        ("--ordered", args.output.ordered, "what is tried again comes behind what is done already"),
    ];
    if let Some((option, _, why)) = excluded.into_iter().find(|&(_, is_given, _)| is_given) {
        return Err(Stop::usage(anyhow!("--resume does not go with {option}: {why}")));
    }
    Ok(())
}

fn ensure_files() -> Result<(), Stop> {
    files::ensure().context("cannot open as many files as a run needs").map_err(|error| {
        let hint = "raise the limit of open files (ulimit -n), or close what was left open";
        Stop::broken(error).with_hint(Some(hint.into()))
    })
}
