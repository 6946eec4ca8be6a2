//! Which URLs are the same, and which belong to the same host.
//!
//! The `url` crate already normalises as the WHATWG URL Standard says (case, default ports, dot segments, IDNA). Two
//! URLs that differ after that in anything but their fragment are different pages: nothing else is stripped.

use std::net::Ipv4Addr;

use hyper::Uri;
use url::{Position, Url};
use xxhash_rust::xxh3::{xxh3_64, xxh3_128};

/// A 64-bit key that is equal for equal pages. Among a million URLs, two share one with probability 3 in 10⁸.
#[must_use]
pub fn fingerprint(url: &Url) -> u64 {
    xxh3_64(url[..Position::AfterQuery].as_bytes())
}

/// The same of 128 bits: among a billion URLs, two share one with probability 1 in 10²¹.
#[must_use]
pub fn wide_fingerprint(url: &Url) -> u128 {
    xxh3_128(url[..Position::AfterQuery].as_bytes())
}

/// The URL without its fragment, which is never sent.
#[must_use]
pub fn without_fragment(mut url: Url) -> Url {
    url.set_fragment(None);
    url
}

/// A URL that a server chose as it may be requested: without a fragment, and without userinfo, as what a server puts there
/// are no credentials of the user's.
///
/// # Errors
/// No request can be made for it, and why.
pub fn requestable(mut url: Url) -> Result<Url, String> {
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!("scheme {} is not followed", url.scheme()));
    }
    // Nearly none has any, and taking off what is not there takes longer than to look.
    if !url.username().is_empty() || url.password().is_some() {
        let _ = url.set_username("");
        let _ = url.set_password(None);
    }
    let url = without_fragment(url);
    // What the URL Standard allows and HTTP does not.
    if is_uri(&url) { Ok(url) } else { Err("it is too long, or its host is no host name".into()) }
}

/// The length of the longest URI that requests are made for.
const LONGEST: usize = u16::MAX as usize - 1;

/// Whether an http URL without a fragment and userinfo is a URI as well. Most are: their hosts have no other characters than
/// the names of machines, and the URL Standard encodes in paths and queries what is not for URIs.
fn is_uri(url: &Url) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    let host = url.host_str().filter(|host| !host.is_empty() && host.bytes().all(is_plain));
    host.is_some() && url.as_str().len() <= LONGEST || url.as_str().parse::<Uri>().is_ok()
}

/// The name that per-host limits go by: the host without its port.
#[must_use]
pub fn host_key(url: &Url) -> &str {
    url.host_str().unwrap_or_default()
}

/// Whether a host is an IP address: IPv6 stands in brackets, as in a URL.
#[must_use]
pub fn is_address(host: &str) -> bool {
    host.starts_with('[') || host.parse::<Ipv4Addr>().is_ok()
}

/// The part of a host that one owner has, by the list of public suffixes.
#[must_use]
pub fn site(host: &str) -> &str {
    if is_address(host) { host } else { psl::domain_str(host).unwrap_or(host) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key(url: &str) -> (u64, u128) {
        let url = Url::parse(url).unwrap();
        (fingerprint(&url), wide_fingerprint(&url))
    }

    #[test]
    fn equal_pages_have_equal_fingerprints() {
        assert_eq!(key("HTTP://Example.COM:80/a/../b#top"), key("http://example.com/b"));
        assert_eq!(key("http://bücher.example/"), key("http://xn--bcher-kva.example"));
    }

    #[test]
    fn nothing_but_the_fragment_is_ignored() {
        for other in ["http://a/p/", "http://a/p?", "http://a/p?x=1", "https://a/p", "http://a:81/p", "http://a/P"] {
            let (one, other) = (key("http://a/p"), key(other));
            assert!(one.0 != other.0 && one.1 != other.1, "{other:?}");
        }
    }

    #[test]
    fn a_host_is_its_name_whatever_the_port() {
        let [one, two] = ["http://a.test:81/x", "https://A.test/y"].map(|url| Url::parse(url).unwrap());
        assert_eq!(host_key(&one), host_key(&two));
    }

    #[test]
    fn a_url_may_be_as_long_as_a_uri() {
        for (length, is_requestable) in [(LONGEST, true), (LONGEST + 1, false)] {
            let start = "http://a.test/";
            let url = Url::parse(&(start.to_owned() + &"x".repeat(length - start.len()))).unwrap();
            assert_eq!(
                (url.as_str().parse::<Uri>().is_ok(), requestable(url).is_ok()),
                (is_requestable, is_requestable)
            );
        }
    }

    proptest! {
        #[test]
        fn what_may_be_requested_is_a_uri(
            scheme in "https?",
            host in "[a-z0-9._~!$&'()*+,;=\"`{}%|é-]{0,6}|\\[::1\\]",
            rest in "(:[0-9]{0,3})?(/[ -~éß\u{0}-\u{20}]{0,12})?",
        ) {
            let Ok(mut url) = Url::parse(&format!("{scheme}://{host}{rest}")) else { return Ok(()) };
            url.set_fragment(None);
            prop_assert_eq!(requestable(url.clone()).is_ok(), url.as_str().parse::<Uri>().is_ok(), "{}", url);
        }
    }
}
