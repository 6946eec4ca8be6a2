//! What `<link>` says: canonical URL, icon, feeds, translations. `Link` header fields (RFC 8288) tell the same of what is
//! no HTML.

use reqwest::header::{HeaderMap, LINK};

use crate::extract::head::{Head, Link};
use crate::extract::links::Base;
use crate::value::{Table, Value};

/// The types of feeds.
const FEEDS: [&str; 3] = ["application/rss+xml", "application/atom+xml", "application/feed+json"];

/// The canonical URL (RFC 6596): of the first `<link>` that has one, else of the first `Link`.
pub(in crate::extract) fn canonical(head: &Head<'_>, headers: &HeaderMap, base: &Base) -> Option<String> {
    let mut links = head.links_of("canonical");
    links.find_map(|link| base.absolute(&link.href)).or_else(|| base.absolute(&canonical_header(headers)?))
}

fn canonical_header(headers: &HeaderMap) -> Option<String> {
    headers.get_all(LINK).iter().find_map(|field| {
        let field = field.to_str().ok()?;
        let mut links = field.split('<').skip(1).filter_map(|link| link.split_once('>'));
        let (url, _) = links.find(|(_, parameters)| {
            let mut parameters = parameters.split(';').filter_map(|parameter| parameter.split_once('='));
            parameters.any(|(name, value)| {
                let rel = value.trim_matches([' ', '\t', ',', '"']);
                let mut words = rel.split_ascii_whitespace();
                name.trim().eq_ignore_ascii_case("rel") && words.any(|word| word.eq_ignore_ascii_case("canonical"))
            })
        })?;
        Some(url.to_owned())
    })
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

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::HeaderValue;

    #[test]
    fn a_canonical_url_is_found_among_link_fields() {
        let canonical = |field: &'static str| {
            canonical_header(&HeaderMap::from_iter([(LINK, HeaderValue::from_static(field))])).unwrap_or_default()
        };
        assert_eq!(canonical("<http://a.test/>; rel=canonical"), "http://a.test/");
        assert_eq!(canonical("</a,b>; rel=\"next\", </c;d>; x=y; Rel=\"x Canonical\""), "/c;d");
        assert_eq!(canonical("</a>; rel=preload; as=canonical"), "");
        assert_eq!(canonical("rel=canonical"), "");
    }
}
