//! Reading a tree.

use std::iter::successors;

use ego_tree::NodeRef;
use html5ever::{expanded_name, local_name, ns};
use scraper::{ElementRef, Html, Node};

use super::names::is_any;
use super::text::{Gap, Prose, gap_around};

/// Whether an element is the content of a template, and so no part of the page.
pub(super) fn is_in_template(element: &ElementRef<'_>) -> bool {
    element.ancestors().any(|node| node.value().is_fragment())
}

/// The text in an element, white space collapsed, blocks a space apart; without that of scripts, styles, templates and
/// `noscript` inside.
pub(super) fn text_of(element: &ElementRef<'_>) -> String {
    let mut prose = Prose::default();
    let root = **element;
    let mut node = root;
    loop {
        let is_entered = match node.value() {
            Node::Text(text) => {
                prose.push(text);
                false
            }
            Node::Element(inner) => {
                prose.set_apart(gap_around(&inner.name.local).min(Gap::Space));
                node == root || !is_any!(inner.name.local, "script" "style" "template" "noscript")
            }
            _ => false,
        };
        if let Some(child) = node.first_child().filter(|_| is_entered) {
            node = child;
            continue;
        }
        while node != root && node.next_sibling().is_none() {
            let Some(parent) = node.parent() else { break };
            node = parent;
            if let Node::Element(left) = node.value() {
                prose.set_apart(gap_around(&left.name.local).min(Gap::Space));
            }
        }
        match node.next_sibling().filter(|_| node != root) {
            Some(sibling) => node = sibling,
            None => return prose.finish(),
        }
    }
}

/// The elements of a tree in document order, which is not the order in which they came.
pub(super) fn elements(tree: &Html) -> impl Iterator<Item = ElementRef<'_>> {
    elements_below(tree.tree.root())
}

/// The elements of a subtree in document order, the one at its root among them. The tree's own walk sees each node twice.
pub(super) fn elements_below<'t>(root: NodeRef<'t, Node>) -> impl Iterator<Item = ElementRef<'t>> {
    let beside = move |mut node: NodeRef<'t, Node>| {
        while node != root {
            match node.next_sibling() {
                None => node = node.parent()?,
                sibling => return sibling,
            }
        }
        None
    };
    let nodes = successors(Some(root), move |&node| node.first_child().or_else(|| beside(node)));
    nodes.filter_map(ElementRef::wrap)
}

/// The `href` of the first `<base>` that has one.
pub(super) fn base_href(tree: &Html) -> Option<&str> {
    let mut bases = elements(tree).filter(|element| element.value().name.expanded() == expanded_name!(html "base"));
    bases.find_map(|base| base.attr("href").filter(|_| !is_in_template(&base)))
}
