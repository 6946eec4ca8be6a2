//! From a page to those that it leads to.

use std::net::IpAddr;

use crate::extract::{Follow, Followed};
use crate::frontier::scope::Scope;
use crate::job::{Departure, Link, LinkKind, Redirect, Role, Trail, Trust};

/// How a crawl goes on.
#[derive(Debug)]
pub struct Crawl {
    /// How many links from a seed it goes at most.
    pub depth: u32,
    /// Which pages belong to it.
    pub scope: Scope,
    /// Which links of a page it follows.
    pub follow: Follow,
}

impl Crawl {
    /// Whether the links of a page are followed.
    pub(super) fn goes_on(&self, trail: &Trail) -> bool {
        trail.role == Role::Page && trail.depth() < self.depth
    }

    /// The links that lead on within the scope, from a page that was served from the address `by`.
    pub(super) fn links(&self, followed: Followed, from: &Departure, by: Option<IpAddr>) -> Vec<Link> {
        let admitted = followed.links.into_iter().filter_map(|url| self.scope.judge(&from.start, url).ok());
        let link = |url| Link { url, trust: Trust::Chosen { by }, kind: LinkKind::Crawled, is_admitted: false };
        admitted.map(link).collect()
    }

    /// Whether a redirect leads a page that the crawl has come by out of its scope.
    pub(super) fn is_left(&self, trail: &Trail, redirect: &Redirect) -> bool {
        let found = trail.found.as_ref().filter(|found| found.kind == LinkKind::Crawled && trail.role == Role::Page);
        found.is_some_and(|found| self.scope.judge(&found.from.start, redirect.to.clone()).is_err())
    }
}
