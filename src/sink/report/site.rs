//! What a crawl tells of a site: how deep its pages lie, where its links break, what is moved, and what only a sitemap names.
//! Its memory does not grow with the number of pages.
//!
//! What was decided:
//! - A link is broken if the page that it led to could not be fetched; what robots.txt forbids, and what was not waited for, is not.
//! - Records tell what was redirected and fetched in the end. Redirects that are not followed, as they lead to a page with a record
//!   of its own or out of the site, only the run itself tells; and which pages are orphans, too.
//! - An orphan is a page that was found by a sitemap before any page that was fetched until then had a link to it, and none has
//!   had one since.

use std::borrow::Cow;
use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use url::Url;

use super::page::Page;
use super::sample::{COLUMNS, Row};
use crate::canonical::fingerprint;
use crate::failure::Kind;
use crate::job::{Anchor, End, LinkKind, Outcome};
use crate::sink::{cut, grouped};

/// So many rows of each kind are kept.
pub(super) const ROWS: usize = 200;

/// Pages deeper than this are told of together.
pub(super) const DEEPEST: usize = 30;

/// So many pages of sitemaps are watched for links to them.
const WATCHED: usize = 10_000;

/// What a crawl tells of a site.
#[derive(Debug, Default)]
pub(super) struct Site {
    /// Whether links were followed.
    is_crawled: bool,
    /// How many pages lie how deep.
    pub(super) depths: Vec<u64>,
    pub(super) broken: Listing<Broken>,
    pub(super) moved: Listing<Moved>,
    watched: Watched,
}

/// The first of some rows, and how many there are.
#[derive(Debug)]
pub(super) struct Listing<T> {
    pub(super) rows: Vec<T>,
    pub(super) count: u64,
}

/// A page that could not be fetched, and the first one that has a link to it; its title says where, if links were checked.
#[derive(Debug)]
pub(super) struct Broken {
    pub(super) page: Row,
    pub(super) referrer: Row,
}

/// A redirect.
#[derive(Debug)]
pub(super) struct Moved {
    pub(super) from: Row,
    pub(super) to: Row,
}

/// What of an outcome is in no record.
#[derive(Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default)]
pub(super) struct Trace {
    /// Whether it is the first one of a run that is gone on with.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) is_resumed: bool,
    /// A redirect that is not followed: its status, from where and to where.
    #[serde(skip_serializing_if = "Option::is_none")]
    moved: Option<(u16, String, String)>,
    /// The fingerprints of pages that a sitemap names, and that are watched from now on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    listed: Vec<u64>,
    /// Those of watched pages that it has a link to.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    linked: Vec<u64>,
}

/// The first pages that sitemaps name, by their fingerprints.
#[derive(Debug, Default)]
struct Watched(HashMap<u64, Standing>);

/// What is known of such a page.
#[derive(Debug)]
enum Standing {
    /// Its name.
    Listed,
    /// The page.
    Fetched(Box<Row>),
    /// A link to it. It stays, as the sitemap may be read once more.
    Linked,
}

impl Trace {
    /// Whether there is nothing to tell.
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl<T> Default for Listing<T> {
    fn default() -> Self {
        Self { rows: Vec::new(), count: 0 }
    }
}

impl<T> Listing<T> {
    fn add(&mut self, row: impl FnOnce() -> T) {
        self.count += 1;
        if self.rows.len() < ROWS {
            self.rows.push(row());
        }
    }
}

impl Site {
    /// Counts a page.
    pub(super) fn add(&mut self, page: &Page<'_>) {
        let depth = usize::try_from(page.way.depth).unwrap_or(usize::MAX).min(DEEPEST + 1);
        self.is_crawled |= depth > 0;
        if self.depths.len() <= depth {
            self.depths.resize(depth + 1, 0);
        }
        self.depths[depth] += 1;
        if let (Some(referrer), true) = (&page.way.referrer, is_broken(page)) {
            let title = page.way.anchor.as_deref().map(words);
            let referrer = || Row { title, ..Row::of_url(referrer, None) };
            self.broken.add(|| Broken { page: Row::of(page), referrer: referrer() });
        }
        self.watched.add(page);
        let last = page.final_url.iter().map(|url| (url, page.status));
        let hops = page.way.redirects.iter().map(|(status, url)| (url, Some(*status)));
        for ((from, status), (to, _)) in hops.clone().zip(hops.skip(1).chain(last)) {
            self.moved.add(|| Moved { from: Row::of_url(from, status), to: Row::of_url(to, None) });
        }
    }

