//! A table (CSV or TSV with a header line) → its entries.

use std::collections::HashSet;
use std::io::{self, BufRead, ErrorKind};
use std::sync::Arc;

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};
use serde::ser::{Serialize, Serializer};
use serde_json::value::{RawValue, to_raw_value};

use super::Entry;
use super::object::{self, RECORD_KEYS};
use super::origin::Origin;
use crate::job::Rejected;

/// The longest row that is read: the bytes of its cells. An unclosed quote makes the rest of the table one row.
const MAX_ROW_BYTES: usize = 16 << 20;
/// The most cells a row may have.
const MAX_CELLS: usize = 16_384;

/// The rows of a table as RFC 4180 has it, except that rows may be ragged.
///
/// A row is handed out as soon as its end was read, and no more than one row is held.
pub(super) struct Rows<R> {
    reader: R,
    parser: Reader,
    /// The line that is read next.
    line: u64,
    /// Whether the byte before was a carriage return: a line feed that follows ends no other line.
    is_after_return: bool,
    row: Row,
}

impl<R: BufRead> Rows<R> {
    /// A table whose cells are separated by `delimiter`.
    pub(super) fn new(reader: R, delimiter: u8) -> Self {
        let parser = ReaderBuilder::new().delimiter(delimiter).build();
        Self { reader, parser, line: 1, is_after_return: false, row: Row::default() }
    }

    /// Reads a row; none at the end.
    fn read(&mut self) -> io::Result<Option<&Row>> {
        self.row.clear();
        let mut is_started = false;
        loop {
            let chunk = match self.reader.fill_buf() {
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                chunk => chunk?,
            };
            // The parser skips blank lines too, but then nobody knows on which line the row starts.
            let blank = chunk.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
            let (state, used) = if is_started || blank == 0 {
                if !is_started {
                    self.row.line = self.line;
                    is_started = true;
                }
                self.row.parse(&mut self.parser, chunk)
            } else {
                (ReadRecordResult::InputEmpty, blank)
            };
            for &byte in &chunk[..used] {
                self.line += u64::from(byte == b'\r' || (byte == b'\n' && !self.is_after_return));
                self.is_after_return = byte == b'\r';
            }
            self.reader.consume(used);
            match state {
                ReadRecordResult::Record => return Ok(Some(&self.row)),
                ReadRecordResult::End => return Ok(None),
                _ => {}
            }
        }
    }
}

/// The cells of one row, as far as they are kept.
#[derive(Default)]
struct Row {
    /// The line that the row starts on.
    line: u64,
    /// The contents of the cells, one after the other. Its length is the room that there is.
    bytes: Vec<u8>,
    /// Where each cell ends in `bytes`. Its length is the room that there is.
    ends: Vec<usize>,
    /// How many of `bytes` are the row's.
    byte_count: usize,
    /// How many of `ends` are the row's.
    cell_count: usize,
    /// Whether the row is longer than what is kept.
    is_cut: bool,
}

impl Row {
    fn clear(&mut self) {
        (self.byte_count, self.cell_count, self.is_cut) = (0, 0, false);
    }

    /// Takes what belongs to this row off the start of `chunk`, and tells how much that was.
    fn parse(&mut self, parser: &mut Reader, chunk: &[u8]) -> (ReadRecordResult, usize) {
        if self.is_cut {
            let (state, used, ..) = parser.read_record(chunk, &mut [0; 4096], &mut [0; 64]);
            return (state, used);
        }
        let (bytes, ends) = (&mut self.bytes[self.byte_count..], &mut self.ends[self.cell_count..]);
        let (state, used, byte_count, cell_count) = parser.read_record(chunk, bytes, ends);
        self.byte_count += byte_count;
        self.cell_count += cell_count;
        match state {
            ReadRecordResult::OutputFull => self.is_cut = !grow(&mut self.bytes, MAX_ROW_BYTES),
            ReadRecordResult::OutputEndsFull => self.is_cut = !grow(&mut self.ends, MAX_CELLS),
            _ => {}
        }
        (state, used)
    }

    fn cell(&self, index: usize) -> Option<&[u8]> {
        let ends = &self.ends[..self.cell_count];
        let start = index.checked_sub(1).map_or(0, |before| ends.get(before).copied().unwrap_or_default());
        self.bytes.get(start..*ends.get(index)?)
    }

    fn cells(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.cell_count).filter_map(|index| self.cell(index))
    }
}

/// Makes more room, up to `limit`; false when that is reached.
fn grow<T: Clone + Default>(room: &mut Vec<T>, limit: usize) -> bool {
    let is_possible = room.len() < limit;
    room.resize((room.len() * 2).clamp(1024, limit), T::default());
    is_possible
}

