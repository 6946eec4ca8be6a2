//! Recipes: fields that are named once for a site or a kind of page, in a file.
//!
//! ```toml
//! [[recipe]]
//! match = "shop.example/lamps/*"    # which URLs it is for: one or a list; without it, every URL
//! items = "article.product"         # what repeats: one record for each
//! required = ["name"]               # an item without one of these is left out
//! page = { category = "h1" }        # of the page, in the record of every item
//! next = "a[rel=next]@href"         # the page to go on with; or { query = "page" }, which counts
//! pages = 20                        # how many pages at most; 100 unless it is said
//! expect = ["items >= 20"]          # as --expect, of this recipe's records
//!
//! [recipe.fields]                   # of each item; without `items`, of the page
//! name = "h2"
//! price = ".price | number"
//! "images[]" = "img@src"            # all matches, as a list
//! seller = { items = ".seller", fields = { name = "b", url = "a@href" } }    # an object, or null
//! "offers[]" = { items = ".offer", fields = { price = ".price | number" } }  # a list of objects
//! ```
//!
//! Keys and expressions are those of `--select`: a key is a name or `NAME[]`, an expression is a
//! [selector with transforms](super::expression). What was decided:
//!
//! - **Which recipe**: the first whose `match` fits the URL that answered (after redirects). A page that none fits has null
//!   in all of their fields. The records of a run have the fields of all recipes, in the order in which they first come.
//! - **Where**: in an item, CSS finds what is in it (and it itself as `:scope`: `:scope@href`), a relative XPath
//!   starts at it (`./h2`, `.//h2`; `//h2` is the page's first), and `$` of a JSONPath and `.` of jq are the item. `items`
//!   takes a CSS selector or an XPath of elements, or a JSONPath or jq program of any values, without transforms.
//! - **Records**: one for each item, in the order of the page. A page without items still has one, with the facts and fields
//!   of the page: a URL never vanishes.
//! - **Required**: a field is there unless it is null, an empty text or an empty list. An item without one that is required
//!   is left out (advertisements stand between products), which the log tells; a page that has no item with all of them,
//!   or not a required field of its own, fails as `missing`, with what was found in its record.
//! - **Next**: an expression that is evaluated on the page, whose value is joined with the page's base; or a parameter of the
//!   query that counts (`{ query = "start", from = 0, step = 20 }`; where a URL does not have it, it stands at `from`, which is
//!   1 unless it is said, and `step` is 1), which goes on until a page has no items. The page that it comes to then, or one that is not there (404, 410), or one
//!   that has the items of the page before, lies behind the last one: no record, no failure. The recipe of each page tells
//!   where that goes on. No URL comes twice in one chain, whatever the pages say.
//! - What all records of a page hold together has a size (64 MiB): a page's fields are repeated in each of them.

mod expected;
mod file;
mod matching;
mod next;
mod outline;
mod parse;

use std::cell::Cell;

use url::Url;

use super::expression::{Expression, Place, Subject, check_size};
use super::matches::{Finding, Findings, Matches};
use crate::failure::{Failure, Kind};
use crate::value::{Row, Value};
pub use expected::Expected;
use matching::Matching;
pub use next::Next;
use next::{Paging, Way};
pub use outline::Outline;
pub(super) use parse::parse;

/// The JSON Schema of a file of recipes.
pub const SCHEMA: &str = include_str!("schema.json");

/// What is read from the pages of some URLs.
#[derive(Debug)]
pub(super) struct Recipe {
    /// Where it stands: the file and its line.
    place: Box<str>,
    /// Of URLs; none where it is for all.
    matching: Vec<Matching>,
    /// Fields of a page that has items.
    page: Vec<Field>,
    /// The items, or the page itself.
    items: Group,
    /// Where its list goes on.
    paging: Option<Paging>,
    /// What is expected of its records.
    expected: Vec<Expected>,
}

/// Fields that are read from one place, or from several that are alike.
#[derive(Debug)]
struct Group {
    /// What finds the places; none for where the group itself is read.
    places: Option<Expression>,
    /// All places, not only the first.
    is_list: bool,
    fields: Vec<Field>,
}

/// A field of a recipe.
#[derive(Debug)]
struct Field {
    name: Box<str>,
    is_required: bool,
    reading: Reading,
}

#[derive(Debug)]
enum Reading {
    Value(Expression),
    Object(Group),
}

impl Recipe {
    /// Whether it is for the pages of a URL.
    pub(super) fn is_for(&self, url: &Url) -> bool {
        self.matching.is_empty() || self.matching.iter().any(|matching| matching.fits(url))
    }

    fn fields(&self) -> impl Iterator<Item = &Field> {
        self.page.iter().chain(&self.items.fields)
    }

