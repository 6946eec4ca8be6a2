//! The record: what a run writes for each target. One table, from which every format and the schema derive.
//!
//! A record's keys are always all present. [`VERSION`] changes when a key is removed or means something else; keys
//! and kinds of failure may be added under the same version.

use std::borrow::Cow;
use std::fmt;

use serde::ser::{Serialize, SerializeMap, Serializer};
use url::Url;

use crate::job::{Anchor, Facts, Hop, Outcome};
use crate::value::{Row, Value};

/// The version of the record, its key `v`.
pub const VERSION: u64 = 1;

/// What became of a page since it was last seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// It was not there before, or other fields were asked for.
    New,
    /// It differs.
    Changed,
    /// It was there, and is not any more.
    Gone,
    /// It is there again.
    Back,
}

impl Change {
    /// All of them, in the order of declaration.
    pub const ALL: [Self; 4] = [Self::New, Self::Changed, Self::Gone, Self::Back];

    /// Its name in records.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Changed => "changed",
            Self::Gone => "gone",
            Self::Back => "back",
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// One key of the record.
#[derive(Debug)]
pub struct Column {
    /// The key.
    pub name: &'static str,
    /// What it holds, for the schema and the documentation.
    pub help: &'static str,
    /// The JSON type of its value, as a JSON Schema in JSON.
    pub schema: &'static str,
    /// Reads it.
    pub read: for<'a> fn(&Record<'a>) -> Value<'a>,
    /// Reads it for formats with flat cells, where its structure would be in the way.
    flat: Option<for<'a> fn(&Record<'a>) -> Value<'a>>,
}

impl Column {
    const fn new(
        name: &'static str,
        schema: &'static str,
        help: &'static str,
        read: for<'a> fn(&Record<'a>) -> Value<'a>,
    ) -> Self {
        Self { name, help, schema, read, flat: None }
    }

    const fn with_flat(self, flat: for<'a> fn(&Record<'a>) -> Value<'a>) -> Self {
        Self { flat: Some(flat), ..self }
    }

    /// The value for a format with flat cells: [`Value::to_cell`] of it is the cell.
    #[must_use]
    pub fn flat<'a>(&self, record: &Record<'a>) -> Value<'a> {
        self.flat.unwrap_or(self.read)(record)
    }

    /// The column called `name`.
    #[must_use]
    pub fn find(name: &str) -> Option<&'static Self> {
        COLUMNS.iter().find(|column| column.name == name)
    }
}

