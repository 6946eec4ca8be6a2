//! The report for scripts. The keys are always all present; [`VERSION`] changes when one is removed or means something
//! else. Times are milliseconds, with fractions; instants are RFC 3339.

use std::time::Duration;

use serde_json::{Value, json};

use super::report::{Reading, Report, Request};
use crate::fetch::{Certificate, Times, Tls};
use crate::frontier::{Refusal, RetryOptions, Wait};
use crate::job::{End, Outcome};
use crate::page::CharsetSource;
use crate::sink::escape_json;

/// The version of the report, its key `v`.
const VERSION: u64 = 1;

pub(super) fn text(report: &Report, rules: &RetryOptions) -> String {
    escape_json(&format!("{:#}\n", object(report, rules)))
}

fn object(report: &Report, rules: &RetryOptions) -> Value {
    let last = &report.last;
    let fields = report.fields.iter().map(|field| {
        let matches = field.matches.as_ref();
        json!({
            "name": field.name,
            "value": field.value,
            "matches": matches.map(|matches| matches.count),
            "first_match": matches.and_then(|matches| matches.first.as_deref()),
        })
    });
    json!({
        "v": VERSION,
        "url": last.target.given,
        "final_url": last.trail.as_ref().map(|trail| trail.url.as_str()),
        "requests": report.requests.iter().map(request).collect::<Vec<_>>(),
        "page": report.reading.as_ref().map(|reading| page(reading, last)),
        "fields": fields.collect::<Vec<_>>(),
        "error": error(last),
        "retry": report.plan(rules).map(retry),
        "curl": report.curl,
    })
}

fn request(request: &Request) -> Value {
    let Request { method, outcome, trace, took } = request;
    let redirect = if let End::Redirect(redirect) = &outcome.end { Some(redirect) } else { None };
    let status = redirect.map(|redirect| redirect.status).or(outcome.facts.as_ref().map(|facts| facts.status));
    let connection = trace.connection.as_ref();
    json!({
        "method": method.as_str(),
        "url": outcome.trail.as_ref().map(|trail| trail.url.as_str()),
        "status": status,
        "redirect": redirect.map(|redirect| redirect.to.as_str()),
        "error": error(outcome),
        "found_addresses": trace.found,
        "address": connection.and_then(|connection| connection.address),
        "proxied": connection.map(|connection| connection.is_proxied),
        "kept_connection": connection.map(|connection| connection.is_kept),
        "http": connection.map(|connection| format!("{:?}", connection.http)),
        "tls": connection.and_then(|connection| connection.tls.as_ref()).map(tls),
        "time_ms": times(&trace.times, *took),
    })
}

fn times(times: &Times, took: Duration) -> Value {
    json!({
        "dns": times.dns.map(millis),
        "connect": times.connect.map(millis),
        "first_byte": times.first_byte.map(millis),
        "body": times.body.map(millis),
        "total": millis(took),
    })
}

fn tls(tls: &Tls) -> Value {
    json!({"version": tls.version, "certificate": tls.certificate.as_ref().map(certificate)})
}

fn certificate(certificate: &Certificate) -> Value {
    let Certificate { subject, issuer, names, not_before, not_after } = certificate;
    let [not_before, not_after] = [not_before, not_after].map(|time| time.map(|time| time.to_string()));
    json!({"subject": subject, "issuer": issuer, "names": names, "not_before": not_before, "not_after": not_after})
}

fn page(reading: &Reading, outcome: &Outcome) -> Value {
    let facts = outcome.facts.as_ref();
    let charset = facts.and_then(|facts| facts.charset);
    json!({
        "content_type": facts.and_then(|facts| facts.content_type.as_deref()),
        "kind": reading.kind.name(),
        "charset": charset,
        "charset_source": reading.charset_source.filter(|_| charset.is_some()).map(CharsetSource::slug),
        "content_encoding": reading.coding,
        "received_bytes": reading.received,
        "bytes": facts.and_then(|facts| facts.bytes),
        "length": facts.and_then(|facts| facts.length),
        "title": facts.and_then(|facts| facts.title.as_deref()),
    })
}

fn error(outcome: &Outcome) -> Value {
    outcome.failure().map(|failure| json!({"kind": failure.kind.slug(), "message": failure.message})).into()
}

fn retry(plan: Result<Wait, Refusal>) -> Value {
    let (again, reason, wait) = match plan {
        Ok(Wait::Exactly(wait)) => (true, "retry_after", Some(wait)),
        Ok(Wait::UpTo(longest)) => (true, "backoff", Some(longest)),
        Err(Refusal::Pointless) => (false, "pointless", None),
        Err(Refusal::Unsafe) => (false, "not_idempotent", None),
        Err(Refusal::Spent) => (false, "no_retries", None),
        Err(Refusal::TooLong(wait)) => (false, "retry_after_too_long", Some(wait)),
    };
    json!({"again": again, "reason": reason, "wait_ms": wait.map(millis)})
}

/// Milliseconds, to the microsecond.
#[expect(clippy::cast_precision_loss, reason = "a time of 2⁵³ µs is 285 years")]
fn millis(time: Duration) -> f64 {
    time.as_micros() as f64 / 1000.0
}
