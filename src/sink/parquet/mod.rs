//! Apache Parquet: a table with typed columns, one for each key of the record and one for each field, compressed with zstd.
//!
//! What was decided:
//! - The types are those of the JSON Schemas that `scrape schema` prints: text, number, truth value, time; a list is a LIST,
//!   an object whose members are known a STRUCT. What has no single type there is JSON, as text that is marked as such;
//!   null is null, and a text is in quotes.
//! - Fields stand beside the keys of the record, as in CSV: `fields.NAME` where both have the name.
//! - Every column may be null.
//! - A row group has at most 131,072 rows and is written once its columns take 32 MiB of memory, so that a long run needs
//!   no more; a single record may be larger.
//! - A file is complete with its end, which tells where everything stands. Before it, there is nothing that a reader could
//!   use: a run that is killed, or whose disk gets full, leaves no readable file.
//! - Where a state has to know how far a file has come, its records are [gathered](Gathered) in a file of lines, of which it is
//!   made at the end of each run.

mod column;
mod gathered;
mod shape;

use std::borrow::Cow;
use std::io;
use std::sync::Arc;

use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::{ParquetError, Result};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::Type;

use self::column::{Column, Levels};
pub use self::gathered::Gathered;
use self::shape::{Leaf, Shape};
use super::compression::Compressor;
use super::{Lines, Options, apart};
use crate::engine::Sink;
use crate::job::Outcome;
use crate::record::{COLUMNS, Record, flat_headings};
use crate::value::Value;

/// The rows of a group.
const ROWS: usize = 1 << 17;

/// The memory of a group, in bytes.
const BYTES: usize = 32 << 20;

/// The sink of Parquet.
pub(super) struct Parquet {
    /// What errors call the file.
    name: Box<str>,
    fields: Arc<[Box<str>]>,
    shapes: Vec<Shape>,
    /// Those of all shapes, one after the other.
    columns: Vec<Column>,
    rows: usize,
    /// What goes into the file, or why nothing does any more.
    writer: Result<SerializedFileWriter<Compressor>>,
}

impl Parquet {
    pub(super) fn new(lines: Lines, options: &Options) -> Self {
        let (name, out) = lines.into_parts();
        let fields = Arc::clone(&options.fields);
        let schemas = (0..fields.len()).map(|place| options.schemas.get(place).map_or("{}", |schema| &**schema));
        let schemas = COLUMNS.iter().map(|column| column.schema).chain(schemas);
        let shapes: Vec<_> = schemas.map(shape).collect();
        let columns = shapes.iter().flat_map(Shape::columns).collect();
        let writer = open(out, &fields, &shapes);
        Self { name, fields, shapes, columns, rows: 0, writer }
    }

    /// Puts a row of the keys of a record and its fields.
    fn put<'v>(&mut self, values: impl Iterator<Item = Cow<'v, Value<'v>>>) -> io::Result<()> {
        let mut rest = &mut *self.columns;
        for (shape, value) in self.shapes.iter().zip(values) {
            let (own, others) = rest.split_at_mut(shape.width());
            shape.put(&value, Levels::default(), own);
            rest = others;
        }
        self.rows += 1;
        if self.is_full() { self.write(write_group) } else { Ok(()) }
    }

    fn is_full(&self) -> bool {
        self.rows >= ROWS || self.columns.iter().map(Column::size).sum::<usize>() >= BYTES
    }

    /// Writes what there is by `write`. What could not be written once is not tried again: the file is lost.
    fn write(
        &mut self,
        write: impl FnOnce(&mut SerializedFileWriter<Compressor>, &mut [Column]) -> Result<()>,
    ) -> io::Result<()> {
        self.rows = 0;
        let written = match &mut self.writer {
            Ok(writer) => apart(|| write(writer, &mut self.columns)),
            Err(error) => return Err(explain(&self.name, error)),
        };
        written.map_err(|error| {
            let explained = explain(&self.name, &error);
            self.writer = Err(error);
            explained
        })
    }
}

impl Sink for Parquet {
    fn accept(&mut self, outcome: &Outcome) -> io::Result<()> {
        let fields = Arc::clone(&self.fields);
        Record::of(outcome, &fields).try_for_each(|record| {
            let keys = COLUMNS.iter().map(|column| Cow::Owned((column.read)(&record)));
            self.put(keys.chain(record.fields().map(|(_, value)| Cow::Borrowed(value))))
        })
    }

    fn finish(mut self: Box<Self>) -> io::Result<()> {
        let has_rows = self.rows > 0;
        self.write(|writer, columns| {
            if has_rows {
                write_group(writer, columns)?;
            }
            writer.finish()?;
            Ok(writer.inner_mut().finish()?)
        })
    }
}

fn shape(schema: &str) -> Shape {
    serde_json::from_str(schema).map_or(Shape::Leaf(Leaf::Json), |schema| Shape::of(&schema))
}

/// A file without rows.
fn open(out: Compressor, fields: &[Box<str>], shapes: &[Shape]) -> Result<SerializedFileWriter<Compressor>> {
    let columns = flat_headings(fields).zip(shapes).map(|(name, shape)| shape.to_type(&name));
    let columns = columns.collect::<Result<_>>()?;
    let schema = Type::group_type_builder("record").with_fields(columns).build()?;
    let level = ZstdLevel::try_new(zstd::DEFAULT_COMPRESSION_LEVEL)?;
    let properties = WriterProperties::builder().set_compression(Compression::ZSTD(level)).build();
    SerializedFileWriter::new(out, Arc::new(schema), Arc::new(properties))
}

/// Writes what the columns hold, one after the other.
fn write_group(writer: &mut SerializedFileWriter<Compressor>, columns: &mut [Column]) -> Result<()> {
    let mut group = writer.next_row_group()?;
    for column in columns {
        if let Some(mut writer) = group.next_column()? {
            column.write(&mut writer)?;
            writer.close()?;
        }
    }
    group.close().map(|_| ())
}

/// The error with the name of the file. Its kind stays: a closed pipe is no error to a caller.
fn explain(name: &str, error: &ParquetError) -> io::Error {
    let source = if let ParquetError::External(source) = error { source.downcast_ref::<io::Error>() } else { None };
    match source {
        Some(source) => io::Error::new(source.kind(), format!("cannot write {name}: {source}")),
        None => io::Error::other(format!("cannot write {name}: {error}")),
    }
}

#[cfg(test)]
mod tests;