/// The entries of a table: one for every row but those whose cells are all blank.
pub(super) struct Table<R> {
    rows: Rows<R>,
    origin: Origin,
    /// The names of the columns, all different.
    names: Vec<String>,
    /// Which of them has the URLs.
    url: usize,
    /// Which of them has what a record carries along, where the rows are records of our own.
    record_input: Option<usize>,
}

impl<R: BufRead> Table<R> {
    /// Reads the header and finds the first column called `column`, white space around names apart. Where there is
    /// none, the columns that there are are returned; an empty table has no entries whatever the column.
    ///
    /// In what is carried along, a name that occurs again and one that is empty get the column's number:
    /// `name_3`, `column_3`.
    pub(super) fn open(mut rows: Rows<R>, origin: Origin, column: &str) -> io::Result<Result<Self, Vec<String>>> {
        let name = |cell: &[u8]| String::from_utf8_lossy(cell).trim().to_owned();
        let header: Option<Vec<_>> = rows.read()?.map(|row| row.cells().map(name).collect());
        let Some(header) = header else {
            return Ok(Ok(Self { rows, origin, names: Vec::new(), url: 0, record_input: None }));
        };
        Ok(match header.iter().position(|name| name == column.trim()) {
            Some(url) => {
                let record_input = record_input(&header);
                Ok(Self { rows, origin, names: distinct(header), url, record_input })
            }
            None => Err(header),
        })
    }

    /// What the current row holds.
    fn entry(&self) -> Option<Entry> {
        let row = &self.rows.row;
        let reject = |reason| {
            let url = String::from_utf8_lossy(row.cell(self.url).unwrap_or_default());
            Some(Err(self.origin.reject(row.line, &url, reason)))
        };
        if row.is_cut {
            return reject("row is longer than 16,777,216 bytes or 16,384 cells: a quote may be unclosed");
        }
        // Cell by cell: two halves of a character in two cells are no UTF-8.
        let Ok(cells) = row.cells().map(std::str::from_utf8).collect::<Result<Vec<_>, _>>() else {
            return reject("row is not UTF-8");
        };
        if cells.iter().all(|cell| cell.trim().is_empty()) {
            return None;
        }
        let Some(url) = cells.get(self.url) else { return reject("row ends before the column of the URL") };
        let entry = self.origin.seed(row.line, url, self.input(&cells));
        Some(entry.map_err(|rejected| match url.trim() {
            "" => Rejected { reason: format!("the column {} is empty", self.names[self.url]), ..rejected },
            _ => rejected,
        }))
    }

    /// The other cells by name, of a record of our own what it has under `input`; none where the URL is all there is.
    fn input(&self, cells: &[&str]) -> Option<Arc<RawValue>> {
        let own = self.record_input.map(|index| cells.get(index).copied().unwrap_or_default());
        if own == Some("") {
            return None;
        }
        if let Some(object) = own.and_then(object::whole) {
            return Some(object.to_owned().into());
        }
        let carried = Carried { names: &self.names, cells, url: self.url };
        // Serialising strings to memory cannot fail.
        (carried.width() > 1).then(|| to_raw_value(&carried).ok()).flatten().map(Arc::from)
    }
}

impl<R: BufRead> Iterator for Table<R> {
    type Item = io::Result<Entry>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.rows.read() {
                Ok(Some(_)) => {}
                Ok(None) => return None,
                Err(error) => return Some(Err(error)),
            }
            if let Some(entry) = self.entry() {
                return Some(Ok(entry));
            }
        }
    }
}

/// The column `input` of a table whose rows are records of our own; none for any other header.
fn record_input(header: &[String]) -> Option<usize> {
    let column = |key: &str| header.iter().position(|name| name == key);
    let is_record = ["v", "url"].iter().chain(&RECORD_KEYS).all(|key| column(key).is_some());
    column("input").filter(|_| is_record)
}

/// The names, each once.
fn distinct(header: Vec<String>) -> Vec<String> {
    let mut seen = HashSet::new();
    let unique = |(index, name): (usize, String)| {
        let number = index + 1;
        let mut name = if name.is_empty() { format!("column_{number}") } else { name };
        while !seen.insert(name.clone()) {
            name = format!("{name}_{number}");
        }
        name
    };
    header.into_iter().enumerate().map(unique).collect()
}

/// What a row carries along: an object of strings in the order of the columns. A cell that is missing is empty, and
/// one beyond the header is called `column_N`.
struct Carried<'a> {
    names: &'a [String],
    cells: &'a [&'a str],
    url: usize,
}

impl Carried<'_> {
    fn width(&self) -> usize {
        self.names.len().max(self.cells.len())
    }
}

