//! `scrape SOURCE...`: the main job.

use std::fs::File;
use std::io::{self, IsTerminal};
use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, anyhow};
use indicatif::ProgressBar;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

use super::options;
use crate::cache::Cache;
use crate::cli::args::{self, ProgressMode, Run};
use crate::cli::config::Environment;
use crate::cli::cookies::{self, Cookies};
use crate::cli::cron::{self, Turn};
use crate::cli::delivery::Delivery;
use crate::cli::exit::{FailOn, Status, Stop};
use crate::cli::files;
use crate::cli::logging::{self, Voice};
use crate::cli::metrics::Metrics;
use crate::cli::outputs::{self, Outputs};
use crate::cli::progress::{self, Progress};
use crate::cli::signals;
use crate::cli::state;
use crate::cli::summary::{self, Conclusion, Crawled, Ending};
use crate::engine::{Engine, Sink};
use crate::extract::Ask;
use crate::fetch::{self, Fetcher};
use crate::frontier::Frontier;
use crate::job::Summary;
use crate::robots::product_token;
use crate::seeds::{self, Seeds, Source};
use crate::sink::Tally;
use crate::sink::expect::Contract;
use crate::sink::journal::Rules;
use crate::store::Session;
use crate::visit::{Conditional, Local, Recorded, Replay, Visit};

