//! Which addresses may be reached: what a server chose is kept away from private ones.
//!
//! A page can send its reader anywhere: to the cloud's metadata service, to a router, to what listens on this machine
//! (server-side request forgery). A URL that the user named may lead everywhere; a URL that a server chose may not
//! lead to a private address, as [`DenyPrivate`] says.
//!
//! The check is on the address that is connected to, so that nothing can change in between: a name's private addresses
//! are left out of what the resolver gives the connector, and an address in the place of a name is judged before each
//! request. What has been judged so is connected to by clients with connections of their own, none of which leads to a
//! private address: a connection that the user's own URL opened to one is never used for anything else.
//!
//! Private is what the IANA special-purpose address registries (RFC 6890) do not call globally reachable. Decided
//! where they leave room:
//! - Whole blocks count, exceptions within them (a few anycast addresses that serve no pages) do not; neither do 6to4
//!   and Teredo, which are gone, nor multicast.
//! - IPv6 beyond `2000::/3`, all that is assigned as global unicast, is private: site-local and IPv4-compatible
//!   addresses, too.
//! - What stands for an IPv4 address (IPv4-mapped; the NAT64 prefix `64:ff9b::/96`) counts as that address.
//! - `168.63.129.16`, the host agent of a cloud, is private, public though its number is.
//! - An address given by `--resolve` is the user's own word: no server chose it.
//! - Where a proxy connects, names are out of reach, even where they are looked up here (`socks4`, `socks5`), as the
//!   proxy's own name is; addresses in the place of a name are not. Nobody knows where a page came from, so it counts
//!   as public.
//! - A NAT64 prefix of the network's own cannot be told from other addresses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::resolve::ASKED;
use crate::failure::{Failure, Kind};
use crate::job::Trust;

/// When a URL that a server chose may not lead to a private address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DenyPrivate {
    /// Whatever chose it.
    Always,
    /// If what chose it was served from a public address: an intranet's pages may lead around in it.
    #[default]
    FromPublic,
    /// Never: a server may choose any address.
    Never,
}

impl DenyPrivate {
    /// All of them, the strictest first.
    pub const ALL: [Self; 3] = [Self::Always, Self::FromPublic, Self::Never];

    /// The name that options use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Always => "always",
            Self::FromPublic => "from-public",
            Self::Never => "never",
        }
    }

    /// Whether a URL may not lead to a private address.
    #[must_use]
    pub fn guards(self, trust: Trust) -> bool {
        match (self, trust) {
            (_, Trust::Typed) | (Self::Never, _) => false,
            (Self::Always, Trust::Chosen { .. }) => true,
            (Self::FromPublic, Trust::Chosen { by }) => !by.is_some_and(is_private),
        }
    }
}

/// An address that a server may not choose.
#[derive(Debug, thiserror::Error)]
#[error("{whose}{address} ({block}): a server may not send us to a private address (see --deny-private)")]
pub(super) struct Forbidden {
    /// What comes before the address.
    whose: String,
    address: IpAddr,
    block: &'static str,
}

impl Forbidden {
    /// Why `address`, which stands in a URL itself, may not be asked.
    pub(super) fn literal(address: IpAddr) -> Option<Self> {
        block(address).map(|block| Self { whose: String::new(), address, block })
    }
}

impl From<&Forbidden> for Failure {
    fn from(forbidden: &Forbidden) -> Self {
        Self::new(Kind::ForbiddenAddress, forbidden.to_string())
    }
}

/// A resolver that knows public addresses alone.
///
/// Private ones are left out of what `R` finds, and if then there is none, that is an error. Where the request is not
/// guarded, one private address is enough for the error: all addresses may be tried, but not by these connections.
#[derive(Debug)]
pub(super) struct Public<R>(pub(super) R);

impl<R: Resolve> Resolve for Public<R> {
    fn resolve(&self, name: Name) -> Resolving {
        // A connection that was overtaken by an idle one is opened by a task of its own. It is guarded to be sure.
        let is_guarded = ASKED.try_with(|asked| asked.is_guarded).unwrap_or(true);
        let whose = format!("{} is at ", name.as_str());
        let found = self.0.resolve(name);
        Box::pin(async move {
            let (private, public): (Vec<_>, Vec<_>) = found.await?.partition(|address| is_private(address.ip()));
            match private.first().map(SocketAddr::ip) {
                Some(address) if public.is_empty() || !is_guarded => {
                    Err(Forbidden { whose, address, block: block(address).unwrap_or_default() }.into())
                }
                _ => Ok(Box::new(public.into_iter()) as Addrs),
            }
        })
    }
}

