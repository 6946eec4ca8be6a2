//! From the text of an expectation to its test.

use regex::{Regex, RegexBuilder};

use super::Error;
use super::condition::{Check, Condition, Relation, Subject};
use super::cursor::Cursor;
use crate::record::{COLUMNS, Column};

/// The longest expectation that is read, in bytes.
const LONGEST: usize = 4096;

/// Where names are looked for: among the fields that were asked for, the keys of a record, and what a run has.
const SCOPES: [&str; 3] = ["fields", "record", "run"];

const EXAMPLES: &str = "price != \"\", title ~ /shop/i, links >= 3, items >= 20 or fill(price) >= 95%";

/// What an expectation tests.
#[derive(Debug)]
pub(super) enum Test {
    /// Each record: one of these holds.
    Each(Vec<Condition>),
    /// The run: how many records there are.
    Items(Relation, f64),
    /// The run: the part of the records in which this is not blank.
    Fill(Subject, Relation, f64),
}

/// What a comparison starts with.
enum Left {
    Value(Subject),
    Fill(Subject),
    Items,
}

enum Operator {
    Relation(Relation),
    /// `~`, or `!~`.
    Match(bool),
}

const OPERATORS: [(&str, Operator); 8] = [
    ("==", Operator::Relation(Relation::Equal)),
    ("!=", Operator::Relation(Relation::Unequal)),
    ("<=", Operator::Relation(Relation::AtMost)),
    (">=", Operator::Relation(Relation::AtLeast)),
    ("!~", Operator::Match(false)),
    ("<", Operator::Relation(Relation::Less)),
    (">", Operator::Relation(Relation::Greater)),
    ("~", Operator::Match(true)),
];

/// What a comparison ends with.
enum Right {
    Text(Box<str>),
    Number(f64),
    /// As a part of 1.
    Percentage(f64),
    Pattern(Regex),
}

/// Reads an expectation of records with these fields.
pub(super) fn parse(text: &str, fields: &[Box<str>]) -> Result<Test, Error> {
    if text.len() > LONGEST {
        let (start, reason) = (&text[..text.floor_char_boundary(40)], format!("it is longer than {LONGEST} bytes"));
        return Err(Error::new(start, 0, reason, "write several, or shorter ones"));
    }
    let mut parser = Parser { cursor: Cursor::new(text), fields };
    let parsed = parser.test()?;
    if parser.cursor.is_at_end() {
        return Ok(parsed);
    }
    let reason = if let Test::Each(_) = parsed { "only `or` may follow" } else { "nothing may follow" };
    Err(parser.wrong(parser.cursor.at(), reason, "what has to hold as well is an expectation of its own"))
}

struct Parser<'a> {
    cursor: Cursor<'a>,
    fields: &'a [Box<str>],
}

impl<'a> Parser<'a> {
    fn wrong(&self, at: usize, reason: impl Into<String>, hint: impl Into<String>) -> Error {
        Error::new(self.cursor.text(), at, reason, hint)
    }

    fn test(&mut self) -> Result<Test, Error> {
        match self.left()? {
            Left::Value(first) => self.any_of(first).map(Test::Each),
            Left::Items => self.items(),
            Left::Fill(subject) => self.fill(subject),
        }
    }

    /// `first OPERATOR VALUE or …`.
    fn any_of(&mut self, first: Subject) -> Result<Vec<Condition>, Error> {
        let mut conditions = vec![Condition { subject: first, check: self.check()? }];
        while self.cursor.take_word("or") {
            let start = self.cursor.at();
            let Left::Value(subject) = self.left()? else {
                let reason = "this is of the whole run and no alternative for a record";
                return Err(self.wrong(start, reason, "make it an expectation of its own"));
            };
            conditions.push(Condition { subject, check: self.check()? });
        }
        Ok(conditions)
    }

