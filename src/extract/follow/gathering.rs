//! What a page names → its links, each once.

use std::collections::{HashMap, HashSet};

use url::Url;

use super::anchors::Anchors;
use super::leads::Lead;
use crate::canonical::{fingerprint, requestable};
use crate::extract::links::Base;
use crate::job::{NoUrl, Written, places_named};

/// How many links a page may have.
pub(super) const LINKS: usize = 100_000;

/// Schemes of what leads to no page anywhere.
const NO_PAGES: [&str; 7] = ["javascript", "mailto", "data", "tel", "sms", "about", "blob"];

/// As much is told of what is no URL, in characters.
const TOLD: usize = 2_000;

/// Links as they are gathered.
pub(super) struct Gathering<'a> {
    base: &'a Base,
    /// What was written before, and whether it was followed: most pages name the same ones again and again.
    written: HashSet<(&'a str, bool)>,
    /// The fingerprints of the links, and whether each is followed.
    known: HashMap<u64, bool>,
    pub(super) links: Vec<Url>,
    checked: Option<Checked<'a>>,
}

/// What is kept of links where they are checked.
struct Checked<'a> {
    anchors: Anchors<'a>,
    /// What was written with a fragment.
    in_full: HashSet<&'a str>,
    links: Vec<Written>,
}

impl<'a> Gathering<'a> {
    /// None so far, of so many that are written; where links are checked, it is kept where they stand.
    pub(super) fn new(base: &'a Base, count: usize, anchors: Option<Anchors<'a>>) -> Self {
        // Growing takes longer than all that is looked up.
        let room = count.min(LINKS);
        Self {
            base,
            written: HashSet::with_capacity(room),
            known: HashMap::with_capacity(room),
            links: Vec::new(),
            checked: anchors.map(|anchors| Checked { anchors, in_full: HashSet::new(), links: Vec::new() }),
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
        if let Some(checked) = &mut self.checked {
            checked.anchors.enter(lead);
            if is_followed {
                checked.take_fragment(lead.href.trim_matches(is_space), self.base);
            }
        }
        let href = without_fragment(&lead.href);
        if href.is_empty() || !self.written.insert((href, is_followed)) {
            return;
        }
        let Some(url) = self.base.url(href) else {
            let checked = self.checked.as_mut().filter(|_| is_followed && names_page(href));
            let refused = checked.zip(self.base.refusal(href));
            return refused.into_iter().for_each(|(checked, why)| checked.refuse(href, format!("not a URL: {why}")));
        };
        if NO_PAGES.contains(&url.scheme()) {
            return;
        }
        let (named, is_page) = (fingerprint(&url), is_page(&url));
        let url = requestable(url);
        let is_known = self.known.entry(url.as_ref().map_or(named, fingerprint)).or_default();
        if !is_followed || *is_known {
            return;
        }
        *is_known = true;
        match (&url, self.checked.as_mut().filter(|_| is_page)) {
            (Ok(url), Some(checked)) => checked.push(Ok(url.clone())),
            (Err(why), Some(checked)) => checked.refuse(href, why.clone()),
            (_, None) => {}
        }
        self.links.extend(url);
    }

    /// What is told of the links to those who check them, if they are.
    pub(super) fn checked(&mut self) -> Option<Vec<Written>> {
        self.checked.take().map(|checked| checked.links)
    }
}

impl<'a> Checked<'a> {
    /// Takes what names a place of a page.
    fn take_fragment(&mut self, href: &'a str, base: &Base) {
        if !href.contains('#') || self.in_full.len() >= LINKS || !self.in_full.insert(href) {
            return;
        }
        let names_place = |url: &Url| url.fragment().and_then(places_named).is_some();
        if let Some(url) = base.url(href).filter(|url| is_page(url) && names_place(url)) {
            self.push(Ok(url));
        }
    }

    /// Takes what is no URL that can be asked for.
    fn refuse(&mut self, href: &str, why: String) {
        self.push(Err(NoUrl { written: href.chars().take(TOLD).collect(), reason: why.into() }));
    }

    fn push(&mut self, to: Result<Url, NoUrl>) {
        self.links.push(Written { to, anchor: self.anchors.anchor() });
    }
}

fn is_page(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https")
}

/// Whether what is no URL would be that of a page: it has no scheme, or one of the web's.
fn names_page(href: &str) -> bool {
    let scheme = href.split_once(':').map(|(scheme, _)| scheme);
    let is_scheme = |scheme: &&str| scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    let scheme = scheme.filter(is_scheme);
    scheme.is_none_or(|scheme| ["http", "https"].iter().any(|ours| ours.eq_ignore_ascii_case(scheme)))
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
