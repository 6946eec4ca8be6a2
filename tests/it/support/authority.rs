//! A certificate authority that the tests make up.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

/// What its servers are called.
const SERVER: &str = "127.0.0.1";

/// The authority: nobody trusts it unless told to.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        // Not the name that every certificate here bears: what names itself as its issuer passes for self-signed.
        params.distinguished_name.push(DnType::CommonName, "Authority of the tests");
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    /// What `--cacert` needs.
    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    /// A certificate for `name` and its key, as PEM.
    pub(crate) fn issue(&self, name: &str) -> (String, String) {
        let (certificate, key) = self.sign(&params(name));
        (certificate.pem(), key.serialize_pem())
    }

    /// A server that is `localhost` and 127.0.0.1, and not 127.0.0.2.
    pub(crate) fn server(&self) -> ServerConfig {
        configure(None, &self.sign(&params(SERVER)))
    }

    /// The same with HTTP/2.
    pub(crate) fn http2_server(&self) -> ServerConfig {
        let mut config = self.server();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        config
    }

    /// The same for clients that have a certificate of this authority.
    pub(crate) fn private_server(&self) -> ServerConfig {
        configure(Some(self), &self.sign(&params(SERVER)))
    }

    /// The same with a certificate that was good once.
    pub(crate) fn expired_server(&self) -> ServerConfig {
        let mut params = params(SERVER);
        (params.not_before, params.not_after) = (date_time_ymd(2001, 1, 1), date_time_ymd(2002, 1, 1));
        configure(None, &self.sign(&params))
    }

    /// The same with a certificate that will be good some day.
    pub(crate) fn early_server(&self) -> ServerConfig {
        let mut params = params(SERVER);
        params.not_before = date_time_ymd(4000, 1, 1);
        configure(None, &self.sign(&params))
    }

    fn sign(&self, params: &CertificateParams) -> Signed {
        let key = KeyPair::generate().unwrap();
        (params.signed_by(&key, &self.0).unwrap(), key)
    }
}

/// A server that vouches for itself.
pub(crate) fn self_signed_server() -> ServerConfig {
    let key = KeyPair::generate().unwrap();
    configure(None, &(params(SERVER).self_signed(&key).unwrap(), key))
}

type Signed = (rcgen::Certificate, KeyPair);

fn params(name: &str) -> CertificateParams {
    CertificateParams::new([name.to_owned(), "localhost".to_owned()]).unwrap()
}

/// A server with such a certificate, for all or for those whom `members` knows.
fn configure(members: Option<&Authority>, (certificate, key): &Signed) -> ServerConfig {
    let provider = Arc::new(default_provider());
    let builder = ServerConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions().unwrap();
    let builder = match members {
        Some(authority) => {
            let mut roots = RootCertStore::empty();
            roots.add(authority.0.der().clone()).unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
            builder.with_client_cert_verifier(verifier)
        }
        None => builder.with_no_client_auth(),
    };
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    builder.with_single_cert(vec![certificate.der().clone()], key).unwrap()
}
