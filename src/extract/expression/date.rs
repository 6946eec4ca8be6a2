//! Text → date in ISO 8601, with the time and the offset from UTC that it had, and without those that it had not.
//!
//! Read are ISO 8601 and RFC 3339 (`2024-05-17`, `20240517T1030Z`), RFC 2822 and HTTP (`Fri, 17 May 2024 10:30:00 GMT`),
//! dates with an English month (`17 May 2024`, `May 17th, 2024 at 3:05 pm`), and numbers: `2024/05/17`, `17.05.2024`
//! (with dots the day comes first), and `25/04/2024` or `04/25/2024` where one can only be the day. `03/04/2024` is two
//! dates: none, unless it is said which. A year has four digits; what leaves out day, month or year is no date, nor is one
//! with a time zone that is only a name.

use std::fmt::Write;

use jiff::civil::{Date, Time};
use jiff::fmt::rfc2822;
use jiff::fmt::temporal::{DateTimeParser, PiecesOffset};
use jiff::tz::Offset;

/// What comes first in `03/04/2024`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    DayFirst,
    MonthFirst,
}

/// The date that a text is, in ISO 8601.
pub(super) fn parse(text: &str, order: Option<Order>) -> Option<String> {
    let text = text.trim();
    let moment = iso(text).or_else(|| mail(text)).or_else(|| Words::read(text, order)?.finish())?;
    Some(moment.to_iso())
}

/// A date with what else is known.
struct Moment {
    date: Date,
    time: Option<Time>,
    zone: Option<Zone>,
}

#[derive(Clone, Copy)]
enum Zone {
    Utc,
    Offset(Offset),
}

impl Moment {
    fn to_iso(&self) -> String {
        let mut iso = self.date.to_string();
        let Some(time) = self.time else { return iso };
        // Writing to a text cannot fail.
        let _ = write!(iso, "T{time}");
        let _ = match self.zone {
            None => Ok(()),
            Some(Zone::Utc) => write!(iso, "Z"),
            Some(Zone::Offset(offset)) => {
                let minutes = offset.seconds().abs() / 60;
                let sign = if offset.is_negative() { '-' } else { '+' };
                write!(iso, "{sign}{:02}:{:02}", minutes / 60, minutes % 60)
            }
        };
        iso
    }
}

fn iso(text: &str) -> Option<Moment> {
    let pieces = DateTimeParser::new().parse_pieces(text).ok()?;
    let zone = pieces.offset().map(|offset| match offset {
        PiecesOffset::Zulu => Zone::Utc,
        other => Zone::Offset(other.to_numeric_offset()),
    });
    Some(Moment { date: pieces.date(), time: pieces.time(), zone })
}

fn mail(text: &str) -> Option<Moment> {
    // Any other name would count as UTC (RFC 2822, section 4.3).
    const ZONES: [&str; 10] = ["UT", "GMT", "EST", "EDT", "CST", "CDT", "MST", "MDT", "PST", "PDT"];
    let zone = text.rsplit(' ').next().filter(|zone| zone.starts_with(['+', '-']) || ZONES.contains(zone))?;
    let zoned = rfc2822::DateTimeParser::new().relaxed_weekday(true).parse_zoned(text).ok()?;
    let zone = if matches!(zone, "UT" | "GMT") { Zone::Utc } else { Zone::Offset(zoned.offset()) };
    Some(Moment { date: zoned.date(), time: Some(zoned.time()), zone: Some(zone) })
}

/// What has been read of a date that is written in words and numbers.
#[derive(Default)]
struct Words {
    year: Option<i16>,
    month: Option<i8>,
    day: Option<i8>,
    time: Option<Time>,
    is_afternoon: Option<bool>,
    zone: Option<Zone>,
}

impl Words {
    fn read(text: &str, order: Option<Order>) -> Option<Self> {
        let mut words = Self::default();
        for word in text.split(|c: char| c.is_whitespace() || c == ',').filter(|word| !word.is_empty()) {
            words.take(word, order)?;
        }
        Some(words)
    }

