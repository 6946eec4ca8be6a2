//! What came of a visit.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use url::Url;

use super::{Fragments, Job, Link, Listing, Mention, Redirect, Rejected, Target, Trail, Validators};
use crate::exchange::Exchange;
use crate::failure::{Failure, Kind};
use crate::similarity::Signature;
use crate::value::Row;

/// What an answer said of itself and what was found in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// The answer's status.
    pub status: u16,
    /// The answer's `Content-Type`, as it came.
    pub content_type: Option<String>,
    /// The WHATWG name of the charset that the text was decoded with; none for what is not text.
    pub charset: Option<&'static str>,
    /// The length of the decoded text in characters (Unicode scalar values); of what is not text, in bytes.
    pub length: Option<u64>,
    /// The length of the body in bytes, content codings undone.
    pub bytes: Option<u64>,
    /// The document's title.
    pub title: Option<String>,
    /// What the main text is compared to others by; none where nobody asked for that, and where there is no text.
    pub signature: Option<Signature>,
    /// The recipe that it was read by; none where there is none for it.
    pub recipe: Option<Used>,
    /// How many links lead on from it, to whatever place; none where nobody looked for them.
    pub links_found: Option<u64>,
    /// What it says to those who check links; none where nobody asked for that.
    pub fragments: Option<Box<Fragments>>,
    /// What the answer said of its version; none where nobody asked for that.
    pub validators: Option<Box<Validators>>,
}

/// How a page was read by a recipe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Used {
    /// Which one, counted from 0 through all files.
    pub recipe: usize,
    /// How many items were left out, as they lack a required field.
    pub left_out: u64,
}

/// How a visit ended.
#[derive(Clone, Debug)]
pub enum End {
    /// With rows, or with a failure, or with both (a 404 page has facts and a failure).
    Done {
        /// What was extracted: one row a page, or one an item of its recipe; none where there is no page.
        rows: Vec<Row>,
        /// Why the target does not count as fetched.
        failure: Option<Failure>,
    },
    /// With a redirect to follow.
    Redirect(Redirect),
    /// With the rules of an origin, or with the status that stands for them; none where there was no answer. That is no
    /// record.
    Robots {
        /// The status of the answer.
        status: Option<u16>,
        /// As much of its body as counts.
        body: Vec<u8>,
        /// The address that it came from; none where a proxy hides it.
        by: Option<IpAddr>,
        /// Why the rest of it did not come, if it did not: worth another try, and then what came counts.
        failure: Option<Failure>,
    },
    /// With the address of a host; none where it has none, or a proxy hides it. That is no record.
    Address(Option<IpAddr>),
    /// With a list of pages, a sitemap or a feed. That is no record.
    Listed,
    /// With a redirect that is not followed: it leads out of the scope of the crawl, or to a page that has a job of its own.
    /// That is no record.
    Elsewhere(Redirect),
    /// Behind the last page: nobody has said that there is one here, and it has nothing. That is no record.
    Beyond,
    /// With the word that the version which is known is still the one (304): there is no page, and no record.
    Unchanged,
}

impl End {
    /// The end of a visit that has nothing but a failure.
    #[must_use]
    pub fn failed(failure: Failure) -> Self {
        Self::Done { rows: Vec::new(), failure: Some(failure) }
    }
}

/// What an answer says about how its host wants to be treated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HostHint {
    /// How long the host asked to be left alone.
    pub retry_after: Option<Duration>,
    /// Whether the host said that it is asked too much (429, 503).
    pub throttled: bool,
    /// How long its answer took, if one came: that to this request alone, body included.
    pub latency: Option<Duration>,
    /// What this machine had too little of, and not the host.
    pub lack: Option<Lack>,
    /// Whether the host was not asked at all: it need not be spared the next request.
    pub unasked: bool,
}

/// What this machine had too little of to make a request or to take its answer: the visit does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lack {
    /// No connection was left to ask with.
    Connections,
    /// Other bodies had the memory.
    Memory,
}