pub(super) fn is_private(address: IpAddr) -> bool {
    block(address).is_some()
}

/// Addresses with the same first bits, and what they are for.
struct Block<A> {
    first: A,
    bits: u32,
    name: &'static str,
}

const fn v4(first: [u8; 4], bits: u32, name: &'static str) -> Block<Ipv4Addr> {
    let [a, b, c, d] = first;
    Block { first: Ipv4Addr::new(a, b, c, d), bits, name }
}

const fn v6(first: [u16; 2], bits: u32, name: &'static str) -> Block<Ipv6Addr> {
    Block { first: Ipv6Addr::new(first[0], first[1], 0, 0, 0, 0, 0, 0), bits, name }
}

/// <https://www.iana.org/assignments/iana-ipv4-special-registry>, and multicast.
const V4: [Block<Ipv4Addr>; 16] = [
    v4([0, 0, 0, 0], 8, "this network"),
    v4([10, 0, 0, 0], 8, "private"),
    v4([100, 64, 0, 0], 10, "shared by a carrier's customers"),
    v4([127, 0, 0, 0], 8, "loopback"),
    v4([168, 63, 129, 16], 32, "host agent"),
    v4([169, 254, 0, 0], 16, "link-local"),
    v4([172, 16, 0, 0], 12, "private"),
    v4([192, 0, 0, 0], 24, "protocol assignments"),
    v4([192, 0, 2, 0], 24, "documentation"),
    v4([192, 88, 99, 0], 24, "6to4"),
    v4([192, 168, 0, 0], 16, "private"),
    v4([198, 18, 0, 0], 15, "benchmarking"),
    v4([198, 51, 100, 0], 24, "documentation"),
    v4([203, 0, 113, 0], 24, "documentation"),
    v4([224, 0, 0, 0], 4, "multicast"),
    v4([240, 0, 0, 0], 4, "reserved"),
];

/// <https://www.iana.org/assignments/iana-ipv6-special-registry> within the global unicast addresses, and names for
/// what lies beyond them.
const V6: [Block<Ipv6Addr>; 8] = [
    v6([0x2001, 0], 23, "protocol assignments"),
    v6([0x2001, 0xdb8], 32, "documentation"),
    v6([0x2002, 0], 16, "6to4"),
    v6([0x3fff, 0], 20, "documentation"),
    v6([0xfc00, 0], 7, "unique local"),
    v6([0xfe80, 0], 10, "link-local"),
    v6([0xfec0, 0], 10, "site-local"),
    v6([0xff00, 0], 8, "multicast"),
];

/// All that IANA has assigned as global unicast.
const GLOBAL_UNICAST: Block<Ipv6Addr> = v6([0x2000, 0], 3, "global unicast");

/// What makes an address private; none for a public one.
fn block(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(address) => V4.iter().find(|block| block.has(address)).map(|block| block.name),
        IpAddr::V6(address) => match embedded(address) {
            Some(address) => block(address.into()),
            None => block_v6(address),
        },
    }
}

fn block_v6(address: Ipv6Addr) -> Option<&'static str> {
    let known = V6.iter().find(|block| block.has(address)).map(|block| block.name);
    known.or_else(|| match address {
        Ipv6Addr::LOCALHOST => Some("loopback"),
        Ipv6Addr::UNSPECIFIED => Some("unspecified"),
        _ => (!GLOBAL_UNICAST.has(address)).then_some("reserved"),
    })
}

/// The IPv4 address that is connected to in the end (RFC 4291, section 2.5.5.2; RFC 6052, section 2.1).
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    match address.segments() {
        [0, 0, 0, 0, 0, 0xffff, ..] | [0x64, 0xff9b, 0, 0, 0, 0, ..] => {
            let [.., a, b, c, d] = address.octets();
            Some(Ipv4Addr::new(a, b, c, d))
        }
        _ => None,
    }
}

impl Block<Ipv4Addr> {
    fn has(&self, address: Ipv4Addr) -> bool {
        (self.first.to_bits() ^ address.to_bits()).leading_zeros() >= self.bits
    }
}

impl Block<Ipv6Addr> {
    fn has(&self, address: Ipv6Addr) -> bool {
        (self.first.to_bits() ^ address.to_bits()).leading_zeros() >= self.bits
    }
}

