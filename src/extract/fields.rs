//! The built-in fields.

use reqwest::header::{HeaderName, HeaderValue};

use super::head::Meta;
use super::links::Base;
use super::reader::{Found, Heading, Part};
use crate::failure::{self, Failure};
use crate::page::{Kind, Page};
use crate::value::Value;

/// How much longer than the page the URLs of its links may be together, in bytes.
const LINKS: usize = 64 << 20;

/// A built-in field.
#[derive(Debug)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// What of a page has to be read for it.
    pub(super) part: Part,
    /// The JSON type of its value, as a JSON Schema in JSON.
    pub schema: &'static str,
    /// What it holds, for the help and the documentation.
    pub help: &'static str,
    read: fn(&mut Source<'_>) -> Value<'static>,
}

impl Field {
    /// The field called `name`.
    #[must_use]
    pub fn find(name: &str) -> Option<&'static Self> {
        FIELDS.iter().find(|field| field.name == name)
    }

    /// Its value: null where pages of this kind have none.
    pub(super) fn value(&self, source: &mut Source<'_>) -> Value<'static> {
        match (self.part, source.page.kind) {
            (Part::Headers, _) | (_, Kind::Html) | (Part::Text, Kind::Text) => (self.read)(source),
            _ => Value::Null,
        }
    }
}

/// What fields are read from. Each is read once, and takes what no other one reads.
pub(super) struct Source<'a> {
    page: &'a Page<'a>,
    found: Found<'a>,
    base: Base,
    /// Why a field was given up.
    pub(super) failure: Option<Failure>,
}

impl<'a> Source<'a> {
    pub(super) fn new(page: &'a Page<'a>, found: Found<'a>) -> Self {
        let base = Base::new(page.url, found.head.base.as_deref());
        Self { page, found, base, failure: None }
    }

    /// The links, or null where there is too much of them: each one may repeat a `<base>` as long as the page.
    fn links(&mut self) -> Value<'static> {
        let mut room = LINKS + self.page.text.len();
        let mut list = Vec::with_capacity(self.found.links.len());
        for link in self.found.links.drain(..) {
            let Some(url) = self.base.join(&link.href) else { continue };
            let Some(left) = room.checked_sub(url.len()) else {
                self.failure = Some(Failure::new(
                    failure::Kind::TooComplex,
                    "the URLs of the links are longer than the page by 64 MiB",
                ));
                return Value::Null;
            };
            room = left;
            list.push(link.into_value(url));
        }
        Value::List(list)
    }
}

/// The built-in fields.
pub static FIELDS: &[Field] = &[
    Field {
        name: "description",
        part: Part::Head,
        schema: r#"{"type": ["string", "null"]}"#,
        help: "the content of `<meta name=description>`, white space collapsed",
        read: |s| Value::text(s.found.head.description.take()),
    },
    Field {
        name: "canonical",
        part: Part::Head,
        schema: r#"{"type": ["string", "null"]}"#,
        help: "the absolute URL of `<link rel=canonical>`",
        read: |s| {
            let href = s.found.head.canonical.as_deref();
            Value::text(href.and_then(|href| s.base.join(href)))
        },
    },
    Field {
        name: "lang",
        part: Part::Head,
        schema: r#"{"type": ["string", "null"]}"#,
        help: "the `lang` of `<html>`",
        read: |s| Value::text(s.found.head.lang.take()),
    },
    Field {
        name: "h1",
        part: Part::Headings,
        schema: r#"{"type": ["string", "null"]}"#,
        help: "the text of the first `<h1>`",
        read: |s| Value::text(s.found.h1.take()),
    },
    Field {
        name: "headings",
        part: Part::Headings,
        schema: r#"{
            "type": ["array", "null"],
            "items": {
                "type": "object", "required": ["level", "text"],
                "properties": {"level": {"type": "integer", "minimum": 1, "maximum": 6}, "text": {"type": "string"}}
            }
        }"#,
        help: "every heading: its level, 1 to 6, and its text",
        read: |s| list(s.found.headings.drain(..).map(Heading::into_value)),
    },
    Field {
        name: "links",
        part: Part::Links,
        schema: r#"{
            "type": ["array", "null"],
            "items": {
                "type": "object", "required": ["url", "text", "rel", "nofollow"],
                "properties": {
                    "url": {"type": "string"}, "text": {"type": "string"}, "rel": {"type": ["string", "null"]},
                    "nofollow": {"type": "boolean"}
                }
            }
        }"#,
        help: "every HTML `<a href>` and `<area href>` whose URL can be parsed: its absolute URL, text, `rel`, and whether that says nofollow",
        read: |s| s.links(),
    },
    Field {
        name: "meta",
        part: Part::Head,
        schema: r#"{
            "type": ["array", "null"],
            "items": {
                "type": "object", "required": ["name", "content"],
                "properties": {"name": {"type": "string"}, "content": {"type": "string"}}
            }
        }"#,
        help: "every `<meta>` of the head: its `name`, `property`, `itemprop` or `http-equiv`, and its content",
        read: |s| list(s.found.head.metas.drain(..).map(Meta::into_value)),
    },
    Field {
        name: "headers",
        part: Part::Headers,
        schema: r#"{
            "type": "array",
            "items": {
                "type": "object", "required": ["name", "value"],
                "properties": {"name": {"type": "string"}, "value": {"type": "string"}}
            }
        }"#,
        help: "every header field of the answer: its name in lower case, and its value",
        read: |s| list(s.page.headers.iter().map(header)),
    },
    Field {
        name: "text",
        part: Part::Text,
        schema: r#"{"type": ["string", "null"]}"#,
        help: "the visible text, blocks on lines of their own",
        read: |s| match s.page.kind {
            Kind::Html => Value::from(std::mem::take(&mut s.found.text)),
            _ => Value::from(s.page.text.to_string()),
        },
    },
];

/// A list of at most as many values as the iterator may have.
fn list(values: impl Iterator<Item = Value<'static>>) -> Value<'static> {
    let mut list = Vec::with_capacity(values.size_hint().1.unwrap_or(0));
    list.extend(values);
    Value::List(list)
}

fn header((name, value): (&HeaderName, &HeaderValue)) -> Value<'static> {
    let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
    Value::Map(vec![("name".into(), Value::from(name.as_str().to_owned())), ("value".into(), Value::from(value))])
}
