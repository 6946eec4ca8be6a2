//! What visits the jobs of a run.

use std::sync::Arc;

use anyhow::{Context, anyhow};
use futures::future::FutureExt;

use crate::cache::Cache;
use crate::cli::args::{self, Run};
use crate::cli::commands::options;
use crate::cli::config::Environment;
use crate::cli::cookies::{self, Cookies};
use crate::cli::exit::Stop;
use crate::cli::outputs;
use crate::extract::Extractor;
use crate::fetch::{Fetcher, Limits};
use crate::job::{Job, Outcome};
use crate::robots::product_token;
use crate::store::{Session, Versions};
use crate::visit::{Conditional, Crawl, Local, Recorded, Replay, SitemapOptions, Visit};

/// From here, or what jobs bring along.
pub(super) type Visitor = Replay<Live>;

/// What makes the requests, as the options have it.
pub(super) enum Live {
    Plain(Local),
    Conditional(Conditional<Local, Versions>),
    Recorded(Recorded<Local>),
    RecordedConditional(Recorded<Conditional<Local, Versions>>),
}

impl Visit for Live {
    async fn visit(&self, job: Job) -> Outcome {
        // The plain one need not be as large as the others.
        match self {
            Self::Plain(visitor) => visitor.visit(job).await,
            Self::Conditional(visitor) => visitor.visit(job).boxed().await,
            Self::Recorded(visitor) => visitor.visit(job).boxed().await,
            Self::RecordedConditional(visitor) => visitor.visit(job).boxed().await,
        }
    }
}

/// What makes the requests.
pub(super) struct Fetching {
    pub(super) fetcher: Fetcher,
    pub(super) limits: Limits,
    /// The cookies that it sends and is sent.
    pub(super) cookies: Option<Cookies>,
    /// The name that they are made under, as robots.txt has it.
    pub(super) token: Box<str>,
}

/// What the options name for that: `extractor` may want to know how long it takes.
pub(super) fn fetching(args: &Run, environment: &Environment, extractor: &Extractor) -> Result<Fetching, Stop> {
    let mut fetching = options::fetch(&args.fetching, environment)?;
    fetching.connection.idle_per_host = args.pace.per_host.get();
    fetching.connection.trace = extractor.needs_timing();
    if outputs::want_raw_bodies(&args.output) {
        options::keep_raw(&mut fetching.limits, &args.fetching.limits);
    }
    let limits = fetching.limits.clone();
    let token = product_token(fetching.request.user_agent().unwrap_or(env!("CARGO_PKG_NAME"))).into();
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
    Ok(Fetching { fetcher, limits, cookies, token })
}

/// The cache that the options name.
fn open_cache(args: &Run) -> Result<Option<Cache>, Stop> {
    if args.crawl.check_links && (args.cache.cache.is_some() || args.cache.offline) {
        return Err(Stop::usage(anyhow!("--check-links does not go with --cache: it asks what is there now")));
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
pub(super) fn visitor(
    args: &Run,
    (fetcher, extractor): (Fetcher, Extractor),
    (limits, crawl, sitemaps): (Limits, Option<Crawl>, SitemapOptions),
    state: Option<&Session>,
) -> Visitor {
    let mut local = Local::new(fetcher, extractor, args.output.ok_status.clone().unwrap_or_default());
    local = local.with_sitemaps(sitemaps);
    if let Some(crawl) = crawl {
        local = local.with_crawl(crawl);
    }
    if args.endurance.state.is_some() {
        local = local.with_validators();
    }
    let reader = local.reader().clone();
    let known = state.filter(|_| args.extraction.changed).map(Session::known);
    let is_recorded = outputs::want_exchanges(&args.output) || args.endurance.keep_bodies;
    let live = match known {
        None if is_recorded => Live::Recorded(Recorded::new(local)),
        None => Live::Plain(local),
        Some(known) if is_recorded => Live::RecordedConditional(Recorded::new(Conditional::new(local, known))),
        Some(known) => Live::Conditional(Conditional::new(local, known)),
    };
    Replay::new(live, reader, limits)
}
