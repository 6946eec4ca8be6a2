//! The built-in fields.

use std::borrow::Cow;
use std::time::Duration;

use reqwest::header::{HeaderName, HeaderValue};

use super::article::{fingerprint, words};
use super::metadata::{author, cookies, links, naming, refresh, robots};
use super::parts::Part;
use super::source::Source;
use super::structured::opengraph;
use crate::fetch::{Times, Timing};
use crate::page::Kind;
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

    /// A field of the main content that is filled in when that has been read.
    pub(super) const fn of_article(name: &'static str, schema: &'static str, help: &'static str) -> Self {
        Self { name, part: Part::Article, schema, help, read: |_| Value::Null }
    }

    /// Whether tokens and header fields tell it, so that `all` has it. Microdata costs a tree only where there is some.
    pub(super) fn is_cheap(&self) -> bool {
        !matches!(self.part, Part::Tree | Part::Article)
    }

    /// Whether it says something of the page, and not of one visit to it, or of other pages.
    pub(super) fn is_lasting(&self) -> bool {
        !matches!(self.name, "timing" | "headers" | "cookies" | "duplicate_of" | "change" | "diff")
    }

    /// Its value: null where pages of this kind have none, and once the page has named too many URLs.
    pub(super) fn value(&self, source: &mut Source<'_>) -> Value<'static> {
        let value = match (self.part, source.page.kind) {
            (Part::Headers | Part::Timing | Part::Answer, _) | (_, Kind::Html) | (Part::Text, Kind::Text) => {
                (self.read)(source)
            }
            _ => Value::Null,
        };
        if source.has_too_many_urls() { Value::Null } else { value }
    }
}

/// The field of [`Ask::Duplicates`](super::Ask::Duplicates).
pub(super) static DUPLICATE_OF: Field = Field::of_article(
    "duplicate_of",
    r#"{
        "type": ["object", "null"], "required": ["url", "similarity"], "additionalProperties": false,
        "properties": {"url": {"type": "string"}, "similarity": {"type": "number", "minimum": 0.8, "maximum": 1}}
    }"#,
    "the first page with nearly the same main content: its `url`, and how similar that is (1: the same words)",
);

/// The fields of [`Ask::Changes`](super::Ask::Changes).
pub(super) static CHANGES: [Field; 2] = [
    Field {
        name: "change",
        part: Part::Headers,
        schema: r#"{"enum": ["new", "changed", "gone", "back", null]}"#,
        help: "what became of the page since it was last seen; null for a failure",
        read: |_| Value::Null,
    },
    Field {
        name: "diff",
        part: Part::Headers,
        schema: r#"{
            "type": ["object", "null"],
            "additionalProperties": {"type": "object", "required": ["old", "new"], "additionalProperties": false,
                "properties": {"old": {}, "new": {}}}
        }"#,
        help: "the fields that differ from those of before, each with its `old` and `new` value; in a page's first record",
        read: |_| Value::Null,
    },
];

/// The JSON Schema of a text.
const TEXT: &str = r#"{"type": ["string", "null"]}"#;

/// The JSON Schema of a list of objects that have a form of their own.
const OBJECTS: &str = r#"{"type": ["array", "null"], "items": {"type": "object"}}"#;

/// The JSON Schema of what `<meta>` says of one vocabulary.
const PROPERTIES: &str = r#"{
    "type": ["array", "null"],
    "items": {
        "type": "object", "required": ["property", "content"],
        "properties": {"property": {"type": "string"}, "content": {"type": "string"}}
    }
}"#;

