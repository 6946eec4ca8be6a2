//! The facts of a page in which nothing repeats.

use std::collections::HashMap;

use super::Proposed;
use super::columns::{Column, Part, Step};
use super::groups::Survey;
use super::names::Names;
use super::trial::Bench;
use super::words::Mark;
use crate::extract::expression::Place;
use crate::extract::names::is_any;
use crate::extract::tree::text_of;
use crate::failure::Failure;
use crate::value::Value;

/// How many facts of the body are proposed.
const FACTS: usize = 10;

/// How long a fact may be, in bytes.
const LENGTH: usize = 160;

/// What a head may say.
const HEAD: [(&str, &str); 3] = [
    ("description", "meta[name=description]@content"),
    ("published", "meta[property='article:published_time']@content | date"),
    ("image", "meta[property='og:image']@content"),
];

/// The page's own fields: its heading, what is marked as one thing, and what the head says.
pub(super) fn fields(survey: &Survey<'_>, bench: &Bench<'_>) -> Result<Vec<Proposed>, Failure> {
    let mut names = Names::default();
    let mut fields = Vec::new();
    let heading = ["main h1", "article h1", "h1", "title"].into_iter().map(String::from).collect::<Vec<_>>();
    let found = bench.values(&heading, &[Place::Page])?;
    let first = heading.into_iter().zip(found).find(|(_, values)| values.iter().any(|value| !value.is_blank()));
    let Some((heading, titles)) = first else { return Ok(fields) };
    fields.push(Proposed::new(names.once("title"), heading));
    let title = titles.first().map(|title| title.to_cell().into_owned()).unwrap_or_default();
    let mut marked: Vec<(Mark, Column<'_>)> = Vec::new();
    let mut counts: HashMap<Mark, usize> = HashMap::new();
    for seen in &survey.seen {
        let Some(mark) = Mark::of(&seen.element) else { continue };
        *counts.entry(mark.clone()).or_default() += 1;
        let text = text_of(&seen.element);
        let content = seen.element.attr("content").or(seen.element.attr("datetime"));
        let attribute = if seen.element.attr("content").is_some() { "content" } else { "datetime" };
        let value = content.unwrap_or(&text);
        if seen.is_around || value.is_empty() || value.len() > LENGTH || value == title || has_marked_child(seen) {
            continue;
        }
        let part = if content.is_some() { Part::Attribute(attribute.into()) } else { Part::Text };
        let column =
            Column { steps: vec![Step::Mark(mark.clone())], part, cells: vec![(0, seen.element)], is_list: false };
        marked.push((mark, column));
    }
    marked.retain(|(mark, _)| counts.get(mark) == Some(&1));
    for (mark, column) in marked.into_iter().take(FACTS) {
        let text = match &column.part {
            Part::Text => mark.css(),
            Part::Attribute(name) => format!("{}@{name}", mark.css()),
        };
        let values = bench.values(std::slice::from_ref(&text), &[Place::Page])?.pop().unwrap_or_default();
        let transform = bench.transform(&text, &values, &[Place::Page])?.unwrap_or_default();
        fields.push(Proposed::new(names.name(&column), text + transform));
    }
    for (name, text) in HEAD {
        let found = bench.values(&[text.to_owned()], &[Place::Page])?;
        if found.iter().flatten().any(|value: &Value<'_>| !value.is_blank()) {
            fields.push(Proposed::new(names.once(name), text.to_owned()));
        }
    }
    Ok(fields)
}

/// Whether an element only holds others that say what it says.
fn has_marked_child(seen: &super::groups::Seen<'_>) -> bool {
    let mut children = seen.element.children().filter_map(scraper::ElementRef::wrap);
    children
        .any(|child| Mark::of(&child).is_some() || is_any!(child.value().name.local, "div" "ul" "ol" "table" "p" "h1"))
}
