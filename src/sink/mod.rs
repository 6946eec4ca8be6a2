//! Records on their way out: in a format, to a file, a pipe or a terminal.
//!
//! A format of lines renders one record at a time (`Render`); everything else is common to all of them. Parquet, which is
//! written column by column, is a sink of its own, and so are a database and a report, which has no records.

mod archive;
mod broken;
mod compression;
mod csv;
pub mod database;
mod duplicates;
pub mod expect;
mod failures;
mod figures;
mod folder;
mod formula;
mod fragments;
mod graph;
pub mod journal;
mod jsonl;
mod lines;
mod lock;
mod making;
mod neutral;
mod ordered;
mod parquet;
mod recorded;
pub mod report;
#[cfg(test)]
mod sample;
mod table;
mod tsv;
mod width;

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;

use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::task::block_in_place;

pub use archive::{Archive, Earlier, archive_compression, index_path};
pub use broken::Tally;
pub use compression::Compression;
pub use duplicates::Duplicates;
pub use failures::Failures;
pub use figures::{grouped, human_duration, human_latency, human_size, rate};
pub use folder::{Earlier as Saved, Folder, MANIFEST};
pub use fragments::Fragments;
pub use graph::{Gathered as GatheredGraph, Graph, GraphFormat};
pub(crate) use jsonl::{write_list, write_value};
pub use lines::Lines;
pub use lock::lock;
pub use neutral::{escape_json, neutralise};
pub use ordered::Ordered;
pub use parquet::Gathered;
pub use recorded::Foreign;
pub use width::cut;

use self::formula::is_formula;
use crate::engine::Sink;
use crate::job::Outcome;
use crate::record::{Column, Record};

/// How records are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Aligned rows for a person, cut to a width.
    Table,
    /// Tab-separated values of the main columns, a line a record, without a header.
    Tsv,
    /// The whole record as a JSON object, a line a record.
    Jsonl,
    /// The whole record as comma-separated values, with a header.
    Csv,
    /// The whole record as a row of a Parquet file: typed columns, and nothing to read before the end.
    Parquet,
}

impl Format {
    /// Every format, in the order of declaration.
    pub const ALL: [Self; 5] = [Self::Table, Self::Tsv, Self::Jsonl, Self::Csv, Self::Parquet];

    /// The name that a user gives it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Tsv => "tsv",
            Self::Jsonl => "jsonl",
            Self::Csv => "csv",
            Self::Parquet => "parquet",
        }
    }

    const fn extensions(self) -> &'static [&'static str] {
        match self {
            Self::Table => &[],
            Self::Tsv => &["tsv", "tab"],
            Self::Jsonl => &["jsonl", "ndjson", "json"],
            Self::Csv => &["csv"],
            Self::Parquet => &["parquet"],
        }
    }

    /// The format that a file of this name is expected to have.
    #[must_use]
    pub fn from_extension(path: &Path) -> Option<Self> {
        let extension = path.extension()?;
        let is_known = |format: &Self| format.extensions().iter().any(|known| extension.eq_ignore_ascii_case(known));
        Self::ALL.into_iter().find(is_known)
    }

    /// Whether it is lines of text, each of which is written when its record has come.
    #[must_use]
    pub const fn is_text(self) -> bool {
        !matches!(self, Self::Parquet)
    }

    /// A sink that writes every record in this format.
    #[must_use]
    pub fn sink(self, lines: Lines, options: &Options) -> Box<dyn Sink> {
        self.open(lines, options, true)
    }

    /// A sink that writes every record in this format, which is [text](Self::is_text), behind others.
    #[must_use]
    pub fn sink_behind(self, lines: Lines, options: &Options) -> Box<dyn Sink> {
        self.open(lines, options, false)
    }

    fn open(self, lines: Lines, options: &Options, is_first: bool) -> Box<dyn Sink> {
        if self == Self::Table && options.wanted == Wanted::Broken {
            return Box::new(broken::Grouped::new(lines, options.width));
        }
        options.wanted.of(self.open_for_all(lines, options, is_first))
    }

    fn open_for_all(self, lines: Lines, options: &Options, is_first: bool) -> Box<dyn Sink> {
        match self {
            Self::Table => Output::start(lines, table::Table::new(options), options, is_first),
            Self::Tsv => Output::start(lines, tsv::Tsv::new(options), options, is_first),
            Self::Jsonl => Output::start(lines, jsonl::Jsonl, options, is_first),
            Self::Csv => Output::start(lines, csv::Csv::new(options), options, is_first),
            Self::Parquet => Box::new(parquet::Parquet::new(lines, options)),
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Of what there are records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Wanted {
    /// Of all that was asked for.
    #[default]
    All,
    /// Of broken links alone. The table tells of them page by page, when all are known.
    Broken,
}

impl Wanted {
    /// A sink that hands on to this one what is wanted.
    #[must_use]
    pub fn of(self, sink: Box<dyn Sink>) -> Box<dyn Sink> {
        match self {
            Self::All => sink,
            Self::Broken => Box::new(broken::OnlyBroken(sink)),
        }
    }
}

/// What the formats need to know.
#[derive(Clone, Debug)]
pub struct Options {
    /// The names of the fields that were asked for, in that order.
    pub fields: Arc<[Box<str>]>,
    /// What the values of each of them are, as a JSON Schema in JSON. One that is not told may hold anything.
    pub schemas: Arc<[Box<str>]>,
    /// The columns that a row of the table may take.
    pub width: usize,
    /// Of what there are records.
    pub wanted: Wanted,
    /// Whether the table is coloured.
    pub color: bool,
    /// Whether a terminal shows what is written: then CSV, which has no escapes, is neutralised. The other formats
    /// are harmless wherever they go.
    pub terminal: bool,
    /// Whether an apostrophe stands before what a spreadsheet would take for a formula in a cell of CSV or TSV: text that
    /// starts with `=`, `+`, `-`, `@`, a tab or a line break, and is no number. It is then shown as it is, but the cell
    /// does not hold the text exactly any more.
    pub csv_safe: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            fields: Arc::default(),
            schemas: Arc::default(),
            width: 80,
            wanted: Wanted::All,
            color: false,
            terminal: false,
            csv_safe: false,
        }
    }
}

