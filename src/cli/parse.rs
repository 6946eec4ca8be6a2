//! Option values: from what was typed to what it means.

use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::time::Duration;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use jiff::SignedDuration;
use reqwest::header::{HeaderName, HeaderValue};

use crate::fetch::{DenyPrivate, Resolution};
use crate::frontier::scope::Pattern;
use crate::frontier::{LimitBy, Width};
use crate::sink::Format;

/// One of the formats, by its name.
pub(super) fn format() -> impl TypedValueParser<Value = Format> {
    PossibleValuesParser::new(Format::ALL.map(Format::name))
        .try_map(|name| Format::ALL.into_iter().find(|format| format.name() == name).ok_or("no such format"))
}

/// By how many bits URLs are told apart.
pub(super) fn dedupe_bits() -> impl TypedValueParser<Value = Width> {
    PossibleValuesParser::new(["64", "128"]).map(|bits| if bits == "64" { Width::Bits64 } else { Width::Bits128 })
}

/// What counts as one host, by its name.
pub(super) fn limit_by() -> impl TypedValueParser<Value = LimitBy> {
    PossibleValuesParser::new(LimitBy::ALL.map(LimitBy::name))
        .try_map(|name| LimitBy::ALL.into_iter().find(|by| by.name() == name).ok_or("no such thing"))
}

/// When private addresses are denied, by its name; a setting may be `true` or `false`, too.
pub(super) fn deny_private() -> impl TypedValueParser<Value = DenyPrivate> {
    let aliases = |when| match when {
        DenyPrivate::Always => &["true", "1"][..],
        DenyPrivate::FromPublic => &[],
        DenyPrivate::Never => &["false", "0"],
    };
    let names = DenyPrivate::ALL.map(|when| PossibleValue::new(when.name()).aliases(aliases(when)));
    PossibleValuesParser::new(names).try_map(move |name| {
        let is = |when: &DenyPrivate| when.name() == name || aliases(*when).contains(&&*name);
        DenyPrivate::ALL.into_iter().find(is).ok_or("no such time")
    })
}

/// A number of things of which there must be one.
pub(super) fn count(text: &str) -> Result<NonZeroUsize, &'static str> {
    text.parse().map_err(|_| "a whole number above 0")
}

/// How many links a crawl goes from its seeds.
pub(super) fn depth(text: &str) -> Result<u32, &'static str> {
    if text == "all" { Ok(u32::MAX) } else { text.parse().map_err(|_| "a whole number, or all") }
}

/// What tells links.
pub(super) fn pattern(text: &str) -> Result<Pattern, String> {
    Pattern::parse(text).map_err(|error| error.message)
}

/// Longer than any run: no limit at all.
const NEVER: Duration = Duration::from_hours(24 * 365);

/// A time of which 0 means that there is no limit.
pub(super) fn limit(text: &str) -> Result<Duration, String> {
    duration(text).map(|limit| if limit.is_zero() { NEVER } else { limit })
}

/// Seconds (`30`, `0.5`) or a number with units (`1m30s`, `500ms`), up to a year.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let seconds = text.parse::<f64>().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    let with_units = || text.parse::<SignedDuration>().ok().and_then(|duration| Duration::try_from(duration).ok());
    let time = seconds.or_else(with_units).filter(|&time| time <= NEVER);
    time.ok_or_else(|| "seconds (30, 0.5) or a time with units (500ms, 1m30s)".into())
}

/// A time that may have been long ago: days (`7d`), weeks (`2w`), or as of any other [`duration`].
pub(super) fn ago(text: &str) -> Result<Duration, String> {
    const DAY: u64 = 24 * 60 * 60;
    let units = [('d', DAY), ('w', 7 * DAY)];
    let count =
        |(unit, seconds): (char, u64)| text.strip_suffix(unit)?.trim().parse::<u32>().ok().map(|n| (n, seconds));
    match units.into_iter().find_map(count) {
        Some((count, seconds)) => Ok(Duration::from_secs(u64::from(count) * seconds)),
        None => duration(text).map_err(|_| "a time such as 7d, 2w or 12h".into()),
    }
}

/// A time above 0.
pub(super) fn time(text: &str) -> Result<Duration, String> {
    duration(text).and_then(|time| if time.is_zero() { Err("a time above 0".into()) } else { Ok(time) })
}

/// A size above 0.
pub(super) fn total(text: &str) -> Result<u64, String> {
    size(text).and_then(|size| if size == 0 { Err("a size above 0".into()) } else { Ok(size as u64) })
}

/// Bytes, or a number with one of the units K, M and G, powers of 1024.
pub(super) fn size(text: &str) -> Result<usize, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let factor = match text[digits.len()..].to_ascii_uppercase().as_str() {
        "" | "B" => Some(1),
        "K" | "KB" | "KIB" => Some(1 << 10),
        "M" | "MB" | "MIB" => Some(1 << 20),
        "G" | "GB" | "GIB" => Some(1 << 30),
        _ => None,
    };
    let size = factor.and_then(|factor| digits.parse::<usize>().ok()?.checked_mul(factor));
    size.ok_or_else(|| "bytes, or a number with K, M or G (10M)".into())
}

