//! What changed, as the fields `change` and `diff` tell.

use std::collections::BTreeMap;

use super::page::Page;
use super::sample::Row;
use crate::record::Change;
use crate::sink::cut;
use crate::value::Value;

/// So many pages that changed are shown.
const ROWS: usize = 500;

/// So many fields of a page are shown that differ.
const FIELDS: usize = 20;

/// The columns of a field's name, and of a value, that are shown.
const COLUMNS: usize = 200;

/// Pages that changed: their number, and the first of them.
#[derive(Debug, Default)]
pub(super) struct Changes {
    pub(super) counts: BTreeMap<Change, u64>,
    pub(super) rows: Vec<Changed>,
}

/// A page that changed.
#[derive(Debug)]
pub(super) struct Changed {
    pub(super) row: Row,
    pub(super) change: Change,
    pub(super) differences: Vec<Difference>,
    /// How many fields differ beside those.
    pub(super) more: usize,
}

/// A field that differs, its values as JSON, shortened.
#[derive(Debug)]
pub(super) struct Difference {
    pub(super) field: Box<str>,
    pub(super) old: Box<str>,
    pub(super) new: Box<str>,
}

impl Changes {
    /// Counts a page by what its first record says of it in the fields of those names, if it has them.
    pub(super) fn note<'v>(&mut self, page: &Page<'_>, fields: impl Iterator<Item = (&'v str, &'v Value<'static>)>) {
        let (mut change, mut diff) = (None, None);
        for (name, value) in fields {
            match (name, value) {
                ("change", Value::Str(name)) => change = Change::ALL.into_iter().find(|change| change.name() == name),
                ("diff", Value::Null) => diff = Some(&[][..]),
                ("diff", Value::Map(entries)) => diff = Some(&entries[..]),
                _ => {}
            }
        }
        let (Some(change), Some(diff)) = (change, diff) else { return };
        let values = |value: &Value<'_>| {
            let Value::Map(pair) = value else { return None };
            let side = |side| pair.iter().find(|(name, _)| name == side).map(|(_, value)| json(value));
            Some((side("old")?, side("new")?))
        };
        self.add(page, change, diff.iter().filter_map(|(name, value)| Some((&**name, values(value)?))));
    }

    /// Counts a page of which it is known how it changed: each field that differs, and both its values as JSON.
    pub(super) fn add<'n>(
        &mut self,
        page: &Page<'_>,
        change: Change,
        differences: impl Iterator<Item = (&'n str, (String, String))>,
    ) {
        *self.counts.entry(change).or_default() += 1;
        if self.rows.len() >= ROWS {
            return;
        }
        let mut differences = differences.fuse();
        let difference = |(field, (old, new)): (&str, (String, String))| Difference {
            field: cut(field, COLUMNS).into(),
            old: cut(&old, COLUMNS).into(),
            new: cut(&new, COLUMNS).into(),
        };
        let shown = differences.by_ref().take(FIELDS).map(difference).collect();
        self.rows.push(Changed { row: Row::of(page), change, differences: shown, more: differences.count() });
    }
}

fn json(value: &Value<'_>) -> String {
    // Our own values are always JSON.
    serde_json::to_string(value).unwrap_or_default()
}
