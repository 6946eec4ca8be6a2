//! Where a redirect leads (RFC 9110, section 15.4; the Fetch Standard where it is silent).

use std::net::IpAddr;

use reqwest::Method;
use reqwest::header::LOCATION;
use url::Url;

use super::Head;
use crate::canonical::requestable;
use crate::failure::{Failure, Kind};
use crate::job::Redirect;

/// The redirect that an answer asks for, which came from the address `by`. A redirect status without `Location`, or
/// with an empty one (as curl and browsers have it; to the Fetch Standard that is a loop), is an answer like any other.
pub(super) fn follow(
    from: &Url,
    method: &Method,
    head: &Head,
    by: Option<IpAddr>,
) -> Result<Option<Redirect>, Failure> {
    let Some(location) = head.headers.get(LOCATION).filter(|location| !location.is_empty()) else { return Ok(None) };
    let rewrite_to_get = match head.status {
        301 | 302 => *method == Method::POST,
        303 => *method != Method::HEAD,
        307 | 308 => false,
        _ => return Ok(None),
    };
    let location = String::from_utf8_lossy(location.as_bytes());
    let to = resolve(from, &location).map_err(|why| {
        Failure::new(Kind::Redirect, format!("{} redirects to {:?}: {why}", head.status, quotable(&location)))
    })?;
    Ok(Some(Redirect { status: head.status, to, rewrite_to_get, by }))
}

fn resolve(from: &Url, location: &str) -> Result<Url, String> {
    requestable(from.join(location).map_err(|error| error.to_string())?)
}

/// A location without what may be a password, and not too long.
fn quotable(location: &str) -> String {
    const ENOUGH: usize = 200;
    let is_scheme = |text: &&str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.:/".contains(&byte));
    let scheme = location.find("://").map(|end| &location[..end + 3]).filter(is_scheme).unwrap_or_default();
    let rest = location.rsplit_once('@').map_or(&location[scheme.len()..], |(_, rest)| rest);
    scheme.chars().chain(rest.chars()).take(ENOUGH).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::HeaderMap;

    fn redirect(status: u16, method: &Method, location: &str) -> Result<Option<Redirect>, Failure> {
        let from = Url::parse("http://a.test/dir/page?q").unwrap();
        let headers = HeaderMap::from_iter([(LOCATION, location.parse().unwrap())]);
        follow(&from, method, &Head { status, headers }, None)
    }

    fn to(location: &str) -> String {
        redirect(302, &Method::GET, location).unwrap().unwrap().to.into()
    }

    #[test]
    fn locations_are_relative_to_the_page() {
        assert_eq!(to("other"), "http://a.test/dir/other");
        assert_eq!(to("//b.test/x#part"), "http://b.test/x");
        assert_eq!(to("?p=2"), "http://a.test/dir/page?p=2");
        assert_eq!(to("#part"), "http://a.test/dir/page?q");
    }

    #[test]
    fn credentials_in_a_location_are_dropped() {
        assert_eq!(to("https://me:sesame@b.test/"), "https://b.test/");
    }

    #[test]
    fn nothing_but_http_is_followed() {
        for location in ["file:///etc/passwd", "data:text/html,x", "javascript:alert(1)", "http://", "http://a b/"] {
            let failure = redirect(302, &Method::GET, location).unwrap_err();
            assert_eq!(failure.kind, Kind::Redirect, "{location}");
        }
        let with_passwords = [
            "ftp://me:sesame@b.test/",
            "http://me:sesame@b test/",
            "me:sesame@b:x",
            "//me:sesame@b test/?from=http://a.test/",
        ];
        for location in with_passwords {
            let message =
                redirect(302, &Method::GET, location).map_or_else(|failure| failure.message, |_| String::new());
            assert!(!message.contains("sesame"), "{message}");
        }
    }

    #[test]
    fn what_no_request_can_name_is_not_followed() {
        let long = format!("/{}", "a".repeat(65_534));
        for location in [&*long, "http://a\"b.test/", "//{a}.test/", "http://a`b.test/"] {
            let failure = redirect(302, &Method::GET, location).err();
            assert!(failure.is_some_and(|failure| failure.kind == Kind::Redirect), "{location:.80}");
        }
    }

    #[test]
    fn the_method_changes_as_browsers_do_it() {
        let rewrites = |status, method| redirect(status, &method, "/x").unwrap().map(|hop| hop.rewrite_to_get);
        for (status, method, expected) in [
            (301, Method::POST, Some(true)),
            (302, Method::POST, Some(true)),
            (302, Method::PUT, Some(false)),
            (303, Method::PUT, Some(true)),
            (303, Method::HEAD, Some(false)),
            (307, Method::POST, Some(false)),
            (308, Method::POST, Some(false)),
            (300, Method::GET, None),
            (304, Method::GET, None),
            (201, Method::POST, None),
        ] {
            assert_eq!(rewrites(status, method.clone()), expected, "{status} {method}");
        }
    }
}
