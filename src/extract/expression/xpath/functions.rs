//! The core library (XPath 1.0, section 4).

use std::collections::HashMap;
use std::ops::RangeInclusive;

use super::evaluate::{Context, Evaluation, Outcome, to_number};
use super::expr::{Axis, Expr, Type};
use super::nodes::{Node, range};
use crate::failure::Failure;

/// A function of the core library.
#[derive(Clone, Copy, Debug)]
pub(super) struct Function {
    name: &'static str,
    call: Call,
    /// How many arguments it takes.
    pub(super) arguments: &'static RangeInclusive<usize>,
    /// Whether they must be nodes.
    pub(super) takes_nodes: bool,
    pub(super) result: Type,
}

/// What a function is called with: the evaluation, the arguments, and the node that stands for a missing one.
type Call = fn(&Evaluation<'_>, &[Expr], &Context) -> Result<Outcome, Failure>;

const NONE: &RangeInclusive<usize> = &(0..=0);
const ONE: &RangeInclusive<usize> = &(1..=1);
const TWO: &RangeInclusive<usize> = &(2..=2);
const THREE: &RangeInclusive<usize> = &(3..=3);
const AT_MOST_ONE: &RangeInclusive<usize> = &(0..=1);
const TWO_OR_MORE: &RangeInclusive<usize> = &(2..=usize::MAX);
const TWO_OR_THREE: &RangeInclusive<usize> = &(2..=3);

impl Function {
    const fn new(name: &'static str, result: Type, arguments: &'static RangeInclusive<usize>, call: Call) -> Self {
        Self { name, call, arguments, takes_nodes: false, result }
    }

    const fn of_nodes(self) -> Self {
        Self { takes_nodes: true, ..self }
    }

    pub(super) fn find(name: &str) -> Option<Self> {
        FUNCTIONS.iter().find(|function| function.name == name).copied()
    }

    /// The names of all.
    pub(super) fn names() -> String {
        FUNCTIONS.iter().map(|function| function.name).collect::<Vec<_>>().join(", ")
    }

    pub(super) fn asks_for_position(&self) -> bool {
        matches!(self.name, "position" | "last")
    }

    pub(super) fn call(&self, on: &Evaluation<'_>, arguments: &[Expr], at: &Context) -> Result<Outcome, Failure> {
        (self.call)(on, arguments, at)
    }
}

static FUNCTIONS: &[Function] = &[
    Function::new("boolean", Type::Truth, ONE, |on, args, at| Ok(Outcome::Truth(on.truth(&args[0], at)?))),
    Function::new("ceiling", Type::Number, ONE, |on, args, at| Ok(Outcome::Number(on.number(&args[0], at)?.ceil()))),
    Function::new("concat", Type::Text, TWO_OR_MORE, |on, args, at| {
        let texts = args.iter().map(|arg| on.text(arg, at));
        Ok(Outcome::Text(texts.collect::<Result<String, _>>()?))
    }),
    Function::new("contains", Type::Truth, TWO, |on, args, at| {
        Ok(Outcome::Truth(on.text(&args[0], at)?.contains(&on.text(&args[1], at)?)))
    }),
    Function::new("count", Type::Number, ONE, |on, args, at| {
        Ok(Outcome::Number(length(on.nodes(&args[0], at)?.len())))
    })
    .of_nodes(),
    Function::new("false", Type::Truth, NONE, |_, _, _| Ok(Outcome::Truth(false))),
    Function::new("floor", Type::Number, ONE, |on, args, at| Ok(Outcome::Number(on.number(&args[0], at)?.floor()))),
    Function::new("id", Type::Nodes, ONE, id),
    Function::new("lang", Type::Truth, ONE, lang),
    Function::new("last", Type::Number, NONE, |_, _, at| Ok(Outcome::Number(length(at.size)))),
    Function::new("local-name", Type::Text, AT_MOST_ONE, |on, args, at| {
        let name = name(on, args, at)?.0;
        Ok(Outcome::Text(name.split_once(':').map_or(&*name, |(_, local)| local).to_owned()))
    })
    .of_nodes(),
    Function::new("name", Type::Text, AT_MOST_ONE, |on, args, at| Ok(Outcome::Text(name(on, args, at)?.0))).of_nodes(),
    Function::new("namespace-uri", Type::Text, AT_MOST_ONE, |on, args, at| {
        Ok(Outcome::Text(name(on, args, at)?.1.to_owned()))
    })
    .of_nodes(),
    Function::new("normalize-space", Type::Text, AT_MOST_ONE, |on, args, at| {
        let text = text_or_own(on, args, at)?;
        let words = text.split([' ', '\t', '\r', '\n']).filter(|word| !word.is_empty());
        Ok(Outcome::Text(words.collect::<Vec<_>>().join(" ")))
    }),
    Function::new("not", Type::Truth, ONE, |on, args, at| Ok(Outcome::Truth(!on.truth(&args[0], at)?))),
    Function::new("number", Type::Number, AT_MOST_ONE, |on, args, at| {
        Ok(Outcome::Number(match args.first() {
            Some(arg) => on.number(arg, at)?,
            None => to_number(&on.text_of(at.node)?),
        }))
    }),
    Function::new("position", Type::Number, NONE, |_, _, at| Ok(Outcome::Number(length(at.position)))),
    Function::new("round", Type::Number, ONE, |on, args, at| Ok(Outcome::Number(round(on.number(&args[0], at)?)))),
    Function::new("starts-with", Type::Truth, TWO, |on, args, at| {
        Ok(Outcome::Truth(on.text(&args[0], at)?.starts_with(&on.text(&args[1], at)?)))
    }),
    Function::new("string", Type::Text, AT_MOST_ONE, |on, args, at| Ok(Outcome::Text(text_or_own(on, args, at)?))),
    Function::new("string-length", Type::Number, AT_MOST_ONE, |on, args, at| {
        Ok(Outcome::Number(length(text_or_own(on, args, at)?.chars().count())))
    }),
    Function::new("substring", Type::Text, TWO_OR_THREE, substring),
    Function::new("substring-after", Type::Text, TWO, |on, args, at| {
        let (text, mark) = (on.text(&args[0], at)?, on.text(&args[1], at)?);
        Ok(Outcome::Text(text.split_once(&mark).map(|(_, after)| after.to_owned()).unwrap_or_default()))
    }),
    Function::new("substring-before", Type::Text, TWO, |on, args, at| {
        let (text, mark) = (on.text(&args[0], at)?, on.text(&args[1], at)?);
        Ok(Outcome::Text(text.split_once(&mark).map(|(before, _)| before.to_owned()).unwrap_or_default()))
    }),
    Function::new("sum", Type::Number, ONE, |on, args, at| {
        let numbers = on.nodes(&args[0], at)?.into_iter().map(|node| on.text_of(node).map(|text| to_number(&text)));
        Ok(Outcome::Number(numbers.sum::<Result<f64, _>>()?))
    })
    .of_nodes(),
    Function::new("translate", Type::Text, THREE, translate),
    Function::new("true", Type::Truth, NONE, |_, _, _| Ok(Outcome::Truth(true))),
];

#[expect(clippy::cast_precision_loss, reason = "no page has 2⁵³ nodes or characters")]
pub(super) fn length(length: usize) -> f64 {
    length as f64
}

/// To the nearest integer, and from the middle to the one above (section 4.4).
fn round(number: f64) -> f64 {
    let floor = number.floor();
    if number - floor < 0.5 { floor } else { number.ceil() }
}

fn text_or_own(on: &Evaluation<'_>, args: &[Expr], at: &Context) -> Result<String, Failure> {
    args.first().map_or_else(|| on.text_of(at.node), |arg| on.text(arg, at))
}

/// The name and namespace of the first node.
fn name<'a>(on: &Evaluation<'a>, args: &[Expr], at: &Context) -> Result<(String, &'a str), Failure> {
    let node = args.first().map_or(Ok::<_, Failure>(Some(at.node)), |arg| Ok(on.nodes(arg, at)?.first().copied()))?;
    Ok(node.map(|node| on.nodes.name(node)).unwrap_or_default())
}

