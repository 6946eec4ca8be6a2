//! CSS selectors on the tree of an HTML page, all of them in one pass.

use cssparser::Parser as CssParser;
use ego_tree::NodeRef;
use html5ever::{LocalName, ns};
use scraper::selector::{Parser, Simple};
use scraper::{ElementRef, Node};
use selectors::matching::{self, MatchingContext, SelectorCaches};
use selectors::parser::{Component, ParseRelative, SelectorList};
use selectors::{Element, OpaqueElement};

use super::fault::Fault;
use super::subject::check_size;
use super::{Aspect, attribute_value};
use crate::extract::deadline::Deadline;
use crate::extract::links::Base;
use crate::extract::tree::{elements_below, is_in_template};
use crate::failure::Failure;
use crate::value::Value;

/// How long a selector may be, in bytes: matching goes down the stack with each of its parts.
const LENGTH: usize = 1000;

/// After how many elements the clock is looked at, if no selector looks into an element (`:has`).
const STRIDE: usize = 64;

/// CSS selectors, with the meaning that they have for `scraper`.
#[derive(Debug)]
struct Selectors {
    list: SelectorList<Simple>,
    /// The names that an element must have one of, if they all name one.
    names: Option<Vec<LocalName>>,
    /// Whether matching one element may take all elements in it.
    looks_inside: bool,
    /// Whether the element that is looked into may be found, too (`:scope`).
    names_scope: bool,
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
        let css = css.to_ascii_lowercase();
        Some(Self { list, names, looks_inside: css.contains(":has("), names_scope: css.contains(":scope") })
    }

    fn matches(&self, element: &ElementRef<'_>, search: &mut Search) -> bool {
        if !self.names_scope && search.scope == Some(element.opaque()) {
            return false;
        }
        let name = &element.value().name.local;
        if self.names.as_ref().is_some_and(|names| !names.contains(name)) {
            return false;
        }
        let mut context = MatchingContext::new(
            matching::MatchingMode::Normal,
            None,
            &mut search.caches,
            matching::QuirksMode::NoQuirks,
            matching::NeedsSelectorFlags::No,
            matching::MatchingForInvalidation::No,
        );
        context.scope_element = search.scope;
        let mut selectors = self.list.slice().iter();
        selectors.any(|selector| matching::matches_selector(selector, 0, None, element, &mut context))
    }
}

/// One look through the elements below a node.
pub(in crate::extract) struct Search {
    caches: SelectorCaches,
    /// The node, where it is an element and so no whole page: `:scope`, which is else the root element.
    scope: Option<OpaqueElement>,
}

impl Search {
    pub(in crate::extract) fn below(node: NodeRef<'_, Node>) -> Self {
        Self { caches: SelectorCaches::default(), scope: ElementRef::wrap(node).map(|element| element.opaque()) }
    }
}

/// A CSS selector, and what of an element is taken.
#[derive(Debug)]
pub(in crate::extract) struct Css {
    selectors: Selectors,
    part: Part,
}

#[derive(Debug)]
enum Part {
    Element(Aspect),
    Attribute(LocalName),
}

impl Css {
    /// Reads `CSS` or `CSS@ATTRIBUTE`.
    pub(in crate::extract) fn parse(text: &str) -> Result<Self, Fault> {
        if text.len() > LENGTH {
            return Err(Fault::new(
                0,
                "the selector is longer than 1000 bytes",
                "name less of what is around an element",
            ));
        }
        let (css, attribute) = split_attribute(text);
        let selectors = Selectors::parse(css).ok_or_else(|| not_css(css))?;
        let part = attribute.map_or(Part::Element(Aspect::Text), |name| Part::Attribute(name.into()));
        Ok(Self { selectors, part })
    }

    /// Takes the HTML inside of an element, not its text. False where an attribute is taken.
    pub(super) fn take_html(&mut self) -> bool {
        let is_element = matches!(self.part, Part::Element(_));
        if is_element {
            self.part = Part::Element(Aspect::Html);
        }
        is_element
    }

    /// Whether its selector finds an element.
    pub(in crate::extract) fn finds(&self, element: &ElementRef<'_>, search: &mut Search) -> bool {
        self.selectors.matches(element, search) && !is_in_template(element)
    }

