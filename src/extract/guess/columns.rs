//! Items → columns: what stands at the same place in most of them.
//!
//! This is the alignment of trees of DEPTA (Zhai, Liu: Web Data Extraction Based on Partial Tree Alignment, 2005) with
//! class names in the place of an edit distance: from the roots of the items down, children that are marked alike stand
//! in one column. What has no mark is told apart by its position if all items have as many, else it is a list.

use std::collections::HashSet;

use ego_tree::NodeId;
use html5ever::LocalName;
use scraper::{ElementRef, Node};

use super::words::Mark;
use crate::extract::names::is_any;
use crate::extract::text::collapse;
use crate::extract::tree::text_of;

/// How deep an item is looked into.
const DEPTH: usize = 24;

/// How many columns are looked at.
const COLUMNS: usize = 60;

/// One step from an element to a child.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Step {
    Mark(Mark),
    Tag(LocalName),
    /// The children of this name whose `class` says just this, which is no mark.
    Styled(LocalName, String),
    /// The nth child of this name, counted from 1.
    Nth(LocalName, usize),
}

impl Step {
    fn of(element: &ElementRef<'_>) -> Self {
        let name = || element.value().name.local.clone();
        let class = || element.attr("class").map(collapse).filter(|class| (1..=200).contains(&class.len()));
        match Mark::of(element) {
            Some(mark) => Self::Mark(mark),
            None => class().map_or_else(|| Self::Tag(name()), |class| Self::Styled(name(), class)),
        }
    }

    pub(super) fn css(&self) -> String {
        match self {
            Self::Mark(mark) => mark.css(),
            Self::Tag(name) => name.to_string(),
            Self::Styled(name, class) => {
                format!("{name}[class=\"{}\"]", class.replace('\\', "\\\\").replace('"', "\\\""))
            }
            Self::Nth(name, n) => format!("{name}:nth-of-type({n})"),
        }
    }
}

/// What of an element is a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Text,
    Attribute(String),
}

/// What stands at the same place in items.
#[derive(Clone, Debug)]
pub(super) struct Column<'t> {
    /// The way from an item to it.
    pub(super) steps: Vec<Step>,
    pub(super) part: Part,
    /// The first such element of each item that has one.
    pub(super) cells: Vec<(usize, ElementRef<'t>)>,
    /// Whether an item may have several.
    pub(super) is_list: bool,
}

impl Column<'_> {
    /// The value of a cell.
    pub(super) fn value(&self, cell: &ElementRef<'_>) -> String {
        match &self.part {
            Part::Text => text_of(cell),
            Part::Attribute(name) => cell.attr(name).unwrap_or_default().trim().to_owned(),
        }
    }
}

/// What is at one place: the number of its item, and the element.
type Nodes<'t> = Vec<(usize, ElementRef<'t>)>;

/// The columns of items, in the order of the page. It is not looked into other `members` that are in an item.
pub(super) fn align<'t>(items: &[ElementRef<'t>], members: &HashSet<NodeId>) -> Vec<Column<'t>> {
    let mut alignment = Alignment { members, columns: Vec::new() };
    alignment.descend(&items.iter().copied().enumerate().collect(), &[], false);
    alignment.columns
}

struct Alignment<'t, 'm> {
    members: &'m HashSet<NodeId>,
    columns: Vec<Column<'t>>,
}

