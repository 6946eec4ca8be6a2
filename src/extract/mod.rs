//! Page → title and fields. What is read is what was asked for.
//!
//! A title needs a few KiB of tokens; a field of the head, the head; links, headings and text, all tokens; only a
//! selector needs the tree. [`Extractor`] finds out once what a run needs, and reads each page no further.

mod describe;
mod error;
mod head;
mod links;
mod names;
mod outline;
mod reader;
mod select;
mod text;
mod tokens;
mod tree;

use url::Url;

use crate::failure::Failure;
use crate::page::{Kind, Page};
use crate::value::{Row, Value};

pub use error::Error;
use links::base_url;
use reader::{Found, Part, Parts};
use select::Pick;
use text::Prose;
use tokens::Deadline;

/// How much of a page has to be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// Up to the title.
    #[default]
    Facts,
    /// Up to the end of the head.
    Head,
    /// All tokens.
    Tokens,
    /// The tree.
    Tree,
}

/// A built-in field.
#[derive(Debug)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// What it holds, for the help and the documentation.
    pub help: &'static str,
    /// The JSON type of its value, as a JSON Schema in JSON.
    pub schema: &'static str,
    part: Part,
    read: fn(&Source<'_>) -> Value<'static>,
}

impl Field {
    const fn new(
        (name, part): (&'static str, Part),
        schema: &'static str,
        help: &'static str,
        read: fn(&Source<'_>) -> Value<'static>,
    ) -> Self {
        Self { name, help, schema, part, read }
    }

    /// The field called `name`.
    #[must_use]
    pub fn find(name: &str) -> Option<&'static Self> {
        FIELDS.iter().find(|field| field.name == name)
    }

    /// How much of a page it needs.
    #[must_use]
    pub fn need(&self) -> Need {
        match self.part {
            Part::Headers => Need::Facts,
            Part::Head => Need::Head,
            Part::Headings | Part::Links | Part::Text => Need::Tokens,
        }
    }

    /// Its value: null where pages of this kind have none.
    fn value(&self, source: &Source<'_>) -> Value<'static> {
        match (self.part, source.page.kind) {
            (Part::Headers, _) | (_, Kind::Html) | (Part::Text, Kind::Text) => (self.read)(source),
            _ => Value::Null,
        }
    }
}

/// What a field is read from.
pub struct Source<'a> {
    page: &'a Page,
    found: &'a Found,
    base: Url,
}

/// The built-in fields.
pub static FIELDS: &[Field] = &[
    Field::new(
        ("description", Part::Head),
        r#"{"type": ["string", "null"]}"#,
        "the content of `<meta name=description>`, white space collapsed",
        |s| Value::text(s.found.head.meta("description").map(collapse)),
    ),
    Field::new(
        ("canonical", Part::Head),
        r#"{"type": ["string", "null"]}"#,
        "the absolute URL of `<link rel=canonical>`",
        |s| {
            let href = s.found.head.canonical.as_deref();
            Value::text(href.and_then(|href| s.base.join(href).ok()).map(String::from))
        },
    ),
    Field::new(("lang", Part::Head), r#"{"type": ["string", "null"]}"#, "the `lang` of `<html>`", |s| {
        Value::text(s.found.head.lang.clone())
    }),
    Field::new(("h1", Part::Headings), r#"{"type": ["string", "null"]}"#, "the text of the first `<h1>`", |s| {
        Value::text(s.found.headings.iter().find(|heading| heading.level == 1).map(|heading| heading.text.clone()))
    }),
    Field::new(
        ("headings", Part::Headings),
        r#"{
            "type": ["array", "null"],
            "items": {
                "type": "object", "required": ["level", "text"],
                "properties": {"level": {"type": "integer", "minimum": 1, "maximum": 6}, "text": {"type": "string"}}
            }
        }"#,
        "every heading: its level, 1 to 6, and its text",
        read_headings,
    ),
    Field::new(
        ("links", Part::Links),
        r#"{
            "type": ["array", "null"],
            "items": {
                "type": "object", "required": ["url", "text", "rel", "nofollow"],
                "properties": {
                    "url": {"type": "string"}, "text": {"type": "string"}, "rel": {"type": ["string", "null"]},
                    "nofollow": {"type": "boolean"}
                }
            }
        }"#,
        "every `<a href>` and `<area href>`: its absolute URL, text, `rel`, and whether that says nofollow",
        |s| Value::List(s.found.links.iter().filter_map(|link| link.to_value(&s.base)).collect()),
    ),
    Field::new(
        ("meta", Part::Head),
        r#"{
            "type": ["array", "null"],
            "items": {
                "type": "object", "required": ["name", "content"],
                "properties": {"name": {"type": "string"}, "content": {"type": "string"}}
            }
        }"#,
        "every `<meta>` of the head: its `name`, `property`, `itemprop` or `http-equiv`, and its content",
        |s| {
            let metas = s.found.head.metas.iter();
            Value::List(metas.map(|meta| pair(("name", &meta.name), ("content", &meta.content))).collect())
        },
    ),
    Field::new(
        ("headers", Part::Headers),
        r#"{
            "type": "array",
            "items": {
                "type": "object", "required": ["name", "value"],
                "properties": {"name": {"type": "string"}, "value": {"type": "string"}}
            }
        }"#,
        "every header field of the answer: its name in lower case, and its value",
        |s| {
            let headers = s.page.headers.iter();
            let entry = |(name, value): (&reqwest::header::HeaderName, &reqwest::header::HeaderValue)| {
                pair(("name", name.as_str()), ("value", &String::from_utf8_lossy(value.as_bytes())))
            };
            Value::List(headers.map(entry).collect())
        },
    ),
    Field::new(
        ("text", Part::Text),
        r#"{"type": ["string", "null"]}"#,
        "the visible text, blocks on lines of their own",
        |s| Value::from(if s.page.kind == Kind::Html { &s.found.text } else { &s.page.text }.clone()),
    ),
];

