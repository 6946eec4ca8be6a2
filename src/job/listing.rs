//! What one sitemap or feed names: up to millions of URLs, in some 20 bytes each.

use std::sync::Arc;

use serde_json::value::RawValue;
use url::Url;

use super::coding::{read_text, take, write_text};
use super::{Link, LinkKind, Trust};

/// What a sitemap names, in its order: pages, and other sitemaps.
///
/// A [`Link`] takes some 350 bytes with what is said of it, and a file of 50 MiB may name two million. So what differs from
/// the one before is held, and a link made of it when somebody wants one.
#[derive(Clone, Debug)]
pub struct Listing {
    trust: Trust,
    bytes: Vec<u8>,
    last: Last,
    len: usize,
    /// Of each whether it became a job, once that is known.
    are_admitted: Vec<bool>,
}

/// What was written, or read, before.
#[derive(Clone, Debug, Default)]
struct Last {
    url: String,
    input: String,
}

const SITEMAP: u8 = 0;
const PAGE: u8 = 1;
const PAGE_WITH_PRIORITY: u8 = 2;

impl Listing {
    /// One that names nothing yet; whoever wrote the file chooses the URLs.
    #[must_use]
    pub fn new(trust: Trust) -> Self {
        Self { trust, bytes: Vec::new(), last: Last::default(), len: 0, are_admitted: Vec::new() }
    }

    /// Adds a sitemap.
    pub fn push_sitemap(&mut self, url: &Url) {
        self.bytes.push(SITEMAP);
        self.push(url, None);
    }

    /// Adds a page with its priority in percent, and what is said of it: a JSON object.
    pub fn push_page(&mut self, url: &Url, priority: Option<u8>, input: Option<&RawValue>) {
        self.bytes.push(if priority.is_some() { PAGE_WITH_PRIORITY } else { PAGE });
        self.bytes.extend(priority);
        self.push(url, input);
    }

    fn push(&mut self, url: &Url, input: Option<&RawValue>) {
        write_text(url.as_str(), &mut self.last.url, &mut self.bytes);
        write_text(input.map_or("", RawValue::get), &mut self.last.input, &mut self.bytes);
        self.len += 1;
    }

    /// How many it names.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether it names nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// What it names: links of the kinds [`Listed`](LinkKind::Listed) and [`Sitemap`](LinkKind::Sitemap).
    pub fn links(&self) -> impl Iterator<Item = Link> {
        let (mut rest, mut last, mut place) = (&self.bytes[..], Last::default(), 0);
        std::iter::from_fn(move || {
            let is_admitted = self.are_admitted.get(place).is_some_and(|it| *it);
            place += 1;
            read(&mut rest, &mut last).map(|(kind, url, input)| Link {
                url,
                trust: self.trust,
                kind,
                input,
                is_admitted,
            })
        })
    }

    /// Takes note of which become jobs.
    pub fn admit(&mut self, mut admit: impl FnMut(&Link) -> bool) {
        let are_admitted = self.links().map(|link| admit(&link)).collect();
        self.are_admitted = are_admitted;
    }
}

/// Reads the next one; none at the end.
fn read(from: &mut &[u8], last: &mut Last) -> Option<(LinkKind, Url, Option<Arc<RawValue>>)> {
    let kind = match take(from, 1)?[0] {
        SITEMAP => LinkKind::Sitemap { is_named: true },
        PAGE => LinkKind::Listed { priority: None },
        _ => LinkKind::Listed { priority: Some(take(from, 1)?[0]) },
    };
    read_text(from, &mut last.url)?;
    read_text(from, &mut last.input)?;
    Some((kind, Url::parse(&last.url).ok()?, read_input(&last.input)))
}

/// What is said of a page; none where nothing is.
pub(crate) fn read_input(text: &str) -> Option<Arc<RawValue>> {
    RawValue::from_string(text.into()).ok().map(Arc::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn what_comes_back_is_what_went_in_and_in_its_order() {
        let mut listing = Listing::new(Trust::Chosen { by: None });
        assert!(listing.is_empty() && listing.links().next().is_none());
        let note = RawValue::from_string(r#"{"lastmod":"2024-05-17"}"#.into()).unwrap();
        listing.push_sitemap(&url("http://a.test/s.xml"));
        listing.push_page(&url("http://a.test/1"), Some(80), Some(&note));
        listing.push_page(&url("http://a.test/2"), None, Some(&note));
        listing.push_page(&url("http://b.test/"), None, None);
        let told = |link: Link| {
            let input = link.input.as_deref().map_or("", RawValue::get).to_owned();
            (link.kind, link.url.to_string(), input, link.is_admitted)
        };
        let sitemap = LinkKind::Sitemap { is_named: true };
        let page = |priority| LinkKind::Listed { priority };
        let named = |is_admitted: [bool; 4]| {
            vec![
                (sitemap, "http://a.test/s.xml".to_owned(), String::new(), is_admitted[0]),
                (page(Some(80)), "http://a.test/1".to_owned(), note.get().to_owned(), is_admitted[1]),
                (page(None), "http://a.test/2".to_owned(), note.get().to_owned(), is_admitted[2]),
                (page(None), "http://b.test/".to_owned(), String::new(), is_admitted[3]),
            ]
        };
        assert_eq!(listing.links().map(told).collect::<Vec<_>>(), named([false; 4]));
        listing.admit(|link| link.url.path() != "/2");
        assert_eq!(listing.links().map(told).collect::<Vec<_>>(), named([true, true, false, true]));
        assert_eq!(listing.len(), 4);
    }

    #[test]
    fn a_page_takes_few_bytes() {
        let mut listing = Listing::new(Trust::Typed);
        for n in 0..50_000 {
            let note = format!(
                r#"{{"sitemap":"http://www.site.test/sitemap-7.xml","lastmod":"2024-05-{:02}","priority":0.5}}"#,
                n % 28 + 1
            );
            let note = RawValue::from_string(note).unwrap();
            listing.push_page(&url(&format!("http://www.site.test/articles/{n}.html")), Some(50), Some(&note));
        }
        assert!(listing.bytes.len() < 40 * listing.len(), "{} bytes", listing.bytes.len());
    }
}
