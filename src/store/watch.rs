//! What passes where only changes are wanted.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use super::Change;
use super::changes::{Finding, compare, judge};
use super::lookup::Lookup;
use super::session::Mark;
use super::shape::Content;
use super::writer::Observation;
use crate::job::{End, Outcome};
use crate::value::{Row, Value};

/// What is wanted of changes.
pub(super) struct Watch {
    pub(super) lookup: Arc<Lookup>,
    pub(super) mark: Mark,
    pub(super) extraction: i64,
    /// How many there were.
    pub(super) counts: Arc<Mutex<BTreeMap<Change, u64>>>,
}

impl Watch {
    /// The outcome as it is to be told of; none where nothing has changed.
    pub(super) fn judge(&self, outcome: &Outcome, page: &Observation) -> io::Result<Option<Outcome>> {
        let before = self.lookup.before(page.key)?;
        let ruling = judge(before, &page.found, self.extraction);
        if !ruling.is_news(self.mark.error_after) {
            return Ok(None);
        }
        let Some(change) = ruling.change else { return Ok(Some(outcome.clone())) };
        *self.counts.lock().unwrap_or_else(PoisonError::into_inner).entry(change).or_default() += 1;
        let diff = self.diff(change, page)?;
        Ok(Some(self.marked(outcome.clone(), change, diff)))
    }

    fn diff(&self, change: Change, page: &Observation) -> io::Result<Value<'static>> {
        let (Change::Changed | Change::Back, Finding::Page(_, content)) = (change, &page.found) else {
            return Ok(Value::Null);
        };
        let Some(old) = self.lookup.content(page.key)? else { return Ok(Value::Null) };
        let new: Content = serde_json::from_slice(content)?;
        let pair = |old, new| Value::Map(vec![("old".into(), old), ("new".into(), new)]);
        let json = |raw| Value::Json(std::borrow::Cow::Owned(raw));
        let differences = compare(&old, &new, self.lookup.names()).into_iter();
        Ok(Value::Map(differences.map(|it| (it.field.into(), pair(json(it.old), json(it.new)))).collect()))
    }

    /// The outcome with a change in each of its rows, of which there is one then, and the difference in the first.
    fn marked(&self, mut outcome: Outcome, change: Change, diff: Value<'static>) -> Outcome {
        if let End::Done { rows, .. } = &mut outcome.end {
            if rows.is_empty() {
                rows.push(Row::default());
            }
            let mut diff = Some(diff);
            for row in rows {
                let width = row.0.len().max(self.mark.field + 2);
                row.0.resize(width, Value::Null);
                row.0[self.mark.field] = change.name().into();
                row.0[self.mark.field + 1] = diff.take().unwrap_or_default();
            }
        }
        outcome
    }
}
