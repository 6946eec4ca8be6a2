//! What a page leads to, for crawls.
//!
//! The elements that usually carry links: `a[href]`, `area[href]`, `link[rel~=next|prev|alternate|canonical]`, `frame[src]`,
//! `iframe[src]`, `<meta http-equiv=refresh>`, and the header fields `Link` and `Refresh` for the last but frames. They are
//! read with the tokens of the page, whatever else is asked for; selectors of a user's own need its tree.
//!
//! Decided: only HTML leads anywhere. What scripts make, `<noscript>`, templates and drawings hold is not read, as with the
//! field `links`. `rel=alternate` names a page unless its `type` is that of something else, or it is a style or an icon.
//! `mailto:`, `javascript:` and the like are no links, and neither is a mere fragment. Of several places that speak of
//! following, the strictest counts; `ugc` and `sponsored` are no `nofollow`. A page has as many links as
//! the field `links` may hold, and 100,000 at most: what comes after is not looked at.

mod anchors;
mod gathering;
mod leads;
mod selection;
#[cfg(test)]
mod tests;

use scraper::Html;
use url::Url;

use super::deadline::Deadline;
use super::error::Error;
use super::links::Base;
use super::metadata::{links, robots};
use super::parts::{Part, Parts};
use super::reader::Found;
use super::tree::base_href;
use crate::canonical::requestable;
use crate::failure::Failure;
use crate::job::{Fragments, name_of_place};
use crate::page::{Kind, Page};
use anchors::Anchors;
use gathering::Gathering;
use leads::Lead;
pub(super) use leads::Leads;
use selection::Selection;

/// Which elements carry the links that a crawl follows, and what of them is obeyed.
#[derive(Debug)]
pub struct Follow {
    /// The usual elements without it.
    selection: Option<Selection>,
    obeys_nofollow: bool,
    /// The name by which pages may speak to this crawler.
    robot: Box<str>,
    checks: bool,
}

impl Default for Follow {
    fn default() -> Self {
        let robot = env!("CARGO_PKG_NAME").into();
        Self { selection: None, obeys_nofollow: true, robot, checks: false }
    }
}

/// What a page leads to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Followed {
    /// The links that may be followed, each once, in the order of the page: http or https, without userinfo and fragment.
    pub links: Vec<Url>,
    /// How many different links there are, fragments aside, of whatever scheme, followed or not.
    pub found: u64,
    /// The URL that the page says is its own (RFC 6596), as it may be requested.
    pub canonical: Option<Url>,
    /// What it says to those who check links, where that is kept: of the links that may be followed, of whatever is no URL that can
    /// be asked for, and of at most 100,000 with fragments.
    pub fragments: Option<Fragments>,
}

impl Follow {
    /// Follows the links of the elements that CSS selectors find, or of the usual ones where there is no selector. Behind a
    /// selector, `@` names the attribute with the URL, where that is not the usual one of the element: `div.item@data-url`.
    ///
    /// # Errors
    /// A selector means nothing.
    pub fn new(selectors: &[String], obeys_nofollow: bool) -> Result<Self, Error> {
        let selection = (!selectors.is_empty()).then(|| Selection::parse(selectors)).transpose()?;
        Ok(Self { selection, obeys_nofollow, ..Self::default() })
    }

    /// Obeys what is said to the crawler of this [product token](crate::robots::product_token).
    #[must_use]
    pub fn with_robot(self, token: &str) -> Self {
        Self { robot: token.into(), ..self }
    }

    /// The same, and what those need who check links is kept: fragments, the places that they may name, and where links stand.
    #[must_use]
    pub fn with_fragments(self) -> Self {
        Self { checks: true, ..self }
    }

    /// Whether it takes a page's tree, many times the work that its tokens are.
    #[must_use]
    pub fn needs_tree(&self) -> bool {
        self.selection.is_some()
    }

    /// Adds what of a page's tokens it takes.
    pub(super) fn add_to(&self, parts: Parts) -> Parts {
        let parts = parts.with(if self.needs_tree() { Part::Head } else { Part::Leads });
        if self.checks { parts.with(Part::Anchors).with(Part::Links) } else { parts }
    }

    /// Finds out where a page leads of which this was found, and why that may not be all.
    pub(super) fn read(
        &self,
        page: &Page,
        found: &Found<'_>,
        tree: Option<&Html>,
        deadline: &Deadline,
    ) -> (Followed, Result<(), Failure>) {
        let base = Base::of(page, tree.and_then(base_href).or(found.head.base.as_deref()));
        let canonical = links::canonical(&found.head, page, &base).and_then(|url| Url::parse(&url).ok());
        let canonical = canonical.and_then(|url| requestable(url).ok());
        if page.kind != Kind::Html {
            return (Followed { canonical, ..Followed::default() }, Ok(()));
        }
        let is_forbidden = self.obeys_nofollow && robots::forbids_following(&found.head, page.headers, &self.robot);
        let is_held_back = |lead: &Lead<'_>| is_forbidden || self.obeys_nofollow && lead.is_nofollow;
        let mut result = Ok(());
        let mut own = Leads::default();
        match (&self.selection, tree) {
            (None, _) => own = Leads::of_headers(page),
            (Some(selection), Some(tree)) => result = selection.find(tree, &mut own, deadline),
            (Some(_), None) => {}
        }
        let count = own.list.len() + found.leads.list.len();
        let tree = tree.map(|tree| (tree, deadline));
        let anchors = self.checks.then(|| Anchors::new(&page.text, &found.links, tree));
        let mut gathering = Gathering::new(&base, count, anchors);
        for lead in own.list.iter().chain(&found.leads.list) {
            gathering.take(lead, !is_held_back(lead));
            if gathering.is_full() {
                tracing::info!(url = %page.url, links = gathering.found(), "no more links are followed");
                break;
            }
        }
        let links_found = gathering.found() as u64;
        let places = || found.anchors.iter().map(|name| name_of_place(name)).collect();
        let fragments = gathering.checked().map(|links| Fragments { places: Some(places()), links });
        let followed = Followed { links: gathering.links, found: links_found, canonical, fragments };
        (followed, result.and_then(|()| base.check()))
    }
}