#[cfg(test)]
mod tests {
    use super::super::Resolution;
    use super::super::resolve::{Asked, Fixed};
    use super::*;
    use proptest::prelude::*;
    use std::collections::VecDeque;
    use std::sync::Mutex;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn private_addresses_are_known_up_to_their_last_and_no_further() {
        for (before, first, last, after) in [
            ("", "0.0.0.0", "0.255.255.255", "1.0.0.0"),
            ("9.255.255.255", "10.0.0.0", "10.255.255.255", "11.0.0.0"),
            ("100.63.255.255", "100.64.0.0", "100.127.255.255", "100.128.0.0"),
            ("126.255.255.255", "127.0.0.0", "127.255.255.255", "128.0.0.0"),
            ("168.63.129.15", "168.63.129.16", "168.63.129.16", "168.63.129.17"),
            ("169.253.255.255", "169.254.0.0", "169.254.255.255", "169.255.0.0"),
            ("172.15.255.255", "172.16.0.0", "172.31.255.255", "172.32.0.0"),
            ("191.255.255.255", "192.0.0.0", "192.0.0.255", "192.0.1.0"),
            ("192.0.1.255", "192.0.2.0", "192.0.2.255", "192.0.3.0"),
            ("192.88.98.255", "192.88.99.0", "192.88.99.255", "192.88.100.0"),
            ("192.167.255.255", "192.168.0.0", "192.168.255.255", "192.169.0.0"),
            ("198.17.255.255", "198.18.0.0", "198.19.255.255", "198.20.0.0"),
            ("198.51.99.255", "198.51.100.0", "198.51.100.255", "198.51.101.0"),
            ("203.0.112.255", "203.0.113.0", "203.0.113.255", "203.0.114.0"),
            ("223.255.255.255", "224.0.0.0", "255.255.255.255", ""),
            ("", "::", "1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2000::"),
            (
                "2000:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
                "2001::",
                "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff",
                "2001:200::",
            ),
            ("2001:db7:ffff::", "2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db9::"),
            ("2001:ffff:ffff::", "2002::", "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2003::"),
            ("3ffe:ffff::", "3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff", "3fff:1000::"),
            ("3fff:ffff::", "4000::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", ""),
        ] {
            for private in [first, last] {
                assert!(is_private(address(private)), "{private}");
            }
            for public in [before, after].into_iter().filter(|text| !text.is_empty()) {
                assert!(!is_private(address(public)), "{public}");
            }
        }
    }

    #[test]
    fn private_addresses_are_called_what_they_are() {
        for (text, name) in [
            ("127.0.0.1", "loopback"),
            ("::1", "loopback"),
            ("10.1.2.3", "private"),
            ("169.254.169.254", "link-local"),
            ("fd00:ec2::254", "unique local"),
            ("fe80::1", "link-local"),
            ("fec0::1", "site-local"),
            ("ff02::1", "multicast"),
            ("::", "unspecified"),
            ("::7f00:1", "reserved"),
            ("64:ff9b:1::7f00:1", "reserved"),
            ("::ffff:0:7f00:1", "reserved"),
            ("2002:7f00:1::", "6to4"),
            ("2001:0:a00:1::", "protocol assignments"),
            ("::ffff:169.254.169.254", "link-local"),
            ("64:ff9b::10.0.0.1", "private"),
            ("255.255.255.255", "reserved"),
        ] {
            assert_eq!(block(address(text)), Some(name), "{text}");
        }
        for public in ["1.1.1.1", "8.8.8.8", "::ffff:1.1.1.1", "64:ff9b::8.8.8.8", "2606:4700::1111", "2a00::1"] {
            assert_eq!(block(address(public)), None, "{public}");
        }
    }

    proptest! {
        #[test]
        fn what_the_standard_library_knows_is_private_here_too(v4: [u8; 4], v6: [u16; 8]) {
            let (v4, v6) = (Ipv4Addr::from(v4), Ipv6Addr::from(v6));
            let known = v4.is_private() || v4.is_loopback() || v4.is_link_local() || v4.is_multicast();
            prop_assert!(is_private(v4.into()) || !known, "{v4}");
            let known = v6.is_unique_local() || v6.is_unicast_link_local() || v6.is_multicast();
            prop_assert!(is_private(v6.into()) || !known, "{v6}");
        }

        #[test]
        fn an_address_stays_what_it_is_inside_another_one(v4: [u8; 4]) {
            let v4 = Ipv4Addr::from(v4);
            let nat64 = Ipv6Addr::from_bits(0x64_ff9b << 96 | u128::from(v4.to_bits()));
            prop_assert_eq!(block(v4.to_ipv6_mapped().into()), block(v4.into()));
            prop_assert_eq!(block(nat64.into()), block(v4.into()));
        }
    }

