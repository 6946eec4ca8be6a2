//! What a report takes of a run, as lines of JSON: whoever goes on with the run reads them back.

use std::borrow::Cow;
use std::io;
use std::sync::Arc;

use super::site::Trace;
use crate::job::Outcome;
use crate::record::{COLUMNS, Record, VERSION};
use crate::sink::Lines;
use crate::sink::jsonl::{write_key, write_map, write_value};
use crate::value::Value;

/// What of a record is told; of its fields, whether they are blank.
const TOLD: [&str; 14] = [
    "v",
    "url",
    "source",
    "final_url",
    "status",
    "bytes",
    "title",
    "elapsed_ms",
    "attempts",
    "redirects",
    "depth",
    "referrer",
    "fetched_at",
    "error",
];

/// The fields that are told as they are.
const WHOLE: [&str; 2] = ["change", "diff"];

/// Writes it.
pub(super) struct Journal {
    lines: Lines,
    fields: Arc<[Box<str>]>,
}

impl Journal {
    /// Of a run that asks for these fields.
    pub(super) fn new(lines: Lines, fields: Arc<[Box<str>]>) -> Self {
        Self { lines, fields }
    }

    /// Adds an outcome, which has left that trace.
    pub(super) fn add(&mut self, outcome: &Outcome, trace: &Trace) -> io::Result<()> {
        if !trace.is_empty() {
            self.lines.push(|out| write_trace(trace, out))?;
        }
        Record::of(outcome, &self.fields).try_for_each(|record| self.lines.push(|out| write_record(&record, out)))
    }

    /// See [`Lines::flush`].
    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.lines.flush()
    }

    /// See [`Lines::part`].
    pub(super) fn part(&mut self) -> io::Result<()> {
        self.lines.part()
    }

    /// See [`Lines::finish`].
    pub(super) fn finish(&mut self) -> io::Result<()> {
        self.lines.finish()
    }
}

fn write_trace(trace: &Trace, out: &mut Vec<u8>) -> io::Result<()> {
    let json = serde_json::to_string(trace)?;
    out.extend_from_slice(format!("{{\"v\":{VERSION},\"trace\":{json}}}\n").as_bytes());
    Ok(())
}

fn write_record(record: &Record<'_>, out: &mut Vec<u8>) -> io::Result<()> {
    out.push(b'{');
    for column in COLUMNS.iter().filter(|column| TOLD.contains(&column.name)) {
        write_key(column.name, out)?;
        write_value(&(column.read)(record), out)?;
        out.push(b',');
    }
    write_key("fields", out)?;
    write_map(record.fields().map(|(name, value)| (name, told(name, value))), out)?;
    out.extend_from_slice(b"}\n");
    Ok(())
}

/// A value that says as much to a report as that of a field.
fn told<'v>(name: &str, value: &'v Value<'static>) -> Cow<'v, Value<'static>> {
    match value {
        value if WHOLE.contains(&name) => Cow::Borrowed(value),
        value if value.is_blank() => Cow::Owned(Value::Null),
        _ => Cow::Owned(Value::Bool(true)),
    }
}