    fn take(&mut self, word: &str, order: Option<Order>) -> Option<()> {
        if word.contains(':') && word.starts_with(|c: char| c.is_ascii_digit()) {
            return self.take_time(word);
        }
        if word.starts_with(['+', '-']) {
            return set(&mut self.zone, offset(word)?);
        }
        if word.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'/' | b'-' | b'.')) {
            let number = word.strip_suffix('.').unwrap_or(word);
            if number.bytes().all(|byte| byte.is_ascii_digit()) {
                return self.take_number(number);
            }
            return self.take_numbers(word, order);
        }
        if word.contains('-') {
            return word.split('-').try_for_each(|part| self.take(part, order));
        }
        self.take_word(word)
    }

    fn take_word(&mut self, word: &str) -> Option<()> {
        let word = word.to_ascii_lowercase().replace('.', "");
        if let Some(day) = ["st", "nd", "rd", "th"].into_iter().find_map(|suffix| word.strip_suffix(suffix))
            && day.len() <= 2
            && day.starts_with(|c: char| c.is_ascii_digit())
        {
            return self.take_number(day);
        }
        match &*word {
            "of" | "at" | "the" | "on" => return Some(()),
            "utc" | "gmt" | "z" => return set(&mut self.zone, Zone::Utc),
            "am" | "pm" => return set(&mut self.is_afternoon, word == "pm"),
            _ => {}
        }
        if let Some(month) =
            MONTHS.iter().position(|name| is_name(&word, name) || word == "sept" && *name == "september")
        {
            return set(&mut self.month, i8::try_from(month + 1).ok()?);
        }
        WEEKDAYS.iter().any(|name| is_name(&word, name)).then_some(())
    }

    /// A day or a year.
    fn take_number(&mut self, number: &str) -> Option<()> {
        match number.len() {
            1 | 2 => set(&mut self.day, number.parse().ok()?),
            4 => set(&mut self.year, number.parse().ok()?),
            _ => None,
        }
    }

    /// A date of three numbers.
    fn take_numbers(&mut self, word: &str, order: Option<Order>) -> Option<()> {
        let separator = word.chars().find(|c| !c.is_ascii_digit())?;
        let parts: Vec<_> = word.split(separator).collect();
        let [first, second, third] = parts[..] else { return None };
        let (year, first, second) = match (first.len(), third.len()) {
            (4, 1 | 2) => return self.set_date(first, second, third),
            (1 | 2, 4) => (third, first, second),
            _ => return None,
        };
        let may_be_month = |text: &str| text.parse::<u8>().is_ok_and(|number| number <= 12);
        let order = match order {
            Some(order) => order,
            None if separator == '.' || first == second || !may_be_month(first) => Order::DayFirst,
            None if !may_be_month(second) => Order::MonthFirst,
            None => return None,
        };
        match order {
            Order::DayFirst => self.set_date(year, second, first),
            Order::MonthFirst => self.set_date(year, first, second),
        }
    }

    fn set_date(&mut self, year: &str, month: &str, day: &str) -> Option<()> {
        set(&mut self.year, year.parse().ok()?)?;
        set(&mut self.month, month.parse().ok()?)?;
        set(&mut self.day, day.parse().ok()?)
    }

    /// A time, with an offset or half of the day at its end.
    fn take_time(&mut self, word: &str) -> Option<()> {
        let end = word.find(|c: char| !c.is_ascii_digit() && !matches!(c, ':' | '.')).unwrap_or(word.len());
        let (time, rest) = word.split_at(end);
        let time = if time.find(':') == Some(1) { format!("0{time}") } else { time.to_owned() };
        set(&mut self.time, time.parse().ok()?)?;
        match rest.to_ascii_lowercase().as_str() {
            "" => Some(()),
            "z" => set(&mut self.zone, Zone::Utc),
            "am" | "pm" | "a.m." | "p.m." => set(&mut self.is_afternoon, rest.starts_with(['p', 'P'])),
            _ => set(&mut self.zone, offset(rest)?),
        }
    }

    fn finish(self) -> Option<Moment> {
        let date = Date::new(self.year?, self.month?, self.day?).ok()?;
        let time = match (self.time, self.is_afternoon) {
            (time, None) => time,
            (None, Some(_)) => return None,
            (Some(time), Some(is_afternoon)) => {
                let hour = (1..=12).contains(&time.hour()).then_some(time.hour() % 12)?;
                Some(time.with().hour(hour + if is_afternoon { 12 } else { 0 }).build().ok()?)
            }
        };
        let is_whole = time.is_some() || self.zone.is_none();
        is_whole.then_some(Moment { date, time, zone: self.zone })
    }
}

/// Sets what may be said once.
fn set<T>(place: &mut Option<T>, value: T) -> Option<()> {
    let is_new = place.is_none();
    *place = Some(value);
    is_new.then_some(())
}

