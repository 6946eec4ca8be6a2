//! What is marked in a page as the date or the author of something.

use std::borrow::Cow;
use std::ops::Range;

use html5ever::local_name;

use super::head::Head;
use super::names::is_any;
use super::outline::Outline;
use super::structured::jsonld::Documents;
use super::tokens::Tag;

/// All that may say who wrote a page, and when.
pub(super) struct Evidence<'a> {
    pub(super) head: &'a Head<'a>,
    pub(super) documents: &'a Documents,
    pub(super) bylines: &'a Bylines<'a>,
    /// The page's HTML.
    pub(super) source: &'a str,
    /// The visible text.
    pub(super) text: &'a str,
    /// Where the headline stands in it.
    pub(super) headline: usize,
    /// The page's own URLs.
    pub(super) urls: Vec<&'a str>,
}

/// How many marks are kept: what a page says of itself does not come after so many.
const MARKS: usize = 2000;

/// How many headings are kept.
const HEADINGS: usize = 100;

/// What an element is marked as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The date of publication.
    Published,
    /// The date of the last change.
    Modified,
    /// A time.
    Time,
    /// Something that has a date in it, as its class has it.
    Dated,
    /// The author, for machines.
    Author,
    /// The author, as the class has it.
    Byline,
}

/// An element that is marked.
#[derive(Debug)]
pub(super) struct Mark<'t> {
    pub(super) kind: Kind,
    /// What it says for machines.
    pub(super) value: Option<Cow<'t, str>>,
    /// Where in the visible text it stands.
    text: Range<usize>,
    /// What it stands in that may be beside what the page is about.
    aside: Option<usize>,
}

/// An element that is open, with a mark or as one beside the content.
#[derive(Debug)]
struct Open {
    depth: usize,
    /// The mark; none for what is beside.
    mark: Option<usize>,
}

/// What is marked in a page.
#[derive(Debug, Default)]
pub(super) struct Bylines<'t> {
    pub(super) marks: Vec<Mark<'t>>,
    /// Where in the text the headings of the first three levels stand.
    headings: Vec<usize>,
    /// Where in the text is what stands beside.
    asides: Vec<Range<usize>>,
    open: Vec<Open>,
    /// How many that are open are beside the content.
    asides_open: usize,
}

impl<'t> Bylines<'t> {
    /// Reads a start tag, which follows so much text.
    pub(super) fn start(&mut self, tag: &Tag<'t>, outline: &Outline, text: usize) {
        if is_any!(*tag.name, "h1" "h2" "h3") && self.headings.len() < HEADINGS {
            self.headings.push(text);
        }
        let attributes = Attributes::of(tag);
        if tag.name.is_followed() && is_beside(tag, &attributes) {
            if self.asides_open == 0 {
                self.asides.push(text..usize::MAX);
            }
            self.asides_open += 1;
            self.open.push(Open { depth: outline.depth(), mark: None });
        }
        let Some((kind, value)) = attributes.kind(tag) else { return };
        if self.marks.len() == MARKS {
            return;
        }
        if tag.name.is_followed() {
            self.open.push(Open { depth: outline.depth(), mark: Some(self.marks.len()) });
        }
        let aside = (self.asides_open > 0).then(|| self.asides.len() - 1);
        self.marks.push(Mark { kind, value, text: text..usize::MAX, aside });
    }

    /// Closes what the outline has closed, after so much text.
    pub(super) fn close(&mut self, outline: &Outline, text: usize) {
        while let Some(open) = self.open.pop_if(|open| open.depth > outline.depth()) {
            if let Some(mark) = open.mark {
                self.marks[mark].text.end = text;
                continue;
            }
            self.asides_open -= 1;
            if let Some(aside) = self.asides.last_mut().filter(|_| self.asides_open == 0) {
                aside.end = text;
            }
        }
    }

    /// Where in the text the headline is: the first heading that is in the title, or just the first.
    pub(super) fn headline(&self, text: &str, title: &str) -> usize {
        /// What is shorter than this may be in a title by chance.
        const SHORT: usize = 8;
        let is_title = |at: &&usize| {
            let heading = text.get(**at..).unwrap_or_default().trim_ascii_start().lines().next().unwrap_or_default();
            heading.len() >= SHORT && title.contains(heading)
        };
        self.headings.iter().find(is_title).or(self.headings.first()).copied().unwrap_or(0)
    }

    /// Whether a place in the text is beside what the page is about: what the headline stands in is not.
    pub(super) fn is_aside(&self, at: usize, headline: usize) -> bool {
        let next = self.asides.partition_point(|aside| aside.start <= at);
        let aside = next.checked_sub(1).map(|last| &self.asides[last]);
        aside.is_some_and(|aside| aside.contains(&at) && !aside.contains(&headline))
    }

    /// Whether a mark is.
    pub(super) fn is_beside(&self, mark: &Mark<'_>, headline: usize) -> bool {
        mark.aside.is_some_and(|aside| !self.asides[aside].contains(&headline))
    }
}

