//! Which pages a recipe is for, which comes next, and what else is in the page.

use scraper::{ElementRef, Html};
use url::{Position, Url};

use super::words::{Mark, classes};
use crate::extract::names::is_any;
use crate::extract::structured::jsonld::Documents;
use crate::extract::tree::{elements, text_of};
use crate::value::Value;

/// What links to the next page say.
const NEXT: [&str; 12] =
    ["next", "next page", "next »", "next ›", "next →", "next >", "next »»", "older", "older posts", "›", "»", "→"];

/// The selector of the URL of the next page (WHATWG HTML, section 4.6.6.18: `rel=next`; else by what a link is called).
pub(super) fn next(tree: &Html) -> Option<String> {
    let leads_on =
        |link: &ElementRef<'_>| link.attr("href").is_some_and(|href| !href.is_empty() && !href.starts_with('#'));
    let links: Vec<_> =
        elements(tree).filter(|link| is_any!(link.value().name.local, "a" "link") && leads_on(link)).collect();
    let is_next = |link: &&ElementRef<'_>| {
        link.attr("rel").is_some_and(|rel| rel.split_ascii_whitespace().any(|rel| rel.eq_ignore_ascii_case("next")))
    };
    if let Some(link) = links.iter().find(|link| is_any!(link.value().name.local, "a") && is_next(link)) {
        return Some(
            if link.attr("rel") == Some("next") { "a[rel=next]@href" } else { "a[rel~=next]@href" }.to_owned(),
        );
    }
    if links.iter().any(|link| is_next(&link)) {
        return Some("link[rel~=next]@href".to_owned());
    }
    let anchors = || links.iter().filter(|link| is_any!(link.value().name.local, "a"));
    let named = |element: &ElementRef<'_>| {
        classes(element)
            .find(|mark| matches!(mark, Mark::Class(_)) && mark.word().to_ascii_lowercase().contains("next"))
    };
    for link in anchors() {
        if let Some(mark) = named(link) {
            return Some(format!("a{}@href", mark.css()));
        }
        let outer = link.parent().and_then(ElementRef::wrap);
        if let Some(mark) = outer.as_ref().and_then(named) {
            return Some(format!("{} > a@href", mark.css()));
        }
    }
    anchors().find_map(|link| {
        let text = text_of(link);
        let is_next = NEXT.iter().any(|next| text.eq_ignore_ascii_case(next));
        is_next.then(|| format!("//a[normalize-space() = '{text}']/@href"))
    })
}

/// Which URLs a recipe is for: those of the page with any query; where the next page differs in its path, those that begin like
/// both. None where the page has no URL of the Web.
pub(super) fn matching(url: &Url, next: Option<&Value<'static>>) -> Vec<String> {
    if !matches!(url.scheme(), "http" | "https") {
        return Vec::new();
    }
    let own = &url[Position::BeforeHost..Position::AfterPath];
    let next = next.and_then(|next| Url::parse(&next.to_cell()).ok());
    let next = next.filter(|next| next.host() == url.host() && next.port() == url.port());
    let next = next.as_ref().map(|next| &next[Position::BeforeHost..Position::AfterPath]).filter(|next| *next != own);
    if let Some(next) = next {
        let shared = own.bytes().zip(next.bytes()).take_while(|(a, b)| a == b).count();
        let host = url[Position::BeforeHost..Position::BeforePath].len();
        // Not just every URL of the host, unless the pages are at its root.
        if shared > host + 1 {
            return vec![format!("{}*", own[..shared].trim_end_matches(|c: char| c.is_ascii_digit()))];
        }
    }
    vec![own.to_owned(), format!("{own}?*")]
}

/// A note of what JSON-LD the page has: recipes do not read it, a field does.
pub(super) fn structured(tree: &Html) -> Option<String> {
    let is_block = |element: &ElementRef<'_>| {
        is_any!(element.value().name.local, "script")
            && element.attr("type").is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/ld+json"))
    };
    let blocks: Vec<String> = elements(tree).filter(is_block).map(|block| block.text().collect()).collect();
    let documents = Documents::parse(&blocks);
    let mut types: Vec<(String, usize)> = Vec::new();
    for object in documents.roots().flat_map(objects) {
        let Some(name) = object.get("@type").and_then(serde_json::Value::as_str) else { continue };
        match types.iter_mut().find(|(known, _)| *known == name) {
            Some((_, count)) => *count += 1,
            None => types.push((name.to_owned(), 1)),
        }
    }
    let told: Vec<_> = types.iter().take(6).map(|(name, count)| format!("{count} {name}")).collect();
    (!told.is_empty()).then(|| format!("The page has JSON-LD, too ({}): -x jsonld", told.join(", ")))
}

/// The objects at the top of a block, in its graph, or in its list.
fn objects(root: &serde_json::Value) -> Vec<&serde_json::Value> {
    let inner = root.get("@graph").or_else(|| root.get("itemListElement"));
    let listed = root.as_array().or_else(|| inner?.as_array());
    listed.map_or_else(|| vec![root], |all| all.iter().collect())
}
