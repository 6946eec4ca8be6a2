//! Which links of a page may enter a crawl. Pure: a link is judged by its URL, and by that of the page the crawl began at.
//!
//! What was decided: a host is a name and a port, where the ports of http and https are one (an origin of RFC 6454 without its
//! scheme): what else listens on a machine is none of a site's. `www.a.test` is not `a.test`. A domain is what one owner has
//! by the public-suffix list, on any port, and an address is a domain of its own. What is excluded stays out though it is included, too.

use regex::{Regex, RegexBuilder};
use url::{Position, Url};

use crate::canonical::{fingerprint, host_key, requestable, site};
use crate::job::Start;

/// How far a crawl goes from where it began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reach {
    /// That page alone.
    Page,
    /// Its host, in its folder and below.
    Prefix,
    /// Its host.
    #[default]
    Host,
    /// The hosts of its owner: `a.co.uk` and all names below it.
    Domain,
    /// Anywhere.
    Any,
}

/// Which links may enter.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    /// How far it reaches.
    pub reach: Reach,
    /// Whether the scheme has to stay what it is.
    pub same_scheme: bool,
    /// What a link has to match one of, unless there is none.
    pub include: Vec<Pattern>,
    /// What no link may match.
    pub exclude: Vec<Pattern>,
    /// The parameters that are taken off a link's query, in any case; `utm_*` stands for all that begin so.
    pub strip_query: Vec<String>,
}

/// Why a link does not enter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outside {
    /// No request can be made for it.
    Unrequestable,
    /// It is of another scheme.
    Scheme,
    /// It is too far away.
    Reach,
    /// It matches what is excluded.
    Excluded,
    /// It matches nothing of what is included.
    NotIncluded,
}

impl Scope {
    /// Judges a link of a crawl that began at `start`, as the user named it or where that led: the URL that enters, without fragment, userinfo and what is
    /// stripped.
    ///
    /// # Errors
    /// It does not enter, and why.
    pub fn judge(&self, start: &Start, link: Url) -> Result<Url, Outside> {
        let mut link = requestable(link).map_err(|_| Outside::Unrequestable)?;
        strip_query(&mut link, &self.strip_query);
        let starts = [&start.seed, &start.landed];
        if self.same_scheme && starts.iter().all(|start| link.scheme() != start.scheme()) {
            return Err(Outside::Scheme);
        }
        if !starts.iter().any(|start| self.reach.covers(start, &link)) {
            return Err(Outside::Reach);
        }
        if self.excludes(&link) {
            return Err(Outside::Excluded);
        }
        if !self.include.is_empty() && !self.include.iter().any(|pattern| pattern.matches(&link)) {
            return Err(Outside::NotIncluded);
        }
        Ok(link)
    }
}

impl Scope {
    /// Whether a link is kept out by name, wherever it leads.
    #[must_use]
    pub fn excludes(&self, link: &Url) -> bool {
        self.exclude.iter().any(|pattern| pattern.matches(link))
    }
}

impl Reach {
    /// Whether a URL is within reach of where the crawl began.
    #[must_use]
    pub fn covers(self, start: &Url, url: &Url) -> bool {
        // None is that of the scheme.
        let is_same_host = || host_key(start) == host_key(url) && start.port() == url.port();
        match self {
            Self::Page => fingerprint(start) == fingerprint(url),
            Self::Prefix => is_same_host() && url.path().starts_with(folder(start.path())),
            Self::Host => is_same_host(),
            Self::Domain => site(host_key(start)) == site(host_key(url)),
            Self::Any => true,
        }
    }
}

/// The path up to its last `/`.
fn folder(path: &str) -> &str {
    &path[..path.rfind('/').map_or(0, |slash| slash + 1)]
}

/// Takes the named parameters off a query; what is left stays as it is written.
pub fn strip_query(url: &mut Url, names: &[String]) {
    let Some(query) = url.query().filter(|_| !names.is_empty()) else { return };
    let kept: Vec<_> =
        query.split('&').filter(|parameter| !names.iter().any(|name| is_named(parameter, name))).collect();
    let kept = kept.join("&");
    if kept.len() < query.len() {
        url.set_query(Some(&*kept).filter(|kept| !kept.is_empty()));
    }
}

fn is_named(parameter: &str, name: &str) -> bool {
    let found = parameter.split('=').next().unwrap_or_default().as_bytes();
    match name.strip_suffix('*') {
        Some(start) => found.get(..start.len()).is_some_and(|found| found.eq_ignore_ascii_case(start.as_bytes())),
        None => found.eq_ignore_ascii_case(name.as_bytes()),
    }
}

/// Whether a link with this `rel` is not to be followed (WHATWG HTML, section 4.6.7.10).
#[must_use]
pub fn is_nofollow(rel: &str) -> bool {
    rel.split_ascii_whitespace().any(|word| word.eq_ignore_ascii_case("nofollow"))
}

