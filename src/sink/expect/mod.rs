//! Contracts: what is expected of a run and its records, and how much of each field is there. A selector that does not fit
//! the page any more is then seen on the first night.
//!
//! An expectation of records is `NAME OPERATOR VALUE`, or several of them with `or` between; each record has to meet it. A
//! name is a key of the record or a field that was asked for; where it is both, `record.NAME` or `fields.NAME`.
//!
//! | expectation | what it takes |
//! |---|---|
//! | `price != ""`, `price == ""` | something, or nothing, is there |
//! | `status == 200`, also `!= < <= > >=` | a number; of a list, how many entries it has |
//! | `lang == "en"`, also `!= < <= > >=` | a text, compared by code points |
//! | `title ~ /shop/i`, `title !~ /not found/` | a text that matches the pattern somewhere, or nowhere |
//!
//! Two are of the whole run: `items >= 20`, the number of records (`run.items` where a field is called so), and
//! `fill(price) >= 95%`, the part of them in which the value is not blank.
//!
//! What was decided:
//! - Records of pages that were fetched are judged, and no others: failures are what the exit status tells anyway.
//! - Null, white space and a list or map without entries are blank, which is `""`. What is blank is neither above nor below
//!   any text, and no number.
//! - What is no number meets no comparison with one, `!=` included. A text is a number if it is one plainly: `9.50`, and
//!   not `9,50` or `$9.50`.
//! - The text of a list or a map is its JSON, as in CSV.
//! - Patterns are those of the `regex` crate, which takes linear time, and 10 MB at most when compiled.
//! - A run that was stopped, or whose list could not be read to its end, is no whole run, and nothing is said of it as one.
//!   The part of no records is nothing to judge, either, and neither is what a recipe expects where no page was read by it.

mod condition;
mod cursor;
mod error;
mod parse;
mod verdict;

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use self::parse::Test;
use crate::engine::Sink;
use crate::job::Outcome;
use crate::record::Record;

pub use error::Error;
pub(super) use verdict::percentage;
pub use verdict::{Fill, Measure, Verdict};

/// How many URLs are kept for each expectation that broke.
const URLS: usize = 10;

/// What is expected, compiled once, and how it stands. A clone is a handle to the same one: hand it to an engine as a sink
/// and ask another one in the end. Its memory does not grow with the run.
#[derive(Clone, Debug)]
pub struct Contract(Arc<Mutex<Tally>>);

#[derive(Debug)]
struct Tally {
    fields: Arc<[Box<str>]>,
    /// The records that were judged.
    records: u64,
    /// In how many of them each field is not blank.
    filled: Vec<u64>,
    expectations: Vec<Expectation>,
}

#[derive(Debug)]
struct Expectation {
    text: Box<str>,
    test: Test,
    scope: Option<Scope>,
    /// The records that were judged.
    records: u64,
    broken: u64,
    urls: Vec<Box<str>>,
}

/// The recipe whose records are meant.
#[derive(Debug)]
struct Scope {
    recipe: usize,
    /// Where the expectation stands.
    place: Box<str>,
}

impl Expectation {
    fn new(text: &str, fields: &[Box<str>], scope: Option<Scope>) -> Result<Self, Error> {
        let parsed = parse::parse(text, fields)?;
        Ok(Self { text: text.trim().into(), test: parsed, scope, records: 0, broken: 0, urls: Vec::new() })
    }

    /// Whether it is for the pages of a recipe, or of none.
    fn is_for(&self, recipe: Option<usize>) -> bool {
        self.scope.as_ref().is_none_or(|scope| Some(scope.recipe) == recipe)
    }

    fn is_broken_by(&self, record: &Record<'_>) -> bool {
        match &self.test {
            Test::Each(conditions) => !conditions.iter().any(|condition| condition.holds(record)),
            Test::Items(..) => false,
            Test::Fill(subject, relation, _) => subject.is_blank(record) != relation.is_ceiling(),
        }
    }

    fn judge(&mut self, record: &Record<'_>) {
        self.records += 1;
        if !self.is_broken_by(record) {
            return;
        }
        self.broken += 1;
        let url = &record.outcome().target.given;
        // The records of a page come one after the other.
        if self.urls.len() < URLS && self.urls.last() != Some(url) {
            self.urls.push(url.clone());
        }
    }
}

impl Contract {
    /// Compiles what is expected of records with these fields.
    ///
    /// # Errors
    /// One of the expectations is none, or names what is not there.
    pub fn new(expectations: &[String], fields: Arc<[Box<str>]>) -> Result<Self, Error> {
        let compile = |text: &String| Expectation::new(text, &fields, None);
        let expectations = expectations.iter().map(compile).collect::<Result<_, _>>()?;
        Ok(Self(Arc::new(Mutex::new(Tally { records: 0, filled: vec![0; fields.len()], fields, expectations }))))
    }

    /// Adds what is expected of the records of one recipe, by its number. It stands at `place`.
    ///
    /// # Errors
    /// As for [`new`](Self::new).
    pub fn add(&self, text: &str, recipe: usize, place: &str) -> Result<(), Error> {
        let tally = &mut *self.tally();
        let scope = Some(Scope { recipe, place: place.into() });
        tally.expectations.push(Expectation::new(text, &tally.fields, scope)?);
        Ok(())
    }

    /// How many records were judged.
    #[must_use]
    pub fn records(&self) -> u64 {
        self.tally().records
    }

    /// How each expectation stands, in the order in which they were given. Of the whole run nothing is said unless it
    /// `is_complete`.
    #[must_use]
    pub fn verdicts(&self, is_complete: bool) -> Vec<Verdict> {
        let tally = self.tally();
        tally.expectations.iter().map(|expectation| Verdict::of(expectation, is_complete)).collect()
    }

    /// How much of each field was there, in their order.
    #[must_use]
    pub fn fills(&self) -> Vec<Fill> {
        let tally = self.tally();
        let counted = tally.fields.iter().zip(&tally.filled);
        counted.map(|(field, &filled)| Fill { field: field.clone(), filled, records: tally.records }).collect()
    }

    fn tally(&self) -> MutexGuard<'_, Tally> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sink for Contract {
    fn accept(&mut self, outcome: &Outcome) -> io::Result<()> {
        if outcome.failure().is_none() {
            let recipe = outcome.facts.as_ref().and_then(|facts| facts.recipe).map(|used| used.recipe);
            let Tally { fields, records, filled, expectations } = &mut *self.tally();
            for record in Record::of(outcome, fields) {
                *records += 1;
                for (place, filled) in filled.iter_mut().enumerate() {
                    *filled += u64::from(!record.field(place).is_blank());
                }
                let for_it = expectations.iter_mut().filter(|expectation| expectation.is_for(recipe));
                for_it.for_each(|expectation| expectation.judge(&record));
            }
        }
        Ok(())
    }

    fn finish(self: Box<Self>) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