/// One format of lines: records in, whole lines out.
trait Render: Send {
    /// Adds what stands above the first record, and alone where there is none.
    fn header(&self, _fields: &[Box<str>], _out: &mut Vec<u8>) {}

    /// Adds one record.
    fn record(&mut self, record: &Record<'_>, out: &mut Vec<u8>) -> io::Result<()>;
}

/// The sink of a format of lines.
struct Output<R> {
    lines: Lines,
    render: R,
    fields: Arc<[Box<str>]>,
}

impl<R: Render + 'static> Output<R> {
    fn start(mut lines: Lines, render: R, options: &Options, is_first: bool) -> Box<dyn Sink> {
        let fields = Arc::clone(&options.fields);
        if is_first {
            lines.lead(|out| render.header(&fields, out));
        }
        Box::new(Self { lines, render, fields })
    }
}

impl<R: Render> Sink for Output<R> {
    fn accept(&mut self, outcome: &Outcome) -> io::Result<()> {
        Record::of(outcome, &self.fields).try_for_each(|record| self.lines.push(|out| self.render.record(&record, out)))
    }

    fn idle(&mut self) -> io::Result<()> {
        self.lines.flush()
    }

    fn commit(&mut self) -> io::Result<()> {
        self.lines.part()
    }

    fn finish(mut self: Box<Self>) -> io::Result<()> {
        self.lines.finish()
    }
}

/// Calls `put` with each cell of a flat format: those of `columns`, then the fields. With `csv_safe`, none is a formula.
fn for_each_cell(
    record: &Record<'_>,
    columns: impl IntoIterator<Item = &'static Column>,
    csv_safe: bool,
    mut put: impl FnMut(&str) -> io::Result<()>,
) -> io::Result<()> {
    let mut put = |cell: &str| if csv_safe && is_formula(cell) { put(&format!("'{cell}")) } else { put(cell) };
    columns.into_iter().try_for_each(|column| put(&column.flat(record).to_cell()))?;
    record.fields().try_for_each(|(_, value)| put(&value.to_cell()))
}

