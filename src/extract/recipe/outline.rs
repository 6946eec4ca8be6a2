//! What a recipe says, for whoever has written it.

use super::next::{Counter, Paging, Way};
use super::{Expected, Field, Recipe};
use crate::extract::expression::Expression;

/// A recipe at a glance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outline<'r> {
    /// The file and its line.
    pub place: &'r str,
    /// Which URLs it is for; none where it is for every URL.
    pub matching: Vec<&'r str>,
    /// What repeats.
    pub items: Option<&'r str>,
    /// The names of the page's fields, where there are items.
    pub page: Vec<&'r str>,
    /// The names of the fields.
    pub fields: Vec<&'r str>,
    /// The names of those that are required.
    pub required: Vec<&'r str>,
    /// Where its list goes on, and how many pages it has at most.
    pub next: Option<(String, u32)>,
    /// What is expected of its records.
    pub expected: Vec<&'r str>,
}

impl Recipe {
    /// What it says.
    pub(in crate::extract) fn outline(&self) -> Outline<'_> {
        Outline {
            place: &self.place,
            matching: self.matching.iter().map(|matching| &*matching.text).collect(),
            items: self.items.places.as_ref().map(Expression::text),
            page: names(&self.page),
            fields: names(&self.items.fields),
            required: self.fields().filter(|field| field.is_required).map(|field| &*field.name).collect(),
            next: self.paging.as_ref().map(|paging| (paging.words(), paging.pages.get())),
            expected: self.expected.iter().map(|Expected { text, .. }| &**text).collect(),
        }
    }
}

fn names(fields: &[Field]) -> Vec<&str> {
    fields.iter().map(|field| &*field.name).collect()
}

impl Paging {
    fn words(&self) -> String {
        match &self.way {
            Way::Expression(expression) => expression.text().into(),
            Way::Counter(Counter { query, from, step }) => format!("{query} from {from} in steps of {step}"),
        }
    }
}
