//! Tokens → what a page says: title, head, headings, links, text. One pass for all that was asked for.

use std::ops::Range;

use html5ever::local_name;

use super::deadline::Deadline;
use super::head::Head;
use super::links::{Link, Links};
use super::names::Name;
use super::outline::{Outline, Phase, Started};
use super::text::{Gap, Prose};
use super::tokens::{Content, Tag, Token, Tokens};
use crate::failure::Failure;
use crate::value::{Table, Value};

/// After how many bytes the clock is looked at: reading so many takes milliseconds at the worst.
const STRIDE: usize = 32 << 10;

/// How long a title may be, in characters.
const TITLE: usize = 100_000;

/// A part of a page that is read only where something asks for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// The answer's header fields: nothing of the page.
    Headers,
    /// What stands in the head.
    Head,
    /// The headings.
    Headings,
    /// The links.
    Links,
    /// The visible text.
    Text,
    /// Its tree: what is read from that needs no other part.
    Tree,
    /// Its main content, which is read from the tree.
    Article,
}

/// A set of parts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Parts(u8);

impl Parts {
    pub(super) fn insert(&mut self, part: Part) {
        self.0 |= 1 << part as u8;
    }

    pub(super) fn contains(self, part: Part) -> bool {
        self.0 & (1 << part as u8) != 0
    }

    /// Whether reading may not stop at the body.
    fn need_body(self) -> bool {
        [Part::Headings, Part::Links, Part::Text].into_iter().any(|part| self.contains(part))
    }
}

/// The headings of a page, in order.
#[derive(Debug, Default)]
pub(super) struct Headings {
    list: Vec<Heading>,
    /// The texts of all.
    texts: String,
}

#[derive(Debug)]
struct Heading {
    /// 1 to 6.
    level: u8,
    /// Where its text stands.
    text: Range<usize>,
}

impl Headings {
    /// The text of the first one of level 1.
    pub(super) fn h1(&self) -> Option<&str> {
        let h1 = self.list.iter().find(|heading| heading.level == 1)?;
        Some(&self.texts[h1.text.clone()])
    }

    /// They as a value.
    pub(super) fn to_value(&self) -> Value<'static> {
        let mut table = Table::new(&["level", "text"], self.list.len());
        for Heading { level, text } in &self.list {
            table.push_int((*level).into());
            table.push_text(Some(&self.texts[text.clone()]));
        }
        Value::Table(table)
    }
}

/// What a page says.
#[derive(Debug, Default)]
pub(super) struct Found<'t> {
    pub(super) title: Option<String>,
    pub(super) head: Head,
    pub(super) headings: Headings,
    pub(super) links: Links<'t>,
    pub(super) text: String,
}

/// Reads the title and `parts` of an HTML text, and says why it did not come to the end.
pub(super) fn read<'t>(text: &'t str, parts: Parts, deadline: &Deadline) -> (Found<'t>, Result<(), Failure>) {
    let (mut state, mut tokens) = (State::new(parts), Tokens::new(text));
    let mut next_look = STRIDE;
    while let Some(token) = tokens.next(|| state.outline.is_foreign()) {
        state.take(&token, &mut tokens);
        if state.has_all() {
            break;
        }
        if tokens.position() >= next_look {
            next_look = tokens.position() + STRIDE;
            if let Err(failure) = deadline.check() {
                return (state.finish(), Err(failure));
            }
        }
    }
    (state.finish(), Ok(()))
}

/// The texts of elements of one kind, which do not nest.
#[derive(Debug, Default)]
struct Capture {
    /// How many elements are open around the one that is being read: it ends when no more than these are.
    depth: Option<usize>,
    texts: Prose,
}

impl Capture {
    /// Begins with the element that was opened last.
    fn open(&mut self, outline: &Outline) {
        self.depth = Some(outline.depth().saturating_sub(1));
    }

    fn push(&mut self, text: &str) {
        if self.depth.is_some() {
            self.texts.push(text);
        }
    }

    fn set_apart(&mut self, gap: Gap) {
        if self.depth.is_some() {
            self.texts.set_apart(gap.min(Gap::Space));
        }
    }

    /// Whether the outline has closed the element.
    fn is_left(&self, outline: &Outline) -> bool {
        self.depth.is_some_and(|depth| outline.depth() <= depth)
    }

    /// Ends with the element, if there is one, and tells where its text stands.
    fn close(&mut self) -> Option<Range<usize>> {
        self.depth.take().map(|_| self.texts.cut())
    }
}

/// How far the title is.
#[derive(Debug)]
enum Title {
    Awaited,
    Open(Prose),
    Complete(String),
}

#[derive(Debug)]
struct State<'t> {
    parts: Parts,
    outline: Outline,
    /// Inside an element whose content is nothing but text.
    is_raw: bool,
    title: Title,
    heading: Capture,
    link: Capture,
    text: Prose,
    found: Found<'t>,
}

impl<'t> State<'t> {
    fn new(parts: Parts) -> Self {
        Self {
            parts,
            outline: Outline::new(),
            is_raw: false,
            title: Title::Awaited,
            heading: Capture::default(),
            link: Capture::default(),
            text: Prose::default(),
            found: Found::default(),
        }
    }