/// What links are told by, in linear time.
#[derive(Clone, Debug)]
pub struct Pattern {
    regex: Regex,
    /// Whether it is the whole URL that matches, or its path and query.
    is_of_url: bool,
}

/// A pattern that is none, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("pattern {pattern:?}: {message}")]
pub struct Error {
    /// It, as it was given.
    pub pattern: String,
    /// What is wrong with it.
    pub message: String,
}

/// How much memory a pattern may take, in bytes.
const MAX_SIZE: usize = 1 << 20;

impl Pattern {
    /// Reads a pattern. `re:EXPRESSION` is a regular expression that matches anywhere in the URL. Anything else is
    /// compared as a whole, with `*` for any characters and everything else, a `?` too, for itself: with the URL where it begins
    /// with a scheme, and otherwise with path and query.
    ///
    /// # Errors
    /// It is no regular expression, or nothing could match it.
    pub fn parse(pattern: &str) -> Result<Self, Error> {
        let error = |message: String| Error { pattern: pattern.to_owned(), message };
        let (expression, is_of_url) = match pattern.strip_prefix("re:") {
            Some(expression) => (expression.to_owned(), true),
            None => (glob(pattern), pattern.contains("://")),
        };
        if !is_of_url && !pattern.starts_with(['/', '*']) {
            return Err(error("it has to begin with `/`, `*`, a scheme (`https://`) or `re:`".into()));
        }
        let regex = RegexBuilder::new(&expression).size_limit(MAX_SIZE).build();
        Ok(Self { regex: regex.map_err(|wrong| error(wrong.to_string()))?, is_of_url })
    }

    /// Whether a URL is told by it.
    #[must_use]
    pub fn matches(&self, url: &Url) -> bool {
        let start = if self.is_of_url { Position::BeforeScheme } else { Position::BeforePath };
        self.regex.is_match(&url[start..Position::AfterQuery])
    }
}

