//! Page → title and fields. What is read is what was asked for.
//!
//! A title needs a few KiB of tokens; a field of the head, the head; links, headings and text, all tokens; only selectors,
//! microdata and the main content need the tree. [`Extractor`] finds out once what a run needs, and reads each page no
//! further.
//!
//! No page takes more than it is worth; one that would is too complex, with the fields that were read by then: it may
//! take a second of computing and 300 ns for each byte, which a jq program may exceed by a second before it is ended; its tree
//! may be 512 elements deep and have a node or attribute for every two bytes and a million more; the URLs that it names may be
//! longer than itself by 64 MiB, and so much text may a selector find, or all records of one page hold. The standard has no such limits, and browsers have others.

mod article;
mod ask;
mod bylines;
mod chunks;
mod construct;
mod dates;
mod deadline;
mod describe;
mod error;
pub mod expression;
mod fields;
mod follow;
mod guess;
mod head;
mod headings;
mod hints;
mod images;
mod language;
mod links;
mod matches;
mod metadata;
mod names;
mod outline;
mod parts;
mod reader;
mod reading;
mod recipe;
mod source;
mod structured;
mod text;
mod tokens;
mod tree;

use std::num::NonZeroUsize;

use crate::failure::Failure;
use crate::job::Used;
use crate::page::Page;
use crate::similarity::Signature;
use crate::value::{Row, Value};

pub use ask::Ask;
pub use error::Error;
use expression::Expression;
use expression::jq::{self, Pool};
pub use fields::{FIELDS, Field};
pub use follow::{Follow, Followed};
pub use guess::{Proposal, Proposed, guess};
pub use matches::{Finding, Findings, Matches};
use parts::{Part, Parts};
use recipe::Recipe;
pub use recipe::{Expected, Next, Outline, SCHEMA as RECIPE_SCHEMA};

/// How much text one selector may find in a page, in bytes: nested matches hold the same text again and again.
const FOUND: usize = 64 << 20;

/// How one field is read.
#[derive(Debug)]
enum Step {
    Field(&'static Field),
    Expression(Expression),
    /// By the page's recipe.
    Recipe,
    Custom(fn(&Page) -> Value<'static>),
}

/// A recipe, and where its fields have their places in a row.
#[derive(Debug)]
struct Placed {
    recipe: Recipe,
    columns: Vec<usize>,
}

/// What was asked for, compiled once for all pages.
#[derive(Debug, Default)]
pub struct Extractor {
    names: Vec<Box<str>>,
    steps: Vec<Step>,
    parts: Parts,
    /// The first that is for a page is the page's.
    recipes: Vec<Placed>,
    /// The recipe for all pages, if one was chosen.
    chosen: Option<usize>,
    /// Which field is to be filled in by what the page is signed for.
    duplicate_of: Option<usize>,
    /// Which field is the first one that tells of changes.
    change: Option<usize>,
    /// Which field is the first one of a chunk, and how long a chunk may be.
    chunks: Option<(usize, NonZeroUsize)>,
    /// What runs jq programs, where there are any.
    jq: Option<Pool>,
}

/// How to extract.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// How to start a process for jq programs. Without it they are refused.
    pub jq: Option<jq::Process>,
}

/// What a page yielded.
#[derive(Debug, Default)]
pub struct Extracted {
    /// The title of an HTML page: the text of its first `<title>` that is HTML and in no template, white space collapsed,
    /// at most 100,000 characters (WHATWG HTML, section 3.1.5, `document.title`). None where there is no such element.
    pub title: Option<String>,
    /// The values of the fields that were asked for, in that order: one row, or one for each item that the page's recipe
    /// finds, or for each chunk where chunks were asked for.
    pub rows: Vec<Row>,
    /// What the main text is compared by, where that was asked for.
    pub signature: Option<Signature>,
    /// What was found by a recipe.
    pub recipe: Option<ByRecipe>,
    /// Why this is not all that there should be: the page is too complex, or lacks what its recipe requires.
    pub failure: Option<Failure>,
}

/// What a page's recipe came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ByRecipe {
    /// Which one it is, and what it left out.
    pub used: Used,
    /// Whether it found no item that has all that is required.
    pub is_empty: bool,
    /// Where its list goes on.
    pub next: Option<Next>,
}

impl Extractor {
    /// Compiles what is asked for. The title always is.
    ///
    /// # Errors
    /// A field is not known, an expression or a recipe means nothing, or two fields have the same name.
    pub fn new(asks: &[Ask]) -> Result<Self, Error> {
        Self::with_options(asks, Options::default())
    }

