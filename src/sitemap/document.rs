//! The entries of a sitemap or feed in XML.

use url::Url;

use super::modified::Modified;
use super::reference::resolve;
use super::xml::{Sink, Tag, split_name};
use super::{Entry, Frequency, Kind, Report, Role};

/// The longest value that is read, in bytes: an address has to be shorter than 2,048 characters (sitemaps.org).
const MAX_VALUE: usize = 16 << 10;

/// What an entry says, as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    /// `<loc>`, or the `<link>` of RSS.
    Address,
    /// `<guid>`, which may be an address.
    Guid,
    Modified,
    /// When it was published, which is also when it was changed where nothing else is said.
    Published,
    Priority,
    Frequency,
}

impl Field {
    /// What an element in an entry is: what has another prefix than the entry belongs to an extension.
    fn of(tag: Tag<'_>, entry: &[u8]) -> Option<Self> {
        let (local, prefix) = split_name(tag.name());
        let is = |known: &str| local.eq_ignore_ascii_case(known.as_bytes());
        match () {
            () if is("date") => Some(Self::Modified),
            () if prefix != split_name(entry).1 => None,
            () if is("loc") || is("link") => Some(Self::Address),
            () if is("guid") => {
                let is_address = value(tag, "isPermaLink").is_none_or(|it| !it.eq_ignore_ascii_case("false"));
                is_address.then_some(Self::Guid)
            }
            () if is("lastmod") || is("updated") => Some(Self::Modified),
            () if is("pubdate") || is("published") => Some(Self::Published),
            () if is("priority") => Some(Self::Priority),
            () if is("changefreq") => Some(Self::Frequency),
            () => None,
        }
    }
}

/// The entry that is being read.
#[derive(Debug)]
struct Open {
    /// The name of its element.
    name: Vec<u8>,
    role: Role,
    /// How many elements in it are open.
    depth: u32,
    /// The field whose element is open, and its text so far, with references.
    field: Option<(Field, Vec<u8>)>,
    address: Option<String>,
    /// An address that counts where there is no better one.
    second: Option<String>,
    /// What its relative addresses are relative to, if it says so.
    base: Option<String>,
    modified: Option<Modified>,
    published: Option<Modified>,
    priority: Option<f32>,
    frequency: Option<Frequency>,
}

impl Open {
    fn new(tag: Tag<'_>, role: Role) -> Self {
        Self {
            name: tag.name().to_vec(),
            role,
            depth: 0,
            field: None,
            address: None,
            // RSS 1.0 has it twice.
            second: value(tag, "rdf:about"),
            base: value(tag, "xml:base"),
            modified: None,
            published: None,
            priority: None,
            frequency: None,
        }
    }

    /// Takes the `<link href>` of Atom, also in RSS: the page is what it is an alternate of.
    fn link(&mut self, tag: Tag<'_>) {
        let Some(href) = value(tag, "href") else { return };
        let is = |name, expected: &str| value(tag, name).is_none_or(|found| found.eq_ignore_ascii_case(expected));
        if !is("rel", "alternate") {
            return;
        }
        let place = if is("type", "text/html") { &mut self.address } else { &mut self.second };
        place.get_or_insert(href);
    }

    /// Takes the text of a field whose element has ended.
    fn set(&mut self, field: Field, text: &[u8], has_entities: bool) {
        let Some(text) = resolve(text, has_entities).filter(|text| !text.is_empty()) else { return };
        match field {
            Field::Address => _ = self.address.get_or_insert(text),
            Field::Guid if text.contains("://") => _ = self.second.get_or_insert(text),
            Field::Guid => {}
            Field::Modified => self.modified = self.modified.or_else(|| Modified::parse(&text)),
            Field::Published => self.published = self.published.or_else(|| Modified::parse(&text)),
            Field::Priority => self.priority = text.parse().ok().filter(|found| (0.0..=1.0).contains(found)),
            Field::Frequency => self.frequency = Frequency::parse(&text),
        }
    }
}

/// Reads a document, and hands on its entries.
#[derive(Debug)]
pub(super) struct Document {
    url: Url,
    /// What addresses are relative to, from the document's root.
    base: Url,
    open: Option<Open>,
    has_entities: bool,
    report: Report,
}

