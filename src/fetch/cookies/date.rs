//! Cookie dates: the algorithm of RFC 6265bis, section 5.1.1, which reads what real servers write.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;

/// The seconds since the epoch that a date names, if it names one. Time zones are not read: all is UTC.
pub(super) fn parse(text: &[u8]) -> Option<i64> {
    let mut found = Found::default();
    for token in text.split(|&byte| is_delimiter(byte)).filter(|token| !token.is_empty()) {
        found.take(token);
    }
    let (hour, minute, second) = found.time?;
    let year = match found.year? {
        year @ 70..=99 => year + 1900,
        year @ 0..=69 => year + 2000,
        year => year,
    };
    if year < 1601 {
        return None;
    }
    // What is no date or no time of a day is refused here.
    let date = DateTime::new(year, found.month?, found.day?, hour, minute, second, 0).ok()?;
    // Only the last two days of 9999 are too late.
    Some(Offset::UTC.to_timestamp(date).unwrap_or(Timestamp::MAX).as_second())
}

fn is_delimiter(byte: u8) -> bool {
    matches!(byte, 0x09 | 0x20..=0x2f | 0x3b..=0x40 | 0x5b..=0x60 | 0x7b..=0x7e)
}

/// What the tokens so far have told. The first token that fits is the one that counts.
#[derive(Default)]
struct Found {
    time: Option<(i8, i8, i8)>,
    day: Option<i8>,
    month: Option<i8>,
    year: Option<i16>,
}

impl Found {
    fn take(&mut self, token: &[u8]) {
        if self.time.is_none() {
            self.time = time(token);
            if self.time.is_some() {
                return;
            }
        }
        if self.day.is_none() {
            self.day = number(token, 1, 2).and_then(|day| i8::try_from(day).ok());
            if self.day.is_some() {
                return;
            }
        }
        if self.month.is_none() {
            self.month = month(token);
            if self.month.is_some() {
                return;
            }
        }
        if self.year.is_none() {
            self.year = number(token, 2, 4);
        }
    }
}

/// `12:34:56`, each of one digit or two, and whatever follows that is no digit.
fn time(token: &[u8]) -> Option<(i8, i8, i8)> {
    let mut parts = token.splitn(3, |&byte| byte == b':');
    let mut whole = || parts.next().filter(|part| part.iter().all(u8::is_ascii_digit)).and_then(two);
    Some((whole()?, whole()?, two(parts.next()?)?))
}

fn two(text: &[u8]) -> Option<i8> {
    number(text, 1, 2).and_then(|number| i8::try_from(number).ok())
}

/// The number at the start, of `least` to `most` digits, of which the last one must be followed by something else.
fn number(text: &[u8], least: usize, most: usize) -> Option<i16> {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let number = || text[..digits].iter().fold(0, |sum, digit| sum * 10 + i16::from(digit - b'0'));
    (least..=most).contains(&digits).then(number)
}

fn month(token: &[u8]) -> Option<i8> {
    const MONTHS: [&[u8; 3]; 12] =
        [b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov", b"dec"];
    let start = token.get(..3)?.to_ascii_lowercase();
    (1..).zip(MONTHS).find(|(_, month)| start == **month).map(|(number, _)| number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_in_all_the_forms_that_servers_write() {
        for date in [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
            "6 nov 94 8:49:37",
            "1994 November 6 08:49:37 PST",
            "08:49:37x (06/NOVEMBER/1994), whatever 12:00:00",
        ] {
            assert_eq!(parse(date.as_bytes()), Some(784_111_777), "{date}");
        }
        assert_eq!(parse(b"Thu, 01-Jan-1970 00:00:00 GMT"), Some(0));
        assert_eq!(parse(b"Thu, 01 Jan 1970 00:00:01 GMT"), Some(1));
        assert_eq!(parse(b"31 Dec 9999 23:59:59"), Some(Timestamp::MAX.as_second()));
    }

    #[test]
    fn two_digits_of_a_year_are_of_the_century_around_2000() {
        assert_eq!(parse(b"1 Jan 70 00:00:00"), Some(0));
        assert_eq!(parse(b"1 Jan 69 00:00:00"), Some(3_124_224_000));
        assert_eq!(parse(b"1 Jan 00 00:00:00"), Some(946_684_800));
    }

    #[test]
    fn what_is_no_date_is_none() {
        for wrong in [
            "",
            "0",
            "soon",
            "06 Nov 1994",
            "06 Nov 08:49:37",
            "Nov 1994 08:49:37",
            "06 1994 08:49:37",
            "32 Nov 1994 08:49:37",
            "31 Feb 1994 08:49:37",
            "06 Nov 1600 08:49:37",
            "06 Nov 19945 08:49:37",
            "06 Nov 1994 24:00:00",
            "06 Nov 1994 08:60:00",
            "06 Nov 1994 08:49:60",
            "06 Nov 1994 08:49",
            "06 Nov 1994 008:49:37",
            "006 Nov 1994 08:49:37",
        ] {
            assert_eq!(parse(wrong.as_bytes()), None, "{wrong:?}");
        }
    }
}
