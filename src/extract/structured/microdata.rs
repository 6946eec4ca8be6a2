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
use memchr::memchr2_iter;
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
    const NAME: &[u8] = b"itemscope";
    let bytes = text.as_bytes();
    let is_name = |at: usize| bytes.get(at..at + NAME.len()).is_some_and(|name| name.eq_ignore_ascii_case(NAME));
    memchr2_iter(b'i', b'I', bytes).any(is_name)
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

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use crate::extract::tests::{field, read, value};
    use crate::failure::Kind;

    fn microdata(body: &str) -> Json {
        value(field("microdata"), body)
    }

    #[test]
    fn an_item_has_types_an_id_and_properties() {
        let body = "<div itemscope itemtype='http://schema.org/Book  x:y' itemid=' urn:a '>
            <h1 itemprop='name title'> A  <b>b</b><script>no</script></h1> <meta itemprop=n content=1>
            <a itemprop=url href=u>no</a> <img itemprop=image src=i> <time itemprop=date datetime=2024>no</time>
            <time itemprop=date>2025</time> <data itemprop=data value=3>no</data> <object itemprop=o data=p></object>
            <span itemprop=n content=4>no</span> <img itemprop=none> <b itemprop=' '>no</b> <p>no</p></div>";
        let properties = json!({
            "name": ["A b"], "title": ["A b"], "n": ["1", "4"], "url": ["u"], "image": ["i"], "date": ["2024", "2025"],
            "data": ["3"], "o": ["p"], "none": [""],
        });
        assert_eq!(
            microdata(body),
            json!([{"type": ["http://schema.org/Book", "x:y"], "id": "urn:a", "properties": properties}])
        );
    }

    #[test]
    fn an_item_in_an_item_is_a_value_of_it() {
        let body = "<div itemscope><div itemprop=a itemscope itemtype=t><i itemprop=b>c</i></div><i itemprop=d>e</i>
            <div itemscope><i itemprop=f>g</i></div></div><template><p itemscope></template>";
        let inner = json!({"type": ["t"], "properties": {"b": ["c"]}});
        assert_eq!(microdata(body), json!([{"properties": {"a": [inner], "d": ["e"]}}, {"properties": {"f": ["g"]}}]));
    }

    #[test]
    fn what_an_item_refers_to_belongs_to_it_in_the_order_of_the_page() {
        let body = "<i id=x itemprop=a>1</i><p itemscope itemref='y x x none'><i itemprop=a>2</i></p>
            <div id=y><i itemprop=a>3</i></div><i id=y itemprop=a>no</i>";
        assert_eq!(microdata(body), json!([{"properties": {"a": ["1", "2", "3"]}}]));
    }

    #[test]
    fn a_cycle_ends() {
        let body = "<div itemscope itemref=a><p id=a itemprop=b itemscope itemref=a><i itemprop=c>d</i></div>";
        assert_eq!(microdata(body)[0], json!({"properties": {"b": [{"properties": {"c": ["d"]}}]}}));
        let body = "<div itemscope id=a itemprop=x itemref=b></div><div itemscope id=b itemprop=y itemref=a></div>
            <div itemscope itemref=a></div>";
        assert_eq!(microdata(body), json!([{"properties": {"x": [{"properties": {"y": [{"properties": {}}]}}]}}]));
    }

    #[test]
    fn items_nest_as_deeply_as_most_readers_can_take() {
        let body =
            "<div itemprop=a itemscope>".replacen("itemprop=a", "", 1) + &"<div itemprop=a itemscope>".repeat(100);
        let text = microdata(&body).to_string();
        assert_eq!(text.matches("properties").count(), super::DEPTH);
        assert!(serde_json::from_str::<Json>(&text).is_ok());
    }

    #[test]
    fn what_would_take_forever_is_given_up_or_done_at_once() {
        let failure = |body: &str| read(&[field("microdata")], body).failure.map(|failure| failure.kind);
        assert_eq!(failure(&"<div itemscope itemprop=a>".repeat(10_000)), Some(Kind::TooComplex));
        assert_eq!(failure(&format!("<div itemscope>{}", "<p itemprop=a>b</p>".repeat(50_000))), None);
        let text = "x".repeat(200_000);
        let nested = format!("<div itemscope>{}{text}", "<div itemprop=a>".repeat(500));
        assert_eq!(failure(&nested), Some(Kind::TooComplex));
        let shared = format!("<div id=a>{}</div>", "<b itemprop=a>b</b>".repeat(10_000));
        let referring = "<p itemscope itemref=a>".repeat(10_000);
        assert_eq!(failure(&(shared + &referring)), Some(Kind::TooComplex));
    }
}
