//! What flows through the pipeline: seeds go in, jobs are visited, outcomes come out.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::value::RawValue;
use url::Url;

use crate::canonical::fingerprint;
use crate::exchange::{Exchange, Response};
use crate::failure::{Failure, Kind};
use crate::histogram::Histogram;
use crate::similarity::Signature;
use crate::value::Row;

/// Text that is never shown: `Debug` hides it and there is no `Display`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Box<str>);

impl Secret {
    /// Hides `text` from every log and record.
    pub fn new(text: impl Into<Box<str>>) -> Self {
        Self(text.into())
    }

    /// The text itself, for the wire.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[hidden]")
    }
}

/// Where the user named a URL: a file and its line, counted from 1, or the number of an argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    /// The file as the user named it, `-` for standard input, none for an argument.
    pub file: Option<Arc<str>>,
    /// The line in the file, or the argument's position among the sources; counted from 1.
    pub line: u64,
}

/// What the user named, as it comes back in the record.
#[derive(Clone, Debug)]
pub struct Target {
    /// The position among the targets of this run, counted from 0 without gaps. Pages that are followed have that of their
    /// seed.
    pub id: u64,
    /// The URL as given: trimmed, with a scheme, without userinfo. Of a page that is followed, the URL that led there.
    pub given: Box<str>,
    /// Where it was named.
    pub at: Location,
    /// What else its line carried: a JSON object.
    pub input: Option<Arc<RawValue>>,
}

/// A URL that the user gave. The frontier makes it a job, or drops it as a duplicate.
#[derive(Clone, Debug)]
pub struct Seed {
    /// What the user named; the frontier numbers it.
    pub target: Target,
    /// The URL to request: http or https, without userinfo and fragment.
    pub url: Url,
    /// `user:password` from the URL, for Basic authentication at this URL's origin.
    pub auth: Option<Secret>,
    /// The answer, where an archive has it: nobody is asked then.
    pub stored: Option<Arc<Stored>>,
}

/// An answer that an archive has, and what is known of how it came.
#[derive(Clone, Debug)]
pub struct Stored {
    /// The URL that answered.
    pub url: Url,
    /// The redirects that led there.
    pub hops: Vec<Hop>,
    /// How many times it had been tried, counted from 1.
    pub attempt: u32,
    /// How long that took.
    pub spent: Duration,
    /// When that was.
    pub at: Timestamp,
    /// What was answered; none where the archive has lost it, and the failure says how.
    pub response: Option<Response>,
    /// Whether there is no body because none was asked for.
    pub is_head: bool,
    /// Why the answer did not count as fetched then, where it is not whole.
    pub failure: Option<Failure>,
}

/// A line that is no URL.
#[derive(Clone, Debug)]
pub struct Rejected {
    /// What the user named, cut to a bearable length; the frontier numbers it.
    pub target: Target,
    /// Why it is no URL.
    pub reason: String,
}

/// A redirect that was followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hop {
    /// The status that the server answered with.
    pub status: u16,
    /// The URL that was requested and answered so.
    pub url: Url,
}

/// Who chose a URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// The user.
    Typed,
    /// A server.
    Chosen {
        /// The address that it answered from; none where a proxy hides it.
        by: Option<IpAddr>,
    },
}

/// A page to go on with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Its URL: http or https, without userinfo and fragment.
    pub url: Url,
    /// Who chose it.
    pub trust: Trust,
    /// What it is to the page that leads there.
    pub kind: LinkKind,
    /// How many pages its chain may have, the seed's included.
    pub pages: NonZeroU32,
}

/// What a page is to the one that leads to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkKind {
    /// The next one in a list, as the page says.
    Next,
    /// The next one in a list by counting: nobody has said that there is one.
    Counted {
        /// What stands for the items of the page before. One that has the same is the last page once more.
        items: u64,
    },
}

/// What lies behind a page that no seed names: the pages that led there, one after the other.
#[derive(Clone, Debug)]
pub struct Chain {
    /// The URL of the seed.
    seed: Url,
    /// What the page is to the one before.
    kind: LinkKind,
    /// Its number; the seed's page is 1.
    page: u32,
    /// The fingerprints of all URLs that were asked for before it.
    seen: Vec<u64>,
}

