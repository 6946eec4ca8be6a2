//! What the options of the connections name, read and parsed before the first request.

use std::path::{Path, PathBuf};

use reqwest::Proxy;
use reqwest::tls::{Certificate, Identity};
use url::Url;

use super::Error;
use super::client::Options;

/// Certificates, a key, a proxy.
#[derive(Debug, Default)]
pub(super) struct Files {
    /// The only certificates to trust.
    pub(super) trusted: Option<Vec<Certificate>>,
    /// The client's certificate and key.
    pub(super) identity: Option<Identity>,
    pub(super) proxy: Option<Proxy>,
}

impl Files {
    /// Reads what `options` name.
    ///
    /// # Errors
    /// A file cannot be read, or what is named is something else; the message tells which.
    pub(super) fn read(options: &Options) -> Result<Self, Error> {
        Ok(Self {
            trusted: options.ca_certificates.as_deref().map(read_certificates).transpose()?,
            identity: (!options.identity.is_empty()).then(|| read_identity(&options.identity)).transpose()?,
            proxy: options.proxy.as_deref().map(parse_proxy).transpose()?,
        })
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
