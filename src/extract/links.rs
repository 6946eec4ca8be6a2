//! The links of a page, and what their URLs are relative to.

use std::borrow::Cow;
use std::cell::Cell;
use std::ops::Range;

use url::{ParseError, Position, Url};

use crate::failure::{Failure, Kind};
use crate::page::Page;
use crate::value::{Table, Value};

/// The links of a page, in order.
#[derive(Debug, Default)]
pub(super) struct Links<'t> {
    pub(super) list: Vec<Link<'t>>,
    /// The texts of all.
    pub(super) texts: String,
}

/// An `<a>` or `<area>` with an `href`.
#[derive(Debug)]
pub(super) struct Link<'t> {
    /// Its `href` as it is written.
    pub(super) href: Cow<'t, str>,
    /// Its `rel` as it is written.
    pub(super) rel: Option<Cow<'t, str>>,
    /// Where its text stands; the `alt` of an area.
    pub(super) text: Range<usize>,
}

impl Links<'_> {
    /// They as a value, without those whose URL makes no sense.
    pub(super) fn to_value(&self, base: &Base) -> Value<'static> {
        let mut table = Table::new(&["url", "text", "rel", "nofollow"], self.list.len());
        for Link { href, rel, text } in &self.list {
            if table.push_written(|url| base.join(href, url)).is_none() {
                continue;
            }
            let mut words = rel.as_deref().unwrap_or_default().split_ascii_whitespace();
            table.push_text(Some(&self.texts[text.clone()]));
            table.push_text(rel.as_deref());
            table.push_bool(words.any(|word| word.eq_ignore_ascii_case("nofollow")));
        }
        Value::Table(table)
    }
}

/// How much longer than the page the URLs that it names may be together, with what is told of them, in bytes: each may
/// repeat a `<base>` as long as the page.
const URLS: usize = 64 << 20;

/// The URL that a page's URLs are relative to.
pub(super) struct Base {
    url: Url,
    /// None where its paths are not those of http.
    ends: Option<Ends>,
    /// How many bytes of URLs may still be made; none when there were too many.
    room: Cell<Option<usize>>,
}

/// Where the parts of a URL end.
struct Ends {
    origin: usize,
    /// Behind the last slash of the path.
    folder: usize,
    query: usize,
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
        let ends = matches!(url.scheme(), "http" | "https").then(|| Ends {
            origin: end(Position::BeforePath),
            folder: url[..Position::AfterPath].rfind('/').map_or(0, |slash| slash + 1),
            query: end(Position::AfterQuery),
        });
        Self { url, ends, room: Cell::new(Some(URLS)) }
    }

    /// The base of a page, for no more URLs than the page may name.
    pub(super) fn of(page: &Page, href: Option<&str>) -> Self {
        Self { room: Cell::new(Some(URLS + page.text.len())), ..Self::new(page.url, href) }
    }

    /// Whether the page names more URLs than it may. From then on there are none.
    pub(super) fn is_exhausted(&self) -> bool {
        self.room.get().is_none()
    }

    /// A failure once it does.
    pub(super) fn check(&self) -> Result<(), Failure> {
        let message = "the URLs that the page names are longer than itself by 64 MiB";
        if self.is_exhausted() { Err(Failure::new(Kind::TooComplex, message)) } else { Ok(()) }
    }

    /// Appends the absolute URL of `href` to `out`; nothing where it makes no sense, or there were too many.
    pub(super) fn join(&self, href: &str, out: &mut String) -> Option<()> {
        let start = out.len();
        self.join_simple(href, out).or_else(|| {
            out.push_str(self.url.join(href).ok()?.as_str());
            Some(())
        })?;
        self.take(out.len() - start)
    }

    /// The absolute URL of `href`, taken apart; none where it makes no sense, or there were too many.
    pub(super) fn url(&self, href: &str) -> Option<Url> {
        let url = self.url.join(href).ok()?;
        self.take(url.as_str().len())?;
        Some(url)
    }

    /// Why `href` makes no sense; none if it does.
    pub(super) fn refusal(&self, href: &str) -> Option<ParseError> {
        self.url.join(href).err()
    }

    /// Takes room for so many bytes that stand with a URL, and may do so with many.
    pub(super) fn take(&self, bytes: usize) -> Option<()> {
        self.room.set(self.room.get()?.checked_sub(bytes));
        self.room.get().map(|_| ())
    }

    /// The absolute URL of `href`; none where it makes no sense.
    pub(super) fn absolute(&self, href: &str) -> Option<String> {
        let mut url = String::new();
        self.join(href, &mut url).map(|()| url)
    }

    /// Joins what is a path and a fragment of letters, digits and a little else, as nearly every link within a site is:
    /// nothing in it has to be encoded, and taking the URL apart takes longer than reading the link.
    fn join_simple(&self, href: &str, out: &mut String) -> Option<()> {
        let Ends { origin, folder, query } = self.ends.as_ref()?;
        let is_path = |byte: &u8| SIMPLE[usize::from(*byte)] == Simple::Path;
        let (mut path, fragment) = href.split_at(href.bytes().take_while(is_path).count());
        let is_fragment = |fragment: &str| fragment.bytes().all(|byte| SIMPLE[usize::from(byte)] != Simple::No);
        if href.is_empty()
            || path.starts_with("//")
            || !(fragment.is_empty() || fragment.strip_prefix('#').is_some_and(is_fragment))
        {
            return None;
        }
        let base = self.url.as_str();
        let mut kept = match path.as_bytes() {
            [] => *query,
            [b'/', ..] => *origin,
            _ => *folder,
        };
        while let Some(rest) = path.strip_prefix("../") {
            path = rest;
            // The root has no parent.
            kept = base[*origin..kept - 1].rfind('/').map_or(kept, |at| origin + at + 1);
        }
        if path.contains("./") || path.ends_with('.') || path.starts_with('/') && kept > *origin {
            return None;
        }
        out.extend([&base[..kept], path, fragment]);
        Some(())
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
        let join = |href| {
            let mut url = String::new();
            base.join_simple(href, &mut url).map(|()| url)
        };
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
            prop_assert_eq!(base.absolute(&href), url.join(&href).ok().map(String::from), "{:?}", href);
        }
    }
}
