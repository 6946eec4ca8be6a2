//! Pages that have the text of an earlier one.

use std::io;

use serde_json::Number;

use crate::engine::Sink;
use crate::job::{Attempt, End, Outcome};
use crate::similarity::{Index, Signature};
use crate::value::Value;

/// Marks pages whose main text is nearly that of one that came before: [`similarity`](crate::similarity) tells when that is
/// so. The first of a group is its original; all others are compared to that, and never to each other.
///
/// Only what counts as fetched is compared: a site's error pages are all the same.
pub struct Duplicates {
    inner: Vec<Box<dyn Sink>>,
    /// Which field of a row is to name the original.
    field: usize,
    index: Index,
}

impl Duplicates {
    /// Marks what reaches each sink of `inner` in the field of this number, from 0.
    #[must_use]
    pub fn new(inner: Vec<Box<dyn Sink>>, field: usize) -> Self {
        Self { inner, field, index: Index::default() }
    }

    fn pass(&mut self, outcome: &Outcome) -> io::Result<()> {
        self.inner.iter_mut().try_for_each(|sink| sink.accept(outcome))
    }
}

impl Sink for Duplicates {
    fn accept(&mut self, outcome: &Outcome) -> io::Result<()> {
        let Some(signature) = signature(outcome) else { return self.pass(outcome) };
        if let Some((url, similarity)) = self.index.find(signature) {
            let marked = mark(outcome.clone(), self.field, &original(url, similarity));
            return self.pass(&marked);
        }
        self.index.add(signature.clone(), &outcome.target.given);
        self.pass(outcome)
    }

    fn attempt(&mut self, attempt: &Attempt) -> io::Result<()> {
        self.inner.iter_mut().try_for_each(|sink| sink.attempt(attempt))
    }

    fn idle(&mut self) -> io::Result<()> {
        self.inner.iter_mut().try_for_each(|sink| sink.idle())
    }

    fn commit(&mut self) -> io::Result<()> {
        self.inner.iter_mut().try_for_each(|sink| sink.commit())
    }

    fn finish(self: Box<Self>) -> io::Result<()> {
        self.inner.into_iter().map(Sink::finish).fold(Ok(()), Result::and)
    }
}

/// What a page is compared by.
fn signature(outcome: &Outcome) -> Option<&Signature> {
    outcome.facts.as_ref().filter(|_| outcome.failure().is_none())?.signature.as_ref()
}

fn original(url: &str, similarity: f64) -> Value<'static> {
    let similarity = Number::from_f64((similarity * 100.0).round() / 100.0).map_or(Value::Null, Value::Number);
    Value::Map(vec![("url".into(), Value::from(url.to_owned())), ("similarity".into(), similarity)])
}

fn mark(mut outcome: Outcome, field: usize, original: &Value<'static>) -> Outcome {
    if let End::Done { rows, .. } = &mut outcome.end {
        for value in rows.iter_mut().filter_map(|row| row.0.get_mut(field)) {
            *value = original.clone();
        }
    }
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::Kind;
    use crate::sink::sample::{self, Tape};
    use crate::sink::{Format, Lines, Options};

    /// A page with a text and two records.
    fn page(id: u64, text: &str) -> Outcome {
        let mut page = sample::outcome(id);
        page.facts.as_mut().unwrap().signature = Signature::of(text.split(' '));
        sample::with_rows(page, [vec!["a".into(), Value::Null], vec!["b".into(), Value::Null]])
    }

    fn write(format: Format, outcomes: &[Outcome]) -> String {
        let tape = Tape::default();
        let options = Options { fields: sample::names(&["name", "duplicate_of"]), width: 400, ..Options::default() };
        let inner = format.sink(Lines::new("out", tape.clone()), &options);
        let mut sink = Duplicates::new(vec![inner], 1);
        for outcome in outcomes {
            sink.accept(outcome).unwrap();
        }
        Box::new(sink).finish().unwrap();
        tape.text()
    }

    #[test]
    fn every_record_of_a_copy_names_the_original_in_every_format() {
        for format in sample::text_formats() {
            let text = write(format, &[page(0, "a b c"), page(1, "d e f"), page(2, "A b c")]);
            let (original, copy) = text.split_at(text.find("https://example.com/2").unwrap());
            assert!(!original.contains("similarity"), "{format}: {text}");
            assert_eq!(copy.matches("https://example.com/0").count(), 2, "{format}: {text}");
        }
        let json = write(Format::Jsonl, &[page(0, "a b c"), page(2, "a b c")]);
        assert!(json.contains(r#""duplicate_of":{"url":"https://example.com/0","similarity":1.0}"#), "{json}");
    }

    #[test]
    fn failures_and_pages_without_text_are_neither_originals_nor_copies() {
        let failed = |id| {
            let page = page(id, "not found");
            let rows = page.rows().to_vec();
            let mut failed = sample::with_failure(page, Kind::Status, "404 Not Found");
            if let End::Done { rows: none, .. } = &mut failed.end {
                *none = rows;
            }
            failed
        };
        let outcomes = [failed(0), failed(1), page(2, "not found"), failed(3), page(4, ""), sample::outcome(5)];
        let text = write(Format::Jsonl, &outcomes);
        assert!(text.lines().all(|line| line.contains(r#""duplicate_of":null"#)), "{text}");
    }
}
