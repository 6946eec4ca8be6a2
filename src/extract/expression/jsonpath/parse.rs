//! Text → path (RFC 9535, section 2).

use super::super::fault::Fault;
use super::super::pattern::Pattern;
use super::lex::Parser;
use super::query::{COMPARISONS, Comparison, Logical, Operand, Query, Segment, Selector};
use crate::value::Value;

/// How deep filters may be nested.
const DEPTH: usize = 40;

/// Parses a path.
pub(super) fn parse(text: &str) -> Result<Query, Fault> {
    let mut parser = Parser::new(text);
    let query = parser.query()?;
    parser.skip_space();
    if parser.at == text.len() { Ok(query) } else { Err(parser.unexpected("`.name`, `[…]` or the end")) }
}

impl Parser<'_> {
    fn query(&mut self) -> Result<Query, Fault> {
        let from_root = self.accept("$");
        if !from_root && !self.accept("@") {
            return Err(self.unexpected("`$` or `@`"));
        }
        let mut segments = Vec::new();
        loop {
            let before = self.at;
            self.skip_space();
            let Some(segment) = self.segment()? else {
                self.at = before;
                return Ok(Query { from_root, segments });
            };
            segments.push(segment);
        }
    }

    fn segment(&mut self) -> Result<Option<Segment>, Fault> {
        let descends = self.accept("..");
        let selectors = if self.accept("[") {
            self.bracketed()?
        } else if descends || self.accept(".") {
            vec![if self.accept("*") { Selector::Wildcard } else { Selector::Name(self.member()?) }]
        } else {
            return Ok(None);
        };
        Ok(Some(Segment { descends, selectors }))
    }

    /// The name of a member behind a dot (section 2.5.1.1).
    fn member(&mut self) -> Result<Box<str>, Fault> {
        let rest = self.rest();
        let is_first = |c: char| c.is_ascii_alphabetic() || c == '_' || !c.is_ascii();
        let end = rest.find(|c: char| !is_first(c) && !c.is_ascii_digit()).unwrap_or(rest.len());
        if !rest.starts_with(is_first) {
            return Err(self.unexpected("a name, `*` or `['any name']`"));
        }
        self.at += end;
        Ok(rest[..end].into())
    }

    fn bracketed(&mut self) -> Result<Vec<Selector>, Fault> {
        let mut selectors = Vec::new();
        loop {
            self.skip_space();
            selectors.push(self.selector()?);
            self.skip_space();
            if !self.accept(",") {
                self.expect("]")?;
                return Ok(selectors);
            }
        }
    }

    fn selector(&mut self) -> Result<Selector, Fault> {
        if self.accept("*") {
            return Ok(Selector::Wildcard);
        }
        if self.accept("?") {
            self.skip_space();
            return Ok(Selector::Filter(self.any()?));
        }
        if self.rest().starts_with(['"', '\'']) {
            return Ok(Selector::Name(self.string()?.into()));
        }
        let start = self.integer()?;
        self.skip_space();
        if !self.accept(":") {
            let index = start.ok_or_else(|| self.unexpected("'a name', an index, a slice, `*` or `?`"))?;
            return Ok(Selector::Index(index));
        }
        self.skip_space();
        let end = self.integer()?;
        self.skip_space();
        let mut step = None;
        if self.accept(":") {
            self.skip_space();
            step = self.integer()?;
        }
        Ok(Selector::Slice { start, end, step: step.unwrap_or(1) })
    }

    /// `… || …`, one level deeper.
    fn any(&mut self) -> Result<Logical, Fault> {
        if self.depth == DEPTH {
            return Err(Fault::new(self.at, "the JSONPath is nested too deeply", "split it into several fields"));
        }
        self.depth += 1;
        let terms = self.terms("||", Self::all)?;
        self.depth -= 1;
        Ok(Logical::Any(terms))
    }

    fn all(&mut self) -> Result<Logical, Fault> {
        self.terms("&&", Self::basic).map(Logical::All)
    }

    fn terms(&mut self, mark: &str, term: fn(&mut Self) -> Result<Logical, Fault>) -> Result<Vec<Logical>, Fault> {
        let mut terms = vec![term(self)?];
        loop {
            let before = self.at;
            self.skip_space();
            if !self.accept(mark) {
                self.at = before;
                return Ok(terms);
            }
            self.skip_space();
            terms.push(term(self)?);
        }
    }

    /// A comparison or a test.
    fn basic(&mut self) -> Result<Logical, Fault> {
        let is_negated = self.accept("!");
        self.skip_space();
        let start = self.at;
        let test = if self.accept("(") {
            self.skip_space();
            let inside = self.any()?;
            self.expect(")")?;
            inside
        } else if let Some(matches) = self.matches()? {
            matches
        } else if is_negated || !self.rest().starts_with(['$', '@']) {
            return self.comparison_or_existence(is_negated);
        } else {
            let query = self.query()?;
            match self.comparison()? {
                None => Logical::Exists(query),
                Some(comparison) => {
                    let left = Self::singular(query, start)?;
                    return self.compare(left, comparison);
                }
            }
        };
        Ok(if is_negated { Logical::Not(Box::new(test)) } else { test })
    }

    fn comparison_or_existence(&mut self, is_negated: bool) -> Result<Logical, Fault> {
        if is_negated {
            if !self.rest().starts_with(['$', '@']) {
                return Err(self.unexpected("a query or a parenthesis"));
            }
            return Ok(Logical::Not(Box::new(Logical::Exists(self.query()?))));
        }
        let left = self.operand()?;
        let comparison = self.comparison()?.ok_or_else(|| self.unexpected("a comparison, such as `==` or `<`,"))?;
        self.compare(left, comparison)
    }

    fn compare(&mut self, left: Operand, comparison: Comparison) -> Result<Logical, Fault> {
        self.skip_space();
        Ok(Logical::Compare(left, comparison, self.operand()?))
    }

    fn comparison(&mut self) -> Result<Option<Comparison>, Fault> {
        let before = self.at;
        self.skip_space();
        for (mark, comparison) in COMPARISONS {
            if self.accept(mark) {
                return Ok(Some(comparison));
            }
        }
        if self.rest().starts_with('=') {
            return Err(self.unexpected("`==`"));
        }
        self.at = before;
        Ok(None)
    }

    fn singular(query: Query, at: usize) -> Result<Operand, Fault> {
        let hint = "compare a path of names and indices, or value(…) or count(…) of another";
        if query.is_singular() {
            Ok(Operand::Query(query))
        } else {
            Err(Fault::new(at, "this can be several values", hint))
        }
    }

    fn operand(&mut self) -> Result<Operand, Fault> {
        let start = self.at;
        if self.rest().starts_with(['$', '@']) {
            let query = self.query()?;
            return Self::singular(query, start);
        }
        if self.rest().starts_with(['"', '\'']) {
            return Ok(Operand::Literal(Value::from(self.string()?)));
        }
        if let Some(operand) = self.function()? {
            return Ok(operand);
        }
        for (word, value) in [("true", Value::Bool(true)), ("false", Value::Bool(false)), ("null", Value::Null)] {
            if self.accept(word) {
                return Ok(Operand::Literal(value));
            }
        }
        self.number()
    }

    /// `length(…)`, `count(…)` or `value(…)`, if there is one.
    fn function(&mut self) -> Result<Option<Operand>, Fault> {
        let (rest, start) = (self.rest(), self.at);
        let end = rest.find(|c: char| !c.is_ascii_lowercase() && !c.is_ascii_digit() && c != '_').unwrap_or(0);
        if end == 0 || !rest[end..].starts_with('(') {
            return Ok(None);
        }
        let name = &rest[..end];
        self.at += end + 1;
        self.skip_space();
        let operand = match name {
            "length" => self.nested(|parser| Ok(Operand::Length(Box::new(parser.operand()?))))?,
            "count" => Operand::Count(self.nodes()?),
            "value" => Operand::Value(self.nodes()?),
            "match" | "search" => {
                return Err(Fault::new(
                    start,
                    format!("`{name}()` is no value"),
                    format!("it stands alone: ?{name}(@.a, 'b.*')"),
                ));
            }
            _ => {
                let hint = "functions are count, length, match, search, value";
                return Err(Fault::new(start, format!("JSONPath has no function `{name}`"), hint));
            }
        };
        self.expect(")")?;
        Ok(Some(operand))
    }

    fn nested<T>(&mut self, parse: impl FnOnce(&mut Self) -> Result<T, Fault>) -> Result<T, Fault> {
        if self.depth == DEPTH {
            return Err(Fault::new(self.at, "the JSONPath is nested too deeply", "split it into several fields"));
        }
        self.depth += 1;
        let parsed = parse(self);
        self.depth -= 1;
        parsed
    }

    fn nodes(&mut self) -> Result<Query, Fault> {
        if self.rest().starts_with(['$', '@']) { self.nested(Self::query) } else { Err(self.unexpected("a query")) }
    }

    /// `match(…)` or `search(…)`, if there is one (sections 2.4.6 and 2.4.7).
    fn matches(&mut self) -> Result<Option<Logical>, Fault> {
        let is_whole = self.accept("match(");
        if !is_whole && !self.accept("search(") {
            return Ok(None);
        }
        self.skip_space();
        let text = self.nested(Self::operand)?;
        self.expect(",")?;
        self.skip_space();
        let at = self.at;
        if !self.rest().starts_with(['"', '\'']) {
            return Err(Fault::new(at, "the pattern must be a text", "write it in quotes, such as 'a.*'"));
        }
        let written = self.string()?;
        let pattern = Pattern::new(&written).and_then(|it| if is_whole { it.anchored() } else { Ok(it) });
        let pattern = pattern.map_err(|fault| Fault { at, ..fault })?;
        self.expect(")")?;
        Ok(Some(Logical::Matches(text, pattern)))
    }
}
