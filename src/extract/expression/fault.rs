//! What is wrong with an expression, and where.

use std::borrow::Cow;

/// Something that an expression cannot say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct Fault {
    /// The byte where it goes wrong: the start of a character, or the end of the text.
    pub(in super::super) at: usize,
    pub(in super::super) what: Cow<'static, str>,
    /// What to do about it.
    pub(in super::super) hint: Cow<'static, str>,
}

impl Fault {
    pub(in super::super) fn new(
        at: usize,
        what: impl Into<Cow<'static, str>>,
        hint: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self { at, what: what.into(), hint: hint.into() }
    }

    /// The same within a larger text, of which this part begins at `start`.
    pub(in super::super) fn within(self, start: usize) -> Self {
        Self { at: start + self.at, ..self }
    }
}
