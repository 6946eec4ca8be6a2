//! Where a list goes on behind a page.

use std::num::{NonZeroU32, NonZeroU64};

use url::{Url, form_urlencoded};
use xxhash_rust::xxh3::Xxh3;

use super::Found;
use crate::canonical::requestable;
use crate::extract::expression::{Expression, Place, Subject};
use crate::failure::Failure;
use crate::job::LinkKind;
use crate::value::Value;

/// How many pages a list has at most unless its recipe says otherwise.
pub(super) const PAGES: NonZeroU32 = NonZeroU32::new(100).unwrap();

/// The next page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Next {
    /// Its URL: http or https, without userinfo and fragment.
    pub url: Url,
    /// Whether the page names it.
    pub kind: LinkKind,
}

/// What finds it.
#[derive(Debug)]
pub(super) struct Paging {
    pub(super) way: Way,
    /// How many pages the list has at most.
    pub(super) pages: NonZeroU32,
}

#[derive(Debug)]
pub(super) enum Way {
    /// What the page names.
    Expression(Expression),
    Counter(Counter),
}

/// A parameter of the query that counts.
#[derive(Debug)]
pub(super) struct Counter {
    /// Its name.
    pub(super) query: Box<str>,
    /// What it stands at where a URL does not have it.
    pub(super) from: u64,
    /// How far it goes with each page.
    pub(super) step: NonZeroU64,
}

impl Paging {
    /// The page that follows the one at `url`, in which this was found; none where the list ends.
    ///
    /// # Errors
    /// To find out takes too long.
    pub(super) fn next(&self, url: &Url, subject: &Subject<'_>, found: &Found<'_>) -> Result<Option<Next>, Failure> {
        let next = match &self.way {
            Way::Expression(expression) => {
                let value = subject.evaluate(&[expression], Place::Page)?.pop().unwrap_or_default();
                let Value::Str(text) = value else { return Ok(None) };
                subject
                    .absolute(text.trim())
                    .and_then(|next| Url::parse(&next).ok())
                    .zip(Some(LinkKind::Next { pages: self.pages }))
            }
            Way::Counter(_) if found.is_empty() => None,
            Way::Counter(counter) => counter
                .count(url)
                .map(|next| (next, LinkKind::Counted { items: fingerprint(&found.items), pages: self.pages })),
        };
        let Some((next, kind)) = next else { return Ok(None) };
        match requestable(next) {
            Ok(url) => Ok(Some(Next { url, kind })),
            Err(why) => {
                tracing::info!(%url, why, "does not go on");
                Ok(None)
            }
        }
    }
}

impl Counter {
    /// The URL with the next number; none where it has something else in its place. Nothing else in it changes.
    fn count(&self, url: &Url) -> Option<Url> {
        let is_it =
            |part: &&str| form_urlencoded::parse(part.as_bytes()).next().is_some_and(|(name, _)| name == *self.query);
        let mut parts: Vec<_> = url.query().map_or_else(Vec::new, |query| query.split('&').collect());
        let at = parts.iter().position(is_it);
        let now = at.map_or(Some(self.from), |at| parts[at].split_once('=')?.1.parse().ok())?;
        let name: String = form_urlencoded::byte_serialize(self.query.as_bytes()).collect();
        let part = format!("{name}={}", u64::checked_add(now, self.step.get())?);
        if let Some(at) = at {
            parts[at] = &part;
        } else {
            parts.retain(|part| !part.is_empty());
            parts.push(&part);
        }
        let mut next = url.clone();
        next.set_query(Some(&parts.join("&")));
        Some(next)
    }
}

/// What stands for all that was found in a page's items.
fn fingerprint(items: &[Vec<Value<'static>>]) -> u64 {
    let mut hash = Xxh3::new();
    for value in items.iter().flatten() {
        let cell = value.to_cell();
        hash.update(&cell.len().to_le_bytes());
        hash.update(cell.as_bytes());
    }
    hash.digest()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(counter: &str, from: u64, step: u64, url: &str) -> Option<String> {
        let counter = Counter { query: counter.into(), from, step: NonZeroU64::new(step).unwrap() };
        counter.count(&Url::parse(url).unwrap()).map(String::from)
    }

    #[test]
    fn a_counter_changes_its_number_and_nothing_else() {
        for (url, next) in [
            ("http://a.test/l?page=1", "http://a.test/l?page=2"),
            ("http://a.test/l?q=a%20b+c&page=9&sort=%e4", "http://a.test/l?q=a%20b+c&page=10&sort=%e4"),
            ("http://a.test/l", "http://a.test/l?page=2"),
            ("http://a.test/l?", "http://a.test/l?page=2"),
            ("http://a.test/l?pages=7", "http://a.test/l?pages=7&page=2"),
            ("http://a.test/l?p%61ge=7", "http://a.test/l?page=8"),
        ] {
            assert_eq!(count("page", 1, 1, url).as_deref(), Some(next), "{url}");
        }
        assert_eq!(count("start", 0, 20, "http://a.test/").as_deref(), Some("http://a.test/?start=20"));
        assert_eq!(count("a b", 0, 1, "http://a.test/?a+b=1").as_deref(), Some("http://a.test/?a+b=2"));
    }

    #[test]
    fn what_is_no_number_is_not_counted_on() {
        for url in ["?page=", "?page", "?page=two", "?page=-1", "?page=18446744073709551615", "?page=1.5"] {
            assert_eq!(count("page", 1, 1, &format!("http://a.test/{url}")), None, "{url}");
        }
    }
}
