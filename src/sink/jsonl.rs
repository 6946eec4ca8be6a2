//! JSON Lines: the whole record, a compact object a line.
//!
//! What a reader might take for the end of a line (U+0085, U+2028, U+2029), and what a terminal would act on, is
//! escaped inside strings: to a JSON reader the same text, to everything else harmless.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::Formatter;

use super::Render;
use super::neutral::write_escaped;
use crate::record::Record;

pub(super) struct Jsonl;

impl Render for Jsonl {
    fn record(&mut self, record: &Record<'_>, out: &mut Vec<u8>) -> io::Result<()> {
        record.serialize(&mut Serializer::with_formatter(&mut *out, OneLine))?;
        out.write_all(b"\n")
    }
}

/// Compact JSON on one line.
struct OneLine;

impl Formatter for OneLine {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        write_escaped(fragment, writer)
    }

    /// JSON from the user's file: its white space becomes spaces. That stands between tokens, for inside a string
    /// it is escaped, and everything else that is escaped here stands inside strings.
    fn write_raw_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        for (n, part) in fragment.split(['\t', '\n', '\r']).enumerate() {
            if n > 0 {
                writer.write_all(b" ")?;
            }
            write_escaped(part, writer)?;
        }
        Ok(())
    }
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
