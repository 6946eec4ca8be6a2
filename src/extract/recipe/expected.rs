//! What a recipe expects of its records.

use super::super::error::Error;

/// A condition that the records of a recipe have to meet. What it means is not known here
/// (see [`sink::expect`](crate::sink::expect)).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    /// As it is written.
    pub text: Box<str>,
    /// The file and its line.
    pub(super) place: Box<str>,
    /// That line, or the condition where it is written with escapes.
    pub(super) shown: Box<str>,
    /// The byte of it where the condition begins.
    pub(super) start: usize,
}

impl Expected {
    /// The file and its line.
    #[must_use]
    pub fn place(&self) -> &str {
        &self.place
    }

    /// What is wrong at a byte of the condition, and what to do about it.
    #[must_use]
    pub fn wrong(&self, at: usize, what: &str, hint: &str) -> Error {
        let what = format!("{}: {what}", self.place).into();
        Error::Recipe { what, text: self.shown.clone(), at: self.start + at, hint: hint.into() }
    }
}
