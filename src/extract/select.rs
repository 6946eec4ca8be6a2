//! `NAME=CSS`: fields that a user describes with selectors.

use cssparser::Parser as CssParser;
use html5ever::{LocalName, ns};
use scraper::selector::{Parser, Simple};
use scraper::{ElementRef, Html};
use selectors::matching::{self, MatchingContext, SelectorCaches};
use selectors::parser::{Component, ParseRelative, SelectorList};

use super::Error;
use super::deadline::Deadline;
use super::links::Base;
use super::tree::{elements, is_in_template, text_of};
use crate::failure::{Failure, Kind};
use crate::value::Value;

/// How much text one selector may find in a page, in bytes: nested matches hold the same text again and again.
const FOUND: usize = 64 << 20;

/// After how many elements the clock is looked at, if no selector looks into an element (`:has`).
const STRIDE: usize = 64;

/// The longest selector that is read, in bytes. Finding out where one goes wrong takes quadratic time.
const LONGEST: usize = 10_000;

/// CSS selectors, with the meaning that they have for `scraper`.
#[derive(Debug)]
struct Selectors {
    list: SelectorList<Simple>,
    /// The names that an element must have one of, if they all name one.
    names: Option<Vec<LocalName>>,
    /// Whether matching one element may take all elements in it.
    looks_inside: bool,
}

impl Selectors {
    fn parse(css: &str) -> Option<Self> {
        let list = SelectorList::parse(&Parser, &mut CssParser::new(css), ParseRelative::No).ok()?;
        let names = list.slice().iter().map(|selector| {
            // The first ones are those of the element itself.
            let name = selector.iter().find_map(|component| match component {
                Component::LocalName(name) => Some(name),
                _ => None,
            })?;
            Some([name.name.0.clone(), name.lower_name.0.clone()])
        });
        let names = names.collect::<Option<Vec<_>>>().map(|names| names.into_iter().flatten().collect());
        Some(Self { list, names, looks_inside: css.to_ascii_lowercase().contains(":has(") })
    }

    fn matches(&self, element: &ElementRef<'_>, caches: &mut SelectorCaches) -> bool {
        let name = &element.value().name.local;
        if self.names.as_ref().is_some_and(|names| !names.contains(name)) {
            return false;
        }
        let mut context = MatchingContext::new(
            matching::MatchingMode::Normal,
            None,
            caches,
            matching::QuirksMode::NoQuirks,
            matching::NeedsSelectorFlags::No,
            matching::MatchingForInvalidation::No,
        );
        let mut selectors = self.list.slice().iter();
        selectors.any(|selector| matching::matches_selector(selector, 0, None, element, &mut context))
    }
}

/// What is taken from a page, compiled.
#[derive(Debug)]
pub(super) struct Pick {
    selectors: Selectors,
    /// All matches, not only the first.
    pub(super) is_list: bool,
    /// This attribute, not the text.
    attribute: Option<Attribute>,
}

/// An attribute that is asked for.
#[derive(Debug)]
struct Attribute {
    name: LocalName,
    is_url: bool,
}

impl Attribute {
    fn new(name: &str) -> Self {
        Self { name: name.into(), is_url: matches!(name, "href" | "src") }
    }

    fn of<'a>(&self, element: &ElementRef<'a>) -> Option<&'a str> {
        let mut attributes = element.value().attrs.iter();
        attributes.find(|(name, _)| name.local == self.name && name.ns == ns!()).map(|(_, value)| &**value)
    }
}

impl Pick {
    /// Reads `NAME=CSS`, `NAME[]=CSS`, `NAME=CSS@ATTRIBUTE`. Gives the name, and what it stands for.
    pub(super) fn parse(expression: &str) -> Result<(&str, Self), Error> {
        let (name, rest) = expression.split_once('=').ok_or_else(|| Error::NoName(expression.into()))?;
        let (name, is_list) = name.strip_suffix("[]").map_or((name, false), |name| (name, true));
        if !is_name(name) {
            return Err(Error::BadName { expression: expression.into(), name: name.into() });
        }
        if rest.len() > LONGEST {
            return Err(Error::TooLong { name: name.into(), limit: LONGEST });
        }
        let (css, attribute) = split_attribute(rest);
        let Some(selectors) = Selectors::parse(css) else {
            let at = expression.len() - rest.len() + wrong_at(css);
            return Err(Error::BadSelector { expression: expression.into(), column: expression[..at].chars().count() });
        };
        Ok((name, Self { selectors, is_list, attribute: attribute.map(Attribute::new) }))
    }

