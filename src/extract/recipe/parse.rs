//! File → recipes.

use std::borrow::Cow;
use std::num::{NonZeroU32, NonZeroU64};
use std::ops::Range;

use toml::Spanned;

use super::file::{self, File, Object, Text, Texts, Written};
use super::matching::Matching;
use super::next::{Counter, PAGES, Paging, Way};
use super::{Expected, Field, Group, Reading, Recipe};
use crate::extract::error::Error;
use crate::extract::expression::{Expression, Fault, parse_name};

/// What to do about a name that is none.
const NAME_HINT: &str = "write a name of letters, digits, `_`, `.` and `-` that begins with a letter, or \"NAME[]\" for a \
                         list of all matches";

/// What the decoder calls a thing, and what whoever writes a recipe does.
const WORDS: [(&str, &str); 5] = [
    ("expected a nonzero u32", "expected a whole number above 0"),
    ("expected a nonzero u64", "expected a whole number above 0"),
    ("expected u64", "expected a whole number of at least 0"),
    ("expected a sequence", "expected a list, such as [\"price\"]"),
    ("invalid type: map", "invalid type: table"),
];

/// Reads a file of recipes.
pub(in crate::extract) fn parse(name: &str, text: &str) -> Result<Vec<Recipe>, Error> {
    let parser = Parser { name, text };
    let file: File = toml::from_str(text).map_err(|error| {
        let span = error.span().unwrap_or_default();
        parser.wrong(
            span.start,
            WORDS.iter().fold(error.message().to_owned(), |message, (theirs, ours)| message.replace(theirs, ours)),
            "a file of recipes is described under `Recipe files` in the README",
        )
    })?;
    if file.recipe.is_empty() {
        let hint = "begin one with [[recipe]], as `Recipe files` in the README shows";
        return Err(parser.wrong(0, "there is no recipe in it", hint));
    }
    let last = file.recipe.len() - 1;
    let recipes = file.recipe.into_iter().enumerate();
    recipes
        .map(|(n, written)| {
            let start = written.span().start;
            let recipe = parser.recipe(written)?;
            if recipe.matching.is_empty() && n < last {
                let what = "this recipe is for every URL, so that none of those below is ever chosen";
                return Err(parser.wrong(start, what, "give it a `match`, or put it last"));
            }
            Ok(recipe)
        })
        .collect()
}

struct Parser<'t> {
    /// The name of the file.
    name: &'t str,
    text: &'t str,
}

