//! JSON Lines: the whole record, a compact object a line.
//!
//! What a reader might take for the end of a line (U+0085, U+2028, U+2029), and what a terminal would act on, is
//! escaped inside strings: to a JSON reader the same text, to everything else harmless.

use std::borrow::Borrow;
use std::io::{self, Write};

use super::Render;
use super::neutral::write_escaped;
use crate::record::{COLUMNS, Record};
use crate::value::Value;

pub(super) struct Jsonl;

impl Render for Jsonl {
    fn record(&mut self, record: &Record<'_>, out: &mut Vec<u8>) -> io::Result<()> {
        out.push(b'{');
        for column in COLUMNS {
            write_key(column.name, out)?;
            write_value(&(column.read)(record), out)?;
            out.push(b',');
        }
        write_key("fields", out)?;
        write_map(record.fields(), out)?;
        out.extend_from_slice(b"}\n");
        Ok(())
    }
}

/// Writes a value. `serde_json` would go through each text twice: once for its own escapes, once for ours.
pub(crate) fn write_value(value: &Value<'_>, out: &mut Vec<u8>) -> io::Result<()> {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::Int(number) => write!(out, "{number}")?,
        Value::Number(number) => write!(out, "{number}")?,
        Value::Str(text) => write_text(text, out)?,
        Value::List(values) => write_list(values, out, write_value)?,
        Value::Map(entries) => write_map(entries.iter().map(|(key, value)| (&**key, value)), out)?,
        Value::Table(table) => match table.json() {
            Some(json) => out.extend_from_slice(json),
            None => write_list(table.rows(), out, write_map)?,
        },
        Value::Json(raw) => write_raw(raw.get(), out)?,
    }
    Ok(())
}

/// Writes a list whose items `write` writes.
pub(crate) fn write_list<T>(
    items: impl IntoIterator<Item = T>,
    out: &mut Vec<u8>,
    write: impl Fn(T, &mut Vec<u8>) -> io::Result<()>,
) -> io::Result<()> {
    out.push(b'[');
    for (n, item) in items.into_iter().enumerate() {
        if n > 0 {
            out.push(b',');
        }
        write(item, out)?;
    }
    out.push(b']');
    Ok(())
}

pub(super) fn write_map<'a, 'v>(
    entries: impl Iterator<Item = (&'a str, impl Borrow<Value<'v>>)>,
    out: &mut Vec<u8>,
) -> io::Result<()> {
    out.push(b'{');
    for (n, (key, value)) in entries.enumerate() {
        if n > 0 {
            out.push(b',');
        }
        write_key(key, out)?;
        write_value(value.borrow(), out)?;
    }
    out.push(b'}');
    Ok(())
}

pub(super) fn write_key(key: &str, out: &mut Vec<u8>) -> io::Result<()> {
    write_text(key, out)?;
    out.push(b':');
    Ok(())
}

/// Writes a string (RFC 8259, section 7).
fn write_text(text: &str, out: &mut Vec<u8>) -> io::Result<()> {
    out.push(b'"');
    if text.bytes().fold(true, |plain, byte| plain & is_plain(byte)) {
        out.extend_from_slice(text.as_bytes());
    } else {
        for part in text.split_inclusive(['"', '\\']) {
            let last = part.chars().next_back().filter(|c| matches!(c, '"' | '\\'));
            write_escaped(&part[..part.len() - last.map_or(0, char::len_utf8)], out)?;
            if let Some(c) = last {
                write!(out, "\\{c}")?;
            }
        }
    }
    out.push(b'"');
    Ok(())
}

/// Whether a byte stands for itself in a string, and for nothing that is escaped.
fn is_plain(byte: u8) -> bool {
    matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\'
}

/// JSON from the user's file: its white space becomes spaces. That stands between tokens, for inside a string it is
/// escaped, and everything else that is escaped here stands inside strings.
fn write_raw(json: &str, out: &mut Vec<u8>) -> io::Result<()> {
    for (n, part) in json.split(['\t', '\n', '\r']).enumerate() {
        if n > 0 {
            out.push(b' ');
        }
        write_escaped(part, out)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::value::RawValue;
    use serde_json::{Value, from_str};

    use crate::sink::sample::{self, hostile_text};
    use crate::sink::{Format, Options};

    #[test]
    fn json_of_the_users_stays_on_the_line_and_keeps_its_meaning() {
        let given = "{\n\t\"a\":\r\n [1, \"x\\n\u{2028}\u{202e}\x7f\"]}";
        let mut page = sample::page("t");
        page.target.input = Some(RawValue::from_string(given.into()).unwrap().into());
        let line = sample::write(Format::Jsonl, &Options::default(), &[page]);
        assert_eq!(line.lines().count(), 1);
        assert!(line.contains(r#""x\n\u2028\u202e\u007f""#), "{line}");
        assert_eq!(from_str::<Value>(&line).unwrap()["input"], from_str::<Value>(given).unwrap());
    }

    proptest! {
        #[test]
        fn a_record_is_one_line_for_any_reader_and_can_be_read_back(title in hostile_text(), field in hostile_text()) {
            let options = Options { fields: sample::names(&["f"]), ..Options::default() };
            let page = sample::with_rows(sample::page(&title), [vec![field.clone().into()]]);
            let text = sample::write(Format::Jsonl, &options, &[page]);
            let line = text.strip_suffix('\n').unwrap();
            let ends = ['\n', '\x0b', '\x0c', '\r', '\u{85}', '\u{2028}', '\u{2029}'];
            prop_assert!(!line.contains(ends), "{line}");
            let json: Value = from_str(line).unwrap();
            prop_assert_eq!(&json["title"], &title);
            prop_assert_eq!(&json["fields"]["f"], &field);
        }
    }
}
