//! What a page names → its links, each once.

use std::collections::{HashMap, HashSet};

use url::Url;

use super::leads::Lead;
use crate::canonical::{fingerprint, requestable};
use crate::extract::links::Base;
use crate::job::places_named;

/// How many links a page may have.
pub(super) const LINKS: usize = 100_000;

/// Schemes of what leads to no page anywhere.
const NO_PAGES: [&str; 7] = ["javascript", "mailto", "data", "tel", "sms", "about", "blob"];

/// Links as they are gathered.
pub(super) struct Gathering<'a> {
    base: &'a Base,
    /// What was written before, and whether it was followed: most pages name the same ones again and again.
    written: HashSet<(&'a str, bool)>,
    /// The fingerprints of the links, and whether each is followed.
    known: HashMap<u64, bool>,
    pub(super) links: Vec<Url>,
    /// Those with a fragment that names a place, each as often as it is written differently.
    pub(super) to_places: Vec<Url>,
    /// What was written with a fragment, where fragments are kept.
    written_in_full: Option<HashSet<&'a str>>,
}

impl<'a> Gathering<'a> {
    /// None so far, of so many that are written.
    pub(super) fn new(base: &'a Base, count: usize, keeps_fragments: bool) -> Self {
        // Growing takes longer than all that is looked up.
        let room = count.min(LINKS);
        Self {
            base,
            written: HashSet::with_capacity(room),
            known: HashMap::with_capacity(room),
            links: Vec::new(),
            to_places: Vec::new(),
            written_in_full: keeps_fragments.then(HashSet::new),
        }
    }

    /// How many there are, followed or not.
    pub(super) fn found(&self) -> usize {
        self.known.len()
    }

    /// Whether there may be no more.
    pub(super) fn is_full(&self) -> bool {
        self.found() >= LINKS || self.base.is_exhausted()
    }

    /// Takes what names a page.
    pub(super) fn take(&mut self, lead: &'a Lead<'_>, is_followed: bool) {
        if is_followed {
            self.take_fragment(lead.href.trim_matches(is_space));
        }
        let href = without_fragment(&lead.href);
        if href.is_empty() || !self.written.insert((href, is_followed)) {
            return;
        }
        let Some(url) = self.base.url(href) else { return };
        if NO_PAGES.contains(&url.scheme()) {
            return;
        }
        let named = fingerprint(&url);
        let url = requestable(url).ok();
        let is_known = self.known.entry(url.as_ref().map_or(named, fingerprint)).or_default();
        if is_followed && !*is_known {
            *is_known = true;
            self.links.extend(url);
        }
    }

    /// Takes what names a place of a page.
    fn take_fragment(&mut self, href: &'a str) {
        let Some(written) = self.written_in_full.as_mut().filter(|written| written.len() < LINKS) else { return };
        if !href.contains('#') || !written.insert(href) {
            return;
        }
        let names_place = |url: &Url| url.fragment().and_then(places_named).is_some();
        let url = self.base.url(href);
        self.to_places.extend(url.filter(|url| matches!(url.scheme(), "http" | "https") && names_place(url)));
    }
}

fn is_space(c: char) -> bool {
    c <= ' '
}

/// What is written, without fragment and what is around it. Space before a fragment is part of the URL.
fn without_fragment(href: &str) -> &str {
    let href = href.trim_matches(is_space);
    match href.split_once('#') {
        Some((page, _)) if !page.ends_with(is_space) => page,
        _ => href,
    }
}
