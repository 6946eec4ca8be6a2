//! Text → path (RFC 9535, section 2).

use regex::Regex;

use super::super::fault::Fault;
use super::super::pattern;
use crate::value::Value;

/// How deep filters may be nested.
const DEPTH: usize = 40;

/// The largest integer that is the same in every JSON reader, 2⁵³ − 1 (section 2.1).
const LARGEST: i64 = (1 << 53) - 1;

/// A path from the root or from the value that a filter looks at.
#[derive(Debug)]
pub(super) struct Query {
    pub(super) from_root: bool,
    pub(super) segments: Vec<Segment>,
}

impl Query {
    /// Whether it finds at most one value (section 2.3.5.1).
    fn is_singular(&self) -> bool {
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
    Matches(Operand, Regex),
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
const COMPARISONS: [(&str, Comparison); 6] = [
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

/// Parses a path.
pub(super) fn parse(text: &str) -> Result<Query, Fault> {
    let mut parser = Parser { text, at: 0, depth: 0 };
    let query = parser.query()?;
    parser.skip_space();
    if parser.at == text.len() { Ok(query) } else { Err(parser.unexpected("`.name`, `[…]` or the end")) }
}

struct Parser<'t> {
    text: &'t str,
    at: usize,
    depth: usize,
}

impl<'t> Parser<'t> {
    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn skip_space(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches([' ', '\t', '\n', '\r']).len();
    }

    /// Takes a mark if it is next.
    fn accept(&mut self, mark: &str) -> bool {
        let is_next = self.rest().starts_with(mark);
        self.at += if is_next { mark.len() } else { 0 };
        is_next
    }

    fn expect(&mut self, mark: &str) -> Result<(), Fault> {
        self.skip_space();
        if self.accept(mark) { Ok(()) } else { Err(self.unexpected(&format!("`{mark}`"))) }
    }

    fn unexpected(&self, wanted: &str) -> Fault {
        let what = if self.rest().is_empty() { "the JSONPath ends too early" } else { "not JSONPath" };
        Fault::new(self.at, what, format!("{wanted} can stand here"))
    }

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

    /// An integer without needless zeros, if there is one.
    fn integer(&mut self) -> Result<Option<i64>, Fault> {
        let rest = self.rest();
        let digits = rest.strip_prefix('-').unwrap_or(rest);
        let count = digits.len() - digits.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let length = rest.len() - digits.len() + count;
        if length == 0 {
            return Ok(None);
        }
        let is_plain = count > 0 && rest[..length] != *"-0" && (count == 1 || !digits.starts_with('0'));
        let number = rest[..length].parse().ok().filter(|number: &i64| is_plain && number.abs() <= LARGEST);
        let number =
            number.ok_or_else(|| Fault::new(self.at, "not an index of JSONPath", "write it as 0, 12 or -1"))?;
        self.at += length;
        Ok(Some(number))
    }

    /// A text in quotes (section 2.3.1.1).
    fn string(&mut self) -> Result<String, Fault> {
        let start = self.at;
        let Some(quote) = self.rest().chars().next() else { return Err(self.unexpected("a text")) };
        self.at += 1;
        let mut string = String::new();
        loop {
            let at = self.at;
            let Some(c) = self.rest().chars().next() else {
                return Err(Fault::new(start, "the text has no end", format!("write {quote} behind it")));
            };
            self.at += c.len_utf8();
            match c {
                _ if c == quote => return Ok(string),
                '\\' => {
                    let c = self.escaped(quote);
                    string.push(c.ok_or_else(|| Fault::new(at, "not an escape of JSON", r"write \\ for a backslash"))?);
                }
                '\0'..='\x1f' => return Err(Fault::new(at, "a control character in a text", r"write it as \u0000")),
                c => string.push(c),
            }
        }
    }

    /// What an escape stands for, behind the backslash.
    fn escaped(&mut self, quote: char) -> Option<char> {
        let c = self.rest().chars().next()?;
        self.at += c.len_utf8();
        Some(match c {
            'b' => '\x08',
            'f' => '\x0c',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            '/' | '\\' => c,
            _ if c == quote => c,
            'u' => {
                let mut units = vec![self.hex()?];
                if (0xd800..0xdc00).contains(&units[0]) && self.accept("\\u") {
                    units.push(self.hex()?);
                }
                return char::decode_utf16(units).next()?.ok();
            }
            _ => return None,
        })
    }

    fn hex(&mut self) -> Option<u16> {
        let digits = self.rest().get(..4).filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()))?;
        self.at += 4;
        u16::from_str_radix(digits, 16).ok()
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

    /// A number of JSON; `-0` is one here.
    fn number(&mut self) -> Result<Operand, Fault> {
        let rest = self.rest();
        let end = rest.find(|c: char| !matches!(c, '0'..='9' | '-' | '+' | '.' | 'e' | 'E')).unwrap_or(rest.len());
        let number = serde_json::from_str(&rest[..end])
            .map_err(|_| self.unexpected("a query, a number, a 'text', true, false or null"))?;
        self.at += end;
        Ok(Operand::Literal(number))
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
        let regex = pattern::compile(&written).map_err(|fault| Fault { at, ..fault })?;
        let regex = if is_whole { pattern::anchor(&regex) } else { Some(regex) };
        self.expect(")")?;
        let regex = regex.ok_or_else(|| Fault::new(at, "the pattern is too large", "write a shorter one"))?;
        Ok(Some(Logical::Matches(text, regex)))
    }
}
