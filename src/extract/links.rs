//! The links of a page, and what their URLs are relative to.

use std::borrow::Cow;

use html5ever::local_name;
use url::{Position, Url};

use super::tokens::Tag;
use crate::value::Value;

/// An `<a>` or `<area>` with an `href`.
#[derive(Debug)]
pub(super) struct Link<'t> {
    /// Its `href` as it is written.
    pub(super) href: Cow<'t, str>,
    /// Its `rel` as it is written.
    rel: Option<Cow<'t, str>>,
    /// Its text; the `alt` of an area.
    pub(super) text: String,
}

impl<'t> Link<'t> {
    pub(super) fn of(tag: &Tag<'t>) -> Option<Self> {
        let href = tag.attribute("href")?;
        let rel = tag.attribute("rel");
        let text = match *tag.name {
            local_name!("area") => tag.attribute("alt").unwrap_or_default().trim_ascii().to_owned(),
            _ => String::new(),
        };
        Some(Self { href, rel, text })
    }

    /// It as a value, with its absolute URL.
    pub(super) fn into_value(self, url: String) -> Value<'static> {
        let mut words = self.rel.as_deref().unwrap_or_default().split_ascii_whitespace();
        let nofollow = words.any(|word| word.eq_ignore_ascii_case("nofollow"));
        Value::Map(vec![
            ("url".into(), Value::from(url)),
            ("text".into(), Value::from(self.text)),
            ("rel".into(), Value::text(self.rel.map(Cow::into_owned))),
            ("nofollow".into(), Value::Bool(nofollow)),
        ])
    }
}

/// The URL that a page's URLs are relative to.
pub(super) struct Base {
    url: Url,
    /// Where its path begins and ends, and where its query ends; none where its paths are not those of http.
    ends: Option<[usize; 3]>,
}

/// Where a byte of a link stands for itself.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Simple {
    No,
    Fragment,
    /// In a path and in a fragment.
    Path,
}

static SIMPLE: [Simple; 256] = {
    let mut simple = [Simple::No; 256];
    let mut byte = 0;
    while byte < 128_u8 {
        simple[byte as usize] = match byte {
            b'/' | b'-' | b'_' | b'.' | b'~' | b'=' | b',' | b'+' | b'@' => Simple::Path,
            _ if byte.is_ascii_alphanumeric() => Simple::Path,
            b':' | b';' | b'(' | b')' | b'%' => Simple::Fragment,
            _ => Simple::No,
        };
        byte += 1;
    }
    simple
};

impl Base {
    /// The base of a page (WHATWG HTML, section 4.2.3, "frozen base URL"). `href` is that of its first `<base>` that has
    /// one.
    pub(super) fn new(page: &Url, href: Option<&str>) -> Self {
        let url = href
            .and_then(|href| page.join(href).ok())
            .filter(|base| !matches!(base.scheme(), "data" | "javascript"))
            .unwrap_or_else(|| page.clone());
        let end = |position| url[..position].len();
        let ends = matches!(url.scheme(), "http" | "https")
            .then(|| [end(Position::BeforePath), end(Position::AfterPath), end(Position::AfterQuery)]);
        Self { url, ends }
    }

    /// The absolute URL of `href`; none where it makes no sense.
    pub(super) fn join(&self, href: &str) -> Option<String> {
        self.join_simple(href).or_else(|| self.url.join(href).ok().map(String::from))
    }

    /// Joins what is a path and a fragment of letters, digits and a little else, as nearly every link within a site is:
    /// nothing in it has to be encoded, and taking the URL apart takes longer than reading the link.
    fn join_simple(&self, href: &str) -> Option<String> {
        let [path_start, path_end, query_end] = self.ends?;
        let (mut path, fragment) = href.find('#').map_or((href, ""), |at| href.split_at(at));
        let is_simple = path.bytes().all(|byte| SIMPLE[usize::from(byte)] == Simple::Path)
            && fragment.bytes().skip(1).all(|byte| SIMPLE[usize::from(byte)] != Simple::No)
            && !(href.is_empty() || path.starts_with("//"));
        if !is_simple {
            return None;
        }
        let base = self.url.as_str();
        let mut kept = if path.is_empty() {
            query_end
        } else if path.starts_with('/') {
            path_start
        } else {
            base[..path_end].rfind('/')? + 1
        };
        while let Some(rest) = path.strip_prefix("../") {
            path = rest;
            // The root has no parent.
            kept = base[path_start..kept - 1].rfind('/').map_or(kept, |at| path_start + at + 1);
        }
        if path.contains("./") || path.ends_with('.') || path.starts_with('/') && kept > path_start {
            return None;
        }
        Some([&base[..kept], path, fragment].concat())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_base_is_relative_to_the_page() {
        let page = Url::parse("http://a.test/b/c").unwrap();
        let base = |href| Base::new(&page, href).url.to_string();
        assert_eq!(base(None), "http://a.test/b/c");
        assert_eq!(base(Some("../d/")), "http://a.test/d/");
        assert_eq!(base(Some("//b.test")), "http://b.test/");
        assert_eq!(base(Some("http://[")), "http://a.test/b/c");
        assert_eq!(base(Some("data:text/html,")), "http://a.test/b/c");
    }

    #[test]
    fn most_links_within_a_site_are_simple() {
        let base = Base::new(&Url::parse("http://a.test/b/c/d?e#f").unwrap(), None);
        let join = |href| base.join_simple(href);
        assert_eq!(join("x.html").as_deref(), Some("http://a.test/b/c/x.html"));
        assert_eq!(join("../x/y.html#z:1").as_deref(), Some("http://a.test/b/x/y.html#z:1"));
        assert_eq!(join("../../../..x").as_deref(), Some("http://a.test/..x"));
        assert_eq!(join("/x/").as_deref(), Some("http://a.test/x/"));
        assert_eq!(join("#").as_deref(), Some("http://a.test/b/c/d?e#"));
        assert_eq!(
            [join("//b.test/"), join("x:y"), join("?q"), join("a b"), join("./x"), join("")],
            [const { None }; 6]
        );
    }

    proptest! {
        #[test]
        fn simple_links_are_joined_as_all_links_are(
            base in prop::sample::select(vec![
                "http://a.test", "https://u:p@a.test:81/b", "http://a.test/b//c/?d#e", "http://a.test/b/c/d?e", "mailto:a",
                "file:///C:/a/b", "http://a.test//",
            ]),
            href in prop::collection::vec(prop::sample::select(vec![
                "a", "B1", "/", "//", ".", "..", "../", "./", "#", "?", "-", "_", "~", "=", ",", "+", "@", ":", ";", "%", "%2e",
                "(", "\\", " ", "\t", "é", "c:", "C|", "x.html",
            ]), 0..8),
        ) {
            let (url, href) = (Url::parse(base).unwrap(), href.concat());
            let base = Base::new(&url, None);
            prop_assert_eq!(base.join(&href), url.join(&href).ok().map(String::from), "{:?}", href);
        }
    }
}
