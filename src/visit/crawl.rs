//! From a page to those that it leads to.

use std::net::IpAddr;

use url::Url;

use crate::extract::{Follow, Followed};
use crate::frontier::scope::{Outside, Scope};
use crate::job::{Link, LinkKind, Redirect, Role, Trail, Trust};

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
        let is_within = if self.checks { !trail.is_checked() } else { trail.depth() < self.depth };
        trail.role == Role::Page && is_within
    }

    /// The links that lead on within the scope, and those that are to be checked, from a page that was served from the address `by`.
    pub(super) fn links(&self, followed: Followed, trail: &Trail, by: Option<IpAddr>) -> Vec<Link> {
        let (from, is_deepest) = (trail.departure(), trail.depth() >= self.depth);
        let link = |url: Url| {
            let (url, kind) = match self.scope.judge(&from.start, url.clone()) {
                Ok(url) if !is_deepest => (url, LinkKind::Crawled),
                Ok(url) if self.checks => (url, LinkKind::Checked),
                Err(Outside::Reach | Outside::Scheme | Outside::NotIncluded)
                    if self.checks && !self.scope.excludes(&url) =>
                {
                    (url, LinkKind::Checked)
                }
                _ => return None,
            };
            Some(Link { url, trust: Trust::Chosen { by }, kind, is_admitted: false })
        };
        followed.links.into_iter().filter_map(link).collect()
    }

    /// Whether a redirect leads a page that the crawl has come by out of its scope.
    pub(super) fn is_left(&self, trail: &Trail, redirect: &Redirect) -> bool {
        let found = trail.found.as_ref().filter(|found| found.kind == LinkKind::Crawled && trail.role == Role::Page);
        found.is_some_and(|found| self.scope.judge(&found.from.start, redirect.to.clone()).is_err())
    }
}
