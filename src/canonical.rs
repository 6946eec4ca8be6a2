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
    let _ = url.set_username("");
    let _ = url.set_password(None);
    let url = without_fragment(url);
    match url.as_str().parse::<Uri>() {
        Ok(_) => Ok(url),
        // What the URL Standard allows and HTTP does not.
        Err(_) => Err("it is too long, or its host is no host name".into()),
    }
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
}
