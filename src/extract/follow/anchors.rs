//! Where the links of a page stand in it.

use ego_tree::NodeId;
use memchr::memchr_iter;
use scraper::{ElementRef, Html};

use super::leads::Lead;
use crate::extract::deadline::Deadline;
use crate::extract::links::{Link, Links};
use crate::extract::text::collapse;
use crate::extract::tree::text_of;
use crate::job::Anchor;

/// As much is kept of a link's text, in characters.
const TEXT: usize = 200;

/// Where something stands that names a page.
#[derive(Clone, Copy, Debug)]
pub(in crate::extract) enum Place {
    /// In a header field.
    Header,
    /// In the tag that begins at this byte of the page.
    Tag(usize),
    /// The same, and it is the next one of the page's links.
    Link(usize),
    /// In an element of the tree.
    Element(NodeId),
}

/// Tells where what names a page stands, one after the other.
pub(super) struct Anchors<'a> {
    page: &'a str,
    links: std::slice::Iter<'a, Link<'a>>,
    texts: &'a str,
    tree: Option<(&'a Html, &'a Deadline)>,
    place: Place,
    /// The text of the link that was entered last.
    text: &'a str,
    /// How many line feeds the page has before this byte.
    lines: (u64, usize),
}

impl<'a> Anchors<'a> {
    /// Those of a page that has this text and these links; the tree is that of what selectors have found.
    pub(super) fn new(page: &'a str, links: &'a Links<'_>, tree: Option<(&'a Html, &'a Deadline)>) -> Self {
        let (place, list) = (Place::Header, links.list.iter());
        Self { page, links: list, texts: &links.texts, tree, place, text: "", lines: (0, 0) }
    }

    /// Goes on to the next one.
    pub(super) fn enter(&mut self, lead: &Lead<'_>) {
        self.place = lead.place;
        self.text = match lead.place {
            Place::Link(_) => self.links.next().map_or("", |link| &self.texts[link.text.clone()]),
            _ => "",
        };
    }

    /// Where the one stands that was entered last.
    pub(super) fn anchor(&mut self) -> Anchor {
        let (text, at) = match self.place {
            Place::Header => (String::new(), None),
            Place::Tag(at) | Place::Link(at) => (collapse(self.text), Some(at)),
            Place::Element(id) => (self.text_of(id), None),
        };
        Anchor { text: text.chars().take(TEXT).collect(), line: at.map(|at| self.line(at)) }
    }

    /// The line of a byte that is no earlier than the one before.
    fn line(&mut self, at: usize) -> u64 {
        let (lines, counted) = self.lines;
        let passed = &self.page.as_bytes()[counted..at];
        self.lines = (lines + memchr_iter(b'\n', passed).count() as u64, at);
        self.lines.0 + 1
    }

    /// The text of an element; none once the page has taken too long, as elements may lie in one another.
    fn text_of(&self, id: NodeId) -> String {
        let tree = self.tree.filter(|(_, deadline)| deadline.check().is_ok());
        let node = tree.and_then(|(tree, _)| tree.tree.get(id));
        node.and_then(ElementRef::wrap).map(|element| text_of(&element)).unwrap_or_default()
    }
}
