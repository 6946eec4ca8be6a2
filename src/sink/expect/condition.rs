//! Whether a value is as it should be.

use std::cmp::Ordering;

use regex::Regex;

use crate::record::{Column, Record};
use crate::value::Value;

/// How one thing is to compare with another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Relation {
    Equal,
    Unequal,
    Less,
    AtMost,
    Greater,
    AtLeast,
}

impl Relation {
    /// Whether two things that compare so are in this relation.
    fn holds(self, ordering: Ordering) -> bool {
        match self {
            Self::Equal => ordering.is_eq(),
            Self::Unequal => ordering.is_ne(),
            Self::Less => ordering.is_lt(),
            Self::AtMost => ordering.is_le(),
            Self::Greater => ordering.is_gt(),
            Self::AtLeast => ordering.is_ge(),
        }
    }

    /// Whether two numbers are in this relation; no number is in any.
    pub(super) fn holds_for(self, left: f64, right: f64) -> bool {
        left.partial_cmp(&right).is_some_and(|ordering| self.holds(ordering))
    }

    /// Whether it tells which of two things is the larger one.
    pub(super) fn is_order(self) -> bool {
        !matches!(self, Self::Equal | Self::Unequal)
    }

    /// Whether it keeps something from being too large, and not from being too small.
    pub(super) fn is_ceiling(self) -> bool {
        matches!(self, Self::Less | Self::AtMost)
    }
}

/// What of a record is judged.
#[derive(Clone, Copy, Debug)]
pub(super) enum Subject {
    /// A key of the record.
    Column(&'static Column),
    /// The field that was asked for at this place.
    Field(usize),
}

impl Subject {
    pub(super) fn is_blank(self, record: &Record<'_>) -> bool {
        match self {
            Self::Column(column) => (column.read)(record).is_blank(),
            Self::Field(place) => record.field(place).is_blank(),
        }
    }
}

/// What is expected of a value.
#[derive(Debug)]
pub(super) enum Check {
    /// That its text compares so; with the empty text, that it is blank or not.
    Text(Relation, Box<str>),
    /// That its number compares so.
    Number(Relation, f64),
    /// That its text matches, or, if it must not, that it does not.
    Pattern(Regex, bool),
}

impl Check {
    fn holds(&self, value: &Value<'_>) -> bool {
        match self {
            Self::Text(relation, _) if relation.is_order() && value.is_blank() => false,
            Self::Text(relation, text) if text.is_empty() => {
                relation.holds(if value.is_blank() { Ordering::Equal } else { Ordering::Greater })
            }
            Self::Text(relation, text) => relation.holds((*value.to_cell()).cmp(text)),
            Self::Number(relation, limit) => number(value).is_some_and(|number| relation.holds_for(number, *limit)),
            Self::Pattern(pattern, must) => pattern.is_match(&value.to_cell()) == *must,
        }
    }
}

/// A subject and what is expected of it.
#[derive(Debug)]
pub(super) struct Condition {
    pub(super) subject: Subject,
    pub(super) check: Check,
}

impl Condition {
    pub(super) fn holds(&self, record: &Record<'_>) -> bool {
        match self.subject {
            Subject::Column(column) => self.check.holds(&(column.read)(record)),
            Subject::Field(place) => self.check.holds(record.field(place)),
        }
    }
}

/// The number that a value is: of a list, how many entries it has; of a text, the number that it is and nothing else.
#[expect(clippy::cast_precision_loss, reason = "what is counted stays far below 2⁵³")]
fn number(value: &Value<'_>) -> Option<f64> {
    match value {
        Value::Null | Value::Bool(_) | Value::Map(_) => None,
        Value::Int(number) => Some(*number as f64),
        Value::List(values) => Some(values.len() as f64),
        Value::Table(table) => Some(table.len() as f64),
        text => plain_number(text.to_cell().trim()),
    }
}

/// The number in decimal digits: not infinity and no other words.
fn plain_number(text: &str) -> Option<f64> {
    let is_plain = text.bytes().all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b));
    text.parse().ok().filter(|number: &f64| is_plain && number.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_plain_or_none() {
        let of = |text: &str| number(&text.into());
        assert_eq!(["9.50", " 20 ", "-1", "1e3"].map(of), [Some(9.5), Some(20.0), Some(-1.0), Some(1000.0)]);
        for none in ["", "9,50", "1,299.00", "$5", "5 EUR", "inf", "NaN", "1e999", "٣", "0x10"] {
            assert_eq!(of(none), None, "{none}");
        }
        assert_eq!(number(&Value::List(vec![Value::Null, Value::Null])), Some(2.0));
        assert_eq!(number(&Value::Null), None);
    }
}