/// What visits jobs: from here, or what they bring along.
type Visitor = Replay<Box<dyn Visit>>;

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
    let turn = unattended.cron.then(|| Turn::take(&args.output.output)).transpose()?;
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
    let (is_unread, breakages) = (unread.load(Ordering::Relaxed), breakages.take());
    let progress = frontier.progress();
    let limit = progress.limit;
    let is_undisturbed = caught.status().is_none() && breakages.is_empty() && !is_unread;
    let changes = state.as_ref().map_or(0, Session::changes);
    let concluded = state.map_or(Ok(()), |state| state.conclude(ran.is_ok() && is_undisturbed && limit.is_none()));
    let totals = ran.and_then(|totals| concluded.map(|()| totals)).map_err(Stop::broken)?;
    let is_whole = is_undisturbed && totals.done_before == 0;
    let mut conclusion = Conclusion::new(totals, &contract, is_whole);
    conclusion.crawl = Crawled {
        is_one: args.crawl.is_one(),
        ignores_robots: args.crawl.robots == args::Robots::Ignore,
        elsewhere: progress.elsewhere,
        beyond_host: progress.beyond_host,
        trapped: frontier.trapped(),
    };
    conclusion.ended_by = match caught.status() {
        Some(Status::Unfinished) => Some(Ending::Deadline),
        Some(_) => Some(Ending::Signal),
        None => limit.map(Ending::Limit),
    };
    let status = if is_unread { Status::Success } else { conclusion.status(args.output.fail_on) };
    let has_broken = tally.as_ref().is_some_and(|tally| tally.broken() > 0) && !is_unread;
    let is_fine = !has_broken || args.output.fail_on == FailOn::None;
    let status = status.max(if is_fine { Status::Success } else { Status::SomeFailed });
    let has_news = args.endurance.exit_code && changes > 0 && !is_unread;
    let status = status.max(if has_news { Status::Changed } else { Status::Success });
    let mut status = status.max(caught.status().unwrap_or(Status::Success));
    let broken = breakages.into_iter().map(|error| error.to_string());
    for error in broken.chain(saved.err().map(|error| format!("{error:#}"))) {
        tracing::error!("{error}");
        status = status.max(Status::Broken);
    }
    let status = delivery.tell(&conclusion, status, runtime);
    if let Some(file) = summary {
        let written = summary::write(file, &conclusion, status);
        written.context("cannot write the file of --summary").map_err(Stop::broken)?;
    }
    report(args, &conclusion, status, (voice, is_utf8));
    tally.iter().for_each(|tally| voice.say(summary::links(tally)));
    if !is_unread {
        conclusion.complaints().for_each(|complaint| tracing::error!("{complaint}"));
    }
    let left = frontier.progress().targets - conclusion.totals.targets;
    if caught.status().is_some() && left > 0 {
        voice.say(format_args!("stopped early: at least {left} URLs were not started"));
    }
    Ok((status, conclusion))
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
    let mut options = outputs::options(&args.output, &extractor, environment);
    options.broken_only = args.crawl.check_links && args.general.verbose == 0;
    let duplicate_of = extractor.duplicate_of();
    let contract = options::contract(&args.output.expect, &extractor)?;
    let others = outputs::files(&args.output, args.endurance.state.is_some()) + extractor.files();
    let mut fetching = options::fetch(&args.fetching, environment)?;
    fetching.connection.idle_per_host = args.pace.per_host.get();
    fetching.connection.trace = extractor.needs_timing();
    if outputs::want_raw_bodies(&args.output) {
        options::keep_raw(&mut fetching.limits, &args.fetching.limits);
    }
    let limits = fetching.limits.clone();
    let token = product_token(fetching.request.user_agent().unwrap_or(env!("CARGO_PKG_NAME"))).to_owned();
    let crawl = options::crawl(args)?;
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
    let has_lists = extractor.recipes().any(|recipe| recipe.next.is_some());
    if args.endurance.resume && has_lists {
        return Err(Stop::usage(anyhow!(
            "--resume does not go with recipes that have `next`: a list that was left half-way would not be gone on with"
        )));
    }
    let files = files::afford(args.pace.concurrency, others);
    let frontier = Frontier::new(options::frontier(args, files, &token)?);
    let (cancel, unread) = (CancellationToken::new(), Arc::new(AtomicBool::new(false)));

    let sources = sources(&args.input)?;
    let seeds = open_seeds(&args.input, args.fetching.limits.max_body, sources.clone())?;
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
    let delivery = Delivery::open(args, environment)?;
    args.unattended.jitter.into_iter().for_each(cron::wait);
    if args.endurance.resume {
        refuse_to_resume(args)?;
    }
    let mut state = None;
    if let Some(path) = &args.endurance.state {
        state = Some(state::open(path, args, (&extractor, asks), (&mut opened, &frontier))?);
    } else if args.endurance.resume {
        let retry_failed = args.endurance.retry_failed;
        let rules = Rules { fields: &options.fields, retry_failed, is_idempotent, has_groups };
        opened.resume(rules, |url| frontier.skip(url))?;
    }
    let plain_files = if state.is_some() { opened.plain_files()? } else { Vec::new() };
    let mut sinks = delivery.sinks(&options).context("cannot keep the records for later").map_err(Stop::broken)?;
    let Outputs { sinks: outputs, failures, summary } = opened.start(&options, is_idempotent, &bar, on_close)?;
    sinks.extend(outputs);
    sinks.push(Box::new(contract.clone()));
    let tally = args.crawl.check_links.then(Tally::default);
    sinks.extend(tally.clone().map(|tally| Box::new(tally) as Box<dyn Sink>));
    if let Some(state) = &mut state {
        let mark = state::mark(args, &extractor);
        let sink = state.sink(sinks, plain_files, mark, is_idempotent);
        sinks = vec![sink.context("cannot write the state").map_err(Stop::broken)?];
    }
    sinks.extend(failures);
    let mut local = Local::new(fetcher, extractor, args.output.ok_status.clone().unwrap_or_default());
    if let Some(crawl) = crawl {
        local = local.with_crawl(crawl);
    }
    let visitor = visitor(args, local, limits, state.as_ref().filter(|_| !has_lists));
    let mut sinks = outputs::arrange(sinks, args.output.ordered, duplicate_of);
    sinks.push(Box::new(Progress::start(args.display.mode(!args.unattended.cron), &frontier, bar, voice)));
    ensure_files()?;
    let engine = Engine { frontier, visitor: Arc::new(visitor), concurrency: files.concurrency, cancel };
    let is_utf8 = environment.is_utf8();
    Ok(Plan { seeds, engine, sinks, contract, is_utf8, summary, cookies, state, delivery, tally, unread })
}

