//! What a report takes from a page's records, whether they come from a run or from a file.

use std::borrow::Cow;
use std::time::Duration;

use jiff::Timestamp;
use url::Url;

use crate::failure::Kind;
use crate::job::{Anchor, Outcome};

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
    /// How it was come by.
    pub way: Way<'a>,
}

/// How a page was come by.
#[derive(Debug, Default, PartialEq)]
pub struct Way<'a> {
    /// How many links lie between it and its seed.
    pub depth: u64,
    /// The page that led there; none for what was given.
    pub referrer: Option<Cow<'a, str>>,
    /// Where that has the link, if links were checked.
    pub anchor: Option<Cow<'a, Anchor>>,
    /// What was requested before it, with the status that led on.
    pub redirects: Vec<(u16, Cow<'a, str>)>,
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
            way: Way::of(outcome),
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

    /// Whether the host was not asked for it, as it could not be reached.
    pub(super) fn is_given_up(&self) -> bool {
        self.failure.as_ref().is_some_and(|(kind, _)| kind == Kind::HostDown.slug())
    }

    /// Whether the host said that it is asked too much.
    pub(super) fn is_throttled(&self) -> bool {
        matches!(self.status, Some(429 | 503))
    }
}

impl<'a> Way<'a> {
    fn of(outcome: &'a Outcome) -> Self {
        let hops = outcome.trail.iter().flat_map(|trail| &trail.hops);
        Self {
            depth: outcome.depth().into(),
            referrer: outcome.referrer().map(|url| Cow::Borrowed(url.as_str())),
            anchor: outcome.mention.as_ref().map(|mention| Cow::Borrowed(&mention.anchor)),
            redirects: hops.map(|hop| (hop.status, Cow::Borrowed(hop.url.as_str()))).collect(),
        }
    }
}
