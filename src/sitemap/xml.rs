//! XML as real sites write it, cut into tags and text while it arrives.
//!
//! Nothing is well-formed until it is read: a tag need not be closed, an attribute need not be quoted. A document type
//! declaration is passed over, so that no entity can be defined. What is held is one tag, of bounded length.

use memchr::memchr;

/// The longest tag that is read, in bytes; a longer one is passed over.
const MAX_TAG: usize = 64 << 10;

/// What takes the pieces of a document.
pub(super) trait Sink {
    /// A tag starts an element.
    fn open(&mut self, tag: Tag<'_>);
    /// A tag ends one of this name.
    fn close(&mut self, name: &[u8]);
    /// A piece of text: as it is written, with its references, or of a CDATA section, which has none.
    fn text(&mut self, text: &[u8], is_cdata: bool);
    /// The document has a type declaration, and may use entities of its own.
    fn declare(&mut self);
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Text,
    /// Behind a `<`: what it begins is not known yet, or a tag.
    Tag {
        quote: Option<u8>,
    },
    /// Up to `-->`.
    Comment,
    /// Up to `]]>`.
    Cdata,
    /// Up to `?>`.
    Instruction,
    /// Up to the `>` outside of quotes and of its internal subset.
    Doctype {
        quote: Option<u8>,
        depth: u32,
    },
}

/// Cuts a document into pieces.
#[derive(Debug)]
pub(super) struct Cutter {
    state: State,
    /// What is known of the tag, or the last two bytes of what ends with three.
    held: Vec<u8>,
}

impl Cutter {
    pub(super) fn new() -> Self {
        Self { state: State::Text, held: Vec::new() }
    }

    /// Takes the next piece of a document in UTF-8.
    pub(super) fn push(&mut self, mut piece: &[u8], sink: &mut impl Sink) {
        while !piece.is_empty() {
            let taken = match self.state {
                State::Text => self.text(piece, sink),
                State::Tag { quote } => self.tag(piece, quote, sink),
                State::Comment => self.skip_until(piece, b"--"),
                State::Instruction => self.skip_until(piece, b"?"),
                State::Cdata => self.cdata(piece, sink),
                State::Doctype { .. } => self.doctype(piece),
            };
            piece = &piece[taken..];
        }
    }

    /// Whether no tag or anything like that is open.
    pub(super) fn is_between(&self) -> bool {
        self.state == State::Text
    }

    fn text(&mut self, piece: &[u8], sink: &mut impl Sink) -> usize {
        let end = memchr(b'<', piece);
        let text = &piece[..end.unwrap_or(piece.len())];
        if !text.is_empty() {
            sink.text(text, false);
        }
        if end.is_some() {
            self.enter(State::Tag { quote: None });
        }
        text.len() + usize::from(end.is_some())
    }

    fn enter(&mut self, state: State) {
        self.state = state;
        self.held.clear();
    }

    /// Takes bytes up to the end of a tag, or up to where it turns out to be none.
    fn tag(&mut self, piece: &[u8], mut quote: Option<u8>, sink: &mut impl Sink) -> usize {
        for (&byte, taken) in piece.iter().zip(1..) {
            match (byte, quote) {
                (b'>', None) => {
                    emit(&self.held, sink);
                    self.enter(State::Text);
                    return taken;
                }
                // The tag before was never ended.
                (b'<', None) => self.held.clear(),
                _ => {
                    if self.held.len() < MAX_TAG {
                        self.held.push(byte);
                    }
                    quote = quoted(byte, quote, &self.held);
                }
            }
            if let Some(state) = other(&self.held) {
                if matches!(state, State::Doctype { .. }) {
                    sink.declare();
                }
                self.enter(state);
                return taken;
            }
        }
        self.state = State::Tag { quote };
        piece.len()
    }

