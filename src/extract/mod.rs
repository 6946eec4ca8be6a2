//! Page → title and fields. What is read is what was asked for.
//!
//! A title needs a few KiB of tokens; a field of the head, the head; links, headings and text, all tokens; only selectors,
//! microdata and the main content need the tree. [`Extractor`] finds out once what a run needs, and reads each page no
//! further.
//!
//! No page takes more than it is worth; one that would is too complex, with the fields that were read by then: it may
//! take a second of computing and 300 ns for each byte; its tree may be 512 elements deep and have a node or attribute
//! for every two bytes and a million more; the URLs that it names may be longer than itself by 64 MiB, and so much text
//! may a selector find. The standard has no such limits, and browsers have others.

mod article;
mod bylines;
mod chunks;
mod construct;
mod dates;
mod deadline;
mod describe;
mod error;
pub mod expression;
mod fields;
mod head;
mod headings;
mod hints;
mod images;
mod links;
mod metadata;
mod names;
mod outline;
mod parts;
mod reader;
mod source;
mod structured;
mod text;
mod tokens;
mod tree;

use std::num::NonZeroUsize;

use scraper::Html;

use crate::failure::{self, Failure};
use crate::page::{Kind, Page};
use crate::similarity::Signature;
use crate::value::{Row, Value};

use deadline::Deadline;
pub use error::Error;
use expression::{Expression, Subject};
use fields::DUPLICATE_OF;
pub use fields::{FIELDS, Field};
use links::Base;
use parts::{Part, Parts};
use reader::Found;
use source::Source;
use structured::microdata;

/// How much text one selector may find in a page, in bytes: nested matches hold the same text again and again.
const FOUND: usize = 64 << 20;

/// One thing to extract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// A built-in field by its name; white space around it is no part of that. `all` stands for all that cost no more than
    /// reading the page's tokens and header fields, but those that are named by another ask.
    Field(String),
    /// A field that the user describes, `NAME=SELECTOR` or `NAME[]=SELECTOR` for a list of all matches. The selector is CSS
    /// (`.price`, `a.next@href`), XPath (`//a/@href`) or JSONPath (`$.items[*].name`), and [transforms](expression) may follow it:
    /// `price=.price | re:([\d.]+) | number`.
    Select(String),
    /// The field `duplicate_of`: the earlier page that has nearly the same main text. Every page is signed for that; whoever
    /// sees the pages one after the other fills it in ([`sink::Duplicates`](crate::sink::Duplicates)).
    Duplicates,
    /// The fields `chunk`, `path` and `text`: the main content as Markdown, in pieces of so many characters at most. The page
    /// then has a row for each piece.
    Chunks(NonZeroUsize),
}

/// What stands for all fields that are cheap.
const ALL: &str = "all";

/// Whether something that is asked for has this name.
fn is_named(name: &str, asks: &[Ask]) -> bool {
    asks.iter().any(|ask| match ask {
        Ask::Field(field) => field.trim() == name,
        Ask::Select(field) => expression::parse_field(field).is_ok_and(|(selected, _)| selected == name),
        Ask::Duplicates | Ask::Chunks(_) => false,
    })
}

