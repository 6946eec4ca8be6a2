//! One request: a trail in, an answer or a failure out. It never follows a redirect, never tries again and never
//! waits for anything but the network: all that is the frontier's.
//!
//! What was decided where the standards leave room (RFC 9112 unless named):
//! - Section 2.2: lines may end in LF alone, but a lone CR and a NUL are a protocol failure.
//! - Section 2.3: only versions 1.0 and 1.1 in capitals are HTTP; no HTTP/0.9, no `ICY`.
//! - Section 5: a field that is none is passed over, a folded one unfolded. More than 1024 fields or about 400 kB of
//!   them are a protocol failure.
//! - Section 6.3: chunks win over a length, equal lengths are one, and a length that is no number is a failure even where
//!   the end of the connection would tell the end of the body.
//! - Section 7.1: the rules of chunks are not bent, and extensions and trailers are bounded. What breaks the rules is of
//!   kind `protocol`; what ends too early, of kind `truncated`: only that is worth another try.
//! - Section 7: `Transfer-Encoding: identity`, which is obsolete, makes a body end with its connection.
//! - Section 9.3.1: a request on a kept connection that turns out closed is sent again, if its method is idempotent.
//!   That is no further start for a rate or a delay.
//! - RFC 9113, section 8.1.1: a body of another length than announced is of kind `protocol` with HTTP/2.
//! - RFC 9110, section 15.2: interim answers are passed over, as many as fit into the time; a 101 is of kind `status`.

mod answer;
mod body;
mod cached;
mod certificate;
mod client;
mod coding;
mod cookies;
mod explain;
mod files;
mod guard;
mod head;
mod kept;
mod memory;
mod redirect;
mod request;
mod resolve;
mod start;
mod stored;
mod stream;
mod trace;
mod wire;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use futures::future::FutureExt;
use reqwest::Method;
use reqwest::header::HeaderMap;
use tokio::time::timeout;

pub use self::answer::{Answer, Fetched, Origin, Part, Unanswered};
pub use self::body::Taker;
pub use self::certificate::Certificate;
use self::client::Clients;
pub use self::client::{Family, Options as ConnectionOptions, Resolution};
pub use self::cookies::{BadLine, Jar as CookieJar};
use self::files::Files;
pub use self::guard::DenyPrivate;
pub use self::head::Head;
use self::memory::{DECODERS, Memory};
pub use self::request::Options as RequestOptions;
pub use self::stored::restore;
pub use self::stream::Intake;
pub use self::trace::{Connection, Times, Timing, Tls, Trace, timed, traced};
use crate::cache::Cache;
use crate::job::{Role, Trail};
use crate::{robots, sitemap};

/// How pages are fetched.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// What is asked.
    pub request: RequestOptions,
    /// How connections are made.
    pub connection: ConnectionOptions,
    /// Where it ends.
    pub limits: Limits,
}

/// Where a fetch ends.
#[derive(Clone, Debug)]
pub struct Limits {
    /// The time that one attempt may take, redirects included.
    pub max_time: Duration,
    /// The time without a byte; until the answer begins, that for connecting comes on top.
    pub read_timeout: Duration,
    /// The largest body in bytes, content codings undone.
    pub max_body: usize,
    /// The bytes of memory that all bodies in flight may take together. A body that finds none is asked for again when
    /// there is room for [one body, however large](Self::memory_of_one); what is not idempotent (RFC 9110, section
    /// 9.2.2), and so must not be asked for again, gets that much before it is sent.
    pub max_memory: usize,
    /// How many redirects are followed.
    pub max_redirects: usize,
    /// Whether each body is also kept as it came, for a [`Trace`], as far as `max_body`.
    pub keep_raw: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_time: Duration::from_secs(30),
            read_timeout: Duration::from_secs(15),
            max_body: 10 << 20,
            max_memory: 1 << 30,
            max_redirects: 10,
            keep_raw: false,
        }
    }
}

impl Limits {
    /// The bytes of memory that one body may take: the body itself, 16.25 MiB for what undoes its content codings, and
    /// the body as it came, where that is kept.
    #[must_use]
    pub fn memory_of_one(&self) -> usize {
        self.decoded_memory().saturating_add(if self.keep_raw { self.max_body } else { 0 })
    }

