//! `scrape history` and `scrape diff`: what a state tells of pages. The keys of its JSON are always all present; [`VERSION`]
//! changes when one is removed or means something else.

use std::io::{self, IsTerminal};
use std::path::Path;

use anstyle::Style;
use anyhow::{Context, anyhow};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};
use url::Url;

use crate::cli::args::{Diff, History as Args, ReportFormat};
use crate::cli::config::Environment;
use crate::cli::exit::{Status, Stop};
use crate::cli::sheet::{BAD, DIM, GOOD, Screen, Sheet};
use crate::cli::{outputs, state};
use crate::seeds;
use crate::sink::{cut, escape_json, neutralise};
use crate::store::{Change, Event, History, Which};

/// The version of an event, its key `v`.
const VERSION: u64 = 1;

/// So much text is written at once.
const PIECE: usize = 64 << 10;

/// What changed.
pub(in crate::cli) fn diff(args: &Diff, environment: &Environment) -> Result<Status, Stop> {
    let since = args.since.map(|time| {
        let time = SignedDuration::try_from(time).context("--since is too long ago").map_err(Stop::usage)?;
        Timestamp::now().checked_sub(time).context("--since is too long ago").map_err(Stop::usage)
    });
    let which = match (since.transpose()?, &args.url) {
        (Some(since), _) => Which::Since(since),
        (None, Some(_)) => Which::All,
        (None, None) => Which::LastRun,
    };
    let tell = Tell { path: &args.state, url: args.url.as_deref(), which, only_last: args.since.is_none() };
    tell.run(args.format, environment)
}

/// All versions of one page.
pub(in crate::cli) fn run(args: &Args, environment: &Environment) -> Result<Status, Stop> {
    let tell = Tell { path: &args.state, url: Some(&args.url), which: Which::All, only_last: false };
    tell.run(args.format, environment)
}

/// What is to be told.
struct Tell<'a> {
    path: &'a Path,
    url: Option<&'a str>,
    which: Which,
    /// Whether of a page that is named the last event is enough.
    only_last: bool,
}

impl Tell<'_> {
    fn run(&self, format: Option<ReportFormat>, environment: &Environment) -> Result<Status, Stop> {
        let refuse = |error| state::refuse(error, self.path);
        let history = History::open(self.path).map_err(refuse)?;
        let url = self.url.map(|given| self.known(given, &history)).transpose()?;
        let is_terminal = io::stdout().is_terminal();
        let format = format.unwrap_or(if is_terminal { ReportFormat::Text } else { ReportFormat::Json });
        let screen = Screen { width: outputs::width(), color: is_terminal && environment.wants_color };
        let write = |event: &Event| match format {
            ReportFormat::Json => json(event),
            ReportFormat::Text => text(event, screen),
        };
        let is_last_wanted = self.only_last && url.is_some();
        let (mut piece, mut printed) = (String::new(), Ok(Status::Success));
        let told = history.events(url.as_ref(), self.which, |event| {
            if is_last_wanted {
                piece.clear();
            }
            piece += &write(event);
            if piece.len() >= PIECE && !is_last_wanted {
                printed = super::print(std::mem::take(&mut piece).as_bytes());
            }
            if printed.is_ok() { Ok(()) } else { Err(io::ErrorKind::BrokenPipe.into()) }
        });
        printed?;
        told.map_err(refuse)?;
        super::print(piece.as_bytes())
    }

    /// The URL, which the state must know.
    fn known(&self, given: &str, history: &History) -> Result<Url, Stop> {
        let url = seeds::url(given).map_err(|why| Stop::usage(anyhow!("{given:?} is no URL: {why}")))?;
        let is_known = history.has(&url).map_err(|error| state::refuse(error, self.path))?;
        is_known
            .then_some(url)
            .ok_or_else(|| Stop::usage(anyhow!("{} knows nothing of {}", self.path.display(), neutralise(given))))
    }
}

fn json(event: &Event) -> String {
    let raw = |raw: &serde_json::value::RawValue| serde_json::from_str::<Value>(raw.get()).unwrap_or_default();
    let pair = |old, new| json!({"old": old, "new": new});
    let differences = event.differences.iter().map(|it| (it.field.clone(), pair(raw(&it.old), raw(&it.new))));
    let diff = matches!(event.change, Change::Changed | Change::Back).then(|| differences.collect::<Map<_, _>>());
    let values = event.values.iter().map(|(name, value)| (name.clone(), raw(value)));
    let values = (event.change != Change::Gone).then(|| values.collect::<Map<_, _>>());
    let event = json!({
        "v": VERSION,
        "url": event.url,
        "at": format!("{:.3}", event.at),
        "change": event.change.name(),
        "status": event.status,
        "diff": diff,
        "values": values,
    });
    escape_json(&format!("{event}\n"))
}

fn text(event: &Event, screen: Screen) -> String {
    let mut sheet = Sheet::new(screen);
    let note = format!("{}  {:.0}", event.change.name(), event.at);
    let room = screen.width.saturating_sub(note.len() + 2);
    sheet.heading(&neutralise(&cut(&event.url, room)), &note);
    let mut line = |label: &str, sign: &str, value: &str, style: Style| {
        let text = format!("{sign}{value}");
        sheet.styled(&cut(label, 11), &cut(&text, sheet.room()), style);
    };
    for difference in &event.differences {
        line(&difference.field, "- ", difference.old.get(), BAD);
        line("", "+ ", difference.new.get(), GOOD);
    }
    if event.change == Change::New {
        event.values.iter().for_each(|(name, value)| line(name, "", value.get(), DIM));
    }
    sheet.into_text() + "\n"
}
