//! What is wrong with an expectation.

use std::fmt;

use crate::sink::neutralise;
use crate::sink::width::width;

/// An expectation that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    expression: Box<str>,
    /// The byte at which it goes wrong.
    at: usize,
    reason: String,
    hint: String,
}

impl Error {
    pub(super) fn new(expression: &str, at: usize, reason: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { expression: expression.into(), at, reason: reason.into(), hint: hint.into() }
    }

    /// The byte at which it goes wrong.
    #[must_use]
    pub fn at(&self) -> usize {
        self.at
    }

    /// What is wrong there.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// What to write instead.
    #[must_use]
    pub fn hint(&self) -> &str {
        &self.hint
    }
}

impl std::error::Error for Error {}

/// The reason, the expectation, and a caret under the fault.
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let column = width(&neutralise(&self.expression[..self.at]));
        write!(f, "not an expectation: {}\n  {}\n  {:column$}^", self.reason, neutralise(&self.expression), "")
    }
}
