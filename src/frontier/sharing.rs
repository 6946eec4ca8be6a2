//! Which URLs share a limit.

use url::Url;

use crate::canonical::{host_key, site};

/// What counts as one host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LimitBy {
    /// A name, whatever the port.
    #[default]
    Host,
    /// All names below one that somebody registered, by the list of public suffixes: `a.example.com` and `example.com`.
    Domain,
}

impl LimitBy {
    /// Each of them, in the order of declaration.
    pub const ALL: [Self; 2] = [Self::Host, Self::Domain];

    /// Its name, as options have it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Domain => "domain",
        }
    }
}

/// Tells which URLs share a limit.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sharing(LimitBy);

impl Sharing {
    pub(super) fn new(by: LimitBy) -> Self {
        Self(by)
    }

    /// What is equal for URLs that share a limit.
    pub(super) fn key(self, url: &Url) -> &str {
        self.name(host_key(url))
    }

    /// The name for a host and those that it shares a limit with.
    pub(super) fn name(self, host: &str) -> &str {
        match self.0 {
            LimitBy::Host => host,
            LimitBy::Domain => site(host),
        }
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
}
