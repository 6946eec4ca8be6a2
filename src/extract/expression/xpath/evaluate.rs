//! Expression → nodes or a value (XPath 1.0, sections 2 and 3).

use std::collections::HashSet;

use xxhash_rust::xxh3::xxh3_128;

use super::expr::{Axis, Expr, Operator, Start, Step};
use super::functions::length;
use super::nodes::{Node, Nodes, range};
use crate::extract::deadline::Meter;
use crate::failure::Failure;

/// What an expression comes to.
#[derive(Debug)]
pub(in super::super) enum Outcome {
    /// Nodes in document order, each once.
    Nodes(Vec<Node>),
    Text(String),
    /// Any double, also one that is no number.
    Number(f64),
    Truth(bool),
}

/// Where an expression is evaluated (section 1).
#[derive(Clone, Copy, Debug)]
pub(super) struct Context {
    pub(super) node: Node,
    /// Counted from 1.
    pub(super) position: usize,
    pub(super) size: usize,
}

pub(super) struct Evaluation<'a> {
    pub(super) nodes: &'a Nodes<'a>,
    pub(super) meter: &'a Meter<'a>,
}

/// How many nodes are gathered before those that came twice are dropped.
const GATHERED: usize = 1 << 16;

pub(super) fn evaluate(expr: &Expr, nodes: &Nodes<'_>, at: Node, meter: &Meter<'_>) -> Result<Outcome, Failure> {
    Evaluation { nodes, meter }.expr(expr, &Context { node: at, position: 1, size: 1 })
}

