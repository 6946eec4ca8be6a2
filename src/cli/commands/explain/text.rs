//! The report as a page for a person: sections of labelled lines, harmless to a terminal whatever a server says.

use std::fmt::Write;
use std::time::Duration;

use jiff::Timestamp;
use reqwest::StatusCode;
use serde_json::Value;

use super::report::{Field, HIDDEN, Reading, Report, Request};
use crate::cli::sheet::{BAD, DIM, GOOD, Screen, Sheet};
use crate::fetch::{Certificate, Connection, Times, Tls};
use crate::frontier::{Refusal, RetryOptions, Wait};
use crate::job::{End, Outcome};
use crate::sink::{cut, grouped, human_duration};

pub(super) fn page(report: &Report, rules: &RetryOptions, screen: Screen) -> String {
    let mut page = Sheet::new(screen);
    report.requests.iter().for_each(|request| self::request(request, &mut page));
    if let Some(reading) = &report.reading {
        read(reading, &report.last, &mut page);
    }
    if !report.fields.is_empty() {
        page.heading("Fields", "");
        report.fields.iter().for_each(|field| self::field(field, &mut page));
    }
    result(report, rules, &mut page);
    if let Some(curl) = &report.curl {
        page.heading("curl", if curl.contains(HIDDEN) { "(… stands for what may be secret)" } else { "" });
        // In one piece, to be copied.
        page.whole(curl);
    }
    page.into_text()
}

fn request(request: &Request, page: &mut Sheet) {
    let Request { method, outcome, trace, took } = request;
    page.heading(method.as_str(), outcome.trail.as_ref().map(|trail| trail.url.as_str()).unwrap_or_default());
    match (&outcome.end, &outcome.facts) {
        (End::Redirect(redirect), _) => {
            page.line("answer", &format!("{}, to {}", status(redirect.status), redirect.to));
        }
        (_, Some(facts)) => page.line("answer", &status(facts.status)),
        (_, None) => page.styled("answer", "none", BAD),
    }
    let found: Vec<_> = trace.found.iter().map(ToString::to_string).collect();
    if let Some(connection) = &trace.connection {
        page.line("address", &address(connection, &found));
        page.line("protocol", &protocol(connection));
        if let Some(certificate) = connection.tls.as_ref().and_then(|tls| tls.certificate.as_ref()) {
            page.line("certificate", &cut(&names(certificate), page.room()));
            page.line("issued by", &cut(&issue(certificate), page.room()));
        }
    } else if !found.is_empty() {
        page.line("address", &format!("{}: the name has", found.join(", ")));
    }
    page.line("time", &times(&trace.times, *took));
}

fn status(status: u16) -> String {
    let reason = StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
    reason.map_or_else(|| status.to_string(), |reason| format!("{status} {reason}"))
}

fn address(connection: &Connection, found: &[String]) -> String {
    let mut text = connection.address.map_or_else(|| "not known".into(), |address| address.to_string());
    if connection.is_proxied {
        text += ", a proxy: the server's own is not known";
    } else if found.len() > 1 {
        let _ = write!(text, ", of {}", found.join(", "));
    }
    text
}

fn protocol(connection: &Connection) -> String {
    let mut text = format!("{:?}", connection.http);
    if let Some(Tls { version: Some(version), .. }) = &connection.tls {
        let _ = write!(text, ", {version}");
    }
    if connection.is_kept {
        text += ", on a connection that was kept";
    }
    text
}

fn names(certificate: &Certificate) -> String {
    let subject = certificate.subject.iter().filter(|subject| !certificate.names.contains(subject));
    certificate.names.iter().chain(subject).map(String::as_str).collect::<Vec<_>>().join(", ")
}

fn issue(certificate: &Certificate) -> String {
    let issuer = certificate.issuer.as_deref().unwrap_or("nobody that can be read");
    let day = |time: Timestamp| time.strftime("%Y-%m-%d").to_string();
    match (certificate.not_before, certificate.not_after) {
        (Some(from), Some(until)) => format!("{issuer}, valid from {} to {}", day(from), day(until)),
        _ => issuer.into(),
    }
}

