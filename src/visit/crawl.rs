//! From a page to those that it leads to.

use std::collections::HashSet;
use std::net::IpAddr;

use url::Url;
use xxhash_rust::xxh3::xxh3_64;

use crate::canonical::requestable;
use crate::extract::{Follow, Followed};
use crate::frontier::scope::{Outside, Scope};

use crate::job::{Fragments, Link, LinkKind, Redirect, Role, Trail, Trust, Written};

/// How a crawl goes on.
#[derive(Debug)]
pub struct Crawl {
    /// How many links from a seed it goes at most.
    pub depth: u32,
    /// Which pages belong to it.
    pub scope: Scope,
    /// Which links of a page it follows.
    pub follow: Follow,
    /// Whether the links that it does not follow are asked for once, but for those that were excluded by name.
    pub checks: bool,
}

impl Crawl {
    /// Whether the links of a page are followed.
    pub(super) fn goes_on(&self, trail: &Trail) -> bool {
        let is_within =
            if self.checks { !trail.is_checked() && !self.is_outside(trail) } else { !self.is_deepest(trail) };
        trail.role == Role::Page && is_within
    }

    /// Whether a page is as deep as the crawl goes, whatever ways to it are found.
    fn is_deepest(&self, trail: &Trail) -> bool {
        trail.depth() >= self.depth && !trail.may_be_nearer()
    }

    /// The links that lead on within the scope, and those that are to be checked, from a page that was served from the address `by`.
    pub(super) fn links(&self, followed: Followed, trail: &Trail, by: Option<IpAddr>) -> Vec<Link> {
        let (from, is_deepest) = (trail.departure(), self.is_deepest(trail));
        let link = |url: Url| {
            let as_found = self.checks.then(|| url.clone());
            let (url, kind) = match (self.scope.judge(&from.start, url), as_found) {
                (Ok(url), _) if !is_deepest => (url, LinkKind::Crawled),
                (Ok(url), Some(_)) => (url, LinkKind::Checked),
                (Err(Outside::Reach | Outside::Scheme | Outside::NotIncluded), Some(url))
                    if !self.scope.excludes(&url) =>
                {
                    (url, LinkKind::Checked)
                }
                _ => return None,
            };
            Some(Link { url, trust: Trust::Chosen { by }, kind, input: None, is_admitted: false })
        };
        followed.links.into_iter().filter_map(link).collect()
    }

    /// What a page says to those who check links, with those as they are asked for, each once.
    pub(super) fn fragments(&self, fragments: Fragments, trail: &Trail) -> Fragments {
        let start = trail.departure().start;
        let as_asked = |link: Url| {
            let fragment = link.fragment().map(String::from);
            let mut url = self.scope.judge(&start, link.clone()).ok().or_else(|| requestable(link).ok())?;
            url.set_fragment(fragment.as_deref());
            Some(url)
        };
        let mut known = HashSet::new();
        let mut is_new = |url: &Url| known.insert(xxh3_64(url.as_str().as_bytes()));
        let links = fragments.links.into_iter().filter_map(|Written { to, anchor }| {
            let to = match to {
                Ok(url) => Ok(as_asked(url).filter(&mut is_new)?),
                no_url => no_url,
            };
            Some(Written { to, anchor })
        });
        Fragments { links: links.collect(), ..fragments }
    }

    /// Whether redirects led a page that the crawl has come by out of its scope: that is followed where links are checked.
    fn is_outside(&self, trail: &Trail) -> bool {
        let found = trail.found.as_ref().filter(|_| !trail.hops.is_empty());
        found.is_some_and(|found| self.scope.judge(&found.from.start, trail.url.clone()).is_err())
    }

    /// Whether a redirect leads a page that the crawl has come by out of its scope, and is not followed for that.
    pub(super) fn is_left(&self, trail: &Trail, redirect: &Redirect) -> bool {
        if self.checks {
            return false;
        }
        let found = trail.found.as_ref().filter(|found| found.kind == LinkKind::Crawled && trail.role == Role::Page);
        found.is_some_and(|found| self.scope.judge(&found.from.start, redirect.to.clone()).is_err())
    }
}