    /// The attribute that it takes of an element.
    pub(in crate::extract) fn attribute(&self) -> Option<&LocalName> {
        if let Part::Attribute(name) = &self.part { Some(name) } else { None }
    }

    /// Whether finding out about one element may take all elements in it.
    pub(in crate::extract) fn looks_inside(&self) -> bool {
        self.selectors.looks_inside
    }

    /// Whether it takes elements, and nothing of them.
    pub(super) fn is_of_elements(&self) -> bool {
        matches!(self.part, Part::Element(Aspect::Text))
    }

    fn value(&self, element: &ElementRef<'_>, base: &Base) -> Option<String> {
        match &self.part {
            Part::Element(aspect) => Some(aspect.of(element)),
            Part::Attribute(wanted) => {
                let mut attributes = element.value().attrs.iter();
                let (_, value) = attributes.find(|(name, _)| name.local == *wanted && name.ns == ns!())?;
                attribute_value(wanted, value, base)
            }
        }
    }
}

/// What one selector has taken so far.
struct Taking<'a> {
    css: &'a Css,
    is_list: bool,
    found: Vec<Value<'static>>,
    bytes: usize,
    is_done: bool,
}

impl Taking<'_> {
    fn look(&mut self, element: &ElementRef<'_>, base: &Base, search: &mut Search) -> Result<(), Failure> {
        if self.is_done || !self.css.selectors.matches(element, search) || is_in_template(element) {
            return Ok(());
        }
        let value = self.css.value(element, base);
        if !self.is_list {
            self.is_done = true;
            self.found.push(Value::text(value));
            return Ok(());
        }
        self.bytes += value.as_ref().map_or(0, String::len);
        check_size(self.bytes)?;
        self.found.extend(value.map(Value::from));
        Ok(())
    }

    /// What it took: a text, null where nothing matches, or a list.
    fn finish(mut self) -> Value<'static> {
        if self.is_list { Value::List(self.found) } else { self.found.pop().unwrap_or_default() }
    }
}

/// Takes what selectors find below a node, all in one pass. Each stands with whether it takes all matches.
///
/// # Errors
/// That takes too long, or too much is found.
pub(super) fn take<'a>(
    selectors: impl Iterator<Item = (&'a Css, bool)>,
    below: NodeRef<'_, Node>,
    base: &Base,
    deadline: &Deadline,
) -> Result<Vec<Value<'static>>, Failure> {
    let taking = |(css, is_list)| Taking { css, is_list, found: Vec::new(), bytes: 0, is_done: false };
    let mut takings: Vec<_> = selectors.map(taking).collect();
    if takings.is_empty() {
        return Ok(Vec::new());
    }
    let mut search = Search::below(below);
    let stride = if takings.iter().any(|taking| taking.css.selectors.looks_inside) { 1 } else { STRIDE };
    for (n, element) in elements_below(below).enumerate() {
        if n % stride == 0 {
            deadline.check()?;
        }
        for taking in &mut takings {
            taking.look(&element, base, &mut search)?;
        }
    }
    Ok(takings.into_iter().map(Taking::finish).collect())
}

/// The elements below a node that a selector finds.
///
/// # Errors
/// That takes too long.
pub(super) fn elements<'t>(
    css: &Css,
    below: NodeRef<'t, Node>,
    deadline: &Deadline,
) -> Result<Vec<ElementRef<'t>>, Failure> {
    let mut search = Search::below(below);
    let stride = if css.selectors.looks_inside { 1 } else { STRIDE };
    let mut found = Vec::new();
    for (n, element) in elements_below(below).enumerate() {
        if n % stride == 0 {
            deadline.check()?;
        }
        if css.finds(&element, &mut search) {
            found.push(element);
        }
    }
    Ok(found)
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

fn not_css(css: &str) -> Fault {
    let at = wrong_at(css);
    let hint = if css[at..].starts_with('|') {
        "a bar is a transform's with white space before it: .price | number"
    } else {
        "write CSS such as .price or a.next@href; an XPath begins with / or (, a JSONPath with $, a jq program with jq:"
    };
    Fault::new(at, "not a CSS selector", hint)
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
