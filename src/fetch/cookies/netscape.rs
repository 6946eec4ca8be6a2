//! The file format of Netscape's `cookies.txt`, which curl, wget and the exporters of browsers share: a line a cookie,
//! seven fields with tabs between them.
//!
//! ```text
//! [#HttpOnly_]domain  names-under-it-too  path  secure  expires  name  value
//! ```
//!
//! The flags are `TRUE` and `FALSE`, the expiry is in seconds since the epoch and 0 for a session cookie, other lines
//! that start with `#` are comments. The value is all that follows the sixth tab, tabs included; where even that is
//! missing it is empty.

use std::fmt;

use url::Host;

use super::cookie::Cookie;
use crate::canonical;

const HEADER: &str = "# Netscape HTTP Cookie File\n# Its values are secrets: who has them is logged in.\n\n";

/// What stands before the domain of a cookie that pages may not read.
const HTTP_ONLY: &[u8] = b"#HttpOnly_";

/// A line that holds no cookie that may be kept. It is not quoted: values are secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadLine {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong with it.
    pub reason: &'static str,
}

impl fmt::Display for BadLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.line, self.reason)
    }
}

/// The cookies of a file, those that have expired too, and the lines that are wrong.
pub(super) fn read(text: &[u8]) -> impl Iterator<Item = Result<Cookie, BadLine>> {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    (1..).zip(text.split(|&byte| byte == b'\n')).filter_map(|(line, text)| {
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        let (http_only, text) = text.strip_prefix(HTTP_ONLY).map_or((false, text), |text| (true, text));
        let is_comment = !http_only && text.starts_with(b"#");
        let is_blank = text.iter().all(u8::is_ascii_whitespace);
        (!is_comment && !is_blank).then(|| parse(text, http_only).map_err(|reason| BadLine { line, reason }))
    })
}

fn parse(line: &[u8], http_only: bool) -> Result<Cookie, &'static str> {
    let fields: Vec<_> = line.splitn(7, |&byte| byte == b'\t').collect();
    let [domain, with_names_under_it, path, secure, expires, name, value @ ..] = &*fields else {
        return Err("there are fewer than six fields with tabs between them");
    };
    let domain = host(domain).ok_or("the domain is none")?;
    let with_names_under_it = flag(with_names_under_it).ok_or("the second field is neither TRUE nor FALSE")?;
    let path = text(path).filter(|path| path.starts_with('/')).ok_or("the path does not start with /")?;
    let secure = flag(secure).ok_or("the fourth field is neither TRUE nor FALSE")?;
    let expires = text(expires).and_then(seconds).ok_or("the expiry is no number of seconds")?;
    let cookie = Cookie {
        name: (*name).into(),
        value: value.first().copied().unwrap_or_default().into(),
        host_only: !with_names_under_it || canonical::is_address(&domain),
        domain: domain.into(),
        path: path.into(),
        secure,
        http_only,
        expires: (expires != 0).then_some(expires),
    };
    cookie.check().map(|()| cookie)
}

fn text(field: &[u8]) -> Option<&str> {
    std::str::from_utf8(field).ok()
}

fn flag(field: &[u8]) -> Option<bool> {
    let is = |word: &[u8]| field.eq_ignore_ascii_case(word);
    (is(b"TRUE") || is(b"FALSE")).then(|| is(b"TRUE"))
}

/// A number; one that does not fit lies far in the future, or far in the past.
fn seconds(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let far = if text.starts_with('-') { i64::MIN } else { i64::MAX };
    is_number.then(|| text.parse().unwrap_or(far))
}

/// A host as URLs have it. The dot that may stand before it says what the second field says.
fn host(field: &[u8]) -> Option<String> {
    let field = text(field)?;
    let field = field.strip_prefix('.').unwrap_or(field);
    let is_bare = field.contains(':') && !field.starts_with('[');
    let host = if is_bare { Host::parse(&format!("[{field}]")) } else { Host::parse(field) };
    host.ok().map(|host| host.to_string())
}

/// The text of a file with these cookies.
pub(super) fn write<'a>(cookies: impl Iterator<Item = &'a Cookie>) -> Vec<u8> {
    let mut text = HEADER.as_bytes().to_vec();
    for cookie in cookies {
        if cookie.http_only {
            text.extend(HTTP_ONLY);
        }
        let dot = if cookie.host_only { "" } else { "." };
        let domain = cookie.domain.trim_start_matches('[').trim_end_matches(']');
        let flag = |is| if is { "TRUE" } else { "FALSE" };
        let (under, path, secure) = (flag(!cookie.host_only), &cookie.path, flag(cookie.secure));
        let expires = cookie.expires.unwrap_or(0);
        text.extend(format!("{dot}{domain}\t{under}\t{path}\t{secure}\t{expires}\t").bytes());
        text.extend(&*cookie.name);
        text.push(b'\t');
        text.extend(&*cookie.value);
        text.push(b'\n');
    }
    text
}
