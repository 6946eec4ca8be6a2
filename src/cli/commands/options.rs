//! From the arguments to each stage's options.

use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, anyhow};
use jiff::Timestamp;
use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, COOKIE, HeaderName, HeaderValue, USER_AGENT};

use super::jq;
use crate::cli::args::{self, Fetching, Priority, Robots, Run};
use crate::cli::config::Environment;
use crate::cli::cookies;
use crate::cli::exit::Stop;
use crate::cli::files::Files;
use crate::cli::parse;
use crate::extract::{self, Ask, Extractor, Follow};
use crate::fetch::{self, ConnectionOptions, Family, Limits, RequestOptions};
use crate::frontier::scope::{Reach, Scope};
use crate::frontier::{self, BacklogOptions, Draw, Obey, Order, RetryOptions};
use crate::job::Secret;
use crate::sink::expect::Contract;
use crate::visit::Crawl;

const FORM: HeaderValue = HeaderValue::from_static("application/x-www-form-urlencoded");

pub(super) fn frontier(args: &Run, files: Files, token: &str) -> Result<frontier::Options, Stop> {
    let paced = paced(&args.input, &args.pace);
    let (crawl, sitemaps) = (&args.crawl, &args.sitemaps);
    Ok(frontier::Options {
        limits: frontier::Limits { pages: args.endurance.max_pages, bytes: args.endurance.max_bytes, ..paced.limits },
        window: args.output.ordered.then_some(frontier::WINDOW),
        crawl: (crawl.is_one() || sitemaps.are_wanted()).then_some(frontier::Crawl {
            depth: crawl.depth(),
            per_host: crawl.max_per_host,
            avoids_traps: !crawl.allow_traps,
            checks: crawl.check_links,
            order: match crawl.priority {
                Priority::Breadth => Order::Breadth,
                Priority::Depth => Order::Depth,
                Priority::Path => Order::Path,
                Priority::Sitemap => Order::Sitemap,
            },
        }),
        // A folder for temporary files may be in memory, which is what there is too little of.
        backlog: BacklogOptions { folder: args.endurance.state.as_deref().map(folder_of), ..BacklogOptions::default() },
        obey: match crawl.robots {
            Robots::Discovered => Obey::Discovered,
            Robots::Always => Obey::Always,
            Robots::Ignore => Obey::Never,
        },
        token: token.into(),
        sitemaps: sitemaps.of_sites(),
        sample: draw(sitemaps),
        connections: files.connections,
        retry: retry(&args.fetching)?,
        ..paced
    })
}

/// What a list and the pace decide by themselves.
pub(super) fn paced(input: &args::Input, pace: &args::Pace) -> frontier::Options {
    let options = frontier::Options::default();
    frontier::Options {
        per_host: pace.per_host,
        limit_by: pace.limit_by,
        delay: pace.delay,
        interval: pace.rate,
        limits: frontier::Limits { targets: input.limit, ..options.limits },
        // A slot is never empty because the queue was too short.
        look_ahead: options.look_ahead.max(pace.concurrency.saturating_mul(NonZeroUsize::MIN.saturating_add(1))),
        keep_duplicates: input.keep_duplicates,
        fingerprints: input.dedupe_bits,
        ..options
    }
}

/// The folder that a file is in.
fn folder_of(path: &Path) -> PathBuf {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_owned()
}

/// How links are followed, if they are.
pub(super) fn crawl(args: &Run, token: &str) -> Result<Option<Crawl>, Stop> {
    let crawl = &args.crawl;
    if !crawl.is_one() {
        return Ok(None);
    }
    let excluded = [
        ("--keep-duplicates", args.input.keep_duplicates, "a page that links to itself would never be done"),
        ("--ordered", args.output.ordered, "a crawl has no order but that in which it comes by its pages"),
    ];
    if let Some((option, _, why)) = excluded.into_iter().find(|&(_, is_given, _)| is_given) {
        return Err(Stop::usage(anyhow!("--depth does not go with {option}: {why}")));
    }
    if args.endurance.resume && args.endurance.state.is_none() {
        let error = anyhow!("--resume alone cannot go on with a crawl: its records do not tell which links were left");
        return Err(Stop::usage(error).with_hint(Some("add --state FILE.db, from the first run on".into())));
    }
    let obeys_nofollow = !crawl.ignore_nofollow && !crawl.check_links;
    let follow = Follow::new(&crawl.follow, obeys_nofollow).map_err(|error| {
        let hint = error.hint().map(String::from);
        Stop::usage(anyhow!("--follow: {error}")).with_hint(hint)
    })?;
    let follow = follow.with_robot(token);
    let follow = if crawl.check_links { follow.with_fragments() } else { follow };
    let scope = Scope {
        reach: match crawl.scope {
            args::Scope::Page => Reach::Page,
            args::Scope::Prefix => Reach::Prefix,
            args::Scope::Host => Reach::Host,
            args::Scope::Domain => Reach::Domain,
            args::Scope::Any => Reach::Any,
        },
        same_scheme: crawl.same_scheme,
        include: crawl.include.clone(),
        exclude: crawl.exclude.clone(),
        strip_query: crawl.strip_query.clone(),
    };
    Ok(Some(Crawl { depth: crawl.depth(), scope, follow, checks: crawl.check_links }))
}

