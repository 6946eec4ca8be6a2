//! The connections: clients that share them, built when the first URL needs them.
//!
//! A kept connection on which anything came since the last answer is dropped, by hyper, and the request that was to use
//! it gets another one. What comes once the request has been written cannot be told from its answer (RFC 9112, section
//! 11.2): a server, or whoever writes into its answers, can deceive about its own pages, and never about those of
//! another origin, as no two share a connection.

use std::cell::Cell;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use reqwest::tls::{Certificate, Identity};
use reqwest::{Client, ClientBuilder, Proxy, Request, Response};
use tower::util::MapResponseLayer;
use url::{Host, Url};

use super::Error;
use super::resolve::{PORT, Resolver};
use crate::failure::{Failure, Kind, Retry};

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
    /// How long an idle connection is kept.
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
        }
    }
}

/// One client for http and one for https: a list of http URLs never loads the trusted certificates, which takes
/// longer than everything else at the start.
#[derive(Debug)]
pub(super) struct Clients {
    plain: OnceLock<Result<Client, Failure>>,
    secure: OnceLock<Result<Client, Failure>>,
    files: Files,
    resolver: Arc<Resolver>,
    options: Options,
}

/// What options name, read and parsed.
#[derive(Debug, Default)]
pub(super) struct Files {
    trusted: Option<Vec<Certificate>>,
    identity: Option<Identity>,
    proxy: Option<Proxy>,
}

tokio::task_local! {
    /// Whether a connection was made for the request that is being sent.
    static CONNECTED: Cell<bool>;
}

/// Tells the request that a connection was made for it. One that comes too late, as another became idle, is made in
/// nobody's name.
fn note<C>(connection: C) -> C {
    let _ = CONNECTED.try_with(|connected| connected.set(true));
    connection
}

/// An exchange that ended before an answer had begun.
#[derive(Debug)]
pub(super) struct Broken {
    pub(super) error: reqwest::Error,
    /// Whether the request was sent, if at all, where another one had been answered before.
    pub(super) on_kept_connection: bool,
}

impl Clients {
    pub(super) fn new(options: Options) -> Result<Self, Error> {
        let files = Files {
            trusted: options.ca_certificates.as_deref().map(read_certificates).transpose()?,
            identity: (!options.identity.is_empty()).then(|| read_identity(&options.identity)).transpose()?,
            proxy: options.proxy.as_deref().map(parse_proxy).transpose()?,
        };
        Ok(Self::with(options, files))
    }

    /// Clients whose options have been read.
    pub(super) fn with(options: Options, files: Files) -> Self {
        let resolver = Arc::new(Resolver::new(options.family, options.resolutions.clone()));
        Self { plain: OnceLock::new(), secure: OnceLock::new(), files, resolver, options }
    }

    pub(super) fn connect_timeout(&self) -> Duration {
        self.options.connect_timeout
    }

    /// The client for a URL.
    pub(super) fn of(&self, url: &Url) -> Result<&Client, Failure> {
        if let (Some(family), Some(address)) = (self.options.family, literal(url))
            && !family.has(address)
        {
            return Err(Failure::new(Kind::Connect, format!("{address} is no {} address", family.name()))
                .with_retry(Retry::Never));
        }
        let client = match url.scheme() {
            "https" => self.secure.get_or_init(|| self.build(self.trust())),
            _ => self.plain.get_or_init(|| self.build(self.plain_trust())),
        };
        client.as_ref().map_err(Clone::clone)
    }

    /// How many connections to one host may be idle.
    pub(super) fn idle_per_host(&self) -> usize {
        self.options.idle_per_host
    }

    /// Sends a request; the answer comes back once its head is there.
    pub(super) async fn execute(&self, client: &Client, request: Request) -> Result<Response, Broken> {
        let port = request.url().port_or_known_default().filter(|_| !self.options.resolutions.is_empty());
        let answer = async {
            let answer = match port {
                Some(port) => PORT.scope(port, client.execute(request)).await,
                None => client.execute(request).await,
            };
            answer.map_err(|error| Broken { error, on_kept_connection: !CONNECTED.with(Cell::get) })
        };
        CONNECTED.scope(Cell::new(false), answer).await
    }

    fn build(&self, builder: ClientBuilder) -> Result<Client, Failure> {
        /// Enough for any real answer; what is larger fails as a protocol error. Lenient where browsers are.
        const MAX_HEADERS: usize = 1024;
        const MAX_HEADER_BYTES: u32 = 256 << 10;
        // A program that has chosen its own keeps it.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = builder
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            // Trying again is the frontier's, which counts and waits. Without the 0 every request is copied all the same.
            .retry(reqwest::retry::never().max_retries_per_request(0))
            .dns_resolver(Arc::clone(&self.resolver))
            .connector_layer(MapResponseLayer::new(note))
            .connect_timeout(self.options.connect_timeout)
            .pool_max_idle_per_host(self.options.idle_per_host)
            .pool_idle_timeout(self.options.idle_timeout)
            .http1_max_headers(MAX_HEADERS)
            .http1_ignore_invalid_headers_in_responses(true)
            .http1_allow_obsolete_multiline_headers_in_responses(true)
            .http1_allow_spaces_after_header_name_in_responses(true)
            .http2_max_header_list_size(MAX_HEADER_BYTES);
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

/// What is no proxy is never quoted: it may hold a password.
fn parse_proxy(text: &str) -> Result<Proxy, Error> {
    const SCHEMES: [&str; 6] = ["http", "https", "socks4", "socks4a", "socks5", "socks5h"];
    let text = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
    let url = Url::parse(&text).map_err(|error| Error(format!("the proxy is no URL: {error}")))?;
    if !SCHEMES.contains(&url.scheme()) {
        return Err(Error(format!("the proxy has scheme {}: it must be one of {}", url.scheme(), SCHEMES.join(", "))));
    }
    if url.host_str().is_none_or(str::is_empty) {
        return Err(Error("the proxy has no host".into()));
    }
    Proxy::all(url).map_err(|_| Error("the proxy is no URL".into()))
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    std::fs::read(path).map_err(|error| Error(format!("cannot read {}: {error}", path.display())))
}

fn read_certificates(path: &Path) -> Result<Vec<Certificate>, Error> {
    let certificates = Certificate::from_pem_bundle(&read(path)?).unwrap_or_default();
    if certificates.is_empty() {
        return Err(Error(format!("{} has no certificate in PEM form", path.display())));
    }
    Ok(certificates)
}

fn read_identity(paths: &[PathBuf]) -> Result<Identity, Error> {
    let mut pem = Vec::new();
    for path in paths {
        pem.extend(read(path)?);
        pem.push(b'\n');
    }
    let named = paths[0].display();
    Identity::from_pem(&pem).map_err(|_| {
        Error(format!("{named} has no certificate and key in PEM form: is the key in another file (--key)?"))
    })
}