fn times(times: &Times, took: Duration) -> String {
    let Times { dns, connect, first_byte, body } = *times;
    let parts = [("dns", dns), ("connect", connect), ("first byte", first_byte), ("body", body), ("total", Some(took))];
    let parts = parts.iter().filter_map(|(name, time)| Some(format!("{name} {}", human(time.as_ref().copied()?))));
    parts.collect::<Vec<_>>().join(" · ")
}

/// A time to three digits or so.
fn human(time: Duration) -> String {
    let micros = time.as_micros();
    match micros {
        0..10_000 => format!("{}.{} ms", micros / 1000, micros / 100 % 10),
        10_000..1_000_000 => format!("{} ms", micros / 1000),
        _ => human_duration(time),
    }
}

fn read(reading: &Reading, outcome: &Outcome, page: &mut Sheet) {
    let Some(facts) = &outcome.facts else { return };
    page.heading("Page", "");
    let declared = facts.content_type.as_deref().unwrap_or("no Content-Type");
    page.line("type", &cut(&format!("{}: {declared}", reading.kind.name()), page.room()));
    if let (Some(charset), Some(source)) = (facts.charset, reading.charset_source) {
        page.line("charset", &format!("{charset}: {}", source.words()));
    }
    if let Some(bytes) = facts.bytes {
        let mut body = format!("{} bytes", grouped(bytes));
        if let Some(coding) = &reading.coding {
            let _ = write!(body, ", {} as {}", grouped(reading.received), cut(coding, 40));
        }
        if let Some(length) = facts.length.filter(|_| facts.charset.is_some()) {
            let _ = write!(body, "; {} characters", grouped(length));
        }
        page.line("body", &body);
    }
    if let Some(title) = &facts.title {
        page.line("title", &cut(title, page.room()));
    }
}

fn field(field: &Field, page: &mut Sheet) {
    let value = match &field.value {
        Value::Null => "-".into(),
        Value::String(text) if text.is_empty() => "\"\"".into(),
        Value::String(text) => cut(text, page.room()),
        value => cut(&value.to_string(), page.room()),
    };
    page.line(&cut(&field.name, page.room()), &value);
    if let Some(matches) = &field.matches {
        let text = match (matches.count, &matches.first) {
            (0, _) => "no match".into(),
            (1, Some(first)) => format!("1 match: {first}"),
            (1, None) => "1 match".into(),
            (count, Some(first)) => format!("{} matches, the first one: {first}", grouped(count)),
            (count, None) => format!("{} matches", grouped(count)),
        };
        page.styled("", &cut(&text, page.room()), DIM);
    }
}

fn result(report: &Report, rules: &RetryOptions, page: &mut Sheet) {
    page.heading("Result", "");
    match report.last.failure() {
        None => page.styled("outcome", "fetched", GOOD),
        Some(failure) => page.styled("outcome", &failure.to_string(), BAD),
    }
    if let Some(plan) = report.plan(rules) {
        page.line("retry", &retry(plan, rules));
    }
}

/// What a run would do. Here nothing is tried again.
fn retry(plan: Result<Wait, Refusal>, rules: &RetryOptions) -> String {
    let longest = human_duration(rules.max_retry_after);
    match plan {
        Ok(wait) => {
            let when = match wait {
                Wait::Exactly(wait) => format!("after {}, as Retry-After asks", human_duration(wait)),
                Wait::UpTo(longest) => format!("after a random wait of up to {}", human_duration(longest)),
            };
            format!("a run would try again {when}; {} times at most (--retry)", rules.retries)
        }
        Err(Refusal::Pointless) => "a run would not try again: the answer would be the same".into(),
        Err(Refusal::Unsafe) => "a run would not try again: the request may have been carried out".into(),
        Err(Refusal::Spent) => "a run would not try again: --retry 0".into(),
        Err(Refusal::TooLong(wait)) => format!(
            "a run would not try again: Retry-After asks for {}, and {longest} are the most (--max-retry-after)",
            human_duration(wait)
        ),
    }
}