/// Runs the engine as one of the runtime's tasks: its visits are then handed from task to task within a thread, and not
/// from thread to thread.
async fn drive(engine: Engine<Visitor>, seeds: Seeds, sinks: Vec<Box<dyn Sink>>) -> io::Result<Summary> {
    let ran = tokio::spawn(async move { engine.run(seeds, sinks).await }).await;
    ran.unwrap_or_else(|error| resume_unwind(error.into_panic()))
}

/// The cache that the options name.
fn open_cache(args: &Run) -> Result<Option<Cache>, Stop> {
    if args.crawl.check_links && (args.cache.cache.is_some() || args.cache.offline) {
        return Err(Stop::usage(anyhow!("--check-links does not go with --cache, as it asks what is there now")));
    }
    let args::Cache { cache: Some(path), cache_size, offline } = &args.cache else { return Ok(None) };
    if outputs::want_raw_bodies(&args.output) {
        let error = anyhow!("--cache does not go with an archive, which is of all that goes over the wire");
        return Err(
            Stop::usage(error).with_hint(Some("fetch once into the archive: it is a source for later runs".into()))
        );
    }
    if args.extraction.changed {
        return Err(Stop::usage(anyhow!("--cache does not go with --changed, which asks each server what is new")));
    }
    let opened = if *offline { Cache::open_to_read(path) } else { Cache::open(path, *cache_size) };
    opened.map(Some).with_context(|| format!("cannot open the cache {}", path.display())).map_err(Stop::broken)
}

/// What visits the jobs. Where only changes are wanted, and `state` tells what there was, no more than that is asked for.
fn visitor(args: &Run, mut local: Local, limits: fetch::Limits, state: Option<&Session>) -> Visitor {
    if args.endurance.state.is_some() {
        local = local.with_validators();
    }
    let reader = local.reader().clone();
    let mut live: Box<dyn Visit> = Box::new(local);
    if let Some(state) = state.filter(|_| args.extraction.changed) {
        live = Box::new(Conditional::new(live, state.known()));
    }
    if outputs::want_exchanges(&args.output) {
        live = Box::new(Recorded::new(live));
    }
    Replay::new(live, reader, limits)
}

/// What of the options makes it impossible to go on with a run.
fn refuse_to_resume(args: &Run) -> Result<(), Stop> {
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

pub(super) fn sources(args: &args::Input) -> Result<Vec<Source>, Stop> {
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

pub(super) fn open_seeds(input: &args::Input, max_body: usize, sources: Vec<Source>) -> Result<Seeds, Stop> {
    let options = seeds::Options { default_scheme: input.default_scheme, column: input.column.clone(), max_body };
    seeds::open(sources, options).map_err(|error| {
        let hint = error.hint();
        Stop::broken(error).with_hint(hint)
    })
}

/// Tells what the run came to: in full on a terminal or when asked, in a log only what went wrong.
fn report(args: &Run, conclusion: &Conclusion, status: Status, (voice, is_utf8): (&Voice, bool)) {
    let totals = &conclusion.totals;
    let is_wanted = args.general.verbose > 0 || args.display.progress == ProgressMode::Log;
    if totals.targets == 0 && totals.done_before == 0 && status <= Status::Unexpected {
        tracing::warn!("there is no URL in the input");
    } else if io::stderr().is_terminal() && !args.unattended.cron || is_wanted {
        voice.tell(summary::lines(conclusion, is_utf8), || summary::totals(conclusion, status));
    } else if status != Status::Success && totals.failed() > 0 && !args.crawl.check_links {
        voice.tell(summary::complaint(totals), || summary::totals(conclusion, status));
    }
}
