//! What came of an expectation.

use super::Expectation;
use super::parse::Test;
use crate::sink::{grouped, neutralise};

/// How many URLs a person is told.
const SHOWN: usize = 3;

/// How much of a field was there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fill {
    /// Its name.
    pub field: Box<str>,
    /// In how many records it is not blank.
    pub filled: u64,
    /// How many records there are.
    pub records: u64,
}

impl Fill {
    /// The part of the records in which it is not blank, 0 to 1; none where there is no record.
    #[must_use]
    pub fn rate(&self) -> Option<f64> {
        rate(self.filled, self.records)
    }

    /// The same in percent, for a person. `100%` is all of them, and `0%` none.
    #[must_use]
    pub fn percentage(&self) -> String {
        percentage(self.filled, self.records)
    }
}

fn rate(filled: u64, records: u64) -> Option<f64> {
    (records > 0).then(|| float(filled) / float(records))
}

#[expect(clippy::cast_precision_loss, reason = "no run has 2⁵³ records")]
fn float(count: u64) -> f64 {
    count as f64
}

pub(in crate::sink) fn percentage(filled: u64, records: u64) -> String {
    let per_mille = (u128::from(filled) * 1000 / u128::from(records.max(1))).max(u128::from(filled > 0));
    match (per_mille / 10, per_mille % 10) {
        (whole, 0) => format!("{whole}%"),
        (whole, tenth) => format!("{whole}.{tenth}%"),
    }
}

/// What an expectation is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// Each record for itself.
    Each,
    /// The number of records.
    Items,
    /// The part of the records in which something is there, which must be large.
    Filled,
    /// The same, which must be small.
    Unfilled,
}

/// What came of an expectation.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// The expectation as it was given.
    pub expectation: Box<str>,
    /// The file and line where it stands, if a recipe expects it of its own records.
    pub place: Option<Box<str>>,
    /// What it is about.
    pub measure: Measure,
    /// Whether it held; none where that cannot be told.
    pub held: Option<bool>,
    /// The records that broke it; where it is about a part of them, those that make it too small or too large.
    pub broken: u64,
    /// The records that were judged.
    pub records: u64,
    /// The URLs of the first records that broke it, as they were given, ten at most.
    pub urls: Vec<Box<str>>,
}

impl Verdict {
    pub(super) fn of(expectation: &Expectation, is_complete: bool) -> Self {
        let Expectation { text, test, scope, records, broken, urls } = expectation;
        let (records, is_used) = (*records, scope.is_none() || *records > 0);
        let measure = match test {
            Test::Each(_) => Measure::Each,
            Test::Items(..) => Measure::Items,
            Test::Fill(_, relation, _) if relation.is_ceiling() => Measure::Unfilled,
            Test::Fill(..) => Measure::Filled,
        };
        let verdict = Self {
            expectation: text.clone(),
            place: scope.as_ref().map(|scope| scope.place.clone()),
            measure,
            held: None,
            broken: *broken,
            records,
            urls: urls.clone(),
        };
        let held = match test {
            Test::Each(_) if *broken > 0 => Some(false),
            Test::Each(_) => is_complete.then_some(true),
            Test::Items(relation, limit) | Test::Fill(_, relation, limit) => verdict
                .measured()
                .filter(|_| is_complete && is_used)
                .map(|measured| relation.holds_for(measured, *limit)),
        };
        Self { held, ..verdict }
    }

    /// What the run came to: the number of records, or a part of them, 0 to 1. None where it is about each record, or
    /// about a part of no records.
    #[must_use]
    pub fn measured(&self) -> Option<f64> {
        match self.measure {
            Measure::Each => None,
            Measure::Items => Some(float(self.records)),
            Measure::Filled => rate(self.records - self.broken, self.records),
            Measure::Unfilled => rate(self.broken, self.records),
        }
    }

    /// What to tell a person, in one line that is harmless to a terminal, if it broke.
    #[must_use]
    pub fn complaint(&self) -> Option<String> {
        let Self { broken, records, .. } = *self;
        let measured = match self.measure {
            Measure::Each => self.culprits(" at"),
            Measure::Items => format!(": {}", grouped(records)),
            Measure::Filled => format!(": {}{}", percentage(records - broken, records), self.culprits(", blank at")),
            Measure::Unfilled => format!(": {}{}", percentage(broken, records), self.culprits(", filled at")),
        };
        let place = self.place.as_ref().map_or_else(String::new, |place| format!("{place}: "));
        let line = format!("expectation broken: {place}{}{measured}", self.expectation);
        (self.held == Some(false)).then(|| neutralise(&line).into_owned())
    }

    /// The first of the URLs behind these words, and how many records there are; nothing where there is none.
    fn culprits(&self, words: &str) -> String {
        if self.urls.is_empty() {
            return String::new();
        }
        let urls: Vec<_> = self.urls.iter().take(SHOWN).map(|url| &**url).collect();
        format!("{words} {} ({} of {} records)", urls.join(", "), grouped(self.broken), grouped(self.records))
    }
}