    fn items(&mut self) -> Result<Test, Error> {
        let hint = "such as items >= 20";
        let (start, operator) = self.operator()?;
        let Operator::Relation(relation) = operator else {
            return Err(self.wrong(start, "a number matches no pattern", hint));
        };
        let (start, right) = self.right()?;
        let Right::Number(number) = right else {
            return Err(self.wrong(start, "`items` is a number", hint));
        };
        Ok(Test::Items(relation, number))
    }

    fn fill(&mut self, subject: Subject) -> Result<Test, Error> {
        let hint = "such as fill(price) >= 95%";
        let (start, operator) = self.operator()?;
        let relation = match operator {
            Operator::Relation(relation) if relation.is_order() => relation,
            _ => return Err(self.wrong(start, "a part is compared with <, <=, > or >=", hint)),
        };
        let (start, right) = self.right()?;
        let Right::Percentage(part) = right else {
            return Err(self.wrong(start, "a part is a percentage", hint));
        };
        Ok(Test::Fill(subject, relation, part))
    }

    fn left(&mut self) -> Result<Left, Error> {
        let (start, word) = self.name()?;
        if word != "fill" || !self.cursor.take("(") {
            return self.meaning(start, word);
        }
        let (start, word) = self.name()?;
        let Left::Value(subject) = self.meaning(start, word)? else {
            return Err(self.wrong(start, format!("`{word}` is no key of a record"), "such as fill(price) >= 95%"));
        };
        if self.cursor.take(")") {
            Ok(Left::Fill(subject))
        } else {
            Err(self.wrong(self.cursor.at(), "a `)` is missing", "such as fill(price) >= 95%"))
        }
    }

    fn name(&mut self) -> Result<(usize, &'a str), Error> {
        let start = self.cursor.at();
        match self.cursor.word() {
            "" => Err(self.wrong(start, "a name is missing", format!("such as {EXAMPLES}"))),
            name => Ok((start, name)),
        }
    }

    /// What a name stands for: what is called so in any scope, or, if it starts with a scope, in that one.
    fn meaning(&self, start: usize, word: &str) -> Result<Left, Error> {
        let plain = SCOPES.iter().filter_map(|scope| Some((format!("{scope}.{word}"), self.within(scope, word)?)));
        let scoped = SCOPES.iter().filter_map(|scope| {
            let name = word.strip_prefix(scope)?.strip_prefix('.')?;
            Some((word.to_owned(), self.within(scope, name)?))
        });
        let (spellings, mut meanings): (Vec<_>, Vec<_>) = plain.chain(scoped).unzip();
        match meanings.len() {
            0 => Err(self.wrong(start, format!("there is no `{word}`"), self.names())),
            1 => Ok(meanings.remove(0)),
            _ => {
                let reason = format!("`{word}` has several meanings");
                Err(self.wrong(start, reason, format!("write {}", spellings.join(" or "))))
            }
        }
    }

    fn within(&self, scope: &str, name: &str) -> Option<Left> {
        match scope {
            "fields" => {
                let place = self.fields.iter().position(|field| **field == *name)?;
                Some(Left::Value(Subject::Field(place)))
            }
            "record" => Column::find(name).map(|column| Left::Value(Subject::Column(column))),
            _ => (name == "items").then_some(Left::Items),
        }
    }

    /// The names that there are.
    fn names(&self) -> String {
        let keys = COLUMNS.iter().map(|column| column.name);
        let names: Vec<_> = self.fields.iter().map(|field| &**field).chain(keys).collect();
        format!("of a record: {}; of the run: items, fill(NAME)", names.join(", "))
    }

