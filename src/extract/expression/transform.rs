//! What can be done with what a selector found.

use std::borrow::Cow;

use super::date::{self, Order};
use super::fault::Fault;
use super::holds::{Holds, LIST, NULL, NUMBER, TEXT, TRUTH};
use super::number;
use super::pattern::Pattern;
use crate::extract::FOUND;
use crate::extract::deadline::Meter;
use crate::extract::links::Base;
use crate::extract::text::collapse;
use crate::failure::{Failure, Kind};
use crate::value::Value;

/// Something that can be done with what a selector found.
#[derive(Debug)]
pub struct Transform {
    /// Its name.
    pub name: &'static str,
    /// How it is written.
    pub usage: &'static str,
    /// What it does, for the documentation.
    pub help: &'static str,
    /// An example: a value, what is written behind its selector, and what comes of it; values are JSON.
    pub example: [&'static str; 3],
    make: fn(&Call<'_>) -> Result<Step, Fault>,
}

impl Transform {
    /// The transform called `name`.
    #[must_use]
    pub fn find(name: &str) -> Option<&'static Self> {
        TRANSFORMS.iter().find(|transform| transform.name == name)
    }

    pub(super) fn compile(&self, call: &Call<'_>) -> Result<Step, Fault> {
        (self.make)(call)
    }
}

/// The transforms.
pub static TRANSFORMS: &[Transform] = &[
    Transform {
        name: "date",
        usage: "`date`, `date(dmy)`, `date(mdy)`",
        help: "a date in ISO 8601, with the time and zone that it had; `dmy` and `mdy` tell what `03/04/2024` is, which is else null",
        example: [r#""17.05.2024""#, "date", r#""2024-05-17""#],
        make: |call| match call.word()? {
            None => Ok(Step::Date(None)),
            Some("dmy") => Ok(Step::Date(Some(Order::DayFirst))),
            Some("mdy") => Ok(Step::Date(Some(Order::MonthFirst))),
            Some(_) => Err(call.wrong_argument("write date, date(dmy) or date(mdy)")),
        },
    },
    Transform {
        name: "default",
        usage: "`default(\"x\")`",
        help: "a text, a number, `true` or `false` in the place of null",
        example: ["null", "default(0)", "0"],
        make: |call| match &call.argument {
            Some(Argument::Value(value)) => Ok(Step::Default { value: value.clone(), lists: call.holds.lists }),
            _ => Err(call.wrong_argument("write default(\"x\"), default(0) or default(false)")),
        },
    },
    Transform {
        name: "html",
        usage: "`html`",
        help: "the HTML inside an element, in the place of its text; only directly behind a selector",
        example: [r#""Two lamps""#, "html", r#""Two <b>lamps</b>""#],
        make: |call| {
            call.alone(Step::Text)?;
            let hint = "write it directly behind a CSS selector or an XPath";
            Err(Fault::new(call.at, "`html` needs an element", hint))
        },
    },
    Transform {
        name: "join",
        usage: "`join(\", \")`",
        help: "one text of a list's items, without those that are null",
        example: [r#"["red", "tall"]"#, "join(\", \")", r#""red, tall""#],
        make: |call| {
            if call.holds.lists == 0 && !call.holds.may_be(LIST) {
                let hint = "write NAME[]= for a list of all matches, or split(\",\") before it";
                return Err(Fault::new(call.at, "`join` needs a list", hint));
            }
            call.text("write join(\", \")").map(Step::Join)
        },
    },
    Transform {
        name: "lower",
        usage: "`lower`",
        help: "in lower case",
        example: [r#""LED""#, "lower", r#""led""#],
        make: |call| call.alone(Step::Lower),
    },
    Transform {
        name: "number",
        usage: "`number`, `number(\",\")`",
        help: "the only number in a text; the argument names the decimal sign",
        example: [r#""€ 1.234,50""#, "number", "1234.5"],
        make: |call| match &call.argument {
            None => Ok(Step::Number(None)),
            Some(Argument::Value(Value::Str(sign))) if sign == "." => Ok(Step::Number(Some('.'))),
            Some(Argument::Value(Value::Str(sign))) if sign == "," => Ok(Step::Number(Some(','))),
            Some(_) => Err(call.wrong_argument("write number, number(\".\") or number(\",\")")),
        },
    },
    Transform {
        name: "re",
        usage: r"`re:(\d+)`",
        help: "what a regular expression finds first: its group, a list of its groups where it has several, all of it where it has none",
        example: [r#""12 pieces""#, r"re:(\d+)", r#""12""#],
        make: |call| Err(no_pattern(call.at)),
    },
    Transform {
        name: "split",
        usage: "`split(\",\")`",
        help: "a list of what stands between separators",
        example: [r#""red,tall""#, r#"split(",")"#, r#"["red", "tall"]"#],
        make: |call| match call.text("write split(\",\")")? {
            separator if separator.is_empty() => {
                Err(call.wrong_argument("name what is between the parts: split(\",\")"))
            }
            separator => Ok(Step::Split(separator)),
        },
    },
    Transform {
        name: "text",
        usage: "`text`",
        help: "as text, white space collapsed; what a selector finds is that already",
        example: ["7", "text", r#""7""#],
        make: |call| call.alone(Step::Text),
    },
    Transform {
        name: "trim",
        usage: "`trim`",
        help: "without white space around",
        example: [r#"" red ""#, "trim", r#""red""#],
        make: |call| call.alone(Step::Trim),
    },
    Transform {
        name: "upper",
        usage: "`upper`",
        help: "in upper case",
        example: [r#""led""#, "upper", r#""LED""#],
        make: |call| call.alone(Step::Upper),
    },
    Transform {
        name: "url",
        usage: "`url`",
        help: "as an absolute URL",
        example: [r#""/b?p=2""#, "url", r#""http://a.test/b?p=2""#],
        make: |call| call.alone(Step::Url),
    },
];

pub(super) fn no_pattern(at: usize) -> Fault {
    Fault::new(at, "`re` has no pattern", r"write re:PATTERN, such as re:(\d+)")
}

/// A transform as it is written.
pub(super) struct Call<'t> {
    /// Where it stands.
    pub(super) at: usize,
    /// Where its argument would stand.
    pub(super) argument_at: usize,
    pub(super) argument: Option<Argument<'t>>,
    /// What it is applied to.
    pub(super) holds: Holds,
}

/// What stands in parentheses.
#[derive(Debug)]
pub(super) enum Argument<'t> {
    /// A text in quotes, a number or a truth value.
    Value(Value<'static>),
    Word(&'t str),
}

impl<'t> Call<'t> {
    fn wrong_argument(&self, hint: &'static str) -> Fault {
        let what =
            if self.argument.is_some() { "not an argument that this can have" } else { "an argument is missing" };
        Fault::new(self.argument_at, what, hint)
    }

    fn alone(&self, step: Step) -> Result<Step, Fault> {
        match self.argument {
            None => Ok(step),
            Some(_) => Err(Fault::new(self.argument_at, "there is nothing to say in parentheses", "leave them out")),
        }
    }

    fn word(&self) -> Result<Option<&'t str>, Fault> {
        match self.argument {
            None => Ok(None),
            Some(Argument::Word(word)) => Ok(Some(word)),
            Some(Argument::Value(_)) => Err(self.wrong_argument("write a word without quotes")),
        }
    }

    fn text(&self, hint: &'static str) -> Result<Box<str>, Fault> {
        match &self.argument {
            Some(Argument::Value(Value::Str(text))) => Ok((**text).into()),
            _ => Err(self.wrong_argument(hint)),
        }
    }
}

/// A transform with its argument.
#[derive(Debug)]
pub(super) enum Step {
    Date(Option<Order>),
    /// For what is null in so many lists.
    Default {
        value: Value<'static>,
        lists: usize,
    },
    Join(Box<str>),
    Lower,
    Match(Pattern),
    Number(Option<char>),
    Split(Box<str>),
    Text,
    Trim,
    Upper,
    Url,
}

/// How many parts a text may have.
const PARTS: usize = 1 << 20;

impl Step {
    /// A match of a pattern.
    pub(super) fn matching(text: &str) -> Result<Self, Fault> {
        Pattern::new(text).map(Self::Match)
    }

    /// What comes out where this goes in.
    pub(super) fn output(&self, input: Holds) -> Holds {
        match self {
            Self::Number(_) => input.each(NUMBER | NULL),
            Self::Lower | Self::Text | Self::Trim | Self::Upper => input.each(TEXT | input.nullable()),
            Self::Match(pattern) if pattern.groups() > 1 => input.each(TEXT | NULL).in_list(),
            Self::Date(_) | Self::Match(_) | Self::Url => input.each(TEXT | NULL),
            Self::Split(_) => input.each(TEXT).in_list(),
            Self::Join(_) => input.joined(),
            Self::Default { value, .. } => input.without_null(match value {
                Value::Bool(_) => TRUTH,
                Value::Str(_) => TEXT,
                _ => NUMBER,
            }),
        }
    }

    /// Applies it: to each item of a list. Null stays null but for a default.
    pub(super) fn apply(
        &self,
        value: Value<'static>,
        base: &Base,
        meter: &Meter<'_>,
    ) -> Result<Value<'static>, Failure> {
        meter.count(1)?;
        match (self, value) {
            (Self::Default { value: default, lists }, value) => Ok(fill(value, default, *lists)),
            (_, Value::Null) => Ok(Value::Null),
            (Self::Join(separator), Value::List(items)) if !items.iter().any(|item| matches!(item, Value::List(_))) => {
                join(&items, separator)
            }
            (_, Value::List(items)) => {
                items.into_iter().map(|item| self.apply(item, base, meter)).collect::<Result<_, _>>().map(Value::List)
            }
            (Self::Join(_), value) => Ok(value),
            (Self::Number(_), number @ (Value::Int(_) | Value::Number(_))) => Ok(number),
            (_, value) => scalar(value).map_or(Ok(Value::Null), |text| self.apply_to_text(text, base, meter)),
        }
    }

    fn apply_to_text(
        &self,
        text: Cow<'static, str>,
        base: &Base,
        meter: &Meter<'_>,
    ) -> Result<Value<'static>, Failure> {
        Ok(match self {
            Self::Date(order) => Value::text(date::parse(&text, *order)),
            Self::Lower => Value::from(text.to_lowercase()),
            Self::Match(pattern) => return find(pattern, &text, meter),
            Self::Number(decimal) => number::parse(&text, *decimal).map_or(Value::Null, Value::number),
            Self::Split(separator) => return split(&text, separator),
            Self::Text => Value::from(collapse(&text)),
            Self::Trim => Value::from(text.trim().to_owned()),
            Self::Upper => Value::from(text.to_uppercase()),
            Self::Url => Value::text(base.absolute(text.trim())),
            Self::Default { .. } | Self::Join(_) => Value::Str(text),
        })
    }
}

/// The text of what is not a list; none of what has names.
fn scalar(value: Value<'static>) -> Option<Cow<'static, str>> {
    match value {
        Value::Str(text) => Some(text),
        Value::Bool(_) | Value::Int(_) | Value::Number(_) => Some(value.to_cell().into_owned().into()),
        Value::Null | Value::List(_) | Value::Map(_) | Value::Table(_) | Value::Json(_) => None,
    }
}

/// The default where there is null, so many lists down.
fn fill(value: Value<'static>, default: &Value<'static>, lists: usize) -> Value<'static> {
    match (value, lists.checked_sub(1)) {
        (Value::Null, None) => default.clone(),
        (Value::List(items), Some(lists)) => {
            Value::List(items.into_iter().map(|item| fill(item, default, lists)).collect())
        }
        (value, _) => value,
    }
}

fn join(items: &[Value<'static>], separator: &str) -> Result<Value<'static>, Failure> {
    let mut joined = String::new();
    for (n, item) in items.iter().filter(|item| !item.is_null()).enumerate() {
        joined.push_str(if n > 0 { separator } else { "" });
        joined.push_str(&item.to_cell());
        if joined.len() > FOUND {
            return Err(Failure::new(Kind::TooComplex, "`join` makes more than 64 MiB of text"));
        }
    }
    Ok(Value::from(joined))
}

fn split(text: &str, separator: &str) -> Result<Value<'static>, Failure> {
    let parts: Vec<_> = text.split(separator).take(PARTS + 1).map(|part| Value::from(part.to_owned())).collect();
    match parts.len() {
        _ if text.is_empty() => Ok(Value::List(Vec::new())),
        ..=PARTS => Ok(Value::List(parts)),
        _ => Err(Failure::new(Kind::TooComplex, "`split` makes more than 1,048,576 parts")),
    }
}

fn find(pattern: &Pattern, text: &str, meter: &Meter<'_>) -> Result<Value<'static>, Failure> {
    let regex = pattern.on(text, meter)?;
    if pattern.groups() == 0 {
        return Ok(Value::text(regex.find(text).map(|found| found.as_str().to_owned())));
    }
    let Some(groups) = regex.captures(text) else { return Ok(Value::Null) };
    let mut groups = groups.iter().skip(1).map(|group| Value::text(group.map(|group| group.as_str().to_owned())));
    Ok(if pattern.groups() == 1 { groups.next().unwrap_or_default() } else { Value::List(groups.collect()) })
}
