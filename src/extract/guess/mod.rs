//! Page → a recipe that fits it, from what repeats in the page. There is no model, and nothing else is read.
//!
//! 1. Elements are **grouped** by their way of tags from the root (tag path clustering: Miao and others, 2009), by their parent
//!    (MDR: Liu, Grossman, Zhai, 2003), and by class names.
//! 2. The items of each group are **aligned** from their roots down, so that what stands at the same place in most of them is
//!    a column (partial tree alignment: Zhai, Liu, 2005).
//! 3. The group whose columns **tell most** is that of the items: letters that differ from item to item, and links,
//!    pictures and times; more where records have more columns, less where items lack what others have, little where
//!    they stand in navigation, header or footer. At least two columns, one of them more than text, make a record.
//! 4. A **selector** is the shortest one that finds just the items, or just the column: class names that somebody chose
//!    go before tags, tags before positions, and what a tool made up is left out.
//! 5. The columns are **tried**: what all of their values can be (a number, a date) they are, what is the same in all
//!    items is a label, what is the same as another column is left out. The whole is then run on the page.
//!
//! A page without items has its own facts for fields, and JSON the array of objects that holds most. The same page gives the
//! same recipe, always.

mod columns;
mod facts;
mod groups;
mod items;
mod json;
mod names;
mod place;
mod selector;
mod trial;
mod words;
mod write;

use scraper::Html;
use serde::Serialize;

use super::deadline::{Deadline, Meter};
use super::expression::{Place, Subject};
use super::links::Base;
use super::reading::read_json;
use super::recipe::{self, Recipe};
use super::{construct, tree};
use crate::failure::{Failure, Kind};
use crate::page::{self, Page};
use crate::value::{Row, Value};
use groups::Survey;
use trial::Bench;

/// A recipe that is proposed for a page. Written out ([`Display`](std::fmt::Display)), it is a file for
/// [`Ask::Recipes`](super::Ask::Recipes), with comments.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Proposal {
    /// Which URLs it is for; none where the page has no URL of its own.
    #[serde(rename = "match")]
    pub matching: Vec<String>,
    /// The selector of what repeats; none where nothing does.
    pub items: Option<String>,
    /// How many records the page has with this recipe.
    pub count: usize,
    /// The names of the fields that every record has.
    pub required: Vec<String>,
    /// The fields.
    pub fields: Vec<Proposed>,
    /// The selector of the next page's URL, if there is one.
    pub next: Option<String>,
    /// What else is to be known.
    pub notes: Vec<String>,
}

/// A field of a proposal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Proposed {
    /// Its name, with `[]` for a list.
    pub name: String,
    /// What it is read by.
    pub expression: String,
    /// How many records have it.
    pub filled: usize,
    /// The first of its values that says something.
    pub example: Option<String>,
}

impl Proposed {
    fn new(name: String, expression: String) -> Self {
        Self { name, expression, filled: 0, example: None }
    }
}

/// Proposes a recipe for a page. This takes as much computing as a page may take, at the worst.
///
/// # Errors
/// The page is neither HTML nor JSON, is too complex, or has nothing in it to read.
pub fn guess(page: &Page) -> Result<Proposal, Failure> {
    let deadline = Deadline::for_text(&page.text);
    let json = read_json(page)?;
    let tree = match page.kind {
        page::Kind::Html => Some(construct::build(&page.text, &deadline)?),
        _ if json.is_some() => None,
        page::Kind::Json => return Err(missing("its JSON is broken off or no JSON".into())),
        kind => return Err(missing(format!("recipes read HTML and JSON, and this page is {}", kind.name()))),
    };
    let base = Base::of(page, tree.as_ref().and_then(tree::base_href));
    let bench = Bench { tree: tree.as_ref(), json: json.as_ref(), base: &base, deadline: &deadline };
    let mut proposal = match (&tree, &json) {
        (Some(tree), _) => of_html(tree, &bench)?,
        (None, json) => json.as_ref().map(json::propose).unwrap_or_default(),
    };
    if let Some(tree) = &tree {
        proposal.next = place::next(tree);
        proposal.notes.extend(place::structured(tree));
    }
    let next = proposal.next.as_ref().and_then(|next| bench.values(std::slice::from_ref(next), &[Place::Page]).ok());
    proposal.matching = place::matching(page.url, next.and_then(|mut values| values.pop()?.pop()).as_ref());
    measure(&mut proposal, &bench)?;
    if proposal.fields.is_empty() {
        return Err(missing("nothing in the page repeats, and it has no heading and no facts of its own".to_owned()));
    }
    Ok(proposal)
}