impl Evaluation<'_> {
    pub(super) fn expr(&self, expr: &Expr, at: &Context) -> Result<Outcome, Failure> {
        self.meter.count(1)?;
        Ok(match expr {
            Expr::Text(text) => Outcome::Text(text.to_string()),
            Expr::Number(number) => Outcome::Number(*number),
            Expr::Negative(operand) => Outcome::Number(-self.number(operand, at)?),
            Expr::Binary(left, operator, right) => self.binary(left, *operator, right, at)?,
            Expr::Call(function, arguments) => function.call(self, arguments, at)?,
            Expr::Filter(expr, predicates) => {
                let nodes = self.nodes(expr, at)?;
                Outcome::Nodes(self.filter(nodes, predicates)?)
            }
            Expr::Path(start, steps) => {
                let from = match start {
                    Start::Root => vec![Node::ROOT],
                    Start::Context => vec![at.node],
                    Start::Of(expr) => self.nodes(expr, at)?,
                };
                Outcome::Nodes(steps.iter().try_fold(from, |from, step| self.step(&from, step))?)
            }
        })
    }

    /// What an expression of that type comes to; the parser has seen to it.
    pub(super) fn nodes(&self, expr: &Expr, at: &Context) -> Result<Vec<Node>, Failure> {
        match self.expr(expr, at)? {
            Outcome::Nodes(nodes) => Ok(nodes),
            Outcome::Text(_) | Outcome::Number(_) | Outcome::Truth(_) => Ok(Vec::new()),
        }
    }

    pub(super) fn text(&self, expr: &Expr, at: &Context) -> Result<String, Failure> {
        self.to_text(self.expr(expr, at)?)
    }

    /// Section 4.2, `string`.
    pub(super) fn to_text(&self, value: Outcome) -> Result<String, Failure> {
        Ok(match value {
            Outcome::Nodes(nodes) => nodes.first().map_or_else(|| Ok(String::new()), |&node| self.text_of(node))?,
            Outcome::Text(text) => text,
            Outcome::Number(0.0) => "0".to_owned(),
            Outcome::Number(number) if number.is_infinite() => {
                if number > 0.0 { "Infinity" } else { "-Infinity" }.to_owned()
            }
            Outcome::Number(number) => number.to_string(),
            Outcome::Truth(truth) => truth.to_string(),
        })
    }

    pub(super) fn text_of(&self, node: Node) -> Result<String, Failure> {
        let mut text = String::new();
        self.nodes.text(node, &mut text, self.meter)?;
        Ok(text)
    }

    pub(super) fn number(&self, expr: &Expr, at: &Context) -> Result<f64, Failure> {
        self.to_number(self.expr(expr, at)?)
    }

    fn to_number(&self, value: Outcome) -> Result<f64, Failure> {
        Ok(match value {
            Outcome::Number(number) => number,
            Outcome::Truth(truth) => f64::from(u8::from(truth)),
            other => to_number(&self.to_text(other)?),
        })
    }

    pub(super) fn truth(&self, expr: &Expr, at: &Context) -> Result<bool, Failure> {
        Ok(to_truth(&self.expr(expr, at)?))
    }

    fn binary(&self, left: &Expr, operator: Operator, right: &Expr, at: &Context) -> Result<Outcome, Failure> {
        let number = |apply: fn(f64, f64) -> f64| {
            let (left, right) = (self.number(left, at)?, self.number(right, at)?);
            Ok(Outcome::Number(apply(left, right)))
        };
        match operator {
            Operator::Or => Ok(Outcome::Truth(self.truth(left, at)? || self.truth(right, at)?)),
            Operator::And => Ok(Outcome::Truth(self.truth(left, at)? && self.truth(right, at)?)),
            Operator::Plus => number(|a, b| a + b),
            Operator::Minus => number(|a, b| a - b),
            Operator::Times => number(|a, b| a * b),
            Operator::Divide => number(|a, b| a / b),
            Operator::Modulo => number(|a, b| a % b),
            Operator::Union => {
                let mut nodes = self.nodes(left, at)?;
                nodes.extend(self.nodes(right, at)?);
                self.tidy(&mut nodes)?;
                Ok(Outcome::Nodes(nodes))
            }
            Operator::Equal | Operator::NotEqual => {
                let (left, right) = (self.expr(left, at)?, self.expr(right, at)?);
                Ok(Outcome::Truth(self.is_equal(left, right, operator == Operator::Equal)?))
            }
            Operator::Below | Operator::AtMost | Operator::Above | Operator::AtLeast => {
                let (left, right) = (self.expr(left, at)?, self.expr(right, at)?);
                Ok(Outcome::Truth(self.is_ordered(left, operator, right)?))
            }
        }
    }

    /// `=` and `!=` (section 3.4): of nodes it is enough that one is so.
    fn is_equal(&self, left: Outcome, right: Outcome, wanted: bool) -> Result<bool, Failure> {
        let (nodes, other) = match (left, right) {
            (Outcome::Nodes(left), Outcome::Nodes(right)) => return self.have_common(&left, &right, wanted),
            (Outcome::Nodes(nodes), other) | (other, Outcome::Nodes(nodes)) => (nodes, other),
            (left @ Outcome::Truth(_), right) | (left, right @ Outcome::Truth(_)) => {
                return Ok((to_truth(&left) == to_truth(&right)) == wanted);
            }
            (left @ Outcome::Number(_), right) | (left, right @ Outcome::Number(_)) => {
                return Ok(equals(self.to_number(left)?, self.to_number(right)?) == wanted);
            }
            (left, right) => return Ok((self.to_text(left)? == self.to_text(right)?) == wanted),
        };
        match other {
            Outcome::Truth(truth) => Ok((truth != nodes.is_empty()) == wanted),
            Outcome::Number(number) => self.any(&nodes, |text| equals(to_number(text), number) == wanted),
            other => {
                let other = self.to_text(other)?;
                self.any(&nodes, |text| (text == other) == wanted)
            }
        }
    }

    fn any(&self, nodes: &[Node], is_so: impl Fn(&str) -> bool) -> Result<bool, Failure> {
        for &node in nodes {
            if is_so(&self.text_of(node)?) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether a node here and one there have the same text, or different ones. Each text is read once, and its hash
    /// kept in its place.
    fn have_common(&self, left: &[Node], right: &[Node], wanted: bool) -> Result<bool, Failure> {
        let hashes = |nodes: &[Node]| {
            let hashes = nodes.iter().map(|&node| self.text_of(node).map(|text| xxh3_128(text.as_bytes())));
            hashes.collect::<Result<HashSet<_>, _>>()
        };
        let (left, right) = (hashes(left)?, hashes(right)?);
        if wanted {
            return Ok(left.iter().any(|hash| right.contains(hash)));
        }
        // Only where all are one and the same text there are no two different ones.
        Ok(!left.is_empty() && !right.is_empty() && (left.len() > 1 || left != right))
    }

    /// `<`, `<=`, `>`, `>=` (section 3.4): numbers, of which it is enough that one here and one there is so.
    fn is_ordered(&self, left: Outcome, operator: Operator, right: Outcome) -> Result<bool, Failure> {
        if let (Outcome::Nodes(nodes), Outcome::Truth(truth)) | (Outcome::Truth(truth), Outcome::Nodes(nodes)) =
            (&left, &right)
        {
            let (truth, is_there) = (f64::from(u8::from(*truth)), f64::from(u8::from(!nodes.is_empty())));
            let is_left = matches!(left, Outcome::Nodes(_));
            let (left, right) = if is_left { (is_there, truth) } else { (truth, is_there) };
            return Ok(is_so(left, operator, right));
        }
        let (left, right) = (self.extremes(left)?, self.extremes(right)?);
        let (Some(left), Some(right)) = (left, right) else { return Ok(false) };
        Ok(match operator {
            Operator::Below | Operator::AtMost => is_so(left.0, operator, right.1),
            _ => is_so(left.1, operator, right.0),
        })
    }

    /// The least and the largest number of a value; none where there is no number.
    fn extremes(&self, value: Outcome) -> Result<Option<(f64, f64)>, Failure> {
        let Outcome::Nodes(nodes) = value else {
            let number = self.to_number(value)?;
            return Ok((!number.is_nan()).then_some((number, number)));
        };
        let mut extremes: Option<(f64, f64)> = None;
        for node in nodes {
            let number = to_number(&self.text_of(node)?);
            if !number.is_nan() {
                let (least, most) = extremes.unwrap_or((number, number));
                extremes = Some((least.min(number), most.max(number)));
            }
        }
        Ok(extremes)
    }

    /// The nodes that a step leads to.
    fn step(&self, from: &[Node], step: &Step) -> Result<Vec<Node>, Failure> {
        let counts = step.predicates.iter().any(Expr::depends_on_position);
        if let Some(range) = self.whole_axis(from, step.axis).filter(|_| !counts) {
            let nodes = self.passing(range, step)?;
            return self.filter(nodes, &step.predicates);
        }
        let mut found = Vec::new();
        let mut tidy_at = GATHERED;
        for &node in from {
            let nodes = self.passing(self.nodes.on(step.axis, node), step)?;
            found.extend(self.filter(nodes, &step.predicates)?);
            if found.len() > tidy_at {
                self.tidy(&mut found)?;
                tidy_at = GATHERED.max(2 * found.len());
            }
        }
        self.tidy(&mut found)?;
        Ok(found)
    }

    /// All that is on an axis that leads to whole ranges, from any of the nodes: each node once.
    fn whole_axis<'n>(&'n self, from: &'n [Node], axis: Axis) -> Option<Box<dyn Iterator<Item = Node> + 'n>> {
        let own = match axis {
            Axis::Descendant => 1,
            Axis::DescendantOrSelf => 0,
            _ => return None,
        };
        // Those of attributes are few.
        if from.iter().any(|&node| self.nodes.attribute(node).is_some()) {
            return None;
        }
        let mut read = 0;
        Some(Box::new(from.iter().flat_map(move |&node| {
            let start = read.max(Nodes::place(node) + own);
            read = read.max(self.nodes.end(node));
            range(start, read)
        })))
    }

    fn passing(&self, candidates: impl Iterator<Item = Node>, step: &Step) -> Result<Vec<Node>, Failure> {
        let mut nodes = Vec::new();
        for node in candidates {
            self.meter.count(1)?;
            if self.nodes.passes(node, step.axis, &step.test) {
                nodes.push(node);
            }
        }
        Ok(nodes)
    }

    /// Those nodes for which each predicate holds, at their positions among those that are left (section 2.4).
    fn filter(&self, mut nodes: Vec<Node>, predicates: &[Expr]) -> Result<Vec<Node>, Failure> {
        for predicate in predicates {
            let size = nodes.len();
            let mut kept = Vec::new();
            for (n, &node) in nodes.iter().enumerate() {
                let at = Context { node, position: n + 1, size };
                let holds = match self.expr(predicate, &at)? {
                    Outcome::Number(number) => equals(number, length(at.position)),
                    other => to_truth(&other),
                };
                if holds {
                    kept.push(node);
                }
            }
            nodes = kept;
        }
        Ok(nodes)
    }

    /// Document order, and each node once.
    fn tidy(&self, nodes: &mut Vec<Node>) -> Result<(), Failure> {
        self.meter.count(nodes.len())?;
        nodes.sort_unstable();
        nodes.dedup();
        Ok(())
    }
}

fn to_truth(value: &Outcome) -> bool {
    match value {
        Outcome::Nodes(nodes) => !nodes.is_empty(),
        Outcome::Text(text) => !text.is_empty(),
        Outcome::Number(number) => *number != 0.0 && !number.is_nan(),
        Outcome::Truth(truth) => *truth,
    }
}

/// Section 4.4, `number`: no exponent, no `+`, white space around.
pub(super) fn to_number(text: &str) -> f64 {
    let text = text.trim_matches([' ', '\t', '\r', '\n']);
    let is_number = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'-'));
    text.parse().ok().filter(|_| is_number).unwrap_or(f64::NAN)
}

#[expect(clippy::float_cmp, reason = "numbers are equal as IEEE 754 says")]
fn equals(left: f64, right: f64) -> bool {
    left == right
}

fn is_so(left: f64, operator: Operator, right: f64) -> bool {
    match operator {
        Operator::Below => left < right,
        Operator::AtMost => left <= right,
        Operator::Above => left > right,
        _ => left >= right,
    }
}
