//! What `Link` header fields say (RFC 8288): links of an answer, whatever its body is.
//!
//! Decided: a link whose context is another resource (`anchor`) is none of the page's; of a parameter that stands there twice
//! the first counts (section 3.3); where a field goes wrong, the links before that count (appendix B.2).

use reqwest::header::{HeaderMap, LINK};
use url::Url;

/// A link.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::extract) struct FieldLink {
    /// Its target as it is written.
    pub(in crate::extract) target: String,
    /// Its `rel`, of which every word is one relation; empty where there is none.
    pub(in crate::extract) rel: String,
    /// Its `type`.
    pub(in crate::extract) media_type: Option<String>,
}

impl FieldLink {
    /// Whether one of the words of its `rel` is `word`.
    fn is(&self, word: &str) -> bool {
        self.rel.split_ascii_whitespace().any(|one| one.eq_ignore_ascii_case(word))
    }

    /// Where it leads: relative to the URL that answered, whatever the page says of its base (section 3.2).
    pub(in crate::extract) fn url(&self, page: &Url) -> Option<Url> {
        page.join(&self.target).ok()
    }
}

/// The links of an answer, in order.
pub(in crate::extract) fn links(headers: &HeaderMap) -> Vec<FieldLink> {
    let fields = headers.get_all(LINK).iter().map(|field| String::from_utf8_lossy(field.as_bytes()));
    fields.flat_map(|field| Links(&field).flatten().collect::<Vec<_>>()).collect()
}

/// The canonical URL that an answer names first (RFC 6596).
pub(in crate::extract) fn canonical(headers: &HeaderMap, page: &Url) -> Option<Url> {
    links(headers).iter().filter(|link| link.is("canonical")).find_map(|link| link.url(page))
}

/// The links of a field, none for one with another context. What has not been read is left.
struct Links<'a>(&'a str);

impl Iterator for Links<'_> {
    type Item = Option<FieldLink>;

    fn next(&mut self) -> Option<Self::Item> {
        let (target, rest) = self.0.trim_start_matches([' ', '\t', ',']).strip_prefix('<')?.split_once('>')?;
        self.0 = rest;
        let (mut rel, mut media_type, mut has_context) = (None, None, false);
        while let Some((name, value)) = self.parameter() {
            match name {
                _ if name.eq_ignore_ascii_case("rel") => rel = rel.or(Some(value)),
                _ if name.eq_ignore_ascii_case("type") => media_type = media_type.or(Some(value)),
                _ => has_context |= name.eq_ignore_ascii_case("anchor"),
            }
        }
        let link = FieldLink { target: target.trim_ascii().to_owned(), rel: rel.unwrap_or_default(), media_type };
        Some((!has_context).then_some(link))
    }
}

impl<'a> Links<'a> {
    /// The next parameter of the link whose target was read (appendix B.3).
    fn parameter(&mut self) -> Option<(&'a str, String)> {
        let rest = self.0.trim_ascii_start().strip_prefix(';')?.trim_ascii_start();
        let (name, rest) = rest.split_at(rest.find(['=', ';', ',']).unwrap_or(rest.len()));
        let written = rest.strip_prefix('=').map(str::trim_ascii_start);
        let (value, rest) = written.map_or_else(|| (String::new(), rest), value);
        self.0 = rest;
        Some((name.trim_ascii(), value))
    }
}

/// The value that a text begins with, and what follows that.
fn value(text: &str) -> (String, &str) {
    if let Some(quoted) = text.strip_prefix('"') {
        return unquote(quoted);
    }
    let (value, rest) = text.split_at(text.find([';', ',']).unwrap_or(text.len()));
    (value.trim_ascii().to_owned(), rest)
}

/// What stands before the next quote, and what follows that. A backslash takes the meaning off the next character.
fn unquote(text: &str) -> (String, &str) {
    let mut value = String::new();
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        match c {
            '"' => break,
            '\\' => value.extend(characters.next()),
            _ => value.push(c),
        }
    }
    (value, characters.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(field: &str) -> Vec<(String, String)> {
        Links(field).flatten().map(|link| (link.target, link.rel)).collect()
    }

    #[test]
    fn fields_are_read_as_the_standard_says() {
        for (field, links) in [
            ("<http://a.test/>; rel=canonical", &[("http://a.test/", "canonical")][..]),
            ("</a,b>; rel=\"next\", </c;d>; x=y; Rel=\"x Canonical\"", &[("/a,b", "next"), ("/c;d", "x Canonical")]),
            ("<a>;rel=next;rel=prev,,<b> ; title=\"x, <y>; rel=z\" ; rel = prev", &[("a", "next"), ("b", "prev")]),
            ("<a>; rel=\"n\\ext\"; flag; x", &[("a", "next")]),
            ("<a>; rel=next; anchor=\"/other\", <b>", &[("b", "")]),
            ("<a>; rel=next, b; rel=prev, <c>; rel=prev", &[("a", "next")]),
            ("</a>; rel=preload; as=canonical", &[("/a", "preload")]),
            ("rel=canonical", &[]),
            ("<a", &[]),
        ] {
            let links: Vec<_> = links.iter().map(|&(target, rel)| (target.to_owned(), rel.to_owned())).collect();
            assert_eq!(read(field), links, "{field}");
        }
    }

    #[test]
    fn a_canonical_url_is_relative_to_the_answer() {
        let page = Url::parse("http://a.test/b/c").unwrap();
        let canonical = |field: &'static str| {
            let headers = HeaderMap::from_iter([(LINK, reqwest::header::HeaderValue::from_static(field))]);
            canonical(&headers, &page).map(String::from)
        };
        assert_eq!(canonical("<d>; rel=next, <e>; rel=canonical").as_deref(), Some("http://a.test/b/e"));
        assert_eq!(canonical("<d>; rel=canonicals"), None);
    }

    proptest! {
        #[test]
        fn any_field_comes_to_an_end(field in "[<>;,=\"\\\\ a-cé]{0,60}") {
            prop_assert!(read(&field).len() <= field.matches('<').count());
        }
    }
}
