//! Sitemaps and feeds: the URLs that a site names, with when they changed. Pure: it knows bytes, and no network.
//!
//! [`Reader`] takes a file while it arrives and hands on its [entries](Entry) one by one; what it holds is bounded, however
//! large the file and whatever is in it. Read are `urlset` and `sitemapindex` (sitemaps.org 0.9) with any extensions,
//! lists of URLs, RSS 2.0 and 1.0, and Atom (RFC 4287), each of them as it is or compressed with gzip.
//!
//! What was decided where the standards leave room, and what is read though no standard allows it:
//! - The bytes tell what a file is; neither its name nor its `Content-Type` does.
//! - An element is known by its name in any case, whatever its namespace. In an entry what has another prefix than the
//!   entry belongs to an extension: `image:loc` is no page, and neither are the `xhtml:link`s to other languages.
//! - Tags that were never closed, a missing root, text before the document and bare `&` are put up with.
//! - Addresses are resolved against that of the file (or `xml:base`) and counted as relative; `&amp;amp;` is taken for `&`.
//!   Those that are not http or https are passed over and counted.
//! - In an entry of a feed the page is the `alternate` link, of type `text/html` if there is one; else, in RSS, a `guid` that
//!   is an address.
//! - No entity is expanded but the five of XML and numbers. A value that uses one of the document's own is passed over.
//! - The encoding is that of a byte order mark, of the `Content-Type`, of the XML declaration, or UTF-8 (RFC 7303).
//! - A file is read up to [`MAX_LENGTH`], at each layer of compression. The protocol's limit of 50,000 URLs is none here.
//! - What came before the damage counts: the entries of a file that is cut short are handed on, all that are whole.

mod document;
mod gunzip;
mod input;
mod lines;
mod modified;
mod note;
mod reference;
mod xml;

use encoding_rs::Encoding;
use jiff::Timestamp;
use url::Url;

use self::document::Document;
use self::input::Input;
use self::lines::Lines;
pub use self::modified::Modified;
pub use self::note::Notes;
use self::xml::Cutter;
use crate::canonical::requestable;

/// The most that is read of a file, in bytes: what sitemaps.org allows.
pub const MAX_LENGTH: u64 = 50 << 20;

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A sitemap of pages.
    Pages,
    /// A sitemap of sitemaps.
    Index,
    /// RSS.
    Rss,
    /// Atom.
    Atom,
    /// A list of URLs, one a line.
    Text,
    /// A page: servers answer so for what is not there.
    Html,
    /// Something else in XML.
    Other,
}

impl Kind {
    /// The kind of a document with this root. A document may also lack it and begin with an entry.
    fn of(root: &[u8]) -> Self {
        let is = |names: &[&str]| names.iter().any(|name| root.eq_ignore_ascii_case(name.as_bytes()));
        match () {
            () if is(&["urlset", "url"]) => Self::Pages,
            () if is(&["sitemapindex", "sitemap"]) => Self::Index,
            () if is(&["rss", "rdf", "channel", "item"]) => Self::Rss,
            () if is(&["feed", "entry"]) => Self::Atom,
            () if is(&["html"]) => Self::Html,
            () => Self::Other,
        }
    }

    fn is_feed(self) -> bool {
        matches!(self, Self::Rss | Self::Atom)
    }

    /// What an element with this name is, if it is an entry.
    fn role(self, name: &[u8]) -> Option<Role> {
        let is = |known: &str| name.eq_ignore_ascii_case(known.as_bytes());
        match self {
            Self::Pages | Self::Index if is("url") => Some(Role::Page),
            Self::Pages | Self::Index if is("sitemap") => Some(Role::Sitemap),
            Self::Rss if is("item") => Some(Role::Page),
            Self::Atom if is("entry") => Some(Role::Page),
            _ => None,
        }
    }
}

/// What a URL leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A page.
    Page,
    /// Another sitemap.
    Sitemap,
}

/// How often a page is said to change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "they say what they are")]
pub enum Frequency {
    Always,
    Hourly,
    Daily,
    Weekly,
    Monthly,
    Yearly,
    Never,
}

impl Frequency {
    fn parse(text: &str) -> Option<Self> {
        const NAMES: [(&str, Frequency); 7] = [
            ("always", Frequency::Always),
            ("hourly", Frequency::Hourly),
            ("daily", Frequency::Daily),
            ("weekly", Frequency::Weekly),
            ("monthly", Frequency::Monthly),
            ("yearly", Frequency::Yearly),
            ("never", Frequency::Never),
        ];
        NAMES.into_iter().find_map(|(name, frequency)| text.eq_ignore_ascii_case(name).then_some(frequency))
    }
}

