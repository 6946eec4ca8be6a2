//! The check as a sheet for a person.

use serde_json::Value;

use super::Reading;
use crate::cli::sheet::{BAD, DIM, GOOD, Screen, Sheet};
use crate::extract::{Finding, Outline};
use crate::sink::{cut, grouped};

/// How many values of a field are shown.
const SHOWN: usize = 3;

pub(super) fn sheet(outlines: &[Outline<'_>], reading: Option<&Reading>, screen: Screen) -> String {
    let mut sheet = Sheet::new(screen);
    match reading {
        None => outlines.iter().for_each(|outline| describe(outline, &mut sheet)),
        Some(reading) => tell(reading, outlines, &mut sheet),
    }
    sheet.into_text()
}

/// What a recipe says.
fn describe(outline: &Outline<'_>, sheet: &mut Sheet) {
    sheet.heading(outline.place, "");
    let all = ["every URL"];
    let matching = if outline.matching.is_empty() { &all[..] } else { &outline.matching };
    several("match", matching, sheet);
    if let Some(items) = outline.items {
        sheet.line("items", items);
    }
    for (label, names) in [("page", &outline.page), ("fields", &outline.fields), ("required", &outline.required)] {
        if !names.is_empty() {
            sheet.line(label, &names.join(", "));
        }
    }
    if let Some((next, pages)) = &outline.next {
        let pages = u64::from(*pages);
        sheet.line("next", &format!("{next}; at most {} pages", grouped(pages)));
    }
    several("expect", &outline.expected, sheet);
}

/// Lines of which the first has the label.
fn several(label: &str, texts: &[&str], sheet: &mut Sheet) {
    let labels = std::iter::once(label).chain(std::iter::repeat(""));
    texts.iter().zip(labels).for_each(|(text, label)| sheet.line(label, text));
}

/// What a recipe comes to on a page.
fn tell(reading: &Reading, outlines: &[Outline<'_>], sheet: &mut Sheet) {
    sheet.heading("Page", "");
    sheet.line("url", &cut(reading.url.as_str(), sheet.room()));
    let Some(outline) = reading.recipe.and_then(|recipe| outlines.get(recipe)) else {
        let why = reading.failure.as_ref().map_or_else(|| "none is for this URL".into(), ToString::to_string);
        sheet.styled("recipe", &why, BAD);
        return;
    };
    sheet.line("recipe", outline.place);
    if let Some(items) = &reading.findings.items {
        let left_out = match reading.left_out {
            0 => String::new(),
            count => format!("; {} left out: they lack what is required", grouped(count)),
        };
        sheet.line("items", &cut(&items.selector, sheet.room()));
        sheet.styled("", &format!("{}{left_out}", matches(items)), DIM);
    }
    sheet.heading("Fields", "");
    for finding in &reading.findings.fields {
        field(finding, reading, sheet);
    }
    result(reading, outline, sheet);
}

fn field(finding: &Finding, reading: &Reading, sheet: &mut Sheet) {
    let style = if finding.matches.count == 0 { BAD } else { DIM };
    let found = format!("{}: {}", matches(finding), finding.selector);
    sheet.styled(&cut(&finding.name, sheet.room()), &cut(&found, sheet.room()), style);
    let Some(place) = reading.names.iter().position(|name| **name == *finding.name) else { return };
    let values: Vec<_> = reading.rows.iter().filter_map(|row| row.get(place)).collect();
    for value in values.iter().take(SHOWN) {
        let text = if value.is_null() { "-".into() } else { value.to_string() };
        sheet.line("", &cut(&text, sheet.room()));
    }
    if values.len() > SHOWN {
        let missing = values.iter().filter(|value| is_blank(value)).count();
        let rest = format!("and {} more, {} of all blank", values.len() - SHOWN, missing);
        sheet.styled("", &rest, DIM);
    }
}

fn is_blank(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        Value::Array(values) => values.is_empty(),
        _ => false,
    }
}

fn matches(finding: &Finding) -> String {
    match finding.matches.count {
        0 => "no match".into(),
        1 => "1 match".into(),
        count => format!("{} matches", grouped(count)),
    }
}

fn result(reading: &Reading, outline: &Outline<'_>, sheet: &mut Sheet) {
    sheet.heading("Result", "");
    let records = match reading.rows.len() {
        1 => "1 record".into(),
        count => format!("{} records", grouped(count as u64)),
    };
    match &reading.failure {
        None => sheet.styled("outcome", &records, GOOD),
        Some(failure) => sheet.styled("outcome", &failure.to_string(), BAD),
    }
    if outline.next.is_some() {
        let is_file = reading.url.scheme() == "file";
        let none = if is_file { "not known: a file has no URL (see --url)" } else { "none: the list ends here" };
        let next = reading.next.as_ref().map_or(none, url::Url::as_str);
        let room = sheet.room();
        sheet.line("next", &cut(next, room));
    }
    for verdict in &reading.verdicts {
        match verdict.complaint() {
            Some(complaint) => sheet.styled("expect", complaint.trim_start_matches("expectation "), BAD),
            None => sheet.styled("expect", &format!("{} holds", verdict.expectation), GOOD),
        }
    }
}
