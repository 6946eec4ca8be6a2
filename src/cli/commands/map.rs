//! `scrape map URL...`: the URLs of a site, from its sitemaps and from the page that is named. No other page is fetched.

use std::io::{self, ErrorKind, Write};
use std::panic::resume_unwind;
use std::sync::Arc;

use anyhow::{Context, anyhow};
use indicatif::ProgressBar;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;
use url::Url;

use super::options;
use crate::canonical::fingerprint;
use crate::cli::args::{ListingFormat, Map};
use crate::cli::config::Environment;
use crate::cli::cookies;
use crate::cli::exit::{FailOn, Status, Stop};
use crate::cli::files;
use crate::cli::logging::{self, Voice};
use crate::cli::signals;
use crate::engine::{Engine, Sink};
use crate::extract::{self, Extractor, Follow};
use crate::fetch::Fetcher;
use crate::frontier::scope::{Reach, Scope};
use crate::frontier::{self, Frontier, Seen};
use crate::job::{LinkKind, Outcome, Role, Summary, Trail};
use crate::seeds::{self, Seeds, Source};
use crate::visit::{Accepted, Crawl, Local, SitemapOptions};

pub(in crate::cli) fn run(args: &Map, environment: &Environment) -> Result<Status, Stop> {
    let voice = Voice::new(ProgressBar::hidden(), args.general.quiet);
    logging::start(&voice, args.general.verbose);
    let since = options::moment(args.since)?;
    let sites = args.sites.iter().cloned().map(Source::from_argument);
    if let Some(file) = args.sitemaps.iter().find(|named| !named.contains("://")) {
        let hint = "its pages are fetched by scrape --sitemap FILE";
        return Err(Stop::usage(anyhow!("--sitemap {file}: no URL (contains ://)")).with_hint(Some(hint.into())));
    }
    let sitemaps = args.sitemaps.iter().map(|named| Source::from_sitemap(named));
    let seeds = seeds::Options { since, ..seeds::Options::default() };
    let seeds = seeds::open(sites.chain(sitemaps).collect(), seeds).map_err(|error| {
        let hint = error.hint();
        Stop::broken(error).with_hint(hint)
    })?;
    let mut fetching = options::fetch(&args.fetching, environment)?;
    fetching.connection.idle_per_host = args.pace.per_host.get();
    let mut fetcher = Fetcher::new(fetching).map_err(Stop::usage)?;
    let cookies = cookies::open(&args.fetching.request, [])?;
    if let Some(cookies) = &cookies {
        fetcher = fetcher.with_cookies(Arc::clone(&cookies.jar));
    }
    let visitor = visitor(fetcher, since).map_err(Stop::usage)?;
    let engine = engine(args, visitor)?;
    let breakages = seeds.breakages();
    let runtime = Runtime::new().context("cannot start the runtime").map_err(Stop::broken)?;
    let ended = runtime.block_on(drive(engine, seeds, Listing::new(args.format), voice));
    runtime.shutdown_background();
    let mut status = ended?;
    cookies.map_or(Ok(()), cookies::Cookies::save).map_err(Stop::broken)?;
    for error in breakages.take() {
        tracing::error!("{error}");
        status = status.max(Status::Broken);
    }
    Ok(status)
}

/// What reads sites: the links of the pages that are named lead as far as their owners' names. They are told, not followed, so
/// that `nofollow` does not matter.
fn visitor(fetcher: Fetcher, since: Option<jiff::Timestamp>) -> Result<Local, extract::Error> {
    let scope = Scope { reach: Reach::Domain, ..Scope::default() };
    let crawl = Crawl { depth: 1, scope, follow: Follow::new(&[], false)?, checks: false };
    let local = Local::new(fetcher, Extractor::default(), Accepted::default());
    Ok(local.with_crawl(crawl).with_sitemaps(SitemapOptions { since }))
}

/// An engine that goes from sites to their sitemaps, and no further.
fn engine(args: &Map, visitor: Local) -> Result<Engine<Local>, Stop> {
    let files = files::afford(args.pace.concurrency, 0);
    let frontier = frontier::Options {
        per_host: args.pace.per_host,
        delay: args.pace.delay,
        interval: args.pace.rate,
        follow: false,
        sitemaps: true,
        connections: files.connections,
        retry: options::retry(&args.fetching)?,
        ..frontier::Options::default()
    };
    let (frontier, cancel) = (Frontier::new(frontier), CancellationToken::new());
    Ok(Engine { frontier, visitor: Arc::new(visitor), concurrency: files.concurrency, cancel })
}

