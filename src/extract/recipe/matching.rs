//! Which URLs a recipe is for.

use url::{Position, Url};

use crate::extract::expression::{Fault, Pattern};

/// A test of URLs, as they are after the normalisation of the WHATWG URL Standard and without their fragment.
///
/// It is a glob, in which `*` stands for any characters (`/` and `?` too) and everything else for itself; the whole has to fit.
/// Where it starts tells what it is compared with: `https://shop.example/*` with all of the URL, `shop.example/lamps/*`
/// with what follows the scheme (the port included if it is not the scheme's own), `/lamps/*` with path and query. With `re:`
/// before it, it is a regular expression that is found in the URL.
#[derive(Debug)]
pub(super) struct Matching {
    /// As it is written.
    pub(super) text: Box<str>,
    test: Test,
}

#[derive(Debug)]
enum Test {
    Glob(From, Glob),
    Pattern(Pattern),
}

/// Which part of a URL is compared.
#[derive(Clone, Copy, Debug)]
enum From {
    Scheme,
    Host,
    Path,
}

/// What stands between stars.
#[derive(Debug)]
struct Glob(Vec<Box<str>>);

impl Matching {
    pub(super) fn parse(text: &str) -> Result<Self, Fault> {
        Ok(Self { text: text.into(), test: Test::parse(text)? })
    }

    pub(super) fn fits(&self, url: &Url) -> bool {
        self.test.fits(url)
    }
}

impl Test {
    fn parse(text: &str) -> Result<Self, Fault> {
        if let Some(pattern) = text.strip_prefix("re:") {
            return Pattern::new(pattern).map(Self::Pattern).map_err(|fault| fault.within("re:".len()));
        }
        if let Some((at, c)) = text.char_indices().find(|(_, c)| !c.is_ascii_graphic() || *c == '#') {
            let what = format!("{c:?} is in no URL that is requested");
            return Err(Fault::new(at, what, "write URLs as they are in `final_url`, percent-encoded; hosts as xn--…"));
        }
        let host = text.find("://").map(|at| at + "://".len());
        let from = match host {
            Some(_) => From::Scheme,
            None if text.starts_with('/') => From::Path,
            None => From::Host,
        };
        let path = text[host.unwrap_or(0)..].find('/').map(|at| at + host.unwrap_or(0));
        if path.is_none() && !text.ends_with('*') {
            let hint = "write a glob such as https://shop.example/*, shop.example/* or /products/*, or re:PATTERN";
            return Err(Fault::new(text.len(), "this fits no URL: a path is missing", hint));
        }
        // A URL's scheme and host are in lower case.
        let (host, path) = text.split_at(path.unwrap_or(text.len()));
        Ok(Self::Glob(from, Glob::new(&(host.to_ascii_lowercase() + path))))
    }

    fn fits(&self, url: &Url) -> bool {
        let part = |from| match from {
            From::Scheme => &url[..Position::AfterQuery],
            From::Host => &url[Position::BeforeHost..Position::AfterQuery],
            From::Path => &url[Position::BeforePath..Position::AfterQuery],
        };
        match self {
            Self::Glob(from, glob) => glob.fits(part(*from)),
            Self::Pattern(pattern) => pattern.is_in(part(From::Scheme)),
        }
    }
}

impl Glob {
    fn new(text: &str) -> Self {
        Self(text.split('*').map(Box::from).collect())
    }

    /// The first place of each part that stands between two stars is as good as any other, so that this takes one pass.
    fn fits(&self, text: &str) -> bool {
        let [first, between @ .., last] = &*self.0 else { return self.0.first().is_some_and(|all| **all == *text) };
        let inner = text.strip_prefix(&**first).and_then(|rest| rest.strip_suffix(&**last));
        let after = |rest: &'_ str, part: &str| rest.find(part).map(|at| at + part.len());
        inner.is_some_and(|inner| {
            between.iter().try_fold(inner, |rest, part| after(rest, part).map(|end| &rest[end..])).is_some()
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fits(pattern: &str, url: &str) -> bool {
        Matching::parse(pattern).unwrap().fits(&Url::parse(url).unwrap())
    }

    #[test]
    fn a_glob_is_for_the_part_of_the_url_that_it_begins_with() {
        for pattern in [
            "https://shop.example/lamps/1?page=2",
            "https://shop.example/*",
            "HTTPS://Shop.Example/*",
            "shop.example/lamps/*",
            "*.example/*",
            "*://*/lamps/*",
            "/lamps/*",
            "/*/1*",
            "/lamps/1?page=2",
            "*",
            "re:^https://[^/]+/lamps/",
            r"re:page=\d+$",
        ] {
            assert!(fits(pattern, "https://shop.example/lamps/1?page=2#top"), "{pattern}");
        }
        for pattern in [
            "http://shop.example/*",
            "shop.example/lamps/1",
            "/lamps",
            "/Lamps/*",
            "example/*",
            "/lamps/1?page=2*2",
            "re:^/lamps",
            "re:top",
        ] {
            assert!(!fits(pattern, "https://shop.example/lamps/1?page=2#top"), "{pattern}");
        }
        assert!(fits("shop.example:8080/*", "http://shop.example:8080/"));
        assert!(!fits("shop.example/*", "http://shop.example:8080/"));
    }

    #[test]
    fn a_glob_that_fits_no_url_is_refused_where_it_goes_wrong() {
        for (pattern, at) in
            [("", 0), ("shop.example", 12), ("http://a.test", 13), ("/a b", 2), ("/a#b", 2), ("/ü", 1), ("re:a(", 4)]
        {
            assert_eq!(Matching::parse(pattern).unwrap_err().at, at, "{pattern}");
        }
    }

    proptest! {
        #[test]
        fn a_glob_is_the_regular_expression_that_it_looks_like(glob in "[ab*]{0,8}", text in "[ab]{0,8}") {
            let pattern = format!("^{}$", glob.replace('*', ".*"));
            prop_assert_eq!(Glob::new(&glob).fits(&text), regex::Regex::new(&pattern).unwrap().is_match(&text));
        }
    }
}
