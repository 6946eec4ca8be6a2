//! What is asked, and what is told to whom.

use reqwest::header::{
    ACCEPT, ACCEPT_ENCODING, ACCEPT_LANGUAGE, CACHE_CONTROL, CONNECTION, CONTENT_TYPE, DNT, HeaderMap, HeaderName,
    HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH, PRAGMA, USER_AGENT,
};
use reqwest::{Client, Method, Request, RequestBuilder};

use crate::failure::{Failure, Kind};
use crate::job::{Secret, Trail};

/// Header fields that say nothing secret: the only ones that are sent to an origin which the user did not name.
const SAFE: [HeaderName; 8] =
    [ACCEPT, ACCEPT_ENCODING, ACCEPT_LANGUAGE, CACHE_CONTROL, CONTENT_TYPE, DNT, PRAGMA, USER_AGENT];

const CODINGS: HeaderValue = HeaderValue::from_static("gzip, br, zstd, deflate");
const CLOSE: HeaderValue = HeaderValue::from_static("close");
const ANYTHING: HeaderValue = HeaderValue::from_static("*/*");
const PRODUCT: HeaderValue = HeaderValue::from_static(concat!("scrape/", env!("CARGO_PKG_VERSION")));

/// What every request of a run asks.
#[derive(Clone, Debug)]
pub struct Options {
    /// The method of the first request for a target.
    method: Method,
    /// The header fields for the origin that the user named.
    headers: HeaderMap,
    /// The header fields for any other origin.
    safe_headers: HeaderMap,
    body: Option<Vec<u8>>,
    /// `user:password` for Basic authentication, where the URL itself has none.
    auth: Option<Secret>,
    /// Whether wherever the user's URL redirects to is told what its own origin is.
    trusts_redirects: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self::new(Method::GET, None, None)
    }
}

impl Options {
    /// Requests with the header fields that every request has.
    #[must_use]
    pub fn new(method: Method, body: Option<Vec<u8>>, auth: Option<Secret>) -> Self {
        let (headers, safe_headers) = (HeaderMap::new(), HeaderMap::new());
        let mut options = Self { method, headers, safe_headers, body, auth, trusts_redirects: false };
        for (name, value) in [(ACCEPT, ANYTHING), (ACCEPT_ENCODING, CODINGS), (USER_AGENT, PRODUCT)] {
            options.set_header(name, value);
        }
        options
    }

    /// Sends a header field with every request to the origin that the user named, and with all requests if it says
    /// nothing secret.
    pub fn add_header(&mut self, name: HeaderName, value: HeaderValue) {
        if !Self::may_be_secret(&name) {
            self.safe_headers.append(name.clone(), value.clone());
        }
        self.headers.append(name, value);
    }

    /// Sends a header field, and no other one of this name.
    pub fn set_header(&mut self, name: HeaderName, value: HeaderValue) {
        self.remove_header(&name);
        self.add_header(name, value);
    }

    /// Sends no header field of this name.
    pub fn remove_header(&mut self, name: &HeaderName) {
        self.safe_headers.remove(name);
        self.headers.remove(name);
    }

    /// Sends what is meant for the origin that the user named also to any other one that it redirects to, or not.
    pub fn trust_redirects(&mut self, trust: bool) {
        self.trusts_redirects = trust;
    }

    /// The header fields for the origin that the user named; `Authorization` comes on top where there are credentials.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// What this program calls itself, if it does.
    #[must_use]
    pub fn user_agent(&self) -> Option<&str> {
        self.headers.get(USER_AGENT)?.to_str().ok()
    }

    /// Whether the value of a header field may be a secret: it is then sent to that origin alone, and shown to nobody.
    #[must_use]
    pub fn may_be_secret(name: &HeaderName) -> bool {
        !SAFE.contains(name)
    }

    /// The method of the first request for a target.
    #[must_use]
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// The method of the request that `trail` names.
    #[must_use]
    pub fn method_of(&self, trail: &Trail) -> Method {
        if trail.rewrite_to_get { Method::GET } else { self.method.clone() }
    }

    /// Whether the request that `trail` names asks for nothing but another version than the one that is known. Only
    /// reading can (RFC 9110, section 13.1.2).
    #[must_use]
    pub fn is_conditional(&self, trail: &Trail) -> bool {
        trail.validators.is_some() && matches!(self.method_of(trail), Method::GET | Method::HEAD)
    }

