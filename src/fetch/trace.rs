//! How an answer came about: addresses, versions, times. It is gathered within [`traced`] and nowhere else, so that a run
//! that asks for nothing pays a look at a thread's variable for it.
//!
//! What cannot be told: the cipher that TLS agreed on and the certificates above the server's own, which the HTTP client
//! keeps to itself; TCP's part of connecting, which it counts together with TLS's; the address of a connection that was
//! not made; and behind a proxy the address of the server.

use std::cell::RefCell;
use std::io::{self, Write};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use reqwest::dns::{Addrs, Resolving};
use reqwest::header::HeaderMap;
use reqwest::tls::{self, TlsInfo};
use reqwest::{Method, Request, Response, Version};
use tokio::time::Instant;

use super::body::{Collected, TooLarge};
use super::certificate::Certificate;
use super::{Fetched, Head, RequestOptions};
use crate::exchange::{self, Cut, Exchange};

/// How one request went.
#[derive(Debug, Default)]
pub struct Trace {
    /// The addresses that the host's name has; none where nobody was asked for them.
    pub found: Vec<IpAddr>,
    /// The connection that the answer came by, if one came.
    pub connection: Option<Connection>,
    /// How long each part took.
    pub times: Times,
    /// The bytes of the body as they came, before content codings were undone.
    pub received: u64,
    /// The answer, if it is whole and no redirect.
    pub answer: Option<Fetched>,
    /// When it came, where nobody was asked for it.
    kept_since: Option<Timestamp>,
    marks: Marks,
    wire: Wire,
}

/// What went over the wire.
#[derive(Debug, Default)]
struct Wire {
    asked: Option<(Method, HeaderMap)>,
    head: Option<Head>,
    /// The body as it comes, where that is kept.
    raw: Option<Collected>,
    cut: Option<Cut>,
}

impl Trace {
    /// What went over the wire, in a request that began at a time; none if nothing was asked.
    #[must_use]
    pub fn into_exchange(self, at: Timestamp) -> Option<Exchange> {
        let Wire { asked, head, raw, cut } = self.wire;
        let (method, headers) = asked?;
        let answered = self.connection.as_ref().filter(|_| head.is_some());
        let address = answered.filter(|connection| !connection.is_proxied).and_then(|connection| connection.address);
        let body = raw.map(Collected::keep).unwrap_or_default();
        let response = head.map(|Head { status, headers }| exchange::Response { status, headers, body, cut });
        Some(Exchange {
            at: self.kept_since.unwrap_or(at),
            method,
            headers,
            address: address.map(|address| address.ip()),
            version: answered.map(|connection| connection.http),
            response,
            page: self.answer.map(|answer| answer.body),
        })
    }
}

/// The connection that an answer came by.
#[derive(Debug)]
pub struct Connection {
    /// The address at its other end: the proxy's where there is one. None where that is not known.
    pub address: Option<SocketAddr>,
    /// Whether a proxy stands between.
    pub is_proxied: bool,
    /// Whether it was made for an earlier request.
    pub is_kept: bool,
    /// The version of HTTP.
    pub http: Version,
    /// What TLS agreed on, where it is spoken and known.
    pub tls: Option<Tls>,
}

/// What TLS agreed on.
#[derive(Debug)]
pub struct Tls {
    /// Its version.
    pub version: Option<&'static str>,
    /// The server's certificate.
    pub certificate: Option<Certificate>,
}

/// How long the parts of a request took, none of which is part of another one. None for what did not happen, or did not
/// come to its end.
#[derive(Clone, Copy, Debug, Default)]
pub struct Times {
    /// Looking up the name.
    pub dns: Option<Duration>,
    /// Connecting, TLS included.
    pub connect: Option<Duration>,
    /// From there until the head of the answer was there.
    pub first_byte: Option<Duration>,
    /// The rest of the answer.
    pub body: Option<Duration>,
}

/// How long a request took.
#[derive(Clone, Copy, Debug, Default)]
pub struct Timing {
    /// Its parts.
    pub times: Times,
    /// All of it: what this machine did in between, too.
    pub total: Duration,
}

/// When what happened.
#[derive(Debug, Default)]
struct Marks {
    sent: Option<Instant>,
    looked_up: Option<Instant>,
    connected: Option<Instant>,
    answered: Option<Instant>,
}

tokio::task_local! {
    /// The request that is being made, where somebody wants to know.
    static TRACE: RefCell<Trace>;
}

/// Makes what `future` does traceable. It should make one request; of several, the last one counts.
pub async fn traced<F: Future>(future: F) -> (F::Output, Trace) {
    let traced = async {
        let output = future.await;
        (output, TRACE.with(RefCell::take))
    };
    TRACE.scope(RefCell::default(), traced).await
}

