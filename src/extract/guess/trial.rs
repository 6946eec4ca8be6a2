//! Columns → fields: each is read from some items as a recipe would, and what comes of it decides what it is.

use std::collections::HashSet;

use scraper::{ElementRef, Html};

use super::columns::{Column, Part, Step};
use super::names::Names;
use super::{Proposed, selector};
use crate::extract::deadline::Deadline;
use crate::extract::expression::{Expression, Place, Subject};
use crate::extract::links::Base;
use crate::failure::Failure;
use crate::value::Value;

/// How many fields are proposed.
const FIELDS: usize = 12;

/// What may follow a text, the best first. Its own values are compared with what each makes of them.
const TRANSFORMS: [&str; 4] = [" | number", " | date", " | date(dmy)", " | date(mdy)"];

/// A page to try expressions on.
pub(super) struct Bench<'a> {
    pub(super) tree: Option<&'a Html>,
    pub(super) json: Option<&'a Value<'static>>,
    pub(super) base: &'a Base,
    pub(super) deadline: &'a Deadline,
}

impl Bench<'_> {
    /// What expressions find at each of several places: a list of values for each expression. Those that mean nothing find
    /// nothing.
    pub(super) fn values(&self, texts: &[String], places: &[Place<'_>]) -> Result<Vec<Vec<Value<'static>>>, Failure> {
        let parsed: Vec<_> = texts.iter().map(|text| expression(text)).collect();
        let expressions: Vec<_> = parsed.iter().flatten().collect();
        let subject = Subject::new(&expressions, (self.tree, self.json), self.base, self.deadline)?;
        let mut found = vec![Vec::new(); texts.len()];
        for place in places {
            let mut values = subject.evaluate(&expressions, *place)?.into_iter();
            for (found, parsed) in found.iter_mut().zip(&parsed) {
                found.push(if parsed.is_some() { values.next().unwrap_or_default() } else { Value::Null });
            }
        }
        Ok(found)
    }

    /// What a text is, if all of its values are that: the transform to write behind its expression.
    pub(super) fn transform(
        &self,
        text: &str,
        values: &[Value<'static>],
        places: &[Place<'_>],
    ) -> Result<Option<&'static str>, Failure> {
        let tried: Vec<_> = TRANSFORMS.iter().map(|transform| format!("{text}{transform}")).collect();
        let made = self.values(&tried, places)?;
        let fits =
            |made: &[Value<'static>]| values.iter().zip(made).all(|(value, made)| value.is_blank() || !made.is_null());
        let is_dmy_and_mdy = fits(&made[2]) && fits(&made[3]);
        let fitting = TRANSFORMS.iter().zip(&made).find(|(transform, made)| {
            let is_sure = if **transform == TRANSFORMS[0] { are_numbers(values) } else { true };
            is_sure && fits(made) && !(transform.contains('(') && is_dmy_and_mdy)
        });
        Ok(fitting.map(|(transform, _)| *transform))
    }
}

fn expression(text: &str) -> Option<Expression> {
    let (text, is_list) = text.strip_suffix("[]").map_or((text, false), |text| (text, true));
    Expression::parse(text, is_list).ok()
}

/// The fields of items, by their columns.
pub(super) fn fields(
    bench: &Bench<'_>,
    columns: &[Column<'_>],
    sample: &[ElementRef<'_>],
) -> Result<Vec<Proposed>, Failure> {
    let places: Vec<_> = sample.iter().map(|item| Place::Element(*item)).collect();
    let is_frequent = |column: &&Column<'_>| column.cells.len() * 4 >= sample.len();
    let columns = columns.iter().filter(is_frequent);
    let (columns, texts): (Vec<_>, Vec<_>) =
        columns.filter_map(|column| Some((column, selector::of_column(column, sample)?))).unzip();
    let listed =
        |(text, column): (&String, &&Column<'_>)| if column.is_list { format!("{text}[]") } else { text.clone() };
    let values = bench.values(&texts.iter().zip(&columns).map(listed).collect::<Vec<_>>(), &places)?;
    let mut known: Vec<Vec<String>> = Vec::new();
    let mut kept: Vec<_> = columns.iter().zip(&texts).zip(&values).collect();
    kept.retain(|((column, _), values)| {
        let cells: Vec<_> = values.iter().map(cell).collect();
        let is_said =
            known.iter().any(|known| known.iter().zip(&cells).all(|(known, cell)| cell.is_empty() || known == cell));
        let is_kept = !is_said && tells_something(column, values);
        if is_kept {
            known.push(cells);
        }
        is_kept
    });
    shorten(&mut kept, |((column, _), _)| worth(column));
    let Some(first) = sample.first() else { return Ok(Vec::new()) };
    let mut names = Names::for_items(first);
    let mut fields = Vec::new();
    for ((column, text), values) in kept {
        let transform =
            if column.is_list || !may_be_typed(column) { None } else { bench.transform(text, values, &places)? };
        let name = names.name(column);
        let name = if column.is_list { format!("{name}[]") } else { name };
        fields.push(Proposed::new(name, format!("{text}{}", transform.unwrap_or_default())));
    }
    Ok(fields)
}

fn cell(value: &Value<'static>) -> String {
    value.to_cell().into_owned()
}

/// Whether the values of a column are not all nothing, or all the same.
fn tells_something(column: &Column<'_>, values: &[Value<'static>]) -> bool {
    let distinct: HashSet<_> = values.iter().filter(|value| !value.is_blank()).map(cell).collect();
    let is_label = distinct.len() == 1 && values.len() > 2;
    let is_everywhere = column.cells.len() * 4 > values.len() * 3;
    !(distinct.is_empty() || is_label && is_everywhere)
}

/// Leaves the most worth in their order.
fn shorten<T>(all: &mut Vec<T>, worth: impl Fn(&T) -> usize) {
    let mut worths: Vec<_> = all.iter().map(&worth).collect();
    worths.sort_unstable_by_key(|&worth| std::cmp::Reverse(worth));
    let Some(&least) = worths.get(FIELDS - 1) else { return };
    let mut room = FIELDS - worths.iter().filter(|&&worth| worth > least).count();
    all.retain(|one| {
        let is_last = worth(one) == least;
        if is_last && room > 0 {
            room -= 1;
            return true;
        }
        !is_last && worth(one) > least
    });
}

/// How much a column is worth: those that most items have, that are marked, that are near.
fn worth(column: &Column<'_>) -> usize {
    let is_marked = column.steps.iter().any(|step| matches!(step, Step::Mark(_)));
    let is_main = matches!(&column.part, Part::Text)
        || matches!(&column.part, Part::Attribute(name) if !name.starts_with("data-"));
    (column.cells.len() * (2 + usize::from(is_marked) + 2 * usize::from(is_main)) * 8)
        .saturating_sub(column.steps.len() * column.cells.len())
        / (1 + usize::from(column.is_list))
}

/// Whether the values of a column may be other than texts: they are no title, and no link.
fn may_be_typed(column: &Column<'_>) -> bool {
    let Some((_, cell)) = column.cells.first() else { return false };
    match &column.part {
        Part::Text => !matches!(&*cell.value().name.local, "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "pre" | "code"),
        Part::Attribute(name) => matches!(&**name, "datetime" | "content" | "value"),
    }
}

/// Whether texts are numbers (with a currency before, or a unit or a word behind that is the same everywhere), and not
/// names with a number in them: `€ 10`, `EUR 10`, `14 comments`, but not `Lamp 10`, `+49 30 1234` and `0010`.
fn are_numbers(values: &[Value<'static>]) -> bool {
    let texts: Vec<_> = values.iter().filter(|value| !value.is_blank()).map(cell).collect();
    let units: HashSet<_> = texts.iter().filter_map(|text| unit(text)).collect();
    let is_unit = |unit: &String| unit.chars().count() <= 3;
    !texts.is_empty()
        && texts.iter().all(|text| unit(text).is_some())
        && (units.len() == 1 || units.iter().all(is_unit))
}

/// The letters behind the digits of a number, in lower case and the singular. None for what is no number alone.
fn unit(text: &str) -> Option<String> {
    let text = text.trim();
    let (before, rest) = text.split_at(text.find(|c: char| c.is_ascii_digit())?);
    let is_code = |word: &str| word.len() <= 3 && word.chars().all(|c| c.is_ascii_uppercase());
    let words: String = before.chars().filter(|c| c.is_alphanumeric()).collect();
    let digits = rest.as_bytes();
    let is_padded = digits.len() > 1 && digits[0] == b'0' && digits[1].is_ascii_digit();
    if !is_code(&words) || before.contains(['+', '#', '(']) || is_padded {
        return None;
    }
    let unit: String = rest.chars().filter(|c| c.is_alphabetic()).collect::<String>().to_lowercase();
    Some(unit.trim_end_matches('s').to_owned()).filter(|unit| unit.chars().count() <= 16)
}