/// Does what takes its time without holding up the requests that this thread drives.
fn apart<T>(work: impl FnOnce() -> T) -> T {
    match Handle::try_current().map(|handle| handle.runtime_flavor()) {
        Ok(RuntimeFlavor::MultiThread) => block_in_place(work),
        _ => work(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::sample::{Tape, hostile_text};
    use super::*;

    #[test]
    fn a_format_is_known_by_its_name_as_an_extension() {
        for format in Format::ALL.into_iter().filter(|&format| format != Format::Table) {
            assert_eq!(Format::from_extension(Path::new(&format!("out.{format}"))), Some(format));
        }
        assert_eq!(Format::from_extension(Path::new("dir.csv/OUT.NDJSON")), Some(Format::Jsonl));
        for unknown in ["csv", "out.html", "out.", ".csv", "out.csv.gz", "out.txt"] {
            assert_eq!(Format::from_extension(Path::new(unknown)), None, "{unknown}");
        }
    }

    #[test]
    fn what_is_accepted_is_seen_when_nothing_more_waits() {
        for format in sample::text_formats() {
            let tape = Tape::default();
            let mut sink = format.sink(Lines::new("out", tape.clone()), &Options::default());
            sink.accept(&sample::page("a title")).unwrap();
            assert!(tape.writes().is_empty(), "{format}");
            sink.idle().unwrap();
            assert!(tape.text().contains("a title"), "{format}");
        }
    }

    #[test]
    fn a_closed_pipe_is_known_as_such_and_named() {
        for format in Format::ALL {
            let tape = Tape::failing(io::ErrorKind::BrokenPipe);
            let mut sink = format.sink(Lines::pipe("stdout", tape), &Options::default());
            sink.accept(&sample::page("a title")).unwrap();
            let error = sink.finish().unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
            assert!(error.to_string().starts_with("cannot write stdout: "), "{error}");
        }
    }

    #[test]
    fn an_empty_run_gives_a_header_or_nothing() {
        for format in sample::text_formats() {
            let rows = sample::write(format, &Options::default(), &[]).lines().count();
            assert_eq!(rows, usize::from(format == Format::Csv), "{format}");
        }
    }

    #[test]
    fn an_outcome_gives_a_record_for_each_of_its_rows() {
        let rows = [["one".into()], ["two".into()]].map(Vec::from);
        let options = Options { fields: sample::names(&["name"]), ..Options::default() };
        for format in sample::text_formats() {
            let text = sample::write(format, &options, &[sample::with_rows(sample::page("t"), rows.clone())]);
            assert!(text.contains("one") && text.contains("two"), "{format}: {text}");
        }
    }

    #[test]
    fn each_format_says_the_same_in_its_own_way() {
        let options = Options { fields: sample::names(&["price"]), ..Options::default() };
        let page = sample::with_rows(sample::page("Tab\there"), [vec!["9,50".into()]]);
        let write = |format| sample::write(format, &options, std::slice::from_ref(&page));
        insta::assert_snapshot!(write(Format::Tsv), @r"https://example.com/0	200	1256	Tab\there	120		9,50");
        insta::assert_snapshot!(write(Format::Jsonl), @r#"{"v":1,"url":"https://example.com/0","source":{"file":"urls.txt","line":1},"final_url":"https://example.com/0","status":200,"content_type":"text/html","charset":"UTF-8","length":1256,"bytes":1270,"title":"Tab\there","elapsed_ms":120,"attempts":1,"redirects":[],"depth":0,"referrer":null,"links_found":null,"fetched_at":"2026-11-22T10:30:00.500Z","input":null,"error":null,"fields":{"price":"9,50"}}"#);
        insta::assert_snapshot!(write(Format::Csv), @r#"
        v,url,source,final_url,status,content_type,charset,length,bytes,title,elapsed_ms,attempts,redirects,depth,referrer,links_found,fetched_at,input,error,price
        1,https://example.com/0,urls.txt:1,https://example.com/0,200,text/html,UTF-8,1256,1270,Tab	here,120,1,[],0,,,2026-11-22T10:30:00.500Z,,,"9,50"
        "#);
    }

    #[test]
    fn a_cell_that_a_spreadsheet_would_compute_gets_an_apostrophe_on_demand() {
        let formula = "=HYPERLINK(\"http://a.test/\")";
        let page = sample::with_rows(sample::page(formula), [vec!["-1+1".into(), "-5".into(), "\t@".into()]]);
        let write = |format, csv_safe| {
            let options = Options { fields: sample::names(&["a", "b", "c"]), csv_safe, ..Options::default() };
            sample::write(format, &options, std::slice::from_ref(&page))
        };
        assert!(write(Format::Csv, true).contains(",\"'=HYPERLINK(\"\"http://a.test/\"\")\","));
        assert!(write(Format::Csv, true).ends_with(",'-1+1,-5,'\t@\n"));
        assert!(write(Format::Csv, false).ends_with(",-1+1,-5,\t@\n"));
        assert!(write(Format::Tsv, true).contains("\t'=HYPERLINK(\"http://a.test/\")\t"));
        assert!(write(Format::Tsv, true).ends_with("\t'-1+1\t-5\t'\\t@\n"));
        assert_eq!(write(Format::Jsonl, true), write(Format::Jsonl, false));
    }

    proptest! {
        #[test]
        fn nothing_that_a_terminal_acts_on_reaches_it(title in hostile_text(), field in hostile_text()) {
            let options = Options { fields: sample::names(&["f"]), terminal: true, ..Options::default() };
            let page = sample::with_rows(sample::page(&title), [vec![field.into()]]);
            for format in sample::text_formats() {
                let text = sample::write(format, &options, std::slice::from_ref(&page));
                prop_assert!(!text.chars().any(|c| !matches!(c, '\n' | '\t') && neutral::is_active(c)), "{format}: {text:?}");
            }
        }
    }
}
