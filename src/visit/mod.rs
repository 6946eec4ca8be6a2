//! One job in, one outcome out. A visit never fails: a failure is an outcome.

mod conditional;
mod crawl;
mod next;
mod reader;
mod recorded;
mod replay;
mod robots;
mod sitemap;
mod threads;
mod traced;

use std::str::FromStr;
use std::sync::Arc;
use std::time::Instant;

use futures::future::FutureExt;
use jiff::Timestamp;
use reqwest::StatusCode;

use crate::extract::Extractor;
use crate::failure::{Failure, Kind, Retry};
use crate::fetch::{Answer, Fetcher, Head, Timing, Unanswered, timed};
use crate::job::{End, Facts, HostHint, Job, Outcome, Redirect, Role, Trail};

pub use self::conditional::{Conditional, Known};
pub use self::crawl::Crawl;
pub use self::reader::Reader;
use self::reader::What;
pub use self::recorded::Recorded;
pub use self::replay::Replay;
pub use self::sitemap::Options as SitemapOptions;
pub use self::traced::Traced;

/// Turns one job into one outcome: one request, or whatever stands for it.
pub trait Visit: Send + Sync + 'static {
    /// Visits `job`.
    fn visit(&self, job: Job) -> impl Future<Output = Outcome> + Send;
}

/// The statuses that count as fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted(Vec<(u16, u16)>);

impl Default for Accepted {
    /// Every final status below 400.
    fn default() -> Self {
        Self(vec![(200, 399)])
    }
}

impl FromStr for Accepted {
    type Err = String;

    /// Statuses and ranges of them: `200-299,404`.
    fn from_str(text: &str) -> Result<Self, String> {
        let range = |part: &str| {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let (first, last) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
            (100 <= first && first <= last && last <= 999).then_some((first, last))
        };
        let ranges =
            text.split(',').map(|part| range(part).ok_or_else(|| format!("{part:?} is no status and no range")));
        ranges.collect::<Result<_, _>>().map(Self)
    }
}

impl Accepted {
    /// Why an answer with this status does not count as fetched.
    fn judge(&self, status: u16) -> Option<Failure> {
        if self.0.iter().any(|&(first, last)| (first..=last).contains(&status)) {
            return None;
        }
        let reason = StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
        let message = reason.map_or_else(|| status.to_string(), |reason| format!("{status} {reason}"));
        Some(Failure::new(Kind::Status, message).with_retry(retry_of(status)))
    }
}

/// Statuses that may be gone in a moment. With 429 and 503 the server says that it has not acted.
pub(crate) fn retry_of(status: u16) -> Retry {
    match status {
        429 | 503 => Retry::Always,
        408 | 425 | 500 | 502 | 504 | 522 | 524 => Retry::Idempotent,
        _ => Retry::Never,
    }
}

/// Visits by making the request from here: fetch → page → extract.
#[derive(Debug)]
pub struct Local {
    fetcher: Fetcher,
    reader: Reader,
    /// How it goes on from pages, if it does.
    crawl: Option<Arc<Crawl>>,
    sitemaps: SitemapOptions,
}

impl Local {
    /// Fetches with `fetcher` and extracts with `extractor`; `accepted` tells which statuses count as fetched.
    #[must_use]
    pub fn new(fetcher: Fetcher, extractor: Extractor, accepted: Accepted) -> Self {
        let reader = Reader::new(extractor, accepted);
        Self { fetcher, reader, crawl: None, sitemaps: SitemapOptions::default() }
    }

    /// The same, and the facts of each page tell what the answer said of its version.
    #[must_use]
    pub fn with_validators(self) -> Self {
        Self { reader: self.reader.with_validators(), ..self }
    }

    /// The same, and the links of pages are found that lead on.
    #[must_use]
    pub fn with_crawl(self, crawl: Crawl) -> Self {
        Self { crawl: Some(Arc::new(crawl)), ..self }
    }

    /// The same, and sitemaps are read so.
    #[must_use]
    pub fn with_sitemaps(self, sitemaps: SitemapOptions) -> Self {
        Self { sitemaps, ..self }
    }

    /// What reads the pages.
    #[must_use]
    pub fn reader(&self) -> &Reader {
        &self.reader
    }

