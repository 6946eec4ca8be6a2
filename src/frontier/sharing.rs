//! Which URLs share a limit.
//!
//! What was decided of hosts that share an address: of several addresses the smallest stands for all, so that hosts with the
//! same ones agree; it is asked for once a run, before the first request to its host, as a run treats a host by one measure;
//! and what has none, or more of them than are remembered, stands for itself.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use url::Url;
use xxhash_rust::xxh3::xxh3_64;

use crate::canonical::{host_key, is_address, site};

/// What counts as one host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LimitBy {
    /// A name, whatever the port.
    #[default]
    Host,
    /// All names below one that somebody registered, by the list of public suffixes: `a.example.com` and `example.com`.
    Domain,
    /// All names that have the same address.
    Ip,
}

impl LimitBy {
    /// Each of them, in the order of declaration.
    pub const ALL: [Self; 3] = [Self::Host, Self::Domain, Self::Ip];

    /// Its name, as options have it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Domain => "domain",
            Self::Ip => "ip",
        }
    }
}

/// Of so many hosts the addresses are asked for, which take some 50 bytes each.
const HOSTS: usize = 1 << 20;

/// Tells which URLs share a limit.
#[derive(Debug)]
pub(super) struct Sharing {
    by: LimitBy,
    /// What stands for the hosts whose addresses were asked for, by their hash; none for those that have none.
    known: HashMap<u64, Option<Arc<str>>>,
    /// The same by address.
    addresses: HashMap<IpAddr, Arc<str>>,
}

impl Sharing {
    pub(super) fn new(by: LimitBy) -> Self {
        Self { by, known: HashMap::new(), addresses: HashMap::new() }
    }

    /// What is equal for URLs that share a limit.
    pub(super) fn key<'a>(&'a self, url: &'a Url) -> &'a str {
        self.name(host_key(url))
    }

    /// The name for a host and those that it shares a limit with.
    pub(super) fn name<'a>(&'a self, host: &'a str) -> &'a str {
        match self.by {
            LimitBy::Host => host,
            LimitBy::Domain => site(host),
            LimitBy::Ip => self.known.get(&hash(host)).and_then(Option::as_deref).unwrap_or(host),
        }
    }

    /// Whether the address of a URL's host is to be asked for first.
    pub(super) fn needs_address(&self, url: &Url) -> bool {
        if self.by != LimitBy::Ip || self.known.len() >= HOSTS {
            return false;
        }
        let host = host_key(url);
        !is_address(host) && !self.known.contains_key(&hash(host))
    }

    /// The address of a host is this one, or it has none. What was known stays: requests may be in flight there.
    pub(super) fn learn(&mut self, host: &str, address: Option<IpAddr>) {
        let name = address.map(|address| Arc::clone(self.addresses.entry(address).or_insert_with(|| name(address))));
        self.known.entry(hash(host)).or_insert(name);
    }
}

fn hash(host: &str) -> u64 {
    xxh3_64(host.as_bytes())
}

/// An address as the host of a URL.
fn name(address: IpAddr) -> Arc<str> {
    match address {
        IpAddr::V4(address) => address.to_string().into(),
        IpAddr::V6(address) => format!("[{address}]").into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_is_what_somebody_registered() {
        let key = |by, url| Sharing::new(by).key(&Url::parse(url).unwrap()).to_owned();
        assert_eq!(key(LimitBy::Host, "http://a.shop.co.uk:81/x"), "a.shop.co.uk");
        for same in ["http://a.shop.co.uk/", "https://shop.co.uk:81/x", "http://b.a.shop.co.uk/"] {
            assert_eq!(key(LimitBy::Domain, same), "shop.co.uk");
        }
        for own in ["http://127.0.0.1/", "http://[::1]/", "http://localhost/", "http://co.uk/"] {
            assert_eq!(key(LimitBy::Domain, own), key(LimitBy::Host, own), "{own}");
        }
    }

    fn url(host: &str) -> Url {
        Url::parse(&format!("http://{host}/")).unwrap()
    }

    #[test]
    fn hosts_at_an_address_share_a_name_with_the_url_that_has_it_in_place_of_one() {
        let mut sharing = Sharing::new(LimitBy::Ip);
        for (host, address) in [("a.test", Some("192.0.2.1")), ("b.test", Some("2001:db8::1")), ("c.test", None)] {
            assert!(sharing.needs_address(&url(host)));
            sharing.learn(host, address.map(|address| address.parse().unwrap()));
            sharing.learn(host, Some([192, 0, 2, 9].into()));
            assert!(!sharing.needs_address(&url(host)));
        }
        for (one, other) in [("a.test", "192.0.2.1"), ("b.test", "[2001:db8::1]"), ("c.test", "c.test")] {
            assert_eq!(sharing.name(one), sharing.name(other));
            assert!(!sharing.needs_address(&url(other)));
        }
        assert!(!Sharing::new(LimitBy::Domain).needs_address(&url("a.test")));
    }
}
