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

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::future::{FutureExt, TryFutureExt};
use jiff::Timestamp;
use reqwest::header::HeaderMap;
use reqwest::{Method, Response};
use tokio::time::error::Elapsed;
use tokio::time::{Instant, timeout, timeout_at};
use url::Url;

pub use self::body::Taker;
use self::body::{Collected, Measure};
pub use self::certificate::Certificate;
use self::client::{Clients, Fields, Reach};
pub use self::client::{Family, Options as ConnectionOptions, Resolution};
use self::coding::Decoder;
pub use self::cookies::{BadLine, Jar as CookieJar};
use self::explain::{Phase, explain, has_no_connection, is_closed, is_head_too_large};
use self::files::Files;
pub use self::guard::DenyPrivate;
pub use self::head::Head;
use self::memory::{DECODERS, Memory, Refusal, Room};
pub use self::request::Options as RequestOptions;
use self::start::Start;
pub use self::stored::restore;
pub use self::stream::Intake;
pub use self::trace::{Connection, Times, Timing, Tls, Trace, timed, traced};
use crate::cache::Cache;
use crate::exchange::Cut;
use crate::failure::{Failure, Kind};
use crate::job::{HostHint, Lack, Redirect, Role, Trail};
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

/// An answer whose body is complete, content codings undone.
#[derive(Clone, Debug)]
pub struct Fetched {
    /// The URL that answered.
    pub url: Url,
    /// What it said before its body.
    pub head: Head,
    /// The body.
    pub body: Bytes,
}

/// What a request led to.
#[derive(Debug)]
pub enum Answer {
    /// A body.
    Page(Fetched, Origin),
    /// Another place to ask.
    Redirect(Redirect, Origin),
}

/// Where an answer came from.
#[derive(Clone, Copy, Debug, Default)]
pub struct Origin {
    /// The address; none where a proxy hides it.
    pub address: Option<IpAddr>,
    /// When it came, where there is a cache that tells.
    pub at: Option<Timestamp>,
    /// Whether nobody was asked for it: the cache had it.
    pub is_kept: bool,
}

impl Origin {
    /// What an answer with this head says about how its host wants to be treated.
    #[must_use]
    pub fn hint(&self, head: &Head) -> HostHint {
        if self.is_kept { HostHint { unasked: true, ..HostHint::default() } } else { head.hint() }
    }
}

/// What came over the wire.
enum Reply {
    Page(Fetched, Option<IpAddr>),
    Redirect(Redirect, Head),
}

impl Reply {
    /// The answer that it is, which came `at` a time where somebody asks for that.
    fn into_answer(self, at: Option<Timestamp>) -> Answer {
        match self {
            Self::Page(fetched, address) => Answer::Page(fetched, Origin { address, at, is_kept: false }),
            Self::Redirect(redirect, _) => {
                let origin = Origin { address: redirect.by, at, is_kept: false };
                Answer::Redirect(redirect, origin)
            }
        }
    }
}

/// Why there is no answer, and what was known by then.
#[derive(Debug)]
pub struct Unanswered {
    /// Why.
    pub failure: Failure,
    /// What the answer said, if it began.
    pub head: Option<Head>,
    /// What this machine had too little of.
    pub lack: Option<Lack>,
    /// What came of the body, where that counts: in the answer to who asks for a robots.txt.
    pub part: Option<Box<Part>>,
}

/// The start of a body, of which the rest did not come or does not count.
#[derive(Debug)]
pub struct Part {
    /// As much of it as came, content codings undone, and no more than may come.
    pub body: Bytes,
    /// The address that it came from; none where a proxy hides it.
    pub by: Option<IpAddr>,
}

impl Unanswered {
    /// Nothing came back at all.
    fn at_all(failure: Failure) -> Self {
        Self { failure, head: None, lack: None, part: None }
    }

    /// Nothing was asked for.
    fn without_memory(refusal: Refusal) -> Self {
        Self { lack: Some(Lack::Memory), ..Self::at_all(refusal.into()) }
    }
}

/// Room for one body.
struct Rooms {
    /// For the body, decoded.
    body: Room,
    /// For the body as it came, where that is kept.
    raw: Option<Room>,
}

