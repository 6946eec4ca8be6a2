//! Records posted to a server, in batches.
//!
//! The header fields are those of Standard Webhooks 1.0 (<https://www.standardwebhooks.com>): `webhook-id`, which is the same
//! whenever a batch is tried again, `webhook-timestamp` in seconds, and, where there is a secret, `webhook-signature`, the
//! HMAC-SHA256 of `ID.TIMESTAMP.BODY`. What was decided where it leaves room:
//! - The ID is the SHA-256 of the body: what is delivered again by a later run is known, too.
//! - A secret that starts with `whsec_` is base64 behind that, as the standard has it; any other one is taken as it is.
//! - Delivered is what was answered with 2xx. A redirect is not followed: a POST would become a GET, or go elsewhere.
//! - Batches go one after the other, and none goes before an earlier one has been delivered.

use std::fs;

use anyhow::{Context, anyhow, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, HeaderName, HeaderValue, InvalidHeaderValue};
use ring::{digest, hmac};
use tokio::time::sleep;

use super::outbox::{Batch, Outbox};
use crate::cli::exit::Stop;
use crate::failure::{Failure, Kind};
use crate::fetch::{self, Answer, Fetcher, RequestOptions, Unanswered};
use crate::frontier::{RetryOptions, Wait};
use crate::job::{HostHint, Trail};
use crate::{seeds, visit};

/// Where records are posted to.
pub(super) struct Webhook {
    trail: Trail,
    key: Option<hmac::Key>,
    fetcher: Fetcher,
    retry: RetryOptions,
}

impl Webhook {
    /// A URL, a secret (`@FILE` or the secret itself), and how to get there.
    pub(super) fn new(
        url: &str,
        secret: Option<&str>,
        fetching: fetch::Options,
        mut retry: RetryOptions,
    ) -> Result<Self, Stop> {
        // The URL may be a secret itself: it is not quoted.
        let trail = seeds::trail(url).map_err(|reason| Stop::usage(anyhow!("--webhook: {reason}")))?;
        let key = secret.map(key).transpose()?;
        let request = RequestOptions::new(Method::POST, None, None);
        let fetcher = Fetcher::new(fetch::Options { request, ..fetching }).map_err(Stop::usage)?;
        // The receiver knows a batch by its ID.
        retry.idempotent = true;
        Ok(Self { trail, key, fetcher, retry })
    }

    /// Posts what is in the outbox, and takes it out; what could not be posted stays there.
    ///
    /// # Errors
    /// Something stays there, or the outbox cannot be read or written.
    pub(super) async fn deliver(mut self, mut outbox: Outbox) -> anyhow::Result<()> {
        let name = outbox.path().display().to_string();
        let remove = || format!("cannot take what was delivered out of {name}");
        let mut delivered = 0;
        while let Some(batch) = outbox.next().with_context(|| format!("cannot read {name}"))? {
            if let Err(failure) = self.post(&batch).await {
                outbox.close().with_context(remove)?;
                // What is behind the host may be a secret.
                let site = self.trail.url.origin().ascii_serialization();
                bail!(
                    "--webhook: {site} took {delivered} records, but not the next {} ({failure}): these, and what is \
                     behind them, are kept in {name}, and posted by the next run",
                    batch.count
                );
            }
            outbox.remove(&batch).with_context(remove)?;
            delivered += batch.count;
        }
        tracing::info!(records = delivered, "posted to the webhook");
        outbox.close().with_context(remove)
    }