    fn check(&mut self) -> Result<Check, Error> {
        let (_, operator) = self.operator()?;
        let (start, right) = self.right()?;
        match (operator, right) {
            (Operator::Relation(relation), Right::Text(text)) => Ok(Check::Text(relation, text)),
            (Operator::Relation(relation), Right::Number(number)) => Ok(Check::Number(relation, number)),
            (Operator::Match(must), Right::Pattern(pattern)) => Ok(Check::Pattern(pattern, must)),
            (_, Right::Percentage(_)) => {
                Err(self.wrong(start, "only a part is a percentage", "such as fill(price) >= 95%"))
            }
            (Operator::Relation(_), Right::Pattern(_)) => {
                Err(self.wrong(start, "a pattern is matched by ~ or !~", "such as title ~ /shop/i"))
            }
            (Operator::Match(_), _) => Err(self.wrong(start, "~ and !~ take a /pattern/", "such as title ~ /shop/i")),
        }
    }

    fn operator(&mut self) -> Result<(usize, Operator), Error> {
        let start = self.cursor.at();
        let operator = OPERATORS.into_iter().find(|(symbol, _)| self.cursor.take(symbol));
        let operator = operator.map(|(_, operator)| (start, operator));
        operator.ok_or_else(|| {
            let symbols = OPERATORS.map(|(symbol, _)| symbol);
            self.wrong(start, "an operator is missing", format!("one of {}", symbols.join(" ")))
        })
    }

    fn right(&mut self) -> Result<(usize, Right), Error> {
        let start = self.cursor.at();
        let right = match self.cursor.peek() {
            Some(quote @ ('"' | '\'')) => Right::Text(unescaped(self.enclosed(quote)?, quote).into()),
            Some('/') => Right::Pattern(self.pattern()?),
            Some('0'..='9' | '-') => self.number()?,
            _ => return Err(self.wrong(start, "a value is missing", "a \"text\", a number, or a /pattern/")),
        };
        Ok((start, right))
    }

    fn enclosed(&mut self, delimiter: char) -> Result<&'a str, Error> {
        let start = self.cursor.at();
        self.cursor.enclosed(delimiter).ok_or_else(|| {
            let reason = format!("its closing {delimiter} is missing");
            self.wrong(start, reason, format!("within it, write \\{delimiter}"))
        })
    }

    /// `/PATTERN/`, with `i` behind it where case does not matter.
    fn pattern(&mut self) -> Result<Regex, Error> {
        let start = self.cursor.at();
        let pattern = self.enclosed('/')?;
        let ignores_case = self.cursor.take_word("i");
        let mut builder = RegexBuilder::new(pattern);
        builder.case_insensitive(ignores_case).build().map_err(|error| {
            let reason = error.to_string();
            // The parser draws the pattern first.
            let reason = reason.lines().last().unwrap_or_default().trim_start_matches("error: ");
            self.wrong(start, reason, "patterns are those of https://docs.rs/regex")
        })
    }

    /// A number, or a percentage, which is rounded once: 99.9% is the same as 999 of 1,000.
    fn number(&mut self) -> Result<Right, Error> {
        let start = self.cursor.at();
        let digits = self.cursor.digits();
        let is_percentage = self.cursor.take("%");
        let number = if is_percentage { format!("{digits}e-2") } else { digits.to_owned() };
        match (number.parse(), is_percentage) {
            (Ok(number), false) => Ok(Right::Number(number)),
            (Ok(part), true) if (0.0..=1.0).contains(&part) => Ok(Right::Percentage(part)),
            (Ok(_), true) => Err(self.wrong(start, "a part is between 0% and 100%", "such as fill(price) >= 95%")),
            (Err(_), _) => Err(self.wrong(start, "this is no number", "such as 20, -1 or 9.5")),
        }
    }
}

/// The text with `\"` and `\\` as what they stand for.
fn unescaped(text: &str, quote: char) -> String {
    let mut chars = text.chars().peekable();
    let next = || {
        let c = chars.next()?;
        let is_escape = c == '\\' && chars.peek().is_some_and(|&c| c == quote || c == '\\');
        if is_escape { chars.next() } else { Some(c) }
    };
    std::iter::from_fn(next).collect()
}
