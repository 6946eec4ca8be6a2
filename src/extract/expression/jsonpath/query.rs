//! What a path is made of.

use super::super::pattern::Pattern;
use crate::value::Value;

/// A path from the root or from the value that a filter looks at.
#[derive(Debug)]
pub(super) struct Query {
    pub(super) from_root: bool,
    pub(super) segments: Vec<Segment>,
}

impl Query {
    /// Whether it finds at most one value (section 2.3.5.1).
    pub(super) fn is_singular(&self) -> bool {
        let is_one = |selector: &Selector| matches!(selector, Selector::Name(_) | Selector::Index(_));
        self.segments.iter().all(|it| !it.descends && it.selectors.len() == 1 && it.selectors.iter().all(is_one))
    }
}

#[derive(Debug)]
pub(super) struct Segment {
    /// Whether it looks at all descendants, too.
    pub(super) descends: bool,
    pub(super) selectors: Vec<Selector>,
}

#[derive(Debug)]
pub(super) enum Selector {
    Name(Box<str>),
    Wildcard,
    /// From the end where it is negative.
    Index(i64),
    Slice {
        start: Option<i64>,
        end: Option<i64>,
        step: i64,
    },
    Filter(Logical),
}

#[derive(Debug)]
pub(super) enum Logical {
    Any(Vec<Logical>),
    All(Vec<Logical>),
    Not(Box<Logical>),
    Compare(Operand, Comparison, Operand),
    /// Whether a query finds something.
    Exists(Query),
    /// Whether a text is of a pattern.
    Matches(Operand, Pattern),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Below,
    AtMost,
    Above,
    AtLeast,
}

/// Longer ones first.
pub(super) const COMPARISONS: [(&str, Comparison); 6] = [
    ("==", Comparison::Equal),
    ("!=", Comparison::NotEqual),
    ("<=", Comparison::AtMost),
    (">=", Comparison::AtLeast),
    ("<", Comparison::Below),
    (">", Comparison::Above),
];

/// What is a value or nothing.
#[derive(Debug)]
pub(super) enum Operand {
    Literal(Value<'static>),
    /// What a singular query finds.
    Query(Query),
    /// The characters of a text, the items of a list, the members of an object.
    Length(Box<Operand>),
    /// How many values a query finds.
    Count(Query),
    /// What a query finds if that is one value.
    Value(Query),
}
