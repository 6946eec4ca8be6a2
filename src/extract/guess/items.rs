//! Groups → the items of the page: the group that a table of records is made of best.

use std::collections::HashSet;

use scraper::ElementRef;

use super::columns::{self, Column, Part, Step};
use super::groups::{Members, Survey};
use crate::extract::deadline::Meter;
use crate::extract::names::is_any;
use crate::failure::Failure;

/// Of how many items of a group the columns are found.
pub(super) const SAMPLE: usize = 40;

/// How many letters of one value count.
const LETTERS: usize = 120;

/// How many letters the shortest text counts: a price says more than its digits.
const SHORTEST: f64 = 10.0;

/// What a group is, looked at closely.
pub(super) struct Items<'t> {
    pub(super) members: Members,
    /// Some of its elements.
    pub(super) sample: Vec<ElementRef<'t>>,
    /// What they have, in the order of the page.
    pub(super) columns: Vec<Column<'t>>,
    weight: f64,
}

/// The groups of the page that are worth reading, the best first. None where nothing repeats that is more than text.
pub(super) fn best<'t>(survey: &Survey<'t>, meter: &Meter<'_>) -> Result<Vec<Items<'t>>, Failure> {
    let mut all = Vec::new();
    for members in survey.groups(meter)? {
        let items = look_at(survey, members, meter)?;
        if items.weight > 0.0 {
            all.push(items);
        }
    }
    // Stable: of equal ones the one with most content.
    all.sort_by(|a, b| b.weight.total_cmp(&a.weight));
    Ok(all)
}

/// Whether items are the terms of a list of definitions, which follow them.
pub(super) fn are_terms(sample: &[ElementRef<'_>]) -> bool {
    sample.first().is_some_and(|item| is_any!(item.value().name.local, "dt"))
}

fn look_at<'t>(survey: &Survey<'t>, members: Members, meter: &Meter<'_>) -> Result<Items<'t>, Failure> {
    let step = members.len().div_ceil(SAMPLE);
    let sample = members.iter().step_by(step).map(|&n| survey.seen[n].element);
    let sample: Vec<_> = sample.filter(|item| !is_head(item)).collect();
    let all: HashSet<_> = members.iter().map(|&n| survey.seen[n].element.id()).collect();
    let mass: usize = members.iter().step_by(step).map(|&n| survey.seen[n].mass).sum();
    meter.count(mass)?;
    let columns = columns::align(&sample, &all);
    let mut items = Items { members, sample, columns, weight: 0.0 };
    items.weight = weigh(survey, &items);
    Ok(items)
}

/// Whether an item is a row of a table that has nothing but header cells.
fn is_head(item: &ElementRef<'_>) -> bool {
    let mut cells = item.children().filter_map(ElementRef::wrap);
    is_any!(item.value().name.local, "tr") && cells.all(|cell| is_any!(cell.value().name.local, "th"))
}

/// How much a group tells: what its columns say, all items together, more where records have more columns, and less
/// where items lack what others have, or where it stands around the content.
#[expect(clippy::cast_precision_loss, reason = "a page has fewer elements than 2⁵³")]
fn weigh(survey: &Survey<'_>, items: &Items<'_>) -> f64 {
    if items.sample.len() < 2 {
        return 0.0;
    }
    let count = items.sample.len() as f64;
    let core: Vec<_> = items.columns.iter().filter(|column| column.cells.len() * 5 >= items.sample.len() * 3).collect();
    let gains: Vec<_> = core.iter().map(|column| Gain::of(column)).filter(|gain| gain.letters > 0.0).collect();
    let singles = gains.iter().filter(|gain| !gain.is_list).count();
    let is_record = gains.iter().any(|gain| gain.is_typed) || is_row_or_term(items) || short_names(&core) >= 2;
    if singles < 2 && !is_row_or_term(items) || !is_record {
        return 0.0;
    }
    // How many of the sample have at least half of what most have.
    let whole = (0..items.sample.len()).filter(|n| {
        let has = core.iter().filter(|column| column.cells.iter().any(|(item, _)| item == n)).count();
        has * 2 >= core.len()
    });
    let purity = whole.count() as f64 / count;
    let told: f64 = gains.iter().map(|gain| gain.letters).sum();
    let around = items.members.iter().filter(|&&n| survey.seen[n].is_around).count();
    let is_around = around * 2 > items.members.len();
    // What stands around the content is the content only where there is hardly anything else.
    if is_around && survey.mass * 5 > survey.seen.first().map_or(0, |root| root.mass) {
        return 0.0;
    }
    let richness = 1.0 + 0.25 * singles.min(8) as f64;
    let weight = told * items.members.len() as f64 * richness * purity;
    // A list beside much text is not what the page is about.
    let least = survey.mass as f64 * 0.3;
    let place = if is_around { f64::EPSILON } else { 1.0 };
    if weight < least { 0.0 } else { weight * place }
}

/// Whether what repeats are rows of a table, or terms with their definitions.
fn is_row_or_term(items: &Items<'_>) -> bool {
    items.sample.first().is_some_and(|item| is_any!(item.value().name.local, "tr" "dt"))
}

/// How many columns are short texts that are marked.
fn short_names(columns: &[&Column<'_>]) -> usize {
    let is_short = |column: &&&Column<'_>| {
        column.part == Part::Text
            && matches!(column.steps.last(), Some(Step::Mark(_)))
            && column.cells.iter().all(|(_, cell)| column.value(cell).len() <= 80)
    };
    columns.iter().filter(is_short).count()
}

/// What a column tells of one item.
struct Gain {
    letters: f64,
    /// Whether it is more than text: a link, a picture, a time.
    is_typed: bool,
    is_list: bool,
}

impl Gain {
    #[expect(clippy::cast_precision_loss, reason = "a page has fewer elements than 2⁵³")]
    fn of(column: &Column<'_>) -> Self {
        let values: Vec<_> = column.cells.iter().map(|(_, cell)| column.value(cell)).collect();
        let distinct: HashSet<_> = values.iter().collect();
        // Two may well agree by chance.
        let varies = (distinct.len() as f64 / values.len() as f64).min(1.0);
        let letters = match &column.part {
            Part::Text => {
                SHORTEST
                    + values.iter().map(|value| value.len().min(LETTERS)).sum::<usize>() as f64 / values.len() as f64
            }
            Part::Attribute(name) if matches!(&**name, "href" | "src" | "data-src" | "datetime" | "content") => 20.0,
            Part::Attribute(_) => 5.0,
        };
        let is_typed = matches!(&column.part, Part::Attribute(name) if name != "title" && !name.starts_with("data-"));
        let share = if column.is_list { 0.3 } else { 1.0 };
        let constant = if distinct.len() == 1 && values.len() > 2 { 0.0 } else { 1.0 };
        Self { letters: letters * varies * share * constant, is_typed, is_list: column.is_list }
    }
}
