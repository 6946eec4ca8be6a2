//! The nodes of a page in document order, so that every axis is a range, a chain or both.

use std::iter::successors;

use ego_tree::{NodeId, NodeRef};
use html5ever::ns;
use scraper::{ElementRef, Html, Node as Content};

use super::expr::{Axis, Name, Test};
use crate::extract::deadline::Meter;
use crate::failure::Failure;

/// A node, or an attribute of one. They are ordered as in the document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in super::super) struct Node {
    /// Its place in the document.
    at: u32,
    /// Which attribute it is, counted from 1; 0 for the node itself.
    attribute: u32,
}

impl Node {
    pub(in super::super) const ROOT: Self = Self::new(0);

    const fn new(at: u32) -> Self {
        Self { at, attribute: 0 }
    }
}

/// All nodes of a page but the contents of templates.
pub(in super::super) struct Nodes<'a>(Vec<Entry<'a>>);

struct Entry<'a> {
    content: NodeRef<'a, Content>,
    /// The place of its parent. The root is its own.
    parent: u32,
    /// The place behind its last descendant.
    end: u32,
}

impl<'a> Nodes<'a> {
    pub(in super::super) fn new(tree: &'a Html, meter: &Meter<'_>) -> Result<Self, Failure> {
        let root = tree.tree.root();
        let mut nodes = vec![Entry { content: root, parent: 0, end: 1 }];
        let (mut parent, mut next) = (0, root.first_child());
        loop {
            meter.count(1)?;
            let Some(content) = next else {
                // Back to the parent, which ends here.
                let end = place(nodes.len());
                let entry = &mut nodes[parent as usize];
                entry.end = end;
                if parent == 0 {
                    return Ok(Self(nodes));
                }
                (next, parent) = (entry.content.next_sibling(), entry.parent);
                continue;
            };
            if matches!(content.value(), Content::Element(_) | Content::Text(_) | Content::Comment(_)) {
                let at = place(nodes.len());
                nodes.push(Entry { content, parent, end: at + 1 });
                if content.has_children() {
                    (parent, next) = (at, content.first_child());
                    continue;
                }
            }
            next = content.next_sibling();
        }
    }

