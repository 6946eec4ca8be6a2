//! One text → the URL that it names.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use percent_encoding::percent_decode_str;
use url::{Host, ParseError, Url};

use crate::canonical;
use crate::job::Secret;

/// The longest text that is taken for a URL, in bytes.
pub(super) const MAX_BYTES: usize = 65_534;
/// What is said of a longer one.
pub(super) const TOO_LONG: &str = "longer than 65,534 bytes";

/// A scheme that can be fetched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scheme {
    /// HTTP over TLS.
    #[default]
    Https,
    /// HTTP in the clear.
    Http,
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl Scheme {
    fn name(self) -> &'static str {
        match self {
            Self::Https => "https",
            Self::Http => "http",
        }
    }
}

impl FromStr for Scheme {
    type Err = UnsupportedScheme;

    fn from_str(name: &str) -> Result<Self, UnsupportedScheme> {
        let is = |scheme: &Self| scheme.name().eq_ignore_ascii_case(name);
        [Self::Https, Self::Http].into_iter().find(is).ok_or_else(|| UnsupportedScheme(name.into()))
    }
}

/// A scheme that cannot be fetched.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("scheme {0:.32} is not supported: only http and https")]
pub struct UnsupportedScheme(Box<str>);

/// The URL that a text names, its secrets apart.
#[derive(Debug)]
pub(super) struct Address {
    /// What to request: no userinfo, no fragment.
    pub(super) url: Url,
    /// The text, trimmed, with a scheme and without userinfo.
    pub(super) given: Box<str>,
    /// The userinfo, percent-decoded.
    pub(super) auth: Option<Secret>,
}

/// Reads `text` as a URL, or tells why it is none. The reason quotes nothing that [`redact`] would hide.
///
/// This is the WHATWG URL Standard's parser with three rules of our own: a text without scheme has `default`'s; tabs
/// and line breaks, which the standard drops silently, are errors (they tell of a table, or of a quoting gone wrong);
/// and so are hosts that no name server knows.
pub(super) fn parse(text: &str, default: Scheme) -> Result<Address, String> {
    let text = text.trim();
    if text.len() > MAX_BYTES {
        return Err(TOO_LONG.into());
    }
    if let Some(control) = text.bytes().find(u8::is_ascii_control) {
        return Err(format!("not a URL: it has the control character U+{control:04X}"));
    }
    let text = with_scheme(text, default)?;
    let mut url = Url::parse(&text).map_err(|error| match host_of(&text) {
        host if host.contains(char::is_whitespace) => "not a URL: there is a space in the host".into(),
        _ => refuse(error),
    })?;
    let auth = take_userinfo(&mut url)?;
    if let Some(Host::Domain(name)) = url.host()
        && !is_host_name(name)
    {
        return Err(no_host_name(&text));
    }
    let url = canonical::without_fragment(url);
    if url.as_str().len() > MAX_BYTES {
        return Err(TOO_LONG.into());
    }
    let given = if text.contains('@') { cut_userinfo(&text, &url).into() } else { text.into() };
    Ok(Address { url, given, auth })
}

fn refuse(error: ParseError) -> String {
    format!("not a URL: {error}")
}

/// Names the host, unless it may be the middle of a password with an `@` and a slash in it.
fn no_host_name(text: &str) -> String {
    match host_of(text) {
        name if redact(text).contains(name) => format!("not a URL: {name:.80} is no host name"),
        _ => "not a URL: its host is no host name".into(),
    }
}

/// Whether `name`, in ASCII, is a name that DNS can have (RFC 1035, section 2.3.4), made of letters, digits and
/// hyphens, and of underscores, which real hosts have against RFC 952.
fn is_host_name(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    name.len() <= 253 && name.split('.').all(is_label)
}

/// `text` with a scheme that can be fetched.
fn with_scheme(text: &str, default: Scheme) -> Result<Cow<'_, str>, String> {
    if let Some(scheme) = scheme_of(text) {
        return match scheme.parse::<Scheme>() {
            Ok(_) => Ok(Cow::Borrowed(text)),
            Err(unsupported) => Err(unsupported.to_string()),
        };
    }
    let rest = text.strip_prefix("//").unwrap_or(text);
    if rest == text && text.starts_with('/') {
        return Err("not a URL: a path without a host".into());
    }
    // The URL parser would skip these and take the first segment of a path for a host.
    if rest.starts_with(['/', '\\']) {
        return Err(refuse(ParseError::EmptyHost));
    }
    Ok(Cow::Owned(format!("{default}://{rest}")))
}