    #[test]
    fn what_a_server_chose_is_guarded_and_what_the_user_typed_is_not() {
        use DenyPrivate::{Always, FromPublic, Never};
        let by = |text| Trust::Chosen { by: Some(address(text)) };
        let hidden = Trust::Chosen { by: None };
        for (trust, always, from_public) in [
            (Trust::Typed, false, false),
            (by("1.1.1.1"), true, true),
            (by("2606:4700::1111"), true, true),
            (by("::ffff:1.1.1.1"), true, true),
            (hidden, true, true),
            (by("10.0.0.1"), true, false),
            (by("::1"), true, false),
            (by("::ffff:10.0.0.1"), true, false),
        ] {
            assert_eq!(
                [Always, FromPublic, Never].map(|when| when.guards(trust)),
                [always, from_public, false],
                "{trust:?}"
            );
        }
    }

    /// A resolver that gives these answers, one after the other.
    struct Scripted(Mutex<VecDeque<&'static [&'static str]>>);

    impl Scripted {
        fn new(answers: impl IntoIterator<Item = &'static [&'static str]>) -> Self {
            Self(Mutex::new(answers.into_iter().collect()))
        }
    }

    impl Resolve for Scripted {
        fn resolve(&self, _: Name) -> Resolving {
            let answer = self.0.lock().unwrap().pop_front().unwrap();
            let addresses = answer.iter().map(|text| SocketAddr::new(address(text), 0));
            Box::pin(std::future::ready(Ok(Box::new(addresses) as Addrs)))
        }
    }

    /// What `resolver` finds for a request that is guarded, or is not.
    async fn find(resolver: &impl Resolve, is_guarded: bool) -> Result<Vec<String>, String> {
        let found = async { resolver.resolve("a.test".parse().unwrap()).await };
        let found = ASKED.scope(Asked { port: 80, is_guarded }, found).await;
        let addresses = found.map_err(|error| error.to_string())?;
        Ok(addresses.map(|address| address.ip().to_string()).collect())
    }

    #[tokio::test]
    async fn private_addresses_are_left_out_of_what_a_name_has() {
        let resolver = Public(Scripted::new([&["127.0.0.1", "1.1.1.1", "::1", "2606::1"][..], &["10.0.0.1", "::1"]]));
        assert_eq!(find(&resolver, true).await.unwrap(), ["1.1.1.1", "2606::1"]);
        let message = find(&resolver, true).await.unwrap_err();
        assert!(message.starts_with("a.test is at 10.0.0.1 (private): "), "{message}");
    }

    #[tokio::test]
    async fn a_name_that_is_bound_anew_between_two_requests_is_judged_anew() {
        let resolver = Public(Scripted::new([&["1.1.1.1"][..], &["169.254.169.254"], &["1.1.1.1"]]));
        assert_eq!(find(&resolver, true).await.unwrap(), ["1.1.1.1"]);
        assert!(find(&resolver, true).await.is_err());
        assert_eq!(find(&resolver, true).await.unwrap(), ["1.1.1.1"]);
    }

    #[tokio::test]
    async fn a_request_that_may_go_anywhere_is_told_of_the_first_private_address() {
        let resolver = Public(Scripted::new([&["1.1.1.1"][..], &["1.1.1.1", "::1"]]));
        assert_eq!(find(&resolver, false).await.unwrap(), ["1.1.1.1"]);
        assert!(find(&resolver, false).await.is_err(), "other connections try all of them");
    }

    #[tokio::test]
    async fn a_connection_that_nobody_waits_for_is_guarded() {
        let resolver = Public(Scripted::new([&["1.1.1.1", "::1"][..]]));
        let found: Vec<_> = resolver.resolve("a.test".parse().unwrap()).await.unwrap().collect();
        assert_eq!(found, [SocketAddr::new(address("1.1.1.1"), 0)]);
    }

    #[tokio::test]
    async fn an_address_that_the_user_gave_for_a_name_is_no_choice_of_a_server() {
        let list = vec![Resolution { host: "a.test".into(), port: 80, addresses: vec![address("10.0.0.1")] }];
        let resolver = Fixed { family: None, list, otherwise: Public(Scripted::new([])) };
        assert_eq!(find(&resolver, true).await.unwrap(), ["10.0.0.1"]);
    }
}