    fn take(&mut self, token: &Token<'t>, tokens: &mut Tokens<'t>) {
        match token {
            Token::Start => {
                let content = self.start(tokens.tag());
                if content != Content::Data {
                    self.is_raw = content != Content::Plaintext;
                    tokens.switch(content);
                }
            }
            Token::End => self.end(&tokens.tag().name),
            Token::Text(text) => self.text(text),
            Token::Char(c) => self.text(c.encode_utf8(&mut [0; 4])),
            Token::Null | Token::Comment | Token::Doctype(_) => {}
        }
    }

    /// Returns how what follows the tag is to be read.
    fn start(&mut self, tag: &Tag<'t>) -> Content {
        let started = self.outline.start(tag);
        self.close_captures();
        let Started::Html(content) = started else { return Content::Data };
        if !self.outline.is_in_template() {
            if tag.name.has_rules_of_its_own() {
                self.element(tag);
            }
            self.set_apart(&tag.name);
        }
        content
    }

    /// An HTML element that is part of the page.
    fn element(&mut self, tag: &Tag<'t>) {
        match *tag.name {
            local_name!("title") if matches!(self.title, Title::Awaited) => self.title = Title::Open(Prose::default()),
            local_name!("base") => self.found.head.base(tag),
            local_name!("html") | local_name!("meta") | local_name!("link")
                if self.parts.contains(Part::Head) && self.outline.phase() < Phase::Body =>
            {
                self.found.head.element(tag);
            }
            local_name!("a") | local_name!("area") if self.parts.contains(Part::Links) => self.start_link(tag),
            _ if tag.name.is_heading() && self.parts.contains(Part::Headings) => self.start_heading(&tag.name),
            _ => {}
        }
    }

    fn start_link(&mut self, tag: &Tag<'t>) {
        self.close_link();
        let [href, rel, alt] = tag.values(["href", "rel", "alt"]);
        let Some(href) = href else { return };
        let mut text = 0..0;
        if *tag.name == local_name!("a") {
            self.link.open(&self.outline);
        } else {
            self.link.texts.push_verbatim(alt.unwrap_or_default().trim_ascii());
            text = self.link.texts.cut();
        }
        self.found.links.list.push(Link { href, rel, text });
    }

    fn start_heading(&mut self, name: &Name) {
        self.close_heading();
        let level = name.as_bytes()[1] - b'0';
        self.found.headings.list.push(Heading { level, text: 0..0 });
        self.heading.open(&self.outline);
    }

    fn end(&mut self, name: &Name) {
        if self.is_raw {
            self.is_raw = false;
            self.close_title();
            return;
        }
        if **name == local_name!("a") {
            self.close_link();
        }
        // The outline does not follow what is this deep.
        if self.outline.is_full() && name.is_heading() {
            self.close_heading();
        }
        self.outline.end(name);
        self.close_captures();
        if !self.outline.is_in_template() {
            self.set_apart(name);
        }
    }

    fn text(&mut self, text: &str) {
        if self.is_raw {
            if let Title::Open(title) = &mut self.title
                // As many bytes as the characters of the longest title may have.
                && title.len() <= 4 * TITLE
            {
                title.push(text);
            }
            return;
        }
        self.outline.text(text);
        if !self.parts.need_body() || !self.outline.holds_text() {
            return;
        }
        self.link.push(text);
        self.heading.push(text);
        if self.parts.contains(Part::Text) && self.outline.shows_text() {
            if self.outline.is_preformatted() {
                self.text.push_verbatim(text);
            } else {
                self.text.push(text);
            }
        }
    }

    /// The start or end of an element sets text apart.
    fn set_apart(&mut self, name: &Name) {
        if !self.parts.need_body() {
            return;
        }
        let gap = name.gap();
        self.text.set_apart(gap);
        self.link.set_apart(gap);
        self.heading.set_apart(gap);
    }

    /// Closes what the outline has closed.
    fn close_captures(&mut self) {
        if self.link.is_left(&self.outline) {
            self.close_link();
        }
        if self.heading.is_left(&self.outline) {
            self.close_heading();
        }
    }

    fn close_link(&mut self) {
        if let (Some(text), Some(link)) = (self.link.close(), self.found.links.list.last_mut()) {
            link.text = text;
        }
    }

    fn close_heading(&mut self) {
        if let (Some(text), Some(heading)) = (self.heading.close(), self.found.headings.list.last_mut()) {
            heading.text = text;
        }
    }

    fn close_title(&mut self) {
        if let Title::Open(title) = &mut self.title {
            let mut title = std::mem::take(title).finish();
            if let Some((end, _)) = title.char_indices().nth(TITLE) {
                title.truncate(end);
            }
            self.title = Title::Complete(title);
        }
    }

    /// Whether nothing that was asked for can follow.
    fn has_all(&self) -> bool {
        let phase = self.outline.phase();
        let has_head = phase >= Phase::Body || !self.parts.contains(Part::Head);
        phase == Phase::Frameset
            || (matches!(self.title, Title::Complete(_)) && has_head && !self.parts.need_body() && !self.is_raw)
    }

    fn finish(mut self) -> Found<'t> {
        self.close_link();
        self.close_heading();
        self.close_title();
        if let Title::Complete(title) = self.title {
            self.found.title = Some(title);
        }
        self.found.links.texts = self.link.texts.finish();
        self.found.headings.texts = self.heading.texts.finish();
        self.found.text = self.text.finish();
        self.found
    }
}
