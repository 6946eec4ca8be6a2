//! When a page was changed, as sitemaps and feeds write it.

use std::fmt;

use jiff::civil::{Date, DateTime, Time, date};
use jiff::fmt::rfc2822;
use jiff::fmt::temporal::{Pieces, PiecesOffset};
use jiff::tz::{Offset, TimeZone};
use jiff::{Timestamp, ToSpan};

use crate::dates::{Dates, Order};

/// When a page was changed, as exactly as that is known.
///
/// Understood are W3C datetimes (years, months and days alone, too), RFC 2822 as in RSS, and days as people write them;
/// of `04/05/2024` the first number is taken for the day. A time without an offset is UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Modified {
    earliest: Timestamp,
    latest: Timestamp,
}

impl Modified {
    /// Reads a date; none where there is none in the text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        iso(text).or_else(|| mail(text)).or_else(|| month_or_year(text)).or_else(|| {
            let (day, _) = Dates::new(text, Order::default()).next()?;
            Self::within(day, day)
        })
    }

    /// Whether the page may have been changed at `moment` or later: on that day, where no more than the day is known.
    #[must_use]
    pub fn may_be_since(&self, moment: Timestamp) -> bool {
        self.latest >= moment
    }

    /// The earliest moment that is meant.
    #[must_use]
    pub fn earliest(&self) -> Timestamp {
        self.earliest
    }

    fn at(moment: Timestamp) -> Self {
        Self { earliest: moment, latest: moment }
    }

    /// From the start of a day to the end of another.
    fn within(first: Date, last: Date) -> Option<Self> {
        let start = |day: Date| day.to_datetime(Time::midnight()).to_zoned(TimeZone::UTC).ok();
        let end = start(last.tomorrow().ok()?)?.timestamp().checked_sub(1.second()).ok()?;
        Some(Self { earliest: start(first)?.timestamp(), latest: end })
    }
}

/// ISO 8601: a moment in UTC, or a day.
impl fmt::Display for Modified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.earliest == self.latest {
            return write!(f, "{:.0}", self.earliest);
        }
        write!(f, "{}", self.earliest.to_zoned(TimeZone::UTC).date())
    }
}

/// `2024-05-17`, `2024-05-17T10:00:00+02:00`.
fn iso(text: &str) -> Option<Modified> {
    let pieces = Pieces::parse(text).ok()?;
    let Some(time) = pieces.time() else { return Modified::within(pieces.date(), pieces.date()) };
    let offset = match pieces.offset() {
        Some(PiecesOffset::Numeric(offset)) => offset.offset(),
        _ => Offset::UTC,
    };
    offset.to_timestamp(DateTime::from_parts(pieces.date(), time)).ok().map(Modified::at)
}

/// `Fri, 17 May 2024 10:00:00 GMT`.
fn mail(text: &str) -> Option<Modified> {
    static PARSER: rfc2822::DateTimeParser = rfc2822::DateTimeParser::new().relaxed_weekday(true);
    PARSER.parse_timestamp(text).ok().map(Modified::at)
}

/// `2024-05`, `2024`.
fn month_or_year(text: &str) -> Option<Modified> {
    let is_number = |text: &str, digits| text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
    let (year, month) = match text.split_once('-') {
        Some((year, month)) if is_number(month, 2) => (year, Some(month.parse().ok()?)),
        Some(_) => return None,
        None => (text, None),
    };
    let year = is_number(year, 4).then(|| year.parse().ok())??;
    let first = Date::new(year, month.unwrap_or(1), 1).ok()?;
    Modified::within(first, month.map_or(date(year, 12, 31), |_| first.last_of_month()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn dates_are_read_in_many_formats() {
        for (text, expected) in [
            ("2024-05-17", "2024-05-17"),
            (" 2024-05-17\n", "2024-05-17"),
            ("2024-05", "2024-05-01"),
            ("2024", "2024-01-01"),
            ("2024-05-17T10:00Z", "2024-05-17T10:00:00Z"),
            ("2024-05-17T10:00:00+02:00", "2024-05-17T08:00:00Z"),
            ("2024-05-17T10:00:00.123-0500", "2024-05-17T15:00:00Z"),
            ("2024-05-17 10:00:00", "2024-05-17T10:00:00Z"),
            ("2024-05-17T10:00:00", "2024-05-17T10:00:00Z"),
            ("20240517", "2024-05-17"),
            ("Fri, 17 May 2024 10:00:00 GMT", "2024-05-17T10:00:00Z"),
            ("Mon, 17 May 2024 10:00:00 +0200", "2024-05-17T08:00:00Z"),
            ("17 May 2024 10:00 EST", "2024-05-17T15:00:00Z"),
            ("17.05.2024", "2024-05-17"),
            ("17/05/2024 10:00", "2024-05-17"),
            ("May 17, 2024", "2024-05-17"),
        ] {
            assert_eq!(Modified::parse(text).map(|found| found.to_string()).as_deref(), Some(expected), "{text}");
        }
        for text in ["", "never", "2024-13", "2024-5-", "31.2.2024", "1715940000000"] {
            assert_eq!(Modified::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_day_is_all_of_it() {
        let moment = |text: &str| text.parse::<Timestamp>().unwrap();
        let day = Modified::parse("2024-05-17").unwrap();
        assert!(day.may_be_since(moment("2024-05-17T23:00:00Z")) && !day.may_be_since(moment("2024-05-18T00:00:00Z")));
        let month = Modified::parse("2024-02").unwrap();
        assert!(
            month.may_be_since(moment("2024-02-29T12:00:00Z")) && !month.may_be_since(moment("2024-03-01T00:00:00Z"))
        );
        let exact = Modified::parse("2024-05-17T10:00:00Z").unwrap();
        assert!(
            exact.may_be_since(moment("2024-05-17T10:00:00Z")) && !exact.may_be_since(moment("2024-05-17T10:00:01Z"))
        );
    }

    proptest! {
        #[test]
        fn any_text_is_a_date_or_none(text in "(\\PC|[0-9]{1,5}|[-:TZ+. /]|May){0,12}") {
            if let Some(found) = Modified::parse(&text) {
                prop_assert!(found.earliest <= found.latest);
                prop_assert_eq!(Modified::parse(&found.to_string()).map(|again| again.earliest() <= found.latest), Some(true));
            }
        }
    }
}
