//! A date as a page writes it for machines → ISO 8601.

use jiff::civil::{Date, date};
use jiff::fmt::temporal::{Pieces, PiecesOffset};
use jiff::{Timestamp, ToSpan, tz::TimeZone};

use crate::dates::{Dates, Order};

/// When the first pages were dated: the web was made public in 1993, and what is older is a date of something else.
const FIRST: Date = date(1995, 1, 1);

/// A plausible date.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Stamp {
    pub(super) day: Date,
    /// It as ISO 8601, with the time of day and the offset that it was given with.
    pub(super) text: String,
}

impl Stamp {
    /// The date alone, if it is plausible.
    pub(super) fn of_day(day: Date) -> Option<Self> {
        is_plausible(day).then(|| Self { day, text: day.to_string() })
    }

    /// Reads what is meant for machines: ISO 8601, or a date in words.
    pub(super) fn parse(text: &str, order: Order) -> Option<Self> {
        let text = text.trim();
        Self::parse_iso(text).or_else(|| Self::of_day(Dates::new(text, order).next()?.0))
    }

    fn parse_iso(text: &str) -> Option<Self> {
        let pieces = Pieces::parse(text).ok()?;
        let day = pieces.date();
        let mut iso = day.to_string();
        if let Some(time) = pieces.time() {
            iso = format!("{iso}T{time:.0}");
            match pieces.offset() {
                Some(PiecesOffset::Zulu) => iso.push('Z'),
                Some(PiecesOffset::Numeric(offset)) => {
                    let seconds = offset.offset().seconds();
                    let (sign, minutes) = (if seconds < 0 { '-' } else { '+' }, seconds.abs() / 60);
                    iso = format!("{iso}{sign}{:02}:{:02}", minutes / 60, minutes % 60);
                }
                _ => {}
            }
        }
        is_plausible(day).then_some(Self { day, text: iso })
    }
}

/// Whether a page may be of that day.
pub(super) fn is_plausible(day: Date) -> bool {
    let today = Timestamp::now().to_zoned(TimeZone::UTC).date();
    // Where it is tomorrow already.
    day >= FIRST && today.checked_add(1.day()).is_ok_and(|tomorrow| day <= tomorrow)
}
