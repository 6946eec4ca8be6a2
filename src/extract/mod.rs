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
mod recipe;
mod source;
mod structured;
mod text;
mod tokens;
mod tree;

use std::num::NonZeroUsize;

use scraper::Html;
use url::Url;
use xxhash_rust::xxh3::Xxh3;

use crate::failure::{self, Failure};
use crate::job::Used;
use crate::page::{Kind, Page};
use crate::similarity::Signature;
use crate::value::{Row, Value};

use deadline::Deadline;
pub use error::Error;
use expression::jq::{self, Pool, Runner};
use expression::{Expression, Place, Subject};
use fields::{CHANGES, DUPLICATE_OF};
pub use fields::{FIELDS, Field};
pub use follow::{Follow, Followed};
pub use guess::{Proposal, Proposed, guess};
use links::Base;
pub use matches::{Finding, Findings, Matches};
use parts::{Part, Parts};
use reader::Found;
use recipe::Recipe;
pub use recipe::{Expected, Next, Outline, SCHEMA as RECIPE_SCHEMA};
use source::Source;
use structured::microdata;

/// How much text one selector may find in a page, in bytes: nested matches hold the same text again and again.
const FOUND: usize = 64 << 20;

/// One thing to extract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// A built-in field by its name; white space around it is no part of that. `all` stands for all that cost no more than
    /// reading the page's tokens and header fields, but those that are named by another ask.
    Field(String),
    /// A field that the user describes, `NAME=SELECTOR` or `NAME[]=SELECTOR` for a list of all matches. The selector is CSS
    /// (`.price`, `a.next@href`), XPath (`//a/@href`), JSONPath (`$.items[*].name`) or a [jq program](expression::jq)
    /// (`jq:.items[].name`), and [transforms](expression) may follow it: `price=.price | re:([\d.]+) | number`.
    Select(String),
    /// The fields of recipes, each for the pages of some URLs. They stand in TOML, such as that in `examples/recipes`.
    Recipes {
        /// What the file is called where something is wrong with it.
        name: String,
        /// What it says.
        text: String,
    },
    /// The field `duplicate_of`: the earlier page that has nearly the same main text. Every page is signed for that; whoever
    /// sees the pages one after the other fills it in ([`sink::Duplicates`](crate::sink::Duplicates)).
    Duplicates,
    /// The fields `change` and `diff`: what became of the page since an earlier run. Whoever knows that run fills them in
    /// ([`store::Session`](crate::store::Session)).
    Changes,
    /// The fields `chunk`, `path` and `text`: the main content as Markdown, in pieces of so many characters at most. The page
    /// then has a row for each piece.
    Chunks(NonZeroUsize),
}

impl Ask {
    /// A number that is the same for the same asks, whatever machine or version of this program computes it. What tells of
    /// changes does not count.
    #[must_use]
    pub fn fingerprint(asks: &[Self]) -> u64 {
        let mut hash = Xxh3::new();
        for ask in asks {
            let text = match ask {
                Self::Field(name) => format!("field {}", name.trim()),
                Self::Select(field) => format!("select {field}"),
                Self::Recipes { text, .. } => format!("recipes {text}"),
                Self::Chunks(limit) => format!("chunks {limit}"),
                Self::Duplicates | Self::Changes => continue,
            };
            hash.update(text.as_bytes());
            hash.update(&[0]);
        }
        hash.digest()
    }
}

/// What stands for all fields that are cheap.
const ALL: &str = "all";

/// Whether something that is asked for has this name. A recipe's fields are not looked at.
fn is_named(name: &str, asks: &[Ask]) -> bool {
    asks.iter().any(|ask| match ask {
        Ask::Field(field) => field.trim() == name,
        Ask::Select(field) => expression::parse_field(field).is_ok_and(|(selected, _)| selected == name),
        Ask::Recipes { .. } | Ask::Duplicates | Ask::Changes | Ask::Chunks(_) => false,
    })
}

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

