//! The connections: clients that share them, built when the first URL needs them.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use reqwest::tls::{Certificate, Identity};
use reqwest::{Client, ClientBuilder, Proxy, Request, Response};
use url::Url;

use super::Error;
use super::resolve::{PORT, Resolver};
use crate::failure::{Failure, Kind};

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
    /// The time without a byte.
    pub read_timeout: Duration,
    /// How many idle connections are kept for a host.
    pub idle_per_host: usize,
    /// How long an idle connection is kept.
    pub idle_timeout: Duration,
    /// The proxy for all requests; none for what the environment says.
    pub proxy: Option<String>,
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
            read_timeout: Duration::from_secs(15),
            idle_per_host: 8,
            idle_timeout: Duration::from_secs(5),
            proxy: None,
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
    trusted: Option<Vec<Certificate>>,
    identity: Option<Identity>,
    proxy: Option<Proxy>,
    resolver: Arc<Resolver>,
    options: Options,
}

impl Clients {
    pub(super) fn new(options: Options) -> Result<Self, Error> {
        let trusted = options.ca_certificates.as_deref().map(read_certificates).transpose()?;
        let identity = (!options.identity.is_empty()).then(|| read_identity(&options.identity)).transpose()?;
        let proxy = |url: &String| {
            Proxy::all(url.as_str()).map_err(|error| Error(format!("{url:?} is no proxy: {}", error.without_url())))
        };
        Ok(Self {
            plain: OnceLock::new(),
            secure: OnceLock::new(),
            trusted,
            identity,
            proxy: options.proxy.as_ref().map(proxy).transpose()?,
            resolver: Arc::new(Resolver::new(options.family, options.resolutions.clone())),
            options,
        })
    }

    /// The client for a URL.
    pub(super) fn of(&self, url: &Url) -> Result<&Client, Failure> {
        let client = match url.scheme() {
            "https" => self.secure.get_or_init(|| self.build(self.trust())),
            _ => self.plain.get_or_init(|| self.build(self.plain_trust())),
        };
        client.as_ref().map_err(Clone::clone)
    }

    /// Sends a request; the answer comes back once its head is there.
    pub(super) async fn execute(&self, client: &Client, request: Request) -> reqwest::Result<Response> {
        match request.url().port_or_known_default() {
            Some(port) if !self.options.resolutions.is_empty() => PORT.scope(port, client.execute(request)).await,
            _ => client.execute(request).await,
        }
    }

    fn build(&self, builder: ClientBuilder) -> Result<Client, Failure> {
        /// Enough for any real answer; what is larger fails as a protocol error. Lenient where browsers are.
        const MAX_HEADERS: usize = 1024;
        const MAX_HEADER_BYTES: u32 = 256 << 10;
        let mut builder = builder
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .dns_resolver(Arc::clone(&self.resolver))
            .connect_timeout(self.options.connect_timeout)
            .read_timeout(self.options.read_timeout)
            .pool_max_idle_per_host(self.options.idle_per_host)
            .pool_idle_timeout(self.options.idle_timeout)
            .http1_max_headers(MAX_HEADERS)
            .http1_ignore_invalid_headers_in_responses(true)
            .http1_allow_obsolete_multiline_headers_in_responses(true)
            .http1_allow_spaces_after_header_name_in_responses(true)
            .http2_max_header_list_size(MAX_HEADER_BYTES);
        if let Some(proxy) = &self.proxy {
            builder = builder.proxy(proxy.clone());
        }
        builder.build().map_err(|error| {
            let error = super::explain::innermost(&error);
            let hint = "without trusted certificates: install ca-certificates or name a file with --cacert";
            Failure::new(Kind::Tls, format!("cannot set up TLS ({error}); {hint}"))
        })
    }

    fn trust(&self) -> ClientBuilder {
        let mut builder = Client::builder().tls_danger_accept_invalid_certs(self.options.insecure);
        if let Some(trusted) = &self.trusted {
            builder = builder.tls_certs_only(trusted.iter().cloned());
        }
        if let Some(identity) = &self.identity {
            builder = builder.identity(identity.clone());
        }
        builder
    }

    /// A client for http needs no trusted certificates, except to speak TLS with a proxy.
    fn plain_trust(&self) -> ClientBuilder {
        match self.options.proxy {
            Some(_) => self.trust(),
            None => Client::builder().tls_certs_only([]),
        }
    }
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
