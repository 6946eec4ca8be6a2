//! JSONPath (RFC 9535) on a JSON page.
//!
//! Where the standard leaves room: a member that comes twice is found by its last value, and the members of an object
//! are visited in their order. The pattern of `match()` and `search()` must be written in the path, where it is compiled
//! once: a page does not choose what is matched. It is one of the crate `regex`, which takes all of I-Regexp (RFC 9485)
//! but block escapes.

mod evaluate;
mod lex;
mod parse;
mod query;

use super::fault::Fault;
use crate::extract::deadline::Meter;
use crate::failure::Failure;
use crate::value::Value;
use query::Query;

/// A path, compiled.
#[derive(Debug)]
pub(in crate::extract) struct JsonPath(Query);

impl JsonPath {
    /// Parses a path.
    pub(super) fn parse(text: &str) -> Result<Self, Fault> {
        parse::parse(text).map(Self)
    }

    /// The values that it finds, in their order; one may be found several times.
    ///
    /// # Errors
    /// That takes too long, or too many are found.
    pub(super) fn find<'v>(
        &self,
        root: &'v Value<'static>,
        meter: &Meter<'_>,
    ) -> Result<Vec<&'v Value<'static>>, Failure> {
        evaluate::find(&self.0, root, meter)
    }
}

#[cfg(test)]
mod tests;
