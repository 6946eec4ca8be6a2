//! Microdata: WHATWG HTML, section 5.
//!
//! The value is that of section 5.5.1 ("JSON"), without the `items` around it: `type` is always a list, and so is what a
//! property holds. Decided where pages differ from the standard, or readers do:
//! - Text has its white space collapsed and blocks set apart, as all texts of fields; scripts inside are left out.
//! - A `content` counts on every element, not only on `<meta>`, as in the examples of schema.org.
//! - URLs are as they are written (see [`structured`](super)).
//! - An item that is inside itself by `itemref` is left out there, and so is one that is nested more than [`DEPTH`] deep.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use ego_tree::NodeId;
use html5ever::local_name;
use scraper::{ElementRef, Html};

use crate::extract::deadline::Deadline;
use crate::extract::names::is_any;
use crate::extract::tree::{elements, is_in_template, text_of};
use crate::failure::{Failure, Kind};
use crate::value::Value;

/// How deep items may be nested: what is read from a record then has no more than 127 levels, which most readers of JSON
/// can take.
const DEPTH: usize = 32;

/// How much text the items of a page may hold, in bytes: nested ones hold the same text again and again.
const FOUND: usize = 64 << 20;

/// Whether a page may have microdata.
pub(in crate::extract) fn is_in(text: &str) -> bool {
    memchr::memmem::find(text.as_bytes(), b"itemscope").is_some() || text.contains("ITEMSCOPE")
}

/// The items of a page that are in no other one.
///
/// # Errors
/// That takes too long, or too much is found.
pub(in crate::extract) fn items(tree: &Html, deadline: &Deadline) -> Result<Value<'static>, Failure> {
    let mut reader = Reader { tree, deadline, places: None, inside: Vec::new(), found: 0 };
    let is_top = |element: &ElementRef<'_>| {
        element.attr("itemscope").is_some() && element.attr("itemprop").is_none() && !is_in_template(element)
    };
    let items = elements(tree).filter(is_top).map(|element| reader.item(element));
    items.collect::<Result<_, _>>().map(Value::List)
}

/// Where things are in a tree.
struct Places<'a> {
    /// The first element of each ID.
    by_id: HashMap<&'a str, ElementRef<'a>>,
    /// The place of each element in the order of the document.
    order: HashMap<NodeId, usize>,
}

impl<'a> Places<'a> {
    fn of(tree: &'a Html) -> Self {
        let (mut by_id, mut order) = (HashMap::new(), HashMap::new());
        for (place, element) in elements(tree).enumerate() {
            order.insert(element.id(), place);
            if let Some(id) = element.attr("id") {
                by_id.entry(id).or_insert(element);
            }
        }
        Self { by_id, order }
    }
}

struct Reader<'a> {
    tree: &'a Html,
    deadline: &'a Deadline,
    /// Made for the first item that refers to an ID.
    places: Option<Places<'a>>,
    /// The items around the one that is being read.
    inside: Vec<NodeId>,
    /// How many bytes were found, each property counted as some.
    found: usize,
}

impl<'a> Reader<'a> {
    fn item(&mut self, element: ElementRef<'a>) -> Result<Value<'static>, Failure> {
        self.deadline.check()?;
        self.inside.push(element.id());
        let properties = self.properties(element)?;
        self.inside.pop();
        let mut item = Vec::new();
        if let Some(types) = element.attr("itemtype") {
            let types = types.split_ascii_whitespace().map(|one| one.to_owned().into());
            item.push(("type".into(), Value::List(types.collect())));
        }
        if let Some(id) = element.attr("itemid") {
            item.push(("id".into(), id.trim_ascii().to_owned().into()));
        }
        item.push(("properties".into(), properties));
        Ok(Value::Map(item))
    }

    fn properties(&mut self, item: ElementRef<'a>) -> Result<Value<'static>, Failure> {
        let mut places = HashMap::new();
        let mut properties: Vec<(Cow<'_, str>, Value<'_>)> = Vec::new();
        for element in self.elements_of(item) {
            let Some(value) = self.value(element)? else { continue };
            let mut seen = HashSet::new();
            for name in words(element.attr("itemprop")).filter(|name| seen.insert(*name)) {
                self.count(&value)?;
                let place = *places.entry(name).or_insert(properties.len());
                if place == properties.len() {
                    properties.push((name.to_owned().into(), Value::List(Vec::new())));
                }
                if let (_, Value::List(values)) = &mut properties[place] {
                    values.push(value.clone());
                }
            }
        }
        Ok(Value::Map(properties))
    }

    /// The elements that are the properties of an item, in the order of the document (section 5.2.5).
    fn elements_of(&mut self, item: ElementRef<'a>) -> Vec<ElementRef<'a>> {
        let (mut found, mut seen) = (Vec::new(), HashSet::from([item.id()]));
        for child in item.child_elements() {
            search(child, &mut found, &mut seen);
        }
        if let Some(ids) = item.attr("itemref") {
            let places = self.places.get_or_insert_with(|| Places::of(self.tree));
            for element in ids.split_ascii_whitespace().filter_map(|id| places.by_id.get(id)) {
                search(*element, &mut found, &mut seen);
            }
            found.sort_by_key(|element| places.order.get(&element.id()));
        }
        found
    }

    /// The value of a property (section 5.2.4); none for an item that may not be read here.
    fn value(&mut self, element: ElementRef<'a>) -> Result<Option<Value<'static>>, Failure> {
        if element.attr("itemscope").is_some() {
            let is_readable = self.inside.len() < DEPTH && !self.inside.contains(&element.id());
            return if is_readable { self.item(element).map(Some) } else { Ok(None) };
        }
        let name = &element.value().name.local;
        let attribute = match *name {
            _ if is_any!(*name, "audio" "embed" "iframe" "img" "source" "track" "video") => Some("src"),
            _ if is_any!(*name, "a" "area" "link") => Some("href"),
            local_name!("object") => Some("data"),
            local_name!("data") | local_name!("meter") => Some("value"),
            local_name!("time") => Some("datetime"),
            _ => None,
        };
        let written = attribute.and_then(|attribute| element.attr(attribute)).or_else(|| element.attr("content"));
        let is_textless = is_any!(*name, "meta" "audio" "embed" "iframe" "img" "source" "track" "video" "area" "link");
        Ok(Some(match written {
            Some(written) => written.trim_ascii().to_owned().into(),
            None if is_textless => "".into(),
            None => text_of(&element).into(),
        }))
    }

    /// Counts a value that was found.
    fn count(&mut self, value: &Value<'_>) -> Result<(), Failure> {
        /// What a property takes without its text.
        const PROPERTY: usize = 64;
        self.found += PROPERTY + if let Value::Str(text) = value { text.len() } else { 0 };
        if self.found > FOUND {
            return Err(Failure::new(Kind::TooComplex, "the page's microdata holds more than 64 MiB"));
        }
        Ok(())
    }
}

/// Searches an element and what is inside for properties, but not what is inside an item.
fn search<'a>(root: ElementRef<'a>, found: &mut Vec<ElementRef<'a>>, seen: &mut HashSet<NodeId>) {
    let mut pending = vec![root];
    while let Some(element) = pending.pop() {
        if !seen.insert(element.id()) {
            continue;
        }
        if words(element.attr("itemprop")).next().is_some() {
            found.push(element);
        }
        if element.attr("itemscope").is_none() {
            let children: Vec<_> = element.child_elements().collect();
            pending.extend(children.into_iter().rev());
        }
    }
}

fn words(text: Option<&str>) -> impl Iterator<Item = &str> {
    text.unwrap_or_default().split_ascii_whitespace()
}
