//! What was asked for, and what of it makes a version.

use std::io;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::extract::{Ask, Extractor};
use crate::job::Outcome;
use crate::record::Column;
use crate::sink::{write_list, write_value};
use crate::value::{Row, Value};

/// Which values of a record make a version, and what they are called.
#[derive(Clone, Debug)]
pub struct Shape {
    pub(super) names: Vec<Box<str>>,
    places: Vec<usize>,
    pub(super) fingerprint: u64,
}

impl Shape {
    /// The shape of what `extractor` makes of pages, as `asks` want.
    #[must_use]
    pub fn new(extractor: &Extractor, asks: &[Ask]) -> Self {
        let places: Vec<_> = extractor.lasting().collect();
        let names = places.iter().filter_map(|&place| extractor.names().get(place).cloned()).collect();
        Self { names, places, fingerprint: Ask::fingerprint(asks) }
    }

    /// Writes the version that an outcome is, as JSON, in place of what is in `json`.
    pub(super) fn version(&self, outcome: &Outcome, json: &mut Vec<u8>) {
        json.clear();
        let title = Value::text(outcome.facts.as_ref().and_then(|facts| facts.title.as_deref()));
        // What is written to memory is written.
        let _ = Self::write(&title, outcome.rows().iter().map(|row| self.values(row)), json);
    }

    fn write<'r>(
        title: &Value<'_>,
        rows: impl Iterator<Item = impl Iterator<Item = &'r Value<'static>>>,
        json: &mut Vec<u8>,
    ) -> io::Result<()> {
        json.push(b'[');
        write_value(title, json)?;
        json.push(b',');
        write_list(rows, json, |values, json| write_list(values, json, write_known))?;
        json.push(b']');
        Ok(())
    }

    /// What of a row is in a version.
    fn values<'r>(&self, row: &'r Row) -> impl Iterator<Item = &'r Value<'static>> {
        self.places.iter().map(|&place| row.0.get(place).unwrap_or(&Value::Null))
    }
}

/// Writes a value that the sinks may write once more.
fn write_known(value: &Value<'_>, json: &mut Vec<u8>) -> io::Result<()> {
    let start = json.len();
    write_value(value, json)?;
    if let Value::Table(table) = value {
        table.know_json(&json[start..]);
    }
    Ok(())
}

/// A version, each of its values as JSON.
#[derive(Deserialize, Serialize)]
pub(super) struct Content(pub(super) Box<RawValue>, pub(super) Vec<Vec<Box<RawValue>>>);

impl Content {
    /// Its values by name: the title, then the fields. A page with several rows has lists of them. A field that is called
    /// like a key of the record is `fields.NAME`.
    pub(super) fn values(&self, names: &[Box<str>]) -> Vec<(String, Box<RawValue>)> {
        let null = || RawValue::NULL.to_owned();
        let value = |place: usize| match &*self.1 {
            [row] => row.get(place).cloned().unwrap_or_else(null),
            rows => {
                let values: Vec<_> = rows.iter().map(|row| row.get(place).cloned().unwrap_or_else(null)).collect();
                serde_json::value::to_raw_value(&values).unwrap_or_else(|_| null())
            }
        };
        let titled = std::iter::once(("title".to_owned(), self.0.clone()));
        let fields = names.iter().enumerate().map(|(place, name)| {
            let is_key = Column::find(name).is_some();
            (if is_key { format!("fields.{name}") } else { name.to_string() }, value(place))
        });
        titled.chain(fields).collect()
    }
}