    /// Whether the request that `trail` names has a body.
    pub(super) fn has_body(&self, trail: &Trail) -> bool {
        !trail.rewrite_to_get && self.body.is_some()
    }

    /// The header fields of the request that `trail` names, and the credentials that go with them.
    pub(super) fn told<'a>(&'a self, trail: &'a Trail) -> (&'a HeaderMap, Option<&'a Secret>) {
        let at_home = trail.is_at_seed_origin() || self.trusts_redirects && trail.began_at_seed_origin();
        let headers = if at_home { &self.headers } else { &self.safe_headers };
        (headers, trail.auth.as_ref().or(self.auth.as_ref()).filter(|_| at_home))
    }

    pub(super) fn build(&self, client: &Client, trail: &Trail) -> Result<Request, Failure> {
        let (headers, auth) = self.told(trail);
        let mut request = Request::new(self.method_of(trail), trail.url.clone());
        request.headers_mut().clone_from(headers);
        if trail.rewrite_to_get {
            request.headers_mut().remove(CONTENT_TYPE);
        } else {
            *request.body_mut() = self.body.clone().map(Into::into);
        }
        if !trail.keep_alive {
            request.headers_mut().insert(CONNECTION, CLOSE);
        }
        if let Some(known) = trail.validators.as_ref().filter(|_| self.is_conditional(trail)) {
            // Both, as caches on the way may know but the older one (RFC 9110, section 13.1.3).
            for (name, value) in [(IF_NONE_MATCH, &known.etag), (IF_MODIFIED_SINCE, &known.last_modified)] {
                if let Some(value) = value.as_deref().and_then(|value| HeaderValue::from_str(value).ok()) {
                    request.headers_mut().insert(name, value);
                }
            }
        }
        match auth {
            None => Ok(request),
            Some(auth) => {
                let (user, password) = auth.reveal().split_once(':').unwrap_or((auth.reveal(), ""));
                let request = RequestBuilder::from_parts(client.clone(), request).basic_auth(user, Some(password));
                request.build().map_err(|error| Failure::new(Kind::InvalidUrl, error.without_url().to_string()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fetch::client::{Clients, Fields, Options as ConnectionOptions, Reach};
    use crate::fetch::files::Files;
    use crate::job::Redirect;
    use reqwest::header::{AUTHORIZATION, COOKIE};
    use url::Url;

    fn options() -> Options {
        let mut options = Options::new(Method::GET, None, Some(Secret::new("me:sesame")));
        for (name, value) in [("cookie", "a=b"), ("x-api-key", "k"), ("accept-language", "de")] {
            options.add_header(name.parse().unwrap(), HeaderValue::from_static(value));
        }
        options
    }

    fn headers_after(hop: Option<&str>) -> HeaderMap {
        let mut trail = Trail::new(Url::parse("http://a.test/").unwrap(), None);
        if let Some(url) = hop {
            let to = Url::parse(url).unwrap();
            trail = trail.hop(Redirect { status: 302, to, rewrite_to_get: false, by: None });
        }
        let clients = Clients::with(ConnectionOptions::default(), Files::default());
        let client = clients.of(&trail.url, Reach::Open, Fields::Few).unwrap();
        std::mem::take(options().build(client, &trail).unwrap().headers_mut())
    }

    #[test]
    fn what_the_user_sends_goes_to_the_origin_that_the_user_named() {
        for home in [None, Some("http://a.test/elsewhere")] {
            let headers = headers_after(home);
            assert!([AUTHORIZATION, COOKIE].iter().all(|name| headers.contains_key(name)));
            assert_eq!(headers["x-api-key"], "k");
        }
    }

    #[test]
    fn another_scheme_host_or_port_gets_nothing_secret() {
        for abroad in ["https://a.test/", "http://a.test:81/", "http://b.test/", "http://www.a.test/"] {
            let headers = headers_after(Some(abroad));
            let mut names: Vec<_> = headers.keys().map(HeaderName::as_str).collect();
            names.sort_unstable();
            assert_eq!(names, ["accept", "accept-encoding", "accept-language", "user-agent"], "{abroad}");
        }
    }
}
