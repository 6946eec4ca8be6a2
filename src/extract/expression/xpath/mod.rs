//! XPath 1.0 (W3C Recommendation, 16 November 1999) on the tree of an HTML page.
//!
//! All axes but `namespace`, all operators and all functions of the core library; no variables. What the standard
//! leaves to the host, or what HTML makes different:
//!
//! - The name of an HTML element or attribute is compared in lower case, that of SVG and MathML as it is written, and
//!   whatever the namespace (`//svg` finds `<svg>`). A colon is a part of the name, as it is in HTML.
//! - The contents of a `<template>` are no part of the page. The text of comments is not kept: theirs is empty.
//! - `id()` goes by the attribute `id`, `lang()` by `lang` and `xml:lang`.
//! - XPath 1.0 has no variables of its own and gives every expression one type. So what is no set of nodes where one is
//!   needed, an unknown function or a missing argument is found while parsing.
//!
//! Steps take whole sets, each node once, and read an axis in one pass where no predicate asks for a position (after
//! Gottlob, Koch, Pichler: "Efficient algorithms for processing XPath queries", 2005, section 4). What takes too long
//! all the same is given up by the clock.

mod evaluate;
mod expr;
mod functions;
mod lex;
mod nodes;
mod parse;

pub(super) use evaluate::Outcome;
pub(super) use expr::Type;
pub(super) use nodes::{Node, Nodes};

use super::fault::Fault;
use crate::extract::deadline::Meter;
use crate::failure::Failure;
use expr::Expr;

/// An expression, compiled.
#[derive(Debug)]
pub(in crate::extract) struct XPath(Expr);

impl XPath {
    /// Parses an expression.
    pub(super) fn parse(text: &str) -> Result<Self, Fault> {
        parse::parse(text).map(Self)
    }

    /// What it comes to.
    pub(super) fn result(&self) -> Type {
        self.0.result()
    }

    /// What it comes to at a node.
    ///
    /// # Errors
    /// That takes too long.
    pub(super) fn evaluate(&self, nodes: &Nodes<'_>, at: Node, meter: &Meter<'_>) -> Result<Outcome, Failure> {
        evaluate::evaluate(&self.0, nodes, at, meter)
    }
}

#[cfg(test)]
mod tests;