/// Starts a second, a minute or an hour; what comes back is the time between two.
pub(super) fn rate(text: &str) -> Result<Duration, String> {
    let (count, unit) = text.split_once('/').unwrap_or((text, "s"));
    let unit = match unit {
        "s" => Some(1.0),
        "m" => Some(60.0),
        "h" => Some(3600.0),
        _ => None,
    };
    let interval = unit.and_then(|unit| {
        let count: f64 = count.parse().ok()?;
        Duration::try_from_secs_f64(unit / count)
            .ok()
            .filter(|&interval| count > 0.0 && !interval.is_zero() && interval <= NEVER)
    });
    interval.ok_or_else(|| "a number above 0 of requests a second (20, 0.5), or with a unit (20/s, 90/m, 100/h)".into())
}

/// A header field as curl takes it: `Name: value`, `Name;` for an empty value, `Name:` for none at all. What is wrong is
/// not quoted: it may be a secret.
pub(super) fn header(line: &str) -> Result<(HeaderName, Option<HeaderValue>), &'static str> {
    let (name, value) = match line.split_once(':') {
        Some((name, value)) => (name, Some(value.trim()).filter(|value| !value.is_empty())),
        None => (line.strip_suffix(';').ok_or("it is no 'Name: value'")?, Some("")),
    };
    let name = name.trim().parse::<HeaderName>().map_err(|_| "what stands before the colon is no name")?;
    let value = value.map(|value| HeaderValue::from_bytes(value.as_bytes()));
    Ok((name, value.transpose().map_err(|_| "the value has a control character")?))
}

/// `HOST:PORT:ADDRESS[,ADDRESS]...` as curl takes it; an IPv6 address may stand in brackets.
pub(super) fn resolution(text: &str) -> Result<Resolution, String> {
    let parse = || {
        let (host, rest) = text.split_once(':')?;
        let (port, addresses) = rest.split_once(':')?;
        let address = |text: &str| text.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>().ok();
        let addresses = addresses.split(',').map(address).collect::<Option<Vec<_>>>()?;
        (!host.is_empty()).then_some(Resolution { host: host.into(), port: port.parse().ok()?, addresses })
    };
    parse().ok_or_else(|| "HOST:PORT:ADDRESS, such as example.com:443:127.0.0.1".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_seconds_or_have_units() {
        let millis = |text| duration(text).map(|duration| duration.as_millis()).ok();
        assert_eq!(
            ["30", "0.5", "1m30s", "500ms", "2h", "0"].map(millis),
            [Some(30_000), Some(500), Some(90_000), Some(500), Some(7_200_000), Some(0)]
        );
        assert_eq!(["", "-1", "soon", "inf", "NaN", "-5s", "1e400"].map(millis), [None; 7]);
    }

    #[test]
    fn sizes_are_bytes_or_have_units() {
        assert_eq!(
            ["0", "512", "10M", "2k", "1GiB"].map(|text| size(text).ok()),
            [Some(0), Some(512), Some(10 << 20), Some(2048), Some(1 << 30)]
        );
        assert_eq!(["", "M", "-1", "1.5M", "10X", "99999999999G", "1é"].map(|text| size(text).ok()), [None; 7]);
    }

    #[test]
    fn rates_become_the_time_between_two_starts() {
        let millis = |text| rate(text).map(|interval| interval.as_millis()).ok();
        assert_eq!(["20", "0.5", "60/m", "3600/h"].map(millis), [Some(50), Some(2000), Some(1000), Some(1000)]);
        assert_eq!(["0", "-1", "", "5/d", "inf", "NaN"].map(millis), [None; 6]);
    }

    #[test]
    fn headers_are_taken_as_curl_takes_them() {
        let parse =
            |line| header(line).map(|(name, value)| (name.to_string(), value.map(|v| v.to_str().unwrap().to_owned())));
        assert_eq!(parse("X-A:  b: c "), Ok(("x-a".into(), Some("b: c".into()))));
        assert_eq!(parse("X-A;"), Ok(("x-a".into(), Some(String::new()))));
        assert_eq!(parse("X-A:"), Ok(("x-a".into(), None)));
        for wrong in ["X-A", ": x", "a b: c", "X: a\nb"] {
            assert!(parse(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn resolutions_are_taken_as_curl_takes_them() {
        let parsed = resolution("a.test:443:127.0.0.1,[::1]").unwrap();
        assert_eq!((parsed.host.as_str(), parsed.port, parsed.addresses.len()), ("a.test", 443, 2));
        for wrong in ["a.test", "a.test:443", "a.test:x:127.0.0.1", ":443:127.0.0.1", "a.test:443:nowhere"] {
            assert!(resolution(wrong).is_err(), "{wrong}");
        }
    }
}
