//! Regular expressions, all of which take linear time: a step for each character and each state that it may be in.

use regex::{Regex, RegexBuilder};
use regex_syntax::ast::parse::ParserBuilder;
use regex_syntax::hir::translate::Translator;

use super::fault::Fault;
use crate::extract::deadline::Meter;
use crate::failure::{Failure, Kind};

/// How large a compiled pattern may be, and how long a text it is given then, both in bytes. `\w`, all letters of Unicode,
/// takes 25 kB. The more a pattern repeats such classes the longer a byte takes, up to some microseconds: by these bounds
/// all of a text takes a few seconds at the worst.
const SIZES: [(usize, usize); 3] = [(256 << 10, usize::MAX), (1 << 20, 2 << 20), (10 << 20, 256 << 10)];

/// How deep groups may be nested.
const DEPTH: u32 = 100;

/// What to do about a pattern that is wrong.
const HINT: &str = r"write a pattern such as (\d+); in front of a character that is meant literally, write \";

/// A regular expression in the syntax of the crate `regex`, with Unicode.
#[derive(Debug)]
pub(in crate::extract) struct Pattern {
    regex: Regex,
    /// How long a text it is given, in bytes.
    longest: usize,
}

impl Pattern {
    pub(in crate::extract) fn new(text: &str) -> Result<Self, Fault> {
        let wrong = |at: usize, kind: String| Fault::new(at, format!("not a regular expression: {kind}"), HINT);
        let ast = ParserBuilder::new().nest_limit(DEPTH).build().parse(text);
        let ast = ast.map_err(|error| wrong(error.span().start.offset, error.kind().to_string()))?;
        let meaning = Translator::new().translate(text, &ast);
        meaning.map_err(|error| wrong(error.span().start.offset, error.kind().to_string()))?;
        Self::build(text)
    }

    fn build(text: &str) -> Result<Self, Fault> {
        let build = |size| RegexBuilder::new(text).nest_limit(DEPTH + 10).size_limit(size).build().ok();
        let mut patterns = SIZES.into_iter().filter_map(|(size, longest)| Some(Self { regex: build(size)?, longest }));
        let hint = "count less: {1000} makes a part 1000 times as large";
        patterns.next().ok_or_else(|| Fault::new(0, "the pattern is too large", hint))
    }

    /// The same for whole texts.
    pub(super) fn anchored(&self) -> Result<Self, Fault> {
        Self::build(&format!(r"\A(?:{})\z", self.regex.as_str()))
    }

    /// The pattern for a text.
    ///
    /// # Errors
    /// That takes too long.
    pub(super) fn on(&self, text: &str, meter: &Meter<'_>) -> Result<&Regex, Failure> {
        meter.count(text.len())?;
        if text.len() <= self.longest {
            return Ok(&self.regex);
        }
        Err(Failure::new(Kind::TooComplex, "the text is too long for a pattern as large as that"))
    }

    /// Whether it is found in a short text.
    pub(in crate::extract) fn is_in(&self, text: &str) -> bool {
        text.len() <= self.longest && self.regex.is_match(text)
    }

    /// How many groups it has.
    pub(super) fn groups(&self) -> usize {
        self.regex.captures_len() - 1
    }
}
