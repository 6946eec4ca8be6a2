//! The connections: clients that share them, built when the first URL needs them.
//!
//! A kept connection on which anything came since the last answer is dropped, by hyper, and the request that was to use
//! it gets another one. What comes once the request has been written cannot be told from its answer (RFC 9112, section
//! 11.2): a server, or whoever writes into its answers, can deceive about its own pages, and never about those of
//! another origin, as no two share a connection.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use hyper_util::client::proxy::matcher::Matcher;
use reqwest::dns::Resolve;
use reqwest::{Client, ClientBuilder, Request, Response};
use tower::util::MapResponseLayer;
use url::{Host, Url};

use super::Error;
use super::files::Files;
use super::guard::{DenyPrivate, Forbidden, Public, is_private};
use super::kept::Answered;
use super::resolve::{ASKED, Asked, Fixed, Resolver};
use super::trace;
use crate::failure::{Failure, Kind, Retry};
use crate::job::Trail;

/// An address family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

/// Addresses that the user gives for a host and port, in place of the resolver's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolution {
    /// The host name.
    pub host: String,
    /// The port.
    pub port: u16,
    /// The addresses to connect to.
    pub addresses: Vec<IpAddr>,
}

/// How connections are made.
#[derive(Clone, Debug)]
pub struct Options {
    /// The time for name, connection and TLS handshake.
    pub connect_timeout: Duration,
    /// How many idle connections are kept for a host.
    pub idle_per_host: usize,
    /// How long an idle connection is kept. With HTTP/2, a server that has been silent for so long while it is asked
    /// something must answer a ping within twice that time.
    pub idle_timeout: Duration,
    /// The proxy for all requests.
    pub proxy: Option<String>,
    /// Whether the environment (`HTTP_PROXY` and the like) may name a proxy where the options do not.
    pub proxy_from_environment: bool,
    /// Whether certificates are not verified.
    pub insecure: bool,
    /// A PEM file with the only certificates to trust.
    pub ca_certificates: Option<PathBuf>,
    /// PEM files with the client's certificate chain and its key; they may be one.
    pub identity: Vec<PathBuf>,
    /// The only address family to use.
    pub family: Option<Family>,
    /// Addresses in place of the resolver's.
    pub resolutions: Vec<Resolution>,
    /// When a URL that a server chose may not lead to a private address.
    pub deny_private: DenyPrivate,
    /// Whether a [`Trace`](super::Trace) tells of connecting and of TLS: both cost each request something.
    pub trace: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            idle_per_host: 8,
            idle_timeout: Duration::from_secs(5),
            proxy: None,
            proxy_from_environment: true,
            insecure: false,
            ca_certificates: None,
            identity: Vec::new(),
            family: None,
            resolutions: Vec::new(),
            deny_private: DenyPrivate::default(),
            trace: false,
        }
    }
}

/// The clients of a run.
#[derive(Debug)]
pub(super) struct Clients {
    /// No connection of these leads to a private address.
    public: Pair,
    /// The connections of these lead anywhere.
    open: Pair,
    /// Whether an answer had more than [few](Fields::Few).
    had_many: AtomicBool,
    answered: Answered,
    files: Files,
    resolver: Resolver,
    /// The proxies that the environment names.
    environment: Option<Matcher>,
    options: Options,
}

/// One client for http and one for https: a list of http URLs never loads the trusted certificates, which takes
/// longer than everything else at the start.
#[derive(Debug, Default)]
struct Pair {
    plain: ByFields,
    secure: ByFields,
}

type ByFields = [OnceLock<Result<Client, Failure>>; 2];

/// How many [many](Fields::Many) are.
pub(super) const MAX_FIELDS: usize = 1024;

/// How many fields an answer may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fields {
    /// As many as hyper keeps on the stack, 100. For more it finds memory for the most that there may be before it reads
    /// an answer: 1.06 times the CPU of a small page.
    Few,
    /// Enough for any real answer; lenient where browsers are.
    Many,
}

/// Where a request may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// To public addresses alone: a server chose its URL.
    Guarded,
    /// Anywhere. Its name may have public addresses alone: it is tried with the connections to those, so that its
    /// redirects, which are guarded, find them open.
    Free,
    /// Anywhere, and by the connections that lead there.
    Open,
}

impl Clients {
    pub(super) fn new(options: Options) -> Result<Self, Error> {
        let files = Files::read(&options)?;
        Ok(Self::with(options, files))
    }

