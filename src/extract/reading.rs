//! A page read once, for all that was asked for.

use scraper::Html;
use url::Url;

use super::deadline::Deadline;
use super::expression::jq::Runner;
use super::expression::{Place, Subject};
use super::follow::{Follow, Followed};
use super::links::Base;
use super::parts::Part;
use super::reader::{self, Found};
use super::source::Source;
use super::structured::microdata;
use super::{ByRecipe, Extracted, Extractor, Placed, Step, article, chunks, construct, tree};
use crate::failure::{self, Failure};
use crate::job::Used;
use crate::page::{Kind, Page};
use crate::value::{Row, Value};

/// The rows that a page's recipe makes of it, what else it came to, and what the page lacks.
type Read = (Vec<Row>, ByRecipe, Option<Failure>);

impl Extractor {
    pub(super) fn read_all(&self, page: &Page, follow: Option<&Follow>) -> (Extracted, Followed) {
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

    /// Whether reading this page takes its tree.
    pub(super) fn needs_tree_of(&self, page: &Page, recipe: Option<(usize, &Placed)>) -> bool {
        let has_microdata = || self.parts.contains(Part::Microdata) && microdata::is_in(&page.text);
        let has_recipe = || recipe.is_some_and(|(_, placed)| placed.recipe.reads_tree());
        page.kind == Kind::Html && (self.parts.contains(Part::Tree) || has_recipe() || has_microdata())
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
    pub(super) fn recipe_for(&self, url: &Url) -> Option<(usize, &Placed)> {
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
pub(super) fn read_json(page: &Page) -> Result<Option<Value<'static>>, Failure> {
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