impl Rooms {
    fn were_refused(&self) -> bool {
        self.body.was_refused() || self.raw.as_ref().is_some_and(Room::was_refused)
    }
}

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

    /// Makes the request with these conditions. With an intake, the body goes there.
    async fn ask(
        &self,
        trail: &Trail,
        conditions: &HeaderMap,
        intake: Option<Intake<'_>>,
    ) -> Result<Reply, Unanswered> {
        let budget = self.limits.max_time.saturating_sub(trail.spent);
        let deadline = Instant::now() + budget;
        let rooms = self.rooms(trail).map_err(Unanswered::without_memory)?;
        let mut response = self.open(trail, conditions, deadline).await?;
        let by = self.clients.address(&trail.url, &response);
        if trace::is_on() {
            trace::answered(&response, self.clients.is_proxied(&trail.url));
        }
        let head = Head { status: response.status().as_u16(), headers: std::mem::take(response.headers_mut()) };
        if let Some(jar) = &self.cookies {
            jar.receive(&trail.url, &head.headers);
        }
        let start = (trail.role == Role::Robots).then(|| Start::within(&rooms.body));
        let read = async {
            if let Some(room) = &rooms.raw {
                let measure = Measure { expected: None, cap: self.max_body(trail), room: room.clone(), taker: None };
                trace::record(Collected::new(measure)?);
            }
            if let Some(redirect) = self.next(trail, &head, by)? {
                let cut = spare_connection(&mut response, deadline).await.map_err(|_| self.too_late())?;
                return Ok(Err((redirect, cut)));
            }
            if trail.is_checked() {
                let cut = spare_connection(&mut response, deadline).await.map_err(|_| self.too_late())?;
                return Ok(Ok((Bytes::new(), cut)));
            }
            let taker = start.as_ref().map(Start::taker).or_else(|| intake.map(|begin| begin(&head, by)));
            let (cap, room) = (self.max_body(trail), rooms.body.clone());
            let measure = Measure { expected: None, cap, room, taker };
            let body = self.read(&mut response, &head.headers, measure, deadline).await?;
            let body = if let Some(start) = &start { start.take()? } else { body };
            Ok(Ok((body, None)))
        };
        let read: Result<_, Failure> = read.await;
        trace::ended(|| match &read {
            Ok(Ok((_, cut)) | Err((_, cut))) => *cut,
            Err(failure) => Some(cut_by(failure.kind)),
        });
        match read {
            Ok(Ok((body, _))) => {
                let fetched = Fetched { url: trail.url.clone(), head, body };
                trace::completed(&fetched);
                Ok(Reply::Page(fetched, by))
            }
            Ok(Err((redirect, _))) => Ok(Reply::Redirect(redirect, head)),
            Err(failure) => {
                let lack = rooms.were_refused().then_some(Lack::Memory);
                let part = start.and_then(|start| start.take().ok()).map(|body| Box::new(Part { body, by }));
                Err(Unanswered { failure, head: Some(head), lack, part })
            }
        }
    }

    /// Room for the body to come: none yet, unless the request must not be made in vain.
    fn rooms(&self, trail: &Trail) -> Result<Rooms, Refusal> {
        let keeps_raw = self.limits.keep_raw && trace::is_on();
        let rooms = Rooms { body: self.memory.room(), raw: keeps_raw.then(|| self.memory.room()) };
        if trail.is_large || !self.request.method_of(trail).is_idempotent() {
            rooms.body.take(self.max_body(trail).saturating_add(DECODERS))?;
            rooms.raw.iter().try_for_each(|raw| raw.take(self.max_body(trail)))?;
        }
        Ok(rooms)
    }

    /// Sends the request and waits for the answer to begin.
    async fn open(&self, trail: &Trail, conditions: &HeaderMap, deadline: Instant) -> Result<Response, Unanswered> {
        let patience = self.clients.connect_timeout() + self.limits.read_timeout;
        let answer = async {
            let reach = self.clients.reach(trail).map_err(Unanswered::at_all)?;
            let answer = self.send(trail, conditions, reach).await;
            let is_private = answer.as_ref().is_err_and(|why| why.failure.kind == Kind::ForbiddenAddress);
            if is_private && reach == Reach::Free { self.send(trail, conditions, Reach::Open).await } else { answer }
        };
        self.within(deadline, patience, "no answer in time", answer).await.map_err(Unanswered::at_all)?
    }

    /// Sends the request by the connections that lead to where it may go.
    ///
    /// A server may close a kept connection while a request is on its way there, which says nothing of the request.
    /// Where asking twice does no harm it is sent again at once, until it had a connection of its own (RFC 9112,
    /// section 9.3.1): that is no further attempt. Nor is it where the answer had more than few fields.
    async fn send(&self, trail: &Trail, conditions: &HeaderMap, reach: Reach) -> Result<Response, Unanswered> {
        let is_idempotent = self.request.method_of(trail).is_idempotent();
        let mut kept = if is_idempotent { self.clients.idle_per_host() } else { 0 };
        let mut fields = self.clients.fields(is_idempotent);
        loop {
            let client = self.clients.of(&trail.url, reach, fields).map_err(Unanswered::at_all)?;
            let mut request = self.request.build(client, trail).map_err(Unanswered::at_all)?;
            if let Some(jar) = &self.cookies {
                jar.send(&trail.url, request.headers_mut());
            }
            for (name, value) in conditions {
                request.headers_mut().insert(name, value.clone());
            }
            trace::asked(&request);
            match self.clients.execute(client, request, reach).await {
                Ok(response) => return Ok(response),
                Err(error) if kept > 0 && is_closed(&error) && self.clients.had_answered(&error) => kept -= 1,
                Err(error) if fields == Fields::Few && is_head_too_large(&error) => fields = self.clients.more_fields(),
                Err(error) => {
                    let lack = has_no_connection(&error).then_some(Lack::Connections);
                    return Err(Unanswered { lack, ..Unanswered::at_all(explain(&error, Phase::Head)) });
                }
            }
        }
    }

    fn next(&self, trail: &Trail, head: &Head, by: Option<IpAddr>) -> Result<Option<Redirect>, Failure> {
        let method = self.request.method_of(trail);
        let redirect = redirect::follow(&trail.url, &method, head, by)?;
        let max = self.limits.max_redirects;
        match redirect {
            Some(_) if trail.hops.len() >= max => {
                Err(Failure::new(Kind::Redirect, format!("more than {max} redirects")))
            }
            redirect => Ok(redirect),
        }
    }

    async fn read(
        &self,
        response: &mut Response,
        headers: &HeaderMap,
        measure: Measure,
        deadline: Instant,
    ) -> Result<Bytes, Failure> {
        let expected = response.content_length().and_then(|length| usize::try_from(length).ok());
        // Where there is no body, as in the answer to a HEAD, its codings do not matter.
        let Some(first) = self.piece(response, deadline).await? else { return Ok(Bytes::new()) };
        let mut decoder = Decoder::new(headers, Measure { expected, ..measure })?;
        decoder.push(first)?;
        while let Some(piece) = self.piece(response, deadline).await? {
            decoder.push(piece)?;
        }
        decoder.finish()
    }

    /// The next piece of the body.
    async fn piece(&self, response: &mut Response, deadline: Instant) -> Result<Option<Bytes>, Failure> {
        let quiet = "no byte for too long within the body";
        let piece = self.within(deadline, self.limits.read_timeout, quiet, response.chunk()).await?;
        if let Ok(Some(piece)) = &piece {
            trace::received(piece).map_err(|error| coding::explain(&error))?;
        }
        piece.map_err(|error| explain(&error, Phase::Body))
    }

    /// Waits until the deadline, but no longer than `patience`: then it fails as too `quiet`. One timer is both.
    ///
    /// No `async fn`, which would hold `future` twice: as an argument, and within the timer.
    fn within<F: Future>(
        &self,
        deadline: Instant,
        patience: Duration,
        quiet: &'static str,
        future: F,
    ) -> impl Future<Output = Result<F::Output, Failure>> {
        let patience = Instant::now() + patience;
        timeout_at(deadline.min(patience), future)
            .map_err(move |_| if patience < deadline { Failure::new(Kind::Timeout, quiet) } else { self.too_late() })
    }

    fn too_late(&self) -> Failure {
        let limit = self.limits.max_time.as_secs_f64();
        Failure::new(Kind::Timeout, format!("not complete after {limit} s"))
    }
}