/// What came of one visit, or of a target that needs none.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// What the user named.
    pub target: Target,
    /// The request that was made; none for a line that is no URL.
    pub trail: Option<Trail>,
    /// When the visit ended.
    pub fetched_at: Option<Timestamp>,
    /// What the answer said, if one came.
    pub facts: Option<Facts>,
    /// How it ended.
    pub end: End,
    /// Where to go on. Once it is final, each knows whether it became a job.
    pub links: Vec<Link>,
    /// What a sitemap names: as for [`links`](Self::links), and there may be millions.
    pub listing: Option<Box<Listing>>,
    /// How the host wants to be treated.
    pub hint: HostHint,
    /// What went over the wire, where somebody wants it.
    pub exchange: Option<Arc<Exchange>>,
    /// The link that led there, where links are checked, of one that is broken.
    pub mention: Option<Box<Mention>>,
}

/// One request, and what came of it: final or not.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// What the user named.
    pub target: Target,
    /// The request that was made.
    pub trail: Trail,
    /// What the answer said, if one came that is no redirect.
    pub facts: Option<Facts>,
    /// Why it does not count as fetched; none for a success and for a redirect.
    pub failure: Option<Failure>,
    /// What went over the wire.
    pub exchange: Arc<Exchange>,
    /// Whether it is what the record of its URL tells of.
    pub is_final: bool,
}

impl Outcome {
    /// Takes what went over the wire, where it was kept; whether that is final is for others to say.
    #[must_use]
    pub fn take_attempt(&mut self) -> Option<Attempt> {
        let (exchange, trail) = (self.exchange.take()?, self.trail.clone()?);
        let (target, facts, failure) = (self.target.clone(), self.facts.clone(), self.failure().cloned());
        Some(Attempt { target, trail, facts, failure, exchange, is_final: false })
    }

    /// The outcome of a line that is no URL.
    #[must_use]
    pub fn rejected(rejected: Rejected) -> Self {
        Self {
            target: rejected.target,
            trail: None,
            fetched_at: None,
            facts: None,
            end: End::failed(Failure::new(Kind::InvalidUrl, rejected.reason)),
            links: Vec::new(),
            listing: None,
            hint: HostHint::default(),
            exchange: None,
            mention: None,
        }
    }

    /// The outcome of a job that ended without an answer.
    #[must_use]
    pub fn failed(job: Job, failure: Failure) -> Self {
        Self::ended(job, End::failed(failure))
    }

    /// The outcome of a job of which nothing is known but how it ended.
    #[must_use]
    pub fn ended(job: Job, end: End) -> Self {
        Self {
            target: job.target,
            trail: Some(job.trail),
            fetched_at: Some(Timestamp::now()),
            facts: None,
            end,
            links: Vec::new(),
            listing: None,
            hint: HostHint::default(),
            exchange: None,
            mention: None,
        }
    }

    /// Its place in the order of the input: the number of its target, and of the page in its chain.
    #[must_use]
    pub fn place(&self) -> (u64, u32) {
        (self.target.id, self.trail.as_ref().map_or(1, Trail::page))
    }

    /// Where to go on: what the page links to and what the sitemap names.
    pub fn leads(&self) -> impl Iterator<Item = Cow<'_, Link>> {
        let named = self.listing.iter().flat_map(|listing| listing.links());
        self.links.iter().map(Cow::Borrowed).chain(named.map(Cow::Owned))
    }

    /// Whether its list goes on with another page.
    #[must_use]
    pub fn goes_on(&self) -> bool {
        self.links.iter().any(|link| link.is_admitted && link.kind.pages().is_some())
    }

    /// Whether there is a record of it.
    #[must_use]
    pub fn is_record(&self) -> bool {
        matches!(self.end, End::Done { .. })
    }

    /// Why the target does not count as fetched; none for a success and for a redirect.
    #[must_use]
    pub fn failure(&self) -> Option<&Failure> {
        match &self.end {
            End::Done { failure, .. } | End::Robots { failure, .. } => failure.as_ref(),
            _ => None,
        }
    }

    /// The page that led there; none for what was given.
    #[must_use]
    pub fn referrer(&self) -> Option<&Url> {
        let mentioned = self.mention.as_ref().map(|mention| &mention.page);
        self.trail.as_ref().and_then(Trail::referrer).or(mentioned)
    }

    /// How many links lie between it and its seed.
    #[must_use]
    pub fn depth(&self) -> u32 {
        let mentioned = self.mention.as_ref().map_or(0, |mention| mention.depth);
        self.trail.as_ref().map_or(mentioned, Trail::depth)
    }

    /// What was extracted.
    #[must_use]
    pub fn rows(&self) -> &[Row] {
        match &self.end {
            End::Done { rows, .. } => rows,
            _ => &[],
        }
    }
}
