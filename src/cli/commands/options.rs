//! From the arguments to each stage's options.

use std::fs;
use std::num::NonZeroUsize;
use std::time::Duration;

use anyhow::{Context, anyhow};
use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, COOKIE, HeaderName, HeaderValue, USER_AGENT};

use crate::cli::args::{self, Run};
use crate::cli::exit::Stop;
use crate::fetch::{self, ConnectionOptions, Family, Limits, RequestOptions};
use crate::frontier::{self, RetryOptions};

/// How far ahead of the oldest record that is not written yet a run with `--ordered` may be.
const WINDOW: NonZeroUsize = NonZeroUsize::new(4096).unwrap();

const FORM: HeaderValue = HeaderValue::from_static("application/x-www-form-urlencoded");

pub(super) fn frontier(args: &Run) -> frontier::Options {
    let frontier::Options { look_ahead, .. } = frontier::Options::default();
    frontier::Options {
        per_host: args.pace.per_host,
        delay: args.pace.delay,
        interval: args.pace.rate,
        limit: args.input.limit,
        // A slot is never empty because the queue was too short.
        look_ahead: look_ahead.max(args.pace.concurrency.saturating_mul(NonZeroUsize::MIN.saturating_add(1))),
        window: args.output.ordered.then_some(WINDOW),
        keep_duplicates: args.input.keep_duplicates,
        retry: RetryOptions {
            retries: args.retries.retry,
            delay: args.retries.retry_delay,
            max_retry_after: args.retries.max_retry_after,
            idempotent: is_idempotent(&method(&args.request)),
        },
    }
}

pub(super) fn fetch(args: &Run) -> Result<fetch::Options, Stop> {
    Ok(fetch::Options {
        request: request(&args.request)?,
        connection: connection(args),
        limits: Limits {
            max_time: args.limits.max_time,
            max_body: args.limits.max_body,
            max_redirects: args.limits.max_redirs,
        },
    })
}

/// RFC 9110, section 9.2.2. A method that nobody knows may do anything.
fn is_idempotent(method: &Method) -> bool {
    [Method::GET, Method::HEAD, Method::OPTIONS, Method::TRACE, Method::PUT, Method::DELETE].contains(method)
}

fn method(args: &args::Request) -> Method {
    match &args.request {
        Some(method) => method.clone(),
        None if args.head => Method::HEAD,
        None if !args.data.is_empty() => Method::POST,
        None => Method::GET,
    }
}

fn request(args: &args::Request) -> Result<RequestOptions, Stop> {
    let body = (!args.data.is_empty()).then(|| body(&args.data)).transpose()?;
    let has_body = body.is_some();
    let mut options = RequestOptions::new(method(args), body, args.user.clone());
    if has_body {
        options.set_header(CONTENT_TYPE, FORM);
    }
    if let Some(name) = &args.user_agent {
        options.set_header(USER_AGENT, text(name)?);
    }
    if let Some(cookies) = &args.cookie {
        options.set_header(COOKIE, text(cookies)?);
    }
    // The first of a name takes the place of a default, the next ones are sent beside it.
    let mut given: Vec<&HeaderName> = Vec::new();
    for header in &args.header {
        if !given.contains(&&header.name) {
            options.remove_header(&header.name);
            given.push(&header.name);
        }
        if let Some(value) = &header.value {
            options.add_header(header.name.clone(), value.clone());
        }
    }
    Ok(options)
}

fn text(value: &str) -> Result<HeaderValue, Stop> {
    HeaderValue::from_str(value).map_err(|_| Stop::usage(anyhow!("{value:?} cannot be the value of a header")))
}

/// The body: pieces joined by `&`, as curl does; a piece `@FILE` is the file's text without its line ends.
fn body(data: &[String]) -> Result<Vec<u8>, Stop> {
    let piece = |piece: &String| match piece.strip_prefix('@') {
        None => Ok(piece.clone().into_bytes()),
        Some(path) => {
            let file = fs::read(path).with_context(|| format!("cannot read {path}, the file of --data"));
            let text = file.map_err(Stop::usage)?;
            Ok(text.into_iter().filter(|byte| !matches!(byte, b'\r' | b'\n' | 0)).collect())
        }
    };
    let pieces = data.iter().map(piece).collect::<Result<Vec<_>, Stop>>()?;
    Ok(pieces.join(&b'&'))
}

fn connection(args: &Run) -> ConnectionOptions {
    let defaults = ConnectionOptions::default();
    let connection = &args.connection;
    ConnectionOptions {
        connect_timeout: args.limits.connect_timeout,
        read_timeout: args.limits.read_timeout,
        idle_per_host: args.pace.per_host.get(),
        // Where requests are far apart on purpose, their connection is worth keeping that long.
        idle_timeout: defaults.idle_timeout.max(args.pace.delay + Duration::from_secs(1)),
        proxy: connection.proxy.clone(),
        insecure: connection.insecure,
        ca_certificates: connection.cacert.clone(),
        identity: connection.cert.iter().chain(&connection.key).cloned().collect(),
        family: match (connection.ipv4, connection.ipv6) {
            (true, _) => Some(Family::V4),
            (_, true) => Some(Family::V6),
            _ => None,
        },
        resolutions: connection.resolve.clone(),
    }
}