    /// Takes bytes up to a `>` behind `end`.
    fn skip_until(&mut self, piece: &[u8], end: &[u8]) -> usize {
        for (&byte, taken) in piece.iter().zip(1..) {
            if byte == b'>' && self.held.ends_with(end) {
                self.enter(State::Text);
                return taken;
            }
            if self.held.len() == 2 {
                self.held.remove(0);
            }
            self.held.push(byte);
        }
        piece.len()
    }

    /// Takes bytes up to `]]>`; what may be a part of that is held back.
    fn cdata(&mut self, piece: &[u8], sink: &mut impl Sink) -> usize {
        let Some(&first) = piece.first() else { return 0 };
        match first {
            b']' if self.held.len() < 2 => self.held.push(b']'),
            b']' => sink.text(b"]", true),
            b'>' if self.held.len() == 2 => self.enter(State::Text),
            _ => {
                if !self.held.is_empty() {
                    sink.text(&self.held, true);
                    self.held.clear();
                }
                let end = memchr(b']', piece).unwrap_or(piece.len());
                sink.text(&piece[..end], true);
                return end;
            }
        }
        1
    }

    fn doctype(&mut self, piece: &[u8]) -> usize {
        for (&byte, taken) in piece.iter().zip(1..) {
            let State::Doctype { quote, depth } = &mut self.state else { break };
            match (byte, *quote) {
                (b'>', None) if *depth == 0 => {
                    self.enter(State::Text);
                    return taken;
                }
                (b'"' | b'\'', None) => *quote = Some(byte),
                (_, Some(mark)) if mark == byte => *quote = None,
                (b'[', None) => *depth += 1,
                (b']', None) => *depth = depth.saturating_sub(1),
                _ => {}
            }
        }
        piece.len()
    }
}

/// What a `<` begins that is no tag, as soon as that is known.
fn other(held: &[u8]) -> Option<State> {
    match held {
        b"!--" => Some(State::Comment),
        b"![CDATA[" => Some(State::Cdata),
        b"?" => Some(State::Instruction),
        [b'!', word @ ..] if word.eq_ignore_ascii_case(b"DOCTYPE") => Some(State::Doctype { quote: None, depth: 0 }),
        _ => None,
    }
}

/// Whether the next byte stands in quotes: they begin behind a `=` only, as elsewhere they are a mistake.
fn quoted(byte: u8, quote: Option<u8>, held: &[u8]) -> Option<u8> {
    match quote {
        Some(mark) => (mark != byte).then_some(mark),
        None if matches!(byte, b'"' | b'\'') => held[..held.len() - 1].trim_ascii_end().ends_with(b"=").then_some(byte),
        None => None,
    }
}

fn emit(held: &[u8], sink: &mut impl Sink) {
    if held.len() >= MAX_TAG || held.starts_with(b"!") {
        return;
    }
    if let Some(name) = held.strip_prefix(b"/") {
        return sink.close(name.trim_ascii());
    }
    let (tag, is_empty) = held.strip_suffix(b"/").map_or((held, false), |tag| (tag, true));
    let tag = Tag(tag);
    if !tag.name().is_empty() {
        sink.open(tag);
        if is_empty {
            sink.close(tag.name());
        }
    }
}

/// What stands between `<` and `>` or `/>`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tag<'t>(&'t [u8]);

impl<'t> Tag<'t> {
    /// Its name with its prefix.
    pub(super) fn name(self) -> &'t [u8] {
        let end = self.0.iter().position(u8::is_ascii_whitespace);
        &self.0[..end.unwrap_or(self.0.len())]
    }

    /// The value of an attribute as it is written, with its references.
    pub(super) fn attribute(self, name: &str) -> Option<&'t [u8]> {
        let mut rest = &self.0[self.name().len()..];
        while let Some((found, value, after)) = next_attribute(rest) {
            if found.eq_ignore_ascii_case(name.as_bytes()) {
                return Some(value);
            }
            rest = after;
        }
        None
    }
}

