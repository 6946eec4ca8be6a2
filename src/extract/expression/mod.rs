//! The language of `--select`: where a value stands in a page, and what becomes of it.
//!
//! ```text
//! field     = NAME ["[]"] "=" expression
//! expression = selector { " |" transform }
//! selector  = XPath | JSONPath | "jq:" program | CSS ["@" attribute]
//! transform = "re:" pattern | name ["(" argument ")"]
//! argument  = "text" | 'text' | number | "true" | "false" | word
//! ```
//!
//! `NAME=` takes the first match, `NAME[]=` all of them as a list. Values go from one transform to the next; a transform
//! is applied to each item of a list, however deep (`join` makes a text of the innermost lists). Null stays null
//! through all of them but `default`, which fills in single values and the items of lists, not whole lists.
//!
//! What a selector is in is told by its start: `$` begins a JSONPath; `/`, `(`, `./`, `../` and a function's name with its
//! parenthesis an XPath; `jq:` a [jq program](jq); everything else is CSS. CSS and XPath read HTML, JSONPath and jq read JSON
//! (and plain text that is JSON all the same); on other pages they are null.
//!
//! - An element stands for its text, white space collapsed, or with `html` behind the selector for the HTML inside
//!   (WHATWG HTML, section 13.3). An attribute is taken as it is, but `href` and `src` as absolute URLs. A list leaves
//!   out the matches that do not have the attribute, and keeps the items that a transform makes null.
//! - An XPath that is no set of nodes is a text, a number or a truth value. What JSONPath finds keeps its type.
//! - A jq program's matches are the values that it gives. No transforms follow it: all bars behind `jq:` are its own.
//!
//! Which bar is a transform's: **one with white space before it, outside of quotes and brackets**. So `ns|a` and
//! `[lang|=en]` are CSS, and `$[?@.a || @.b]` is JSONPath. In an XPath a bar before `/ ( . @ *` joins paths (`//h1 | //h2`);
//! with a name behind it, it is written without white space or in parentheses. A pattern ends at a bar with white space
//! on *both* sides, outside of groups and classes, so that `re:a|b` is one; white space around a pattern is no part of it.
//!
//! What is wrong is told with the byte where it is. Nothing runs without bound: the clock of a page (`Deadline`) is looked
//! at inside of CSS, XPath and JSONPath, and ends the process of a jq program; what is found has a size (64 MiB); patterns take
//! linear time, of which large ones get short texts only.

mod css;
mod date;
mod fault;
mod holds;
pub mod jq;
mod jsonpath;
mod number;
mod pattern;
mod scan;
mod subject;
mod transform;
mod xpath;

use scraper::ElementRef;

use super::deadline::Meter;
use super::links::Base;
use super::tree::text_of;
use crate::failure::Failure;
use crate::page::Kind;
use crate::value::Value;
pub(super) use css::{Css, Search};
pub(super) use fault::Fault;
use holds::{Holds, NULL, NUMBER, TEXT, TRUTH};
use jq::Program;
use jsonpath::JsonPath;
pub(super) use pattern::Pattern;
use scan::{Language, Scanned, Written, scan};
pub(super) use subject::{Place, Subject, check_size};
use transform::{Call, Step, no_pattern};
pub use transform::{TRANSFORMS, Transform};
use xpath::XPath;

/// How long an expression may be, in bytes.
const LENGTH: usize = 4096;

/// An expression that means something.
#[derive(Debug)]
pub(super) struct Expression {
    /// As it is written.
    text: Box<str>,
    selector: Selector,
    /// All matches, not only the first.
    is_list: bool,
    steps: Vec<Step>,
    holds: Holds,
}

#[derive(Debug)]
enum Selector {
    Css(Css),
    XPath(XPath, Aspect),
    JsonPath(JsonPath),
    Jq(Program),
}