/// The keys of the record but `fields`, which closes it.
pub static COLUMNS: &[Column] = &[
    Column::new("v", r#"{"const": 1}"#, "version of the record", |_| Value::Int(VERSION)),
    Column::new(
        "url",
        r#"{"type": "string"}"#,
        "the URL as given: trimmed, scheme added, userinfo removed; of a page that a crawl or `next` led to, its own",
        |r| Value::from(&*r.outcome.target.given),
    ),
    Column::new(
        "source",
        r#"{
            "type": "object", "required": ["file", "line"], "additionalProperties": false,
            "properties": {"file": {"type": ["string", "null"]}, "line": {"type": "integer", "minimum": 1}}
        }"#,
        "the file (`-`: standard input, null: the command line) and line, or argument, that named it",
        |r| {
            let at = &r.outcome.target.at;
            Value::Map(vec![("file".into(), Value::text(at.file.as_deref())), ("line".into(), Value::Int(at.line))])
        },
    )
    .with_flat(|r| {
        let at = &r.outcome.target.at;
        let file = at.file.as_deref().unwrap_or("argument");
        Value::from(format!("{file}:{}", at.line))
    }),
    Column::new(
        "final_url",
        r#"{"type": ["string", "null"]}"#,
        "the URL that was requested last, after redirects",
        |r| Value::text(r.outcome.trail.as_ref().map(|trail| trail.url.as_str())),
    ),
    Column::new("status", r#"{"type": ["integer", "null"]}"#, "the status of the answer", |r| {
        Value::int(r.facts().map(|facts| facts.status))
    }),
    Column::new("content_type", r#"{"type": ["string", "null"]}"#, "the answer's Content-Type", |r| {
        Value::text(r.facts().and_then(|facts| facts.content_type.as_deref()))
    }),
    Column::new(
        "charset",
        r#"{"type": ["string", "null"]}"#,
        "the charset (WHATWG name) that the text was decoded with; null for what is not text",
        |r| Value::text(r.facts().and_then(|facts| facts.charset)),
    ),
    Column::new(
        "length",
        r#"{"type": ["integer", "null"], "minimum": 0}"#,
        "characters of the decoded text; bytes of what is not text",
        |r| Value::int(r.facts().and_then(|facts| facts.length)),
    ),
    Column::new(
        "bytes",
        r#"{"type": ["integer", "null"], "minimum": 0}"#,
        "bytes of the body, content codings undone",
        |r| Value::int(r.facts().and_then(|facts| facts.bytes)),
    ),
    Column::new(
        "title",
        r#"{"type": ["string", "null"], "maxLength": 100000}"#,
        "the document's title, white space collapsed",
        |r| Value::text(r.facts().and_then(|facts| facts.title.as_deref())),
    ),
    Column::new(
        "elapsed_ms",
        r#"{"type": ["integer", "null"], "minimum": 0}"#,
        "milliseconds that the last attempt's requests took, redirects included, time queued excluded",
        |r| {
            let spent = r.outcome.trail.as_ref().map(|trail| trail.spent.as_millis());
            Value::int(spent.map(|millis| u64::try_from(millis).unwrap_or(u64::MAX)))
        },
    ),
    Column::new(
        "attempts",
        r#"{"type": "integer", "minimum": 0}"#,
        "how many times it was tried; 0 for a line that is no URL, and where robots.txt forbids it",
        |r| Value::Int(r.outcome.trail.as_ref().map_or(0, |trail| trail.attempt.into())),
    ),
    Column::new(
        "redirects",
        r#"{
            "type": "array",
            "items": {
                "type": "object", "required": ["status", "url"], "additionalProperties": false,
                "properties": {"status": {"type": "integer"}, "url": {"type": "string"}}
            }
        }"#,
        "the redirects followed: each URL requested and the status it answered with",
        read_redirects,
    ),
    Column::new(
        "depth",
        r#"{"type": "integer", "minimum": 0}"#,
        "how many links lie between it and its seed; 0 for a URL that was given",
        |r| Value::Int(r.outcome.depth().into()),
    ),
    Column::new(
        "referrer",
        r#"{"type": ["string", "null"]}"#,
        "the page that led there; null for a URL that was given",
        |r| Value::text(r.outcome.referrer().map(Url::as_str)),
    ),
    Column::new(
        "links_found",
        r#"{"type": ["integer", "null"], "minimum": 0}"#,
        "how many links it has, to whatever place; null where a crawl does not go on from it",
        |r| Value::int(r.facts().and_then(|facts| facts.links_found)),
    ),
    Column::new(
        "fetched_at",
        r#"{"type": ["string", "null"], "format": "date-time"}"#,
        "when the visit ended: RFC 3339, UTC, milliseconds",
        |r| Value::text(r.outcome.fetched_at.map(|at| format!("{at:.3}"))),
    ),
    Column::new(
        "input",
        r#"{"type": ["object", "null"]}"#,
        "what else the source's line carried: the other columns of a CSV file, the other keys of a JSON line; for a page from a sitemap, `sitemap`, `lastmod` and `priority`",
        |r| r.outcome.target.input.as_deref().map_or(Value::Null, |json| Value::Json(Cow::Borrowed(json))),
    ),
    Column::new(
        "error",
        r#"{
            "type": ["object", "null"], "required": ["kind", "message"], "additionalProperties": false,
            "properties": {
                "kind": {"type": "string"}, "message": {"type": "string"},
                "link": {
                    "type": "object", "required": ["text", "line"], "additionalProperties": false,
                    "properties": {"text": {"type": "string"}, "line": {"type": ["integer", "null"], "minimum": 1}}
                }
            }
        }"#,
        "null exactly when the URL counts as fetched, otherwise the kind and a message; with `--check-links` also the `link` that led there: its text, and its line in the page",
        read_error,
    )
    .with_flat(|r| Value::text(r.outcome.failure().map(ToString::to_string))),
];

fn read_error<'a>(record: &Record<'a>) -> Value<'a> {
    let Some(failure) = record.outcome.failure() else { return Value::Null };
    let mut error = vec![
        ("kind".into(), Value::from(failure.kind.slug())),
        ("message".into(), Value::from(failure.message.as_str())),
    ];
    if let Some(mention) = &record.outcome.mention {
        let Anchor { text, line } = &mention.anchor;
        let link = vec![("text".into(), Value::from(&**text)), ("line".into(), Value::int(*line))];
        error.push(("link".into(), Value::Map(link)));
    }
    Value::Map(error)
}