/// How one field is read.
#[derive(Debug)]
enum Step {
    Field(&'static Field),
    Expression(Expression),
    Custom(fn(&Page) -> Value<'static>),
}

/// What was asked for, compiled once for all pages.
#[derive(Debug, Default)]
pub struct Extractor {
    names: Vec<Box<str>>,
    steps: Vec<Step>,
    parts: Parts,
    /// Which field is to be filled in by what the page is signed for.
    duplicate_of: Option<usize>,
    /// Which field is the first one of a chunk, and how long a chunk may be.
    chunks: Option<(usize, NonZeroUsize)>,
}

/// What a page yielded.
#[derive(Debug, Default)]
pub struct Extracted {
    /// The title of an HTML page: the text of its first `<title>` that is HTML and in no template, white space collapsed,
    /// at most 100,000 characters (WHATWG HTML, section 3.1.5, `document.title`). None where there is no such element.
    pub title: Option<String>,
    /// The values of the fields that were asked for, in that order; of a chunk, those of the first.
    pub row: Row,
    /// The rows that follow: one for each chunk but the first, where chunks were asked for.
    pub others: Vec<Row>,
    /// What the main text is compared by, where that was asked for.
    pub signature: Option<Signature>,
    /// Why the page was not read as far as that needs: it is too complex.
    pub failure: Option<Failure>,
}

impl Extracted {
    /// Makes a row for each chunk of the main content.
    fn cut(&mut self, at: usize, markdown: &str, limit: NonZeroUsize) {
        let (rows, failure) = chunks::rows(&self.row, at, markdown, limit);
        let mut rows = rows.into_iter();
        if let Some(first) = rows.next() {
            self.row = first;
        }
        self.others = rows.collect();
        self.failure = self.failure.take().or(failure);
    }
}

impl Extractor {
    /// Compiles what is asked for. The title always is.
    ///
    /// # Errors
    /// A field is not known, an expression means nothing, or two have the same name.
    pub fn new(asks: &[Ask]) -> Result<Self, Error> {
        let mut extractor = Self::default();
        for ask in asks {
            match ask {
                Ask::Field(name) if name.trim() == ALL => {
                    let mut others = FIELDS.iter().filter(|field| field.is_cheap() && !is_named(field.name, asks));
                    others.try_for_each(|field| extractor.field(field))?;
                }
                Ask::Field(name) => {
                    let name = name.trim();
                    extractor.field(Field::find(name).ok_or_else(|| Error::UnknownField(name.into()))?)?;
                }
                Ask::Select(field) => {
                    let (name, expression) =
                        expression::parse_field(field).map_err(|fault| Error::expression(field, fault))?;
                    if expression.reads_tree() {
                        extractor.parts.insert(Part::Tree);
                    }
                    extractor.push(name, Step::Expression(expression))?;
                }
                Ask::Duplicates => {
                    extractor.duplicate_of = Some(extractor.names.len());
                    extractor.field(&DUPLICATE_OF)?;
                }
                Ask::Chunks(limit) => {
                    extractor.chunks = Some((extractor.names.len(), *limit));
                    chunks::FIELDS.iter().try_for_each(|field| extractor.field(field))?;
                }
            }
        }
        Ok(extractor)
    }

    /// Adds a field that a function reads from the page. It must not block and is called on any thread.
    ///
    /// # Errors
    /// There is a field of this name already.
    pub fn add(&mut self, name: &str, read: fn(&Page) -> Value<'static>) -> Result<(), Error> {
        self.push(name, Step::Custom(read))
    }

    fn field(&mut self, field: &'static Field) -> Result<(), Error> {
        self.parts.insert(field.part);
        self.push(field.name, Step::Field(field))
    }

    fn push(&mut self, name: &str, step: Step) -> Result<(), Error> {
        if self.names.iter().any(|other| **other == *name) {
            return Err(Error::DuplicateName(name.into()));
        }
        self.names.push(name.into());
        self.steps.push(step);
        Ok(())
    }

    /// The names of a row's values.
    #[must_use]
    pub fn names(&self) -> &[Box<str>] {
        &self.names
    }

    /// Which of a row's values is to name the earlier page that has the same text, if that was asked for.
    #[must_use]
    pub fn duplicate_of(&self) -> Option<usize> {
        self.duplicate_of
    }

    /// Whether reading a page may take its tree, many times the work that its tokens are.
    #[must_use]
    pub fn needs_tree(&self) -> bool {
        self.parts.contains(Part::Tree) || self.parts.contains(Part::Microdata)
    }

    /// Whether reading this page does.
    fn needs_tree_of(&self, page: &Page) -> bool {
        let has_microdata = || self.parts.contains(Part::Microdata) && microdata::is_in(&page.text);
        page.kind == Kind::Html && (self.parts.contains(Part::Tree) || has_microdata())
    }

    /// Whether reading a page takes no more than its tokens: some microseconds, and milliseconds for a large one.
    #[must_use]
    pub fn is_quick(&self) -> bool {
        !self.needs_tree() && self.expressions().next().is_none()
    }

    fn expressions(&self) -> impl Iterator<Item = &Expression> {
        self.steps
            .iter()
            .filter_map(|step| if let Step::Expression(expression) = step { Some(expression) } else { None })
    }

    /// Reads a page. This takes microseconds to a second of computing, by what was asked for and the page.
    #[must_use]
    pub fn read(&self, page: &Page) -> Extracted {
        let deadline = Deadline::for_text(&page.text);
        let (found, result) = match page.kind {
            Kind::Html => reader::read(&page.text, self.parts, &deadline),
            Kind::Xml | Kind::Json | Kind::Text | Kind::Binary => (Found::default(), Ok(())),
        };
        let mut failure = result.err();
        if self.steps.is_empty() {
            return Extracted { title: found.title, failure, ..Extracted::default() };
        }
        let mut tree = None;
        if failure.is_none() && self.needs_tree_of(page) {
            match construct::build(&page.text, &deadline) {
                Ok(built) => tree = Some(built),
                Err(why) => failure = Some(why),
            }
        }
        let is_read = failure.is_none();
        let mut source = Source::new(page, found, tree.as_ref(), &deadline);
        let content = tree.as_ref().filter(|_| self.parts.contains(Part::Article));
        let scriptless = content.and_then(|tree| article::scriptless(tree, &deadline));
        if let Some(tree) = content {
            source.find_article(tree, scriptless.as_ref());
        }
        let mut values = self.read_fields(page, &mut source);
        let signature = self.duplicate_of.and_then(|_| source.signature());
        let markdown = self.chunks.and_then(|_| source.markdown());
        let Source { found, failure: unread, .. } = source;
        failure = failure.or(unread);
        if is_read {
            failure = failure.or(self.read_expressions(page, tree.as_ref(), &mut values, &deadline).err());
        }
        let mut extracted = Extracted { title: found.title, row: Row(values), others: Vec::new(), signature, failure };
        if let Some(((at, limit), markdown)) = self.chunks.zip(markdown) {
            extracted.cut(at, &markdown, limit);
        }
        extracted
    }

    /// The built-in fields in their places; null where expressions put theirs.
    fn read_fields(&self, page: &Page, source: &mut Source<'_>) -> Vec<Value<'static>> {
        let value = |step: &Step| match step {
            Step::Field(field) => field.value(source),
            Step::Expression(_) => Value::Null,
            Step::Custom(read) => read(page),
        };
        self.steps.iter().map(value).collect()
    }

    fn read_expressions(
        &self,
        page: &Page,
        tree: Option<&Html>,
        values: &mut [Value<'static>],
        deadline: &Deadline,
    ) -> Result<(), Failure> {
        let expressions: Vec<_> = self.expressions().collect();
        if expressions.is_empty() {
            return Ok(());
        }
        let base = Base::of(page, tree.and_then(tree::base_href));
        let reads_json = expressions.iter().any(|expression| expression.reads_json());
        let json = if reads_json { read_json(page)? } else { None };
        let subject = Subject::new(&expressions, (tree, json.as_ref()), &base, deadline)?;
        let mut found = subject.evaluate(&expressions)?.into_iter();
        for (step, value) in self.steps.iter().zip(values) {
            if let Step::Expression(_) = step {
                *value = found.next().unwrap_or_default();
            }
        }
        Ok(())
    }
}

/// A JSON page as a value; none where it is no JSON. Servers that do not know call it plain text.
fn read_json(page: &Page) -> Result<Option<Value<'static>>, Failure> {
    if !matches!(page.kind, Kind::Json | Kind::Text) {
        return Ok(None);
    }
    match serde_json::from_str(&page.text) {
        Ok(value) => Ok(Some(value)),
        // The parser tells it in no other way.
        Err(error) if error.to_string().starts_with("recursion limit exceeded") => {
            Err(Failure::new(failure::Kind::TooComplex, "the JSON is nested more than 127 deep"))
        }
        Err(_) => Ok(None),
    }
}

#[cfg(test)]
mod facts_tests;
#[cfg(test)]
mod tests;