impl Selector {
    fn parse(language: Language, text: &str) -> Result<Self, Fault> {
        Ok(match language {
            Language::Css => Self::Css(Css::parse(text)?),
            Language::XPath => Self::XPath(XPath::parse(text)?, Aspect::Text),
            Language::JsonPath => Self::JsonPath(JsonPath::parse(text)?),
            Language::Jq => Self::Jq(Program::parse(text)?),
        })
    }

    /// Takes the HTML inside of elements, not their text. False where it finds no elements.
    fn take_html(&mut self) -> bool {
        match self {
            Self::Css(css) => css.take_html(),
            Self::XPath(xpath, aspect) if xpath.result() == xpath::Type::Nodes => {
                *aspect = Aspect::Html;
                true
            }
            Self::XPath(..) | Self::JsonPath(_) | Self::Jq(_) => false,
        }
    }

    /// What it finds.
    fn holds(&self, is_list: bool) -> Holds {
        let kind = match self {
            Self::Css(_) => TEXT,
            Self::XPath(xpath, _) => match xpath.result() {
                xpath::Type::Nodes | xpath::Type::Text => TEXT,
                xpath::Type::Number => NUMBER,
                xpath::Type::Truth => TRUTH,
            },
            Self::JsonPath(_) | Self::Jq(_) => return Holds::anything(usize::from(is_list)),
        };
        if is_list { Holds::new(kind, 1) } else { Holds::new(kind | NULL, 0) }
    }
}

/// What of an element is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Aspect {
    Text,
    Html,
}

impl Aspect {
    fn of(self, element: &ElementRef<'_>) -> String {
        match self {
            Self::Text => text_of(element),
            Self::Html => element.inner_html(),
        }
    }
}

/// What an attribute's value stands for.
fn attribute_value(name: &str, value: &str, base: &Base) -> Option<String> {
    if matches!(name, "href" | "src") { base.absolute(value) } else { Some(value.to_owned()) }
}

/// Reads `NAME` or `NAME[]`. Gives the name, and whether it stands for a list.
pub(super) fn parse_name(text: &str) -> Result<(&str, bool), Fault> {
    let (name, is_list) = text.strip_suffix("[]").map_or((text, false), |name| (name, true));
    if !is_name(name) {
        let hint = "write NAME= or NAME[]=, with a name of letters, digits, `_`, `.` and `-` that begins with a letter";
        return Err(Fault::new(0, "this is no name", hint));
    }
    Ok((name, is_list))
}

/// Reads `NAME=expression` or `NAME[]=expression`. Gives the name, and what it stands for.
pub(super) fn parse_field(field: &str) -> Result<(&str, Expression), Fault> {
    let hint = "write NAME=SELECTOR, such as price=.price";
    let (name, text) = field.split_once('=').ok_or_else(|| Fault::new(0, "there is no name", hint))?;
    let start = name.len() + 1;
    let (name, is_list) = parse_name(name)?;
    let expression = Expression::parse(text, is_list).map_err(|fault| fault.within(start))?;
    Ok((name, expression))
}

/// Whether `name` can be a key: a letter or `_`, then letters, digits, `_`, `.`, `-`.
fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b))
}

impl Expression {
    /// Parses an expression, for the first match or a list of all.
    pub(super) fn parse(text: &str, is_list: bool) -> Result<Self, Fault> {
        if text.len() > LENGTH {
            return Err(Fault::new(0, "the expression is longer than 4096 bytes", "split it into several fields"));
        }
        let Scanned { language, selector: part, calls } = scan(text)?;
        let mut selector = Selector::parse(language, part.text).map_err(|fault| fault.within(part.at))?;
        let mut calls = calls.into_iter().peekable();
        if calls.peek().is_some_and(Written::is_html) && selector.take_html() {
            calls.next();
        }
        let mut holds = selector.holds(is_list);
        let mut steps = Vec::new();
        for call in calls {
            let step = compile(call, holds)?;
            holds = step.output(holds);
            steps.push(step);
        }
        Ok(Self { text: text.trim().into(), selector, is_list, steps, holds })
    }

