//! What a report takes from a page's records, whether they come from a run or from a file.

use std::borrow::Cow;
use std::time::Duration;

use jiff::Timestamp;
use url::Url;

use crate::job::Outcome;

/// A page, or a target that gave none.
#[derive(Debug, PartialEq)]
pub struct Page<'a> {
    /// The URL as given.
    pub url: Cow<'a, str>,
    /// The URL that was requested last.
    pub final_url: Option<Cow<'a, str>>,
    /// The status of the answer.
    pub status: Option<u16>,
    /// The title.
    pub title: Option<Cow<'a, str>>,
    /// The size of the body.
    pub bytes: Option<u64>,
    /// How long it took, in whole milliseconds.
    pub elapsed: Option<Duration>,
    /// How many times it was tried.
    pub attempts: u64,
    /// When it was done, in whole milliseconds.
    pub at: Option<Timestamp>,
    /// The kind and the message of its failure.
    pub failure: Option<(Cow<'a, str>, Cow<'a, str>)>,
}

impl<'a> Page<'a> {
    /// What an outcome's records say of its page.
    pub(super) fn of(outcome: &'a Outcome) -> Self {
        let (facts, trail) = (outcome.facts.as_ref(), outcome.trail.as_ref());
        let elapsed = trail.and_then(|trail| u64::try_from(trail.spent.as_millis()).ok());
        let failure = outcome.failure();
        Self {
            url: Cow::Borrowed(&outcome.target.given),
            final_url: trail.map(|trail| Cow::Borrowed(trail.url.as_str())),
            status: facts.map(|facts| facts.status),
            title: facts.and_then(|facts| facts.title.as_deref()).map(Cow::Borrowed),
            bytes: facts.and_then(|facts| facts.bytes),
            elapsed: elapsed.map(Duration::from_millis),
            attempts: trail.map_or(0, |trail| trail.attempt.into()),
            at: outcome.fetched_at.and_then(|at| Timestamp::from_millisecond(at.as_millisecond()).ok()),
            failure: failure.map(|failure| (failure.kind.slug().into(), failure.message.as_str().into())),
        }
    }

    /// How long the answer took; none where there was none.
    pub(super) fn latency(&self) -> Option<Duration> {
        self.elapsed.filter(|_| self.status.is_some())
    }

    /// The host, with its port, that was asked last; none for what is no URL.
    pub(super) fn host(&self) -> Option<String> {
        let url = Url::parse(self.final_url.as_deref().unwrap_or(&self.url)).ok()?;
        let host = url.host_str()?;
        Some(url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
    }

    /// Whether the host said that it is asked too much.
    pub(super) fn is_throttled(&self) -> bool {
        matches!(self.status, Some(429 | 503))
    }
}
