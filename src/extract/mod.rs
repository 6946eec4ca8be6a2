//! Page → title and fields. What is read is what was asked for.
//!
//! A title needs a few KiB of tokens; a field of the head, the head; links, headings and text, all tokens; only
//! selectors and the main content need the tree. [`Extractor`] finds out once what a run needs, and reads no further.

mod article;
mod construct;
mod deadline;
mod describe;
mod error;
mod fields;
mod head;
mod links;
mod names;
mod outline;
mod reader;
mod select;
mod text;
mod tokens;
mod tree;

use scraper::Html;

use crate::failure::Failure;
use crate::page::{Kind, Page};
use crate::value::{Row, Value};

use article::Article;
use deadline::Deadline;
pub use error::Error;
use fields::Source;
pub use fields::{FIELDS, Field};
use links::Base;
use reader::{Found, Part, Parts};
use select::Pick;

/// One thing to extract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// A built-in field by its name; white space around it is no part of that.
    Field(String),
    /// A field that the user describes:
    /// - `NAME=CSS`: the text of the first match, white space collapsed; null without one.
    /// - `NAME[]=CSS`: a list with the texts of all matches.
    /// - `NAME=CSS@ATTRIBUTE`, `NAME[]=CSS@ATTRIBUTE`: an attribute instead; `href` and `src` as absolute URLs. A list
    ///   leaves out the matches that do not have it.
    Select(String),
}

/// How one field is read.
#[derive(Debug)]
enum Step {
    Field(&'static Field),
    Pick(Pick),
    Custom(fn(&Page) -> Value<'static>),
}

/// What was asked for, compiled once for all pages.
#[derive(Debug, Default)]
pub struct Extractor {
    names: Vec<Box<str>>,
    steps: Vec<Step>,
    parts: Parts,
}

/// What a page yielded.
#[derive(Debug, Default)]
pub struct Extracted {
    /// The title of an HTML page: the text of its first `<title>` that is HTML and in no template, white space collapsed,
    /// at most 100,000 characters (WHATWG HTML, section 3.1.5, `document.title`). None where there is no such element.
    pub title: Option<String>,
    /// The values of the fields that were asked for, in that order.
    pub row: Row,
    /// Why the page was not read as far as that needs: it is too complex.
    pub failure: Option<Failure>,
}

impl Extractor {
    /// Compiles what is asked for. The title always is.
    ///
    /// # Errors
    /// A field is not known, an expression is no `NAME=CSS`, or two have the same name.
    pub fn new(asks: &[Ask]) -> Result<Self, Error> {
        let mut extractor = Self::default();
        for ask in asks {
            let (name, step) = match ask {
                Ask::Field(name) => {
                    let name = name.trim();
                    let field = Field::find(name).ok_or_else(|| Error::UnknownField(name.into()))?;
                    extractor.parts.insert(field.part);
                    (field.name, Step::Field(field))
                }
                Ask::Select(expression) => {
                    let (name, pick) = Pick::parse(expression)?;
                    extractor.parts.insert(Part::Tree);
                    (name, Step::Pick(pick))
                }
            };
            extractor.push(name, step)?;
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

    /// Whether reading a page takes its tree, many times the work that its tokens are.
    #[must_use]
    pub fn needs_tree(&self) -> bool {
        self.parts.contains(Part::Tree) || self.parts.contains(Part::Article)
    }

    /// Reads a page. This takes microseconds to a second of computing, by what was asked for and the page.
    #[must_use]
    pub fn read(&self, page: &Page) -> Extracted {
        let deadline = Deadline::for_text(&page.text);
        let (mut found, result) = match page.kind {
            Kind::Html => reader::read(&page.text, self.parts, &deadline),
            Kind::Xml | Kind::Json | Kind::Text | Kind::Binary => (Found::default(), Ok(())),
        };
        let mut failure = result.err();
        let mut tree = None;
        if self.needs_tree() && page.kind == Kind::Html && failure.is_none() {
            match construct::build(&page.text, &deadline) {
                Ok(built) => tree = Some(built),
                Err(why) => failure = Some(why),
            }
        }
        let wants_article = self.parts.contains(Part::Article);
        let scriptless = tree.as_ref().filter(|_| wants_article).and_then(|tree| article::scriptless(tree, &deadline));
        let mut content = None;
        if let Some(tree) = tree.as_ref().filter(|_| wants_article) {
            match Article::find(tree, scriptless.as_ref(), &deadline) {
                Ok(found) => content = Some(found),
                Err(why) => failure = Some(why),
            }
        }
        let title = found.title.take();
        let mut values = match &*self.steps {
            [] => Vec::new(),
            _ => self.read_fields(Source::new(page, found, tree.as_ref(), content)),
        };
        if let Some(tree) = tree.as_ref().filter(|_| failure.is_none()) {
            failure = self.read_picks(page, tree, &mut values, &deadline).err();
        }
        Extracted { title, row: Row(values), failure }
    }

    /// The built-in fields in their places; null where selectors put theirs.
    fn read_fields(&self, mut source: Source<'_>) -> Vec<Value<'static>> {
        let value = |step: &Step| match step {
            Step::Field(field) => field.value(&mut source),
            Step::Pick(_) => Value::Null,
            Step::Custom(read) => read(source.page),
        };
        self.steps.iter().map(value).collect()
    }

    fn read_picks(
        &self,
        page: &Page,
        tree: &Html,
        values: &mut [Value<'static>],
        deadline: &Deadline,
    ) -> Result<(), Failure> {
        let base = Base::new(page.url, tree::base_href(tree));
        let picks = self.steps.iter().filter_map(|step| if let Step::Pick(pick) = step { Some(pick) } else { None });
        let mut taken = select::take(picks, tree, &base, deadline)?.into_iter();
        for (step, value) in self.steps.iter().zip(values) {
            if let Step::Pick(_) = step {
                *value = taken.next().unwrap_or_default();
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