    /// The same with options.
    ///
    /// # Errors
    /// The same, and a jq program is asked for that nothing is there to run.
    pub fn with_options(asks: &[Ask], options: Options) -> Result<Self, Error> {
        let mut extractor = Self::compile(asks)?;
        let in_recipes = extractor.recipes.iter().flat_map(|placed| placed.recipe.expressions());
        if extractor.expressions().chain(in_recipes).any(Expression::is_jq) {
            extractor.jq = Some(Pool::new(options.jq.ok_or(Error::NothingRunsJq)?));
        }
        Ok(extractor)
    }

    /// Adds a field that a function reads from the page. It must not block and is called on any thread.
    ///
    /// # Errors
    /// There is a field of this name already.
    pub fn add(&mut self, name: &str, read: fn(&Page) -> Value<'static>) -> Result<(), Error> {
        self.push(name, Step::Custom(read))
    }

    /// The names of a row's values.
    #[must_use]
    pub fn names(&self) -> &[Box<str>] {
        &self.names
    }

    /// What the recipes say, in their order.
    pub fn recipes(&self) -> impl Iterator<Item = Outline<'_>> {
        self.recipes.iter().map(|placed| placed.recipe.outline())
    }

    /// Reads every page by one recipe, whatever its URL. There is none of another number.
    pub fn choose(&mut self, recipe: usize) {
        self.chosen = Some(recipe);
    }

    /// What recipes expect of their records, with the recipe's number.
    pub fn expected(&self) -> impl Iterator<Item = (usize, &Expected)> {
        let recipes = self.recipes.iter().enumerate();
        recipes.flat_map(|(number, placed)| placed.recipe.expected().iter().map(move |expected| (number, expected)))
    }

    /// How many files reading pages may have open at once, beside those of the library: those of processes for jq programs.
    #[must_use]
    pub fn files(&self) -> usize {
        self.jq.as_ref().map_or(0, Pool::files)
    }

    /// Which of a row's values is to name the earlier page that has the same text, if that was asked for.
    #[must_use]
    pub fn duplicate_of(&self) -> Option<usize> {
        self.duplicate_of
    }

    /// Which of a row's values is to tell what became of the page, the next one how it differs, if that was asked for.
    #[must_use]
    pub fn change(&self) -> Option<usize> {
        self.change
    }

    /// Which of a row's values say something of the page, and not of one visit to it.
    pub fn lasting(&self) -> impl Iterator<Item = usize> {
        let is_lasting = |step: &Step| !matches!(step, Step::Field(field) if !field.is_lasting());
        self.steps.iter().enumerate().filter(move |(_, step)| is_lasting(step)).map(|(place, _)| place)
    }

    /// Whether a page must be told how long its request took.
    #[must_use]
    pub fn needs_timing(&self) -> bool {
        self.parts.contains(Part::Timing)
    }

    /// Whether a page may have several rows.
    #[must_use]
    pub fn may_give_several(&self) -> bool {
        self.chunks.is_some() || !self.recipes.is_empty()
    }

    /// Whether reading a page may take its tree, many times the work that its tokens are.
    #[must_use]
    pub fn needs_tree(&self) -> bool {
        self.parts.contains(Part::Tree)
            || self.parts.contains(Part::Microdata)
            || self.recipes.iter().any(|placed| placed.recipe.reads_tree())
    }

    /// Whether reading a page takes no more than its tokens: some microseconds, and milliseconds for a large one.
    #[must_use]
    pub fn is_quick(&self) -> bool {
        !self.needs_tree() && self.expressions().next().is_none() && self.recipes.is_empty()
    }

    fn expressions(&self) -> impl Iterator<Item = &Expression> {
        self.steps
            .iter()
            .filter_map(|step| if let Step::Expression(expression) = step { Some(expression) } else { None })
    }

    /// Reads a page. This takes microseconds to a second of computing, by what was asked for and the page.
    #[must_use]
    pub fn read(&self, page: &Page) -> Extracted {
        self.read_all(page, None).0
    }

    /// Reads a page and finds out where it leads, in one pass over its tokens.
    #[must_use]
    pub fn read_and_follow(&self, page: &Page, follow: &Follow) -> (Extracted, Followed) {
        self.read_all(page, Some(follow))
    }
}

#[cfg(test)]
mod facts_tests;
#[cfg(test)]
mod tests;