/// The scheme before the first colon (RFC 3986, section 3.1), unless a port follows: `host:8080/x` has none.
fn scheme_of(text: &str) -> Option<&str> {
    let (scheme, rest) = text.split_once(':')?;
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let is_port = digits > 0 && matches!(rest.as_bytes().get(digits), None | Some(b'/' | b'?' | b'#'));
    (is_scheme(scheme) && !is_port).then_some(scheme)
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

/// Moves the userinfo out of `url`.
fn take_userinfo(url: &mut Url) -> Result<Option<Secret>, String> {
    let decode = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let (user, password) = (decode(url.username()), url.password().map(decode));
    // Only a URL without a host refuses.
    url.set_username("").and(url.set_password(None)).map_err(|()| refuse(ParseError::EmptyHost))?;
    let is_empty = user.is_empty() && password.is_none();
    Ok((!is_empty).then(|| Secret::new(format!("{user}:{}", password.unwrap_or_default()))))
}

/// `text` as it stands but without its userinfo; `url` itself where that would name something else.
fn cut_userinfo(text: &str, url: &Url) -> String {
    let (head, rest) = text.split_at(authority_start(text));
    let cut = format!("{head}{}", &rest[userinfo_end(rest)..]);
    match Url::parse(&cut).map(canonical::without_fragment) {
        // What is left of `http::password@80` would be a host and its port.
        Ok(same) if same == *url && scheme_of(&cut).is_some() => cut,
        _ => url.as_str().to_owned(),
    }
}

/// Where the authority starts: after the scheme, if there is one, and its slashes.
fn authority_start(text: &str) -> usize {
    let scheme = text.find(':').filter(|&colon| is_scheme(&text[..colon])).map_or(0, |colon| colon + 1);
    text.len() - text[scheme..].trim_start_matches(['/', '\\']).len()
}

/// Where the userinfo of the authority that `rest` starts with ends.
fn userinfo_end(rest: &str) -> usize {
    let authority = rest.find(['/', '\\', '?', '#']).unwrap_or(rest.len());
    rest[..authority].rfind('@').map_or(0, |at| at + 1)
}

/// The host that the parser sees in `text`, as it stands there; what is in brackets only up to its first colon.
fn host_of(text: &str) -> &str {
    let rest = &text[authority_start(text)..];
    let rest = &rest[userinfo_end(rest)..];
    &rest[..rest.find([':', '/', '\\', '?', '#']).unwrap_or(rest.len())]
}

/// A text that is no URL without what could be a password in it.
///
/// Nobody knows where the userinfo of a malformed URL ends: its password may have a slash in it. So where there is a
/// colon before the last `@`, all of that goes; an `@` in the path of something like `htps://host/@name` stays, and so
/// does that of `mailto:name@host`.
pub(super) fn redact(text: &str) -> String {
    let (head, rest) = text.split_at(authority_start(text));
    let before_last = rest.rfind('@').map(|at| &rest[..at]);
    let end = match before_last {
        Some(before) if head.eq_ignore_ascii_case("mailto:") && !before.contains(':') => 0,
        Some(before) if before.contains(':') || !head.ends_with(['/', '\\']) => before.len() + 1,
        _ => userinfo_end(rest),
    };
    format!("{head}{}", &rest[end..])
}

/// As [`redact`], of a text whose end is not known: what could be the start of a password goes.
pub(super) fn redact_start(text: &str) -> String {
    let mut shown = redact(&format!("{text}@"));
    if shown.ends_with('@') {
        shown.pop();
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn reason(text: &str) -> String {
        parse(text, Scheme::Https).unwrap_err()
    }

    #[test]
    fn a_url_is_given_as_typed_and_requested_in_its_canonical_form() {
        for (text, given, url) in [
            ("https://a.test", "https://a.test", "https://a.test/"),
            ("  HTTP://A.test:80/x \t", "HTTP://A.test:80/x", "http://a.test/x"),
            ("a.test", "https://a.test", "https://a.test/"),
            ("a.test:8080/x?y#z", "https://a.test:8080/x?y#z", "https://a.test:8080/x?y"),
            ("localhost:8080", "https://localhost:8080", "https://localhost:8080/"),
            ("localhost:80?q", "https://localhost:80?q", "https://localhost:80/?q"),
            ("127.0.0.1:80/", "https://127.0.0.1:80/", "https://127.0.0.1:80/"),
            ("[::1]:80/", "https://[::1]:80/", "https://[::1]:80/"),
            ("//a.test/p", "https://a.test/p", "https://a.test/p"),
            (
                "b\u{fc}cher.example/\u{fc}",
                "https://b\u{fc}cher.example/\u{fc}",
                "https://xn--bcher-kva.example/%C3%BC",
            ),
            ("http://a.test/#top", "http://a.test/#top", "http://a.test/"),
            ("https://a.test/a b", "https://a.test/a b", "https://a.test/a%20b"),
            ("https://a.test/@name", "https://a.test/@name", "https://a.test/@name"),
            ("https:a.test", "https:a.test", "https://a.test/"),
        ] {
            let address = parse(text, Scheme::Https).unwrap();
            assert_eq!((&*address.given, address.url.as_str(), address.auth), (given, url, None), "{text}");
        }
        assert_eq!(parse("a.test", Scheme::Http).unwrap().url.as_str(), "http://a.test/");
    }

    #[test]
    fn what_is_no_url_says_why() {
        for (text, words) in [
            ("", "not a URL: empty host"),
            ("https://", "not a URL: empty host"),
            ("/etc/passwd", "not a URL: a path without a host"),
            ("/", "not a URL: a path without a host"),
            ("///x", "not a URL: empty host"),
            ("?q", "not a URL: empty host"),
            ("https://a.test:99999/", "not a URL: invalid port number"),
            ("https://a b.test/", "not a URL: there is a space in the host"),
            ("https://me:sesame@a b.test:80/", "not a URL: there is a space in the host"),
            ("hello world", "not a URL: there is a space in the host"),
            ("https://a.test\u{a0}b/", "not a URL: there is a space in the host"),
            ("https://a^b.test/ x", "not a URL: invalid international domain name"),
            ("name,website,city", "not a URL: name,website,city is no host name"),
            ("https://*.test:80/x", "not a URL: *.test is no host name"),
            ("\"a.test\"", "not a URL: \"a.test\" is no host name"),
            ("https://a..test/", "not a URL: a..test is no host name"),
            ("https://me:se@sa,me/x@a.test/", "not a URL: its host is no host name"),
            ("https://a.test/\tx", "not a URL: it has the control character U+0009"),
            ("a.test/\0", "not a URL: it has the control character U+0000"),
            ("mailto:x@a.test", "scheme mailto is not supported: only http and https"),
            ("javascript:alert(1)", "scheme javascript is not supported: only http and https"),
            ("data:text/plain,1", "scheme data is not supported: only http and https"),
            ("file:///etc/passwd", "scheme file is not supported: only http and https"),
            ("ftp://a.test/", "scheme ftp is not supported: only http and https"),
        ] {
            assert_eq!(reason(text), words, "{text}");
        }
        assert_eq!(reason(&format!("https://a.test/{}", "x".repeat(MAX_BYTES))), TOO_LONG);
        let encoded = format!("https://a.test/{}", "\u{e9}".repeat(MAX_BYTES / 6 + 1));
        assert_eq!(reason(&encoded), TOO_LONG, "six bytes each once they are encoded");
        assert!(reason(&format!("{}:x", "s".repeat(10_000))).len() < 100);
    }

    #[test]
    fn a_host_name_is_one_that_dns_can_have() {
        let label = "a".repeat(63);
        for name in ["a_b.test", "_dmarc.a.test", "-.test", "a.test.", "xn--bcher-kva.test", &label] {
            assert!(parse(name, Scheme::Https).is_ok(), "{name}");
        }
        let whole = [label.as_str(); 4].join(".");
        assert!(parse(&whole[2..], Scheme::Https).is_ok(), "253 characters");
        for name in [&whole[1..], &whole, &format!("{label}a.test")] {
            assert_eq!(reason(name), format!("not a URL: {name:.80} is no host name"));
        }
    }

    #[test]
    fn userinfo_is_moved_out_of_the_url() {
        for (text, given, auth) in [
            ("https://me:sesame@a.test/x", "https://a.test/x", "me:sesame"),
            ("https://me@a.test", "https://a.test", "me:"),
            ("https://:sesame@a.test", "https://a.test", ":sesame"),
            ("https://m%40e:se%2Fsa%3Ame@a.test", "https://a.test", "m@e:se/sa:me"),
            ("https://me:se@same@a.test/@x", "https://a.test/@x", "me:se@same"),
            ("https:\\\\me:sesame@a.test\\x", "https:\\\\a.test\\x", "me:sesame"),
            ("//me:sesame@a.test", "https://a.test", "me:sesame"),
            ("me@a.test", "https://a.test", "me:"),
            ("http::sesame@1", "http://0.0.0.1/", ":sesame"),
        ] {
            let address = parse(text, Scheme::Https).unwrap();
            assert_eq!(&*address.given, given, "{text}");
            assert_eq!(address.auth.as_ref().map(Secret::reveal), Some(auth), "{text}");
            assert_eq!((address.url.username(), address.url.password()), ("", None), "{text}");
        }
        let empty = parse("https://@a.test/", Scheme::Https).unwrap();
        assert_eq!((&*empty.given, empty.auth), ("https://a.test/", None));
    }

    #[test]
    fn a_malformed_text_is_shown_without_its_password() {
        for (text, shown) in [
            ("ftp://me:sesame@a.test/x", "ftp://a.test/x"),
            ("https://me:ses/ame@a.test/x", "https://a.test/x"),
            ("https://me:sesame@a b/x", "https://a b/x"),
            ("https://token@a b/@x", "https://a b/@x"),
            ("me:sesame@a.test", "me:a.test"),
            ("me:ses/ame@a.test", "me:a.test"),
            ("//me:sesame@", "//"),
            (r#"{"url": "https://me:sesame@a.test/x"#, "a.test/x"),
            ("htps://a.test/@name", "htps://a.test/@name"),
            ("no userinfo: here", "no userinfo: here"),
            ("mailto:a@b.test", "mailto:a@b.test"),
            ("mailto:me:sesame@a.test", "mailto:a.test"),
            ("mailto://me:sesame@a.test", "mailto://a.test"),
        ] {
            assert_eq!(redact(text), shown, "{text}");
        }
        assert_eq!(redact_start("https://me:sesa"), "https://");
        assert_eq!(redact_start("https://a.test/xxx"), "https://a.test/xxx");
    }

    proptest! {
        #[test]
        fn no_password_survives(
            prefix in "(https?:/{0,3}|ftp://|//|x:)?",
            user in "[a-z0-9%. \u{e9}]{0,6}",
            salt in "[a-z0-9:@%!$&'()*+,;=<>{}|^\"` \\[\\]\u{e9}-]{0,8}",
            host in "[a-z0-9.:\\[\\]% \u{fc}-]{0,8}",
            tail in "([/?#\\\\][ -~]{0,12})?",
        ) {
            let text = format!("{prefix}{user}:{salt}sesame@{host}{tail}");
            match parse(&text, Scheme::Https) {
                Ok(address) => {
                    prop_assert!(!format!("{address:?}").contains("sesame"), "{address:?}");
                    prop_assert!(address.auth.is_some());
                    let again = parse(&address.given, Scheme::Https).unwrap();
                    prop_assert_eq!((again.url, again.auth), (address.url, None));
                }
                Err(reason) => {
                    prop_assert!(!reason.contains("sesame"), "{reason}");
                    prop_assert!(!redact(&text).contains("sesame"), "{}", redact(&text));
                }
            }
        }

        #[test]
        fn any_text_is_taken_or_refused(text in any::<String>()) {
            let _ = parse(&text, Scheme::Http);
            let _ = redact_start(&text);
        }
    }
}
