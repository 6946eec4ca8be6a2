//! Expression → selector and transforms, each with where it stands.

use std::iter::Peekable;
use std::str::CharIndices;

use super::fault::Fault;
use super::transform::Argument;
use crate::value::Value;

/// How deep brackets may be nested: parsers and matchers go down with them.
const DEPTH: usize = 40;

/// The language that a selector is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Language {
    Css,
    XPath,
    JsonPath,
    Jq,
}

impl Language {
    /// That of a selector that is no jq program, by its start. No CSS selector begins as the others do.
    fn of(selector: &str) -> Self {
        let is_call = || selector.trim_start_matches(|c: char| c.is_ascii_lowercase() || c == '-').starts_with('(');
        if selector.starts_with('$') {
            Self::JsonPath
        } else if selector.starts_with(['/', '('])
            || selector.starts_with("./")
            || selector.starts_with("../")
            || is_call()
        {
            Self::XPath
        } else {
            Self::Css
        }
    }

    /// Whether a backslash takes its meaning from what follows.
    fn has_escapes(self) -> bool {
        self != Self::XPath
    }
}

/// A part of an expression, and the byte where it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Part<'t> {
    pub(super) text: &'t str,
    pub(super) at: usize,
}

/// An expression in its parts.
#[derive(Debug)]
pub(super) struct Scanned<'t> {
    pub(super) language: Language,
    pub(super) selector: Part<'t>,
    pub(super) calls: Vec<Written<'t>>,
}

/// A transform as it is written.
#[derive(Debug)]
pub(super) enum Written<'t> {
    /// `re:PATTERN`
    Pattern(Part<'t>),
    /// `NAME` or `NAME(ARGUMENT)`
    Call { name: Part<'t>, argument: Option<Argument<'t>>, argument_at: usize },
}

impl Written<'_> {
    /// Whether it is `html`, which is a selector's business.
    pub(super) fn is_html(&self) -> bool {
        matches!(self, Self::Call { name, argument: None, .. } if name.text == "html")
    }
}

/// Takes an expression apart.
pub(super) fn scan(text: &str) -> Result<Scanned<'_>, Fault> {
    let start = text.len() - text.trim_start().len();
    if let Some(program) = text[start..].strip_prefix("jq:") {
        let selector = Part { text: program, at: text.len() - program.len() };
        return Ok(Scanned { language: Language::Jq, selector, calls: Vec::new() });
    }
    let language = Language::of(&text[start..]);
    let mut scanner = Scanner { text, at: start };
    let selector = scanner.selector(language)?;
    let mut calls = Vec::new();
    while scanner.at < text.len() {
        // The bar.
        scanner.at += 1;
        calls.push(scanner.transform()?);
        scanner.skip_space();
        if !scanner.rest().is_empty() && !scanner.rest().starts_with('|') {
            return Err(Fault::new(scanner.at, "not the end of a transform", "write | between two of them"));
        }
    }
    Ok(Scanned { language, selector, calls })
}