/// The rows that a page's recipe makes of it, what else it came to, and what the page lacks.
type Read = (Vec<Row>, ByRecipe, Option<Failure>);

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

    fn compile(asks: &[Ask]) -> Result<Self, Error> {
        let mut extractor = Self::default();
        let files = asks.iter().filter_map(|ask| match ask {
            Ask::Recipes { name, text } => Some(recipe::parse(name, text)),
            Ask::Field(_) | Ask::Select(_) | Ask::Duplicates | Ask::Changes | Ask::Chunks(_) => None,
        });
        let files = files.collect::<Result<Vec<_>, _>>()?;
        let in_recipes: Vec<_> = files.iter().flatten().flat_map(Recipe::names).map(String::from).collect();
        let mut files = files.into_iter();
        for ask in asks {
            match ask {
                Ask::Field(name) if name.trim() == ALL => {
                    let is_other = |name| !is_named(name, asks) && !in_recipes.iter().any(|known| known == name);
                    let mut others = FIELDS.iter().filter(|field| field.is_cheap() && is_other(field.name));
                    others.try_for_each(|field| extractor.field(field))?;
                }
                Ask::Field(name) => {
                    let name = name.trim();
                    extractor.field(Field::find(name).ok_or_else(|| Error::UnknownField(name.into()))?)?;
                }
                Ask::Select(field) => {
                    let (name, expression) =
                        expression::parse_field(field).map_err(|fault| Error::expression(field, fault))?;
                    if expression.reads_tree() {
                        extractor.parts.insert(Part::Tree);
                    }
                    extractor.push(name, Step::Expression(expression))?;
                }
                Ask::Recipes { .. } => {
                    files.next().into_iter().flatten().try_for_each(|recipe| extractor.recipe(recipe))?;
                }
                Ask::Duplicates => {
                    extractor.duplicate_of = Some(extractor.names.len());
                    extractor.field(&DUPLICATE_OF)?;
                }
                Ask::Changes => {
                    extractor.change = Some(extractor.names.len());
                    CHANGES.iter().try_for_each(|field| extractor.field(field))?;
                }
                Ask::Chunks(limit) => {
                    extractor.chunks = Some((extractor.names.len(), *limit));
                    chunks::FIELDS.iter().try_for_each(|field| extractor.field(field))?;
                }
            }
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

    fn field(&mut self, field: &'static Field) -> Result<(), Error> {
        self.parts.insert(field.part);
        self.push(field.name, Step::Field(field))
    }

    /// Adds a recipe. Its fields share their columns with those of other recipes.
    fn recipe(&mut self, recipe: Recipe) -> Result<(), Error> {
        let mut columns = Vec::new();
        for name in recipe.names() {
            let column = self.names.iter().position(|known| **known == *name);
            let shared = column.filter(|&column| matches!(self.steps[column], Step::Recipe));
            columns.push(shared.unwrap_or(self.names.len()));
            if shared.is_none() {
                self.push(name, Step::Recipe)?;
            }
        }
        self.recipes.push(Placed { recipe, columns });
        Ok(())
    }

    fn push(&mut self, name: &str, step: Step) -> Result<(), Error> {
        if self.names.iter().any(|other| **other == *name) {
            return Err(Error::DuplicateName(name.into()));
        }
        self.names.push(name.into());
        self.steps.push(step);
        Ok(())
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

    /// Whether reading this page does.
    fn needs_tree_of(&self, page: &Page, recipe: Option<(usize, &Placed)>) -> bool {
        let has_microdata = || self.parts.contains(Part::Microdata) && microdata::is_in(&page.text);
        let has_recipe = || recipe.is_some_and(|(_, placed)| placed.recipe.reads_tree());
        page.kind == Kind::Html && (self.parts.contains(Part::Tree) || has_recipe() || has_microdata())
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

    fn read_all(&self, page: &Page, follow: Option<&Follow>) -> (Extracted, Followed) {
        let deadline = Deadline::for_text(&page.text);
        let parts = follow.map_or(self.parts, |follow| follow.add_to(self.parts));
        let (found, result) = match page.kind {
            Kind::Html => reader::read(&page.text, parts, &deadline),
            Kind::Xml | Kind::Json | Kind::Text | Kind::Binary => (Found::default(), Ok(())),
        };
        let mut failure = result.err();
        let is_whole = failure.is_none();
        let recipe = self.recipe_for(page.url);
        let mut tree = None;
        let is_followed_by_tree = page.kind == Kind::Html && follow.is_some_and(Follow::needs_tree);
        if failure.is_none() && (is_followed_by_tree || self.needs_tree_of(page, recipe)) {
            match construct::build(&page.text, &deadline) {
                Ok(built) => tree = Some(built),
                Err(why) => failure = Some(why),
            }
        }
        let followed = follow.map(|follow| follow.read(page, &found, tree.as_ref(), &deadline));
        let (mut followed, result) = followed.unwrap_or_else(|| (Followed::default(), Ok(())));
        if let Some(fragments) = followed.fragments.as_mut().filter(|_| !is_whole) {
            fragments.places = None;
        }
        let mut extracted = self.extract((page, recipe), (found, failure), tree.as_ref(), &deadline);
        extracted.failure = extracted.failure.or(result.err());
        (extracted, followed)
    }

    /// Makes of what was found in a page, and of its tree, what was asked for.
    fn extract(
        &self,
        (page, recipe): (&Page, Option<(usize, &Placed)>),
        (found, mut failure): (Found<'_>, Option<Failure>),
        tree: Option<&Html>,
        deadline: &Deadline,
    ) -> Extracted {
        if self.steps.is_empty() {
            return Extracted { title: found.title, rows: vec![Row::default()], failure, ..Extracted::default() };
        }
        let is_read = failure.is_none();
        let mut source = Source::new(page, found, tree, deadline);
        let content = tree.filter(|_| self.parts.contains(Part::Article));
        let scriptless = content.and_then(|tree| article::scriptless(tree, deadline));
        if let Some(tree) = content {
            source.find_article(tree, scriptless.as_ref());
        }
        let mut values = self.read_fields(page, &mut source);
        let signature = self.duplicate_of.and_then(|_| source.signature());
        let markdown = self.chunks.and_then(|_| source.markdown());
        let Source { found, failure: unread, .. } = source;
        failure = failure.or(unread);
        let (mut rows, mut by_recipe) = (Vec::new(), None);
        if is_read {
            let read = self.read_expressions((page, recipe), tree, &mut values, deadline);
            match read {
                Ok(Some((found, read, why))) => (rows, by_recipe, failure) = (found, Some(read), failure.or(why)),
                Ok(None) => {}
                Err(why) => failure = failure.or(Some(why)),
            }
        }
        if rows.is_empty() {
            rows.push(Row(values));
        }
        if let (Some(((at, limit), markdown)), [page]) = (self.chunks.zip(markdown), &*rows) {
            let (chunks, why) = chunks::rows(page, at, &markdown, limit);
            failure = failure.or(why);
            if !chunks.is_empty() {
                rows = chunks;
            }
        }
        Extracted { title: found.title, rows, signature, recipe: by_recipe, failure }
    }

    /// The built-in fields in their places; null where expressions put theirs.
    fn read_fields(&self, page: &Page, source: &mut Source<'_>) -> Vec<Value<'static>> {
        let value = |step: &Step| match step {
            Step::Field(field) => field.value(source),
            Step::Expression(_) | Step::Recipe => Value::Null,
            Step::Custom(read) => read(page),
        };
        self.steps.iter().map(value).collect()
    }

    /// The recipe for the pages of a URL, and its number.
    fn recipe_for(&self, url: &Url) -> Option<(usize, &Placed)> {
        if let Some(chosen) = self.chosen {
            return self.recipes.get(chosen).map(|placed| (chosen, placed));
        }
        self.recipes.iter().enumerate().find(|(_, placed)| placed.recipe.is_for(url))
    }

    /// Puts the values of expressions into their places, and gives what the page's recipe makes of them; none where there is no
    /// recipe.
    fn read_expressions(
        &self,
        (page, recipe): (&Page, Option<(usize, &Placed)>),
        tree: Option<&Html>,
        values: &mut Vec<Value<'static>>,
        deadline: &Deadline,
    ) -> Result<Option<Read>, Failure> {
        let expressions: Vec<_> = self.expressions().collect();
        let all = recipe.map_or_else(Vec::new, |(_, placed)| placed.recipe.expressions());
        let all: Vec<_> = all.into_iter().chain(expressions.iter().copied()).collect();
        if all.is_empty() {
            return Ok(None);
        }
        let base = Base::of(page, tree.and_then(tree::base_href));
        let reads_json = all.iter().any(|expression| expression.reads_json());
        let json = if reads_json { read_json(page)? } else { None };
        let runner = self.jq.as_ref().map(|pool| Runner::new(pool, page.url, deadline));
        let subject = Subject::new(&all, (tree, json.as_ref()), &base, deadline)?.with_jq(runner);
        let mut found = subject.evaluate(&expressions, Place::Page)?.into_iter();
        for (step, value) in self.steps.iter().zip(&mut *values) {
            if let Step::Expression(_) = step {
                *value = found.next().unwrap_or_default();
            }
        }
        let Some((number, Placed { recipe, columns })) = recipe else { return Ok(None) };
        let found = recipe.read(&subject, values.iter().map(Value::size).sum())?;
        if found.left_out > 0 {
            tracing::info!(url = %page.url, items = found.left_out, "left out: a required field is missing");
        }
        let used = Used { recipe: number, left_out: found.left_out };
        let read = ByRecipe { used, is_empty: found.is_empty(), next: recipe.next(page.url, &subject, &found)? };
        let failure = found.failure();
        Ok(Some((found.into_rows(std::mem::take(values), columns), read, failure)))
    }
}

/// A JSON page as a value; none where it is no JSON. Servers that do not know call it plain text.
fn read_json(page: &Page) -> Result<Option<Value<'static>>, Failure> {
    if !matches!(page.kind, Kind::Json | Kind::Text) {
        return Ok(None);
    }
    match serde_json::from_str(&page.text) {
        Ok(value) => Ok(Some(value)),
        // The parser tells it in no other way.
        Err(error) if error.to_string().starts_with("recursion limit exceeded") => {
            Err(Failure::new(failure::Kind::TooComplex, "the JSON is nested more than 127 deep"))
        }
        Err(_) => Ok(None),
    }
}

#[cfg(test)]
mod facts_tests;
#[cfg(test)]
mod tests;
