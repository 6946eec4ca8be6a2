//! What there is to tell of one URL, before it takes a form.

use std::time::Duration;

use reqwest::Method;
use serde_json::Value;

use crate::extract::{Extractor, Matches};
use crate::fetch::{RequestOptions, Trace};
use crate::frontier::{Refusal, RetryOptions, Wait};
use crate::job::Outcome;
use crate::page::{CharsetSource, Kind, Page};

/// What stands for whatever may be a secret.
pub(super) const HIDDEN: &str = "…";

/// All of it.
pub(super) struct Report {
    /// The requests in their order.
    pub(super) requests: Vec<Request>,
    /// What came of the last one, and so of the URL.
    pub(super) last: Outcome,
    /// How the page was read, if there is one.
    pub(super) reading: Option<Reading>,
    pub(super) fields: Vec<Field>,
    /// The same for curl; none for what is no URL.
    pub(super) curl: Option<String>,
}

/// One request.
pub(super) struct Request {
    pub(super) method: Method,
    pub(super) outcome: Outcome,
    pub(super) trace: Trace,
    /// How long it took in all.
    pub(super) took: Duration,
}

/// How a body became a page.
pub(super) struct Reading {
    /// What the body is.
    pub(super) kind: Kind,
    /// What decided the charset.
    pub(super) charset_source: Option<CharsetSource>,
    /// The content codings that were undone, as the answer names them.
    pub(super) coding: Option<String>,
    /// The bytes of the body as they came.
    pub(super) received: u64,
}

/// A field that was asked for.
pub(super) struct Field {
    pub(super) name: Box<str>,
    pub(super) value: Value,
    /// What its selector found, where it has one.
    pub(super) matches: Option<Matches>,
}

impl Report {
    pub(super) fn new(requests: Vec<Request>, last: Outcome, extractor: &Extractor) -> Self {
        let trace = requests.last().map(|request| &request.trace);
        let answer = trace.and_then(|trace| Some((trace.answer.as_ref()?, trace.received)));
        let page = answer.map(|(answer, _)| Page::read(answer));
        let matches = page.as_ref().map(|page| extractor.matches(page)).unwrap_or_default();
        let reading = answer.zip(page.as_ref()).map(|((answer, received), page)| Reading {
            kind: page.kind,
            charset_source: page.charset_source,
            coding: coding(answer.head.headers.get_all("content-encoding")),
            received,
        });
        let row = last.rows().first();
        let fields = extractor.names().iter().enumerate().map(|(n, name)| {
            let value = row.and_then(|row| serde_json::to_value(row.0.get(n)?).ok()).unwrap_or_default();
            Field {
                name: name.clone(),
                value: without_cookies(name, value),
                matches: matches.get(n).cloned().flatten(),
            }
        });
        let fields = fields.collect();
        Self { requests, last, reading, fields, curl: None }
    }

    /// What a run with these rules would do about the failure, if there is one.
    pub(super) fn plan(&self, rules: &RetryOptions) -> Option<Result<Wait, Refusal>> {
        let failed = self.last.trail.as_ref().zip(self.last.failure());
        failed.map(|(trail, failure)| rules.plan(trail, failure, self.last.hint))
    }
}

/// The requests of one URL's only attempt.
pub(super) fn requests(visits: Vec<(Outcome, Trace)>, options: &RequestOptions) -> Vec<Request> {
    let mut before = Duration::ZERO;
    let request = |(outcome, trace): (Outcome, Trace)| {
        // The time of an attempt counts on from request to request.
        let so_far = outcome.trail.as_ref().map_or(before, |trail| trail.spent);
        let took = so_far.saturating_sub(std::mem::replace(&mut before, so_far));
        let method = outcome.trail.as_ref().map(|trail| options.method_of(trail)).unwrap_or_default();
        Request { method, outcome, trace, took }
    };
    visits.into_iter().map(request).collect()
}

fn coding<'a>(fields: impl IntoIterator<Item = &'a reqwest::header::HeaderValue>) -> Option<String> {
    let codings: Vec<_> = fields.into_iter().map(|field| String::from_utf8_lossy(field.as_bytes())).collect();
    (!codings.is_empty()).then(|| codings.join(", "))
}

/// Hides the cookies' values in the two fields that have them.
fn without_cookies(field: &str, mut value: Value) -> Value {
    for entry in value.as_array_mut().into_iter().flatten() {
        let is_cookie = match field {
            "cookies" => true,
            "headers" => entry["name"] == "set-cookie",
            _ => false,
        };
        if let Some(secret) = entry.get_mut("value").filter(|_| is_cookie) {
            *secret = HIDDEN.into();
        }
    }
    value
}
