//! Records in JSON Lines → pages.

use std::borrow::Cow;
use std::io::{self, BufRead};
use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::page::{Page, Way};
use super::site::Trace;
use super::statistics::Statistics;
use crate::record::VERSION;
use crate::sink::Foreign;
use crate::sink::recorded::{Failed, Object, Text, read_line};
use crate::value::Value;

/// Why a file gives no report.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It holds something else than records.
    #[error(transparent)]
    Foreign(#[from] Foreign),
    /// It cannot be read.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// A record as a line has it. What a report does not tell of is passed over.
struct Recorded<'a> {
    page: Page<'a>,
    source: &'a str,
    fields: Vec<(String, Value<'static>)>,
}

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
        // A last line without its end may be whole all the same.
        let is_last = !read_line(&mut lines, &mut text)?;
        if !text.trim_ascii().is_empty() {
            let told = Object::parse(&text).and_then(|object| take(&object, last, statistics));
            last = told.map_err(|reason| Foreign { line, reason })?;
        }
        if is_last {
            return Ok(());
        }
    }
}

/// Counts what a line tells, a record or what of an outcome is in none, behind the record of that identity: that of the last
/// record then.
fn take(line: &Object<'_>, last: Option<Identity>, statistics: &mut Statistics) -> Result<Option<Identity>, String> {
    let version: u64 = line.value("v")?;
    if version != VERSION {
        return Err(format!("it is a record of version {version}, and only {VERSION} is known"));
    }
    if let Some(trace) = line.value::<Option<Trace>>("trace")? {
        statistics.follow(&trace);
        return Ok(last);
    }
    Ok(Some(count(&parse(line)?, last, statistics)))
}

fn parse<'a>(record: &Object<'a>) -> Result<Recorded<'a>, String> {
    let optional = |key| Ok::<_, String>(record.value::<Option<Text<'_>>>(key)?.map(|text| text.0));
    let mut failed: Option<Failed<'_>> = record.value("error")?;
    let anchor = failed.as_mut().and_then(|failed| failed.link.take()).map(Cow::Owned);
    let page = Page {
        url: record.value::<Text<'_>>("url")?.0,
        final_url: optional("final_url")?,
        status: record.value("status")?,
        title: optional("title")?,
        bytes: record.value("bytes")?,
        elapsed: record.value::<Option<u64>>("elapsed_ms")?.map(Duration::from_millis),
        attempts: record.value("attempts")?,
        at: record.value("fetched_at")?,
        failure: failed.map(|failed| (failed.kind, failed.message)),
        way: Way { anchor, ..way(record)? },
    };
    let source: Option<&RawValue> = record.value("source")?;
    let fields: Option<Object<'_>> = record.value("fields")?;
    let field = |(name, raw): (&str, &RawValue)| Some((name.to_owned(), serde_json::from_str(raw.get()).ok()?));
    let fields = fields.iter().flat_map(Object::entries).filter_map(field).collect();
    Ok(Recorded { page, source: source.map_or("", RawValue::get), fields })
}

/// A redirect as a record has it.
#[derive(Deserialize)]
struct Hop<'a> {
    status: u16,
    #[serde(borrow)]
    url: Cow<'a, str>,
}

/// How a record's page was come by; what older records do not tell is left out.
fn way<'a>(record: &Object<'a>) -> Result<Way<'a>, String> {
    let hops: Option<Vec<Hop<'_>>> = record.value("redirects")?;
    Ok(Way {
        depth: record.value::<Option<_>>("depth")?.unwrap_or_default(),
        referrer: record.value::<Option<Text<'_>>>("referrer")?.map(|text| text.0),
        anchor: None,
        redirects: hops.unwrap_or_default().into_iter().map(|hop| (hop.status, hop.url)).collect(),
    })
}

/// Counts a record that follows the one of that identity.
fn count(record: &Recorded<'_>, last: Option<Identity>, statistics: &mut Statistics) -> Identity {
    let Recorded { page, source, fields } = record;
    let is_same =
        |last: &Identity| last.url == page.url && last.source == *source && last.at == page.at && last.at.is_some();
    if page.failure.is_none() {
        statistics.add_fields(fields.iter().map(|(name, value)| (&**name, value.is_blank())));
    }
    if let Some(last) = last.filter(is_same) {
        return last;
    }
    statistics.changes.note(page, fields.iter().map(|(name, value)| (&**name, value)));
    statistics.add(page);
    Identity { url: page.url.to_string(), source: (*source).to_owned(), at: page.at }
}
