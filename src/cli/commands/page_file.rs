//! A page that is there already, as if it had been fetched.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use anyhow::Context;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use url::Url;

use crate::cli::exit::Stop;
use crate::fetch::{Fetched, Head};

/// The URL of a page that has none.
const NOWHERE: &str = "file:///";

/// A page in a file, whose name tells what it is.
pub(super) fn read(path: &Path, limit: usize) -> Result<Fetched, Stop> {
    let body = File::open(path).and_then(|file| limited(file, limit));
    let body = body.with_context(|| format!("cannot read {}", path.display())).map_err(Stop::broken)?;
    let extension = path.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    let media_type = match &*extension {
        "html" | "htm" | "xhtml" => Some("text/html"),
        "json" => Some("application/json"),
        _ => None,
    };
    fetched(media_type, body)
}

/// The page on standard input.
pub(super) fn read_stdin(limit: usize) -> Result<Fetched, Stop> {
    let body = limited(io::stdin().lock(), limit).context("cannot read standard input").map_err(Stop::broken)?;
    fetched(None, body)
}

/// All of it, if it is no longer than `limit`.
fn limited(source: impl Read, limit: usize) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    source.take(limit as u64 + 1).read_to_end(&mut body)?;
    if body.len() > limit {
        return Err(io::Error::other(format!("it is larger than {limit} bytes (--max-body)")));
    }
    Ok(body)
}

/// A page as if it had been fetched, from nowhere.
fn fetched(media_type: Option<&'static str>, body: Vec<u8>) -> Result<Fetched, Stop> {
    let url = Url::parse(NOWHERE).map_err(Stop::usage)?;
    // Nothing declares the page to be one, and most pieces of HTML do not look like a whole page.
    let start = body.trim_ascii_start();
    let is_html = start.starts_with(b"<") && !start.starts_with(b"<?xml");
    let media_type = media_type.or(is_html.then_some("text/html"));
    let fields = media_type.map(|media_type| (CONTENT_TYPE, HeaderValue::from_static(media_type)));
    let headers = HeaderMap::from_iter(fields);
    Ok(Fetched { url, head: Head { status: 200, headers }, body: body.into() })
}