    fn entry(&self, node: Node) -> &Entry<'a> {
        &self.0[node.at as usize]
    }

    /// All elements, by what the tree calls them.
    pub(in super::super) fn elements(&self) -> impl Iterator<Item = (NodeId, Node)> {
        let elements = self.0.iter().zip(0..).filter(|(entry, _)| entry.content.value().is_element());
        elements.map(|(entry, at)| (entry.content.id(), Node::new(at)))
    }

    /// The place behind a node's last descendant.
    pub(super) fn end(&self, node: Node) -> u32 {
        self.entry(node).end
    }

    /// How many there are, attributes not counted.
    pub(super) fn len(&self) -> u32 {
        place(self.0.len())
    }

    pub(super) fn place(node: Node) -> u32 {
        node.at
    }

    pub(in super::super) fn parent(&self, node: Node) -> Option<Node> {
        if node.attribute > 0 {
            return Some(Node::new(node.at));
        }
        (node.at > 0).then(|| Node::new(self.entry(node).parent))
    }

    fn ancestors(&self, node: Node) -> impl Iterator<Item = Node> {
        successors(self.parent(node), |&node| self.parent(node))
    }

    /// The nodes that follow one another as siblings, from one up to the end of their parent.
    fn siblings(&self, from: u32, end: u32) -> impl Iterator<Item = Node> {
        let is_inside = move |at: &u32| *at < end;
        let next = move |&at: &u32| Some(self.0[at as usize].end).filter(is_inside);
        successors(Some(from).filter(is_inside), next).map(Node::new)
    }

    fn children(&self, node: Node) -> impl Iterator<Item = Node> {
        let (from, end) = if node.attribute > 0 { (0, 0) } else { (node.at + 1, self.end(node)) };
        self.siblings(from, end)
    }

    /// The attributes of an element.
    fn attributes(&self, node: Node) -> impl Iterator<Item = Node> + use<> {
        let count =
            if node.attribute > 0 { 0 } else { self.element(node).map_or(0, |it| it.value().attrs.iter().len()) };
        (1..=place(count)).map(move |attribute| Node { at: node.at, attribute })
    }

    /// The nodes on an axis, nearest first (section 2.2).
    pub(super) fn on(&self, axis: Axis, node: Node) -> Box<dyn Iterator<Item = Node> + '_> {
        let is_attribute = node.attribute > 0;
        let end = self.end(node);
        match axis {
            Axis::Itself => Box::new(Some(node).into_iter()),
            Axis::Parent => Box::new(self.parent(node).into_iter()),
            Axis::Ancestor => Box::new(self.ancestors(node)),
            Axis::AncestorOrSelf => Box::new(Some(node).into_iter().chain(self.ancestors(node))),
            Axis::Attribute => Box::new(self.attributes(node)),
            Axis::Child => Box::new(self.children(node)),
            Axis::Descendant if is_attribute => Box::new(None.into_iter()),
            Axis::Descendant => Box::new(range(node.at + 1, end)),
            Axis::DescendantOrSelf if is_attribute => Box::new(Some(node).into_iter()),
            Axis::DescendantOrSelf => Box::new(range(node.at, end)),
            // Behind an attribute comes what is in its element.
            Axis::Following if is_attribute => Box::new(range(node.at + 1, self.len())),
            Axis::Following => Box::new(range(end, self.len())),
            Axis::Preceding => {
                let before = range(0, node.at).rev();
                Box::new(before.filter(move |&other| self.end(other) <= node.at))
            }
            Axis::FollowingSibling | Axis::PrecedingSibling if is_attribute || node.at == 0 => {
                Box::new(None.into_iter())
            }
            Axis::FollowingSibling => Box::new(self.siblings(end, self.0[self.entry(node).parent as usize].end)),
            Axis::PrecedingSibling => {
                let siblings = self.siblings(self.entry(node).parent + 1, node.at);
                Box::new(siblings.collect::<Vec<_>>().into_iter().rev())
            }
        }
    }

    /// Whether a node on an axis is what a step asks for (section 2.3).
    pub(super) fn passes(&self, node: Node, axis: Axis, test: &Test) -> bool {
        let content = self.entry(node).content.value();
        let is_attribute = node.attribute > 0;
        match test {
            Test::Node => true,
            Test::Text => !is_attribute && content.is_text(),
            Test::Comment => !is_attribute && content.is_comment(),
            Test::Instruction => false,
            Test::Any => is_attribute == (axis == Axis::Attribute) && content.is_element(),
            Test::Name(name) => is_attribute == (axis == Axis::Attribute) && self.is_called(node, name),
        }
    }

    fn is_called(&self, node: Node, name: &Name) -> bool {
        let Content::Element(element) = self.entry(node).content.value() else { return false };
        let is_html = element.name.ns == ns!(html);
        let name = if is_html { &name.lower } else { &name.exact };
        if node.attribute == 0 {
            return element.name.local == *name;
        }
        let Some((attribute, _)) = element.attrs.get(node.attribute as usize - 1) else { return false };
        match &attribute.prefix {
            None => attribute.local == *name,
            Some(prefix) => name.split_once(':') == Some((prefix, &attribute.local)),
        }
    }

    /// The element that a node is.
    pub(in super::super) fn element(&self, node: Node) -> Option<ElementRef<'a>> {
        ElementRef::wrap(self.entry(node).content).filter(|_| node.attribute == 0)
    }

    /// The name and the value of the attribute that a node is.
    pub(in super::super) fn attribute(&self, node: Node) -> Option<(&'a str, &'a str)> {
        let element = self.entry(node).content.value().as_element().filter(|_| node.attribute > 0)?;
        element.attrs.get(node.attribute as usize - 1).map(|(name, value)| (&*name.local, &**value))
    }

    /// The name of a node as it is written in the page, and the namespace.
    pub(super) fn name(&self, node: Node) -> (String, &'a str) {
        let Content::Element(element) = self.entry(node).content.value() else { return Default::default() };
        let name = match node.attribute {
            0 => Some(&element.name),
            attribute => element.attrs.get(attribute as usize - 1).map(|(name, _)| name),
        };
        let Some(name) = name else { return Default::default() };
        let prefix = name.prefix.as_ref().map(|prefix| format!("{prefix}:")).unwrap_or_default();
        (prefix + &name.local, &name.ns)
    }

    /// Appends the string-value of a node (section 5).
    pub(in super::super) fn text(&self, node: Node, out: &mut String, meter: &Meter<'_>) -> Result<(), Failure> {
        if let Some((_, value)) = self.attribute(node) {
            out.push_str(value);
            return meter.count(value.len());
        }
        for entry in &self.0[node.at as usize..self.end(node) as usize] {
            let text = entry.content.value().as_text().map_or("", |text| &**text);
            out.push_str(text);
            meter.count(1 + text.len() / 8)?;
        }
        Ok(())
    }
}

/// The nodes from one place to another.
pub(super) fn range(from: u32, to: u32) -> impl DoubleEndedIterator<Item = Node> {
    (from..to).map(Node::new)
}

/// A page has at most as many nodes as bytes.
fn place(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
