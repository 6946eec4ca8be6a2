//! Regular expressions, all of which take linear time.

use regex::{Regex, RegexBuilder};
use regex_syntax::ast::parse::ParserBuilder;
use regex_syntax::hir::translate::Translator;

use super::fault::Fault;

/// How large a compiled pattern may be, in bytes.
const SIZE: usize = 1 << 20;

/// How deep groups may be nested.
const DEPTH: u32 = 100;

/// What to do about a pattern that is wrong.
const HINT: &str = r"write a pattern such as (\d+); in front of a character that is meant literally, write \";

/// Compiles a pattern in the syntax of the crate `regex`, with Unicode.
pub(super) fn compile(pattern: &str) -> Result<Regex, Fault> {
    let wrong = |at: usize, kind: String| Fault::new(at, format!("not a regular expression: {kind}"), HINT);
    let ast = ParserBuilder::new().nest_limit(DEPTH).build().parse(pattern);
    let ast = ast.map_err(|error| wrong(error.span().start.offset, error.kind().to_string()))?;
    let meaning = Translator::new().translate(pattern, &ast);
    meaning.map_err(|error| wrong(error.span().start.offset, error.kind().to_string()))?;
    build(pattern).ok_or_else(|| {
        Fault::new(0, "the pattern is too large", "count less: {1000} makes a pattern 1000 times as large")
    })
}

fn build(pattern: &str) -> Option<Regex> {
    RegexBuilder::new(pattern).nest_limit(DEPTH + 10).size_limit(SIZE).dfa_size_limit(SIZE).build().ok()
}

/// The pattern for whole texts; none where that is too large.
pub(super) fn anchor(regex: &Regex) -> Option<Regex> {
    build(&format!(r"\A(?:{})\z", regex.as_str()))
}
