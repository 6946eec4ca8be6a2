//! The check for scripts. The keys are always all present; [`VERSION`] changes when one is removed or means something else.

use serde_json::{Value, json};

use super::Reading;
use crate::extract::{Finding, Outline};
use crate::sink::escape_json;

/// The version of the check, its key `v`.
const VERSION: u64 = 1;

pub(super) fn text(outlines: &[Outline<'_>], reading: Option<&Reading>) -> String {
    let check = json!({
        "v": VERSION,
        "recipes": outlines.iter().map(outline).collect::<Vec<_>>(),
        "page": reading.map(|reading| page(reading, outlines)),
    });
    escape_json(&format!("{check:#}\n"))
}

fn outline(outline: &Outline<'_>) -> Value {
    json!({
        "place": outline.place,
        "match": outline.matching,
        "items": outline.items,
        "required": outline.required,
        "page": outline.page,
        "fields": outline.fields,
        "next": outline.next.as_ref().map(|(next, _)| next),
        "pages": outline.next.as_ref().map(|(_, pages)| pages),
        "expect": outline.expected,
    })
}

fn page(reading: &Reading, outlines: &[Outline<'_>]) -> Value {
    let fields = reading.findings.fields.iter().map(|field| {
        let place = reading.names.iter().position(|name| **name == *field.name);
        let value = |row: &Vec<Value>| place.and_then(|place| row.get(place)).cloned();
        let values = place.map(|_| reading.rows.iter().map(value).collect::<Vec<_>>());
        let mut told = finding(field);
        told["values"] = values.into();
        told
    });
    let verdicts = reading.verdicts.iter().map(|verdict| {
        json!({"expect": verdict.expectation, "place": verdict.place, "held": verdict.held, "measured": verdict.measured()})
    });
    json!({
        "url": reading.url.as_str(),
        "recipe": reading.recipe.and_then(|recipe| outlines.get(recipe)).map(|outline| outline.place),
        "items": reading.findings.items.as_ref().map(finding),
        "records": reading.rows.len(),
        "left_out": reading.left_out,
        "fields": fields.collect::<Vec<_>>(),
        "next": reading.next.as_ref().map(url::Url::as_str),
        "expectations": verdicts.collect::<Vec<_>>(),
        "error": reading.failure.as_ref().map(|failure| json!({"kind": failure.kind.slug(), "message": failure.message})),
    })
}

fn finding(finding: &Finding) -> Value {
    json!({
        "name": finding.name,
        "selector": finding.selector,
        "matches": finding.matches.count,
        "first_match": finding.matches.first,
    })
}
