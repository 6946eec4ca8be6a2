//! A tree, surveyed: its elements and texts as flat lists in document order, with what each element holds.
//!
//! What follows works on these lists, so that none of it walks the tree or recurses.

use html5ever::{LocalName, ns};
use scraper::node::Element as Node;
use scraper::{ElementRef, Html};

use super::super::deadline::Deadline;
use super::super::names::is_any;
use super::super::text::{Gap, gap_around};
use super::hints::Hints;
use crate::failure::Failure;

/// After how many nodes the clock is looked at.
const STRIDE: usize = 1024;

/// An amount of text.
///
/// Lengths are in bytes of UTF-8 without white space: a character of Chinese says about as much as three of English.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Amount {
    pub(super) bytes: u32,
    /// Of these, those in links.
    pub(super) linked: u32,
    pub(super) links: u32,
    /// Ends of sentences.
    pub(super) stops: u32,
}

impl Amount {
    fn of(text: &str, is_linked: bool) -> Self {
        let mut amount = Self::default();
        let mut last = b' ';
        for byte in text.bytes().chain([b' ']) {
            if byte.is_ascii_whitespace() {
                amount.stops += u32::from(matches!(last, b'.' | b'!' | b'?' | b':'));
            } else {
                amount.bytes += 1;
            }
            last = byte;
        }
        if !text.is_ascii() {
            let stops = text.matches(['。', '！', '？', '।', '؟', '…']).count();
            amount.stops += u32::try_from(stops).unwrap_or(u32::MAX);
        }
        amount.linked = if is_linked { amount.bytes } else { 0 };
        amount
    }

    fn add(&mut self, other: Self) {
        self.bytes += other.bytes;
        self.linked += other.linked;
        self.links += other.links;
        self.stops += other.stops;
    }

    /// What is not in links.
    pub(super) fn plain(self) -> u32 {
        self.bytes - self.linked
    }
}

/// An element of the body.
#[derive(Debug)]
pub(super) struct Element<'a> {
    pub(super) node: &'a Node,
    /// The index of its parent; its own for the first.
    pub(super) parent: usize,
    /// The index behind its last descendant.
    pub(super) end: usize,
    /// Where its events begin.
    pub(super) enter: usize,
    /// The index behind its last event.
    pub(super) leave: usize,
    /// Whether it is set on lines of its own: by its name, or because something in it is.
    pub(super) is_block: bool,
    /// The text that is in no block within it. An element that is no block leaves its to the block that it is in.
    pub(super) own: Amount,
    /// All text in it.
    pub(super) all: Amount,
    pub(super) hints: Hints,
}

impl Element<'_> {
    pub(super) fn name(&self) -> &LocalName {
        &self.node.name.local
    }
}

/// A step on the way through a page.
#[derive(Clone, Copy, Debug)]
pub(super) enum Event<'a> {
    /// An element begins.
    Enter(usize),
    /// A text, as it stands in the page.
    Text(&'a str),
    /// An element ends.
    Leave(usize),
    /// An element is left out.
    Omit(usize),
}

/// The body of a page, without what never shows text: scripts, styles, forms' controls, embedded objects.
#[derive(Debug, Default)]
pub(super) struct Survey<'a> {
    /// In document order; the first one is the body.
    pub(super) elements: Vec<Element<'a>>,
    pub(super) events: Vec<Event<'a>>,
    /// Those that are open while the survey is made.
    open: Vec<usize>,
    open_links: usize,
}

impl<'a> Survey<'a> {
    /// Surveys a tree. There are no elements if it has no body.
    ///
    /// # Errors
    /// It takes too long.
    pub(super) fn of(tree: &'a Html, deadline: &Deadline) -> Result<Self, Failure> {
        let mut survey = Self::default();
        let is_body = |element: &ElementRef<'_>| is_any!(element.value().name.local, "body");
        let Some(body) = tree.root_element().child_elements().find(is_body) else { return Ok(survey) };
        let (root, mut node) = (*body, *body);
        for step in 1.. {
            if step % STRIDE == 0 {
                deadline.check()?;
            }
            let is_entered = match node.value() {
                scraper::Node::Text(text) => {
                    survey.text(text);
                    false
                }
                scraper::Node::Element(element) => survey.enter(element),
                _ => false,
            };
            if let Some(child) = node.first_child().filter(|_| is_entered) {
                node = child;
                continue;
            }
            if is_entered {
                survey.leave();
            }
            while node != root && node.next_sibling().is_none() {
                let Some(parent) = node.parent() else { break };
                node = parent;
                survey.leave();
            }
            match node.next_sibling().filter(|_| node != root) {
                Some(sibling) => node = sibling,
                None => break,
            }
        }
        Ok(survey)
    }

    /// The text in the whole body.
    pub(super) fn total(&self) -> Amount {
        self.elements.first().map_or_else(Amount::default, |body| body.all)
    }

    fn text(&mut self, text: &'a str) {
        if let Some(&parent) = self.open.last() {
            self.events.push(Event::Text(text));
            self.elements[parent].own.add(Amount::of(text, self.open_links > 0));
        }
    }

    /// Enters an element, if it can have content. Tells whether it did.
    fn enter(&mut self, node: &'a Node) -> bool {
        if self.is_never_content(node) {
            return false;
        }
        let (index, name) = (self.elements.len(), &node.name.local);
        let is_link = is_any!(*name, "a");
        self.open_links += usize::from(is_link);
        self.elements.push(Element {
            node,
            parent: self.open.last().copied().unwrap_or(index),
            end: index,
            enter: self.events.len(),
            leave: 0,
            is_block: gap_around(name) >= Gap::Tab && !is_any!(*name, "br"),
            own: Amount { links: u32::from(is_link), ..Amount::default() },
            all: Amount::default(),
            hints: Hints::of(node),
        });
        self.events.push(Event::Enter(index));
        self.open.push(index);
        true
    }

    fn leave(&mut self) {
        let Some(index) = self.open.pop() else { return };
        self.events.push(Event::Leave(index));
        let (end, leave) = (self.elements.len(), self.events.len());
        let element = &mut self.elements[index];
        (element.end, element.leave) = (end, leave);
        element.all.add(element.own);
        self.open_links -= usize::from(is_any!(*element.name(), "a"));
        let (own, all, is_block) = (element.own, element.all, element.is_block);
        let Some(&parent) = self.open.last() else { return };
        let parent = &mut self.elements[parent];
        if is_block {
            parent.is_block = true;
            parent.all.add(all);
        } else {
            parent.own.add(own);
        }
    }

    fn is_never_content(&self, node: &Node) -> bool {
        let name = &node.name.local;
        if is_any!(*name, "button" "label") {
            // The question above a folded answer is a button in a heading.
            return !self
                .open
                .iter()
                .rev()
                .take(3)
                .any(|&index| is_any!(*self.elements[index].name(), "h1" "h2" "h3" "h4" "h5" "h6" "dt" "summary"));
        }
        node.name.ns != ns!(html)
            || is_any!(*name,
                "script" "style" "noscript" "template" "iframe" "object" "embed" "applet" "audio" "video" "canvas"
                "select" "input" "textarea" "datalist" "option" "optgroup" "meter" "progress" "head" "noframes" "map"
            )
    }
}
