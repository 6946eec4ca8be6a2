//! What in an answer names another page.

use std::borrow::Cow;

use html5ever::local_name;
use reqwest::header::REFRESH;
use url::Url;

use super::anchors::Place;
use crate::extract::metadata::{link_field, refresh};
use crate::extract::tokens::Tag;
use crate::frontier::scope::is_nofollow;
use crate::page::Page;

/// What names other pages, in order.
#[derive(Debug, Default)]
pub(in crate::extract) struct Leads<'t> {
    pub(super) list: Vec<Lead<'t>>,
}

/// What names another page.
#[derive(Debug)]
pub(super) struct Lead<'t> {
    /// The URL as it is written.
    pub(super) href: Cow<'t, str>,
    /// Whether its `rel` says so.
    pub(super) is_nofollow: bool,
    pub(super) place: Place,
}

impl<'t> Leads<'t> {
    /// Those of the header fields, absolute: the page's `<base>` is not theirs.
    pub(super) fn of_headers(page: &Page) -> Self {
        let mut leads = Self::default();
        for link in link_field::links(page.headers) {
            if names_page(&link.rel, link.media_type.as_deref()) {
                let url = link.url(page.url).map(|url| Cow::Owned(url.into()));
                leads.push(url, Some(&link.rel), Place::Header);
            }
        }
        let field = page.headers.get(REFRESH).and_then(|value| value.to_str().ok());
        let target = field.and_then(refresh::url_of).and_then(|target| page.url.join(target).ok());
        leads.push(target.map(|url: Url| Cow::Owned(url.into())), None, Place::Header);
        leads
    }

    /// Reads the start tag of an HTML element, which begins at this byte of the page.
    pub(in crate::extract) fn start(&mut self, tag: &Tag<'t>, at: usize) {
        match *tag.name {
            local_name!("a") | local_name!("area") => {
                let [href, rel] = tag.values(["href", "rel"]);
                self.push(href, rel.as_deref(), Place::Link(at));
            }
            local_name!("link") => {
                let [href, rel, media_type] = tag.values(["href", "rel", "type"]);
                if rel.as_deref().is_some_and(|rel| names_page(rel, media_type.as_deref())) {
                    self.push(href, rel.as_deref(), Place::Tag(at));
                }
            }
            local_name!("frame") | local_name!("iframe") => self.push(tag.attribute("src"), None, Place::Tag(at)),
            local_name!("meta") => {
                let [http_equiv, content] = tag.values(["http-equiv", "content"]);
                if http_equiv.is_some_and(|name| name.trim_ascii().eq_ignore_ascii_case("refresh")) {
                    let url = content.and_then(|content| Some(Cow::Owned(refresh::url_of(&content)?.to_owned())));
                    self.push(url, None, Place::Tag(at));
                }
            }
            _ => {}
        }
    }

    /// Takes what has a URL.
    pub(super) fn push(&mut self, href: Option<Cow<'t, str>>, rel: Option<&str>, place: Place) {
        self.list.extend(href.map(|href| Lead { href, is_nofollow: rel.is_some_and(is_nofollow), place }));
    }
}

/// Whether a link of this `rel` and `type` names a page: a translation does, a feed or another style does not.
fn names_page(rel: &str, media_type: Option<&str>) -> bool {
    let is = |wanted: &[&str]| {
        rel.split_ascii_whitespace().any(|word| wanted.iter().any(|one| one.eq_ignore_ascii_case(word)))
    };
    is(&["next", "prev", "canonical"])
        || is(&["alternate"]) && !is(&["stylesheet", "icon", "feed"]) && media_type.is_none_or(is_html)
}

fn is_html(media_type: &str) -> bool {
    let essence = media_type.split(';').next().unwrap_or_default().trim_ascii();
    ["", "text/html", "application/xhtml+xml"].iter().any(|one| one.eq_ignore_ascii_case(essence))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alternate_is_a_page_unless_it_says_otherwise() {
        for (rel, media_type) in [
            ("next", None),
            ("PREV", Some("image/png")),
            ("x canonical", None),
            ("alternate", None),
            ("alternate", Some("Text/HTML; charset=utf-8")),
            ("alternate nofollow", Some("application/xhtml+xml")),
        ] {
            assert!(names_page(rel, media_type), "{rel} {media_type:?}");
        }
        for (rel, media_type) in [
            ("", None),
            ("stylesheet", None),
            ("nextish", None),
            ("alternate stylesheet", None),
            ("icon alternate", None),
            ("alternate", Some("application/rss+xml")),
            ("alternate", Some("application/json+oembed")),
        ] {
            assert!(!names_page(rel, media_type), "{rel} {media_type:?}");
        }
    }
}