fn read_redirects<'a>(record: &Record<'a>) -> Value<'a> {
    let hops = record.outcome.trail.as_ref().map_or(&[][..], |trail| &trail.hops);
    let entry = |hop: &'a Hop| {
        let status = Value::Int(hop.status.into());
        Value::Map(vec![("status".into(), status), ("url".into(), Value::from(hop.url.as_str()))])
    };
    Value::List(hops.iter().map(entry).collect())
}

/// One record: an outcome and one of its rows.
#[derive(Clone, Copy)]
pub struct Record<'a> {
    outcome: &'a Outcome,
    row: Option<&'a Row>,
    fields: &'a [Box<str>],
}

impl<'a> Record<'a> {
    /// The records of an outcome: one a row, and one where there is no row; none behind the last page and of
    /// one that is unchanged. `fields` names a row's
    /// values.
    pub fn of(outcome: &'a Outcome, fields: &'a [Box<str>]) -> impl Iterator<Item = Self> {
        let rows = outcome.rows();
        let is_bare = rows.is_empty() && outcome.is_record();
        let bare = is_bare.then_some(Self { outcome, row: None, fields });
        rows.iter().map(move |row| Self { outcome, row: Some(row), fields }).chain(bare)
    }

    /// The outcome it tells of.
    #[must_use]
    pub fn outcome(&self) -> &'a Outcome {
        self.outcome
    }

    /// What the answer said, if one came.
    #[must_use]
    pub fn facts(&self) -> Option<&'a Facts> {
        self.outcome.facts.as_ref()
    }

    /// The fields that were asked for, by name; null where the page did not come.
    pub fn fields(&self) -> impl Iterator<Item = (&'a str, &'a Value<'static>)> {
        let record = *self;
        self.fields.iter().enumerate().map(move |(n, name)| (&**name, record.field(n)))
    }

    /// The value of the field that was asked for at this place, counted from 0; null as in [`fields`](Self::fields).
    #[must_use]
    pub fn field(&self, place: usize) -> &'a Value<'static> {
        self.row.and_then(|row| row.0.get(place)).unwrap_or(&Value::Null)
    }
}

impl Serialize for Record<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(COLUMNS.len() + 1))?;
        for column in COLUMNS {
            map.serialize_entry(column.name, &(column.read)(self))?;
        }
        map.serialize_entry("fields", &Fields(self))?;
        map.end()
    }
}

struct Fields<'r, 'a>(&'r Record<'a>);

impl Serialize for Fields<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.fields())
    }
}

/// The headings of flat cells: the columns, then the fields. A field that is called like a column is written as
/// `fields.NAME`.
pub fn flat_headings(fields: &[Box<str>]) -> impl Iterator<Item = Cow<'_, str>> {
    let columns = COLUMNS.iter().map(|column| Cow::Borrowed(column.name));
    columns.chain(fields.iter().map(|name| match Column::find(name) {
        Some(_) => Cow::Owned(format!("fields.{name}")),
        None => Cow::Borrowed(&**name),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::{Location, Rejected, Target};

    #[test]
    fn every_key_is_present_whatever_happened() {
        let target = Target { id: 0, given: "::".into(), at: Location { file: None, line: 1 }, input: None };
        let outcome = Outcome::rejected(Rejected { target, reason: "no host".into() });
        let fields = ["price".into()];
        let records: Vec<_> = Record::of(&outcome, &fields).collect();
        let json = serde_json::to_value(records[0]).unwrap();
        let keys: Vec<_> = COLUMNS.iter().map(|column| column.name).chain(["fields"]).collect();
        assert_eq!(records.len(), 1);
        assert!(keys.iter().all(|key| json.get(key).is_some()));
        assert_eq!(json["fields"], serde_json::json!({"price": null}));
        assert_eq!(json["error"], serde_json::json!({"kind": "invalid_url", "message": "no host"}));
    }

    #[test]
    fn the_schema_of_every_column_is_json() {
        for column in COLUMNS {
            serde_json::from_str::<serde_json::Value>(column.schema).unwrap();
        }
    }
}
