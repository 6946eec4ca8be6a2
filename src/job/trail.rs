//! How far the work on a target has come.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use url::Url;

use super::link::{Departure, Found, Link, LinkKind, Start};
use super::{Secret, Stored};
use crate::canonical::fingerprint;

/// A redirect that was followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hop {
    /// The status that the server answered with.
    pub status: u16,
    /// The URL that was requested and answered so.
    pub url: Url,
}

/// Who chose a URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// The user.
    Typed,
    /// A server.
    Chosen {
        /// The address that it answered from; none where a proxy hides it.
        by: Option<IpAddr>,
    },
}

/// What a server said of the version of a page that it sent (RFC 9110, section 8.8), as it said it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Validators {
    /// The `ETag`: weak ones are as good as strong ones, since whole pages are asked for.
    pub etag: Option<Box<str>>,
    /// The `Last-Modified`.
    pub last_modified: Option<Box<str>>,
}

/// What a job asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Role {
    /// A page, whose outcome is a record.
    #[default]
    Page,
    /// The rules of an origin, robots.txt: jobs of its host wait for them. There is no record.
    Robots,
    /// A sitemap or a feed: it names pages. There is a record only where it fails and a seed names it.
    ///
    /// At `/robots.txt` it stands for all the sitemaps of that origin: nobody is asked for it, but for the origin's rules,
    /// which name them.
    Sitemap,
    /// The address of a host, which others may share: jobs of that host wait for it. No request is made, and there is no
    /// record.
    Address,
}

/// How far the work on a target has come: the request to make next, and what lies behind it.
#[derive(Clone, Debug)]
pub struct Trail {
    /// The URL to request.
    pub url: Url,
    /// Who chose it.
    pub trust: Trust,
    /// The redirects that led there.
    pub hops: Vec<Hop>,
    /// How many times it is being tried, counted from 1. A redirect is no new attempt.
    pub attempt: u32,
    /// How long the requests of this attempt have taken so far, redirects included, time queued excluded.
    pub spent: Duration,
    /// Credentials for the origin of the seed, and for no other.
    pub auth: Option<Secret>,
    /// Whether a redirect turned the method into GET (RFC 9110, section 15.4).
    pub rewrite_to_get: bool,
    /// Whether the connection may be kept for another request.
    pub keep_alive: bool,
    /// Whether a body once found no memory: room for the largest one is then made before it is asked for.
    pub is_large: bool,
    /// What is asked for.
    pub role: Role,
    /// How it came in; none for what a seed names.
    pub found: Option<Box<Found>>,
    /// The answer, where nobody is to be asked for it.
    pub stored: Option<Arc<Stored>>,
    /// The version of the page that is known: only another one is asked for.
    pub validators: Option<Box<Validators>>,
}

impl Trail {
    /// The start of the work on `url`, which the user typed.
    #[must_use]
    pub fn new(url: Url, auth: Option<Secret>) -> Self {
        Self {
            url,
            trust: Trust::Typed,
            hops: Vec::new(),
            attempt: 1,
            spent: Duration::ZERO,
            auth,
            rewrite_to_get: false,
            keep_alive: true,
            is_large: false,
            role: Role::Page,
            found: None,
            stored: None,
            validators: None,
        }
    }

    /// The way to an answer that is there.
    #[must_use]
    pub fn to_stored(stored: Arc<Stored>) -> Self {
        let trail = Self::new(stored.url.clone(), None);
        let (hops, attempt, spent) = (stored.hops.clone(), stored.attempt, stored.spent);
        Self { hops, attempt, spent, stored: Some(stored), ..trail }
    }

    /// The same request once more, with the time of an attempt before it.
    #[must_use]
    pub fn retry(self) -> Self {
        Self { attempt: self.attempt + 1, spent: Duration::ZERO, ..self }
    }

    /// The request that a redirect asks for.
    #[must_use]
    pub fn hop(mut self, redirect: Redirect) -> Self {
        let url = std::mem::replace(&mut self.url, redirect.to);
        self.hops.push(Hop { status: redirect.status, url });
        let trust = Trust::Chosen { by: redirect.by };
        let rewrite_to_get = self.rewrite_to_get || redirect.rewrite_to_get;
        Self { trust, rewrite_to_get, validators: None, ..self }
    }

    /// The way to the rules of the origin that this one is at.
    #[must_use]
    pub fn to_robots(&self) -> Self {
        let mut url = self.url.clone();
        url.set_path("/robots.txt");
        url.set_query(None);
        let found = Found::new(self.departure(), LinkKind::Crawled, self.depth());
        Self {
            trust: self.trust,
            role: Role::Robots,
            rewrite_to_get: true,
            found: Some(Box::new(found)),
            ..Self::new(url, self.auth.clone())
        }
    }