fn id(on: &Evaluation<'_>, args: &[Expr], at: &Context) -> Result<Outcome, Failure> {
    let ids = match on.expr(&args[0], at)? {
        Outcome::Nodes(nodes) => {
            let texts = nodes.into_iter().map(|node| Ok(on.text_of(node)? + " "));
            texts.collect::<Result<String, Failure>>()?
        }
        other => on.to_text(other)?,
    };
    let mut wanted: HashMap<&str, Option<Node>> = ids.split_ascii_whitespace().map(|id| (id, None)).collect();
    for node in range(0, on.nodes.len()) {
        on.meter.count(1)?;
        let id = on.nodes.element(node).and_then(|element| element.attr("id"));
        if let Some(first) = id.and_then(|id| wanted.get_mut(id)) {
            first.get_or_insert(node);
        }
    }
    let mut found: Vec<_> = wanted.into_values().flatten().collect();
    found.sort_unstable();
    Ok(Outcome::Nodes(found))
}

fn lang(on: &Evaluation<'_>, args: &[Expr], at: &Context) -> Result<Outcome, Failure> {
    let wanted = on.text(&args[0], at)?;
    let mut around = on.nodes.on(Axis::AncestorOrSelf, at.node);
    let lang = around.find_map(|node| {
        let element = on.nodes.element(node)?;
        element.value().attrs.iter().find(|(name, _)| &*name.local == "lang").map(|(_, value)| &**value)
    });
    let is_it = lang.and_then(|lang| {
        let (start, rest) = lang.split_at_checked(wanted.len())?;
        Some(start.eq_ignore_ascii_case(&wanted) && (rest.is_empty() || rest.starts_with('-')))
    });
    Ok(Outcome::Truth(is_it.unwrap_or_default()))
}

/// Those characters whose position, counted from 1, is at least the first number and below the sum of both, rounded.
fn substring(on: &Evaluation<'_>, args: &[Expr], at: &Context) -> Result<Outcome, Failure> {
    let text = on.text(&args[0], at)?;
    let start = round(on.number(&args[1], at)?);
    let end = args.get(2).map_or(Ok::<_, Failure>(f64::INFINITY), |count| Ok(start + round(on.number(count, at)?)))?;
    let is_inside = |&(n, _): &(usize, char)| (start..end).contains(&length(n + 1));
    Ok(Outcome::Text(text.chars().enumerate().filter(is_inside).map(|(_, c)| c).collect()))
}

fn translate(on: &Evaluation<'_>, args: &[Expr], at: &Context) -> Result<Outcome, Failure> {
    let (text, from, to) = (on.text(&args[0], at)?, on.text(&args[1], at)?, on.text(&args[2], at)?);
    let mut to = to.chars();
    let mut map = HashMap::new();
    for c in from.chars() {
        let becomes = to.next();
        map.entry(c).or_insert(becomes);
    }
    Ok(Outcome::Text(text.chars().filter_map(|c| map.get(&c).copied().unwrap_or(Some(c))).collect()))
}