    /// Posts a batch, as often as it may be tried.
    async fn post(&mut self, batch: &Batch) -> Result<(), Failure> {
        let body = [br#"{"v":1,"records":["#, &batch.records[..], b"]}"].concat();
        let mut trail = self.trail.clone();
        loop {
            let request = request(&body, self.key.as_ref(), Timestamp::now());
            self.fetcher.set_request(request.map_err(|error| Failure::new(Kind::Internal, error.to_string()))?);
            let Err((failure, hint)) = judge(self.fetcher.fetch(&trail).await) else { return Ok(()) };
            let wait = match self.retry.plan(&trail, &failure, hint) {
                Err(_) => return Err(failure),
                Ok(Wait::Exactly(wait)) => wait,
                Ok(Wait::UpTo(longest)) => longest.mul_f64(fastrand::f64()),
            };
            tracing::info!(attempt = trail.attempt, wait_ms = wait.as_millis(), %failure, "will post again");
            sleep(wait).await;
            trail = trail.retry();
        }
    }
}

/// Whether an answer says that the batch has come.
fn judge(answer: Result<Answer, Unanswered>) -> Result<(), (Failure, HostHint)> {
    let (head, failure) = match answer {
        Ok(Answer::Page(fetched, _)) => (Some(fetched.head), None),
        Ok(Answer::Redirect(redirect, _)) => {
            let failure = Failure::new(Kind::Redirect, format!("{}, which is not followed", redirect.status));
            return Err((failure, HostHint::default()));
        }
        Err(unanswered) => (unanswered.head, Some(unanswered.failure)),
    };
    match (head, failure) {
        // Whatever became of its body.
        (Some(head), _) if (200..300).contains(&head.status) => Ok(()),
        (Some(head), _) => {
            let failure = Failure::new(Kind::Status, head.status.to_string());
            Err((failure.with_retry(visit::retry_of(head.status)), head.hint()))
        }
        (None, failure) => {
            Err((failure.unwrap_or_else(|| Failure::new(Kind::Internal, "no answer")), HostHint::default()))
        }
    }
}

/// The request for a body, at this time.
fn request(body: &[u8], key: Option<&hmac::Key>, now: Timestamp) -> Result<RequestOptions, InvalidHeaderValue> {
    let id = hex(digest::digest(&digest::SHA256, body).as_ref());
    let time = now.as_second().to_string();
    let mut request = RequestOptions::new(Method::POST, Some(body.to_vec()), None);
    let signature = key.map(|key| sign(key, &id, &time, body));
    let fields = [("webhook-id", Some(id)), ("webhook-timestamp", Some(time)), ("webhook-signature", signature)];
    request.set_header(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    for (name, value) in fields.into_iter().filter_map(|(name, value)| Some((name, value?))) {
        request.set_header(HeaderName::from_static(name), HeaderValue::try_from(value)?);
    }
    Ok(request)
}

fn sign(key: &hmac::Key, id: &str, time: &str, body: &[u8]) -> String {
    let mut context = hmac::Context::with_key(key);
    for part in [id.as_bytes(), b".", time.as_bytes(), b".", body] {
        context.update(part);
    }
    format!("v1,{}", STANDARD.encode(context.sign()))
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a text does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The key of a secret, of which nothing is ever quoted.
fn key(secret: &str) -> Result<hmac::Key, Stop> {
    let read = |name: &str| {
        let text =
            fs::read_to_string(name).with_context(|| format!("cannot read {name}, the file of --webhook-secret"));
        text.map_err(Stop::usage)
    };
    let secret = secret.strip_prefix('@').map_or_else(|| Ok(secret.to_owned()), read)?;
    let secret = secret.trim();
    let bytes = match secret.strip_prefix("whsec_") {
        Some(encoded) => STANDARD.decode(encoded).ok(),
        None => Some(secret.as_bytes().to_vec()),
    };
    let bytes = bytes.filter(|bytes| !bytes.is_empty());
    let wrong = || Stop::usage(anyhow!("--webhook-secret is empty, or not base64 behind whsec_"));
    bytes.map(|bytes| hmac::Key::new(hmac::HMAC_SHA256, &bytes)).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_that_of_the_standards_own_example() {
        let key = key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let signature = sign(&key, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", br#"{"test": 2432232314}"#);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn a_secret_that_is_none_is_refused_and_not_quoted() {
        for wrong in ["", " ", "whsec_", "whsec_***secret***"] {
            let stop = key(wrong).unwrap_err().to_string();
            assert!(!stop.contains("***"), "{stop}");
        }
    }
}