/// The built-in fields.
pub static FIELDS: &[Field] = &[
    Field {
        name: "description",
        part: Part::Head,
        schema: TEXT,
        help: "the content of `<meta name=description>`, else of `og:description` or the like, white space collapsed",
        read: |s| Value::text(naming::description(&s.found.head)),
    },
    Field {
        name: "author",
        part: Part::Bylines,
        schema: r#"{"type": ["array", "null"], "items": {"type": "string"}}"#,
        help: "the names of the authors: of JSON-LD, else of `<meta>`, else of what is marked as one",
        read: |s| author::authors(&s.bylines()),
    },
    Field {
        name: "date",
        part: Part::Bylines,
        schema: TEXT,
        help: "when it was published, as ISO 8601, with the time where that is given: of JSON-LD, `<meta>`, what is marked as that, URL, or text",
        read: |s| Value::text(s.bylines().published()),
    },
    Field {
        name: "modified",
        part: Part::Bylines,
        schema: TEXT,
        help: "when it was changed last, as ISO 8601, from the same sources",
        read: |s| Value::text(s.bylines().modified()),
    },
    Field {
        name: "site_name",
        part: Part::JsonLd,
        schema: TEXT,
        help: "the name of the site: of `og:site_name`, else of JSON-LD, else of the application",
        read: |s| Value::text(naming::site_name(&s.found.head, s.documents())),
    },
    Field {
        name: "lang",
        part: Part::Answer,
        schema: TEXT,
        help: "the `lang` of `<html>`, else the Content-Language, else what the text is written in, where that is sure",
        read: |s| Value::text(s.language()),
    },
    Field {
        name: "canonical",
        part: Part::Answer,
        schema: TEXT,
        help: "the absolute URL of `<link rel=canonical>`, else of such a `Link` header field",
        read: |s| Value::text(links::canonical(&s.found.head, s.page, &s.base)),
    },
    Field {
        name: "robots",
        part: Part::Answer,
        schema: TEXT,
        help: "what `<meta name=robots>` and `X-Robots-Tag` say, separated by commas",
        read: |s| Value::text(robots::directives(&s.found.head, s.page.headers)),
    },
    Field {
        name: "favicon",
        part: Part::Head,
        schema: TEXT,
        help: "the absolute URL of the first `<link rel=icon>`",
        read: |s| Value::text(links::favicon(&s.found.head, &s.base)),
    },
    Field {
        name: "h1",
        part: Part::Headings,
        schema: TEXT,
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
        name: "text",
        part: Part::Text,
        schema: TEXT,
        help: "the visible text, blocks on lines of their own",
        read: |s| match s.page.kind {
            Kind::Html => Value::from(s.found.text.clone()),
            _ => Value::from(s.page.text.to_string()),
        },
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
        name: "images",
        part: Part::Images,
        schema: r#"{
            "type": ["array", "null"],
            "items": {
                "type": "object", "required": ["url", "alt", "size", "best"],
                "properties": {
                    "url": {"type": "string"}, "alt": {"type": ["string", "null"]},
                    "size": {"type": ["string", "null"]}, "best": {"type": "boolean"}
                }
            }
        }"#,
        help: "every URL that an `<img>` or its `<picture>` offers: it absolute, `alt`, size as in `srcset`, and whether it is the image's best",
        read: |s| s.found.images.to_value(&s.base),
    },
    Field {
        name: "feeds",
        part: Part::Head,
        schema: r#"{
            "type": ["array", "null"],
            "items": {
                "type": "object", "required": ["url", "type", "title"],
                "properties": {
                    "url": {"type": "string"}, "type": {"type": ["string", "null"]},
                    "title": {"type": ["string", "null"]}
                }
            }
        }"#,
        help: "every feed that the head names: its absolute URL, type and title",
        read: |s| links::feeds(&s.found.head, &s.base),
    },
    Field {
        name: "hreflang",
        part: Part::Head,
        schema: r#"{
            "type": ["array", "null"],
            "items": {
                "type": "object", "required": ["lang", "url"],
                "properties": {
                    "lang": {"type": "string"}, "url": {"type": "string"}
                }
            }
        }"#,
        help: "every `<link rel=alternate hreflang>`: its language and absolute URL",
        read: |s| links::hreflang(&s.found.head, &s.base),
    },
    Field {
        name: "meta_refresh",
        part: Part::Answer,
        schema: TEXT,
        help: "the absolute URL that `<meta http-equiv=refresh>` or a `Refresh` header field leads to",
        read: |s| Value::text(refresh::target(&s.found.head, s.page.headers, &s.base)),
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
            pairs(&["name", "content"], s.found.head.metas.iter().map(|meta| (meta.name(), (&*meta.content).into())))
        },
    },
    Field {
        name: "jsonld",
        part: Part::JsonLd,
        schema: OBJECTS,
        help: "the objects of every block of JSON-LD, as they are; a block that is no JSON is left out",
        read: |s| s.documents().to_value(),
    },
    Field {
        name: "microdata",
        part: Part::Microdata,
        schema: OBJECTS,
        help: "every microdata item that is in no other one: its `type`, `id`, and `properties` with a list of values each",
        read: |s| s.microdata(),
    },
    Field {
        name: "opengraph",
        part: Part::Head,
        schema: PROPERTIES,
        help: "every Open Graph `<meta>`: its property and content",
        read: |s| opengraph::opengraph(&s.found.head),
    },
    Field {
        name: "twitter",
        part: Part::Head,
        schema: PROPERTIES,
        help: "every `<meta>` of a Twitter card: its property and content",
        read: |s| opengraph::twitter(&s.found.head),
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
        name: "cookies",
        part: Part::Headers,
        schema: r#"{
            "type": "array",
            "items": {
                "type": "object", "required": ["name", "value", "domain", "path", "expires", "max_age", "secure", "http_only", "same_site"],
                "properties": {
                    "name": {"type": "string"}, "value": {"type": "string"}, "domain": {"type": ["string", "null"]},
                    "path": {"type": ["string", "null"]}, "expires": {"type": ["string", "null"]},
                    "max_age": {"type": ["string", "null"]}, "secure": {"type": "boolean"},
                    "http_only": {"type": "boolean"}, "same_site": {"type": ["string", "null"]}
                }
            }
        }"#,
        help: "every cookie that the answer sets: its name, value and attributes",
        read: |s| cookies::cookies(s.page.headers),
    },
    Field {
        name: "timing",
        part: Part::Timing,
        schema: r#"{
            "type": ["object", "null"], "required": ["dns", "connect", "first_byte", "body", "total"],
            "properties": {
                "dns": {"type": ["number", "null"], "minimum": 0}, "connect": {"type": ["number", "null"], "minimum": 0},
                "first_byte": {"type": ["number", "null"], "minimum": 0}, "body": {"type": ["number", "null"], "minimum": 0},
                "total": {"type": "number", "minimum": 0}
            }
        }"#,
        help: "how many seconds the last request took: `dns`, `connect` (TLS included; both null on a connection that was kept), `first_byte`, `body`, `total`",
        read: |s| s.page.timing.map_or(Value::Null, timing),
    },
    Field {
        name: "hint",
        part: Part::Signals,
        schema: r#"{
            "type": ["array", "null"],
            "items": {
                "type": "object", "required": ["hint", "signal"],
                "properties": {
                    "hint": {"type": "string"}, "signal": {"type": "string"}
                }
            }
        }"#,
        help: "why this may not be the page that was asked for (`needs_js`, `captcha`, `login`, `soft_404`, `consent`), each with the signal that said so",
        read: |s| s.hints(),
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
        read: |s| Value::text(s.markdown()),
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

fn timing(timing: Timing) -> Value<'static> {
    let Timing { times: Times { dns, connect, first_byte, body }, total } = timing;
    let parts =
        [("dns", dns), ("connect", connect), ("first_byte", first_byte), ("body", body), ("total", Some(total))];
    Value::Map(parts.map(|(name, time)| (name.into(), time.map_or(Value::Null, seconds))).into())
}

/// A time in seconds, to the microsecond.
fn seconds(time: Duration) -> Value<'static> {
    Value::number((time.as_secs_f64() * 1e6).round() / 1e6)
}

fn header<'a>((name, value): (&'a HeaderName, &'a HeaderValue)) -> (&'a str, Cow<'a, str>) {
    (name.as_str(), String::from_utf8_lossy(value.as_bytes()))
}
