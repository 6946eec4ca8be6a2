//! Elements → the shortest selector that finds them and nothing else.

use html5ever::LocalName;
use scraper::ElementRef;

use super::columns::{self, Column, Part, Step};
use super::groups::Survey;
use super::words::{self, Mark};
use crate::extract::deadline::Meter;
use crate::extract::expression::{Expression, Search};
use crate::extract::names::is_any;
use crate::failure::Failure;

/// How many elements around the items a selector may name.
const LEVELS: usize = 12;

/// A selector of the members of a group; none where none of those that are tried finds just them.
pub(super) fn of_items(survey: &Survey<'_>, members: &[usize], meter: &Meter<'_>) -> Result<Option<String>, Failure> {
    for css in of_group(survey, members) {
        if finds_just(survey, members, &css, meter)? {
            return Ok(Some(css));
        }
    }
    Ok(None)
}

/// Whether a selector finds the members and no other element of the page.
fn finds_just(survey: &Survey<'_>, members: &[usize], css: &str, meter: &Meter<'_>) -> Result<bool, Failure> {
    let Ok(expression) = Expression::parse_places(css) else { return Ok(false) };
    let (Some(css), Some(root)) = (expression.css(), survey.seen.first()) else { return Ok(false) };
    let mut search = Search::below(root.element.tree().root());
    let mut wanted = members.iter().peekable();
    for (n, seen) in survey.seen.iter().enumerate() {
        meter.count(8)?;
        let is_wanted = wanted.next_if(|&&member| member == n).is_some();
        if css.finds(&seen.element, &mut search) != is_wanted {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The selectors to try, the best first.
fn of_group(survey: &Survey<'_>, members: &[usize]) -> Vec<String> {
    let Some(&first) = members.first() else { return Vec::new() };
    let elements = survey.elements(members);
    let bases = bases(&elements);
    let around: Vec<_> = survey.ancestors(first).take(LEVELS).collect();
    // Level by level, what is around all of them.
    let mut levels: Vec<Vec<usize>> = Vec::new();
    let mut level = members.to_vec();
    for _ in &around {
        level = level.iter().filter_map(|&n| survey.ancestors(n).next()).collect();
        level.dedup();
        if level.len() < members.len().min(2) && level.is_empty() {
            break;
        }
        levels.push(level.clone());
    }
    let mut tried = bases.clone();
    let outer: Vec<_> = levels.iter().map(|level| scope(&survey.elements(level), false)).collect();
    for (level, names) in outer.iter().enumerate() {
        for (name, base) in
            names.iter().filter(|name| !is_generic(name)).flat_map(|name| bases.iter().map(move |base| (name, base)))
        {
            let combinator = if level == 0 { " > " } else { " " };
            tried.push(format!("{name}{combinator}{base}"));
        }
    }
    for is_exact in [false, true] {
        let names: Vec<_> =
            levels.iter().map(|level| scope(&survey.elements(level), is_exact).into_iter().next()).collect();
        for depth in 1..=names.len() {
            let chain: Option<Vec<_>> = names[..depth].iter().rev().cloned().collect();
            if let Some(chain) = chain {
                tried.extend(bases.last().map(|base| format!("{} > {base}", chain.join(" > "))));
            }
        }
    }
    tried.extend(styled(&elements));
    tried
}

/// The members by a class name that is no mark, for want of anything better.
fn styled(elements: &[ElementRef<'_>]) -> Option<String> {
    let style = elements.first()?.attr("class")?;
    let is_shared = elements.iter().all(|element| element.attr("class") == Some(style));
    is_shared.then(|| format!("[class=\"{}\"]", style.replace('\\', "\\\\").replace('"', "\\\"")))
}

/// How the members themselves may be named.
fn bases(elements: &[ElementRef<'_>]) -> Vec<String> {
    let Some(first) = elements.first() else { return Vec::new() };
    let name = &first.value().name.local;
    let have_name = elements.iter().all(|element| element.value().name.local == *name);
    let tag = if have_name { name.to_string() } else { "*".to_owned() };
    let mut bases: Vec<_> = shared_marks(elements)
        .iter()
        .map(|mark| if have_name { format!("{name}{}", mark.css()) } else { mark.css() })
        .collect();
    let kind =
        first.attr("itemtype").filter(|kind| elements.iter().all(|element| element.attr("itemtype") == Some(kind)));
    let kind =
        kind.and_then(|kind| kind.rsplit('/').next()).filter(|kind| kind.bytes().all(|b| b.is_ascii_alphabetic()));
    bases.extend(kind.map(|kind| format!("[itemtype$=\"/{kind}\"]")));
    bases.push(tag.clone());
    bases
}

/// The marks of classes that all elements have.
fn shared_marks(elements: &[ElementRef<'_>]) -> Vec<Mark> {
    let Some(first) = elements.first() else { return Vec::new() };
    let mut marks: Vec<_> = words::classes(first).collect();
    marks.retain(|mark| elements.iter().all(|element| words::classes(element).any(|other| other == *mark)));
    marks
}

/// How what is around the members may be named: by ID, class, or tag; by its position, if it is one element and `is_exact`.
fn scope(elements: &[ElementRef<'_>], is_exact: bool) -> Vec<String> {
    let Some(first) = elements.first() else { return Vec::new() };
    let name = &first.value().name.local;
    let mut names = Vec::new();
    if let [one] = elements {
        names.extend(words::id(one).map(|id| format!("#{id}")));
    }
    names.extend(shared_marks(elements).first().map(|mark| format!("{name}{}", mark.css())));
    if elements.iter().all(|element| element.value().name.local == *name) {
        let is_one = elements.len() == 1 && is_exact && !is_any!(*name, "html" "body" "main");
        names.push(if is_one { format!("{name}:nth-of-type({})", columns::position(first)) } else { name.to_string() });
    }
    names
}

/// Whether a name says nothing of what an element is.
fn is_generic(name: &str) -> bool {
    matches!(name, "div" | "span" | "html" | "body" | "center" | "tbody" | "td" | "tr")
}

/// A selector of a column, in an item. `:scope` is the item. None where none of those that are tried finds just the column.
pub(super) fn of_column(column: &Column<'_>, sample: &[ElementRef<'_>]) -> Option<String> {
    let css = tries(column).into_iter().find(|css| finds_cells(column, sample, css))?;
    Some(match &column.part {
        Part::Text => css,
        Part::Attribute(name) => format!("{css}@{name}"),
    })
}

/// What may find a column, the best first.
fn tries(column: &Column<'_>) -> Vec<String> {
    let Some((last, around)) = column.steps.split_last() else { return vec![":scope".into()] };
    let mut tried = Vec::new();
    match last {
        Step::Mark(_) => tried.push(last.css()),
        Step::Tag(name) | Step::Styled(name, _) | Step::Nth(name, _) if speaks(name) => tried.push(name.to_string()),
        _ => {}
    }
    for (n, step) in around.iter().enumerate().rev() {
        let is_named = matches!(step, Step::Mark(_)) || matches!(step, Step::Tag(name) if speaks(name));
        if is_named {
            let name = if let Step::Mark(_) | Step::Nth(..) = last { last.css() } else { tag(last) };
            tried.push(format!("{} {name}", step.css()));
            tried.push(chain(&column.steps[n..], tag));
        }
    }
    if column.steps.len() == 1 {
        tried.push(tag(last));
    }
    tried.push(format!(":scope > {}", chain(&column.steps, tag)));
    let within = chain(around, tag);
    let within = if around.is_empty() { ":scope".to_owned() } else { format!(":scope > {within}") };
    if let Step::Tag(name) | Step::Styled(name, _) = last {
        let mut positions = column.cells.iter().map(|(_, cell)| columns::position(cell));
        let first = positions.next().unwrap_or(1);
        if positions.all(|position| position == first) {
            tried.push(format!("{within} > {name}:nth-of-type({first})"));
        }
        tried.push(format!("{within} > {name}:not([class])"));
    }
    tried.push(format!(":scope > {}", chain(&column.steps, Step::css)));
    tried
}

/// A step without its style.
fn tag(step: &Step) -> String {
    if let Step::Styled(name, _) = step { name.to_string() } else { step.css() }
}

fn chain(steps: &[Step], css: fn(&Step) -> String) -> String {
    steps.iter().map(css).collect::<Vec<_>>().join(" > ")
}

/// Whether the name of a tag says what the element is.
fn speaks(name: &LocalName) -> bool {
    is_any!(*name,
        "a" "h1" "h2" "h3" "h4" "h5" "h6" "time" "img" "address" "blockquote" "figcaption" "th" "cite" "data" "strong"
        "b" "em" "p" "dd" "dt" "video" "audio" "code" "pre" "del" "ins" "summary"
    )
}

/// Whether what a selector finds first in each item of the sample is the column's cell, and nothing in those without one.
fn finds_cells(column: &Column<'_>, sample: &[ElementRef<'_>], css: &str) -> bool {
    let Ok(expression) = Expression::parse_places(css) else { return false };
    let Some(css) = expression.css() else { return false };
    let mut cells = column.cells.iter().peekable();
    sample.iter().enumerate().all(|(n, item)| {
        let cell = cells.next_if(|(item, _)| *item == n).map(|(_, cell)| cell.id());
        let mut search = Search::below(**item);
        let found = item.descendants().filter_map(ElementRef::wrap).find(|element| css.finds(element, &mut search));
        // Where the column's element has no such value, the selector still finds the element.
        cell.is_none() && column.part != Part::Text || found.map(|element| element.id()) == cell
    })
}
