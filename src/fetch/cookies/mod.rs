//! The cookies of a run: RFC 6265bis (draft-ietf-httpbis-rfc6265bis) with the public-suffix list compiled in.
//!
//! Where the standard leaves room:
//! - a cookie may be Secure where TLS or the loopback carries it, as in browsers and curl;
//! - `SameSite` is not looked at: no page embeds what is fetched here, every request is as if typed;
//! - at most 180 cookies are kept for a site and 10,000 in all: what has expired goes first, then what was not used
//!   for longest; none lasts longer than 400 days, and no request has more than 8190 bytes of them;
//! - a name with a tab is refused, as the file could not hold it; a tab in a value is kept;
//! - a domain that lies above a public suffix (`amazonaws.com`, set by `x.s3.amazonaws.com`) is refused, as in Chrome;
//! - ports make no difference, nor do schemes but for Secure;
//! - cookies in a file are the user's own: they may be Secure whoever set them, and last as long as it says.
//!
//! A crate could keep them, but none that was tried does what most of this module is: `cookie_store` refuses a cookie
//! without a name, reads dates strictly, knows neither prefixes nor limits, sends cookies in no order, lets plain HTTP
//! hide what TLS set, and looks at the domain of every cookie for each request.

mod cookie;
mod date;
mod netscape;
mod reach;
mod store;

#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use reqwest::header::{COOKIE, HeaderMap, HeaderValue, SET_COOKIE};
use url::Url;

use self::cookie::Cookie;
pub use self::netscape::BadLine;
use self::store::Store;

/// The cookies that all requests of a run share. What servers set goes in, and is sent where it belongs.
///
/// The values are secrets: they go over the wire and into a file, and nowhere else.
#[derive(Default)]
pub struct Jar(Mutex<Store>);

impl fmt::Debug for Jar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Jar").finish_non_exhaustive()
    }
}

impl Jar {
    /// Takes the cookies of a Netscape `cookies.txt`. A later one takes the place of an earlier one; what has expired
    /// is forgotten. What comes back are the lines that hold no cookie, or one that may not be kept.
    pub fn read(&self, text: &[u8]) -> Vec<BadLine> {
        let (now, mut store) = (now(), self.store());
        let read = netscape::read(text).map(|cookie| cookie.map(|cookie| store.insert(cookie, true, now)));
        read.filter_map(Result::err).collect()
    }

    /// The text of a Netscape `cookies.txt`, session cookies included (their expiry is 0), as curl writes it.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        netscape::write(self.store().all(now()))
    }

    /// Takes what an answer from `url` sets.
    pub(super) fn receive(&self, url: &Url, headers: &HeaderMap) {
        let mut fields = headers.get_all(SET_COOKIE).iter().peekable();
        if fields.peek().is_none() {
            return;
        }
        let (now, came_safely) = (now(), reach::is_secure(url));
        let mut store = self.store();
        for cookie in fields.filter_map(|field| Cookie::receive(field.as_bytes(), url, now)) {
            store.insert(cookie, came_safely, now);
        }
    }

    /// Adds to a request for `url` the cookies that fit, before those that it has.
    pub(super) fn send(&self, url: &Url, headers: &mut HeaderMap) {
        let mut field = self.store().select(url, now());
        if field.is_empty() {
            return;
        }
        for given in headers.get_all(COOKIE) {
            field.extend(b"; ");
            field.extend(given.as_bytes());
        }
        if let Ok(mut field) = HeaderValue::from_bytes(&field) {
            field.set_sensitive(true);
            headers.insert(COOKIE, field);
        }
    }

    fn store(&self) -> MutexGuard<'_, Store> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Seconds since the epoch.
fn now() -> i64 {
    Timestamp::now().as_second()
}
