//! Records read back: whoever goes on with a file and whoever makes a report of one look into them by the same means.

use std::borrow::Cow;
use std::fmt;
use std::io::{self, BufRead, ErrorKind, Read};

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::job::Anchor;

/// No record is longer, in bytes. What is longer is no file of ours, and not worth its memory.
const LONGEST: u64 = 1 << 30;

/// What stands in a file in the place of a record.
#[derive(Debug, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct Foreign {
    /// The line, counted from 1, compression undone.
    pub line: u64,
    /// What is different.
    pub reason: String,
}

/// Adds the next line to what there is of a record, its end included, and tells whether it has one: the last may be torn, or be
/// none.
pub(super) fn read_line(lines: &mut impl BufRead, text: &mut Vec<u8>) -> io::Result<bool> {
    let mut lines = lines.take(LONGEST.saturating_sub(text.len() as u64));
    let read = lines.read_until(b'\n', text)?;
    if lines.limit() == 0 {
        return Err(io::Error::new(ErrorKind::InvalidData, "it holds something else than records"));
    }
    Ok(read > 0 && text.last() == Some(&b'\n'))
}

/// An object in JSON: its entries in their order, their values not looked into.
pub(super) struct Object<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

/// Why a text, or a value in it, is not what it should be.
pub(super) fn no_record(error: &serde_json::Error) -> String {
    let words = error.to_string();
    let words = words.split(" at line ").next().unwrap_or_default();
    format!("it is no record ({words}, column {})", error.column())
}

impl<'a> Object<'a> {
    /// The object that a line is; or why it is none.
    pub(super) fn parse(line: &'a [u8]) -> Result<Self, String> {
        serde_json::from_slice(line).map_err(|error| no_record(&error))
    }

    /// The names of its entries.
    pub(super) fn names(&self) -> Vec<&str> {
        self.0.iter().map(|(name, _)| &**name).collect()
    }

    /// Its entries.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&str, &'a RawValue)> {
        self.0.iter().map(|(name, raw)| (&**name, *raw))
    }

    /// The value under a key, which is of one type; where there is none, that of null.
    pub(super) fn value<T: Deserialize<'a>>(&self, key: &str) -> Result<T, String> {
        let raw = self.0.iter().find(|(name, _)| name == key).map(|(_, raw)| *raw);
        serde_json::from_str(raw.map_or("null", RawValue::get)).map_err(|error| match raw {
            Some(_) => format!("its {key:?} is another one than a record's ({error})"),
            None => format!("it is no record: it has no {key:?}"),
        })
    }
}

/// A text, borrowed where it has no escapes.
#[derive(Deserialize)]
pub(super) struct Text<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);

/// Why there is no page.
#[derive(Deserialize)]
pub(super) struct Failed<'a> {
    #[serde(borrow)]
    pub(super) kind: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) message: Cow<'a, str>,
    /// The link that led there, where links were checked.
    pub(super) link: Option<Anchor>,
}

impl<'de: 'a, 'a> Deserialize<'de> for Object<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;

        impl<'de> Visitor<'de> for Collect {
            type Value = Vec<(Cow<'de, str>, &'de RawValue)>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::new();
                while let Some((Text(key), value)) = map.next_entry()? {
                    entries.push((key, value));
                }
                Ok(entries)
            }
        }

        deserializer.deserialize_map(Collect).map(Self)
    }
}
