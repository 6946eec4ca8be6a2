//! One cookie: read from a `Set-Cookie` field, and refused where it must be.

use std::fmt;

use url::Url;

use super::{date, reach};
use crate::canonical;

/// The longest name and value together, in bytes (RFC 6265bis, section 5.6).
const MAX_PAIR: usize = 4096;

/// An attribute whose value is longer is passed over (section 5.6).
const MAX_ATTRIBUTE: usize = 1024;

/// The longest name of a host, in bytes (RFC 1035, section 2.3.4, as text).
const MAX_HOST: usize = 253;

/// No cookie is kept for longer, whatever its server says: 400 days (section 5.5).
const MAX_LIFE: i64 = 400 * 24 * 60 * 60;

/// A cookie that may be kept.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Cookie {
    pub(super) name: Box<[u8]>,
    pub(super) value: Box<[u8]>,
    /// A host as URLs have it: in lower case, IPv6 in brackets.
    pub(super) domain: Box<str>,
    /// Whether it is for that host alone, and not for the names under it.
    pub(super) host_only: bool,
    pub(super) path: Box<str>,
    /// Whether it is sent only where nobody can read it.
    pub(super) secure: bool,
    /// Whether pages may not read it, which matters to other programs that read the file.
    pub(super) http_only: bool,
    /// When it ends, in seconds since the epoch; none: when the session does.
    pub(super) expires: Option<i64>,
}

/// The value is a secret.
impl fmt::Debug for Cookie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, domain, path, .. } = self;
        write!(f, "{}=[hidden] for {domain}{path}", name.escape_ascii())
    }
}

impl Cookie {
    /// The cookie that an answer from `url` sets by a `Set-Cookie` field, unless it may not (section 5.7).
    pub(super) fn receive(field: &[u8], url: &Url, now: i64) -> Option<Self> {
        let mut parts = field.split(|&byte| byte == b';');
        let (name, value) = pair(parts.next()?);
        let attributes = Attributes::read(parts, now);
        let (domain, host_only) = domain(url.host_str()?, attributes.domain)?;
        let cookie = Self {
            name: name.into(),
            value: value.into(),
            domain: domain.into(),
            host_only,
            path: attributes.path.as_deref().unwrap_or_else(|| reach::folder(url.path())).into(),
            secure: attributes.secure,
            http_only: attributes.http_only,
            expires: attributes.max_age.or(attributes.expires),
        };
        let is_named_path = attributes.path.is_some() || !has_prefix(&cookie.name, b"__Host-");
        let may_set = is_named_path && (!cookie.secure || reach::is_secure(url));
        (may_set && cookie.check().is_ok()).then_some(cookie)
    }

    /// Checks what holds for every cookie, wherever it comes from.
    ///
    /// # Errors
    /// Why it may not be kept.
    pub(super) fn check(&self) -> Result<(), &'static str> {
        let Self { name, value, .. } = self;
        if name.is_empty() && value.is_empty() {
            return Err("it has neither name nor value");
        }
        if name.len() + value.len() > MAX_PAIR {
            return Err("name and value have more than 4096 bytes");
        }
        // The path may be that of a URL, which servers choose, too.
        if self.domain.len() > MAX_HOST || self.path.len() > MAX_ATTRIBUTE {
            return Err("the domain has more than 253 bytes, or the path more than 1024");
        }
        // A tab in a value is harmless; in a name the file could not hold it.
        let is_control = |&byte: &u8| byte.is_ascii_control() && byte != b'\t';
        if name.iter().any(u8::is_ascii_control) || value.iter().any(is_control) {
            return Err("there is a control character in the name or value");
        }
        // The wire could not tell it from other cookies.
        if name.iter().any(|byte| matches!(byte, b';' | b'=')) || value.contains(&b';') {
            return Err("the name has a ; or =, or the value a ;");
        }
        if !self.host_only && reach::is_public_suffix(&self.domain) {
            return Err("it is for a public suffix, under which names have different owners");
        }
        self.check_prefix()
    }

    /// What a name promises (section 4.1.3); also what passes for a name on the wire where there is none.
    fn check_prefix(&self) -> Result<(), &'static str> {
        let shown = if self.name.is_empty() { &self.value } else { &self.name };
        let (is_secure, is_host) = (has_prefix(shown, b"__Secure-"), has_prefix(shown, b"__Host-"));
        if (is_secure || is_host) && (self.name.is_empty() || !self.secure) {
            return Err("its name demands that it is Secure");
        }
        if is_host && (!self.host_only || &*self.path != "/") {
            return Err("its name demands that it is for one host and the path /");
        }
        Ok(())
    }

    /// Whether both cannot be kept: the newer one takes the place of the older one.
    pub(super) fn replaces(&self, other: &Self) -> bool {
        self.name == other.name
            && self.domain == other.domain
            && self.host_only == other.host_only
            && self.path == other.path
    }

    /// Whether it would hide a Secure cookie, which nobody may do who could be anybody (section 5.7, step 15).
    pub(super) fn hides(&self, other: &Self) -> bool {
        let (mine, others) = (&self.domain, &other.domain);
        other.secure
            && self.name == other.name
            && (reach::is_within(mine, others) || reach::is_within(others, mine))
            && reach::is_beneath(&self.path, &other.path)
    }

    /// Whether it is sent with a request for `url`.
    pub(super) fn fits(&self, url: &Url) -> bool {
        let host = url.host_str().unwrap_or_default();
        let is_for_host = if self.host_only { host == &*self.domain } else { reach::is_within(host, &self.domain) };
        is_for_host && reach::is_beneath(url.path(), &self.path) && (!self.secure || reach::is_secure(url))
    }

    pub(super) fn has_expired(&self, now: i64) -> bool {
        self.expires.is_some_and(|end| end <= now)
    }
}

