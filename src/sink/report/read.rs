//! Records in JSON Lines → pages.

use std::borrow::Cow;
use std::fmt;
use std::io::{self, BufRead, Read};
use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::page::{Page, Way};
use super::statistics::Statistics;
use crate::record::VERSION;
use crate::value::Value;

/// No record is longer, in bytes.
const LONGEST: u64 = 1 << 30;

/// Why a file gives no report.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It holds something else than records.
    #[error("line {line}: {reason}")]
    Foreign {
        /// The line, counted from 1, compression undone.
        line: u64,
        /// What is different.
        reason: String,
    },
    /// It cannot be read.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// A record as a line has it. What a report does not tell of is passed over.
#[derive(Deserialize)]
struct Record<'a> {
    v: u64,
    #[serde(borrow)]
    url: Cow<'a, str>,
    #[serde(borrow)]
    source: Option<&'a RawValue>,
    #[serde(borrow)]
    final_url: Option<Cow<'a, str>>,
    status: Option<u16>,
    #[serde(borrow)]
    title: Option<Cow<'a, str>>,
    bytes: Option<u64>,
    elapsed_ms: Option<u64>,
    attempts: u64,
    #[serde(borrow, default)]
    redirects: Vec<Hop<'a>>,
    #[serde(default)]
    depth: u64,
    #[serde(borrow, default)]
    referrer: Option<Cow<'a, str>>,
    fetched_at: Option<Timestamp>,
    #[serde(borrow)]
    error: Option<Failure<'a>>,
    #[serde(default)]
    fields: Fields,
}

#[derive(Deserialize)]
struct Hop<'a> {
    status: u16,
    #[serde(borrow)]
    url: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Failure<'a> {
    #[serde(borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    message: Cow<'a, str>,
}

/// Fields in their order, and whether they are blank.
#[derive(Default)]
struct Fields(Vec<(String, bool)>);

/// What tells a page's records from those of the next one: a page's stand one behind the other.
#[derive(Default, PartialEq, Eq)]
struct Identity {
    url: String,
    source: String,
    at: Option<Timestamp>,
}

/// Counts the pages of all records.
pub(super) fn read(mut lines: impl BufRead, statistics: &mut Statistics) -> Result<(), Error> {
    let (mut text, mut line, mut last) = (Vec::new(), 0, None);
    loop {
        text.clear();
        line += 1;
        if lines.by_ref().take(LONGEST).read_until(b'\n', &mut text)? == 0 {
            return Ok(());
        }
        if !text.trim_ascii().is_empty() {
            let record = parse(&text).map_err(|reason| Error::Foreign { line, reason })?;
            last = Some(count(record, last, statistics));
        }
    }
}

fn parse(text: &[u8]) -> Result<Record<'_>, String> {
    let record: Record<'_> = serde_json::from_slice(text).map_err(|error| {
        let (words, column) = (error.to_string(), error.column());
        let words = words.split(" at line ").next().unwrap_or_default();
        format!("it is no record ({words}, column {column})")
    })?;
    match record.v {
        VERSION => Ok(record),
        other => Err(format!("it is a record of version {other}, and only {VERSION} is known")),
    }
}

/// Counts a record that follows the one of that identity.
fn count(record: Record<'_>, last: Option<Identity>, statistics: &mut Statistics) -> Identity {
    let source = record.source.map_or("", RawValue::get);
    let is_same = |last: &Identity| {
        last.url == record.url && last.source == source && last.at == record.fetched_at && last.at.is_some()
    };
    let fields = record.fields.0.iter().map(|(name, is_blank)| (&**name, *is_blank));
    if record.error.is_none() {
        statistics.add_fields(fields);
    }
    if let Some(last) = last.filter(is_same) {
        return last;
    }
    let identity = Identity { url: record.url.to_string(), source: source.to_owned(), at: record.fetched_at };
    statistics.add(&Page {
        url: record.url,
        final_url: record.final_url,
        status: record.status,
        title: record.title,
        bytes: record.bytes,
        elapsed: record.elapsed_ms.map(Duration::from_millis),
        attempts: record.attempts,
        at: record.fetched_at,
        failure: record.error.map(|failure| (failure.kind, failure.message)),
        way: Way {
            depth: record.depth,
            referrer: record.referrer,
            redirects: record.redirects.into_iter().map(|hop| (hop.status, hop.url)).collect(),
        },
    });
    identity
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;

        impl<'de> Visitor<'de> for Collect {
            type Value = Fields;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object with the fields")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
                let mut fields = Vec::new();
                while let Some(name) = map.next_key::<String>()? {
                    fields.push((name, map.next_value::<Value<'static>>()?.is_blank()));
                }
                Ok(Fields(fields))
            }
        }

        deserializer.deserialize_map(Collect)
    }
}