    /// It as it is written.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Whether its selector finds the texts of elements by CSS.
    fn is_css_of_elements(&self) -> bool {
        matches!(&self.selector, Selector::Css(css) if css.is_of_elements())
    }

    /// Its CSS selector, if it has one.
    pub(super) fn css(&self) -> Option<&Css> {
        if let Selector::Css(css) = &self.selector { Some(css) } else { None }
    }

    /// Parses an expression for the places that it finds: elements, or values of JSON.
    pub(super) fn parse_places(text: &str) -> Result<Self, Fault> {
        let expression = Self::parse(text, true)?;
        let finds_places = match &expression.selector {
            Selector::Css(css) => css.is_of_elements(),
            Selector::XPath(xpath, aspect) => xpath.result() == xpath::Type::Nodes && *aspect == Aspect::Text,
            Selector::JsonPath(_) | Selector::Jq(_) => true,
        };
        if finds_places && expression.steps.is_empty() {
            return Ok(expression);
        }
        let hint = "write a selector alone, such as article.product, //article, $.items[*] or jq:.items[]";
        Err(Fault::new(0, "this finds no elements and no values of JSON to look into", hint))
    }

    /// Parses an expression for a URL.
    pub(super) fn parse_url(text: &str) -> Result<Self, Fault> {
        let expression = Self::parse(text, false)?;
        if expression.is_css_of_elements() && expression.steps.is_empty() {
            let hint = "take an attribute, such as a.next@href";
            return Err(Fault::new(0, "this finds the text of an element, and no URL", hint));
        }
        Ok(expression)
    }

    /// Whether it can find something on a page of a kind.
    pub(super) fn is_for(&self, kind: Kind) -> bool {
        if self.reads_json() { matches!(kind, Kind::Json | Kind::Text) } else { kind == Kind::Html }
    }

    /// Whether it is evaluated on a tree.
    pub(super) fn reads_tree(&self) -> bool {
        !self.reads_json()
    }

    /// Whether it is evaluated on JSON.
    pub(super) fn reads_json(&self) -> bool {
        matches!(self.selector, Selector::JsonPath(_) | Selector::Jq(_))
    }

    /// Whether it is a jq program.
    pub(super) fn is_jq(&self) -> bool {
        matches!(self.selector, Selector::Jq(_))
    }

    /// What its value is for the documentation.
    pub(super) fn help(&self) -> &'static str {
        if self.is_list { "of all matches" } else { "of the first match" }
    }

    /// What its value is, as a JSON Schema in JSON.
    pub(super) fn schema(&self) -> String {
        self.holds.schema()
    }

    fn finish(&self, value: Value<'static>, base: &Base, meter: &Meter<'_>) -> Result<Value<'static>, Failure> {
        self.steps.iter().try_fold(value, |value, step| step.apply(value, base, meter))
    }
}

/// Finds out what a transform is to do.
fn compile(written: Written<'_>, holds: Holds) -> Result<Step, Fault> {
    let (name, argument, argument_at) = match written {
        Written::Pattern(pattern) if pattern.text.is_empty() => return Err(no_pattern(pattern.at)),
        Written::Pattern(pattern) => return Step::matching(pattern.text).map_err(|fault| fault.within(pattern.at)),
        Written::Call { name, argument, argument_at } => (name, argument, argument_at),
    };
    let transform = Transform::find(name.text).ok_or_else(|| {
        let names: Vec<_> = TRANSFORMS.iter().map(|transform| transform.name).collect();
        let what = format!("no transform is called \"{}\"", name.text);
        Fault::new(name.at, what, format!("transforms are {}", names.join(", ")))
    })?;
    transform.compile(&Call { at: name.at, argument_at, argument, holds })
}

#[cfg(test)]
mod tests;