fn has_prefix(name: &[u8], prefix: &[u8]) -> bool {
    name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

/// `NAME=VALUE`; without `=` all of it is the value.
fn pair(text: &[u8]) -> (&[u8], &[u8]) {
    let (name, value) = match text.iter().position(|&byte| byte == b'=') {
        Some(at) => (&text[..at], &text[at + 1..]),
        None => (&text[..0], text),
    };
    (trim(name), trim(value))
}

/// Without the spaces and tabs at both ends.
fn trim(text: &[u8]) -> &[u8] {
    let is_text = |byte: &u8| !matches!(byte, b' ' | b'\t');
    let start = text.iter().position(is_text).unwrap_or(text.len());
    let end = text.iter().rposition(is_text).map_or(start, |last| last + 1);
    &text[start..end]
}

/// The domain of a cookie that `host` sets and whether it is for that host alone; none where the host may not.
fn domain(host: &str, attribute: Option<String>) -> Option<(String, bool)> {
    let Some(domain) = attribute.filter(|domain| !domain.is_empty()) else { return Some((host.into(), true)) };
    if domain == host && (canonical::is_address(host) || reach::is_public_suffix(host)) {
        return Some((domain, true));
    }
    let is_ours = reach::is_within(host, &domain) && canonical::site(host) == canonical::site(&domain);
    is_ours.then_some((domain, false))
}

/// What a `Set-Cookie` field says beyond name and value (section 5.6.1 and on). Of several of a name the last counts.
#[derive(Default)]
struct Attributes {
    domain: Option<String>,
    path: Option<String>,
    secure: bool,
    http_only: bool,
    max_age: Option<i64>,
    expires: Option<i64>,
}

impl Attributes {
    fn read<'a>(parts: impl Iterator<Item = &'a [u8]>, now: i64) -> Self {
        let mut attributes = Self::default();
        for part in parts {
            let (name, value) = match part.iter().position(|&byte| byte == b'=') {
                Some(at) => (trim(&part[..at]), trim(&part[at + 1..])),
                None => (trim(part), &b""[..]),
            };
            if value.len() <= MAX_ATTRIBUTE {
                attributes.take(&name.to_ascii_lowercase(), value, now);
            }
        }
        attributes
    }

    fn take(&mut self, name: &[u8], value: &[u8], now: i64) {
        match name {
            // What is not ASCII is no host; it stays, and nothing lies within it.
            b"domain" => {
                let value = String::from_utf8_lossy(value).to_ascii_lowercase();
                self.domain = Some(value.strip_prefix('.').unwrap_or(&value).into());
            }
            b"path" => {
                let is_path = value.starts_with(b"/") && !value.contains(&b'\t');
                self.path = is_path.then(|| String::from_utf8_lossy(value).into_owned());
            }
            b"secure" => self.secure = true,
            b"httponly" => self.http_only = true,
            b"max-age" => self.max_age = max_age(value, now).or(self.max_age),
            b"expires" => self.expires = date::parse(value).map(|end| end.min(now + MAX_LIFE)).or(self.expires),
            _ => {}
        }
    }
}

/// When a cookie ends that lasts so many seconds. What is not above 0 ends it before all time.
fn max_age(value: &[u8], now: i64) -> Option<i64> {
    let (is_negative, digits) = value.strip_prefix(b"-").map_or((false, value), |digits| (true, digits));
    if value.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    // More digits than fit are more than anybody waits for.
    let seconds = std::str::from_utf8(digits).ok()?.parse().unwrap_or(MAX_LIFE);
    let lasts = !is_negative && seconds > 0;
    Some(if lasts { now + seconds.min(MAX_LIFE) } else { i64::MIN })
}
