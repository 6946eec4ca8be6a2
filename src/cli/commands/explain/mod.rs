//! `scrape explain URL`: one URL goes through the stages of a run, and what each of them did is told.
//!
//! The engine and its frontier are those of a run, with the one difference that a failure is not tried again: the rules
//! are asked whether it would be. Nothing that may be a secret is written: credentials, cookies, bodies that are sent, and
//! the values of header fields but the harmless ones are `…`.

mod curl;
mod json;
mod report;
mod text;

use std::io::{self, IsTerminal};

use indicatif::ProgressBar;

use self::report::Report;
use super::options;
use super::story::Story;
use crate::cli::args::{Explain, ReportFormat};
use crate::cli::config::Environment;
use crate::cli::exit::{Status, Stop};
use crate::cli::logging::{self, Voice};
use crate::cli::outputs;
use crate::cli::sheet::Screen;
use crate::extract::Ask;
use crate::frontier::RetryOptions;

pub(in crate::cli) fn run(args: &Explain, asks: &[Ask], environment: &Environment) -> Result<Status, Stop> {
    let voice = Voice::new(ProgressBar::hidden(), args.general.quiet);
    logging::start(&voice, args.general.verbose);
    let (extractor, read) = (options::extractor(asks)?, options::extractor(asks)?);
    let mut fetching = options::fetch(&args.fetching, environment)?;
    fetching.connection.trace = true;
    let (request, retry) = (fetching.request.clone(), options::retry(&args.fetching)?);
    let mut story = Story::of(&args.url, (&args.fetching, fetching), read, voice)?;
    let printed = story.last.take().map(|last| {
        let curl = curl::command(&args.fetching, &request, &last);
        let visits = std::mem::take(&mut story.visits);
        let report = Report { curl, ..Report::new(report::requests(visits, &request), last, &extractor) };
        print(&report, &retry, args.format, environment)
    });
    let status = story.finish();
    printed.transpose()?;
    status
}

fn print(
    report: &Report,
    retry: &RetryOptions,
    format: ReportFormat,
    environment: &Environment,
) -> Result<Status, Stop> {
    let text = match format {
        ReportFormat::Json => json::text(report, retry),
        ReportFormat::Text => {
            let color = io::stdout().is_terminal() && environment.wants_color;
            text::page(report, retry, Screen { width: outputs::width(), color })
        }
    };
    super::print(text.as_bytes())
}
