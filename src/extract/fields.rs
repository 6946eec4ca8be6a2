//! The built-in fields.

use std::borrow::Cow;

use reqwest::header::{HeaderName, HeaderValue};
use scraper::Html;

use super::article::{Article, fingerprint, words};
use super::links::Base;
use super::reader::{Found, Part};
use super::tree::base_href;
use crate::page::{Kind, Page};
use crate::value::{Table, Value};

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
    pub(super) page: &'a Page<'a>,
    found: Found<'a>,
    /// There where a field or a selector needs it, and the page is HTML that is not too complex.
    tree: Option<&'a Html>,
    /// There where a field needs it, as the tree is.
    article: Option<Article<'a>>,
    base: Base,
}

impl<'a> Source<'a> {
    pub(super) fn new(
        page: &'a Page<'a>,
        found: Found<'a>,
        tree: Option<&'a Html>,
        article: Option<Article<'a>>,
    ) -> Self {
        let base = Base::new(page.url, found.head.base.as_deref());
        Self { page, found, tree, article, base }
    }

    /// The base of what is read from the tree: the head need not have been read.
    fn base_of_tree(&self) -> Base {
        Base::new(self.page.url, self.tree.and_then(base_href))
    }

    /// What the main content is, as `read` tells it; null where there is none.
    fn of_article(&self, read: impl FnOnce(&Article<'a>) -> Value<'static>) -> Value<'static> {
        self.article.as_ref().filter(|article| !article.text().is_empty()).map_or(Value::Null, read)
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
            Value::text(href.and_then(|href| s.base.absolute(href)))
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
        read: |s| Value::text(s.found.headings.h1().map(str::to_owned)),
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
        read: |s| s.found.headings.to_value(),
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
        read: |s| s.found.links.to_value(&s.base),
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
        read: |s| {
            pairs(&["name", "content"], s.found.head.metas.iter().map(|meta| (&*meta.name, (&*meta.content).into())))
        },
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
        read: |s| pairs(&["name", "value"], s.page.headers.iter().map(header)),
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
    Field {
        name: "article",
        part: Part::Article,
        schema: r#"{"type": ["string", "null"]}"#,
        help: "the text of the main content: without navigation, advertisements, related links; blocks on lines of their own",
        read: |s| s.of_article(|article| Value::from(article.text().to_owned())),
    },
    Field {
        name: "markdown",
        part: Part::Article,
        schema: r#"{"type": ["string", "null"]}"#,
        help: "the main content as Markdown: headings, lists, tables, code, links with absolute URLs",
        read: |s| s.of_article(|article| Value::from(article.markdown(&s.base_of_tree()))),
    },
    Field {
        name: "words",
        part: Part::Article,
        schema: r#"{"type": ["integer", "null"], "minimum": 1}"#,
        help: "how many words the main content has",
        read: |s| s.of_article(|article| Value::Int(words(article.text()).count() as u64)),
    },
    Field {
        name: "hash",
        part: Part::Article,
        schema: r#"{"type": ["string", "null"], "pattern": "^[0-9a-f]{16}$"}"#,
        help: "a fingerprint of the main content: XXH3 of its words in lower case",
        read: |s| s.of_article(|article| Value::from(fingerprint(article.text()))),
    },
];

/// A list of maps with two texts each.
fn pairs<'a>(keys: &'static [&'static str; 2], pairs: impl Iterator<Item = (&'a str, Cow<'a, str>)>) -> Value<'static> {
    let mut table = Table::new(keys, pairs.size_hint().0);
    for (name, value) in pairs {
        table.push_text(Some(name));
        table.push_text(Some(&value));
    }
    Value::Table(table)
}

fn header<'a>((name, value): (&'a HeaderName, &'a HeaderValue)) -> (&'a str, Cow<'a, str>) {
    (name.as_str(), String::from_utf8_lossy(value.as_bytes()))
}