impl Serialize for Carried<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let name = |index: usize| self.names.get(index).cloned().unwrap_or_else(|| format!("column_{}", index + 1));
        let cell = |index: usize| self.cells.get(index).copied().unwrap_or_default();
        let others = (0..self.width()).filter(|&index| index != self.url);
        serializer.collect_map(others.map(|index| (name(index), cell(index))))
    }
}

#[cfg(test)]
mod tests {
    use super::super::address::Scheme;
    use super::*;
    use crate::job::Target;
    use proptest::prelude::*;
    use std::io::{BufReader, Read, Write};

    fn open<R: BufRead>(reader: R, delimiter: u8) -> Result<Table<R>, Vec<String>> {
        let origin = Origin { file: Some("table".into()), scheme: Scheme::Https };
        Table::open(Rows::new(reader, delimiter), origin, "url").unwrap()
    }

    fn target(entry: &Entry) -> &Target {
        entry.as_ref().map_or_else(|rejected| &rejected.target, |seed| &seed.target)
    }

    /// The line numbers, texts (of a rejection the reason) and inputs of a table.
    fn read(table: impl AsRef<[u8]>) -> Vec<(u64, String, String)> {
        let describe = |entry: Entry| {
            let target = target(&entry).clone();
            let text = entry.map_or_else(|rejected| rejected.reason, |seed| seed.target.given.into());
            (target.at.line, text, target.input.map_or_else(String::new, |input| input.get().into()))
        };
        open(table.as_ref(), b',').ok().unwrap().map(Result::unwrap).map(describe).collect()
    }

    fn row(line: u64, text: &str, input: &str) -> (u64, String, String) {
        (line, text.into(), input.into())
    }

