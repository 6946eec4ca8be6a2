//! HTML text → tokens (WHATWG HTML, section 13.2.5), without a copy.
//!
//! This is html5ever's tokenizer once more, for a text that is whole: it looks for the next character that means something
//! instead of going through a state machine one by one, and what it gives are slices of the text. Tests hold the two
//! against each other. What only reports an error, or tells one comment from another, is left out.

mod doctype;
mod raw;
mod references;
mod tag;
#[cfg(test)]
mod tests;
mod words;

use memchr::{memchr, memchr_iter, memchr2, memchr3};

pub(super) use self::doctype::Doctype;
pub(super) use self::references::decode_value;
use self::references::{Place, Reference};
use self::tag::Names;
pub(super) use self::tag::{Attribute, AttributeNames, Tag};
use super::names::Name;

/// A piece of HTML.
#[derive(Clone, Copy, Debug)]
pub(super) enum Token<'t> {
    /// A piece of text that stands there as it is meant. It may go on in the next token.
    Text(&'t str),
    /// A piece of text that is written in another way.
    Char(char),
    /// A NUL where the tree decides what becomes of it.
    Null,
    /// A start tag: [`Tokens::tag`].
    Start,
    /// An end tag: [`Tokens::tag`].
    End,
    /// A comment.
    Comment,
    /// A DOCTYPE.
    Doctype(Doctype<'t>),
}

/// How text is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// Tags and character references count.
    Data,
    /// Character references count, and one end tag.
    Rcdata,
    /// One end tag counts.
    Rawtext,
    /// As in [`Rawtext`](Self::Rawtext), but a comment may hide the end tag.
    Script,
    /// Nothing counts any more.
    Plaintext,
    /// The end of the section counts.
    Cdata,
}

/// What begins a section of text in SVG and MathML.
const CDATA: &str = "<![CDATA[";

/// The tokens of a text.
#[derive(Debug)]
pub(super) struct Tokens<'t> {
    text: &'t str,
    /// How far it has been read.
    at: usize,
    /// How far text goes that is no data.
    until: usize,
    content: Content,
    /// The tag that was read last. It stays in its place: moving it about takes longer than reading it.
    tag: Tag<'t>,
    /// The second character of a reference that stands for two.
    pending: Option<char>,
    /// The names of elements.
    names: Names<Name>,
}

