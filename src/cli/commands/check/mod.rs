//! `scrape check RECIPE [PAGE]`: what a file of recipes says, and what one of them finds in a page.
//!
//! A page is read as in a run. A file has no URL: unless `--url` tells one, it is read by the first recipe that finds all that it
//! requires. Expectations are judged by that page alone.

mod json;
mod text;

use std::fs;
use std::io::{self, IsTerminal};
use std::path::Path;

use anyhow::{Context, anyhow};
use indicatif::ProgressBar;
use serde_json::Value;
use url::Url;

use super::story::Story;
use super::{options, page_file};
use crate::cli::args::{Check, ReportFormat};
use crate::cli::config::Environment;
use crate::cli::exit::{Status, Stop};
use crate::cli::logging::{self, Voice};
use crate::cli::outputs;
use crate::cli::sheet::Screen;
use crate::engine::Sink;
use crate::extract::{Ask, Extracted, Extractor, Findings};
use crate::failure::Failure;
use crate::fetch::Fetched;
use crate::job::{End, Facts, HostHint, Location, Outcome, Target, Trail};
use crate::page::Page;
use crate::seeds::Source;
use crate::sink::expect::Verdict;

/// What a recipe comes to on a page.
struct Reading {
    /// The page's URL; of a file, where it lies.
    url: Url,
    /// The number of its recipe; none where there is none for its URL.
    recipe: Option<usize>,
    findings: Findings,
    /// The names of all fields, and their values in each record.
    names: Vec<Box<str>>,
    rows: Vec<Vec<Value>>,
    left_out: u64,
    /// Where its list goes on.
    next: Option<Url>,
    verdicts: Vec<Verdict>,
    failure: Option<Failure>,
}

impl Reading {
    fn status(&self) -> Status {
        let is_broken = self.verdicts.iter().any(|verdict| verdict.held == Some(false));
        let is_fine = self.recipe.is_some() && self.failure.is_none() && !is_broken;
        if is_fine { Status::Success } else { Status::Unexpected }
    }
}

pub(in crate::cli) fn run(args: &Check, recipes: &Ask, environment: &Environment) -> Result<Status, Stop> {
    let asks = std::slice::from_ref(recipes);
    let mut extractor = options::extractor(asks)?;
    options::contract(&[], &extractor)?;
    let fetched = match args.page.as_deref().map(Source::from_argument) {
        None => None,
        Some(Source::Url(url) | Source::Sitemap(url)) => match visit(&url, args, asks, environment)? {
            Ok(fetched) => Some(fetched),
            Err(status) => return Ok(status),
        },
        Some(Source::File(path) | Source::SitemapFile(path)) => Some(open(Some(&path), args, &mut extractor)?),
        Some(Source::Stdin) => Some(open(None, args, &mut extractor)?),
    };
    let reading = fetched.map(|fetched| read(&fetched, &extractor)).transpose()?;
    print(&extractor, reading.as_ref(), args.format, environment)?;
    Ok(reading.map_or(Status::Success, |reading| reading.status()))
}

/// The page of a URL, or how the program is to end where there is none.
fn visit(url: &str, args: &Check, asks: &[Ask], environment: &Environment) -> Result<Result<Fetched, Status>, Stop> {
    let voice = Voice::new(ProgressBar::hidden(), args.general.quiet);
    logging::start(&voice, args.general.verbose);
    let fetching = options::fetch(&args.fetching, environment)?;
    let mut story = Story::of(url, (&args.fetching, fetching), options::extractor(asks)?, voice)?;
    let failure = story.last.as_ref().and_then(Outcome::failure).cloned();
    let answer = story.visits.pop().and_then(|(_, trace)| trace.answer);
    let status = story.finish()?;
    if let Some(answer) = answer.filter(|answer| answer.head.status < 400) {
        return Ok(Ok(answer));
    }
    let why = failure.map_or_else(|| "the run was stopped".into(), |failure| failure.to_string());
    tracing::error!("{url}: {why}");
    Ok(Err(status))
}

/// Opens a file, or else standard input, as the page of a URL, or, without one, of the recipe that finds all that it
/// requires in it.
fn open(file: Option<&Path>, args: &Check, extractor: &mut Extractor) -> Result<Fetched, Stop> {
    let limit = args.fetching.limits.max_body;
    let mut fetched = file.map_or_else(|| page_file::read_stdin(limit), |file| page_file::read(file, limit))?;
    if let Some(url) = &args.url {
        fetched.url = url.clone();
        return Ok(fetched);
    }
    if let Some(file) = file {
        let name = file.display();
        let path = fs::canonicalize(file).with_context(|| format!("cannot read {name}")).map_err(Stop::broken)?;
        fetched.url = Url::from_file_path(path).map_err(|()| Stop::broken(anyhow!("{name} has no URL")))?;
    }
    let recipes = extractor.recipes().count();
    let mut finds_all = |recipe: &usize| {
        extractor.choose(*recipe);
        let read = extractor.read(&Page::read(&fetched));
        read.failure.is_none() && read.recipe.is_some_and(|read| !read.is_empty)
    };
    let fitting = (0..recipes).find(&mut finds_all).unwrap_or(0);
    extractor.choose(fitting);
    Ok(fetched)
}

fn read(fetched: &Fetched, extractor: &Extractor) -> Result<Reading, Stop> {
    let page = Page::read(fetched);
    let findings = extractor.findings(&page).unwrap_or_default();
    let Extracted { rows, recipe, failure, .. } = extractor.read(&page);
    let values = rows.iter().map(|row| serde_json::to_value(&row.0)).collect::<Result<Vec<_>, _>>();
    let values = values.context("cannot write what was found").map_err(Stop::broken)?;
    let into_row = |value| if let Value::Array(row) = value { row } else { Vec::new() };
    let contract = options::contract(&[], extractor)?;
    let facts = Facts { recipe: recipe.as_ref().map(|read| read.used), ..Facts::default() };
    let target = Target { id: 0, given: page.url.as_str().into(), at: Location { file: None, line: 1 }, input: None };
    let outcome = Outcome {
        target,
        trail: Some(Trail::new(page.url.clone(), None)),
        fetched_at: None,
        facts: Some(facts),
        end: End::Done { rows, failure: failure.clone() },
        links: Vec::new(),
        listing: None,
        hint: HostHint::default(),
        exchange: None,
        mention: None,
    };
    contract.clone().accept(&outcome).context("cannot judge what was found").map_err(Stop::broken)?;
    Ok(Reading {
        url: page.url.clone(),
        recipe: recipe.as_ref().map(|read| read.used.recipe),
        findings,
        names: extractor.names().to_vec(),
        rows: values.into_iter().map(into_row).collect(),
        left_out: recipe.as_ref().map_or(0, |read| read.used.left_out),
        next: recipe.and_then(|read| read.next).map(|next| next.url),
        // What only other recipes expect is not judged here.
        verdicts: contract.verdicts(true).into_iter().filter(|verdict| verdict.records > 0).collect(),
        failure,
    })
}

fn print(
    extractor: &Extractor,
    reading: Option<&Reading>,
    format: ReportFormat,
    environment: &Environment,
) -> Result<Status, Stop> {
    let outlines: Vec<_> = extractor.recipes().collect();
    let text = match format {
        ReportFormat::Json => json::text(&outlines, reading),
        ReportFormat::Text => {
            let color = io::stdout().is_terminal() && environment.wants_color;
            text::sheet(&outlines, reading, Screen { width: outputs::width(), color })
        }
    };
    super::print(text.as_bytes())
}