impl Parser<'_> {
    /// What is wrong at a byte of the file.
    fn wrong(&self, at: usize, what: impl Into<Cow<'static, str>>, hint: &'static str) -> Error {
        self.fault(Fault::new(at, what.into(), hint))
    }

    fn fault(&self, fault: Fault) -> Error {
        let (line, start) = self.line_at(fault.at);
        error(&self.place(fault.at), (line, fault.at - start), fault)
    }

    /// What is wrong within a text of the file. Where that is written with escapes, its value is shown, and not the line.
    fn fault_in(&self, text: &str, span: &Range<usize>, fault: Fault) -> Error {
        let (shown, start) = self.shown(text, span);
        error(&self.place(span.start), (shown, start + fault.at), fault)
    }

    /// The file and the line of a byte.
    fn place(&self, at: usize) -> String {
        let before = &self.text[..self.text.floor_char_boundary(at)];
        format!("{}:{}", self.name, 1 + before.matches('\n').count())
    }

    /// The line of a byte, and where it begins.
    fn line_at(&self, at: usize) -> (&str, usize) {
        let (before, rest) = self.text.split_at(self.text.floor_char_boundary(at));
        let start = before.rfind('\n').map_or(0, |end| end + 1);
        let end = rest.find('\n').map_or(self.text.len(), |end| before.len() + end);
        (self.text[start..end].trim_end(), start)
    }

    /// What a text of the file is shown as, and where it begins in that: its line, or itself where it is written with
    /// escapes.
    fn shown<'s>(&'s self, text: &'s str, span: &Range<usize>) -> (&'s str, usize) {
        let is_plain = |raw: &str| raw.strip_prefix(['"', '\'']).is_some_and(|raw| raw.starts_with(text));
        if self.text.get(span.clone()).is_some_and(is_plain) {
            let (line, start) = self.line_at(span.start);
            (line, span.start + 1 - start)
        } else {
            (text, 0)
        }
    }

    fn recipe(&self, written: Spanned<Written>) -> Result<Recipe, Error> {
        let place = self.place(written.span().start).into();
        let Written { matching, items, required, expect, next, pages, page, fields } = written.into_inner();
        if let Some((name, _)) = page.0.first().filter(|_| items.is_none()) {
            let what = "`page` is for a recipe with `items`";
            return Err(self.wrong(name.span().start, what, "name the fields of a page under `fields`"));
        }
        let places = items.map(|items| self.places(&items, None)).transpose()?;
        let mut recipe = Recipe {
            place,
            paging: self.paging(next, pages, places.as_ref())?,
            expected: expect.iter().map(|condition| self.expected(condition)).collect(),
            matching: self.matching(matching)?,
            page: self.fields(page, &[], places.as_ref())?,
            items: Group { places, is_list: true, fields: Vec::new() },
        };
        recipe.items.fields = self.fields(fields, &recipe.page, recipe.items.places.as_ref())?;
        for name in required {
            let mut fields = recipe.page.iter_mut().chain(&mut recipe.items.fields);
            match fields.find(|field| *field.name == **name.get_ref()) {
                Some(field) => field.is_required = true,
                None => {
                    return Err(self.wrong(name.span().start, "no field has this name", "name fields of this recipe"));
                }
            }
        }
        Ok(recipe)
    }

    fn paging(
        &self,
        next: Option<Spanned<file::Next>>,
        pages: Option<Spanned<NonZeroU32>>,
        items: Option<&Expression>,
    ) -> Result<Option<Paging>, Error> {
        let (next, pages) = match (next, pages) {
            (None, None) => return Ok(None),
            (None, Some(pages)) => {
                let what = "`pages` is for a recipe with `next`";
                return Err(self.wrong(pages.span().start, what, "write next = \"SELECTOR\" beside it"));
            }
            (Some(next), pages) => (next, pages.map_or(PAGES, Spanned::into_inner)),
        };
        let span = next.span();
        let way = match next.into_inner() {
            file::Next::Expression(text) => {
                let parsed = Expression::parse_url(&text).and_then(|parsed| fitting(parsed, items));
                Way::Expression(parsed.map_err(|fault| self.fault_in(&text, &span, fault))?)
            }
            file::Next::Counter(_) if items.is_none() => {
                let what = "a counter goes on until a page has no items, and this recipe has no `items`";
                return Err(self.wrong(span.start, what, "name what repeats as `items`, or write next = \"SELECTOR\""));
            }
            file::Next::Counter(file::Counter { query, .. }) if query.get_ref().is_empty() => {
                let what = "a parameter without a name";
                return Err(self.wrong(query.span().start, what, "name the one that counts, such as \"page\""));
            }
            file::Next::Counter(file::Counter { query, from, step }) => Way::Counter(Counter {
                query: query.into_inner().into(),
                from: from.unwrap_or(1),
                step: step.unwrap_or(NonZeroU64::MIN),
            }),
        };
        Ok(Some(Paging { way, pages }))
    }

    fn expected(&self, condition: &Text) -> Expected {
        let (text, span) = (condition.get_ref(), condition.span());
        let (shown, start) = self.shown(text, &span);
        Expected { text: text.as_str().into(), place: self.place(span.start).into(), shown: shown.into(), start }
    }

    fn matching(&self, matching: Option<Spanned<Texts>>) -> Result<Vec<Matching>, Error> {
        let parse =
            |text: &str, span: &Range<usize>| Matching::parse(text).map_err(|fault| self.fault_in(text, span, fault));
        let Some(matching) = matching else { return Ok(Vec::new()) };
        let span = matching.span();
        match matching.into_inner() {
            Texts::One(text) => Ok(vec![parse(&text, &span)?]),
            Texts::Several(texts) if texts.is_empty() => {
                Err(self.wrong(span.start, "this fits no URL", "leave `match` out for a recipe for every URL"))
            }
            Texts::Several(texts) => texts.iter().map(|text| parse(text.get_ref(), &text.span())).collect(),
        }
    }

    /// Places that are looked into, `within` others.
    fn places(&self, items: &Text, within: Option<&Expression>) -> Result<Expression, Error> {
        let text = items.get_ref();
        let parsed = Expression::parse_places(text).and_then(|parsed| fitting(parsed, within));
        parsed.map_err(|fault| self.fault_in(text, &items.span(), fault))
    }

    /// Fields whose names are not among `others`, of the places that `within` finds.
    fn fields(
        &self,
        written: file::Fields,
        others: &[Field],
        within: Option<&Expression>,
    ) -> Result<Vec<Field>, Error> {
        let mut fields: Vec<Field> = Vec::new();
        for (key, field) in written.0 {
            let (name, is_list) =
                parse_name(key.get_ref()).map_err(|fault| self.wrong(key.span().start, fault.what, NAME_HINT))?;
            if fields.iter().chain(others).any(|other| *other.name == *name) {
                let what = format!("two fields are called `{name}`");
                return Err(self.wrong(key.span().start, what, "give one of them another name"));
            }
            let span = field.span();
            let reading = match field.into_inner() {
                file::Field::Expression(text) => Expression::parse(&text, is_list)
                    .and_then(|parsed| fitting(parsed, within).map(Reading::Value))
                    .map_err(|fault| self.fault_in(&text, &span, fault))?,
                file::Field::Object(Object { items: None, .. }) if is_list => {
                    let hint = "write items = \"SELECTOR\" beside its fields";
                    return Err(self.wrong(key.span().start, "a list of objects needs `items`", hint));
                }
                file::Field::Object(object) => Reading::Object(self.object(object, is_list, within)?),
            };
            fields.push(Field { name: name.into(), is_required: false, reading });
        }
        Ok(fields)
    }

    fn object(&self, object: Object, is_list: bool, within: Option<&Expression>) -> Result<Group, Error> {
        let Object { items, fields } = object;
        let places = items.map(|items| self.places(&items, within)).transpose()?;
        let fields = self.fields(fields, &[], places.as_ref().or(within))?;
        Ok(Group { places, is_list, fields })
    }
}