    #[test]
    fn the_other_columns_are_carried_in_order() {
        let rows = read("z,url,a\r\n1,a.test,\"x, \"\"y\"\"\"\r\n2,b.test,\u{e9}\r\n");
        assert_eq!(rows[0], row(2, "https://a.test", r#"{"z":"1","a":"x, \"y\""}"#));
        assert_eq!(rows[1], row(3, "https://b.test", "{\"z\":\"2\",\"a\":\"\u{e9}\"}"));
        assert_eq!(read("url\na.test"), [row(2, "https://a.test", "")]);
        assert_eq!(read(""), []);
    }

    #[test]
    fn a_row_is_at_the_line_that_it_starts_on() {
        for end in ["\n", "\r\n", "\r"] {
            let table = "\nurl,note\n\n\na.test,\"1\n\n2\"\n\nb.test,\n , \n,\nc.test,\n".replace('\n', end);
            let lines: Vec<_> = read(table).into_iter().map(|(line, ..)| line).collect();
            assert_eq!(lines, [5, 9, 12]);
        }
    }

    #[test]
    fn a_bad_row_is_rejected_and_the_next_one_read() {
        let rows = read(b"url,n\n\xffa.test,1\na.test,\xe2\n\x82\xac,\nx:y,2\n\"\",3\nb.test,4\n");
        let reasons: Vec<_> = rows.iter().map(|(_, reason, _)| reason.as_str()).collect();
        let scheme = "scheme x is not supported: only http and https";
        let [bytes, empty] = ["row is not UTF-8", "the column url is empty"];
        assert_eq!(reasons, [bytes, bytes, bytes, scheme, empty, "https://b.test"]);
        assert_eq!([&*rows[3].2, &rows[4].2], [r#"{"n":"2"}"#, r#"{"n":"3"}"#]);
    }

    #[test]
    fn a_record_of_our_own_carries_its_input_alone() {
        let header = "v,url,source,final_url,fetched_at,input,error,h1";
        let rows = read(format!(
            "{header}\n1,a.test,s,f,t,\"{{\"\"id\"\": 7}}\",,x\n1,b.test,s,f,t,,,x\n1,c.test\n1,d.test,s,f,t,7,,x\n"
        ));
        let inputs: Vec<_> = rows.iter().map(|(_, _, input)| input.as_str()).collect();
        assert_eq!(inputs[..3], [r#"{"id": 7}"#, "", ""]);
        assert!(inputs[3].starts_with(r#"{"v":"1","source":"s""#), "a foreign table: {}", inputs[3]);
        let foreign = read("v,url,final_url,fetched_at,input\n1,a.test,f,t,{}\n");
        assert_eq!(foreign[0].2, r#"{"v":"1","final_url":"f","fetched_at":"t","input":"{}"}"#);
    }

    #[test]
    fn half_a_character_in_each_of_two_cells_is_not_utf8() {
        assert_eq!(read(b"url,n\na.test/\xe2,\x82\xac\n")[0].1, "row is not UTF-8");
    }

    #[test]
    fn ragged_rows_and_odd_headers_are_fine() {
        let rows = read("url,, n ,n,url\na.test\nb.test,1,2,3,4,5\n");
        assert_eq!(rows[0].2, r#"{"column_2":"","n":"","n_4":"","url_5":""}"#);
        assert_eq!(rows[1].2, r#"{"column_2":"1","n":"2","n_4":"3","url_5":"4","column_6":"5"}"#);
        assert_eq!(read("n,url\n1\n")[0].1, "row ends before the column of the URL");
    }

    #[test]
    fn a_header_without_the_column_tells_its_columns() {
        assert_eq!(open(&b"a,\"b\nc\"\n"[..], b',').err().unwrap(), ["a", "b\nc"]);
        assert!(open(&b"a\turl\n"[..], b'\t').is_ok());
    }

    #[test]
    fn a_huge_row_is_not_held_and_the_row_after_it_is_read() {
        let huge = BufReader::new(io::repeat(b'x').take(50_000_000));
        let table = BufReader::new(&b"url,n\nhttps://me:sesame@a.test,"[..]).chain(huge).chain(&b"\nb.test,\n"[..]);
        let mut entries = open(table, b',').ok().unwrap();
        let rejected = entries.next().unwrap().unwrap().unwrap_err();
        assert_eq!((rejected.target.at.line, &*rejected.target.given), (2, "https://a.test"));
        assert!(rejected.reason.starts_with("row is longer than"), "{}", rejected.reason);
        let seed = entries.next().unwrap().unwrap().unwrap();
        assert_eq!((seed.target.at.line, &*seed.target.given), (3, "https://b.test"));
        assert!(entries.rows.row.bytes.capacity() <= 2 * MAX_ROW_BYTES);
        let many = read(format!("url\n{}\nb.test", ",".repeat(20_000)));
        assert!(many[0].1.starts_with("row is longer than"), "{}", many[0].1);
        assert_eq!(many[1], row(3, "https://b.test", ""));
    }

    #[test]
    fn an_unclosed_quote_makes_one_row_of_the_rest() {
        assert_eq!(read("url,n\na.test,\"\nb.test,\n"), [row(2, "https://a.test", r#"{"n":"\nb.test,\n"}"#)]);
        let rows = read(format!("url,n\na.test,\"{}", "b.test\n".repeat(3 << 20)));
        assert_eq!(rows.len(), 1);
        assert!(rows[0].1.ends_with("a quote may be unclosed"), "{}", rows[0].1);
    }

    #[test]
    fn a_row_comes_out_of_a_pipe_before_the_next_one_goes_in() {
        for end in ["\n", "\r\n"] {
            let (reader, mut writer) = io::pipe().unwrap();
            write!(writer, "url,n{end}").unwrap();
            let mut entries = open(BufReader::new(reader), b',').ok().unwrap();
            for line in 2..10 {
                write!(writer, "a.test,\"{line}\"{end}").unwrap();
                assert_eq!(target(&entries.next().unwrap().unwrap()).at.line, line);
            }
        }
    }

    proptest! {
        #[test]
        fn any_bytes_give_at_most_one_entry_a_line_in_order(
            table in prop::collection::vec(prop_oneof![any::<u8>(), prop::sample::select(b"\n\r,\"a ".to_vec())], 0..300),
            capacity in 1_usize..20,
        ) {
            let table = [b"url,n\n".as_slice(), &table].concat();
            let entries = open(BufReader::with_capacity(capacity, &table[..]), b',').ok().unwrap();
            let numbers: Vec<_> = entries.map(|entry| target(&entry.unwrap()).at.line).collect();
            let lines = u64::try_from(table.split(|byte| b"\r\n".contains(byte)).count()).unwrap();
            prop_assert!(numbers.iter().all(|number| (2..=lines).contains(number)), "{numbers:?}");
            prop_assert!(numbers.windows(2).all(|pair| pair[0] < pair[1]), "{numbers:?}");
        }

        #[test]
        fn cells_come_back_as_they_were_written(
            rows in prop::collection::vec(prop::collection::vec("[a-z,\"\r\n\u{e9} ]{0,8}", 3), 0..8),
        ) {
            let mut writer = csv::Writer::from_writer(Vec::new());
            writer.write_record(["url", "0", "1", "2"]).unwrap();
            for row in &rows {
                writer.write_record([["a.test"].as_slice(), &row.iter().map(String::as_str).collect::<Vec<_>>()].concat()).unwrap();
            }
            let read = read(writer.into_inner().unwrap());
            let expected: Vec<_> = rows.iter().map(|row| {
                let [zero, one, two] = [0, 1, 2].map(|n| serde_json::to_string(&row[n]).unwrap());
                format!(r#"{{"0":{zero},"1":{one},"2":{two}}}"#)
            }).collect();
            prop_assert_eq!(read.into_iter().map(|(_, _, input)| input).collect::<Vec<_>>(), expected);
        }
    }
}
