//! The URLs that failed, as a list to try again.

use std::io;

use super::Lines;
use super::jsonl::{write_key, write_value};
use crate::engine::Sink;
use crate::failure::Kind;
use crate::job::Outcome;
use crate::record::{Column, Record};
use crate::value::Value;

/// The keys of a failure: those of a record that tell of it, and those by which a source is seen to hold records of ours,
/// whose `input` is then carried on.
const COLUMNS: [&str; 9] = ["v", "url", "source", "final_url", "status", "attempts", "fetched_at", "input", "error"];

/// Writes the targets that do not count as fetched and nothing else, as JSON Lines: some of the record's keys and
/// `retryable`, whether trying again makes sense. A file of them is a source.
pub struct Failures {
    lines: Lines,
    columns: Vec<&'static Column>,
    is_idempotent: bool,
}

impl Failures {
    /// Writes to `lines` what came of requests that may, or may not, be carried out twice without harm.
    #[must_use]
    pub fn new(lines: Lines, is_idempotent: bool) -> Self {
        Self { lines, columns: COLUMNS.into_iter().filter_map(Column::find).collect(), is_idempotent }
    }
}

impl Sink for Failures {
    fn accept(&mut self, outcome: &Outcome) -> io::Result<()> {
        let Some(failure) = outcome.failure() else { return Ok(()) };
        let is_retryable = failure.kind == Kind::Cancelled || failure.is_retryable(self.is_idempotent);
        let Some(record) = Record::of(outcome, &[]).next() else { return Ok(()) };
        self.lines.push(|out| {
            let mut open = b'{';
            for column in &self.columns {
                out.push(open);
                open = b',';
                write_key(column.name, out)?;
                write_value(&(column.read)(&record), out)?;
            }
            out.push(open);
            write_key("retryable", out)?;
            write_value(&Value::Bool(is_retryable), out)?;
            out.extend_from_slice(b"}\n");
            Ok(())
        })
    }

    fn idle(&mut self) -> io::Result<()> {
        self.lines.flush()
    }

    fn finish(mut self: Box<Self>) -> io::Result<()> {
        self.lines.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sink::sample::{self, Tape};

    fn write(is_idempotent: bool, outcomes: &[Outcome]) -> String {
        let tape = Tape::default();
        let mut sink = Failures::new(Lines::new("out", tape.clone()), is_idempotent);
        for outcome in outcomes {
            sink.accept(outcome).unwrap();
        }
        Box::new(sink).finish().unwrap();
        tape.text()
    }

    #[test]
    fn what_failed_is_told_with_its_kind_its_attempts_and_whether_to_try_again() {
        let failed = sample::with_failure(sample::page("t"), Kind::Timeout, "no answer");
        let text = write(true, &[sample::page("t"), failed, sample::rejected("x y", "there is a space")]);
        insta::assert_snapshot!(text, @r#"
        {"v":1,"url":"https://example.com/0","source":{"file":"urls.txt","line":1},"final_url":"https://example.com/0","status":200,"attempts":1,"fetched_at":"2026-11-22T10:30:00.500Z","input":null,"error":{"kind":"timeout","message":"no answer"},"retryable":true}
        {"v":1,"url":"x y","source":{"file":"urls.txt","line":1},"final_url":null,"status":null,"attempts":0,"fetched_at":null,"input":null,"error":{"kind":"invalid_url","message":"there is a space"},"retryable":false}
        "#);
    }

    #[test]
    fn what_may_have_been_carried_out_is_not_worth_trying_again() {
        let again = |kind, is_idempotent| {
            write(is_idempotent, &[sample::with_failure(sample::page("t"), kind, "x")]).contains("\"retryable\":true")
        };
        assert_eq!([again(Kind::Timeout, true), again(Kind::Timeout, false)], [true, false]);
        assert_eq!([again(Kind::Connect, false), again(Kind::Cancelled, true)], [true; 2]);
        assert_eq!([again(Kind::Tls, true), again(Kind::InvalidUrl, true)], [false; 2]);
    }

    #[test]
    fn every_column_is_one_of_the_record() {
        assert_eq!(Failures::new(Lines::new("out", Tape::default()), true).columns.len(), COLUMNS.len());
    }
}