    /// The way to the address of the host that this one is at.
    #[must_use]
    pub fn to_address(&self) -> Self {
        Self { trust: self.trust, role: Role::Address, ..Self::new(self.url.clone(), None) }
    }

    /// From where the links of this page lead on.
    #[must_use]
    pub fn departure(&self) -> Departure {
        let start = match &self.found {
            Some(found) => Arc::clone(&found.from.start),
            None => Arc::new(Start { seed: self.first_url().clone(), landed: self.url.clone() }),
        };
        Departure { start, page: Arc::new(self.url.clone()) }
    }

    /// The request for a page that this one leads to; none where that was asked for in its list before.
    ///
    /// A page that is named is asked for by GET, as a browser would; counting repeats the request that was made.
    #[must_use]
    pub fn follow(&self, link: &Link, from: &Departure) -> Option<Self> {
        let mut seen = Vec::new();
        if link.kind.pages().is_some() {
            seen.extend(self.found.iter().flat_map(|found| &found.seen));
            seen.extend(self.hops.iter().map(|hop| &hop.url).chain([&self.url]).map(fingerprint));
            if seen.contains(&fingerprint(&link.url)) {
                return None;
            }
        }
        let (page, depth) = match link.kind {
            LinkKind::Next { .. } | LinkKind::Counted { .. } | LinkKind::Sitemap { .. } => {
                (self.page() + 1, self.depth())
            }
            LinkKind::Crawled | LinkKind::Checked => (1, self.depth() + 1),
            LinkKind::Listed { .. } => (1, self.depth()),
        };
        let is_counted = matches!(link.kind, LinkKind::Counted { .. });
        let role = if matches!(link.kind, LinkKind::Sitemap { .. }) { Role::Sitemap } else { Role::Page };
        Some(Self {
            trust: link.trust,
            role,
            rewrite_to_get: !is_counted || self.rewrite_to_get,
            found: Some(Box::new(Found { page, seen, ..Found::new(from.clone(), link.kind, depth) })),
            ..Self::new(link.url.clone(), self.auth.clone())
        })
    }

    /// The request for a page that belongs to no list, as [`follow`](Self::follow) makes it, but for the credentials.
    #[must_use]
    pub fn to_found(url: Url, trust: Trust, found: Found) -> Self {
        let role = if matches!(found.kind, LinkKind::Sitemap { .. }) { Role::Sitemap } else { Role::Page };
        Self { trust, role, rewrite_to_get: true, found: Some(Box::new(found)), ..Self::new(url, None) }
    }

    /// Whether it stands for all the sitemaps of an origin.
    #[must_use]
    pub fn is_to_all_sitemaps(&self) -> bool {
        self.role == Role::Sitemap && self.hops.is_empty() && is_all_sitemaps(&self.url)
    }

    /// The number of the page in its list, from 1.
    #[must_use]
    pub fn page(&self) -> u32 {
        self.found.as_ref().map_or(1, |found| found.page)
    }

    /// How many links lie between the page and its seed.
    #[must_use]
    pub fn depth(&self) -> u32 {
        self.found.as_ref().map_or(0, |found| found.depth)
    }

    /// Whether a shorter way to the page may still be found.
    #[must_use]
    pub fn may_be_nearer(&self) -> bool {
        self.found.as_ref().is_some_and(|found| found.may_be_nearer)
    }

    /// The page that led there; none for that of a seed.
    #[must_use]
    pub fn referrer(&self) -> Option<&Url> {
        self.found.as_ref().map(|found| &*found.from.page)
    }

    /// What the page is to the one before; none for the page of a seed.
    #[must_use]
    pub fn kind(&self) -> Option<LinkKind> {
        self.found.as_ref().map(|found| found.kind)
    }

    /// Whether nobody needs the body of its answer.
    #[must_use]
    pub fn is_checked(&self) -> bool {
        self.kind() == Some(LinkKind::Checked) && self.role == Role::Page
    }

    /// The URL that the seed named: what is meant for its origin goes nowhere else.
    #[must_use]
    pub fn seed_url(&self) -> &Url {
        self.found.as_ref().map_or_else(|| self.first_url(), |found| &found.from.start.seed)
    }

    /// Whether the next request goes to the origin (scheme, host and port) that the user named.
    #[must_use]
    pub fn is_at_seed_origin(&self) -> bool {
        self.is_of_seed() || self.seed_url().origin() == self.url.origin()
    }

