//! Bars and their scales, in percent of the space that they have: a page draws them at any width, its text unscaled.

use serde::Serialize;

use crate::sink::grouped;

/// So many marks are on a horizontal scale at most: that is what a telephone has room for.
const MARKS: usize = 6;

/// A picture of bars.
#[derive(Debug, Serialize)]
pub(super) struct Chart {
    pub(super) bars: Vec<Bar>,
    /// The lines behind the bars.
    pub(super) lines: Vec<Line>,
    pub(super) marks: Vec<Mark>,
    /// What it shows, for those who do not see it.
    pub(super) summary: String,
}

/// A bar, its upper part in another colour.
#[derive(Debug, Serialize)]
pub(super) struct Bar {
    x: f64,
    width: f64,
    /// The top and the height of each part, the lower one first.
    parts: [(f64, f64); 2],
    text: String,
}

/// A value of the vertical scale.
#[derive(Debug, Serialize)]
pub(super) struct Line {
    y: f64,
    text: String,
}

/// A value of the horizontal scale.
#[derive(Debug, Serialize)]
pub(super) struct Mark {
    x: f64,
    /// Which of its ends is at `x`, as SVG calls it.
    anchor: &'static str,
    text: String,
}

/// What a bar stands for: the values of its parts, and words.
pub(super) struct Column {
    pub(super) values: [f64; 2],
    pub(super) text: String,
}

impl Chart {
    /// A bar for each column, and what stands under their edges: the edge before the first, then one behind each.
    pub(super) fn new(columns: Vec<Column>, edges: &[String], summary: String) -> Self {
        let most = columns.iter().map(|column| column.values[0] + column.values[1]).fold(0.0, f64::max);
        let steps = scale(most);
        let top = steps.last().copied().unwrap_or(1.0);
        let share = 100.0 / float(columns.len().max(1));
        let bar = |(place, Column { values: [lower, upper], text })| {
            let [lower, upper] = [lower, upper].map(|value| 100.0 * value / top);
            let parts =
                [(100.0 - lower, lower), (100.0 - lower - upper, upper)].map(|(y, height)| (round(y), round(height)));
            Bar { x: round(share * float(place)), width: round(share * 0.86), parts, text }
        };
        let bars = columns.into_iter().enumerate().map(bar).collect();
        let lines = steps.iter().map(|step| Line { y: round(100.0 - 100.0 * step / top), text: label(*step) });
        Self { bars, lines: lines.collect(), marks: marks(edges), summary }
    }
}

/// Round numbers from one to the first that is not below `most`.
fn scale(most: f64) -> Vec<f64> {
    let most = if most > 0.0 { most } else { 1.0 };
    let power = 10_f64.powf((most / 3.0).log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].map(|factor| factor * power).into_iter().find(|step| step * 3.0 >= most);
    let step = step.unwrap_or(most);
    (1..=3).map(|n| round(step * f64::from(n))).take_while(|value| value - step < most).collect()
}

/// A number with its thousands apart, where it has some.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is a round number, and above zero")]
fn label(number: f64) -> String {
    if number < 1000.0 { number.to_string() } else { grouped(number as u64) }
}

/// Every so many edges.
fn marks(edges: &[String]) -> Vec<Mark> {
    let last = edges.len().saturating_sub(1);
    let mark = |(place, text): (usize, &String)| {
        let anchor = match place {
            0 => "start",
            _ if place == last => "end",
            _ => "middle",
        };
        Mark { x: round(100.0 * float(place) / float(last.max(1))), anchor, text: text.clone() }
    };
    edges.iter().enumerate().step_by(edges.len().div_ceil(MARKS).max(1)).map(mark).collect()
}

/// To a hundredth.
fn round(number: f64) -> f64 {
    (number * 100.0).round() / 100.0
}

#[expect(clippy::cast_precision_loss, reason = "there are few bars")]
fn float(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scale_has_round_numbers_and_room_for_all() {
        assert_eq!(scale(7.0), [5.0, 10.0]);
        assert_eq!(scale(100.0), [50.0, 100.0]);
        assert_eq!(scale(2345.0), [1000.0, 2000.0, 3000.0]);
        assert_eq!(scale(0.7), [0.5, 1.0]);
        assert_eq!(scale(0.0).last(), Some(&1.0));
    }

    #[test]
    fn numbers_are_short() {
        assert_eq!([0.5, 100.0, 1500.0].map(label), ["0.5", "100", "1,500"]);
    }

    #[test]
    fn bars_stand_on_the_ground_and_on_each_other() {
        let columns = [[3.0, 1.0], [0.0, 0.0]].map(|values| Column { values, text: String::new() }).into();
        let chart = Chart::new(columns, &["a", "b", "c"].map(String::from), String::new());
        assert_eq!(chart.bars[0].parts, [(25.0, 75.0), (0.0, 25.0)]);
        assert_eq!((chart.bars[1].x, chart.bars[1].parts[0]), (50.0, (100.0, 0.0)));
        assert_eq!(chart.marks.iter().map(|mark| mark.anchor).collect::<Vec<_>>(), ["start", "middle", "end"]);
    }

    #[test]
    fn a_long_scale_has_few_marks() {
        for count in 1..200 {
            assert!(marks(&vec![String::new(); count]).len() <= MARKS);
        }
    }
}