/// The regular expression for a pattern with `*`.
fn glob(pattern: &str) -> String {
    let parts: Vec<_> = pattern.split('*').map(regex::escape).collect();
    format!("(?s)^{}$", parts.join(".*"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    fn start(text: &str) -> Start {
        Start { seed: url(text), landed: url(text) }
    }

    fn judge(scope: &Scope, link: &str) -> Result<String, Outside> {
        scope.judge(&start("https://www.a.co.uk/docs/index.html"), url(link)).map(String::from)
    }

    #[test]
    fn a_crawl_is_where_its_seed_led_and_where_it_was_said_to_be() {
        let start = Start { seed: url("http://a.test/"), landed: url("https://www.a.test/en/") };
        let judge = |reach, link| Scope { reach, ..Scope::default() }.judge(&start, url(link)).is_ok();
        assert!(judge(Reach::Host, "https://www.a.test/x") && judge(Reach::Host, "http://a.test/x"));
        assert!(!judge(Reach::Host, "http://b.a.test/"));
        assert!(judge(Reach::Prefix, "https://www.a.test/en/x") && !judge(Reach::Prefix, "https://www.a.test/fr/"));
    }

    #[test]
    fn a_crawl_reaches_as_far_as_it_is_told() {
        use Reach::{Any, Domain, Host, Page, Prefix};
        for (link, nearest) in [
            ("https://www.a.co.uk/docs/index.html#part", Page),
            ("https://www.a.co.uk/docs/x/y", Prefix),
            ("https://www.a.co.uk/docs/", Prefix),
            ("https://www.a.co.uk/docs", Host),
            ("https://www.a.co.uk/docsx/", Host),
            ("http://www.a.co.uk/", Host),
            ("https://www.a.co.uk:443/", Host),
            ("http://www.a.co.uk:8080/", Domain),
            ("http://www.a.co.uk:443/docs/x", Domain),
            ("https://a.co.uk/docs/x", Domain),
            ("https://x.y.a.co.uk/", Domain),
            ("https://b.co.uk/", Any),
            ("https://evil-a.co.uk/", Any),
            ("https://a.co.uk.evil.test/", Any),
            ("https://10.0.0.1/", Any),
        ] {
            let all = [Page, Prefix, Host, Domain, Any];
            let first = all.iter().position(|reach| *reach == nearest).unwrap();
            for (place, reach) in all.into_iter().enumerate() {
                let scope = Scope { reach, ..Scope::default() };
                assert_eq!(judge(&scope, link).is_ok(), place >= first, "{link} {reach:?}");
            }
        }
    }

    #[test]
    fn a_host_has_the_port_that_was_named() {
        let named = url("http://a.test:8080/");
        for (link, expected) in
            [("https://a.test:8080/x", true), ("http://a.test/x", false), ("http://a.test:8081/x", false)]
        {
            assert_eq!(Reach::Host.covers(&named, &url(link)), expected, "{link}");
        }
    }

    #[test]
    fn an_address_is_a_domain_of_its_own() {
        assert!(!Reach::Domain.covers(&url("http://10.0.0.1/"), &url("http://10.1.0.1/")));
        assert!(Reach::Domain.covers(&url("http://10.0.0.1/"), &url("http://10.0.0.1:81/")));
        assert!(!Reach::Domain.covers(&url("http://[::1]/"), &url("http://[::2]/")));
    }

    #[test]
    fn the_scheme_may_have_to_stay() {
        let scope = Scope { same_scheme: true, ..Scope::default() };
        assert_eq!(judge(&scope, "http://www.a.co.uk/"), Err(Outside::Scheme));
        assert!(judge(&Scope::default(), "http://www.a.co.uk/").is_ok());
        assert_eq!(judge(&scope, "mailto:x@a.co.uk"), Err(Outside::Unrequestable));
    }

    #[test]
    fn what_is_excluded_stays_out_though_it_is_included() {
        let patterns = |all: &[&str]| all.iter().map(|one| Pattern::parse(one).unwrap()).collect::<Vec<_>>();
        let scope = Scope {
            include: patterns(&["/docs/*", "re:[?&]p=\\d+$"]),
            exclude: patterns(&["*.pdf"]),
            ..Scope::default()
        };
        assert!(judge(&scope, "https://www.a.co.uk/docs/x").is_ok());
        assert!(judge(&scope, "https://www.a.co.uk/?p=12").is_ok());
        assert_eq!(judge(&scope, "https://www.a.co.uk/docs/x.pdf"), Err(Outside::Excluded));
        assert_eq!(judge(&scope, "https://www.a.co.uk/x"), Err(Outside::NotIncluded));
    }

    #[test]
    fn a_pattern_with_stars_is_compared_as_a_whole() {
        for (pattern, path, expected) in [
            ("/a", "/a", true),
            ("/a", "/ab", false),
            ("/a*", "/a/b?c", true),
            ("*.pdf", "/x/y.pdf", true),
            ("*.pdf", "/x/y.pdf?z", false),
            ("/x?y=*", "/x?y=1", true),
            ("/x?y=*", "/xay=1", false),
            ("https://a.test/*", "/x", true),
            ("http://*", "/x", false),
            ("re:/x$", "/y/x", true),
            ("re:^/x", "/x", false),
        ] {
            let matches = Pattern::parse(pattern).unwrap().matches(&url(&format!("https://a.test{path}")));
            assert_eq!(matches, expected, "{pattern} {path}");
        }
    }

    #[test]
    fn a_pattern_that_is_none_is_told_with_what_to_do() {
        for (pattern, expected) in
            [("docs", "begin with"), ("", "begin with"), ("re:(", "unclosed"), ("re:a{9999}{999}", "size")]
        {
            let error = Pattern::parse(pattern).unwrap_err().to_string();
            assert!(error.contains(expected) && error.contains(pattern), "{error}");
        }
    }

    #[test]
    fn named_parameters_are_taken_off() {
        let names = ["utm_*", "sid"].map(String::from);
        for (query, expected) in [
            ("?a=1&utm_source=x&b", "?a=1&b"),
            ("?SID=1", ""),
            ("?sid", ""),
            ("?sidx=1", "?sidx=1"),
            ("?b=%C3&&a=+", "?b=%C3&&a=+"),
            ("?", "?"),
            ("?utm_a&utm_b=&é", "?%C3%A9"),
        ] {
            let mut stripped = url(&format!("http://a.test/{query}"));
            strip_query(&mut stripped, &names);
            assert_eq!(stripped.as_str(), format!("http://a.test/{expected}"), "{query}");
        }
    }

    #[test]
    fn nofollow_is_one_word_of_a_rel() {
        assert!(is_nofollow("external NoFollow") && !is_nofollow("nofollower") && !is_nofollow(""));
    }

    proptest! {
        #[test]
        fn a_wider_reach_covers_what_a_narrower_one_does(start in "https?://([a-c]\\.){1,3}(test|co\\.uk)(:81)?(/[ab]){0,3}", link in "https?://([a-c]\\.){1,3}(test|co\\.uk)(:81)?(/[ab]){0,3}") {
            let (start, link) = (url(&start), url(&link));
            let reaches = [Reach::Page, Reach::Prefix, Reach::Host, Reach::Domain, Reach::Any];
            let covers = reaches.map(|reach| reach.covers(&start, &link));
            prop_assert!(covers.is_sorted(), "{:?}", covers);
        }

        #[test]
        fn what_enters_would_enter_again(query in "([a-c](=[a-c])?&?){0,6}") {
            let scope = Scope { strip_query: vec!["a".into(), "b*".into()], ..Scope::default() };
            let start = start("http://x.test/");
            let once = scope.judge(&start, url(&format!("http://x.test/?{query}#f"))).unwrap();
            prop_assert!(once.query_pairs().all(|(name, _)| name != "a" && !name.starts_with('b')));
            prop_assert_eq!(scope.judge(&start, once.clone()), Ok(once));
        }
    }
}