/// What a server said of the version of a page that it sent (RFC 9110, section 8.8), as it said it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Validators {
    /// The `ETag`: weak ones are as good as strong ones, since whole pages are asked for.
    pub etag: Option<Box<str>>,
    /// The `Last-Modified`.
    pub last_modified: Option<Box<str>>,
}

/// How far the work on a target has come: the request to make next, and what lies behind it.
#[derive(Clone, Debug)]
pub struct Trail {
    /// The URL to request.
    pub url: Url,
    /// Who chose it.
    pub trust: Trust,
    /// The redirects that led there.
    pub hops: Vec<Hop>,
    /// How many times it is being tried, counted from 1. A redirect is no new attempt.
    pub attempt: u32,
    /// How long the requests of this attempt have taken so far, redirects included, time queued excluded.
    pub spent: Duration,
    /// Credentials for the origin of the seed, and for no other.
    pub auth: Option<Secret>,
    /// Whether a redirect turned the method into GET (RFC 9110, section 15.4).
    pub rewrite_to_get: bool,
    /// Whether the connection may be kept for another request.
    pub keep_alive: bool,
    /// Whether a body once found no memory: room for the largest one is then made before it is asked for.
    pub is_large: bool,
    /// The pages that led there; none for the page of a seed.
    pub chain: Option<Box<Chain>>,
    /// The answer, where nobody is to be asked for it.
    pub stored: Option<Arc<Stored>>,
    /// The version of the page that is known: only another one is asked for.
    pub validators: Option<Box<Validators>>,
}

impl Trail {
    /// The start of the work on `url`, which the user typed.
    #[must_use]
    pub fn new(url: Url, auth: Option<Secret>) -> Self {
        Self {
            url,
            trust: Trust::Typed,
            hops: Vec::new(),
            attempt: 1,
            spent: Duration::ZERO,
            auth,
            rewrite_to_get: false,
            keep_alive: true,
            is_large: false,
            chain: None,
            stored: None,
            validators: None,
        }
    }

    /// The way to an answer that is there.
    #[must_use]
    pub fn to_stored(stored: Arc<Stored>) -> Self {
        let trail = Self::new(stored.url.clone(), None);
        let (hops, attempt, spent) = (stored.hops.clone(), stored.attempt, stored.spent);
        Self { hops, attempt, spent, stored: Some(stored), ..trail }
    }

    /// The same request once more, with the time of an attempt before it.
    #[must_use]
    pub fn retry(self) -> Self {
        Self { attempt: self.attempt + 1, spent: Duration::ZERO, ..self }
    }

    /// The request that a redirect asks for.
    #[must_use]
    pub fn hop(mut self, redirect: Redirect) -> Self {
        let url = std::mem::replace(&mut self.url, redirect.to);
        self.hops.push(Hop { status: redirect.status, url });
        let trust = Trust::Chosen { by: redirect.by };
        let rewrite_to_get = self.rewrite_to_get || redirect.rewrite_to_get;
        Self { trust, rewrite_to_get, validators: None, ..self }
    }

    /// The request for a page that this one leads to; none where that was asked for in its chain before.
    ///
    /// A page that is named is asked for by GET, as a browser would; counting repeats the request that was made.
    #[must_use]
    pub fn follow(&self, link: &Link) -> Option<Self> {
        let mut seen = self.chain.as_ref().map_or_else(Vec::new, |chain| chain.seen.clone());
        seen.extend(self.hops.iter().map(|hop| &hop.url).chain([&self.url]).map(fingerprint));
        if seen.contains(&fingerprint(&link.url)) {
            return None;
        }
        let chain = Chain { seed: self.seed_url().clone(), kind: link.kind, page: self.page() + 1, seen };
        Some(Self {
            trust: link.trust,
            rewrite_to_get: link.kind == LinkKind::Next || self.rewrite_to_get,
            chain: Some(Box::new(chain)),
            ..Self::new(link.url.clone(), self.auth.clone())
        })
    }

    /// The number of the page in its chain, from 1.
    #[must_use]
    pub fn page(&self) -> u32 {
        self.chain.as_ref().map_or(1, |chain| chain.page)
    }

