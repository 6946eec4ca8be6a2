//! Tree → groups of elements that look like the records of one list.
//!
//! The records of a list have the same way of tags from the root (Miao, Tatemura, Hsiung, Sawires, Moser: Extracting data
//! records from the Web using tag path clustering, WWW 2009), and most often one parent (MDR: Liu, Grossman, Zhai: Mining
//! Data Records in Web Pages, KDD 2003). Elements are grouped by both, and by class names, which say it best where there
//! are any.

use std::collections::{HashMap, HashSet};

use ego_tree::iter::Edge;
use html5ever::LocalName;
use scraper::{ElementRef, Html, Node};

use super::words::{self, Mark};
use crate::extract::deadline::Meter;
use crate::extract::names::is_any;
use crate::failure::Failure;

/// What a picture counts, in letters.
const PICTURE: usize = 20;

/// How many groups are looked at closely: those with most content.
const GROUPS: usize = 120;

/// An element of the page.
pub(super) struct Seen<'t> {
    pub(super) element: ElementRef<'t>,
    parent: usize,
    /// What its way of tags from the root is.
    path: usize,
    /// How many letters are in it.
    pub(super) mass: usize,
    /// Whether it is in what stands around the content: navigation, header, footer.
    pub(super) is_around: bool,
}

/// The elements of a page, in its order.
pub(super) struct Survey<'t> {
    pub(super) seen: Vec<Seen<'t>>,
    /// The mass of what is not around the content.
    pub(super) mass: usize,
}

/// What the elements of a group share.
#[derive(PartialEq, Eq, Hash)]
enum Key<'t> {
    Path(usize),
    Parent(usize, LocalName),
    MarkedPath(usize, Mark),
    MarkedParent(usize, Mark),
    Marked(LocalName, Mark),
    StyledPath(usize, &'t str),
    StyledParent(usize, &'t str),
    Type(&'t str),
}

/// Some elements, by their places among all.
pub(super) type Members = Vec<usize>;

impl<'t> Survey<'t> {
    /// Looks at a page.
    ///
    /// # Errors
    /// That takes too long.
    pub(super) fn of(tree: &'t Html, meter: &Meter<'_>) -> Result<Self, Failure> {
        let mut look = Look::default();
        for edge in tree.root_element().traverse() {
            meter.count(4)?;
            match edge {
                Edge::Open(node) => match (ElementRef::wrap(node), node.value()) {
                    (Some(element), _) => look.open(element),
                    (None, Node::Text(text)) => look.text(text),
                    _ => {}
                },
                Edge::Close(node) if node.value().is_element() => look.close(),
                Edge::Close(_) => {}
            }
        }
        let whole = look.seen.first().map_or(0, |root| root.mass);
        Ok(Self { mass: whole.saturating_sub(look.around), seen: look.seen })
    }

    /// The elements of a group.
    pub(super) fn elements(&self, members: &[usize]) -> Vec<ElementRef<'t>> {
        members.iter().map(|&member| self.seen[member].element).collect()
    }

    /// Groups of at least two elements, those with most content first.
    pub(super) fn groups(&self, meter: &Meter<'_>) -> Result<Vec<Members>, Failure> {
        let mut groups: Vec<Members> = Vec::new();
        let mut places = HashMap::new();
        for (n, seen) in self.seen.iter().enumerate() {
            for key in keys(seen) {
                meter.count(16)?;
                let place = *places.entry(key).or_insert_with(|| {
                    groups.push(Vec::new());
                    groups.len() - 1
                });
                groups[place].push(n);
            }
        }
        let mass = |group: &Members| group.iter().map(|&n| self.seen[n].mass).sum::<usize>();
        let mut groups: Vec<_> =
            groups.into_iter().filter(|group| group.len() > 1).map(|group| (mass(&group), group)).collect();
        // Stable: of equal ones the one that the page has first.
        groups.sort_by_key(|(mass, _)| std::cmp::Reverse(*mass));
        let mut known = HashSet::new();
        let mut kept = Vec::new();
        for (mass, group) in groups {
            if kept.len() == GROUPS || mass * 10 < self.mass {
                break;
            }
            meter.count(group.len())?;
            if known.insert(group.clone()) {
                kept.push(group);
            }
        }
        Ok(kept)
    }

    /// The elements around one, from the inside.
    pub(super) fn ancestors(&self, mut n: usize) -> impl Iterator<Item = usize> {
        std::iter::from_fn(move || {
            (n != 0).then(|| {
                n = self.seen[n].parent;
                n
            })
        })
    }
}

/// A survey that is under way.
#[derive(Default)]
struct Look<'t> {
    seen: Vec<Seen<'t>>,
    /// The elements that are open.
    open: Vec<usize>,
    /// The ways of tags, by the one that they lengthen.
    paths: HashMap<(usize, LocalName), usize>,
    /// How many elements without content are open.
    skipped: usize,
    /// The mass of what is around the content.
    around: usize,
}