/// How a sample is drawn, if one is.
pub(super) fn draw(args: &args::Sitemaps) -> Option<Draw> {
    args.sample.map(|size| Draw { size, seed: args.sample_seed.unwrap_or_else(|| fastrand::u64(..)) })
}

/// Since when sitemaps have to say that a page has changed.
///
/// # Errors
/// There are no sitemaps, or they do not go with what else is wanted.
pub(super) fn since(args: &Run) -> Result<Option<Timestamp>, Stop> {
    let sitemaps = &args.sitemaps;
    if sitemaps.since.is_some() && !sitemaps.are_wanted() {
        return Err(Stop::usage(anyhow!("--since is for what sitemaps list: add --sitemap")));
    }
    if !sitemaps.are_wanted() {
        return Ok(None);
    }
    let excluded = [
        ("--keep-duplicates", args.input.keep_duplicates, "sitemaps name pages many times over"),
        ("--ordered", args.output.ordered, "sitemaps have no order but that in which they come"),
    ];
    if let Some((option, _, why)) = excluded.into_iter().find(|&(_, is_given, _)| is_given) {
        return Err(Stop::usage(anyhow!("--sitemap does not go with {option}: {why}")));
    }
    moment(sitemaps.since)
}

/// The moment so long ago.
pub(super) fn moment(ago: Option<Duration>) -> Result<Option<Timestamp>, Stop> {
    let moment = ago.map(|ago| Timestamp::now().checked_sub(ago)).transpose();
    moment.context("--since reaches too far back").map_err(Stop::usage)
}

pub(in crate::cli) fn retry(args: &Fetching) -> Result<RetryOptions, Stop> {
    Ok(RetryOptions {
        retries: args.retries.retry,
        delay: args.retries.retry_delay,
        max_retry_after: args.retries.max_retry_after,
        idempotent: method(&args.request)?.is_idempotent(),
    })
}

/// What `--expect` and the recipes expect.
pub(super) fn contract(expectations: &[String], extractor: &Extractor) -> Result<Contract, Stop> {
    let contract = Contract::new(expectations, extractor.names().into()).map_err(|error| {
        let hint = error.hint().to_owned();
        Stop::usage(error).with_hint(Some(hint))
    })?;
    for (recipe, expected) in extractor.expected() {
        contract.add(&expected.text, recipe, expected.place()).map_err(|error| {
            let what = format!("not an expectation: {}", error.reason());
            wrong(expected.wrong(error.at(), &what, error.hint()))
        })?;
    }
    Ok(contract)
}

/// What `-x`, `-s` and `-r` ask for. What is wrong is told with the option or the file that says it.
pub(super) fn extractor(asks: &[Ask]) -> Result<Extractor, Stop> {
    let options = extract::Options { jq: Some(jq::process) };
    Extractor::with_options(asks, options).map_err(wrong)
}

fn wrong(error: extract::Error) -> Stop {
    let hint = error.hint().map(String::from);
    let stop = match error {
        extract::Error::Expression { .. } => Stop::usage(anyhow!("--select: {error}")),
        error => Stop::usage(error),
    };
    stop.with_hint(hint)
}

pub(in crate::cli) fn fetch(args: &Fetching, environment: &Environment) -> Result<fetch::Options, Stop> {
    let mut limits = Limits {
        max_time: args.limits.max_time,
        read_timeout: args.limits.read_timeout,
        max_body: args.limits.max_body,
        max_redirects: args.limits.max_redirs,
        ..Limits::default()
    };
    limits.max_memory = args.limits.max_memory.unwrap_or(limits.max_memory.max(limits.memory_of_one()));
    Ok(fetch::Options { request: request(&args.request)?, connection: connection(args, environment)?, limits })
}

