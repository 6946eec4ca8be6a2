//! Path → values (RFC 9535, sections 2.3 to 2.5).

use std::borrow::Cow;
use std::cmp::Ordering;

use super::query::{Comparison, Logical, Operand, Query, Segment, Selector};
use crate::extract::deadline::Meter;
use crate::failure::{Failure, Kind};
use crate::value::Value;

/// How many values a path may find on its way: `$..*..*` finds the same ones again and again.
const FOUND: usize = 4 << 20;

type Json = Value<'static>;

/// Finds the values of a path that begins at the root.
pub(super) fn find<'v>(query: &Query, root: &'v Json, meter: &Meter<'_>) -> Result<Vec<&'v Json>, Failure> {
    Evaluation { root, meter }.query(query, root)
}

struct Evaluation<'v, 'm> {
    root: &'v Json,
    meter: &'m Meter<'m>,
}

impl<'v> Evaluation<'v, '_> {
    /// The values that a query finds from a value.
    fn query(&self, query: &Query, from: &'v Json) -> Result<Vec<&'v Json>, Failure> {
        let mut values = vec![if query.from_root { self.root } else { from }];
        for segment in &query.segments {
            let mut found = Vec::new();
            for value in values {
                self.segment(segment, value, &mut found)?;
            }
            values = found;
        }
        Ok(values)
    }

    /// A value before its descendants, and these in their order. Nothing is nested deeper than its reader allows.
    fn segment(&self, segment: &Segment, value: &'v Json, found: &mut Vec<&'v Json>) -> Result<(), Failure> {
        for selector in &segment.selectors {
            self.select(selector, value, found)?;
        }
        if segment.descends {
            for child in children(value) {
                self.segment(segment, child, found)?;
            }
        }
        if found.len() > FOUND {
            return Err(Failure::new(Kind::TooComplex, "a JSONPath finds more than 4,194,304 values"));
        }
        Ok(())
    }

    fn select(&self, selector: &Selector, value: &'v Json, found: &mut Vec<&'v Json>) -> Result<(), Failure> {
        self.meter.count(1)?;
        match (selector, value) {
            (Selector::Name(name), Value::Map(members)) => {
                self.meter.count(members.len())?;
                found.extend(member(members, name));
            }
            (Selector::Index(index), Value::List(items)) => {
                found.extend(position(*index, items.len()).and_then(|at| items.get(at)));
            }
            (Selector::Slice { start, end, step }, Value::List(items)) => {
                self.meter.count(items.len())?;
                found.extend(slice(*start, *end, *step, items.len()).map(|at| &items[at]));
            }
            (Selector::Wildcard, _) => {
                for child in children(value) {
                    self.meter.count(1)?;
                    found.push(child);
                }
            }
            (Selector::Filter(test), _) => {
                for child in children(value) {
                    if self.holds(test, child)? {
                        found.push(child);
                    }
                }
            }
            (Selector::Name(_) | Selector::Index(_) | Selector::Slice { .. }, _) => {}
        }
        Ok(())
    }

    fn holds(&self, test: &Logical, at: &'v Json) -> Result<bool, Failure> {
        self.meter.count(1)?;
        match test {
            Logical::Any(tests) => self.any(tests, at, true),
            Logical::All(tests) => self.any(tests, at, false).map(|fails| !fails),
            Logical::Not(test) => self.holds(test, at).map(|holds| !holds),
            Logical::Exists(query) => Ok(!self.query(query, at)?.is_empty()),
            Logical::Compare(left, comparison, right) => {
                let (left, right) = (self.operand(left, at)?, self.operand(right, at)?);
                self.compare(left.as_deref(), *comparison, right.as_deref())
            }
            Logical::Matches(operand, pattern) => match self.operand(operand, at)?.as_deref() {
                Some(Value::Str(string)) => Ok(pattern.on(string, self.meter)?.is_match(string)),
                _ => Ok(false),
            },
        }
    }

    /// Whether a test comes out as wanted.
    fn any(&self, tests: &[Logical], at: &'v Json, wanted: bool) -> Result<bool, Failure> {
        for test in tests {
            if self.holds(test, at)? == wanted {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn operand<'o>(&self, operand: &'o Operand, at: &'v Json) -> Result<Option<Cow<'o, Json>>, Failure>
    where
        'v: 'o,
    {
        let only = |values: Vec<&'v Json>| if let [value] = values[..] { Some(Cow::Borrowed(value)) } else { None };
        let number = |number: usize| Some(Cow::Owned(Value::Int(number as u64)));
        Ok(match operand {
            Operand::Literal(value) => Some(Cow::Borrowed(value)),
            Operand::Query(query) | Operand::Value(query) => only(self.query(query, at)?),
            Operand::Count(query) => number(self.query(query, at)?.len()),
            Operand::Length(operand) => match self.operand(operand, at)?.as_deref() {
                Some(Value::Str(text)) => {
                    self.meter.count(text.len())?;
                    number(text.chars().count())
                }
                Some(Value::List(items)) => number(items.len()),
                Some(Value::Map(members)) => number(members.len()),
                _ => None,
            },
        })
    }

    /// Section 2.3.5.2.2: nothing equals nothing, and only numbers and texts are ordered.
    fn compare(&self, left: Option<&Json>, comparison: Comparison, right: Option<&Json>) -> Result<bool, Failure> {
        let is_equal = match (left, right) {
            (Some(left), Some(right)) => self.equal(left, right)?,
            (left, right) => left.is_none() && right.is_none(),
        };
        let order = match (left, right) {
            (Some(Value::Str(left)), Some(Value::Str(right))) => Some(left.cmp(right)),
            (Some(left), Some(right)) => order(left, right),
            _ => None,
        };
        Ok(match comparison {
            Comparison::Equal => is_equal,
            Comparison::NotEqual => !is_equal,
            Comparison::Below => order == Some(Ordering::Less),
            Comparison::Above => order == Some(Ordering::Greater),
            Comparison::AtMost => is_equal || order == Some(Ordering::Less),
            Comparison::AtLeast => is_equal || order == Some(Ordering::Greater),
        })
    }

    fn equal(&self, left: &Json, right: &Json) -> Result<bool, Failure> {
        self.meter.count(1)?;
        match (left, right) {
            (Value::Null, Value::Null) => Ok(true),
            (Value::Bool(left), Value::Bool(right)) => Ok(left == right),
            (Value::Str(left), Value::Str(right)) => Ok(left == right),
            (Value::List(left), Value::List(right)) if left.len() == right.len() => {
                self.all(left, |n, item| self.equal(item, &right[n]))
            }
            (Value::Map(left), Value::Map(right)) if left.len() == right.len() => self.all(left, |_, (name, value)| {
                self.meter.count(right.len())?;
                member(right, name).map_or(Ok(false), |partner| self.equal(value, partner))
            }),
            (left, right) => Ok(order(left, right) == Some(Ordering::Equal)),
        }
    }

    fn all<T>(&self, items: &[T], holds: impl Fn(usize, &T) -> Result<bool, Failure>) -> Result<bool, Failure> {
        for (n, item) in items.iter().enumerate() {
            self.meter.count(1)?;
            if !holds(n, item)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

fn children(value: &Json) -> Box<dyn Iterator<Item = &Json> + '_> {
    match value {
        Value::List(items) => Box::new(items.iter()),
        Value::Map(members) => Box::new(members.iter().map(|(_, value)| value)),
        _ => Box::new(None.into_iter()),
    }
}

fn member<'v>(members: &'v [(Cow<'static, str>, Json)], name: &str) -> Option<&'v Json> {
    members.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value)
}

/// The order of two numbers.
fn order(left: &Json, right: &Json) -> Option<Ordering> {
    match (left, right) {
        (Value::Int(left), Value::Int(right)) => Some(left.cmp(right)),
        (Value::Number(left), Value::Number(right)) if left.is_i64() && right.is_i64() => {
            Some(left.as_i64().cmp(&right.as_i64()))
        }
        _ => number(left)?.partial_cmp(&number(right)?),
    }
}

#[expect(clippy::cast_precision_loss, reason = "as JSON's numbers are read nearly everywhere (RFC 8259, section 6)")]
fn number(value: &Json) -> Option<f64> {
    match value {
        Value::Int(number) => Some(*number as f64),
        Value::Number(number) => number.as_f64(),
        _ => None,
    }
}

/// Where in a list an index is.
fn position(index: i64, length: usize) -> Option<usize> {
    let length = i64::try_from(length).ok()?;
    usize::try_from(if index < 0 { length + index } else { index }).ok()
}

/// The places of a slice (section 2.3.4.2.2).
fn slice(start: Option<i64>, end: Option<i64>, step: i64, length: usize) -> impl Iterator<Item = usize> {
    let length = i64::try_from(length).unwrap_or(i64::MAX);
    let normal = |index: i64| if index < 0 { length + index } else { index };
    let (mut at, end) = if step >= 0 {
        (normal(start.unwrap_or(0)).clamp(0, length), normal(end.unwrap_or(length)).clamp(0, length))
    } else {
        let end = end.map_or(-1, normal);
        (normal(start.unwrap_or(length - 1)).clamp(-1, length - 1), end.clamp(-1, length - 1))
    };
    std::iter::from_fn(move || {
        let is_inside = if step > 0 { at < end } else { step < 0 && at > end };
        let place = usize::try_from(at).ok().filter(|_| is_inside)?;
        at = at.saturating_add(step);
        Some(place)
    })
}
