//! A page → the values of expressions.

use std::cell::OnceCell;
use std::collections::HashMap;

use ego_tree::{NodeId, NodeRef};
use scraper::{ElementRef, Html};
use typed_arena::Arena;

use super::css;
use super::jq::Runner;
use super::jsonpath::JsonPath;
use super::xpath::{Node, Nodes, Outcome, XPath};
use super::{Aspect, Expression, Selector, attribute_value};
use crate::extract::FOUND;
use crate::extract::deadline::{Deadline, Meter};
use crate::extract::links::Base;
use crate::extract::matches::Matches;
use crate::extract::text::collapse;
use crate::failure::{Failure, Kind};
use crate::value::Value;

/// Where in a page an expression is evaluated: what CSS looks into, the context node of an XPath, the root of a JSONPath, the
/// input of a jq program.
#[derive(Clone, Copy)]
pub(in crate::extract) enum Place<'a> {
    Page,
    Element(ElementRef<'a>),
    Json(&'a Value<'static>),
}

/// A page as expressions see it.
pub(in crate::extract) struct Subject<'a> {
    tree: Option<&'a Html>,
    /// There where an XPath asks for them.
    nodes: Option<Nodes<'a>>,
    /// Where they are, for an XPath that is evaluated at an element.
    index: OnceCell<HashMap<NodeId, Node>>,
    json: Option<&'a Value<'static>>,
    /// There where a jq program is asked for.
    jq: Option<Runner<'a>>,
    /// The places that jq programs made.
    made: Arena<Value<'static>>,
    base: &'a Base,
    deadline: &'a Deadline,
}

impl<'a> Subject<'a> {
    /// A page for `expressions`, with its tree where it is HTML, and its value where it is JSON.
    ///
    /// # Errors
    /// That takes too long.
    pub(in crate::extract) fn new(
        expressions: &[&Expression],
        (tree, json): (Option<&'a Html>, Option<&'a Value<'static>>),
        base: &'a Base,
        deadline: &'a Deadline,
    ) -> Result<Self, Failure> {
        let has_xpath = expressions.iter().any(|it| matches!(it.selector, Selector::XPath(..)));
        let nodes = tree.filter(|_| has_xpath).map(|tree| Nodes::new(tree, &Meter::new(deadline))).transpose()?;
        Ok(Self { tree, nodes, index: OnceCell::new(), json, jq: None, made: Arena::new(), base, deadline })
    }

    /// The same page with what runs jq programs; without, they are null.
    pub(in crate::extract) fn with_jq(self, jq: Option<Runner<'a>>) -> Self {
        Self { jq, ..self }
    }

    /// The values of expressions at a place: all that are CSS in one pass, and all jq programs at once.
    ///
    /// # Errors
    /// That takes too long, or too much is found.
    pub(in crate::extract) fn evaluate(
        &self,
        expressions: &[&Expression],
        at: Place<'_>,
    ) -> Result<Vec<Value<'static>>, Failure> {
        let picks = expressions.iter().filter_map(|it| match &it.selector {
            Selector::Css(css) => Some((css, it.is_list)),
            _ => None,
        });
        let below = self.root_of(at);
        let taken = below.map(|below| css::take(picks, below, self.base, self.deadline)).transpose()?;
        let mut taken = taken.unwrap_or_default().into_iter();
        let mut given = self.jq(expressions, at)?.into_iter();
        let meter = Meter::new(self.deadline);
        let value = |expression: &&Expression| {
            let value = match &expression.selector {
                Selector::Css(_) => taken.next().unwrap_or_default(),
                Selector::XPath(xpath, aspect) => self.xpath((xpath, *aspect), expression.is_list, at, &meter)?,
                Selector::JsonPath(path) => self.json_path(path, expression.is_list, at, &meter)?,
                Selector::Jq(_) => match given.next().flatten() {
                    Some(given) if expression.is_list => Value::List(given),
                    Some(given) => given.into_iter().next().unwrap_or_default(),
                    None => Value::Null,
                },
            };
            let value = expression.finish(value, self.base, &meter)?;
            self.deadline.check().map(|()| value)
        };
        expressions.iter().map(value).collect()
    }

