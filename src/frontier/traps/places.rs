//! Hosts and ports that links lead to: one owner may have endless names, and any name has 65,535 ports.

use std::collections::HashSet;

use url::{Position, Url};
use xxhash_rust::xxh3::xxh3_64;

use super::Kind;
use super::pattern::Pattern;
use crate::canonical::{host_key, site};

/// The hosts, and the hosts with a port, that were let in, or that the user named: by their hashes, in about 16 bytes each.
#[derive(Clone, Debug, Default)]
pub(super) struct Places {
    known: HashSet<u64>,
}

impl Places {
    /// The place of a URL is no news from now on.
    pub(super) fn add(&mut self, url: &Url) {
        self.known.insert(hash(host_key(url)));
        if url.port().is_some() {
            self.known.insert(hash(with_port(url)));
        }
    }

    /// What the place of a URL is one more of, where it is new. The domain that somebody has registered, and `www.` before
    /// it, are places that there is one of.
    pub(super) fn new_host(&self, url: &Url) -> Option<Pattern> {
        let host = host_key(url);
        if self.known.contains(&hash(host)) {
            return None;
        }
        let site = site(host);
        let is_one_of_many = host != site && host.strip_prefix("www.") != Some(site);
        is_one_of_many.then(|| Pattern { kind: Kind::Hosts, key: site.to_owned(), text: format!("*.{site}") })
    }

    /// The same of a port that is not that of the scheme.
    pub(super) fn new_port(&self, url: &Url) -> Option<Pattern> {
        url.port().filter(|_| !self.known.contains(&hash(with_port(url))))?;
        let host = host_key(url);
        Some(Pattern { kind: Kind::Ports, key: host.to_owned(), text: format!("{host}:*") })
    }
}

fn with_port(url: &Url) -> &str {
    &url[Position::BeforeHost..Position::AfterPort]
}

fn hash(place: &str) -> u64 {
    xxh3_64(place.as_bytes())
}
