//! What is wrong with what was asked for.

use std::fmt;

use super::FIELDS;
use crate::record::Column;

/// Something that was asked for cannot be extracted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// There is no built-in field of this name.
    UnknownField(Box<str>),
    /// Two fields have this name.
    DuplicateName(Box<str>),
    /// This expression has no `=`.
    NoName(Box<str>),
    /// The name in an expression cannot be one.
    BadName {
        /// The whole expression.
        expression: Box<str>,
        /// The name in it.
        name: Box<str>,
    },
    /// The selector in an expression is too long to be read.
    TooLong {
        /// The name in it.
        name: Box<str>,
        /// How long it may be, in bytes.
        limit: usize,
    },
    /// The selector in an expression is no CSS selector.
    BadSelector {
        /// The whole expression.
        expression: Box<str>,
        /// The character where it goes wrong, counted from 0.
        column: usize,
    },
}

impl std::error::Error for Error {}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownField(name) => {
                write!(f, "there is no field `{name}`")?;
                if Column::find(name).is_some() {
                    write!(f, "; `{name}` is in every record")?;
                } else if let Some(similar) = similar_field(name) {
                    write!(f, "; did you mean `{similar}`?")?;
                }
                let names: Vec<_> = FIELDS.iter().map(|field| field.name).collect();
                write!(f, "\nfields: {}, all", names.join(", "))
            }
            Self::DuplicateName(name) => write!(f, "two fields are called `{name}`"),
            Self::NoName(expression) => write!(f, "`{expression}` has no name: write NAME=CSS"),
            Self::BadName { expression, name } => write!(
                f,
                "`{name}` in `{expression}` is no name: write NAME=CSS or NAME[]=CSS, with a name of letters, digits, `_`, `.` and `-`"
            ),
            Self::TooLong { name, limit } => write!(f, "the selector of `{name}` is longer than {limit} bytes"),
            Self::BadSelector { expression, column } => {
                let expression = expression.replace(char::is_control, " ");
                write!(f, "not a CSS selector:\n  {expression}\n  {:column$}^", "")
            }
        }
    }
}

/// The field whose name is at most two edits away.
fn similar_field(name: &str) -> Option<&'static str> {
    let distances = FIELDS.iter().map(|field| (distance(field.name, name), field.name));
    distances.min().filter(|&(distance, _)| distance <= 2).map(|(_, name)| name)
}

/// How many letters have to be added, removed or changed (Levenshtein).
fn distance(from: &str, to: &str) -> usize {
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (n, a) in from.bytes().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], n + 1);
        for (m, b) in to.bytes().enumerate() {
            let changed = diagonal + usize::from(a != b);
            diagonal = row[m + 1];
            row[m + 1] = changed.min(diagonal + 1).min(row[m] + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_field_is_recognised() {
        assert_eq!(similar_field("lins"), Some("links"));
        assert_eq!(similar_field("header"), Some("headers"));
        assert_eq!(similar_field("price"), None);
    }
}
