//! What `<link>` says: canonical URL, icon, feeds, translations. [`Link` header fields](link_field) tell the same of what
//! is no HTML.

use super::link_field;
use crate::extract::head::{Head, Link};
use crate::extract::links::Base;
use crate::page::Page;
use crate::value::{Table, Value};

/// The types of feeds.
const FEEDS: [&str; 3] = ["application/rss+xml", "application/atom+xml", "application/feed+json"];

/// The canonical URL (RFC 6596): of the first `<link>` that has one, else of the first `Link`.
pub(in crate::extract) fn canonical(head: &Head<'_>, page: &Page, base: &Base) -> Option<String> {
    let mut links = head.links_of("canonical");
    links
        .find_map(|link| base.absolute(&link.href))
        .or_else(|| link_field::canonical(page.headers, page.url).map(String::from))
}

/// The first icon that the page names. The one that everybody guesses (`/favicon.ico`) is nothing that it says.
pub(in crate::extract) fn favicon(head: &Head<'_>, base: &Base) -> Option<String> {
    head.links_of("icon").find_map(|link| base.absolute(&link.href))
}

/// The feeds that a page names (WHATWG HTML, section 4.6.7.1; JSON Feed 1.1).
pub(in crate::extract) fn feeds(head: &Head<'_>, base: &Base) -> Value<'static> {
    let mut table = Table::new(&["url", "type", "title"], 0);
    for link in head.links.iter().filter(|link| link.is("feed") || link.is("alternate") && is_feed(link)) {
        if table.push_written(|url| base.join(&link.href, url)).is_some() {
            table.push_text(link.media_type.as_deref());
            table.push_text(link.title.as_deref());
        }
    }
    Value::Table(table)
}

fn is_feed(link: &Link<'_>) -> bool {
    let media_type = link.media_type.as_deref().unwrap_or_default();
    let essence = media_type.split(';').next().unwrap_or_default().trim_ascii();
    FEEDS.iter().any(|feed| feed.eq_ignore_ascii_case(essence))
}

/// The translations that a page names.
pub(in crate::extract) fn hreflang(head: &Head<'_>, base: &Base) -> Value<'static> {
    let mut table = Table::new(&["lang", "url"], 0);
    for link in head.links_of("alternate").filter(|link| !is_feed(link)) {
        let (Some(lang), Some(url)) = (&link.hreflang, base.absolute(&link.href)) else { continue };
        table.push_text(Some(lang.trim_ascii()));
        table.push_text(Some(&url));
    }
    Value::Table(table)
}