impl Mark<'_> {
    /// Where it stands in the visible text.
    pub(super) fn at(&self) -> usize {
        self.text.start
    }

    /// Where that stands in the visible text which can be seen of it: at most `limit` bytes of what is its own.
    pub(super) fn place(&self, text: &str, limit: usize) -> Range<usize> {
        let start = text.floor_char_boundary(self.text.start);
        let end = text.floor_char_boundary(self.text.end.min(start.saturating_add(limit))).max(start);
        let own = text[start..end].trim_ascii_start();
        // An element whose end was not seen goes as far as its line.
        let line = if self.text.end == usize::MAX { own.find('\n') } else { None };
        end - own.len()..end - own.len() + line.unwrap_or(own.len())
    }
}

/// The attributes that tell what an element is.
#[derive(Debug)]
struct Attributes<'t> {
    class: String,
    itemprop: Option<Cow<'t, str>>,
    rel: Option<Cow<'t, str>>,
    /// `datetime`, `content` or the `title` of an `<abbr>`.
    value: Option<Cow<'t, str>>,
    is_pubdate: bool,
}

/// What a class or ID is called that speaks of something.
const PUBLISHED: [&str; 5] = ["publish", "posted", "entry-date", "pubdate", "post-date"];
const MODIFIED: [&str; 3] = ["updat", "modif", "edited"];
const DATED: [&str; 9] = ["date", "time", "publish", "posted", "datum", "fecha", "byline", "created", "meta"];
const NOT_DATED: [&str; 7] = ["candidate", "validat", "datepicker", "calendar", "countdown", "event", "timeline"];
const BYLINE: [&str; 3] = ["author", "byline", "writer"];
const BESIDE: [&str; 12] = [
    "comment",
    "related",
    "sidebar",
    "side-bar",
    "footer",
    "recommend",
    "popular",
    "recent",
    "trending",
    "latest",
    "teaser",
    "promo",
];

impl<'t> Attributes<'t> {
    fn of(tag: &Tag<'t>) -> Self {
        let [class, id, itemprop, rel, datetime, content, title, pubdate] =
            tag.values(["class", "id", "itemprop", "rel", "datetime", "content", "title", "pubdate"]);
        let title = title.filter(|_| *tag.name == local_name!("abbr"));
        let mut class = class.map(Cow::into_owned).unwrap_or_default();
        if let Some(id) = id {
            class.push(' ');
            class.push_str(&id);
        }
        class.make_ascii_lowercase();
        let is_pubdate = pubdate.is_some();
        Self { class, itemprop, rel, value: datetime.or(content).or(title), is_pubdate }
    }

    fn has_class(&self, parts: &[&str]) -> bool {
        has_any(&self.class, parts)
    }

    /// Whether it is of a change and nothing else: of two dates, many themes of blogs show one as both.
    fn is_modified(&self) -> bool {
        let mut others = self.class.split_ascii_whitespace().filter(|word| !has_any(word, &MODIFIED));
        self.has_class(&MODIFIED) && !others.any(|word| has_any(word, &DATED))
    }

    /// What an element is marked as, and what it says for machines.
    fn kind(mut self, tag: &Tag<'t>) -> Option<(Kind, Option<Cow<'t, str>>)> {
        let kind = self.kind_of_words().or_else(|| self.kind_of_class(tag))?;
        Some((kind, self.value.take()))
    }

    fn kind_of_words(&self) -> Option<Kind> {
        let words = |attribute: &Option<Cow<'t, str>>, kind: fn(&str) -> Option<Kind>| {
            attribute.as_deref()?.split_ascii_whitespace().find_map(kind)
        };
        let kind = words(&self.itemprop, |name| match name {
            "datePublished" | "dateCreated" | "uploadDate" => Some(Kind::Published),
            "dateModified" | "dateUpdated" => Some(Kind::Modified),
            "author" | "creator" => Some(Kind::Author),
            _ => None,
        });
        kind.or_else(|| words(&self.rel, |name| name.eq_ignore_ascii_case("author").then_some(Kind::Author)))
    }

    fn kind_of_class(&self, tag: &Tag<'_>) -> Option<Kind> {
        if *tag.name == local_name!("time") {
            return Some(if self.is_modified() {
                Kind::Modified
            } else if self.is_pubdate || self.has_class(&PUBLISHED) {
                Kind::Published
            } else {
                Kind::Time
            });
        }
        if self.class.is_empty() || is_any!(*tag.name, "html" "body" "main" "article") {
            return None;
        }
        if self.is_modified() {
            return Some(Kind::Modified);
        }
        if self.has_class(&BYLINE) {
            return Some(Kind::Byline);
        }
        (self.has_class(&DATED) && !self.has_class(&NOT_DATED)).then_some(Kind::Dated)
    }
}

fn has_any(text: &str, parts: &[&str]) -> bool {
    parts.iter().any(|part| text.contains(part))
}

/// Whether an element is beside what the page is about.
fn is_beside(tag: &Tag<'_>, attributes: &Attributes<'_>) -> bool {
    is_any!(*tag.name, "aside" "nav" "footer")
        || is_any!(*tag.name, "div" "section" "ul" "ol" "table") && attributes.has_class(&BESIDE)
}
