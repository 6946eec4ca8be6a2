//! The values that a record is made of, in the shape of JSON.

mod read;
mod table;

use std::borrow::Cow;

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Number;
use serde_json::value::RawValue;

pub use self::table::Table;

/// One value of a record.
#[derive(Clone, Debug, Default)]
pub enum Value<'a> {
    /// Not known, or not there.
    #[default]
    Null,
    /// A truth value.
    Bool(bool),
    /// A count or a size.
    Int(u64),
    /// A number of any other kind. It is finite, and may be negative or a fraction.
    Number(Number),
    /// A text. It may be a server's: neutralise it before showing it on a terminal.
    Str(Cow<'a, str>),
    /// Several values in order.
    List(Vec<Value<'a>>),
    /// Named values in order.
    Map(Vec<(Cow<'a, str>, Value<'a>)>),
    /// Several maps with the same names, in order.
    Table(Table),
    /// JSON that is passed on as it came.
    Json(Cow<'a, RawValue>),
}

impl<'a> Value<'a> {
    /// A text, or null where there is none.
    pub fn text<T: Into<Cow<'a, str>>>(text: Option<T>) -> Self {
        text.map_or(Self::Null, |text| Self::Str(text.into()))
    }

    /// A number, or null where there is none.
    pub fn int<T: Into<u64>>(number: Option<T>) -> Self {
        number.map_or(Self::Null, |number| Self::Int(number.into()))
    }

    /// A number, or null where it is not finite. One without a fraction is written as an integer as long as every
    /// integer of its size can be told from the next.
    #[must_use]
    pub fn number(number: f64) -> Self {
        /// Up to here, 2⁵³, that is so.
        const EXACT: f64 = 9_007_199_254_740_992.0;
        #[expect(clippy::cast_possible_truncation, reason = "it is an integer of at most 54 bits")]
        if number.fract() == 0.0 && number.abs() <= EXACT {
            return Self::Number(Number::from(number as i64));
        }
        Number::from_f64(number).map_or(Self::Null, Self::Number)
    }

    /// Whether this is null.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// Whether there is nothing in it: null, a text without a character that is not white space, a list or a map without
    /// entries.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        match self {
            Self::Null => true,
            Self::Bool(_) | Self::Int(_) | Self::Number(_) => false,
            Self::Str(text) => text.trim().is_empty(),
            Self::List(values) => values.is_empty(),
            Self::Map(entries) => entries.is_empty(),
            Self::Table(table) => table.is_empty(),
            Self::Json(raw) => matches!(raw.get(), "null" | "\"\"" | "[]" | "{}"),
        }
    }

    /// About how many bytes of memory it takes.
    pub(crate) fn size(&self) -> usize {
        let own = size_of::<Self>();
        own + match self {
            Self::Null | Self::Bool(_) | Self::Int(_) | Self::Number(_) => 0,
            Self::Str(text) => text.len(),
            Self::List(values) => values.iter().map(Self::size).sum(),
            Self::Map(entries) => entries.iter().map(|(key, value)| own + key.len() + value.size()).sum(),
            Self::Table(table) => table.size(),
            Self::Json(raw) => raw.get().len(),
        }
    }

    /// The value as the text of one cell: a text as it is, null as nothing, lists and maps as JSON.
    #[must_use]
    pub fn to_cell(&self) -> Cow<'_, str> {
        match self {
            Self::Null => Cow::Borrowed(""),
            Self::Bool(true) => Cow::Borrowed("true"),
            Self::Bool(false) => Cow::Borrowed("false"),
            Self::Int(number) => Cow::Owned(number.to_string()),
            Self::Number(number) => Cow::Owned(number.to_string()),
            Self::Str(text) => Cow::Borrowed(text),
            Self::Json(raw) => Cow::Borrowed(raw.get()),
            // Serialising our own values to memory cannot fail: every key is a string.
            Self::List(_) | Self::Map(_) | Self::Table(_) => {
                Cow::Owned(serde_json::to_string(self).unwrap_or_default())
            }
        }
    }
}

impl From<String> for Value<'_> {
    fn from(text: String) -> Self {
        Self::Str(Cow::Owned(text))
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Self::Str(Cow::Borrowed(text))
    }
}

impl Serialize for Value<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(truth) => serializer.serialize_bool(*truth),
            Self::Int(number) => serializer.serialize_u64(*number),
            Self::Number(number) => number.serialize(serializer),
            Self::Str(text) => serializer.serialize_str(text),
            Self::List(values) => serializer.collect_seq(values),
            Self::Map(entries) => {
                let mut map = serializer.serialize_map(Some(entries.len()))?;
                for (key, value) in entries {
                    map.serialize_entry(key, value)?;
                }
                map.end()
            }
            Self::Table(table) => table.serialize(serializer),
            Self::Json(raw) => raw.serialize(serializer),
        }
    }
}

/// What was extracted from a page: the values of the fields that were asked for, in that order.
///
/// The names are kept once for the whole run, by whoever compiled them.
#[derive(Clone, Debug, Default)]
pub struct Row(pub Vec<Value<'static>>);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_what_they_are() {
        let cell = |number| Value::number(number).to_cell().into_owned();
        assert_eq!(
            [0.0, -0.0, -3.0, 1234.5, 9_007_199_254_740_992.0, 0.1].map(cell),
            ["0", "0", "-3", "1234.5", "9007199254740992", "0.1"]
        );
        assert!([f64::NAN, f64::INFINITY].into_iter().all(|number| Value::number(number).is_null()));
        assert_eq!(serde_json::to_string(&Value::number(-2.5)).unwrap(), "-2.5");
    }

    #[test]
    fn blank_is_what_holds_nothing() {
        let raw = |json: &str| Value::Json(Cow::Owned(RawValue::from_string(json.into()).unwrap()));
        let blank = [Value::Null, "".into(), " \n\u{a0}".into(), Value::List(vec![]), Value::Map(vec![]), raw("[]")];
        assert!(blank.iter().all(Value::is_blank), "{blank:?}");
        let filled = [Value::Bool(false), Value::Int(0), "0".into(), Value::List(vec![Value::Null]), raw("[0]")];
        assert!(!filled.iter().any(Value::is_blank), "{filled:?}");
    }

    #[test]
    fn a_cell_holds_text_plainly_and_structures_as_json() {
        assert_eq!(Value::Null.to_cell(), "");
        assert_eq!(Value::from("a\"b").to_cell(), "a\"b");
        let list = Value::List(vec![Value::Int(1), Value::from("x"), Value::Null]);
        assert_eq!(list.to_cell(), r#"[1,"x",null]"#);
        let map = Value::Map(vec![("k".into(), list)]);
        assert_eq!(map.to_cell(), r#"{"k":[1,"x",null]}"#);
    }
}
