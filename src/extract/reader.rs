//! Tokens → what a page says: title, head, headings, links, text. One pass for all that was asked for.

use std::borrow::Cow;
use std::ops::Range;

use html5ever::local_name;

use super::bylines::Bylines;
use super::deadline::Deadline;
use super::follow::Leads;
use super::head::Head;
use super::headings::{Heading, Headings};
use super::hints::Signals;
use super::images::Images;
use super::links::{Link, Links};
use super::names::Name;
use super::outline::{Outline, Phase, Started};
use super::parts::{Part, Parts};
use super::structured::jsonld;
use super::text::{Gap, Prose};
use super::tokens::{Content, Tag, Token, Tokens};
use crate::failure::Failure;

/// After how many bytes the clock is looked at: reading so many takes milliseconds at the worst.
const STRIDE: usize = 32 << 10;

/// How long a title may be, in characters.
const TITLE: usize = 100_000;

/// What a page says.
#[derive(Debug, Default)]
pub(super) struct Found<'t> {
    pub(super) title: Option<String>,
    pub(super) head: Head<'t>,
    /// The texts of the blocks of JSON-LD.
    pub(super) jsonld: Vec<String>,
    pub(super) headings: Headings,
    pub(super) links: Links<'t>,
    pub(super) images: Images<'t>,
    /// The visible text.
    pub(super) text: String,
    pub(super) bylines: Bylines<'t>,
    pub(super) signals: Signals<'t>,
    pub(super) leads: Leads<'t>,
    pub(super) anchors: Vec<Cow<'t, str>>,
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

/// Whether the page is between `<head>` and `</head>` or `<body>` as they are written. What does not belong there ends the
/// head (section 13.2.6.4.4), but nobody who reads what follows means it to be in the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum WrittenHead {
    /// No such tag has come.
    None,
    Open,
    Ended,
}

/// An element whose content is nothing but text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Raw {
    JsonLd,
    Noscript,
    /// The title, or what nobody asked for.
    Other,
}

#[derive(Debug)]
struct State<'t> {
    parts: Parts,
    outline: Outline,
    /// What the element is whose content is nothing but text, inside one.
    raw: Option<Raw>,
    written_head: WrittenHead,
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
            raw: None,
            written_head: WrittenHead::None,
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
                let content = self.start(tokens.tag(), tokens.position());
                if content != Content::Data {
                    self.raw = (content != Content::Plaintext).then(|| self.raw(tokens.tag()));
                    tokens.switch(content);
                }
            }
            Token::End => self.end(&tokens.tag().name),
            Token::Text(text) => self.text(text),
            Token::Char(c) => self.text(c.encode_utf8(&mut [0; 4])),
            Token::Null | Token::Comment | Token::Doctype(_) => {}
        }
    }

    /// What an element is that has nothing but text in it.
    fn raw(&mut self, tag: &Tag<'t>) -> Raw {
        match *tag.name {
            _ if self.outline.is_in_template() => Raw::Other,
            local_name!("script") if self.parts.contains(Part::JsonLd) && jsonld::is_block(tag) => {
                self.found.jsonld.push(String::new());
                Raw::JsonLd
            }
            local_name!("noscript") if self.parts.contains(Part::Signals) => Raw::Noscript,
            _ => Raw::Other,
        }
    }

    /// Returns how what follows the tag, which ends at this byte, is to be read.
    fn start(&mut self, tag: &Tag<'t>, end: usize) -> Content {
        let started = self.outline.start(tag);
        self.close_captures();
        if self.parts.contains(Part::Anchors) && started != Started::Ignored && !self.outline.is_in_template() {
            self.anchor(tag);
        }
        let Started::Html(content) = started else { return Content::Data };
        if !self.outline.is_in_template() {
            if tag.name.has_rules_of_its_own() {
                self.element(tag, end);
            }
            if self.parts.contains(Part::Bylines) {
                self.found.bylines.start(tag, &self.outline, self.text.len());
            }
            if self.parts.contains(Part::Signals) {
                self.found.signals.start(tag);
            }
            self.set_apart(&tag.name);
        }
        content
    }

    /// An HTML element that is part of the page, whose start tag ends at this byte.
    fn element(&mut self, tag: &Tag<'t>, end: usize) {
        self.written_head = match *tag.name {
            local_name!("head") if self.outline.phase() < Phase::Body => WrittenHead::Open,
            local_name!("body") => WrittenHead::Ended,
            _ => self.written_head,
        };
        if self.parts.contains(Part::Leads) {
            self.found.leads.start(tag, end - tag.len());
        }
        match *tag.name {
            local_name!("title") if matches!(self.title, Title::Awaited) => self.title = Title::Open(Prose::default()),
            local_name!("base") => self.found.head.base(tag),
            local_name!("html") | local_name!("head") | local_name!("meta") | local_name!("link")
                if self.parts.contains(Part::Head) && self.is_in_head() =>
            {
                self.found.head.element(tag);
            }
            local_name!("img") | local_name!("picture") | local_name!("source")
                if self.parts.contains(Part::Images) =>
            {
                self.found.images.start(tag);
            }
            local_name!("a") | local_name!("area") if self.parts.contains(Part::Links) => self.start_link(tag),
            _ if tag.name.is_heading() && self.parts.contains(Part::Headings) => self.start_heading(&tag.name),
            _ => {}
        }
    }

    /// What a fragment may name: any element with an ID, also one of a drawing, or an `<a>` with a name.
    fn anchor(&mut self, tag: &Tag<'t>) {
        let [id, name] = tag.values(["id", "name"]);
        self.found.anchors.extend(id);
        self.found.anchors.extend(name.filter(|_| *tag.name == local_name!("a")));
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
        if self.raw.take().is_some() {
            self.close_title();
            return;
        }
        match **name {
            local_name!("a") => self.close_link(),
            local_name!("head") => self.written_head = WrittenHead::Ended,
            _ => {}
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
        if let Some(raw) = self.raw {
            return self.raw_text(raw, text);
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

    fn raw_text(&mut self, raw: Raw, text: &str) {
        match (raw, &mut self.title) {
            (Raw::JsonLd, _) => self.found.jsonld.last_mut().into_iter().for_each(|block| block.push_str(text)),
            (Raw::Noscript, _) => self.found.signals.noscript(text),
            // As many bytes as the characters of the longest title may have.
            (Raw::Other, Title::Open(title)) if title.len() <= 4 * TITLE => title.push(text),
            (Raw::Other, _) => {}
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
        if self.parts.contains(Part::Bylines) {
            self.found.bylines.close(&self.outline, self.text.len());
        }
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

    fn is_in_head(&self) -> bool {
        self.outline.phase() < Phase::Body || self.written_head == WrittenHead::Open
    }

    /// Whether nothing that was asked for can follow.
    fn has_all(&self) -> bool {
        let phase = self.outline.phase();
        let has_head = !self.is_in_head() || !self.parts.contains(Part::Head);
        let has_frames = self.parts.contains(Part::Leads) || self.parts.contains(Part::Anchors);
        (phase == Phase::Frameset && !has_frames)
            || (matches!(self.title, Title::Complete(_)) && has_head && !self.parts.need_body() && self.raw.is_none())
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