/// What a failure within a body means for what came of it.
fn cut_by(kind: Kind) -> Cut {
    match kind {
        Kind::TooLarge => Cut::Length,
        Kind::Timeout => Cut::Time,
        Kind::Reset | Kind::Truncated | Kind::Protocol => Cut::Disconnect,
        _ => Cut::Unspecified,
    }
}

/// Reads a small body that nobody wants, so that its connection can be used again. A large or slow one costs more
/// than a new connection does; why it was not read to its end is told.
///
/// # Errors
/// The deadline has passed.
async fn spare_connection(response: &mut Response, deadline: Instant) -> Result<Option<Cut>, Elapsed> {
    const WORTHWHILE: usize = 16 << 10;
    const PATIENCE: Duration = Duration::from_millis(100);
    let drain = async {
        let mut read = 0;
        while read < WORTHWHILE {
            match response.chunk().await {
                // Without memory for it, an archive has as much of it as there was memory for.
                Ok(Some(piece)) if trace::received(&piece).is_ok() => read += piece.len(),
                Ok(Some(_)) => return Some(Cut::Unspecified),
                Ok(None) => return None,
                Err(_) => return Some(Cut::Disconnect),
            }
        }
        Some(Cut::Length)
    };
    // Whether it ended in time makes no difference but the connection's.
    let drained = timeout_at(deadline, timeout(PATIENCE, drain)).await?;
    Ok(drained.unwrap_or(Some(Cut::Time)))
}