    /// The names of its fields.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.fields().map(|field| &*field.name)
    }

    /// What its field of this name holds, as a JSON Schema in JSON.
    pub(super) fn schema(&self, name: &str) -> Option<String> {
        self.fields().find(|field| *field.name == *name).map(|field| field.reading.schema())
    }

    /// All its expressions.
    pub(super) fn expressions(&self) -> Vec<&Expression> {
        let mut expressions = Vec::new();
        self.page.iter().for_each(|field| field.reading.gather(&mut expressions));
        self.items.gather(&mut expressions);
        if let Some(Paging { way: Way::Expression(expression), .. }) = &self.paging {
            expressions.push(expression);
        }
        expressions
    }

    /// What is expected of its records.
    pub(super) fn expected(&self) -> &[Expected] {
        &self.expected
    }

    /// Whether it reads the tree of a page.
    pub(super) fn reads_tree(&self) -> bool {
        self.expressions().iter().any(|expression| expression.reads_tree())
    }

    /// What its selectors find.
    ///
    /// # Errors
    /// That takes too long, or too much is found.
    pub(super) fn findings(&self, subject: &Subject<'_>) -> Result<Findings, Failure> {
        let mut found = Findings::default();
        count(&self.page, &[Place::Page], "", (subject, &mut found.fields))?;
        let places = match &self.items.places {
            Some(items) => {
                found.items = Some(finding("items", items, &[Place::Page], subject)?);
                subject.places(items, Place::Page)?
            }
            None => vec![Place::Page],
        };
        count(&self.items.fields, &places, "", (subject, &mut found.fields))?;
        if let Some(Paging { way: Way::Expression(expression), .. }) = &self.paging {
            found.next = Some(finding("next", expression, &[Place::Page], subject)?);
        }
        Ok(found)
    }

    /// The page that follows the one at `url`, in which this was found.
    ///
    /// # Errors
    /// To find out takes too long.
    pub(super) fn next(&self, url: &Url, subject: &Subject<'_>, found: &Found<'_>) -> Result<Option<Next>, Failure> {
        self.paging.as_ref().map_or(Ok(None), |paging| paging.next(url, subject, found))
    }

    /// Reads a page, whose other fields take so many bytes in each record.
    ///
    /// # Errors
    /// That takes too long, or the records get too large.
    pub(super) fn read(&self, subject: &Subject<'_>, others: usize) -> Result<Found<'_>, Failure> {
        let reader = Reader { subject, bytes: Cell::new(0) };
        let page = reader.fields(&self.page, Place::Page)?;
        let shared = others + size(&page);
        let places = match &self.items.places {
            Some(items) => subject.places(items, Place::Page)?,
            None => vec![Place::Page],
        };
        let (mut items, mut left_out) = (Vec::new(), 0);
        for place in places {
            let item = reader.fields(&self.items.fields, place)?;
            // Without items, what is there is told all the same.
            if self.items.places.is_some() && first_missing(&self.items.fields, &item).is_some() {
                left_out += 1;
                continue;
            }
            reader.count(shared)?;
            items.push(item);
        }
        Ok(Found { recipe: self, page, items, left_out })
    }
}

