//! Tab-separated values, for `cut`, `awk` and `sort`: a line a record, always as many tabs, no header.
//!
//! In a cell a tab is `\t`, a newline `\n`, a carriage return `\r`, a backslash `\\`, and any other control character,
//! line separator or bidi control `\uXXXX`. These are JSON's escapes, so a cell can be undone by any JSON reader
//! once its quotes are escaped too. Null is an empty cell.

use std::borrow::Cow;
use std::io::{self, Write};

use super::neutral::write_escaped;
use super::{Options, Render, for_each_cell};
use crate::record::{Column, Record};

/// The columns before the fields.
pub(super) const COLUMNS: [&str; 6] = ["url", "status", "length", "title", "elapsed_ms", "error"];

pub(super) struct Tsv {
    columns: Vec<&'static Column>,
    csv_safe: bool,
}

impl Tsv {
    pub(super) fn new(options: &Options) -> Self {
        Self { columns: COLUMNS.into_iter().filter_map(Column::find).collect(), csv_safe: options.csv_safe }
    }
}

impl Render for Tsv {
    fn record(&mut self, record: &Record<'_>, out: &mut Vec<u8>) -> io::Result<()> {
        for_each_cell(record, self.columns.iter().copied(), self.csv_safe, |cell| {
            put_cell(cell, out)?;
            out.write_all(b"\t")
        })?;
        out.pop();
        out.write_all(b"\n")
    }
}

fn put_cell(cell: &str, out: &mut Vec<u8>) -> io::Result<()> {
    for (n, part) in cell.split('\\').enumerate() {
        if n > 0 {
            out.write_all(br"\\")?;
        }
        write_escaped(part, out)?;
    }
    Ok(())
}

/// The cell as it was before it was escaped: what a JSON reader makes of it; as it stands where it never was.
pub(super) fn unescape(cell: &str) -> Cow<'_, str> {
    if !cell.contains('\\') {
        return Cow::Borrowed(cell);
    }
    let text = serde_json::from_str(&format!("\"{}\"", cell.replace('"', "\\\"")));
    text.map_or(Cow::Borrowed(cell), Cow::Owned)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::sink::Format;
    use crate::sink::sample::{self, hostile_text};

    #[test]
    fn every_column_of_the_format_is_a_column_of_the_record() {
        assert_eq!(Tsv::new(&Options::default()).columns.len(), COLUMNS.len());
    }

    #[test]
    fn tabs_newlines_backslashes_and_control_characters_are_escaped() {
        let mut out = Vec::new();
        put_cell("a\tb\nc\rd\\e\x1bf\u{85}g\u{2028}h\u{202e}i", &mut out).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), r"a\tb\nc\rd\\e\u001bf\u0085g\u2028h\u202ei");
    }

    proptest! {
        #[test]
        fn a_record_is_one_line_whose_cells_can_be_read_back(title in hostile_text(), field in hostile_text()) {
            let options = Options { fields: sample::names(&["f", "g"]), ..Options::default() };
            let page = sample::with_rows(sample::page(&title), [vec![field.clone().into()]]);
            let text = sample::write(Format::Tsv, &options, &[page]);
            let cells: Vec<_> = text.strip_suffix('\n').unwrap().split('\t').map(unescape).collect();
            prop_assert_eq!(cells.len(), COLUMNS.len() + 2);
            prop_assert_eq!(&cells[3], &title);
            prop_assert_eq!(&cells[6], &field);
        }
    }
}