impl<'t> Tokens<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        let at = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        Self { text, at, until: 0, content: Content::Data, tag: Tag::default(), pending: None, names: Names::default() }
    }

    /// How many bytes have been read.
    pub(super) fn position(&self) -> usize {
        self.at
    }

    /// The tag that the last token is, or the last one that was a tag.
    pub(super) fn tag(&self) -> &Tag<'t> {
        &self.tag
    }

    /// Reads what follows the start tag that the last token is as `content`.
    pub(super) fn switch(&mut self, content: Content) {
        let rest = &self.text[self.at..];
        let end = match content {
            Content::Data | Content::Cdata => return,
            Content::Rcdata | Content::Rawtext => raw::find_end(rest, &self.tag.name),
            Content::Script => raw::find_script_end(rest),
            Content::Plaintext => None,
        };
        self.until = self.at + end.unwrap_or(rest.len());
        self.content = content;
    }

    /// The next token. `is_foreign` tells whether the element that is open is one of SVG or MathML: there may be CDATA.
    pub(super) fn next(&mut self, is_foreign: impl Fn() -> bool) -> Option<Token<'t>> {
        if let Some(c) = self.pending.take() {
            return Some(Token::Char(c));
        }
        loop {
            if self.content != Content::Data {
                if self.at < self.until {
                    return Some(self.piece());
                }
                if self.content == Content::Cdata {
                    self.at += "]]>".len().min(self.text.len() - self.at);
                }
                self.content = Content::Data;
            }
            match self.text.as_bytes()[self.at..] {
                [] => return None,
                [b'<', b'/', b'>', ..] => self.at += "</>".len(),
                [b'<', b'/', first, ..] if first.is_ascii_alphabetic() => return self.read_tag("</", Token::End),
                [b'<', first, ..] if first.is_ascii_alphabetic() => return self.read_tag("<", Token::Start),
                [b'<', b'!', ..] if self.begins_cdata() && is_foreign() => self.start_cdata(),
                [b'<', b'!', ..] => return Some(self.declaration()),
                [b'<', b'?', ..] | [b'<', b'/', _, ..] => return Some(self.bogus_comment()),
                [b'&' | b'\r' | b'\0', ..] => return Some(self.special(self.text.len())),
                // Also a `<` that begins nothing.
                [_, ref after @ ..] => return Some(self.plain(1 + end_of_plain(after))),
            }
        }
    }

    /// Reads the tag whose name stands behind `start`; none where the text ends within it.
    fn read_tag(&mut self, start: &str, token: Token<'t>) -> Option<Token<'t>> {
        let name = self.at + start.len();
        let length = self.tag.read(&self.text[name..], &mut self.names);
        self.at = length.map_or(self.text.len(), |length| name + length);
        length.map(|_| token)
    }

    fn begins_cdata(&self) -> bool {
        self.text[self.at..].starts_with(CDATA)
    }

    fn start_cdata(&mut self) {
        self.at += CDATA.len();
        self.content = Content::Cdata;
        let section = &self.text[self.at..];
        self.until = self.at + section.find("]]>").unwrap_or(section.len());
    }

    /// What begins with `<!` and is no CDATA.
    fn declaration(&mut self) -> Token<'t> {
        const DOCTYPE: &str = "<!DOCTYPE";
        let rest = &self.text[self.at..];
        if let Some(comment) = rest.strip_prefix("<!--") {
            self.at += "<!--".len() + end_of_comment(comment);
            return Token::Comment;
        }
        match rest.split_at_checked(DOCTYPE.len()) {
            Some((word, declared)) if word.eq_ignore_ascii_case(DOCTYPE) => {
                let end = memchr(b'>', declared.as_bytes());
                let length = end.unwrap_or(declared.len());
                self.at += DOCTYPE.len() + length + usize::from(end.is_some());
                Token::Doctype(Doctype { declared: &declared[..length], is_cut: end.is_none() })
            }
            _ => self.bogus_comment(),
        }
    }

    /// What ends with a `>` and means nothing.
    fn bogus_comment(&mut self) -> Token<'t> {
        let rest = &self.text[self.at..];
        self.at += rest.find('>').map_or(rest.len(), |end| end + 1);
        Token::Comment
    }

    /// Text of so many bytes, or a little less so that no character is cut.
    fn plain(&mut self, length: usize) -> Token<'t> {
        let rest = &self.text[self.at..];
        let text = &rest[..rest.floor_char_boundary(length)];
        self.at += text.len();
        Token::Text(text)
    }

    /// The next piece of text that is no data.
    fn piece(&mut self) -> Token<'t> {
        let text = &self.text.as_bytes()[self.at..self.until];
        let special = if self.content == Content::Rcdata {
            memchr3(b'&', b'\r', b'\0', text)
        } else {
            memchr2(b'\r', b'\0', text)
        };
        match special {
            Some(0) => self.special(self.until),
            _ => self.plain(special.unwrap_or(text.len())),
        }
    }

    /// The `&`, carriage return or NUL that stands here, in text that ends at `until`.
    fn special(&mut self, until: usize) -> Token<'t> {
        let text = &self.text[self.at..until];
        self.at += 1;
        match text.as_bytes()[0] {
            b'&' => {
                let Some(Reference { first, second, length }) = Reference::read(&text[1..], Place::Text) else {
                    return Token::Text(&text[..1]);
                };
                self.at += length;
                self.pending = second;
                Token::Char(first)
            }
            b'\r' => {
                self.at += usize::from(text.starts_with("\r\n"));
                Token::Char('\n')
            }
            _ if matches!(self.content, Content::Data | Content::Cdata) => Token::Null,
            _ => Token::Char(char::REPLACEMENT_CHARACTER),
        }
    }
}

/// How long text is that stands in data as it is meant; at most [`PIECE`].
fn end_of_plain(bytes: &[u8]) -> usize {
    let near = words::find::<2>(bytes, |word| {
        [b'<', b'&', b'\r', b'\0'].iter().fold(0, |marks, &byte| marks | words::mark(word, byte))
    });
    let passed = match near {
        Ok(end) => return end,
        Err(passed) => passed,
    };
    let rest = &bytes[passed..bytes.len().min(PIECE)];
    let end = memchr3(b'<', b'&', b'\r', rest).unwrap_or(rest.len());
    passed + memchr(b'\0', &rest[..end]).unwrap_or(end)
}

/// How far is searched for several things at once: one that is far would otherwise be searched for again and again.
const PIECE: usize = 4096;

/// Where a comment ends, `>` included, of which `comment` is what follows `<!--`.
fn end_of_comment(comment: &str) -> usize {
    if comment.starts_with('>') || comment.starts_with("->") {
        return comment.find('>').map_or(comment.len(), |at| at + 1);
    }
    let is_end = |&at: &usize| comment[..at].ends_with("--") || comment[..at].ends_with("--!");
    memchr_iter(b'>', comment.as_bytes()).find(is_end).map_or(comment.len(), |at| at + 1)
}
