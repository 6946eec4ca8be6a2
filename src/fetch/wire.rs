//! What goes over the wire: a request, and what comes back for it, until the body ends or a limit is reached.

use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;
use futures::future::TryFutureExt;
use reqwest::Response;
use reqwest::header::HeaderMap;
use tokio::time::error::Elapsed;
use tokio::time::{Instant, timeout, timeout_at};

use super::answer::Reply;
use super::body::{Collected, Measure};
use super::client::{Fields, Reach};
use super::coding::{self, Decoder};
use super::explain::{Phase, explain, has_no_connection, is_closed, is_head_too_large};
use super::memory::{DECODERS, Refusal, Room};
use super::start::Start;
use super::{Fetched, Fetcher, Head, Intake, Part, Unanswered, redirect, trace};
use crate::exchange::Cut;
use crate::failure::{Failure, Kind};
use crate::job::{Lack, Redirect, Role, Trail};

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

impl Fetcher {
    /// Makes the request with these conditions. With an intake, the body goes there.
    pub(super) async fn ask(
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

    /// Where an answer leads instead of being one, if it does.
    pub(super) fn next(&self, trail: &Trail, head: &Head, by: Option<IpAddr>) -> Result<Option<Redirect>, Failure> {
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