    /// The places that an expression finds from a place, in their order: elements, or values of JSON.
    ///
    /// # Errors
    /// That takes too long, or too many are found.
    pub(in crate::extract) fn places<'s>(
        &'s self,
        expression: &Expression,
        at: Place<'s>,
    ) -> Result<Vec<Place<'s>>, Failure> {
        let meter = Meter::new(self.deadline);
        Ok(match &expression.selector {
            Selector::Css(css) => {
                let found = self.root_of(at).map(|below| css::elements(css, below, self.deadline)).transpose()?;
                found.unwrap_or_default().into_iter().map(Place::Element).collect()
            }
            Selector::XPath(xpath, _) => match (&self.nodes, self.node_of(at)) {
                (Some(nodes), Some(node)) => match xpath.evaluate(nodes, node, &meter)? {
                    Outcome::Nodes(found) => {
                        found.into_iter().filter_map(|node| nodes.element(node)).map(Place::Element).collect()
                    }
                    Outcome::Text(_) | Outcome::Number(_) | Outcome::Truth(_) => Vec::new(),
                },
                _ => Vec::new(),
            },
            Selector::JsonPath(path) => match self.json_of(at) {
                Some(json) => path.find(json, &meter)?.into_iter().map(Place::Json).collect(),
                None => Vec::new(),
            },
            Selector::Jq(_) => {
                let given = self.jq(&[expression], at)?.into_iter().flatten().flatten();
                given.map(|value| Place::Json(self.made.alloc(value))).collect()
            }
        })
    }

    /// How many nodes of a page or values of JSON an expression's selector finds at a place, and the way to the first one. A value
    /// that an XPath comes to is one, unless it is null.
    ///
    /// # Errors
    /// That takes too long, or too many are found.
    pub(in crate::extract) fn matches(&self, expression: &Expression, at: Place<'_>) -> Result<Matches, Failure> {
        let meter = Meter::new(self.deadline);
        Ok(match &expression.selector {
            Selector::Css(css) => {
                let found = self.root_of(at).map(|below| css::elements(css, below, self.deadline)).transpose()?;
                let found = found.unwrap_or_default();
                Matches { count: found.len() as u64, first: found.first().map(path) }
            }
            Selector::XPath(xpath, _) => match (&self.nodes, self.node_of(at)) {
                (Some(nodes), Some(node)) => match xpath.evaluate(nodes, node, &meter)? {
                    Outcome::Nodes(found) => {
                        let first = found.first().map(|&node| path_of(nodes, node));
                        Matches { count: found.len() as u64, first }
                    }
                    Outcome::Number(number) => Matches { count: number.is_finite().into(), first: None },
                    Outcome::Text(_) | Outcome::Truth(_) => Matches { count: 1, first: None },
                },
                _ => Matches::default(),
            },
            Selector::JsonPath(path) => {
                let found = self.json_of(at).map(|json| path.find(json, &meter)).transpose()?;
                Matches { count: found.map_or(0, |found| found.len() as u64), first: None }
            }
            Selector::Jq(_) => {
                let given = self.jq(&[expression], at)?.into_iter().flatten().flatten();
                Matches { count: given.count() as u64, first: None }
            }
        })
    }

    /// The absolute URL of one that stands in the page.
    pub(in crate::extract) fn absolute(&self, url: &str) -> Option<String> {
        self.base.absolute(url)
    }

    /// What CSS looks into.
    fn root_of<'s>(&'s self, at: Place<'s>) -> Option<NodeRef<'s, scraper::Node>> {
        match at {
            Place::Page => self.tree.map(|tree| tree.tree.root()),
            Place::Element(element) => Some(*element),
            Place::Json(_) => None,
        }
    }

    /// The context node of an XPath.
    fn node_of(&self, at: Place<'_>) -> Option<Node> {
        match at {
            Place::Page => Some(Node::ROOT),
            Place::Element(element) => {
                let index = || self.nodes.iter().flat_map(Nodes::elements).collect();
                self.index.get_or_init(index).get(&element.id()).copied()
            }
            Place::Json(_) => None,
        }
    }

    /// The root of a JSONPath, or the input of a jq program.
    fn json_of<'s>(&'s self, at: Place<'s>) -> Option<&'s Value<'static>> {
        match at {
            Place::Page => self.json,
            Place::Element(_) => None,
            Place::Json(value) => Some(value),
        }
    }

    fn xpath(
        &self,
        (xpath, aspect): (&XPath, Aspect),
        is_list: bool,
        at: Place<'_>,
        meter: &Meter<'_>,
    ) -> Result<Value<'static>, Failure> {
        let (Some(nodes), Some(at)) = (&self.nodes, self.node_of(at)) else { return Ok(Value::Null) };
        let found = match xpath.evaluate(nodes, at, meter)? {
            Outcome::Nodes(found) if is_list => found,
            Outcome::Nodes(found) => {
                let first = found.first().map(|&node| self.value_of(nodes, node, aspect, meter)).transpose()?;
                return Ok(Value::text(first.flatten()));
            }
            Outcome::Text(text) => return Ok(one(Value::from(text), is_list)),
            Outcome::Number(number) => return Ok(one(Value::number(number), is_list)),
            Outcome::Truth(truth) => return Ok(one(Value::Bool(truth), is_list)),
        };
        let (mut values, mut bytes) = (Vec::new(), 0);
        for node in found {
            let value = self.value_of(nodes, node, aspect, meter)?;
            bytes += value.as_ref().map_or(0, String::len);
            check_size(bytes)?;
            values.extend(value.map(Value::from));
        }
        Ok(Value::List(values))
    }

    fn value_of(
        &self,
        nodes: &Nodes<'_>,
        node: Node,
        aspect: Aspect,
        meter: &Meter<'_>,
    ) -> Result<Option<String>, Failure> {
        if let Some(element) = nodes.element(node) {
            let value = aspect.of(&element);
            meter.count(value.len() / 8)?;
            return Ok(Some(value));
        }
        if let Some((name, value)) = nodes.attribute(node) {
            return Ok(attribute_value(name, value, self.base).filter(|_| aspect == Aspect::Text));
        }
        let mut text = String::new();
        nodes.text(node, &mut text, meter)?;
        Ok((aspect == Aspect::Text).then(|| collapse(&text)))
    }

    /// What those of the expressions give that are jq programs; none of one that fails, and of any where there is no JSON.
    fn jq(&self, expressions: &[&Expression], at: Place<'_>) -> Result<Vec<Option<Vec<Value<'static>>>>, Failure> {
        let programs = expressions.iter().filter_map(|it| match &it.selector {
            Selector::Jq(program) => Some((program, it.is_list)),
            _ => None,
        });
        let programs: Vec<_> = programs.collect();
        match (&self.jq, self.json_of(at)) {
            (Some(jq), Some(input)) if !programs.is_empty() => jq.run(&programs, input),
            _ => Ok(Vec::new()),
        }
    }

    fn json_path(
        &self,
        path: &JsonPath,
        is_list: bool,
        at: Place<'_>,
        meter: &Meter<'_>,
    ) -> Result<Value<'static>, Failure> {
        let Some(json) = self.json_of(at) else { return Ok(Value::Null) };
        let found = path.find(json, meter)?;
        if !is_list {
            return Ok(found.first().map(|&value| value.clone()).unwrap_or_default());
        }
        let (mut values, mut bytes) = (Vec::new(), 0);
        for value in found {
            bytes += value.size();
            check_size(bytes)?;
            meter.count(1)?;
            values.push(value.clone());
        }
        Ok(Value::List(values))
    }
}