impl<'t> Alignment<'t, '_> {
    fn descend(&mut self, nodes: &Nodes<'t>, steps: &[Step], is_list: bool) {
        if steps.len() > DEPTH || self.columns.len() > COLUMNS {
            return;
        }
        self.emit(nodes, steps, is_list);
        let mut children = self.children(nodes);
        merge_styles(&mut children);
        for (step, nodes) in children {
            let most = most_in_one(&nodes);
            let repeats_by_nature = matches!(&step, Step::Tag(name) | Step::Styled(name, _) if is_repeating(name));
            let step_to = |step: Step| [steps, &[step]].concat();
            match &step {
                _ if most <= 1 => self.descend(&nodes, &step_to(step), is_list),
                Step::Tag(name) | Step::Styled(name, _) if is_positional(&nodes, most, repeats_by_nature) => {
                    for (n, nodes) in by_position(nodes) {
                        self.descend(&nodes, &step_to(Step::Nth(name.clone(), n)), is_list);
                    }
                }
                _ => self.descend(&nodes, &step_to(step), true),
            }
        }
    }

    /// The values that elements at one place have.
    fn emit(&mut self, nodes: &Nodes<'t>, steps: &[Step], is_list: bool) {
        let Some((_, first)) = nodes.first() else { return };
        let with_text = nodes.iter().filter(|(_, element)| has_text_of_its_own(element)).count();
        // What a machine is told of a time is more than what a reader is: "yesterday".
        let is_dated = nodes.iter().all(|(_, element)| element.attr("datetime").is_some());
        if !is_dated && with_text * 4 > nodes.len() || is_heading(&first.value().name.local) {
            self.push(nodes.clone(), steps, Part::Text, is_list);
        }
        for attribute in attributes(nodes, steps.is_empty()) {
            let having = nodes.iter().filter(|(_, element)| is_value(&attribute, element.attr(&attribute)));
            self.push(having.copied().collect(), steps, Part::Attribute(attribute), is_list);
        }
    }

    fn push(&mut self, mut cells: Nodes<'t>, steps: &[Step], part: Part, is_list: bool) {
        cells.dedup_by_key(|(item, _)| *item);
        if !cells.is_empty() {
            self.columns.push(Column { steps: steps.to_vec(), part, cells, is_list });
        }
    }

    /// The children of elements at one place, by what they are.
    fn children(&self, nodes: &Nodes<'t>) -> Vec<(Step, Nodes<'t>)> {
        let mut children: Vec<(Step, Nodes<'t>)> = Vec::new();
        let mut places = std::collections::HashMap::new();
        for (item, element) in nodes {
            let within = is_prose(element);
            for child in element.children().filter_map(ElementRef::wrap) {
                if is_passed_over(&child, within) || self.members.contains(&child.id()) {
                    continue;
                }
                let step = Step::of(&child);
                let place = *places.entry(step.clone()).or_insert_with(|| {
                    children.push((step, Vec::new()));
                    children.len() - 1
                });
                children[place].1.push((*item, child));
            }
        }
        children
    }
}

/// Makes one of what has styles that differ from item to item: none of the items has two of them.
fn merge_styles(children: &mut Vec<(Step, Nodes<'_>)>) {
    let names: Vec<_> = children
        .iter()
        .filter_map(|(step, _)| if let Step::Styled(name, _) = step { Some(name.clone()) } else { None })
        .collect();
    for name in names {
        let is_one = |step: &Step| matches!(step, Step::Styled(other, _) | Step::Tag(other) if *other == name);
        let mut all: Nodes<'_> =
            children.iter().filter(|(step, _)| is_one(step)).flat_map(|(_, nodes)| nodes.clone()).collect();
        all.sort_by_key(|(item, _)| *item);
        let parts = children.iter().filter(|(step, _)| is_one(step)).count();
        if parts > 1 && most_in_one(&all) <= 1 {
            let at = children.iter().position(|(step, _)| is_one(step)).unwrap_or_default();
            children[at] = (Step::Tag(name.clone()), all);
            let mut n = 0;
            children.retain(|(step, _)| {
                n += 1;
                n == at + 1 || !is_one(step)
            });
        }
    }
}

/// How many of them one item has at most.
fn most_in_one(nodes: &Nodes<'_>) -> usize {
    nodes.chunk_by(|a, b| a.0 == b.0).map(<[_]>::len).max().unwrap_or_default()
}

/// Whether several children that nothing tells apart have roles by their position.
fn is_positional(nodes: &Nodes<'_>, most: usize, repeats_by_nature: bool) -> bool {
    let counts = || nodes.chunk_by(|a, b| a.0 == b.0).map(<[_]>::len);
    let is_cell = nodes.first().is_some_and(|(_, element)| is_any!(element.value().name.local, "td" "th"));
    let is_constant = counts().all(|count| count == most) && counts().count() > 1;
    is_cell || (is_constant && most <= 12) || (!repeats_by_nature && most <= 4)
}

fn by_position(nodes: Nodes<'_>) -> Vec<(usize, Nodes<'_>)> {
    let mut positions: std::collections::BTreeMap<usize, Nodes<'_>> = std::collections::BTreeMap::new();
    for (item, element) in nodes {
        positions.entry(position(&element)).or_default().push((item, element));
    }
    positions.into_iter().collect()
}

/// Which of its parent's children of its name it is, counted from 1.
pub(super) fn position(element: &ElementRef<'_>) -> usize {
    let is_alike = |node: &ego_tree::NodeRef<'_, Node>| {
        node.value().as_element().is_some_and(|other| other.name == element.value().name)
    };
    1 + element.prev_siblings().filter(is_alike).count()
}