/// Has bodies kept as they come. Unless it was said how much memory bodies may take, it is enough for that.
pub(super) fn keep_raw(limits: &mut Limits, args: &args::Limits) {
    limits.keep_raw = true;
    if args.max_memory.is_none() {
        limits.max_memory = limits.max_memory.max(limits.memory_of_one());
    }
}

fn method(args: &args::Request) -> Result<Method, Stop> {
    match &args.request {
        _ if args.head && !args.data.is_empty() => Err(Stop::usage(anyhow!("--head and --data exclude each other"))),
        _ if args.head => Ok(Method::HEAD),
        Some(method) => Ok(method.clone()),
        None if !args.data.is_empty() => Ok(Method::POST),
        None => Ok(Method::GET),
    }
}

fn request(args: &args::Request) -> Result<RequestOptions, Stop> {
    let body = (!args.data.is_empty()).then(|| body(&args.data)).transpose()?;
    let has_body = body.is_some();
    let user = args.user.as_deref().map(credentials).transpose()?;
    let mut options = RequestOptions::new(method(args)?, body, user);
    if has_body {
        options.set_header(CONTENT_TYPE, FORM);
    }
    if let Some(name) = &args.user_agent {
        options.set_header(USER_AGENT, text("--user-agent", name)?);
    }
    let cookies: Vec<_> = args.cookie.iter().map(String::as_str).filter(|given| cookies::is_data(given)).collect();
    if !cookies.is_empty() {
        options.set_header(COOKIE, text("--cookie", &cookies.join("; "))?);
    }
    options.trust_redirects(args.location_trusted);
    // The first of a name takes the place of a default, the next ones are sent beside it.
    let mut given: Vec<HeaderName> = Vec::new();
    for line in &args.header {
        let (name, value) = parse::header(line).map_err(|error| Stop::usage(anyhow!("--header: {error}")))?;
        if !given.contains(&name) {
            options.remove_header(&name);
            given.push(name.clone());
        }
        if let Some(value) = value {
            options.add_header(name, value);
        }
    }
    Ok(options)
}

// What may be a secret is never quoted.

fn text(option: &str, value: &str) -> Result<HeaderValue, Stop> {
    HeaderValue::from_str(value).map_err(|_| Stop::usage(anyhow!("{option} has a control character")))
}

fn credentials(text: &str) -> Result<Secret, Stop> {
    let is_whole = text.contains(':');
    is_whole
        .then(|| Secret::new(text))
        .ok_or_else(|| Stop::usage(anyhow!("--user takes USER:PASSWORD; nothing is asked for")))
}

/// The body: pieces joined by `&`, as curl does; a piece `@FILE` is the file's text without its line ends.
fn body(data: &[String]) -> Result<Vec<u8>, Stop> {
    let piece = |piece: &String| match piece.strip_prefix('@') {
        None => Ok(piece.clone().into_bytes()),
        Some("-") => Err(Stop::usage(anyhow!("--data @-: standard input is for URLs, name a file"))),
        Some(path) => {
            let file = fs::read(path).with_context(|| format!("cannot read {path}, the file of --data"));
            let text = file.map_err(Stop::usage)?;
            Ok(text.into_iter().filter(|byte| !matches!(byte, b'\r' | b'\n' | 0)).collect())
        }
    };
    let pieces = data.iter().map(piece).collect::<Result<Vec<_>, Stop>>()?;
    Ok(pieces.join(&b'&'))
}

fn connection(args: &Fetching, environment: &Environment) -> Result<ConnectionOptions, Stop> {
    let connection = &args.connection;
    if connection.key.is_some() && connection.cert.is_none() {
        return Err(Stop::usage(anyhow!("--key needs --cert")));
    }
    Ok(ConnectionOptions {
        connect_timeout: args.limits.connect_timeout,
        idle_timeout: frontier::Options::default().idle_timeout,
        proxy: connection.proxy.clone(),
        proxy_from_environment: environment.has_proxy,
        insecure: connection.insecure,
        ca_certificates: connection.cacert.clone(),
        identity: connection.cert.iter().chain(&connection.key).cloned().collect(),
        family: match (connection.ipv4, connection.ipv6) {
            (true, _) => Some(Family::V4),
            (_, true) => Some(Family::V6),
            _ => None,
        },
        resolutions: connection.resolve.clone(),
        deny_private: connection.deny_private,
        ..ConnectionOptions::default()
    })
}
