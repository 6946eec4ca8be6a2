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
//! - Where a proxy connects, names are out of reach, addresses in the place of a name are not; and as nobody knows where
//!   a page came from, it counts as public.

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