    async fn request(&self, job: Job) -> Outcome {
        let Job { target, mut trail } = job;
        let started = Instant::now();
        let (answer, timing) = self.fetch(&trail).await;
        let took = started.elapsed();
        let is_answered = answer.is_ok();
        if !matches!(answer, Err(Unanswered { lack: Some(_), .. })) {
            trail.spent += took;
        }
        let mut fetched_at = Some(Timestamp::now());
        let mut links = Vec::new();
        let crawl = self.crawl.clone().filter(|crawl| crawl.goes_on(&trail));
        let (facts, end, hint) = match answer {
            Ok(Answer::Page(fetched, _)) if fetched.head.status == 304 && self.fetcher.is_conditional(&trail) => {
                let hint = fetched.head.hint();
                let validators = fetched.head.validators().map(Box::new);
                (Some(Facts { status: 304, validators, ..Facts::default() }), End::Unchanged, hint)
            }
            Ok(Answer::Page(fetched, origin)) if trail.is_checked() => {
                let facts = facts_of(&fetched.head);
                let failure = self.reader.refuse(facts.status);
                (Some(facts), End::Done { rows: Vec::new(), failure }, origin.hint(&fetched.head))
            }
            Ok(Answer::Page(fetched, origin)) => {
                let hint = origin.hint(&fetched.head);
                fetched_at = origin.at.or(fetched_at);
                let is_head = self.fetcher.asks_for_heads() && !trail.rewrite_to_get;
                let what = What { is_head, crawl: crawl.clone() };
                let mut read = self.reader.read(fetched, timing, what).await;
                if let (Some(crawl), Some(mut followed), None) = (crawl, read.followed.take(), &read.refused) {
                    let fragments = followed.fragments.take();
                    read.facts.fragments = fragments.map(|fragments| Box::new(crawl.fragments(fragments, &trail)));
                    links = crawl.links(followed, &trail, origin.address);
                }
                let (facts, end) = if next::is_beyond(&trail, &read) {
                    (read.facts, End::Beyond)
                } else {
                    links.extend(next::link(&trail, origin.address, &read));
                    read.finish()
                };
                (Some(facts), end, hint)
            }
            Ok(Answer::Redirect(redirect, _)) if self.leaves_scope(&trail, &redirect) => {
                (None, End::Elsewhere(redirect), HostHint::default())
            }
            Ok(Answer::Redirect(redirect, origin)) => {
                let hint = HostHint { unasked: origin.is_kept, ..HostHint::default() };
                (None, End::Redirect(redirect), hint)
            }
            Err(unanswered) => {
                let hint = unanswered.head.as_ref().map(Head::hint).unwrap_or_default();
                let unasked = unanswered.failure.kind == Kind::Offline;
                let hint = HostHint { lack: unanswered.lack, unasked, ..hint };
                let (facts, end) = without_page(unanswered);
                (facts, end, hint)
            }
        };
        let hint = HostHint { latency: (is_answered && !hint.unasked).then_some(took), ..hint };
        Outcome {
            target,
            trail: Some(trail),
            fetched_at,
            facts,
            end,
            links,
            listing: None,
            hint,
            exchange: None,
            mention: None,
        }
    }

    /// The address of the host that a job is at: no request.
    async fn address(&self, job: Job) -> Outcome {
        let address = self.fetcher.address(&job.trail).await;
        Outcome::ended(job, End::Address(address))
    }

    fn leaves_scope(&self, trail: &Trail, redirect: &Redirect) -> bool {
        self.crawl.as_ref().is_some_and(|crawl| crawl.is_left(trail, redirect))
    }

    /// Makes the request, and takes its time where that is asked for: in a future of its own, which the others need not hold.
    async fn fetch(&self, trail: &Trail) -> (Result<Answer, Unanswered>, Option<Timing>) {
        if self.reader.needs_timing() {
            let (answer, timing) = timed(self.fetcher.fetch(trail)).boxed().await;
            return (answer, Some(timing));
        }
        (self.fetcher.fetch(trail).await, None)
    }
}

/// What is known where no page came.
fn without_page(unanswered: Unanswered) -> (Option<Facts>, End) {
    (unanswered.head.as_ref().map(facts_of), End::failed(unanswered.failure))
}

/// What is known of an answer without its body.
fn facts_of(head: &Head) -> Facts {
    Facts { status: head.status, content_type: head.content_type(), ..Facts::default() }
}

/// Fetches as is usual and extracts titles.
impl Default for Local {
    fn default() -> Self {
        Self::new(Fetcher::default(), Extractor::default(), Accepted::default())
    }
}

impl Visit for Local {
    async fn visit(&self, job: Job) -> Outcome {
        // The others are few: what visits pages need not be as large as they are.
        match job.trail.role {
            Role::Page => self.request(job).await,
            Role::Robots => robots::ask(&self.fetcher, job).boxed().await,
            Role::Sitemap => sitemap::read(&self.fetcher, self.sitemaps, job).boxed().await,
            Role::Address => self.address(job).boxed().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_are_named_one_by_one_and_by_range() {
        let accepted: Accepted = "200-299, 404".parse().unwrap();
        assert!(accepted.judge(204).is_none() && accepted.judge(404).is_none());
        assert_eq!(accepted.judge(302).unwrap().to_string(), "status: 302 Found");
        for wrong in ["", "abc", "300-200", "99", "1000", "200,,300"] {
            assert!(wrong.parse::<Accepted>().is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn what_may_be_gone_in_a_moment_is_asked_again() {
        let judge = |status| Accepted::default().judge(status).map(|failure| failure.retry);
        for status in [408, 425, 500, 502, 504, 522, 524] {
            assert_eq!(judge(status), Some(Retry::Idempotent), "{status}");
        }
        assert_eq!([judge(429), judge(503)], [Some(Retry::Always); 2]);
        for status in [400, 401, 403, 404, 410, 451, 501, 505] {
            assert_eq!(judge(status), Some(Retry::Never), "{status}");
        }
        assert_eq!(judge(399), None);
    }
}