fn read_headings(source: &Source<'_>) -> Value<'static> {
    let entry = |heading: &reader::Heading| {
        let level = Value::Int(heading.level.into());
        Value::Map(vec![("level".into(), level), ("text".into(), Value::from(heading.text.clone()))])
    };
    Value::List(source.found.headings.iter().map(entry).collect())
}

/// A text with each run of ASCII white space made one space.
fn collapse(text: &str) -> String {
    let mut prose = Prose::default();
    prose.push(text);
    prose.finish()
}

fn pair(first: (&'static str, &str), second: (&'static str, &str)) -> Value<'static> {
    let [first, second] = [first, second].map(|(key, text)| (key.into(), Value::from(text.to_owned())));
    Value::Map(vec![first, second])
}

/// One thing to extract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// A built-in field by its name.
    Field(String),
    /// A field that the user describes:
    /// - `NAME=CSS`: the text of the first match, white space collapsed; null without one.
    /// - `NAME[]=CSS`: a list with the texts of all matches.
    /// - `NAME=CSS@ATTRIBUTE`, `NAME[]=CSS@ATTRIBUTE`: an attribute instead; `href` and `src` as absolute URLs. A list
    ///   leaves out the matches that do not have it.
    Select(String),
}

/// How one field is read.
#[derive(Debug)]
enum Step {
    Field(&'static Field),
    Pick(Pick),
    Custom(fn(&Page) -> Value<'static>),
}

/// What was asked for, compiled once for all pages.
#[derive(Debug, Default)]
pub struct Extractor {
    names: Vec<Box<str>>,
    steps: Vec<Step>,
    parts: Parts,
    need: Need,
}

/// What a page yielded.
#[derive(Debug, Default)]
pub struct Extracted {
    /// The title of an HTML page: the text of its first `<title>` that is HTML and in no template, white space collapsed,
    /// at most 100,000 characters (WHATWG HTML, section 3.1.5, `document.title`). None where there is no such element.
    pub title: Option<String>,
    /// The values of the fields that were asked for, in that order.
    pub row: Row,
    /// Why the page was not read as far as that needs: it is too complex.
    pub failure: Option<Failure>,
}

impl Extractor {
    /// Compiles what is asked for. The title always is.
    ///
    /// # Errors
    /// A field is not known, an expression is no `NAME=CSS`, or two have the same name.
    pub fn new(asks: &[Ask]) -> Result<Self, Error> {
        let mut extractor = Self::default();
        for ask in asks {
            let (name, step) = match ask {
                Ask::Field(name) => {
                    let field = Field::find(name).ok_or_else(|| Error::UnknownField(name.as_str().into()))?;
                    extractor.parts.insert(field.part);
                    extractor.need = extractor.need.max(field.need());
                    (field.name, Step::Field(field))
                }
                Ask::Select(expression) => {
                    let (name, pick) = Pick::parse(expression)?;
                    extractor.need = Need::Tree;
                    (name, Step::Pick(pick))
                }
            };
            extractor.push(name, step)?;
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

    /// How much of a page is read.
    #[must_use]
    pub fn need(&self) -> Need {
        self.need
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
        let mut values = self.read_fields(page, &found);
        if self.need == Need::Tree && page.kind == Kind::Html && failure.is_none() {
            failure = self.read_picks(page, &mut values, &deadline).err();
        }
        Extracted { title: found.title, row: Row(values), failure }
    }

    /// The built-in fields in their places; null where selectors put theirs.
    fn read_fields(&self, page: &Page, found: &Found) -> Vec<Value<'static>> {
        if self.steps.is_empty() {
            return Vec::new();
        }
        let source = Source { page, found, base: base_url(&page.url, found.head.base.as_deref()) };
        let value = |step: &Step| match step {
            Step::Field(field) => field.value(&source),
            Step::Pick(_) => Value::Null,
            Step::Custom(read) => read(page),
        };
        self.steps.iter().map(value).collect()
    }

    fn read_picks(&self, page: &Page, values: &mut [Value<'static>], deadline: &Deadline) -> Result<(), Failure> {
        let tree = tree::build(&page.text, deadline)?;
        let base = base_url(&page.url, tree::base_href(&tree));
        for (step, value) in self.steps.iter().zip(values) {
            if let Step::Pick(pick) = step {
                *value = pick.read(&tree, &base, deadline)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