    /// What only the run itself tells of an outcome.
    pub(super) fn trace(&self, outcome: &Outcome) -> Trace {
        let mut trace = Trace::default();
        let Some(trail) = &outcome.trail else { return trace };
        if let End::Elsewhere(redirect) = &outcome.end {
            trace.moved = Some((redirect.status, trail.url.to_string(), redirect.to.to_string()));
        }
        let room = WATCHED.saturating_sub(self.watched.0.len());
        for link in outcome.leads() {
            let key = fingerprint(&link.url);
            match (link.kind, self.watched.0.get(&key)) {
                (LinkKind::Listed { .. }, None) if link.is_admitted && trace.listed.len() < room => {
                    trace.listed.push(key);
                }
                (LinkKind::Listed { .. } | LinkKind::Sitemap { .. }, _) | (_, None | Some(Standing::Linked)) => {}
                (_, Some(Standing::Listed | Standing::Fetched(_))) => trace.linked.push(key),
            }
        }
        trace
    }

    /// Takes what only the run itself tells.
    pub(super) fn follow(&mut self, trace: &Trace) {
        if let Some((status, from, to)) = &trace.moved {
            self.moved.add(|| Moved { from: Row::of_url(from, Some(*status)), to: Row::of_url(to, None) });
        }
        self.is_crawled |= !trace.listed.is_empty();
        let listed = trace.listed.iter().map(|&key| (key, Standing::Listed));
        self.watched.0.extend(listed.chain(trace.linked.iter().map(|&key| (key, Standing::Linked))));
    }

    /// Whether there is something to tell: there was a crawl.
    pub(super) fn is_known(&self) -> bool {
        self.is_crawled
    }

    /// The pages that no page has a link to, by their URLs.
    pub(super) fn orphans(&self) -> Listing<&Row> {
        let fetched = self.watched.0.values().filter_map(|standing| match standing {
            Standing::Fetched(row) => Some(&**row),
            Standing::Listed | Standing::Linked => None,
        });
        let mut rows: Vec<_> = fetched.collect();
        rows.sort_unstable_by(|one, other| one.url.cmp(&other.url));
        let count = rows.len() as u64;
        rows.truncate(ROWS);
        Listing { rows, count }
    }
}

impl Watched {
    /// Takes a page, if it is one of those.
    fn add(&mut self, page: &Page<'_>) {
        if self.0.is_empty() || page.failure.is_some() {
            return;
        }
        let standing = Url::parse(&page.url).ok().and_then(|url| self.0.get_mut(&fingerprint(&url)));
        if let Some(standing @ Standing::Listed) = standing {
            *standing = Standing::Fetched(Box::new(Row::of(page)));
        }
    }
}

/// Where a link stands in its page.
fn words(anchor: &Anchor) -> Box<str> {
    let line = anchor.line.map(|line| format!("line {}", grouped(line)));
    let text = Some(cut(&anchor.text, COLUMNS)).filter(|text| !text.is_empty());
    line.into_iter().chain(text).collect::<Vec<_>>().join(": ").into()
}

fn is_broken(page: &Page<'_>) -> bool {
    let is_no_fault =
        |kind: &Cow<'_, str>| [Kind::Robots, Kind::Cancelled].iter().any(|no_fault| no_fault.slug() == kind);
    page.failure.as_ref().is_some_and(|(kind, _)| !is_no_fault(kind))
}
