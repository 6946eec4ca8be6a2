//! Answers that an archive has, read as if they had just come.

use bytes::Bytes;
use reqwest::Method;

use super::body::Measure;
use super::coding::Decoder;
use super::memory::Memory;
use super::redirect;
use super::{Fetched, Head, Limits, Unanswered};
use crate::exchange::{Cut, Response};
use crate::failure::{Failure, Kind, Retry};
use crate::job::Stored;

/// The answer whose content codings have been undone, within the same limits as one that comes from a server.
///
/// # Errors
/// The answer is not whole, damaged, or a redirect to what the archive does not have. Nobody need ask again.
pub fn restore(stored: &Stored, limits: &Limits) -> Result<Fetched, Box<Unanswered>> {
    let Some(response) = &stored.response else {
        let failure = stored.failure.clone().unwrap_or_else(|| cut_short(Cut::Unspecified));
        return Err(Unanswered::at_all(failure.with_retry(Retry::Never)).into());
    };
    let head = Head { status: response.status, headers: response.headers.clone() };
    match whole(stored, response.cut, &head).and_then(|()| decode(response, limits)) {
        Ok(body) => Ok(Fetched { url: stored.url.clone(), head, body }),
        Err(failure) => {
            Err(Unanswered { failure: failure.with_retry(Retry::Never), head: Some(head), lack: None, part: None }
                .into())
        }
    }
}

/// Why the answer is none to read.
fn whole(stored: &Stored, cut: Option<Cut>, head: &Head) -> Result<(), Failure> {
    if let Some(cut) = cut {
        return Err(stored.failure.clone().unwrap_or_else(|| cut_short(cut)));
    }
    let Some(redirect) = redirect::follow(&stored.url, &Method::GET, head, None)? else { return Ok(()) };
    let known = stored.failure.clone().filter(|failure| failure.kind == Kind::Redirect);
    let lost = || format!("the archive does not have what it redirects to, {}", redirect.to);
    Err(known.unwrap_or_else(|| Failure::new(Kind::Redirect, lost())))
}

fn cut_short(cut: Cut) -> Failure {
    let kind = match cut {
        Cut::Length => Kind::TooLarge,
        Cut::Time => Kind::Timeout,
        Cut::Disconnect | Cut::Unspecified => Kind::Truncated,
    };
    Failure::new(kind, format!("the archive does not have all of the body ({})", cut.name()))
}

fn decode(response: &Response, limits: &Limits) -> Result<Bytes, Failure> {
    let Response { headers, body, .. } = response;
    if body.is_empty() {
        return Ok(Bytes::new());
    }
    let room = Memory::new(limits.memory_of_one()).room();
    let mut decoder =
        Decoder::new(headers, Measure { expected: Some(body.len()), cap: limits.max_body, room, taker: None })?;
    decoder.push(body.clone())?;
    decoder.finish()
}