async fn drive(engine: Engine<Local>, seeds: Seeds, listing: Listing, voice: Voice) -> Result<Status, Stop> {
    let caught = signals::watch(engine.frontier.clone(), engine.cancel.clone(), voice, None)
        .context("cannot watch for signals")
        .map_err(Stop::broken)?;
    let ran = tokio::spawn(async move { engine.run(seeds, vec![Box::new(listing)]).await }).await;
    let status = match ran.unwrap_or_else(|error| resume_unwind(error.into_panic())) {
        Ok(totals) => conclude(&totals),
        // A reader that has seen enough is no error.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Status::Success,
        Err(error) => {
            return Err(Stop::broken(anyhow::Error::new(error).context("cannot write standard output")));
        }
    };
    Ok(status.max(caught.status().unwrap_or(Status::Success)))
}

fn conclude(totals: &Summary) -> Status {
    Status::of(totals, FailOn::Any)
}

/// Writes each URL once, as soon as it is found.
struct Listing {
    format: ListingFormat,
    stdout: io::BufWriter<io::Stdout>,
    written: Seen,
}

/// One URL.
#[derive(Debug, Serialize)]
struct Line<'a> {
    url: &'a str,
    lastmod: Option<Value>,
    priority: Option<Value>,
    found_in: Option<&'a str>,
}

/// What a sitemap says of a page.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Note {
    lastmod: Option<Value>,
    priority: Option<Value>,
}

impl Listing {
    fn new(format: ListingFormat) -> Self {
        Self { format, stdout: io::BufWriter::new(io::stdout()), written: Seen::new() }
    }

    fn write(&mut self, url: &Url, found_in: Option<&Url>, note: Note) -> io::Result<()> {
        if !self.written.insert(fingerprint(url)) {
            return Ok(());
        }
        match self.format {
            ListingFormat::Text => writeln!(self.stdout, "{url}"),
            ListingFormat::Jsonl => {
                let Note { lastmod, priority } = note;
                let line = Line { url: url.as_str(), lastmod, priority, found_in: found_in.map(Url::as_str) };
                serde_json::to_writer(&mut self.stdout, &line)?;
                writeln!(self.stdout)
            }
        }
    }

    /// Writes what a sitemap lists.
    fn list(&mut self, outcome: &Outcome, trail: &Trail) -> io::Result<()> {
        for link in outcome.leads().filter(|link| matches!(link.kind, LinkKind::Listed { .. })) {
            let input = link.input.as_deref().filter(|_| self.format == ListingFormat::Jsonl);
            let note = input.and_then(|input| serde_json::from_str(input.get()).ok());
            self.write(&link.url, Some(trail.first_url()), note.unwrap_or_default())?;
        }
        Ok(())
    }

    /// Writes a page, and where it leads within its site.
    fn follow(&mut self, outcome: &Outcome, trail: &Trail) -> io::Result<()> {
        let found_in = trail.referrer();
        self.write(&trail.url, found_in, Note::default())?;
        for link in outcome.links.iter().filter(|link| link.kind == LinkKind::Crawled) {
            self.write(&link.url, Some(&trail.url), Note::default())?;
        }
        Ok(())
    }
}

impl Sink for Listing {
    fn accept(&mut self, outcome: &Outcome) -> io::Result<()> {
        let failure = outcome.failure().filter(|_| outcome.is_record());
        if let Some(failure) = failure {
            tracing::error!("{}: {failure}", outcome.target.given);
        }
        match &outcome.trail {
            Some(trail) if trail.role == Role::Sitemap => self.list(outcome, trail),
            Some(trail) if failure.is_none() => self.follow(outcome, trail),
            _ => Ok(()),
        }
    }

    fn idle(&mut self) -> io::Result<()> {
        self.stdout.flush()
    }

    fn finish(mut self: Box<Self>) -> io::Result<()> {
        self.stdout.flush()
    }
}