fn missing(message: String) -> Failure {
    Failure::new(Kind::Missing, message)
}

fn of_html(tree: &Html, bench: &Bench<'_>) -> Result<Proposal, Failure> {
    let meter = Meter::new(bench.deadline);
    let survey = Survey::of(tree, &meter)?;
    for items in items::best(&survey, &meter)? {
        let Some(selector) = selector::of_items(&survey, &items.members, &meter)? else { continue };
        let mut fields = trial::fields(bench, &items.columns, &items.sample)?;
        if items::are_terms(&items.sample) {
            fields.push(Proposed::new("definition".into(), "./following-sibling::dd[1]".into()));
        }
        if fields.len() > 1 {
            return Ok(Proposal { items: Some(selector), fields, ..Proposal::default() });
        }
    }
    Ok(Proposal { fields: facts::fields(&survey, bench)?, ..Proposal::default() })
}

/// Runs the recipe, and writes down what comes of it: how many records have which fields, and which fields all of them
/// have. What no record has is left out. Items that lack most of what is in most of the others are none: what is required
/// leaves them out.
fn measure(proposal: &mut Proposal, bench: &Bench<'_>) -> Result<(), Failure> {
    let rows = run(proposal, bench)?;
    let is_filled = |row: &Row, n: usize| row.0.get(n).is_some_and(|value| !value.is_blank());
    let filled = |rows: &[Row], n| rows.iter().filter(|row| is_filled(row, n)).count();
    let core: Vec<_> = (0..proposal.fields.len()).filter(|&n| filled(&rows, n) * 5 >= rows.len() * 3).collect();
    let has_most = |row: &Row| core.iter().filter(|&&n| is_filled(row, n)).count() * 2 >= core.len();
    let is_json = bench.tree.is_none();
    let (whole, odd): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| is_json || has_most(row));
    let in_all: Vec<_> = (0..proposal.fields.len()).filter(|&n| filled(&whole, n) == whole.len()).collect();
    let leaves_out = |row: &Row| in_all.iter().any(|&n| !is_filled(row, n));
    let rows: Vec<_> = whole.into_iter().chain(odd.into_iter().filter(|row| !leaves_out(row))).collect();
    proposal.count = rows.len();
    proposal.required = in_all.iter().map(|&n| proposal.fields[n].name.trim_end_matches("[]").to_owned()).collect();
    for (n, field) in proposal.fields.iter_mut().enumerate() {
        field.filled = filled(&rows, n);
        let first = rows.iter().filter_map(|row| row.0.get(n)).find(|value| !value.is_blank());
        field.example = first.map(|value| value.to_cell().chars().take(200).collect());
    }
    proposal.fields.retain(|field| field.filled > 0);
    Ok(())
}

/// The records that a proposal gives.
fn run(proposal: &Proposal, bench: &Bench<'_>) -> Result<Vec<Row>, Failure> {
    if proposal.fields.is_empty() {
        return Ok(Vec::new());
    }
    let recipes = recipe::parse("the proposal", &proposal.to_string());
    let recipes =
        recipes.map_err(|error| Failure::new(Kind::Internal, format!("the proposal is no recipe: {error}")))?;
    let Some(recipe) = recipes.first() else { return Ok(Vec::new()) };
    let subject = Subject::new(&recipe.expressions(), (bench.tree, bench.json), bench.base, bench.deadline)?;
    let columns: Vec<_> = (0..Recipe::names(recipe).count()).collect();
    Ok(recipe.read(&subject, 0)?.into_rows(vec![Value::Null; columns.len()], &columns))
}