/// `+02:00`, `+0200` or `+02`.
fn offset(text: &str) -> Option<Zone> {
    let digits = text.strip_prefix(['+', '-'])?.replacen(':', "", 1);
    let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
    let (hours, minutes) = match digits.len() {
        2 if is_number => (&*digits, "0"),
        4 if is_number => digits.split_at(2),
        _ => return None,
    };
    let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
    let seconds = hours * 3600 + minutes * 60;
    let seconds = if text.starts_with('-') { -seconds } else { seconds };
    Offset::from_seconds(seconds).ok().filter(|_| minutes < 60).map(Zone::Offset)
}

/// Whether a word is a name or its first three letters.
fn is_name(word: &str, name: &str) -> bool {
    word == name || word == &name[..3] || name == "tuesday" && word == "tues" || name == "thursday" && word == "thurs"
}

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

const WEEKDAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn dates_of_standards_are_read() {
        for (text, wanted) in [
            ("2024-05-17", "2024-05-17"),
            (" 2024-05-17T10:30:00Z\n", "2024-05-17T10:30:00Z"),
            ("2024-05-17T10:30:00.250+02:00", "2024-05-17T10:30:00.25+02:00"),
            ("2024-05-17 10:30", "2024-05-17T10:30:00"),
            ("2024-05-17T10:30-0330", "2024-05-17T10:30:00-03:30"),
            ("20240517T103000Z", "2024-05-17T10:30:00Z"),
            ("2024-05-17T10:30:00+02:00[Europe/Berlin]", "2024-05-17T10:30:00+02:00"),
            ("Fri, 17 May 2024 10:30:00 GMT", "2024-05-17T10:30:00Z"),
            ("Fri, 17 May 2024 10:30:00 +0200", "2024-05-17T10:30:00+02:00"),
            ("17 May 2024 10:30 EST", "2024-05-17T10:30:00-05:00"),
        ] {
            assert_eq!(parse(text, None).as_deref(), Some(wanted), "{text}");
        }
    }

    #[test]
    fn dates_of_people_are_read() {
        for (text, wanted) in [
            ("17 May 2024", "2024-05-17"),
            ("May 17, 2024", "2024-05-17"),
            ("Friday, May 17th, 2024", "2024-05-17"),
            ("the 1st of Sept. 2024", "2024-09-01"),
            ("17-May-2024", "2024-05-17"),
            ("17. december 2024", "2024-12-17"),
            ("May 17, 2024 at 3:05 pm", "2024-05-17T15:05:00"),
            ("May 17, 2024 12:05am UTC", "2024-05-17T00:05:00Z"),
            ("17 May 2024 10:30:15+05:30", "2024-05-17T10:30:15+05:30"),
            ("2024/5/7", "2024-05-07"),
            ("17.05.2024 10:30", "2024-05-17T10:30:00"),
            ("03.04.2024", "2024-04-03"),
            ("25/04/2024", "2024-04-25"),
            ("04/25/2024", "2024-04-25"),
            ("05-05-2024", "2024-05-05"),
        ] {
            assert_eq!(parse(text, None).as_deref(), Some(wanted), "{text}");
        }
    }

    #[test]
    fn an_ambiguous_date_needs_to_be_told() {
        assert_eq!(parse("03/04/2024", None), None);
        assert_eq!(parse("03/04/2024", Some(Order::DayFirst)).as_deref(), Some("2024-04-03"));
        assert_eq!(parse("03/04/2024", Some(Order::MonthFirst)).as_deref(), Some("2024-03-04"));
        assert_eq!(parse("25/04/2024", Some(Order::MonthFirst)), None);
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in [
            "",
            "today",
            "2 days ago",
            "2024",
            "May 2024",
            "17 May",
            "17 May 24",
            "31 June 2024",
            "2024-02-30",
            "17 05 2024",
            "17 May 2024 2025",
            "3 pm",
            "May 17, 2024 at 13:05 pm",
            "10:30 UTC",
            "May 17, 2024 UTC",
            "1/2/3/2024",
            "17 May 2024 10:30 CEST",
            "17/May/2024",
            "99/99/2024",
            "2024-13-01",
            "1715940000",
        ] {
            assert_eq!(parse(text, None), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_is_too_odd(text in "\\PC{0,24}|[0-9/.:+ -]{0,20}|((17|May|2024|10:30|pm|UTC|,|\\+0200|é)[ -]?){0,6}") {
            if let Some(iso) = parse(&text, None) {
                prop_assert_eq!(parse(&iso, None), Some(iso.clone()), "{}", text);
            }
        }
    }
}
