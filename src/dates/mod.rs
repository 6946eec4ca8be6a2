//! Dates as people write them → days.
//!
//! `2024-05-17`, `17.5.2024`, `17 May 2024`, `May 17th, 2024`, `17 de mayo de 2024`, `2024年5月17日` and what is like these.
//! Where `05/04/2024` may be two days, the page's language decides.

mod months;

use std::ops::Range;

use jiff::civil::Date;

use self::months::month;

/// Which of two numbers is the day, where both may be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// As in most of the world.
    #[default]
    DayFirst,
    /// As in the United States.
    MonthFirst,
}

impl Order {
    /// What is usual in a language: the month comes first in English where it is not that of the Commonwealth.
    #[must_use]
    pub fn of(lang: Option<&str>) -> Self {
        let lang = lang.unwrap_or_default().trim_ascii().to_ascii_lowercase();
        let (language, region) = lang.split_once(['-', '_']).unwrap_or((&lang, ""));
        match (language, region) {
            ("en", "gb" | "au" | "nz" | "ie" | "in" | "za") => Self::DayFirst,
            ("en", _) => Self::MonthFirst,
            _ => Self::DayFirst,
        }
    }
}

/// A number or a word, and where it stands.
#[derive(Clone, Copy, Debug)]
struct Piece<'t> {
    text: &'t str,
    start: usize,
}

impl Piece<'_> {
    fn end(&self) -> usize {
        self.start + self.text.len()
    }

    /// Its value, if it is a number of `digits`.
    fn number(&self, digits: Range<usize>) -> Option<i16> {
        let is_number = self.text.as_bytes()[0].is_ascii_digit() && digits.contains(&self.text.len());
        is_number.then(|| self.text.parse().ok())?
    }

    fn day_or_month(&self) -> Option<i8> {
        self.number(1..3).and_then(|number| i8::try_from(number).ok())
    }

    fn year(&self) -> Option<i16> {
        self.number(4..5)
    }

    /// The year, of which only the last two digits may be written.
    fn short_year(&self) -> Option<i16> {
        self.year().or_else(|| self.number(2..3).map(|year| if year < 90 { 2000 + year } else { 1900 + year }))
    }

    fn is(&self, words: &[&str]) -> bool {
        words.iter().any(|word| self.text.eq_ignore_ascii_case(word))
    }
}

/// The dates in a text, each with where it stands.
#[derive(Debug)]
pub struct Dates<'t> {
    text: &'t str,
    order: Order,
    /// How far it has been read.
    at: usize,
}

impl<'t> Dates<'t> {
    /// Those in `text`, the first one first.
    #[must_use]
    pub fn new(text: &'t str, order: Order) -> Self {
        Self { text, order, at: 0 }
    }

    /// The next number or word.
    fn piece(&self, from: usize) -> Option<Piece<'t>> {
        let rest = &self.text[from..];
        let start = from + rest.find(char::is_alphanumeric)?;
        let rest = &self.text[start..];
        let is_part = |c: char| {
            if rest.as_bytes()[0].is_ascii_digit() { c.is_ascii_digit() } else { c.is_alphabetic() }
        };
        let first = rest.chars().next().map_or(0, char::len_utf8);
        let length = first + rest[first..].find(|c| !is_part(c)).unwrap_or(rest.len() - first);
        Some(Piece { text: &rest[..length], start })
    }

    /// The next number or word after a piece, if little stands between them.
    fn after(&self, piece: Piece<'t>) -> Option<Piece<'t>> {
        let next = self.piece(piece.end())?;
        let gap = self.gap(piece, next);
        let is_little = gap.chars().count() <= 3 && gap.chars().all(|c| c.is_whitespace() || ".,-/'’".contains(c));
        is_little.then_some(next)
    }

    fn gap(&self, before: Piece<'t>, after: Piece<'t>) -> &'t str {
        &self.text[before.end()..after.start]
    }

    /// The date that begins with a piece, and where it ends.
    fn date(&self, piece: Piece<'t>) -> Option<(Date, usize)> {
        if piece.year().is_some() {
            return self.year_first(piece);
        }
        if piece.day_or_month().is_some() {
            return self.numbers(piece).or_else(|| self.day_first(piece));
        }
        self.month_first(piece)
    }

    /// `2024-05-17`, `2024. 5. 17.`, `2024年5月17日`, `2024 May 17`.
    fn year_first(&self, year: Piece<'t>) -> Option<(Date, usize)> {
        let second = self.after(year)?;
        let second = if second.text.starts_with(['年', '년']) { self.after(second)? } else { second };
        let after = self.after(second)?;
        let day = if after.text.starts_with(['月', '월']) { self.after(after)? } else { after };
        let month = second.day_or_month().or_else(|| month(second.text))?;
        if self.gap(year, second) == " " && second.day_or_month().is_some() {
            return None;
        }
        Some((date(year.year()?, month, day.day_or_month()?)?, day.end()))
    }

    /// `17.05.2024`, `17/5/24`, `5-17-2024`.
    fn numbers(&self, first: Piece<'t>) -> Option<(Date, usize)> {
        let second = self.after(first)?;
        let third = self.after(second)?;
        let gap = self.gap(first, second).trim_ascii_end();
        if gap != self.gap(second, third).trim_ascii_end() || ![".", "/", "-"].contains(&gap) {
            return None;
        }
        let is_longer = self.text[third.end()..]
            .strip_prefix(gap)
            .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
        let (year, a, b) = (third.short_year()?, first.day_or_month()?, second.day_or_month()?);
        if is_longer {
            return None;
        }
        let (day_first, month_first) = (date(year, b, a), date(year, a, b));
        let found = match self.order {
            Order::MonthFirst if gap != "." => month_first.or(day_first),
            _ => day_first.or(month_first),
        };
        Some((found?, third.end()))
    }

    /// `17 May 2024`, `17th of May, 2024`, `1er mai 2024`, `17. Mai 2024`, `17 de mayo de 2024`.
    fn day_first(&self, day: Piece<'t>) -> Option<(Date, usize)> {
        let mut next = self.after(day)?;
        if next.is(&ORDINAL) {
            next = self.after(next)?;
        }
        if next.is(&OF) {
            next = self.after(next)?;
        }
        let month = month(next.text)?;
        next = self.after(next)?;
        if next.is(&OF) {
            next = self.after(next)?;
        }
        Some((date(next.short_year()?, month, day.day_or_month()?)?, next.end()))
    }

    /// `May 17, 2024`, `May 17th 2024`.
    fn month_first(&self, name: Piece<'t>) -> Option<(Date, usize)> {
        let day = self.after(name)?;
        let (number, month) = (day.day_or_month()?, month(name.text)?);
        let mut year = self.after(day)?;
        if year.is(&ORDINAL) {
            year = self.after(year)?;
        }
        Some((date(year.year()?, month, number)?, year.end()))
    }
}

