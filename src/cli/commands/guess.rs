//! `scrape guess URL|FILE`: one page is read, and a recipe for pages such as it is proposed.

use anyhow::anyhow;
use indicatif::ProgressBar;

use super::story::Story;
use super::{options, page_file};
use crate::cli::args::{Guess, ProposalFormat};
use crate::cli::config::Environment;
use crate::cli::exit::{Status, Stop};
use crate::cli::logging::{self, Voice};
use crate::extract::{self, Extractor, Proposal};
use crate::fetch::Fetched;
use crate::page::Page;
use crate::seeds::Source;
use crate::sink::escape_json;

pub(in crate::cli) fn run(args: &Guess, environment: &Environment) -> Result<Status, Stop> {
    let voice = Voice::new(ProgressBar::hidden(), args.general.quiet);
    logging::start(&voice, args.general.verbose);
    let limit = args.fetching.limits.max_body;
    match Source::from_argument(&args.page) {
        Source::Url(url) | Source::Sitemap(url) => of_url(&url, args, environment, voice),
        Source::File(path) | Source::SitemapFile(path) => propose(&page_file::read(&path, limit)?, args.format),
        Source::Stdin => propose(&page_file::read_stdin(limit)?, args.format),
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