    /// What the page is to the one before; none for the page of a seed.
    #[must_use]
    pub fn kind(&self) -> Option<LinkKind> {
        self.chain.as_ref().map(|chain| chain.kind)
    }

    /// The URL that the seed named: what is meant for its origin goes nowhere else.
    #[must_use]
    pub fn seed_url(&self) -> &Url {
        self.chain.as_ref().map_or_else(|| self.first_url(), |chain| &chain.seed)
    }

    /// Whether the next request goes to the origin (scheme, host and port) that the user named.
    #[must_use]
    pub fn is_at_seed_origin(&self) -> bool {
        self.is_of_seed() || self.seed_url().origin() == self.url.origin()
    }

    /// Whether the first request, before any redirect, went to the origin that the user named.
    #[must_use]
    pub fn began_at_seed_origin(&self) -> bool {
        self.chain.is_none() || self.seed_url().origin() == self.first_url().origin()
    }

    fn is_of_seed(&self) -> bool {
        self.hops.is_empty() && self.chain.is_none()
    }

    /// The URL that was asked for first, before any redirect.
    #[must_use]
    pub fn first_url(&self) -> &Url {
        self.hops.first().map_or(&self.url, |hop| &hop.url)
    }
}

/// One unit of work: a target and the request to make for it.
#[derive(Clone, Debug)]
pub struct Job {
    /// What the user named.
    pub target: Target,
    /// The request to make.
    pub trail: Trail,
}

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

/// Where a redirect leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redirect {
    /// The status that the server answered with.
    pub status: u16,
    /// The next URL: http or https.
    pub to: Url,
    /// Whether the next request is a GET whatever this one was.
    pub rewrite_to_get: bool,
    /// The address that said so; none where a proxy hides it.
    pub by: Option<IpAddr>,
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
    /// Where to go on; once it is final, what of that was taken into the queue.
    pub links: Vec<Link>,
    /// How the host wants to be treated.
    pub hint: HostHint,
    /// What went over the wire, where somebody wants it.
    pub exchange: Option<Arc<Exchange>>,
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
    /// Whether the target is settled with it.
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
            hint: HostHint::default(),
            exchange: None,
        }
    }

    /// The outcome of a job that ended without an answer.
    #[must_use]
    pub fn failed(job: Job, failure: Failure) -> Self {
        Self {
            target: job.target,
            trail: Some(job.trail),
            fetched_at: Some(Timestamp::now()),
            facts: None,
            end: End::failed(failure),
            links: Vec::new(),
            hint: HostHint::default(),
            exchange: None,
        }
    }

    /// Its place in the order of the input: the number of its target, and of the page in its chain.
    #[must_use]
    pub fn place(&self) -> (u64, u32) {
        (self.target.id, self.trail.as_ref().map_or(1, Trail::page))
    }

    /// Why the target does not count as fetched; none for a success and for a redirect.
    #[must_use]
    pub fn failure(&self) -> Option<&Failure> {
        match &self.end {
            End::Done { failure, .. } => failure.as_ref(),
            End::Redirect(_) | End::Beyond | End::Unchanged => None,
        }
    }

    /// What was extracted.
    #[must_use]
    pub fn rows(&self) -> &[Row] {
        match &self.end {
            End::Done { rows, .. } => rows,
            End::Redirect(_) | End::Beyond | End::Unchanged => &[],
        }
    }
}

/// What a run came to.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// Targets with a final outcome.
    pub targets: u64,
    /// Targets that count as fetched.
    pub fetched: u64,
    /// Those among them whose page came from the cache, without anybody being asked.
    pub cached: u64,
    /// Seeds dropped because their page was fetched for another one.
    pub duplicates: u64,
    /// Chains that would have gone on beyond the limit of their pages.
    pub cut: u64,
    /// Items that were left out, as they lack a required field.
    pub left_out: u64,
    /// Seeds dropped because their page was done by an earlier run.
    pub done_before: u64,
    /// Answers by status.
    pub by_status: BTreeMap<u16, u64>,
    /// Failures by kind.
    pub by_kind: BTreeMap<Kind, u64>,
    /// Bytes of all bodies, content codings undone.
    pub bytes: u64,
    /// How long the last attempt of each target took that was answered.
    pub latency: Histogram,
    /// How long the run took.
    pub elapsed: Duration,
}