/// The name and the value of the next attribute that has one, and what follows.
fn next_attribute(text: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let equals = memchr(b'=', text)?;
    let name = text[..equals].trim_ascii().rsplit(u8::is_ascii_whitespace).next().unwrap_or_default();
    let rest = text[equals + 1..].trim_ascii_start();
    let (value, after) = match rest.split_first() {
        Some((&mark @ (b'"' | b'\''), rest)) => {
            let end = memchr(mark, rest).unwrap_or(rest.len());
            (&rest[..end], rest.get(end + 1..).unwrap_or_default())
        }
        _ => rest.split_at(rest.iter().position(u8::is_ascii_whitespace).unwrap_or(rest.len())),
    };
    Some((name, value, after))
}

/// A name without its prefix, and the prefix.
pub(super) fn split_name(name: &[u8]) -> (&[u8], &[u8]) {
    match memchr(b':', name) {
        Some(colon) => (&name[colon + 1..], &name[..colon]),
        None => (name, b""),
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use super::*;
    use proptest::prelude::*;

    #[derive(Debug, Default, PartialEq, Eq)]
    struct Log(String);

    impl Sink for Log {
        fn open(&mut self, tag: Tag<'_>) {
            let _ = write!(self.0, "<{}>", tag.name().escape_ascii());
        }
        fn close(&mut self, name: &[u8]) {
            let _ = write!(self.0, "</{}>", name.escape_ascii());
        }
        fn text(&mut self, text: &[u8], _: bool) {
            let _ = write!(self.0, "{}", text.escape_ascii());
        }
        fn declare(&mut self) {
            self.0 += "!";
        }
    }

    fn cut(document: &[u8], size: usize) -> String {
        let (mut cutter, mut log) = (Cutter::new(), Log::default());
        document.chunks(size.max(1)).for_each(|piece| cutter.push(piece, &mut log));
        log.0
    }

    #[test]
    fn documents_are_cut_into_tags_and_text() {
        for (document, expected) in [
            ("<?xml version='1.0'?><a>x<b/>y</a >", "<a>x<b></b>y</a>"),
            ("a<!-- <b> -- > -->c", "ac"),
            ("<a><![CDATA[x<b>]]]>]]></a>", "<a>x<b>]]]></a>"),
            ("<!DOCTYPE a [<!ENTITY b \"]>\">] ><c>", "!<c>"),
            ("<a b='>' c=\">\">x", "<a>x"),
            ("<a b=it's>x", "<a>x"),
            ("<a <b>x", "<b>x"),
            ("<!ELEMENT x><a>", "<a>"),
            ("<><a>", "<a>"),
            ("x<a", "x"),
        ] {
            assert_eq!(cut(document.as_bytes(), usize::MAX), expected, "{document}");
        }
    }

    #[test]
    fn attributes_are_read_however_they_are_written() {
        let tag = Tag(b"link rel = \"a b\"\thref='x=\"y' type=text/html  empty = ''");
        assert_eq!(tag.attribute("rel"), Some(&b"a b"[..]));
        assert_eq!(tag.attribute("HREF"), Some(&b"x=\"y"[..]));
        assert_eq!(tag.attribute("type"), Some(&b"text/html"[..]));
        assert_eq!(tag.attribute("empty"), Some(&b""[..]));
        assert_eq!(tag.attribute("link"), None);
    }

    #[test]
    fn a_tag_that_is_too_long_is_passed_over() {
        assert_eq!(cut(format!("<a {}>x</a>", "y".repeat(MAX_TAG)).as_bytes(), 1000), "x</a>");
    }

    proptest! {
        #[test]
        fn where_a_document_is_cut_does_not_matter(
            document in "(<|>|/|!|-|--|\\[|\\]|\\]\\]>|<!\\[CDATA\\[|<!--|-->|<\\?|\\?>|<!DOCTYPE|a|b|=|\"|'| ){0,30}",
            size in 1..9usize,
        ) {
            prop_assert_eq!(cut(document.as_bytes(), size), cut(document.as_bytes(), usize::MAX));
        }
    }
}