fn is_heading(name: &LocalName) -> bool {
    is_any!(*name, "h1" "h2" "h3" "h4" "h5" "h6")
}

/// What is there several times by its nature.
fn is_repeating(name: &LocalName) -> bool {
    is_any!(*name, "li" "img" "a" "tr" "option" "dt" "dd" "source")
}

/// Whether text stands in an element and not only in elements in it.
fn has_text_of_its_own(element: &ElementRef<'_>) -> bool {
    let is_word = |c: char| c.is_alphanumeric();
    element.children().any(|child| child.value().as_text().is_some_and(|text| text.contains(is_word)))
}

/// Whether an element is running text, whose emphasis is no value of its own.
fn is_prose(element: &ElementRef<'_>) -> bool {
    has_text_of_its_own(element)
}

fn is_passed_over(element: &ElementRef<'_>, is_in_prose: bool) -> bool {
    let name = &element.value().name.local;
    is_any!(*name, "script" "style" "template" "noscript" "svg" "button" "form" "iframe" "select" "br" "hr" "input")
        || (is_in_prose
            && is_any!(*name, "b" "i" "em" "strong" "code" "sub" "sup" "mark" "span" "u" "small" "font" "kbd" "q")
            && Mark::of(element).is_none())
}

/// The attributes that may be values, of the elements at one place.
fn attributes(nodes: &Nodes<'_>, is_item: bool) -> Vec<String> {
    let Some((_, first)) = nodes.first() else { return Vec::new() };
    let name = &first.value().name.local;
    let known: &[&str] = match &**name {
        "a" => &["href", "title"],
        "img" => &["src", "data-src"],
        "time" => &["datetime"],
        "meta" | "data" => &["content", "value"],
        "link" => &["href"],
        "video" | "audio" | "source" => &["src"],
        _ if first.attr("itemprop").is_some() => &["content"],
        _ => &["title"],
    };
    let mut attributes: Vec<_> = known.iter().map(ToString::to_string).collect();
    if is_item {
        // Those of the item are those of the record: its number in the shop, say.
        let names =
            first.value().attrs().map(|(name, _)| name).filter(|name| name.starts_with("data-") && name.len() <= 24);
        attributes.extend(names.map(String::from).take(8));
    }
    attributes
}

/// Whether an attribute says something.
fn is_value(attribute: &str, value: Option<&str>) -> bool {
    let value = value.map(str::trim).unwrap_or_default();
    match attribute {
        "href" => !value.is_empty() && !value.starts_with('#') && !value.starts_with("javascript:"),
        "src" | "data-src" => !value.is_empty() && !value.starts_with("data:"),
        _ => !value.is_empty() && value.len() <= 200 && !value.starts_with(['{', '[']),
    }
}