struct Scanner<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Scanner<'t> {
    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn skip_space(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
    }

    /// What stands from a place up to here, without white space behind it.
    fn since(&self, start: usize) -> Part<'t> {
        Part { text: self.text[start..self.at].trim_end(), at: start }
    }

    /// Reads up to the first bar that ends a selector.
    fn selector(&mut self, language: Language) -> Result<Part<'t>, Fault> {
        let start = self.at;
        let (mut depth, mut quote, mut before) = (0_usize, None, ' ');
        let mut chars = self.rest().char_indices();
        while let Some((offset, c)) = chars.next() {
            self.at = start + offset;
            match (c, quote) {
                ('\\', _) if language.has_escapes() => drop(chars.next()),
                (_, Some(open)) => quote = quote.filter(|_| c != open),
                ('"' | '\'', None) => quote = Some(c),
                ('(' | '[', None) => depth += 1,
                (')' | ']', None) => depth = depth.saturating_sub(1),
                ('|', None) if depth == 0 && before.is_whitespace() && !self.is_union(language) => {
                    return Ok(self.since(start));
                }
                _ => {}
            }
            if depth > DEPTH {
                return Err(Fault::new(self.at, "the selector is nested too deeply", "split it into several fields"));
            }
            before = c;
        }
        self.at = self.text.len();
        Ok(self.since(start))
    }

    /// Whether the bar here joins two paths: no transform begins as a path does.
    fn is_union(&self, language: Language) -> bool {
        let operand = self.rest()[1..].trim_start();
        language == Language::XPath && operand.starts_with(['/', '(', '.', '@', '*'])
    }

    fn transform(&mut self) -> Result<Written<'t>, Fault> {
        self.skip_space();
        let start = self.at;
        if self.rest().starts_with("re:") {
            return Ok(Written::Pattern(self.pattern()));
        }
        let rest = self.rest();
        let end = rest.find(|c: char| !c.is_alphanumeric() && !matches!(c, '_' | '-')).unwrap_or(rest.len());
        if end == 0 {
            return Err(Fault::new(start, "a transform is missing", "write one behind the bar, such as | number"));
        }
        self.at += end;
        let name = self.since(start);
        if !self.rest().starts_with('(') {
            return Ok(Written::Call { name, argument: None, argument_at: self.at });
        }
        self.at += 1;
        self.skip_space();
        let argument_at = self.at;
        let argument = self.argument()?;
        self.skip_space();
        if !self.rest().starts_with(')') {
            return Err(Fault::new(self.at, "the argument does not end here", "write ) behind it"));
        }
        self.at += 1;
        Ok(Written::Call { name, argument: Some(argument), argument_at })
    }

    /// Reads a pattern up to the first bar between white space that stands in no group and no class.
    fn pattern(&mut self) -> Part<'t> {
        self.at += "re:".len();
        let start = self.at;
        let (mut depth, mut in_class, mut before) = (0_usize, false, 'e');
        let mut chars = self.rest().char_indices().peekable();
        while let Some((offset, c)) = chars.next() {
            self.at = start + offset;
            match c {
                '\\' => drop(chars.next()),
                '[' => in_class = true,
                ']' => in_class = false,
                '(' if !in_class => depth += 1,
                ')' if !in_class => depth = depth.saturating_sub(1),
                '|' if depth == 0 && !in_class && before.is_whitespace() && is_followed_by_space(&mut chars) => {
                    return self.since(start);
                }
                _ => {}
            }
            before = c;
        }
        self.at = self.text.len();
        self.since(start)
    }

    fn argument(&mut self) -> Result<Argument<'t>, Fault> {
        let rest = self.rest();
        if rest.starts_with(['"', '\'']) {
            return self.string().map(|text| Argument::Value(Value::from(text)));
        }
        let end = rest.find(|c: char| c == ')' || c == '|' || c.is_whitespace()).unwrap_or(rest.len());
        let word = &rest[..end];
        let value = serde_json::from_str(word).ok().filter(|value: &Value<'static>| !value.is_null());
        if word.is_empty() {
            return Err(Fault::new(self.at, "an argument is missing", "write one, or leave out the parentheses"));
        }
        self.at += end;
        Ok(value.map_or(Argument::Word(word), Argument::Value))
    }

    /// A text in quotes: a backslash stands before a quote or another backslash, and `\n` and `\t` are what they are in C.
    fn string(&mut self) -> Result<String, Fault> {
        let start = self.at;
        let mut chars = self.rest().char_indices();
        let quote = chars.next().map_or('"', |(_, quote)| quote);
        let mut string = String::new();
        while let Some((offset, c)) = chars.next() {
            match c {
                _ if c == quote => {
                    self.at = start + offset + 1;
                    return Ok(string);
                }
                '\\' => string.push(match chars.next() {
                    Some((_, 'n')) => '\n',
                    Some((_, 't')) => '\t',
                    Some((_, c)) if c == quote || c == '\\' => c,
                    _ => {
                        let hint = format!(r"write \\ for a backslash; \{quote}, \n and \t have a meaning, too");
                        return Err(Fault::new(start + offset, "a backslash that means nothing", hint));
                    }
                }),
                c => string.push(c),
            }
        }
        Err(Fault::new(start, "the text has no end", format!("write {quote} behind it")))
    }
}

fn is_followed_by_space(chars: &mut Peekable<CharIndices<'_>>) -> bool {
    chars.peek().is_none_or(|(_, next)| next.is_whitespace())
}