    /// Whether the first request, before any redirect, went to the origin that the user named.
    #[must_use]
    pub fn began_at_seed_origin(&self) -> bool {
        self.found.is_none() || self.seed_url().origin() == self.first_url().origin()
    }

    fn is_of_seed(&self) -> bool {
        self.hops.is_empty() && self.found.is_none()
    }

    /// The URL that was asked for first, before any redirect.
    #[must_use]
    pub fn first_url(&self) -> &Url {
        self.hops.first().map_or(&self.url, |hop| &hop.url)
    }
}

/// Whether a URL, taken for that of a sitemap, stands for all those of its origin.
#[must_use]
pub fn is_all_sitemaps(url: &Url) -> bool {
    url.path() == "/robots.txt" && url.query().is_none()
}

/// Where a redirect leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redirect {
    /// The status that the server answered with.
    pub status: u16,
    /// The next URL: http or https.
    pub to: Url,
    /// Whether the next request is a GET whatever this one was.
    pub rewrite_to_get: bool,
    /// The address that said so; none where a proxy hides it.
    pub by: Option<IpAddr>,
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;

    const NEXT: LinkKind = LinkKind::Next { pages: NonZeroU32::MAX };

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn a_secret_is_never_printed() {
        let trail = Trail::new(url("http://a.test/"), Some(Secret::new("me:sesame")));
        assert!(!format!("{trail:?}").contains("sesame"));
    }

    #[test]
    fn a_hop_keeps_the_attempt_and_the_time_and_a_retry_keeps_the_hops() {
        let mut trail = Trail::new(url("http://a.test/"), None);
        trail.spent = Duration::from_secs(3);
        let by = Some(IpAddr::from([192, 0, 2, 1]));
        let redirect = Redirect { status: 303, to: url("https://a.test/b"), rewrite_to_get: true, by };
        let hopped = trail.hop(redirect);
        assert_eq!((hopped.attempt, hopped.spent), (1, Duration::from_secs(3)));
        assert!(!hopped.is_at_seed_origin(), "another scheme is another origin");
        let retried = hopped.retry();
        assert_eq!((retried.attempt, retried.spent), (2, Duration::ZERO));
        assert_eq!(retried.trust, Trust::Chosen { by }, "it is still the server's choice");
        assert_eq!(retried.hops, [Hop { status: 303, url: url("http://a.test/") }]);
        assert!(retried.rewrite_to_get);
    }

    fn link(to: &str, kind: LinkKind) -> Link {
        Link { url: url(to), trust: Trust::Chosen { by: None }, kind, input: None, is_admitted: false }
    }

    #[test]
    fn a_chain_ends_where_it_would_begin_anew() {
        let first = Trail::new(url("http://a.test/1"), None);
        let redirect = Redirect { status: 302, to: url("http://a.test/2b"), rewrite_to_get: false, by: None };
        let second = first.follow(&link("http://a.test/2", NEXT), &first.departure()).unwrap().hop(redirect);
        assert_eq!((first.page(), second.page()), (1, 2));
        for seen in ["http://a.test/1", "http://a.test/2", "http://a.test/2b"] {
            assert!(second.follow(&link(seen, NEXT), &second.departure()).is_none(), "{seen}");
        }
        let third = second.follow(&link("http://a.test/3", NEXT), &second.departure()).unwrap();
        assert_eq!((third.page(), third.attempt, &*third.hops), (3, 1, &[][..]));
    }

    #[test]
    fn a_chain_comes_home_when_it_comes_to_the_origin_of_its_seed() {
        let first = Trail::new(url("http://a.test/1"), Some(Secret::new("me:sesame")));
        let abroad = first.follow(&link("http://b.test/2", NEXT), &first.departure()).unwrap();
        assert!(!abroad.is_at_seed_origin() && !abroad.began_at_seed_origin());
        let home = abroad.follow(&link("http://a.test/3", NEXT), &abroad.departure()).unwrap();
        assert!(home.is_at_seed_origin() && home.began_at_seed_origin());
        assert_eq!(home.seed_url(), &first.url);
    }

    #[test]
    fn a_page_that_is_named_is_asked_for_by_get_and_counting_repeats_the_request() {
        let first = Trail::new(url("http://a.test/1"), None);
        let follow = |kind| first.follow(&link("http://a.test/2", kind), &first.departure()).unwrap();
        assert!(follow(NEXT).rewrite_to_get);
        assert!(!follow(LinkKind::Counted { items: 1, pages: NonZeroU32::MAX }).rewrite_to_get);
    }
}
