//! The places of a page that a fragment may name (WHATWG HTML, section 7.4.6.4, "select the indicated part").

use std::collections::HashSet;

use percent_encoding::percent_decode_str;

use super::deadline::Deadline;
use super::parts::{Part, Parts};
use super::reader;
use crate::page::{Kind, Page};

/// The places of a page that a fragment may name: elements with an ID, and every `<a>` with a name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Anchors(HashSet<Box<str>>);

impl Anchors {
    /// Those of a page. None where the page is no HTML, whose fragments mean something else, or takes too long to be read.
    #[must_use]
    pub fn of(page: &Page) -> Option<Self> {
        if page.kind != Kind::Html {
            return None;
        }
        let (found, result) = reader::read(&page.text, Parts::of(Part::Anchors), &Deadline::for_text(&page.text));
        let names = found.anchors.into_iter().filter(|name| !name.is_empty());
        result.ok().map(|()| Self(names.map(|name| name.into_owned().into_boxed_str()).collect()))
    }

    /// Whether a fragment, as it stands in a URL behind the `#`, leads to a place. The top of a page always is one. What
    /// follows `:~:` is for the browser alone (URL Fragment Text Directives, section 3.3) and says nothing of a place.
    #[must_use]
    pub fn has(&self, fragment: &str) -> bool {
        let fragment = fragment.split(":~:").next().unwrap_or_default();
        if fragment.is_empty() || self.0.contains(fragment) {
            return true;
        }
        let decoded = percent_decode_str(fragment).decode_utf8_lossy();
        self.0.contains(&*decoded) || decoded.eq_ignore_ascii_case("top")
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::page;
    use super::*;

    #[test]
    fn a_fragment_names_an_id_or_an_anchor() {
        let page = page(
            "<body id=b><p id=one><a name=two id=three>x</a><svg><path id=four /></svg><p id='ü &amp; x'><p id=''>\
             <p id=a%20b><form name=five></form><template><p id=six></template><script>'<p id=seven>'</script>\
             <p id=eight id=nine></p>",
        );
        let anchors = Anchors::of(&page).unwrap();
        let there = ["b", "one", "two", "three", "four", "%C3%BC%20&%20x", "ü & x", "%c3%bc & x", "a%20b", "eight"];
        for fragment in there.into_iter().chain(["", "top", "TOP", "%74op", ":~:text=x", "one:~:text=x"]) {
            assert!(anchors.has(fragment), "{fragment}");
        }
        for fragment in ["One", "five", "six", "seven", "nine", "a b", "tops", "x:~:text=one", "%", "%ff"] {
            assert!(!anchors.has(fragment), "{fragment}");
        }
    }

    #[test]
    fn a_page_with_frames_has_anchors_too() {
        let anchors = Anchors::of(&page("<frameset id=one><frame src=x id=two></frameset>")).unwrap();
        assert!(anchors.has("one") && anchors.has("two"));
    }

    #[test]
    fn what_is_no_html_says_nothing_of_places() {
        let mut page = page("<p id=one>");
        page.kind = Kind::Xml;
        assert_eq!(Anchors::of(&page), None);
    }
}
