//! What is wrong with what was asked for.

use std::fmt;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::FIELDS;
use super::expression::Fault;
use crate::record::Column;

/// Something that was asked for cannot be extracted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// There is no built-in field of this name.
    UnknownField(Box<str>),
    /// Two fields have this name.
    DuplicateName(Box<str>),
    /// There is a jq program, and nothing that runs it: [`Options::jq`](super::Options::jq).
    NothingRunsJq,
    /// An expression means nothing.
    Expression {
        /// All of it, with its name.
        text: Box<str>,
        /// The byte where it goes wrong.
        at: usize,
        /// What is wrong there.
        what: Box<str>,
        /// What to do about it.
        hint: Box<str>,
    },
    /// A file of recipes is wrong.
    Recipe {
        /// The file, the line, and what is wrong there.
        what: Box<str>,
        /// The line, or the expression.
        text: Box<str>,
        /// The byte of that where it goes wrong.
        at: usize,
        /// What to do about it.
        hint: Box<str>,
    },
}

impl std::error::Error for Error {}

impl Error {
    /// What to do about it, where there is something to try.
    #[must_use]
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Expression { hint, .. } | Self::Recipe { hint, .. } => Some(hint),
            Self::DuplicateName(_) => {
                Some("leave one out or give it another name; chunks have chunk, path and text of their own")
            }
            Self::UnknownField(_) | Self::NothingRunsJq => None,
        }
    }

    pub(super) fn expression(text: &str, fault: Fault) -> Self {
        let Fault { at, what, hint } = fault;
        Self::Expression { text: text.into(), at, what: what.into(), hint: hint.into() }
    }
}

/// An expression as a terminal shows it, with a caret below the place where it goes wrong.
struct Picture<'a> {
    text: &'a str,
    at: usize,
}

impl fmt::Display for Picture<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (before, rest) = self.text.split_at(self.text.floor_char_boundary(self.at));
        let shown: String = before.chars().map(shown).collect();
        let column = shown.width();
        write!(f, "  {shown}{}\n  {:column$}^", rest.chars().map(self::shown).collect::<String>(), "")
    }
}

/// A character as it is shown. What has no width would set the caret off, but for the accents of the letters before.
fn shown(c: char) -> char {
    match c {
        _ if c.is_control() => ' ',
        '\u{300}'..='\u{36f}' => c,
        _ if c.width() == Some(0) => char::REPLACEMENT_CHARACTER,
        _ => c,
    }
}

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
            Self::NothingRunsJq => f.write_str("a jq program needs a process to run in, and no option names one"),
            Self::Expression { text, at, what, .. } | Self::Recipe { text, at, what, .. } => {
                write!(f, "{what}\n{}", Picture { text, at: *at })
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
