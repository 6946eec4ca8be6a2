//! Tokens → what a page says: title, head, headings, links, text. One pass for all that was asked for.

use html5ever::local_name;

use super::deadline::Deadline;
use super::head::Head;
use super::links::Link;
use super::names::Name;
use super::outline::{Outline, Phase, Started};
use super::text::{Gap, Prose};
use super::tokens::{Content, Tag, Token, Tokens};
use crate::failure::Failure;
use crate::value::Value;

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
}

/// A set of parts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Parts(u8);

impl Parts {
    pub(super) fn insert(&mut self, part: Part) {
        self.0 |= 1 << part as u8;
    }

    fn contains(self, part: Part) -> bool {
        self.0 & (1 << part as u8) != 0
    }

    /// Whether reading may not stop at the body.
    fn need_body(self) -> bool {
        [Part::Headings, Part::Links, Part::Text].into_iter().any(|part| self.contains(part))
    }
}

/// A heading.
#[derive(Debug)]
pub(super) struct Heading {
    /// 1 to 6.
    level: u8,
    text: String,
}

impl Heading {
    /// It as a value.
    pub(super) fn into_value(self) -> Value<'static> {
        Value::Map(vec![("level".into(), Value::Int(self.level.into())), ("text".into(), Value::from(self.text))])
    }
}

/// What a page says.
#[derive(Debug, Default)]
pub(super) struct Found<'t> {
    pub(super) title: Option<String>,
    pub(super) head: Head,
    /// The text of the first heading of level 1.
    pub(super) h1: Option<String>,
    pub(super) headings: Vec<Heading>,
    pub(super) links: Vec<Link<'t>>,
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

/// An element whose text is being read.
#[derive(Debug)]
struct Capture {
    /// How many elements are open around it: it ends when no more than these are.
    depth: usize,
    text: Prose,
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
    heading: Option<Capture>,
    link: Option<Capture>,
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
            heading: None,
            link: None,
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
        let Some(link) = Link::of(tag) else { return };
        self.found.links.push(link);
        if *tag.name == local_name!("a") {
            self.link = Some(self.capture());
        }
    }

    fn start_heading(&mut self, name: &Name) {
        self.close_heading();
        let level = name.as_bytes()[1] - b'0';
        self.found.headings.push(Heading { level, text: String::new() });
        self.heading = Some(self.capture());
    }

    /// Reads the text of the element that was opened last.
    fn capture(&self) -> Capture {
        Capture { depth: self.outline.depth().saturating_sub(1), text: Prose::default() }
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
        for capture in [&mut self.link, &mut self.heading].into_iter().flatten() {
            capture.text.push(text);
        }
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
        for capture in [&mut self.link, &mut self.heading].into_iter().flatten() {
            capture.text.set_apart(gap.min(Gap::Space));
        }
    }

    /// Closes what the outline has closed.
    fn close_captures(&mut self) {
        let depth = self.outline.depth();
        if self.link.as_ref().is_some_and(|capture| depth <= capture.depth) {
            self.close_link();
        }
        if self.heading.as_ref().is_some_and(|capture| depth <= capture.depth) {
            self.close_heading();
        }
    }

    fn close_link(&mut self) {
        if let (Some(capture), Some(link)) = (self.link.take(), self.found.links.last_mut()) {
            link.text = capture.text.finish();
        }
    }

    fn close_heading(&mut self) {
        if let (Some(capture), Some(heading)) = (self.heading.take(), self.found.headings.last_mut()) {
            heading.text = capture.text.finish();
            if heading.level == 1 && self.found.h1.is_none() {
                self.found.h1 = Some(heading.text.clone());
            }
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
        self.found.text = self.text.finish();
        self.found
    }
}