    /// Clients whose options have been read.
    pub(super) fn with(options: Options, files: Files) -> Self {
        let resolver = Resolver::new(options.family);
        let environment = (files.proxy.is_none() && options.proxy_from_environment).then(Matcher::from_system);
        Self {
            public: Pair::default(),
            open: Pair::default(),
            had_many: AtomicBool::new(false),
            answered: Answered::default(),
            files,
            resolver,
            environment,
            options,
        }
    }

    pub(super) fn connect_timeout(&self) -> Duration {
        self.options.connect_timeout
    }

    /// How far the request that `trail` names may reach.
    ///
    /// # Errors
    /// Its URL has an address in the place of a name, which is forbidden or of the other family.
    pub(super) fn reach(&self, trail: &Trail) -> Result<Reach, Failure> {
        let address = literal(&trail.url);
        if let (Some(family), Some(address)) = (self.options.family, address)
            && !family.has(address)
        {
            return Err(Failure::new(Kind::Connect, format!("{address} is no {} address", family.name()))
                .with_retry(Retry::Never));
        }
        let is_guarded = self.options.deny_private.guards(trail.trust);
        match address.and_then(Forbidden::literal) {
            Some(forbidden) if is_guarded => Err((&forbidden).into()),
            Some(_) => Ok(Reach::Open),
            None if self.is_proxied(&trail.url) => Ok(Reach::Open),
            None if is_guarded => Ok(Reach::Guarded),
            None if trail.url.host_str().is_some_and(|name| self.resolver.knows_private(name)) => Ok(Reach::Open),
            None => Ok(Reach::Free),
        }
    }

    /// Whether an answer that came from the address `by` may be used where the request that `trail` names may be made.
    pub(super) fn may_use(&self, trail: &Trail, by: Option<IpAddr>) -> bool {
        let is_guarded = self.options.deny_private.guards(trail.trust);
        !(is_guarded && by.is_some_and(is_private))
    }

    /// What an answer from `url` depends on beside the request.
    pub(super) fn circumstances(&self, url: &Url) -> String {
        let is_of = |given: &&Resolution| {
            url.host_str() == Some(&given.host) && url.port_or_known_default() == Some(given.port)
        };
        let resolved: Vec<_> = self.options.resolutions.iter().filter(is_of).map(|given| &given.addresses).collect();
        let is_trusted = url.scheme() == "https" && self.options.insecure;
        format!("{is_trusted} {resolved:?}")
    }

    /// The client for a URL.
    pub(super) fn of(&self, url: &Url, reach: Reach, fields: Fields) -> Result<&Client, Failure> {
        let pair = if reach == Reach::Open { &self.open } else { &self.public };
        let client = match url.scheme() {
            "https" => pair.secure[fields as usize].get_or_init(|| self.build(self.trust(), reach, fields)),
            _ => pair.plain[fields as usize].get_or_init(|| self.build(self.plain_trust(), reach, fields)),
        };
        client.as_ref().map_err(Clone::clone)
    }

    /// How many fields an answer may have: many where it can be asked for only once, and since one had.
    pub(super) fn fields(&self, is_idempotent: bool) -> Fields {
        let are_few = is_idempotent && !self.had_many.load(Ordering::Relaxed);
        if are_few { Fields::Few } else { Fields::Many }
    }

    /// The same after an answer had more than few.
    pub(super) fn more_fields(&self) -> Fields {
        self.had_many.store(true, Ordering::Relaxed);
        Fields::Many
    }

    /// How many connections to one host may be idle.
    pub(super) fn idle_per_host(&self) -> usize {
        self.options.idle_per_host
    }

    /// Sends a request; the answer comes back once its head is there.
    pub(super) async fn execute(&self, client: &Client, request: Request, reach: Reach) -> reqwest::Result<Response> {
        let port = request.url().port_or_known_default().unwrap_or_default();
        let asked = Asked { port, is_guarded: reach == Reach::Guarded };
        trace::sent();
        let response = ASKED.scope(asked, client.execute(request)).await?;
        self.answered.remember(&response);
        Ok(response)
    }

    /// Whether the connection on which a request failed had answered another one before; asked once.
    pub(super) fn had_answered(&self, error: &reqwest::Error) -> bool {
        self.answered.forget(error)
    }

    /// The address that a response came from; none where a proxy hides it.
    pub(super) fn address(&self, url: &Url, response: &Response) -> Option<IpAddr> {
        let connected = || response.remote_addr().filter(|_| !self.is_proxied(url)).map(|address| address.ip());
        literal(url).or_else(connected)
    }