/// What an expression finds at all of some places.
fn finding(name: &str, expression: &Expression, at: &[Place<'_>], subject: &Subject<'_>) -> Result<Finding, Failure> {
    let mut matches = Matches::default();
    for &place in at {
        matches = matches.and(subject.matches(expression, place)?);
    }
    Ok(Finding { name: name.into(), selector: expression.text().into(), matches })
}

/// Adds what fields find at all of some places; `prefix` stands before their names.
fn count<'s>(
    fields: &[Field],
    at: &[Place<'s>],
    prefix: &str,
    (subject, found): (&'s Subject<'s>, &mut Vec<Finding>),
) -> Result<(), Failure> {
    for field in fields {
        let name = format!("{prefix}{}", field.name);
        let (group, expression) = match &field.reading {
            Reading::Value(expression) => (None, Some(expression)),
            Reading::Object(group) => (Some(group), group.places.as_ref()),
        };
        if let Some(expression) = expression {
            found.push(finding(&name, expression, at, subject)?);
        }
        let Some(group) = group else { continue };
        let mut inside = Vec::new();
        for &place in at {
            let places = match &group.places {
                Some(places) => subject.places(places, place)?,
                None => vec![place],
            };
            inside.extend(places.into_iter().take(if group.is_list { usize::MAX } else { 1 }));
        }
        count(&group.fields, &inside, &format!("{name}."), (subject, &mut *found))?;
    }
    Ok(())
}

/// The first field that is required and not there.
fn first_missing<'f>(fields: &'f [Field], values: &[Value<'static>]) -> Option<&'f str> {
    let is_missing = |value: &Value<'static>| match value {
        Value::Null => true,
        Value::Str(text) => text.is_empty(),
        Value::List(values) => values.is_empty(),
        _ => false,
    };
    let mut fields = fields.iter().zip(values).filter(|(field, value)| field.is_required && is_missing(value));
    fields.next().map(|(field, _)| &*field.name)
}

fn size(values: &[Value<'static>]) -> usize {
    values.iter().map(Value::size).sum()
}

/// Reads fields, and knows how much has been read.
struct Reader<'s> {
    subject: &'s Subject<'s>,
    bytes: Cell<usize>,
}

impl Reader<'_> {
    fn count(&self, bytes: usize) -> Result<(), Failure> {
        self.bytes.set(self.bytes.get().saturating_add(bytes));
        check_size(self.bytes.get())
    }

    fn fields(&self, fields: &[Field], at: Place<'_>) -> Result<Vec<Value<'static>>, Failure> {
        let expressions = fields.iter().filter_map(|field| match &field.reading {
            Reading::Value(expression) => Some(expression),
            Reading::Object(_) => None,
        });
        let values = self.subject.evaluate(&expressions.collect::<Vec<_>>(), at)?;
        self.count(size(&values))?;
        let mut values = values.into_iter();
        let read = |field: &Field| match &field.reading {
            Reading::Value(_) => Ok(values.next().unwrap_or_default()),
            Reading::Object(group) => self.object(group, at),
        };
        fields.iter().map(read).collect()
    }

    /// An object, null where there is no place for it, or a list.
    fn object(&self, group: &Group, at: Place<'_>) -> Result<Value<'static>, Failure> {
        let places = match &group.places {
            Some(places) => self.subject.places(places, at)?,
            None => vec![at],
        };
        let object = |place| {
            let values = self.fields(&group.fields, place)?;
            let names = group.fields.iter().map(|field| field.name.to_string().into());
            Ok(Value::Map(names.zip(values).collect()))
        };
        if group.is_list {
            return places.into_iter().map(object).collect::<Result<_, _>>().map(Value::List);
        }
        places.into_iter().next().map_or(Ok(Value::Null), object)
    }
}

/// What a recipe found in a page.
pub(super) struct Found<'r> {
    recipe: &'r Recipe,
    page: Vec<Value<'static>>,
    /// The values of each item; where the recipe has no items, of the page.
    items: Vec<Vec<Value<'static>>>,
    /// How many items lack a required field.
    pub(super) left_out: u64,
}

impl Found<'_> {
    /// Whether there is no item.
    pub(super) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Why this is not what the page should have.
    pub(super) fn failure(&self) -> Option<Failure> {
        let Recipe { page, items: Group { places, fields, .. }, .. } = self.recipe;
        let of_page = first_missing(page, &self.page);
        let alone = if places.is_none() { self.items.first() } else { None };
        let missing = of_page.or_else(|| alone.and_then(|values| first_missing(fields, values)));
        let mut required = fields.iter().filter(|field| field.is_required).map(|field| format!("`{}`", field.name));
        let message = if let Some(name) = missing {
            format!("the page has no `{name}`")
        } else if !self.items.is_empty() {
            return None;
        } else if self.left_out > 0 {
            format!("no item has all of {}", required.collect::<Vec<_>>().join(", "))
        } else {
            required.next()?;
            "the page has no items".to_owned()
        };
        Some(Failure::new(Kind::Missing, message))
    }

    /// The records: `row` with what was found, in the places that `columns` tells for the recipe's fields.
    pub(super) fn into_rows(self, mut row: Vec<Value<'static>>, columns: &[usize]) -> Vec<Row> {
        let (page, items) = columns.split_at(self.page.len());
        fill(&mut row, page, self.page);
        let mut rows: Vec<_> = self.items.iter().skip(1).map(|_| row.clone()).collect();
        rows.push(row);
        for (row, item) in rows.iter_mut().zip(self.items) {
            fill(row, items, item);
        }
        rows.into_iter().map(Row).collect()
    }
}

fn fill(row: &mut [Value<'static>], columns: &[usize], values: Vec<Value<'static>>) {
    for (&column, value) in columns.iter().zip(values) {
        row[column] = value;
    }
}

impl Group {
    fn gather<'e>(&'e self, expressions: &mut Vec<&'e Expression>) {
        expressions.extend(&self.places);
        self.fields.iter().for_each(|field| field.reading.gather(expressions));
    }

    fn schema(&self) -> String {
        let fields = self.fields.iter().map(|field| format!(r#""{}": {}"#, field.name, field.reading.schema()));
        let names = self.fields.iter().map(|field| format!(r#""{}""#, field.name));
        let (fields, names) = (fields.collect::<Vec<_>>().join(", "), names.collect::<Vec<_>>().join(", "));
        let kind = if self.is_list { r#""object""# } else { r#"["object", "null"]"# };
        let object = format!(
            r#"{{"type": {kind}, "properties": {{{fields}}}, "required": [{names}], "additionalProperties": false}}"#
        );
        if self.is_list { format!(r#"{{"type": ["array", "null"], "items": {object}}}"#) } else { object }
    }
}

impl Reading {
    fn gather<'e>(&'e self, expressions: &mut Vec<&'e Expression>) {
        match self {
            Self::Value(expression) => expressions.push(expression),
            Self::Object(group) => group.gather(expressions),
        }
    }

    fn schema(&self) -> String {
        match self {
            Self::Value(expression) => expression.schema(),
            Self::Object(group) => group.schema(),
        }
    }
}
