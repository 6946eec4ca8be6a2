//! Records in a file: where one ends, and what it says of its URL.

use std::borrow::Cow;
use std::io::{self, BufRead};

use crate::record::{COLUMNS, flat_headings};
use crate::sink::Format;
use crate::sink::recorded::{Failed, Object, Text, read_line};
use crate::sink::tsv;

/// What a record says of its URL.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Entry<'a> {
    /// The URL as given.
    pub(super) url: Cow<'a, str>,
    pub(super) status: Option<u16>,
    /// The kind and the message of its failure.
    pub(super) error: Option<(Cow<'a, str>, Cow<'a, str>)>,
}

/// A piece of a file, from one line end to another.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    Header,
    Record(Entry<'a>),
    /// What a report takes besides records.
    Aside,
    /// What is left of records that the disk lost.
    Debris,
}

/// How records stand in a file.
pub(super) struct Layout {
    syntax: Syntax,
    /// What the values of a record are called, in their order; of JSON Lines those in `fields`.
    headings: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Syntax {
    Jsonl,
    Csv,
    Tsv,
    Report,
}

impl Layout {
    /// The layout of a format whose records can be read back.
    pub(super) fn of(format: Format, fields: &[Box<str>]) -> Option<Self> {
        let fields_alone = || fields.iter().map(ToString::to_string);
        let (syntax, headings) = match format {
            Format::Table | Format::Parquet => return None,
            Format::Jsonl => (Syntax::Jsonl, fields_alone().collect()),
            Format::Csv => (Syntax::Csv, flat_headings(fields).map(Cow::into_owned).collect()),
            Format::Tsv => (Syntax::Tsv, tsv::COLUMNS.into_iter().map(String::from).chain(fields_alone()).collect()),
        };
        Some(Self { syntax, headings })
    }

    /// The layout of what a report takes of records.
    pub(super) fn of_report() -> Self {
        Self { syntax: Syntax::Report, headings: Vec::new() }
    }

    /// Reads one record into `record`, its line end included; false where none follows that has one.
    pub(super) fn cut(&self, reader: &mut impl BufRead, record: &mut Vec<u8>) -> io::Result<bool> {
        let mut is_quoted = false;
        loop {
            let start = record.len();
            if !read_line(reader, record)? {
                return Ok(false);
            }
            // In our CSV each quote is one of a pair, but for those around a cell with a line end in it.
            is_quoted ^= self.syntax == Syntax::Csv && memchr::memchr_iter(b'"', &record[start..]).count() % 2 == 1;
            if !is_quoted {
                return Ok(true);
            }
        }
    }

    /// What a record says; or what is different from the records of this layout.
    pub(super) fn parse<'a>(&self, record: &'a [u8], is_first: bool) -> Result<Piece<'a>, String> {
        if self.syntax != Syntax::Csv && record.contains(&0) {
            return Ok(Piece::Debris);
        }
        let text = str::from_utf8(record).map_err(|_| "it is not UTF-8")?;
        let text = text.strip_suffix('\n').unwrap_or(text);
        match self.syntax {
            Syntax::Jsonl => self.object(text).map(Piece::Record),
            Syntax::Report => told(&Object::parse(text.as_bytes())?),
            Syntax::Csv => {
                let cells = csv_cells(text);
                if is_first {
                    return difference(&cells, &self.headings).map_or(Ok(Piece::Header), Err);
                }
                self.entry(&cells).map(Piece::Record)
            }
            Syntax::Tsv => {
                let cells: Vec<_> = text.split('\t').map(tsv::unescape).collect();
                self.entry(&cells).map(Piece::Record)
            }
        }
    }

    fn object<'a>(&self, text: &'a str) -> Result<Entry<'a>, String> {
        let record = Object::parse(text.as_bytes())?;
        let keys: Vec<_> = COLUMNS.iter().map(|column| column.name).chain(["fields"]).collect();
        let different = |difference| format!("it is no record of this version: {difference}");
        difference(&record.names(), &keys).map(different).map_or(Ok(()), Err)?;
        let fields: Object<'_> = record.value("fields")?;
        difference(&fields.names(), &self.headings).map_or(Ok(()), Err)?;
        entry(&record)
    }

    /// What cells in the order of the headings say.
    fn entry<'a>(&self, cells: &[Cow<'a, str>]) -> Result<Entry<'a>, String> {
        let (have, want) = (cells.len(), self.headings.len());
        if have != want {
            return Err(format!("it has {have} cells, not {want}"));
        }
        let cell = |name: &str| {
            let place = self.headings.iter().position(|heading| heading == name);
            place.and_then(|place| cells.get(place)).cloned().unwrap_or_default()
        };
        let (status, error) = (cell("status"), cell("error"));
        let kind_and_message = |error: Cow<'a, str>| {
            let (kind, message) = error.split_once(": ").unwrap_or((&error, ""));
            (Cow::Owned(kind.to_owned()), Cow::Owned(message.to_owned()))
        };
        Ok(Entry {
            url: cell("url"),
            status: (!status.is_empty()).then(|| status.parse().map_err(|_| "its status is no number")).transpose()?,
            error: (!error.is_empty()).then(|| kind_and_message(error)),
        })
    }
}

/// What a record in JSON says.
fn entry<'a>(record: &Object<'a>) -> Result<Entry<'a>, String> {
    let error: Option<Failed<'_>> = record.value("error")?;
    Ok(Entry {
        url: record.value::<Text<'_>>("url")?.0,
        status: record.value("status")?,
        error: error.map(|failed| (failed.kind, failed.message)),
    })
}

/// What a line says that a report has taken.
fn told<'a>(line: &Object<'a>) -> Result<Piece<'a>, String> {
    if line.names().contains(&"trace") { Ok(Piece::Aside) } else { entry(line).map(Piece::Record) }
}

/// The cells of a row of CSV as we write it: a quote is only in cells that are quoted.
fn csv_cells(row: &str) -> Vec<Cow<'_, str>> {
    let mut cells = Vec::new();
    let mut rest = Some(row);
    while let Some(text) = rest {
        let mut is_quoted = false;
        let end = text.bytes().position(|byte| {
            is_quoted ^= byte == b'"';
            byte == b',' && !is_quoted
        });
        let (cell, more) = end.map_or((text, None), |end| (&text[..end], Some(&text[end + 1..])));
        let quoted = cell.strip_prefix('"').and_then(|cell| cell.strip_suffix('"'));
        cells.push(quoted.map_or(Cow::Borrowed(cell), |inner| Cow::Owned(inner.replace("\"\"", "\""))));
        rest = more;
    }
    cells
}

/// How two lists of names differ, in words.
fn difference(have: &[impl AsRef<str>], want: &[impl AsRef<str>]) -> Option<String> {
    let (have, want): (Vec<_>, Vec<_>) =
        (have.iter().map(AsRef::as_ref).collect(), want.iter().map(AsRef::as_ref).collect());
    let without = |names: &[&str], others: &[&str]| {
        names
            .iter()
            .filter(|name| !others.contains(name))
            .map(|name| format!("{name:?}"))
            .collect::<Vec<_>>()
            .join(", ")
    };
    let (missing, extra) = (without(&want, &have), without(&have, &want));
    match (missing.as_str(), extra.as_str()) {
        _ if have == want => None,
        ("", "") => Some("it has its values in another order".into()),
        ("", extra) => Some(format!("it has {extra}, which is not asked for")),
        (missing, "") => Some(format!("it has no {missing}")),
        (missing, extra) => Some(format!("it has {extra} and no {missing}")),
    }
}
