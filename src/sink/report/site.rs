//! What a crawl tells of a site: how deep its pages lie, where its links break, what is moved, and what only a sitemap names.
//! Its memory does not grow with the number of pages.
//!
//! What was decided:
//! - A link is broken if the page that it led to could not be fetched; what robots.txt forbids, and what was not waited for, is not.
//! - Records tell what was redirected and fetched in the end. Redirects that are not followed, as they lead to a page with a record
//!   of its own or out of the site, only the run itself tells; and which pages are orphans, too.
//! - An orphan was found by a sitemap before any page that was fetched until then had a link to it, and none has had one since.

use std::borrow::Cow;
use std::collections::HashMap;

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
    orphans: Orphans,
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

/// Pages that sitemaps name and to which no page so far has a link.
#[derive(Debug, Default)]
struct Orphans {
    /// By their fingerprints; without a row until they are fetched.
    known: HashMap<u64, Option<Row>>,
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
        let last = page.final_url.iter().map(|url| (url, page.status));
        let hops = page.way.redirects.iter().map(|(status, url)| (url, Some(*status)));
        for ((from, status), (to, _)) in hops.clone().zip(hops.skip(1).chain(last)) {
            self.moved.add(|| Moved { from: Row::of_url(from, status), to: Row::of_url(to, None) });
        }
    }

    /// Takes what only the run itself tells.
    pub(super) fn watch(&mut self, outcome: &Outcome) {
        let Some(trail) = &outcome.trail else { return };
        if let End::Elsewhere(redirect) = &outcome.end {
            let (from, status) = (trail.url.as_str(), Some(redirect.status));
            self.moved.add(|| Moved { from: Row::of_url(from, status), to: Row::of_url(redirect.to.as_str(), None) });
        }
        for link in outcome.leads() {
            let key = fingerprint(&link.url);
            match link.kind {
                LinkKind::Listed { .. } if link.is_admitted => self.orphans.watch(key),
                LinkKind::Listed { .. } | LinkKind::Sitemap { .. } => {}
                _ => drop(self.orphans.known.remove(&key)),
            }
        }
        if matches!(trail.kind(), Some(LinkKind::Listed { .. })) {
            self.is_crawled = true;
            self.orphans.fetched(fingerprint(trail.first_url()), outcome);
        }
    }

    /// Whether there is something to tell: there was a crawl.
    pub(super) fn is_known(&self) -> bool {
        self.is_crawled
    }

    /// The pages that no page has a link to, by their URLs.
    pub(super) fn orphans(&self) -> Listing<&Row> {
        let mut rows: Vec<_> = self.orphans.known.values().flatten().collect();
        rows.sort_unstable_by(|one, other| one.url.cmp(&other.url));
        let count = rows.len() as u64;
        rows.truncate(ROWS);
        Listing { rows, count }
    }
}

impl Orphans {
    fn watch(&mut self, key: u64) {
        if self.known.len() < WATCHED {
            self.known.entry(key).or_default();
        }
    }

    fn fetched(&mut self, key: u64, outcome: &Outcome) {
        if let Some(row) = self.known.get_mut(&key).filter(|_| outcome.failure().is_none()) {
            *row = Some(Row::of(&Page::of(outcome)));
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
