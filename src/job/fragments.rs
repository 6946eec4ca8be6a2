//! What a page says to those who check links: which places it has, and what it links to, and where in it that stands.
//!
//! A fragment names the element whose ID it is, as it stands or decoded, or an `<a>` of that name (WHATWG HTML, section
//! 7.4.6.4, "select the indicated part").

use percent_encoding::percent_decode_str;
use serde::{Deserialize, Serialize};
use url::Url;
use xxhash_rust::xxh3::xxh3_64;

/// The places of a page, and its links.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fragments {
    /// What stands for the [name](name_of_place) of each place that it has; none where it was not read to its end.
    pub places: Option<Vec<u64>>,
    /// What it links to, each once, fragments that name a place and all.
    pub links: Vec<Written>,
}

/// A link as a page has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Where it leads.
    pub to: Result<Url, NoUrl>,
    /// Where it stands.
    pub anchor: Anchor,
}

/// What stands where the URL of a page should, and is none that can be asked for.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct NoUrl {
    /// It as it is written, cut to a bearable length.
    pub written: Box<str>,
    /// Why it is none.
    pub reason: Box<str>,
}

/// Where a link stands in its page.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct Anchor {
    /// Its text, white space collapsed and cut; that of an area is its `alt`.
    pub text: Box<str>,
    /// The line of the page where its tag begins, counted from 1; none for a header field, and for what a selector has found.
    pub line: Option<u64>,
}

/// A link that led to an outcome, as the page has it that was first to do so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mention {
    /// The page that has it.
    pub page: Url,
    /// How many links lie between its seed and what it leads to.
    pub depth: u32,
    /// Where it stands there.
    pub anchor: Anchor,
}

/// What stands for the name of a place: 64 bits of it. A place that is not there is taken for one of a thousand that are with
/// probability 5 in 10¹⁷.
#[must_use]
pub fn name_of_place(name: &str) -> u64 {
    xxh3_64(name.as_bytes())
}

/// The names that a place may have to which this fragment leads, as it stands in a URL behind the `#`; none where it leads to
/// the top, which every page has. What follows `:~:` is for the browser alone (URL Fragment Text Directives, section 3.3) and
/// says nothing of a place.
#[must_use]
pub fn places_named(fragment: &str) -> Option<[u64; 2]> {
    let fragment = fragment.split(":~:").next().unwrap_or_default();
    let decoded = percent_decode_str(fragment).decode_utf8_lossy();
    let is_top = fragment.is_empty() || decoded.eq_ignore_ascii_case("top");
    (!is_top).then(|| [name_of_place(fragment), name_of_place(&decoded)])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leads_to(fragment: &str, name: &str) -> bool {
        places_named(fragment).is_some_and(|names| names.contains(&name_of_place(name)))
    }

    #[test]
    fn a_fragment_names_a_place_as_it_stands_or_decoded() {
        for (fragment, name) in [
            ("one", "one"),
            ("%C3%BC%20&%20x", "ü & x"),
            ("%c3%bc", "ü"),
            ("ü", "ü"),
            ("a%20b", "a%20b"),
            ("a%20b", "a b"),
            ("one:~:text=x", "one"),
            ("%", "%"),
        ] {
            assert!(leads_to(fragment, name), "{fragment} {name}");
        }
        for (fragment, name) in [("One", "one"), ("tops", "top"), ("x:~:text=one", "one"), ("a b", "a%20b")] {
            assert!(!leads_to(fragment, name), "{fragment} {name}");
        }
    }

    #[test]
    fn every_page_has_a_top() {
        for fragment in ["", "top", "TOP", "%74op", ":~:text=x", "top:~:text=x"] {
            assert_eq!(places_named(fragment), None, "{fragment}");
        }
    }
}