impl Summary {
    /// Counts a final outcome.
    pub fn count(&mut self, outcome: &Outcome) {
        self.targets += 1;
        if let Some(facts) = &outcome.facts {
            *self.by_status.entry(facts.status).or_default() += 1;
            self.bytes += facts.bytes.unwrap_or(0);
            self.left_out += facts.recipe.map_or(0, |used| used.left_out);
            if let Some(trail) = &outcome.trail {
                self.latency.record(trail.spent);
            }
        }
        match outcome.failure() {
            None => {
                self.fetched += 1;
                self.cached += u64::from(outcome.hint.unasked);
            }
            Some(failure) => *self.by_kind.entry(failure.kind).or_default() += 1,
        }
    }

    /// Targets that do not count as fetched.
    #[must_use]
    pub fn failed(&self) -> u64 {
        self.targets - self.fetched
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn a_secret_is_never_printed() {
        let trail = Trail::new(url("http://a.test/"), Some(Secret::new("me:sesame")));
        assert!(!format!("{trail:?}").contains("sesame"));
    }

    #[test]
    fn a_hop_keeps_the_attempt_and_the_time_and_a_retry_keeps_the_hops() {
        let mut trail = Trail::new(url("http://a.test/"), None);
        trail.spent = Duration::from_secs(3);
        let by = Some(IpAddr::from([192, 0, 2, 1]));
        let redirect = Redirect { status: 303, to: url("https://a.test/b"), rewrite_to_get: true, by };
        let hopped = trail.hop(redirect);
        assert_eq!((hopped.attempt, hopped.spent), (1, Duration::from_secs(3)));
        assert!(!hopped.is_at_seed_origin(), "another scheme is another origin");
        let retried = hopped.retry();
        assert_eq!((retried.attempt, retried.spent), (2, Duration::ZERO));
        assert_eq!(retried.trust, Trust::Chosen { by }, "it is still the server's choice");
        assert_eq!(retried.hops, [Hop { status: 303, url: url("http://a.test/") }]);
        assert!(retried.rewrite_to_get);
    }

    fn link(to: &str, kind: LinkKind) -> Link {
        Link { url: url(to), trust: Trust::Chosen { by: None }, kind, pages: NonZeroU32::MAX }
    }

    #[test]
    fn a_chain_ends_where_it_would_begin_anew() {
        let first = Trail::new(url("http://a.test/1"), None);
        let redirect = Redirect { status: 302, to: url("http://a.test/2b"), rewrite_to_get: false, by: None };
        let second = first.follow(&link("http://a.test/2", LinkKind::Next)).unwrap().hop(redirect);
        assert_eq!((first.page(), second.page()), (1, 2));
        for seen in ["http://a.test/1", "http://a.test/2", "http://a.test/2b"] {
            assert!(second.follow(&link(seen, LinkKind::Next)).is_none(), "{seen}");
        }
        let third = second.follow(&link("http://a.test/3", LinkKind::Next)).unwrap();
        assert_eq!((third.page(), third.attempt, &*third.hops), (3, 1, &[][..]));
    }

    #[test]
    fn a_chain_comes_home_when_it_comes_to_the_origin_of_its_seed() {
        let first = Trail::new(url("http://a.test/1"), Some(Secret::new("me:sesame")));
        let abroad = first.follow(&link("http://b.test/2", LinkKind::Next)).unwrap();
        assert!(!abroad.is_at_seed_origin() && !abroad.began_at_seed_origin());
        let home = abroad.follow(&link("http://a.test/3", LinkKind::Next)).unwrap();
        assert!(home.is_at_seed_origin() && home.began_at_seed_origin());
        assert_eq!(home.seed_url(), &first.url);
    }

    #[test]
    fn a_page_that_is_named_is_asked_for_by_get_and_counting_repeats_the_request() {
        let first = Trail::new(url("http://a.test/1"), None);
        let follow = |kind| first.follow(&link("http://a.test/2", kind)).unwrap();
        assert!(follow(LinkKind::Next).rewrite_to_get);
        assert!(!follow(LinkKind::Counted { items: 1 }).rewrite_to_get);
    }
}