impl Document {
    pub(super) fn new(url: Url) -> Self {
        Self { base: url.clone(), url, open: None, has_entities: false, report: Report::default() }
    }

    pub(super) fn url(&self) -> &Url {
        &self.url
    }

    pub(super) fn report(&mut self) -> &mut Report {
        &mut self.report
    }

    /// Reads with someone to hand entries to.
    pub(super) fn reading<'d>(&'d mut self, accept: &'d mut dyn FnMut(Entry)) -> Reading<'d> {
        Reading { document: self, accept }
    }
}

/// A [`Document`] while it takes a piece.
pub(super) struct Reading<'d> {
    document: &'d mut Document,
    accept: &'d mut dyn FnMut(Entry),
}

impl Reading<'_> {
    /// Takes the first element, which tells what the document is; a later one where some other markup stands before it.
    fn root(&mut self, tag: Tag<'_>) {
        let document = &mut *self.document;
        let (local, _) = split_name(tag.name());
        document.report.kind = Some(Kind::of(local));
        if let Some(base) = value(tag, "xml:base").and_then(|base| document.url.join(&base).ok()) {
            document.base = base;
        }
    }

    /// Nothing more comes. Of an entry that is open its address counts if that is whole. Returns whether there was none.
    pub(super) fn finish(&mut self) -> bool {
        let is_complete = self.document.open.is_none();
        self.end();
        is_complete
    }

    /// Ends the entry that is open, if one is.
    fn end(&mut self) {
        let Some(open) = self.document.open.take() else { return };
        let Document { url, base, report, .. } = &mut *self.document;
        let Some(address) = open.address.or(open.second) else {
            report.invalid += 1;
            return;
        };
        let base = open.base.and_then(|relative| base.join(&relative).ok()).unwrap_or_else(|| base.clone());
        let Some(found) = super::address(&base, &address, report) else { return };
        if open.role == Role::Sitemap && found == *url {
            // An index that names itself.
            report.invalid += 1;
            return;
        }
        report.entries += 1;
        (self.accept)(Entry {
            url: found,
            role: open.role,
            modified: open.modified.or(open.published),
            priority: open.priority,
            frequency: open.frequency,
        });
    }
}

impl Sink for Reading<'_> {
    fn open(&mut self, tag: Tag<'_>) {
        let name = tag.name();
        if matches!(self.document.report.kind, None | Some(Kind::Other)) {
            self.root(tag);
        }
        let Some(kind) = self.document.report.kind else { return };
        if let Some(open) = self.document.open.as_mut().filter(|open| open.name != name) {
            open.depth = open.depth.saturating_add(1);
            if open.depth > 1 {
                return;
            }
            if kind.is_feed() && split_name(name).0.eq_ignore_ascii_case(b"link") {
                open.link(tag);
            }
            open.field = Field::of(tag, &open.name).map(|field| (field, Vec::new()));
        } else if let Some(role) = kind.role(split_name(name).0) {
            // An entry in an entry: the end of the one before is missing.
            self.end();
            self.document.open = Some(Open::new(tag, role));
        }
    }

    fn close(&mut self, name: &[u8]) {
        let Some(open) = &mut self.document.open else { return };
        if open.depth <= 1
            && let Some((field, text)) = open.field.take()
        {
            open.set(field, &text, self.document.has_entities);
        }
        if open.name == name {
            self.end();
        } else {
            open.depth = open.depth.saturating_sub(1);
        }
    }

    fn text(&mut self, text: &[u8], is_cdata: bool) {
        let Some(open) = self.document.open.as_mut().filter(|open| open.depth == 1) else { return };
        let Some((_, value)) = &mut open.field else { return };
        if value.len() + text.len() > MAX_VALUE {
            open.field = None;
        } else if is_cdata {
            // It has no references: what looks like one stays.
            text.split_inclusive(|&byte| byte == b'&').for_each(|part| {
                value.extend_from_slice(part);
                if part.ends_with(b"&") {
                    value.extend_from_slice(b"amp;");
                }
            });
        } else {
            value.extend_from_slice(text);
        }
    }

    fn declare(&mut self) {
        self.document.has_entities = true;
    }
}

/// The value of an attribute, its references resolved.
fn value(tag: Tag<'_>, name: &str) -> Option<String> {
    resolve(tag.attribute(name)?, false).filter(|value| !value.is_empty())
}
