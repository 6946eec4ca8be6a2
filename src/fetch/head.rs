//! What an answer says before its body.

use std::time::{Duration, SystemTime};

use reqwest::header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER};

use crate::job::HostHint;

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
    use super::*;

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