    fn decoded_memory(&self) -> usize {
        self.max_body.saturating_add(DECODERS)
    }
}

/// A wrong option: a file that cannot be read, a header that is none.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Error(String);

/// Makes requests. One serves a whole run: it holds the connections.
#[derive(Debug)]
pub struct Fetcher {
    clients: Clients,
    request: RequestOptions,
    limits: Limits,
    cookies: Option<Arc<CookieJar>>,
    cache: Option<Arc<Cache>>,
    /// Whether nobody is asked for what the cache does not have.
    is_offline: bool,
    memory: Arc<Memory>,
}

/// Fetches as is usual.
impl Default for Fetcher {
    fn default() -> Self {
        let Options { request, connection, limits } = Options::default();
        let clients = Clients::with(connection, Files::default());
        Self::with(clients, request, limits)
    }
}

impl Fetcher {
    /// Reads the files that the options name and checks what can be checked without a network. Connections and TLS
    /// come when the first URL needs them.
    ///
    /// # Errors
    /// An option is wrong; the message names it.
    pub fn new(options: Options) -> Result<Self, Error> {
        let Options { request, connection, limits } = options;
        let (all, one) = (limits.max_memory, limits.memory_of_one());
        if all < one {
            return Err(Error(format!(
                "{all} bytes of memory are too few, as one body may take {one}: give more (--max-memory) or take less \
                 of a body (--max-body)"
            )));
        }
        Ok(Self::with(Clients::new(connection)?, request, limits))
    }

    fn with(clients: Clients, request: RequestOptions, limits: Limits) -> Self {
        let memory = Memory::new(limits.max_memory);
        Self { clients, request, limits, cookies: None, cache: None, is_offline: false, memory }
    }

    /// Keeps the cookies that servers set in a jar, and sends those that it has. Without one there are none but those
    /// that the request options name.
    #[must_use]
    pub fn with_cookies(self, jar: Arc<CookieJar>) -> Self {
        Self { cookies: Some(jar), ..self }
    }

    /// Makes other requests from now on, by the same connections.
    pub fn set_request(&mut self, request: RequestOptions) {
        self.request = request;
    }

    /// Uses what a cache has, and keeps there what may be kept.
    #[must_use]
    pub fn with_cache(self, cache: Arc<Cache>) -> Self {
        Self { cache: Some(cache), ..self }
    }

    /// Asks nobody: what the cache does not have is a failure, and what it has is used however old.
    #[must_use]
    pub fn offline(self) -> Self {
        Self { is_offline: true, ..self }
    }

    /// Whether answers are asked for without their bodies.
    #[must_use]
    pub fn asks_for_heads(&self) -> bool {
        self.request.method() == Method::HEAD
    }

    /// Whether the request that `trail` names asks for nothing but another version than the one that is known.
    #[must_use]
    pub fn is_conditional(&self, trail: &Trail) -> bool {
        self.request.is_conditional(trail)
    }

    /// Makes the request that `trail` names.
    ///
    /// # Errors
    /// There is no whole answer within the limits, or it redirects to where nobody can go.
    pub async fn fetch(&self, trail: &Trail) -> Result<Answer, Unanswered> {
        if self.cache.is_some() || self.is_offline {
            return self.fetch_cached(trail).boxed().await;
        }
        self.ask(trail, &HeaderMap::new(), None).await.map(|reply| reply.into_answer(None))
    }

    /// The smallest address that a request for `trail` might go to; none where there is none, or a proxy hides it.
    pub async fn address(&self, trail: &Trail) -> Option<IpAddr> {
        if self.is_offline {
            return None;
        }
        timeout(self.clients.connect_timeout(), self.clients.look_up(trail)).await.ok()?
    }

    /// The largest body, decoded, that the request which `trail` names may have. What is no page has a limit of its own.
    fn max_body(&self, trail: &Trail) -> usize {
        let most = match trail.role {
            Role::Page | Role::Address => return self.limits.max_body,
            Role::Robots => robots::MAX_LENGTH + 1,
            Role::Sitemap => usize::try_from(sitemap::MAX_LENGTH).unwrap_or(usize::MAX),
        };
        most.min(self.limits.max_memory.saturating_sub(DECODERS))
    }
}