/// Takes the time of what `future` does, which should be one request. That may be traced as well. Connecting is seen where
/// the [connections](super::ConnectionOptions::trace) are traced.
pub async fn timed<F: Future>(future: F) -> (F::Output, Timing) {
    let timed = async {
        let started = Instant::now();
        let output = future.await;
        let times = TRACE.with(|trace| trace.borrow().times);
        (output, Timing { times, total: started.elapsed() })
    };
    if is_on() { timed.await } else { TRACE.scope(RefCell::default(), timed).await }
}

/// Whether somebody wants to know.
pub(super) fn is_on() -> bool {
    TRACE.try_with(|_| ()).is_ok()
}

fn note(write: impl FnOnce(&mut Trace)) {
    let _ = TRACE.try_with(|trace| write(&mut trace.borrow_mut()));
}

/// A request sets out: what an earlier one met does not count.
pub(super) fn sent() {
    note(|trace| trace.marks = Marks { sent: Some(Instant::now()), ..Marks::default() });
}

/// What is being asked, without what may be secret.
pub(super) fn asked(request: &Request) {
    note(|trace| {
        let mut headers = request.headers().clone();
        let names: Vec<_> = headers.keys().filter(|name| RequestOptions::may_be_secret(name)).cloned().collect();
        for name in names {
            headers.remove(name);
        }
        trace.wire = Wire { asked: Some((request.method().clone(), headers)), ..Wire::default() };
    });
}

/// An answer is at hand since a time: nothing goes over the wire.
pub(super) fn kept(answer: &Fetched, since: Timestamp) {
    note(|trace| {
        trace.wire = Wire { asked: Some((Method::GET, HeaderMap::new())), ..Wire::default() };
        (trace.answer, trace.kept_since) = (Some(answer.clone()), Some(since));
    });
}

/// Watches a lookup.
pub(super) fn lookup(found: Resolving) -> Resolving {
    if !is_on() {
        return found;
    }
    Box::pin(async move {
        let start = Instant::now();
        let found = found.await.map(Vec::from_iter);
        note(|trace| {
            let now = Instant::now();
            trace.marks.looked_up = Some(now);
            trace.times.dns = Some(trace.times.dns.unwrap_or_default() + (now - start));
            trace.found = found.iter().flatten().map(SocketAddr::ip).collect();
        });
        found.map(|found| Box::new(found.into_iter()) as Addrs)
    })
}

/// A connection was made.
pub(super) fn connected<C>(connection: C) -> C {
    note(|trace| {
        let (marks, now) = (&mut trace.marks, Instant::now());
        trace.times.connect = marks.sent.max(marks.looked_up).map(|since| now - since);
        marks.connected = Some(now);
    });
    connection
}

/// The head of an answer is there.
pub(super) fn answered(response: &Response, is_proxied: bool) {
    note(|trace| {
        let (marks, now) = (&mut trace.marks, Instant::now());
        trace.times.first_byte = marks.sent.max(marks.connected).map(|since| now - since);
        marks.answered = Some(now);
        trace.wire.head = Some(Head { status: response.status().as_u16(), headers: response.headers().clone() });
        trace.connection = Some(Connection {
            address: response.remote_addr(),
            is_proxied,
            is_kept: marks.connected.is_none(),
            http: response.version(),
            tls: response.extensions().get().map(describe),
        });
    });
}

fn describe(info: &TlsInfo) -> Tls {
    let name = |version| match version {
        tls::Version::TLS_1_2 => Some("TLS 1.2"),
        tls::Version::TLS_1_3 => Some("TLS 1.3"),
        _ => None,
    };
    Tls { version: info.version().and_then(name), certificate: info.peer_certificate().and_then(Certificate::read) }
}

/// The body is to be kept as it comes.
pub(super) fn record(raw: Collected) {
    note(|trace| trace.wire.raw = Some(raw));
}

/// A piece of the body came.
///
/// # Errors
/// There is no memory to keep it.
pub(super) fn received(piece: &Bytes) -> io::Result<()> {
    let keep = |trace: &RefCell<Trace>| {
        let Trace { received, wire, .. } = &mut *trace.borrow_mut();
        *received += piece.len() as u64;
        match &mut wire.raw {
            // The rest of a body that was too long is not kept.
            Some(raw) if wire.cut.is_none() => match raw.write_all(piece) {
                Err(error) if error.get_ref().is_some_and(|inner| inner.downcast_ref::<TooLarge>().is_some()) => {
                    wire.cut = Some(Cut::Length);
                    Ok(())
                }
                kept => kept,
            },
            _ => Ok(()),
        }
    };
    TRACE.try_with(keep).unwrap_or(Ok(()))
}

/// The body came to its end, or to that of the patience with it.
pub(super) fn ended(cut: impl FnOnce() -> Option<Cut>) {
    note(|trace| {
        trace.times.body = trace.marks.answered.map(|since| since.elapsed());
        trace.wire.cut = trace.wire.cut.or_else(cut);
    });
}

/// The answer is whole.
pub(super) fn completed(answer: &Fetched) {
    note(|trace| trace.answer = Some(answer.clone()));
}