/// An expression, if it can find something `within` the places that are looked into: of elements and JSON one is never in
/// the other.
fn fitting(expression: Expression, within: Option<&Expression>) -> Result<Expression, Fault> {
    let (what, hint) = match (within.map(Expression::reads_json), expression.reads_json()) {
        (Some(true), false) => ("there are no elements in JSON", "write a JSONPath such as $.name, or jq:.name"),
        (Some(false), true) => ("there is no JSON in an element", "write CSS such as .price or a@href, or an XPath"),
        _ => return Ok(expression),
    };
    Err(Fault::new(0, what, hint))
}

fn error(place: &str, (shown, at): (&str, usize), fault: Fault) -> Error {
    let what = format!("{place}: {}", fault.what).into();
    Error::Recipe { what, text: shown.into(), at, hint: fault.hint.into_owned().into() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_wrong_is_told_with_its_line_whatever_the_file_says(
            head in "(\u{feff}|\r\n)?(\\[\\[recipe\\]\\]\n)?",
            rest in "((match|items|page|next|pages|expect|fields|a|\"b\\[\\]\") ?= ?)?[a-h=\"'{}\\[\\]. \n|@$:ü\\\\*/(]{0,40}",
        ) {
            let text = head + &rest;
            if let Err(error) = parse("r.toml", &text) {
                let shown = error.to_string();
                let line = shown.strip_prefix("r.toml:").and_then(|rest| rest.split(':').next()?.parse::<usize>().ok());
                prop_assert!(line.is_some_and(|line| line <= 1 + text.matches('\n').count()), "{shown}");
                prop_assert!(shown.ends_with('^') && error.hint().is_some(), "{shown}");
            }
        }
    }

    #[test]
    fn a_file_may_begin_with_a_byte_order_mark_and_have_lines_of_windows() {
        let text = "\u{feff}[[recipe]]\r\nitems = \"li\"\r\n[recipe.fields]\r\na = \"p\"\r\n";
        assert_eq!(parse("r.toml", text).unwrap().len(), 1);
        let error = parse("r.toml", &text.replace("\"p\"", "\"p..q\"")).unwrap_err();
        assert_eq!(error.to_string(), "r.toml:4: not a CSS selector\n  a = \"p..q\"\n        ^");
    }
}
