//! Host names to addresses, by the system's own resolver (so that `/etc/hosts`, mDNS and VPNs count).

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::time::Instant;

use super::explain::TOO_MANY_FILES;
use super::guard::is_private;
use super::{Family, Resolution, trace};

/// How long an answer is used again, as curl does. The connections of one host come close together.
const LIFETIME: Duration = Duration::from_mins(1);

/// More hosts than this are not remembered at once.
const CAPACITY: usize = 4096;

/// What the resolver cannot see: it is asked for names alone.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    /// The port that is being connected to.
    pub(super) port: u16,
    /// Whether private addresses are out of bounds.
    pub(super) is_guarded: bool,
}

tokio::task_local! {
    /// The request that is being made.
    pub(super) static ASKED: Asked;
}

/// No address for a name.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(super) struct NoAddress {
    message: String,
    /// Whether the resolver could not tell, rather than knowing that there is none.
    pub(super) is_temporary: bool,
}

/// A caching resolver: one a run, whose clones remember the same.
#[derive(Clone, Debug)]
pub(super) struct Resolver {
    family: Option<Family>,
    known: Arc<Mutex<Known>>,
}

/// Addresses by name, and until when they are used.
type Known = HashMap<String, (Instant, Vec<SocketAddr>)>;

impl Resolver {
    pub(super) fn new(family: Option<Family>) -> Self {
        Self { family, known: Arc::default() }
    }

    /// Whether a name is known to have a private address.
    pub(super) fn knows_private(&self, name: &str) -> bool {
        self.remembered(name).is_some_and(|addresses| addresses.iter().any(|address| is_private(address.ip())))
    }

    fn remembered(&self, name: &str) -> Option<Vec<SocketAddr>> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(name).filter(|(until, _)| *until > Instant::now()).map(|(_, addresses)| addresses.clone())
    }
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        if let Some(addresses) = self.remembered(name.as_str()) {
            return Box::pin(async move { Ok(Box::new(addresses.into_iter()) as Addrs) });
        }
        let (known, family) = (Arc::clone(&self.known), self.family);
        Box::pin(async move {
            let addresses = look_up(name.as_str(), family).await?;
            let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
            if known.len() >= CAPACITY {
                known.clear();
            }
            known.insert(name.as_str().to_owned(), (Instant::now() + LIFETIME, addresses.clone()));
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

/// A resolver that goes by what the user gave before it asks `R`.
#[derive(Debug)]
pub(super) struct Fixed<R> {
    pub(super) family: Option<Family>,
    pub(super) list: Vec<Resolution>,
    pub(super) otherwise: R,
}

impl<R> Fixed<R> {
    /// The addresses that the user gave for a name.
    fn find(&self, name: &str) -> Option<Vec<SocketAddr>> {
        let port = ASKED.try_with(|asked| asked.port).ok();
        let fits =
            |fixed: &&Resolution| fixed.host.eq_ignore_ascii_case(name) && port.is_none_or(|port| port == fixed.port);
        // A later one overrides an earlier one. Port 0 stands for the URL's own.
        let fixed = self.list.iter().rev().find(fits)?;
        Some(fixed.addresses.iter().map(|&address| SocketAddr::new(address, 0)).collect())
    }
}

impl<R: Resolve> Resolve for Fixed<R> {
    fn resolve(&self, name: Name) -> Resolving {
        let Some(addresses) = self.find(name.as_str()) else { return trace::lookup(self.otherwise.resolve(name)) };
        let found = wanted(name.as_str(), addresses, self.family);
        trace::lookup(Box::pin(async move { Ok(Box::new(found?.into_iter()) as Addrs) }))
    }
}

async fn look_up(name: &str, family: Option<Family>) -> Result<Vec<SocketAddr>, BoxError> {
    ensure_files()?;
    match tokio::net::lookup_host((name, 0)).await {
        Ok(found) => wanted(name, found.collect(), family),
        Err(error) => {
            ensure_files()?;
            Err(explain(name, error))
        }
    }
}

/// Makes sure that a lookup can open what it needs: its configuration, `/etc/hosts`, a socket. When it cannot, it says
/// that the name is not known.
fn ensure_files() -> io::Result<()> {
    let [_first, _second, _third] = [open_any()?, open_any()?, open_any()?];
    Ok(())
}

fn open_any() -> io::Result<Option<File>> {
    match File::open("/dev/null") {
        Err(error) if error.raw_os_error().is_some_and(|code| TOO_MANY_FILES.contains(&code)) => Err(error),
        // A machine without that file has other sorrows.
        file => Ok(file.ok()),
    }
}

/// The addresses of the wanted family; there must be one.
fn wanted(name: &str, mut addresses: Vec<SocketAddr>, family: Option<Family>) -> Result<Vec<SocketAddr>, BoxError> {
    addresses.retain(|address| family.is_none_or(|family| family.has(address.ip())));
    if addresses.is_empty() {
        let message = format!("{name} has no {} address", family.map_or("IP", Family::name));
        return Err(NoAddress { message, is_temporary: false }.into());
    }
    Ok(addresses)
}

fn explain(name: &str, error: io::Error) -> BoxError {
    // The system's own errors (too many open files) say nothing of the name.
    if error.raw_os_error().is_some() {
        return error.into();
    }
    // getaddrinfo's codes do not come through the standard library: its words do.
    let words = error.to_string();
    let reason = words.rsplit_once(": ").map_or(words.as_str(), |(_, reason)| reason);
    let is_temporary = reason.starts_with("Temporary failure");
    NoAddress { message: format!("{name}: {reason}"), is_temporary }.into()
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;

impl Family {
    pub(super) fn has(self, address: IpAddr) -> bool {
        match self {
            Self::V4 => address.is_ipv4(),
            Self::V6 => address.is_ipv6(),
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::V4 => "IPv4",
            Self::V6 => "IPv6",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn addresses(resolver: &impl Resolve, name: &str) -> Option<Vec<String>> {
        let found = resolver.resolve(name.parse().ok()?).await.ok()?;
        Some(found.map(|address| address.ip().to_string()).collect())
    }

    fn fixed(host: &str, port: u16, address: &str) -> Resolution {
        Resolution { host: host.into(), port, addresses: vec![address.parse().unwrap()] }
    }

    #[tokio::test]
    async fn a_fixed_address_is_for_its_port_and_the_last_one_counts() {
        let list = vec![fixed("a.test", 80, "127.0.0.8"), fixed("A.test", 80, "127.0.0.9"), fixed("a.test", 81, "::1")];
        let resolver = Fixed { family: None, list, otherwise: Resolver::new(None) };
        let on = |port| ASKED.scope(Asked { port, is_guarded: false }, addresses(&resolver, "a.test"));
        assert_eq!(on(80).await.unwrap(), ["127.0.0.9"]);
        assert_eq!(on(81).await.unwrap(), ["::1"]);
    }

    #[tokio::test]
    async fn only_addresses_of_the_wanted_family_count() {
        let resolver = Resolver::new(Some(Family::V4));
        assert_eq!(addresses(&resolver, "localhost").await.unwrap(), ["127.0.0.1"]);
    }
}