/// What a file says of one URL.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// It: http or https, without userinfo and fragment.
    pub url: Url,
    /// What it leads to.
    pub role: Role,
    /// When that changed last.
    pub modified: Option<Modified>,
    /// How much it matters on its site, from 0 to 1.
    pub priority: Option<f32>,
    /// How often it is said to change.
    pub frequency: Option<Frequency>,
}

impl Entry {
    /// Whether it may have changed since then. What does not tell may have.
    #[must_use]
    pub fn may_be_since(&self, since: Option<Timestamp>) -> bool {
        let (Some(modified), Some(since)) = (self.modified, since) else { return true };
        modified.may_be_since(since)
    }
}

/// Why a file was not read to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    /// It is longer than [`MAX_LENGTH`].
    #[error("it is longer than 50 MiB")]
    TooLarge,
    /// It is not the gzip that it begins like, or compressed too many times.
    #[error("its compression is damaged")]
    Compression,
    /// It ends before its end.
    #[error("it was cut short")]
    Truncated,
}

/// What there is to say of a whole file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// What it is; none where it is empty.
    pub kind: Option<Kind>,
    /// How many entries were handed on.
    pub entries: u64,
    /// How many of their addresses were relative, which no standard allows.
    pub relative: u64,
    /// How many entries or lines have no address that can be fetched.
    pub invalid: u64,
    /// Why it was not read to its end.
    pub damage: Option<Damage>,
}

/// Reads a file while it arrives.
#[derive(Debug)]
pub struct Reader {
    input: Input,
    text: Text,
}

/// What the text of a file turns out to be.
#[derive(Debug)]
struct Text {
    form: Form,
    document: Document,
}

#[derive(Debug)]
enum Form {
    /// Nothing but white space and byte order marks has come.
    Blank,
    Xml(Cutter),
    Lines(Lines),
}

impl Reader {
    /// A reader of the file at `url`, in the encoding that its `Content-Type` names, if any.
    #[must_use]
    pub fn new(url: Url, charset: Option<&'static Encoding>) -> Self {
        Self { input: Input::new(charset), text: Text { form: Form::Blank, document: Document::new(url) } }
    }

    /// Takes the next piece, and hands on the entries that end in it.
    ///
    /// # Errors
    /// The file cannot be read any further. [`finish`](Self::finish) tells it, too.
    pub fn push(&mut self, piece: &[u8], accept: &mut dyn FnMut(Entry)) -> Result<(), Damage> {
        if let Some(damage) = self.text.document.report().damage {
            return Err(damage);
        }
        let Self { input, text } = self;
        let result = input.push(piece, &mut |piece| text.push(piece, accept));
        text.document.report().damage = result.err();
        result
    }

    /// Nothing more comes: what is left is handed on.
    pub fn finish(mut self, accept: &mut dyn FnMut(Entry)) -> Report {
        let Self { input, text } = &mut self;
        if text.document.report().damage.is_none() {
            let result = input.finish(&mut |piece| text.push(piece, accept));
            text.document.report().damage = result.err();
        }
        text.finish(accept);
        *text.document.report()
    }
}

impl Text {
    fn push(&mut self, mut piece: &str, accept: &mut dyn FnMut(Entry)) {
        if matches!(self.form, Form::Blank) {
            piece = piece.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
            match piece.chars().next() {
                None => return,
                Some('<') => self.form = Form::Xml(Cutter::new()),
                Some(_) => self.form = Form::Lines(Lines::default()),
            }
        }
        if let Form::Lines(lines) = &mut self.form {
            let Some(document) = lines.push(piece, &mut self.document, accept) else { return };
            *self.document.report() = Report::default();
            (self.form, piece) = (Form::Xml(Cutter::new()), document);
        }
        if let Form::Xml(cutter) = &mut self.form {
            cutter.push(piece.as_bytes(), &mut self.document.reading(accept));
        }
    }

    fn finish(&mut self, accept: &mut dyn FnMut(Entry)) {
        match &mut self.form {
            Form::Blank => {}
            Form::Lines(lines) => lines.end(&mut self.document, accept),
            Form::Xml(cutter) => {
                let is_complete = self.document.reading(accept).finish() && cutter.is_between();
                if !is_complete {
                    self.document.report().damage.get_or_insert(Damage::Truncated);
                }
            }
        }
    }
}

/// The URL that an address stands for; what is wrong with it is counted.
fn address(base: &Url, written: &str, report: &mut Report) -> Option<Url> {
    let written = written.replace("&amp;", "&");
    let is_relative = Url::parse(&written) == Err(url::ParseError::RelativeUrlWithoutBase);
    let found = base.join(&written).ok().and_then(|url| requestable(url).ok());
    report.relative += u64::from(is_relative && found.is_some());
    report.invalid += u64::from(found.is_none());
    found
}

#[cfg(test)]
mod tests;
