//! What follows from having asked for a robots.txt (RFC 9309, section 2.3.1).

use std::time::Duration;

use url::Url;

use super::Rules;

/// How long what is known of an origin may be used (RFC 9309, section 2.4). It may be used longer while the file cannot
/// be reached: then the old [`Access`] is better than [`Access::NotNow`].
pub const LIFETIME: Duration = Duration::from_hours(24);

/// How many redirects in a row are followed.
pub const MAX_HOPS: usize = 5;

/// What came of asking an origin for its robots.txt.
#[derive(Clone, Copy, Debug)]
pub enum Answer<'b> {
    /// An answer with this status and body.
    Status(u16, &'b [u8]),
    /// A redirect, after so many others.
    Redirect(usize),
    /// None: no connection, no time left, an answer that is not HTTP.
    Unreachable,
}

/// What an origin lets a crawler do.
#[derive(Clone, Debug)]
pub enum Access {
    /// What its rules allow.
    Rules(Rules),
    /// Everything: it has no rules.
    All,
    /// Nothing until it has answered: it may have rules, and cannot say so now.
    NotNow,
}

impl Access {
    /// What an answer means for the crawler whose [`product_token`](super::product_token) is `token`; none where a redirect
    /// is to be followed.
    ///
    /// As the standard has it, 2xx is a file, 4xx says that there is none, 5xx and silence forbid everything for now, and what
    /// five redirects do not reach is not there. Decided here: 429 is like 5xx, as a server that asks for fewer
    /// requests does not invite to more; 401 and 403 are like any 4xx; a 3xx that leads nowhere says that there is no file.
    #[must_use]
    pub fn of(answer: Answer<'_>, token: &str) -> Option<Self> {
        match answer {
            Answer::Redirect(before) if before < MAX_HOPS => None,
            Answer::Status(200..=299, body) => Some(Self::Rules(Rules::parse(body, token))),
            Answer::Status(429 | 500.., _) | Answer::Unreachable => Some(Self::NotNow),
            Answer::Redirect(_) | Answer::Status(..) => Some(Self::All),
        }
    }

    /// Whether a URL of the origin may be fetched now.
    #[must_use]
    pub fn allows(&self, url: &Url) -> bool {
        match self {
            Self::Rules(rules) => rules.allows(url),
            Self::All => true,
            Self::NotNow => url.path() == "/robots.txt",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(answer: Answer<'_>) -> Option<bool> {
        let page = Url::parse("http://a.test/private").unwrap();
        Access::of(answer, "x").map(|access| access.allows(&page))
    }

    #[test]
    fn a_status_decides() {
        let body = b"User-agent: *\nDisallow: /private";
        for (status, expected) in [
            (200, false),
            (206, false),
            (301, true),
            (304, true),
            (400, true),
            (401, true),
            (403, true),
            (404, true),
            (410, true),
            (429, false),
            (500, false),
            (503, false),
            (999, false),
        ] {
            assert_eq!(allows(Answer::Status(status, body)), Some(expected), "{status}");
        }
        assert_eq!(allows(Answer::Status(204, b"")), Some(true));
        assert_eq!(allows(Answer::Unreachable), Some(false));
    }

    #[test]
    fn five_redirects_are_followed_and_then_there_is_no_file() {
        for before in 0..5 {
            assert_eq!(allows(Answer::Redirect(before)), None, "{before}");
        }
        assert_eq!(allows(Answer::Redirect(5)), Some(true));
    }

    #[test]
    fn the_file_itself_may_be_asked_for_though_nothing_else_may() {
        let [file, page] = ["http://a.test/robots.txt", "http://a.test/"].map(|url| Url::parse(url).unwrap());
        let access = Access::of(Answer::Unreachable, "x").unwrap();
        assert!(access.allows(&file) && !access.allows(&page));
    }
}
