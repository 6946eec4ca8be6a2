//! What columns are called.

use html5ever::LocalName;
use scraper::ElementRef;

use super::columns::{Column, Part, Step};
use super::words::{self, name_of, within};
use crate::extract::names::is_any;
use crate::extract::tree::text_of;

/// Names that are given once each.
#[derive(Default)]
pub(super) struct Names {
    given: Vec<String>,
    /// What the records themselves are called.
    whole: Vec<String>,
}

impl Names {
    /// Names for the columns of records such as `item`.
    pub(super) fn for_items(item: &ElementRef<'_>) -> Self {
        let whole = words::classes(item).map(|mark| name_of(mark.word())).collect();
        Self { given: Vec::new(), whole }
    }

    /// The name of a column that no other one has.
    pub(super) fn name(&mut self, column: &Column<'_>) -> String {
        let name = match &column.part {
            Part::Text => self.of_text(column),
            Part::Attribute(name) if name == "href" => self.of_link(column),
            Part::Attribute(name) if matches!(&**name, "src" | "data-src") => "image".to_owned(),
            Part::Attribute(name) if name == "datetime" => self.own(column).unwrap_or_else(|| "date".to_owned()),
            Part::Attribute(name) if name == "title" => match self.of_text(column) {
                name if name == "title" || name.is_empty() => "title".to_owned(),
                name => name + "_title",
            },
            Part::Attribute(name) => match name.strip_prefix("data-") {
                Some(rest) => self.short(&name_of(rest)),
                None => self.of_text(column),
            },
        };
        self.once(&name)
    }

    /// A name that has not been given yet, and is from now on.
    pub(super) fn once(&mut self, name: &str) -> String {
        let name = if name.is_empty() { "text" } else { name };
        let mut numbered = (2..).map(|n| format!("{name}_{n}"));
        let is_free = |name: &String| !self.given.contains(name);
        let free = Some(name.to_owned()).filter(is_free).or_else(|| numbered.find(is_free)).unwrap_or_default();
        self.given.push(free.clone());
        free
    }

    fn of_text(&self, column: &Column<'_>) -> String {
        let Some((_, cell)) = column.cells.first() else { return String::new() };
        let header = header(cell).map(|header| name_of(&header)).filter(|name| !name.is_empty());
        let tag = &cell.value().name.local;
        let around = || marked(column).map(|word| self.short(&word));
        let has_title = self.given.iter().any(|name| name == "title");
        let by_tag = || match by_tag(tag) {
            // Of several links the first may be the title.
            Some("title") if has_title && is_any!(*tag, "a") => {
                Some(around().map_or("link".to_owned(), |around| around + "_link"))
            }
            name => name.map(String::from),
        };
        header.or_else(|| self.own(column)).or_else(by_tag).or_else(around).unwrap_or_else(|| "text".to_owned())
    }

    /// The word of the column's own mark.
    fn own(&self, column: &Column<'_>) -> Option<String> {
        let Some(Step::Mark(mark)) = column.steps.last() else { return None };
        Some(self.short(&name_of(mark.word()))).filter(|name| !name.is_empty())
    }

    fn of_link(&self, column: &Column<'_>) -> String {
        if !self.given.iter().any(|name| name == "url") {
            return "url".to_owned();
        }
        match self.of_text(column) {
            name if matches!(&*name, "title" | "text" | "") => "url".to_owned(),
            name => name.trim_end_matches("_link").to_owned() + "_url",
        }
    }

    fn short(&self, name: &str) -> String {
        self.whole.iter().fold(name.to_owned(), |name, whole| within(&name, whole))
    }
}

/// The word of the innermost mark on the way to a column.
fn marked(column: &Column<'_>) -> Option<String> {
    let words = column.steps.iter().rev().filter_map(|step| match step {
        Step::Mark(mark) => Some(name_of(mark.word())),
        _ => None,
    });
    words.into_iter().find(|name| !name.is_empty())
}

fn by_tag(name: &LocalName) -> Option<&'static str> {
    Some(match *name {
        _ if is_any!(*name, "h1" "h2" "h3" "h4" "h5" "h6" "a" "dt") => "title",
        _ if is_any!(*name, "time") => "date",
        _ if is_any!(*name, "figcaption") => "caption",
        _ if is_any!(*name, "blockquote") => "quote",
        _ if is_any!(*name, "address") => "address",
        _ if is_any!(*name, "code" "pre") => "code",
        _ => return None,
    })
}

/// What stands at the head of a cell's column, in a table that has header cells.
fn header(cell: &ElementRef<'_>) -> Option<String> {
    let is_cell = |element: &ElementRef<'_>| is_any!(element.value().name.local, "td" "th");
    let mut around = std::iter::once(*cell).chain(cell.ancestors().filter_map(ElementRef::wrap));
    let cell = around.find(is_cell)?;
    let before = cell.prev_siblings().filter_map(ElementRef::wrap).map(|other| width(&other)).sum::<usize>();
    let table = around.find(|element| is_any!(element.value().name.local, "table"))?;
    let mut rows = table.descendants().filter_map(ElementRef::wrap).filter(|row| is_any!(row.value().name.local, "tr"));
    let row = rows.find(|row| {
        let cells = || row.children().filter_map(ElementRef::wrap);
        cells().count() > 1 && cells().all(|cell| is_any!(cell.value().name.local, "th"))
    })?;
    let mut at = 0;
    let head = row.children().filter_map(ElementRef::wrap).find(|head| {
        at += width(head);
        at > before
    })?;
    Some(text_of(&head)).filter(|text| text.len() <= 60)
}

/// How many columns a cell takes.
fn width(cell: &ElementRef<'_>) -> usize {
    cell.attr("colspan")
        .and_then(|width| width.trim().parse().ok())
        .filter(|width| (1..=1000).contains(width))
        .unwrap_or(1)
}