/// What stands behind the number of a day.
const ORDINAL: [&str; 7] = ["st", "nd", "rd", "th", "er", "º", "ª"];

/// What stands around the name of a month.
const OF: [&str; 5] = ["of", "de", "del", "di", "d"];

fn date(year: i16, month: i8, day: i8) -> Option<Date> {
    Date::new(year, month, day).ok()
}

impl Iterator for Dates<'_> {
    type Item = (Date, Range<usize>);

    fn next(&mut self) -> Option<Self::Item> {
        while let Some(piece) = self.piece(self.at) {
            if let Some((day, end)) = self.date(piece) {
                self.at = end;
                return Some((day, piece.start..end));
            }
            self.at = piece.end();
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use proptest::prelude::*;

    fn first(text: &str) -> Option<Date> {
        Dates::new(text, Order::default()).next().map(|(day, _)| day)
    }

    #[test]
    fn dates_are_read_in_many_ways_of_writing() {
        for text in [
            "2024-05-17",
            "2024/5/17",
            "2024.05.17",
            "2024. 5. 17.",
            "2024年5月17日",
            "2024년 5월 17일",
            "2024 May 17",
            "17.05.2024",
            "17/05/2024",
            "05/17/2024",
            "17.5.24",
            "17. 5. 2024",
            "17-05-2024",
            "17-May-2024",
            "17 May 2024",
            "17th of May, 2024",
            "17. Mai 2024",
            "Freitag, 17. Mai 2024, 9:30",
            "17 mai 2024",
            "17 de mayo de 2024",
            "17 de maio de 2024",
            "17 maggio 2024",
            "17 мая 2024 г.",
            "17 maja 2024",
            "May 17, 2024",
            "Fri May 17 2024",
            "MAY 17TH, 2024",
            "May. 17, 2024",
            "May 17th 2024",
            "x 1 17 May 2024",
            "Fri, 17 May 2024 10:00:00 GMT",
            "17 mei '24",
            "2024-05-17T10:00:00",
        ] {
            assert_eq!(first(text), Some(date(2024, 5, 17)), "{text}");
        }
        assert_eq!(first("1er mai 2024"), Some(date(2024, 5, 1)));
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in [
            "",
            "2024",
            "May 2024",
            "17 May",
            "31.2.2024",
            "1.2.3",
            "10.0.0.1",
            "17.05.2024.3",
            "5 of 17 2024",
            "2024 5 17",
            "1234567890",
            "17 Mai",
            "May 32, 2024",
            "13/13/2024",
            "+1 212 555 2024",
            "12:30:2024",
        ] {
            assert_eq!(first(text), None, "{text}");
        }
    }

    #[test]
    fn the_language_decides_which_number_is_the_day() {
        let read = |lang, text| Dates::new(text, Order::of(Some(lang))).next().map(|(day, _)| day);
        assert_eq!(read("en-US", "4/5/2024"), Some(date(2024, 4, 5)));
        assert_eq!(read("en", "4-5-2024"), Some(date(2024, 4, 5)));
        assert_eq!(read("en_GB", "4/5/2024"), Some(date(2024, 5, 4)));
        assert_eq!(read("fr", "4/5/2024"), Some(date(2024, 5, 4)));
        assert_eq!(read("en", "4.5.2024"), Some(date(2024, 5, 4)));
        assert_eq!(read("en", "14/5/2024"), Some(date(2024, 5, 14)));
    }

    #[test]
    fn every_date_of_a_text_is_found() {
        let text = "on 1 May 2024, changed 2024-05-03 and 4/5/2024";
        let found: Vec<_> = Dates::new(text, Order::default()).map(|(_, range)| &text[range]).collect();
        assert_eq!(found, ["1 May 2024", "2024-05-03", "4/5/2024"]);
    }

    proptest! {
        #[test]
        fn no_text_is_too_odd(text in "(\\PC|[0-9]{1,4}|May|[ .,/-]|年|\u{a0}){0,20}") {
            for (_, range) in Dates::new(&text, Order::MonthFirst) {
                prop_assert!(!text[range].is_empty());
            }
        }
    }
}
