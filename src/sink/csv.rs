//! Comma-separated values (RFC 4180) of the whole record, for spreadsheets and databases, with a header.
//!
//! Lines end with a newline alone, which every reader takes. CSV has no escapes, so a cell holds its text exactly,
//! line breaks and control characters included, unless it is made safe for spreadsheets. Null is an empty cell.

use std::io;

use super::neutral::neutralise;
use super::{Options, Render, for_each_cell};
use crate::record::{COLUMNS, Record, flat_headings};

pub(super) struct Csv {
    terminal: bool,
    csv_safe: bool,
}

impl Csv {
    pub(super) fn new(options: &Options) -> Self {
        Self { terminal: options.terminal, csv_safe: options.csv_safe }
    }
}

impl Render for Csv {
    fn header(&self, fields: &[Box<str>], out: &mut Vec<u8>) {
        for heading in flat_headings(fields) {
            put_cell(&heading, out);
        }
        end_line(out);
    }

    fn record(&mut self, record: &Record<'_>, out: &mut Vec<u8>) -> io::Result<()> {
        for_each_cell(record, COLUMNS, self.csv_safe, |cell| {
            if self.terminal {
                put_cell(&neutralise(cell), out);
            } else {
                put_cell(cell, out);
            }
            Ok(())
        })?;
        end_line(out);
        Ok(())
    }
}

/// Adds a cell and the comma behind it.
fn put_cell(cell: &str, out: &mut Vec<u8>) {
    if cell.bytes().any(|byte| matches!(byte, b'"' | b',' | b'\n' | b'\r')) {
        out.push(b'"');
        for (n, part) in cell.as_bytes().split(|&byte| byte == b'"').enumerate() {
            out.extend_from_slice(if n > 0 { b"\"\"" } else { b"" });
            out.extend_from_slice(part);
        }
        out.push(b'"');
    } else {
        out.extend_from_slice(cell.as_bytes());
    }
    out.push(b',');
}

/// Makes the last comma the end of the line.
fn end_line(out: &mut Vec<u8>) {
    out.pop();
    out.push(b'\n');
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::sink::Format;
    use crate::sink::sample::{self, hostile_text};

    /// The header and the records, as another reader of CSV sees them.
    fn read(text: &str) -> Vec<Vec<String>> {
        let mut reader = ::csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
        reader.records().map(|record| record.unwrap().iter().map(str::to_owned).collect()).collect()
    }

    #[test]
    fn a_field_that_is_called_like_a_column_has_a_heading_of_its_own() {
        let options = Options { fields: sample::names(&["title", "a \"b\", c"]), ..Options::default() };
        let header = read(&sample::write(Format::Csv, &options, &[])).remove(0);
        assert_eq!(header.len(), COLUMNS.len() + 2);
        assert_eq!(header[COLUMNS.len()..], ["fields.title", "a \"b\", c"]);
    }

    proptest! {
        #[test]
        fn what_is_written_can_be_read_back(title in hostile_text(), field in hostile_text()) {
            let options = Options { fields: sample::names(&["f"]), ..Options::default() };
            let page = sample::with_rows(sample::page(&title), [vec![field.clone().into()]]);
            let rows = read(&sample::write(Format::Csv, &options, &[page.clone(), page]));
            prop_assert_eq!(rows.len(), 3);
            let at = rows[0].iter().position(|heading| heading == "title").unwrap();
            for row in &rows[1..] {
                prop_assert_eq!(&row[at], &title);
                prop_assert_eq!(row.last().unwrap(), &field);
            }
        }
    }
}