    /// Whether its selector finds an element.
    pub(super) fn finds(&self, element: &ElementRef<'_>, caches: &mut SelectorCaches) -> bool {
        self.selectors.matches(element, caches) && !is_in_template(element)
    }

    fn value(&self, element: &ElementRef<'_>, base: &Base) -> Option<String> {
        match &self.attribute {
            None => Some(text_of(element)),
            Some(attribute) if attribute.is_url => base.absolute(attribute.of(element)?),
            Some(attribute) => attribute.of(element).map(str::to_owned),
        }
    }
}

/// What one pick has taken so far.
struct Taking<'a> {
    pick: &'a Pick,
    found: Vec<Value<'static>>,
    bytes: usize,
    is_done: bool,
}

impl Taking<'_> {
    fn look(&mut self, element: &ElementRef<'_>, base: &Base, caches: &mut SelectorCaches) -> Result<(), Failure> {
        if self.is_done || !self.pick.finds(element, caches) {
            return Ok(());
        }
        let value = self.pick.value(element, base);
        if !self.pick.is_list {
            self.is_done = true;
            self.found.push(Value::text(value));
            return Ok(());
        }
        self.bytes += value.as_ref().map_or(0, String::len);
        if self.bytes > FOUND {
            return Err(Failure::new(Kind::TooComplex, "a selector finds more than 64 MiB of text"));
        }
        self.found.extend(value.map(Value::from));
        Ok(())
    }

    /// What it took: a text, null where nothing matches, or a list.
    fn finish(mut self) -> Value<'static> {
        if self.pick.is_list { Value::List(self.found) } else { self.found.pop().unwrap_or_default() }
    }
}

/// Takes all picks from a tree, in one pass.
///
/// # Errors
/// That takes too long, or too much is found.
pub(super) fn take<'a>(
    picks: impl Iterator<Item = &'a Pick>,
    tree: &Html,
    base: &Base,
    deadline: &Deadline,
) -> Result<Vec<Value<'static>>, Failure> {
    let mut takings: Vec<_> = picks.map(|pick| Taking { pick, found: Vec::new(), bytes: 0, is_done: false }).collect();
    let mut caches = SelectorCaches::default();
    let stride = if takings.iter().any(|taking| taking.pick.selectors.looks_inside) { 1 } else { STRIDE };
    for (n, element) in elements(tree).enumerate() {
        if n % stride == 0 {
            deadline.check()?;
        }
        for taking in &mut takings {
            taking.look(&element, base, &mut caches)?;
        }
    }
    Ok(takings.into_iter().map(Taking::finish).collect())
}

/// Whether `name` can be a key: a letter or `_`, then letters, digits, `_`, `.`, `-`.
fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b))
}

/// Splits a trailing `@attribute` off. An `@` in brackets or quotes has a bracket or quote behind it.
fn split_attribute(text: &str) -> (&str, Option<&str>) {
    let is_attribute =
        |name: &str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_:-".contains(&b));
    match text.trim_end().rsplit_once('@') {
        Some((css, name)) if is_attribute(name) => (css, Some(name)),
        _ => (text, None),
    }
}

/// Where a selector goes wrong: behind the longest start that is right, and the comma or combinator that follows it.
/// The parser does not tell.
fn wrong_at(css: &str) -> usize {
    let mut ends = (0..css.len()).rev().filter(|&end| css.is_char_boundary(end));
    let right = ends.find(|&end| Selectors::parse(&css[..end]).is_some()).unwrap_or(0);
    let rest = css[right..].trim_start();
    let rest = rest.strip_prefix([',', '>', '+', '~']).unwrap_or(rest).trim_start();
    css.len() - rest.len()
}
