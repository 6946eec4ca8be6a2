//! What an answer says before its body.

use std::time::{Duration, SystemTime};

use reqwest::header::{CONTENT_TYPE, DATE, ETAG, HeaderMap, HeaderName, LAST_MODIFIED, RETRY_AFTER};

use crate::job::{HostHint, Validators};

/// A longer validator is none: it would come back with every request.
const VALIDATOR: usize = 1024;

/// What an answer says before its body.
#[derive(Clone, Debug)]
pub struct Head {
    /// The status.
    pub status: u16,
    /// The header fields.
    pub headers: HeaderMap,
}

impl Head {
    /// The `Content-Type` as it came; bytes that are not UTF-8 are replaced.
    #[must_use]
    pub fn content_type(&self) -> Option<String> {
        self.headers.get(CONTENT_TYPE).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
    }

    /// What it says of the version that it is of; none where that is nothing to go by.
    ///
    /// An entity tag is taken as it is, whatever its form, as only its server has to understand it. A date that is none is
    /// left out, and so is one without a tag that is not a second older than the answer: another version of the same
    /// second would have it, too (RFC 9110, section 8.8.2.2).
    #[must_use]
    pub fn validators(&self) -> Option<Validators> {
        let text = |name: HeaderName| self.headers.get(name)?.to_str().ok().map(str::trim);
        let short = |text: &&str| (1..=VALIDATOR).contains(&text.len());
        let date = |text| httpdate::parse_http_date(text).ok();
        let etag = text(ETAG).filter(short);
        let answered = text(DATE).and_then(date).unwrap_or_else(SystemTime::now);
        let is_sure = |modified| etag.is_some() || modified + Duration::from_secs(1) <= answered;
        let modified = text(LAST_MODIFIED).filter(short).filter(|text| date(text).is_some_and(is_sure));
        let known = Validators { etag: etag.map(Into::into), last_modified: modified.map(Into::into) };
        (known != Validators::default()).then_some(known)
    }

    /// What it says about how the host wants to be treated.
    #[must_use]
    pub fn hint(&self) -> HostHint {
        let retry_after = self.headers.get(RETRY_AFTER).filter(|_| self.status >= 400);
        let retry_after = retry_after.and_then(|value| parse_retry_after(value.to_str().ok()?, SystemTime::now()));
        HostHint { throttled: matches!(self.status, 429 | 503), retry_after, ..HostHint::default() }
    }
}

/// Seconds or an HTTP date (RFC 9110, section 10.2.3). None for what asks for no wait or cannot be understood: our own
/// back-off decides then. A number beyond all bounds is one that nobody waits for.
fn parse_retry_after(value: &str, now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    let wait = if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        Duration::from_secs(value.parse().unwrap_or(u32::MAX).into())
    } else {
        httpdate::parse_http_date(value).ok()?.duration_since(now).ok()?
    };
    (!wait.is_zero()).then_some(wait)
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    fn validators(lines: &[(HeaderName, &'static str)]) -> Option<Validators> {
        let headers = lines.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect();
        Head { status: 200, headers }.validators()
    }

    #[test]
    fn a_version_is_known_by_its_tag_or_by_a_date_that_no_other_one_can_have() {
        const DAY: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
        let date = (DATE, "Sun, 06 Nov 1994 08:49:38 GMT");
        let known = |etag: Option<&str>, modified: Option<&str>| {
            Some(Validators { etag: etag.map(Into::into), last_modified: modified.map(Into::into) })
        };
        for tag in ["\"a\"", "W/\"a\"", "unquoted"] {
            assert_eq!(validators(&[(ETAG, tag)]), known(Some(tag), None), "{tag}");
        }
        assert_eq!(validators(&[date.clone(), (LAST_MODIFIED, DAY)]), known(None, Some(DAY)));
        assert_eq!(validators(&[(DATE, DAY), (LAST_MODIFIED, DAY)]), None, "it may change within the second");
        assert_eq!(validators(&[(DATE, DAY), (LAST_MODIFIED, DAY), (ETAG, "\"a\"")]), known(Some("\"a\""), Some(DAY)));
        for (name, nonsense) in [(LAST_MODIFIED, "yesterday"), (LAST_MODIFIED, "0"), (ETAG, ""), (ETAG, " ")] {
            assert_eq!(validators(&[date.clone(), (name, nonsense)]), None, "{nonsense:?}");
        }
    }

    #[test]
    fn both_forms_of_retry_after_are_read_and_nonsense_is_not() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777); // Sun, 06 Nov 1994 08:49:37 GMT
        let parse = |value| parse_retry_after(value, now).map(|wait| wait.as_secs());
        assert_eq!(parse("120"), Some(120));
        assert_eq!(parse(" 7 "), Some(7));
        assert_eq!(parse("Sun, 06 Nov 1994 08:50:37 GMT"), Some(60));
        assert_eq!(parse("Sunday, 06-Nov-94 08:49:40 GMT"), Some(3));
        assert_eq!(parse("99999999999999999999999"), Some(u32::MAX.into()), "longer than anybody waits");
        for nonsense in ["", "0", "-1", "1.5", "soon", "Sun, 06 Nov 1994 08:49:36 GMT", "１"] {
            assert_eq!(parse(nonsense), None, "{nonsense:?}");
        }
    }
}