/// As much as a path shows of a tag's name, in characters: a page may make up any.
const NAME: usize = 40;

fn path(element: &ElementRef<'_>) -> String {
    let ancestors = element.ancestors().filter_map(ElementRef::wrap).collect::<Vec<_>>();
    let name = |element: ElementRef<'_>| element.value().name().chars().take(NAME).collect::<String>();
    let names: Vec<_> = ancestors.into_iter().rev().chain([*element]).map(name).collect();
    names.join(" > ")
}

/// The way to a node of an XPath: that to the element which it is, or in which it is.
fn path_of(nodes: &Nodes<'_>, node: Node) -> String {
    let way = |node| nodes.element(node).as_ref().map(path).unwrap_or_default();
    let around = || nodes.parent(node).map(way).unwrap_or_default();
    match nodes.attribute(node) {
        Some((name, _)) => format!("{} > @{}", around(), name.chars().take(NAME).collect::<String>()),
        None if nodes.element(node).is_some() => way(node),
        None => around(),
    }
}

/// A value that is no node: one that is not null is the only match.
fn one(value: Value<'static>, is_list: bool) -> Value<'static> {
    match (is_list, value.is_null()) {
        (false, _) => value,
        (true, true) => Value::List(Vec::new()),
        (true, false) => Value::List(vec![value]),
    }
}

/// Whether that is not too much.
pub(in crate::extract) fn check_size(bytes: usize) -> Result<(), Failure> {
    if bytes > FOUND {
        Err(Failure::new(Kind::TooComplex, "a selector finds more than 64 MiB of text"))
    } else {
        Ok(())
    }
}