    /// The smallest address of the host that `trail` is at; none where a proxy hides it.
    pub(super) async fn look_up(&self, trail: &Trail) -> Option<IpAddr> {
        let reach = self.reach(trail).ok().filter(|_| !self.is_proxied(&trail.url))?;
        let port = trail.url.port_or_known_default().unwrap_or_default();
        let asked = Asked { port, is_guarded: reach == Reach::Guarded };
        let reach = if asked.is_guarded { reach } else { Reach::Open };
        let (resolver, name) = (self.resolver(reach), trail.url.host_str()?.parse().ok()?);
        let found = ASKED.scope(asked, async { resolver.resolve(name).await }).await.ok()?;
        found.map(|address| address.ip().to_canonical()).min()
    }

    /// Whether a proxy stands before a URL.
    pub(super) fn is_proxied(&self, url: &Url) -> bool {
        let by_environment =
            |matcher: &Matcher| url.as_str().parse().is_ok_and(|uri| matcher.intercept(&uri).is_some());
        self.files.proxy.is_some() || self.environment.as_ref().is_some_and(by_environment)
    }

    fn resolver(&self, reach: Reach) -> Arc<dyn Resolve> {
        let (family, list) = (self.options.family, self.options.resolutions.clone());
        let resolver = self.resolver.clone();
        match reach {
            Reach::Open => Arc::new(Fixed { family, list, otherwise: resolver }),
            Reach::Guarded | Reach::Free => Arc::new(Fixed { family, list, otherwise: Public(resolver) }),
        }
    }

    fn build(&self, builder: ClientBuilder, reach: Reach, fields: Fields) -> Result<Client, Failure> {
        const MAX_HEADER_BYTES: u32 = 256 << 10;
        // A program that has chosen its own keeps it.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = builder
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            // Trying again is the frontier's, which counts and waits. Without the 0 every request is copied all the same.
            .retry(reqwest::retry::never().max_retries_per_request(0))
            .dns_resolver(self.resolver(reach))
            .tls_info(self.options.trace)
            .connect_timeout(self.options.connect_timeout)
            .pool_max_idle_per_host(self.options.idle_per_host)
            .pool_idle_timeout(self.options.idle_timeout)
            // Otherwise a connection that has died would be used again and again: unlike one of HTTP/1.1, it is not
            // given up with the request that waited in vain.
            .http2_keep_alive_interval(self.options.idle_timeout)
            .http2_keep_alive_timeout(2 * self.options.idle_timeout)
            .http1_ignore_invalid_headers_in_responses(true)
            .http1_allow_obsolete_multiline_headers_in_responses(true)
            .http1_allow_spaces_after_header_name_in_responses(true)
            .http2_max_header_list_size(MAX_HEADER_BYTES);
        if fields == Fields::Many {
            builder = builder.http1_max_headers(MAX_FIELDS);
        }
        if self.options.trace {
            builder = builder.connector_layer(MapResponseLayer::new(trace::connected));
        }
        if let Some(proxy) = &self.files.proxy {
            builder = builder.proxy(proxy.clone());
        } else if !self.options.proxy_from_environment {
            builder = builder.no_proxy();
        }
        builder.build().map_err(|error| {
            let error = super::explain::innermost(&error);
            let hint = "without trusted certificates: install ca-certificates or name a file with --cacert";
            Failure::new(Kind::Tls, format!("cannot set up TLS ({error}); {hint}"))
        })
    }

    fn trust(&self) -> ClientBuilder {
        let mut builder = Client::builder().tls_danger_accept_invalid_certs(self.options.insecure);
        if let Some(trusted) = &self.files.trusted {
            builder = builder.tls_certs_only(trusted.iter().cloned());
        }
        if let Some(identity) = &self.files.identity {
            builder = builder.identity(identity.clone());
        }
        builder
    }

    /// A client for http needs no trusted certificates, except to speak TLS with a proxy.
    fn plain_trust(&self) -> ClientBuilder {
        match self.options.proxy {
            None if !self.options.proxy_from_environment => Client::builder().tls_certs_only([]),
            _ => self.trust(),
        }
    }
}

/// The address that a URL names in place of a host: no resolver is asked for it.
fn literal(url: &Url) -> Option<IpAddr> {
    match url.host()? {
        Host::Domain(_) => None,
        Host::Ipv4(address) => Some(address.into()),
        Host::Ipv6(address) => Some(address.into()),
    }
}