impl<'t> Look<'t> {
    fn open(&mut self, element: ElementRef<'t>) {
        let name = &element.value().name.local;
        if self.skipped > 0 || is_no_content(name) {
            self.skipped += 1;
            return;
        }
        let parent = self.open.last().copied().unwrap_or_default();
        let (parents_path, is_in_around) = self.seen.get(parent).map_or((0, false), |seen| (seen.path, seen.is_around));
        let count = self.paths.len() + 1;
        let path = *self.paths.entry((parents_path, name.clone())).or_insert(count);
        let mass = if is_any!(*name, "img") { PICTURE } else { 0 };
        self.open.push(self.seen.len());
        self.seen.push(Seen { element, parent, path, mass, is_around: is_in_around || is_around(&element) });
    }

    fn text(&mut self, text: &str) {
        if let (Some(&inner), 0) = (self.open.last(), self.skipped) {
            self.seen[inner].mass += text.trim().len();
        }
    }

    fn close(&mut self) {
        if self.skipped > 0 {
            self.skipped -= 1;
            return;
        }
        let closed = self.open.pop().unwrap_or_default();
        let Some(&parent) = self.open.last() else { return };
        let mass = self.seen[closed].mass;
        self.seen[parent].mass += mass;
        // What is around the content counts where it begins.
        if self.seen[closed].is_around && !self.seen[parent].is_around {
            self.around += mass;
        }
    }
}

fn keys<'t>(seen: &Seen<'t>) -> Vec<Key<'t>> {
    let name = &seen.element.value().name.local;
    if is_any!(*name, "html" "body" "td" "th" "thead" "tbody" "br" "option" "col" "dd" "img" "b" "i" "em" "strong") {
        return Vec::new();
    }
    let mut keys = vec![Key::Path(seen.path), Key::Parent(seen.parent, name.clone())];
    let mut is_marked = false;
    for mark in words::classes(&seen.element).take(4) {
        is_marked = true;
        keys.push(Key::MarkedPath(seen.path, mark.clone()));
        keys.push(Key::MarkedParent(seen.parent, mark.clone()));
        keys.push(Key::Marked(name.clone(), mark));
    }
    let style = seen.element.attr("class").filter(|class| !is_marked && !class.trim().is_empty());
    if let Some(style) = style {
        keys.extend([Key::StyledPath(seen.path, style), Key::StyledParent(seen.parent, style)]);
    }
    keys.extend(seen.element.attr("itemtype").map(Key::Type));
    keys
}

fn is_no_content(name: &LocalName) -> bool {
    is_any!(*name, "head" "script" "style" "template" "noscript" "svg" "select" "iframe" "button" "math")
}

/// Words in the classes and IDs of what stands around the content.
const AROUND: [&str; 15] = [
    "nav",
    "navbar",
    "navigation",
    "menu",
    "footer",
    "sidebar",
    "breadcrumb",
    "breadcrumbs",
    "pagination",
    "pager",
    "cookie",
    "toc",
    "topbar",
    "masthead",
    "share",
];

fn is_around(element: &ElementRef<'_>) -> bool {
    let name = &element.value().name.local;
    let is_named = |text: Option<&str>| {
        let mut words = text.unwrap_or_default().split(|c: char| !c.is_ascii_alphabetic());
        words.any(|word| AROUND.iter().any(|around| word.eq_ignore_ascii_case(around)))
    };
    if is_any!(*name, "body" "main" "article" "html") {
        return false;
    }
    let role = element.attr("role").unwrap_or_default();
    let is_page_header = is_any!(*name, "header")
        && !element
            .ancestors()
            .filter_map(ElementRef::wrap)
            .any(|outer| is_any!(outer.value().name.local, "main" "article" "section" "li"));
    is_any!(*name, "nav" "footer" "aside" "menu")
        && !element
            .ancestors()
            .filter_map(ElementRef::wrap)
            .any(|outer| is_any!(outer.value().name.local, "article" "li"))
        || is_page_header
        || matches!(role, "navigation" | "menu" | "menubar" | "contentinfo" | "banner" | "complementary")
        || is_named(element.value().id())
        || is_named(element.attr("class"))
}
