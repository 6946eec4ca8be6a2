//! Outcomes, texts and a file for the tests of the sinks.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use proptest::prelude::*;
use url::Url;

use crate::failure::{Failure, Kind};
use crate::job::{End, Facts, HostHint, Job, Location, Outcome, Rejected, Target, Trail};
use crate::sink::{Format, Lines, Options};
use crate::value::{Row, Value};

pub(super) fn target(id: u64, given: &str) -> Target {
    let at = Location { file: Some("urls.txt".into()), line: id + 1 };
    Target { id, given: given.into(), at, input: None }
}

/// A page that was fetched.
pub(super) fn outcome(id: u64) -> Outcome {
    let url = Url::parse(&format!("https://example.com/{id}")).unwrap();
    let mut trail = Trail::new(url, None);
    trail.spent = Duration::from_millis(120);
    let facts = Facts {
        status: 200,
        content_type: Some("text/html".into()),
        charset: Some("UTF-8"),
        length: Some(1256),
        bytes: Some(1270),
        title: None,
        signature: None,
        links_found: None,
        fragments: None,
        recipe: None,
        validators: None,
    };
    Outcome {
        target: target(id, trail.url.as_str()),
        trail: Some(trail),
        fetched_at: Some("2026-11-22T10:30:00.5Z".parse().unwrap()),
        facts: Some(facts),
        end: End::Done { rows: Vec::new(), failure: None },
        links: Vec::new(),
        listing: None,
        hint: HostHint::default(),
        exchange: None,
        mention: None,
    }
}

/// A page that has a title.
pub(super) fn page(title: &str) -> Outcome {
    with_title(outcome(0), title)
}

/// The same page with a title.
pub(super) fn with_title(mut page: Outcome, title: &str) -> Outcome {
    page.facts.as_mut().unwrap().title = Some(title.into());
    page
}

/// A page at `url` with a status and a length, fetched in `spent`.
pub(super) fn page_at(url: &str, status: u16, length: u64, spent: Duration) -> Outcome {
    let mut page = outcome(0);
    page.target.given = url.into();
    let trail = page.trail.as_mut().unwrap();
    trail.url = Url::parse(url).unwrap();
    trail.spent = spent;
    let facts = page.facts.as_mut().unwrap();
    facts.status = status;
    facts.length = Some(length);
    page
}

/// The same outcome, and why it does not count.
pub(super) fn with_failure(outcome: Outcome, kind: Kind, message: &str) -> Outcome {
    Outcome { end: End::failed(Failure::new(kind, message)), ..outcome }
}

/// The same outcome with rows.
pub(super) fn with_rows(outcome: Outcome, rows: impl IntoIterator<Item = Vec<Value<'static>>>) -> Outcome {
    Outcome { end: End::Done { rows: rows.into_iter().map(Row).collect(), failure: None }, ..outcome }
}

/// A request that was not answered.
pub(super) fn unanswered(url: &str, spent: Duration, failure: Failure) -> Outcome {
    let mut trail = Trail::new(Url::parse(url).unwrap(), None);
    trail.spent = spent;
    Outcome::failed(Job { target: target(0, url), trail }, failure)
}

/// A line that is no URL.
pub(super) fn rejected(given: &str, reason: &str) -> Outcome {
    Outcome::rejected(Rejected { target: target(0, given), reason: reason.into() })
}

/// Names of fields.
pub(super) fn names(names: &[&str]) -> Arc<[Box<str>]> {
    names.iter().map(|&name| name.into()).collect()
}

/// The formats that can be looked at.
pub(super) fn text_formats() -> impl Iterator<Item = Format> {
    Format::ALL.into_iter().filter(|format| format.is_text())
}

/// What a run with these outcomes writes.
pub(super) fn write(format: Format, options: &Options, outcomes: &[Outcome]) -> String {
    let tape = Tape::default();
    let mut sink = format.sink(Lines::new("out", tape.clone()), options);
    for outcome in outcomes {
        sink.accept(outcome).unwrap();
    }
    sink.finish().unwrap();
    tape.text()
}

/// Text that some reader might stumble over.
pub(super) fn hostile_text() -> impl Strategy<Value = String> {
    let culprits = "\0\t\n\x0b\r\x1b\x7f\u{85}\u{9b}\u{ad}\u{300}\u{61c}\u{200b}\u{200d}\u{200f}\u{2028}\u{2029}\
        \u{202e}\u{2066}\u{feff}\u{fe0f}\u{fffd}\u{e0041}\\\"',; nux日é❤👩";
    let culprit = prop::sample::select(culprits.chars().collect::<Vec<_>>());
    let chars = prop::collection::vec(prop_oneof![culprit, any::<char>()], 0..40);
    chars.prop_map(|chars| chars.into_iter().collect())
}

/// A file that remembers each write, or refuses all of them.
#[derive(Clone, Default)]
pub(super) struct Tape {
    writes: Arc<Mutex<Vec<Vec<u8>>>>,
    refusal: Option<io::ErrorKind>,
}

impl Tape {
    pub(super) fn failing(kind: io::ErrorKind) -> Self {
        Self { refusal: Some(kind), ..Self::default() }
    }

    /// What each write got.
    pub(super) fn writes(&self) -> Vec<Vec<u8>> {
        self.writes.lock().unwrap().clone()
    }

    pub(super) fn text(&self) -> String {
        String::from_utf8(self.writes().concat()).unwrap()
    }
}

impl Write for Tape {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Some(kind) = self.refusal {
            return Err(kind.into());
        }
        self.writes.lock().unwrap().push(bytes.to_vec());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
