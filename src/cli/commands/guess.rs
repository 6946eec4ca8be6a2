//! `scrape guess URL|FILE`: one page is read, and a recipe for pages such as it is proposed.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use anyhow::{Context, anyhow};
use indicatif::ProgressBar;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use url::Url;

use super::options;
use super::story::Story;
use crate::cli::args::{Guess, ProposalFormat};
use crate::cli::config::Environment;
use crate::cli::exit::{Status, Stop};
use crate::cli::logging::{self, Voice};
use crate::extract::{self, Extractor, Proposal};
use crate::fetch::{Fetched, Head};
use crate::page::Page;
use crate::seeds::Source;
use crate::sink::escape_json;

/// What stands for the URL of a page that has none.
const NOWHERE: &str = "file:///";

pub(in crate::cli) fn run(args: &Guess, environment: &Environment) -> Result<Status, Stop> {
    let voice = Voice::new(ProgressBar::hidden(), args.general.quiet);
    logging::start(&voice, args.general.verbose);
    let limit = args.fetching.limits.max_body;
    match Source::from_argument(&args.page) {
        Source::Url(url) => of_url(&url, args, environment, voice),
        Source::File(path) => propose(&read(&path, limit)?, args.format),
        Source::Stdin => {
            let body = limited(io::stdin().lock(), limit).context("cannot read standard input");
            propose(&fetched(None, body.map_err(Stop::broken)?)?, args.format)
        }
    }
}

fn of_url(url: &str, args: &Guess, environment: &Environment, voice: Voice) -> Result<Status, Stop> {
    let fetching = options::fetch(&args.fetching, environment)?;
    let mut story = Story::of(url, (&args.fetching, fetching), Extractor::default(), voice)?;
    let failure = story.last.as_ref().and_then(|last| last.failure()).cloned();
    let answer = story.visits.pop().and_then(|(_, trace)| trace.answer);
    let status = story.finish()?;
    match (failure, answer) {
        (None, Some(answer)) => propose(&answer, args.format).map(|ended| ended.max(status)),
        (Some(failure), _) => Err(Stop::with_status(status, anyhow!("{url}: {}: {}", failure.kind, failure.message))),
        (None, None) => Ok(status),
    }
}

/// Writes a proposal for a page.
fn propose(answer: &Fetched, format: ProposalFormat) -> Result<Status, Stop> {
    let page = Page::read(answer);
    let proposal = extract::guess(&page).map_err(|failure| {
        let name = if page.url.scheme() == "file" { "the page" } else { page.url.as_str() };
        Stop::with_status(Status::SomeFailed, anyhow!("no recipe for {name}: {}", failure.message))
    })?;
    super::print(text(&proposal, format).map_err(Stop::broken)?.as_bytes())
}

fn text(proposal: &Proposal, format: ProposalFormat) -> serde_json::Result<String> {
    Ok(match format {
        ProposalFormat::Toml => proposal.to_string(),
        ProposalFormat::Json => escape_json(&(serde_json::to_string_pretty(proposal)? + "\n")),
    })
}

/// A page in a file, whose name tells what it is.
fn read(path: &Path, limit: usize) -> Result<Fetched, Stop> {
    let body = File::open(path).and_then(|file| limited(file, limit));
    let body = body.with_context(|| format!("cannot read {}", path.display())).map_err(Stop::broken)?;
    let extension = path.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    let media_type = match &*extension {
        "html" | "htm" | "xhtml" => Some("text/html"),
        "json" => Some("application/json"),
        _ => None,
    };
    fetched(media_type, body)
}

/// All of it, if it is no longer than `limit`.
fn limited(source: impl Read, limit: usize) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    source.take(limit as u64 + 1).read_to_end(&mut body)?;
    if body.len() > limit {
        return Err(io::Error::other(format!("it is larger than {limit} bytes (--max-body)")));
    }
    Ok(body)
}

/// A page as if it had been fetched.
fn fetched(media_type: Option<&'static str>, body: Vec<u8>) -> Result<Fetched, Stop> {
    let url = Url::parse(NOWHERE).map_err(Stop::usage)?;
    // Nothing declares the page to be one, and most pieces of HTML do not look like a whole page.
    let start = body.trim_ascii_start();
    let is_html = start.starts_with(b"<") && !start.starts_with(b"<?xml");
    let media_type = media_type.or(is_html.then_some("text/html"));
    let fields = media_type.map(|media_type| (CONTENT_TYPE, HeaderValue::from_static(media_type)));
    let headers = HeaderMap::from_iter(fields);
    Ok(Fetched { url, head: Head { status: 200, headers }, body: body.into() })
}
