//! Job → answer.

use reqwest::header::HeaderMap;
use url::Url;

/// An answer whose body is complete, content codings undone.
#[derive(Debug)]
pub struct Fetched {
    /// The URL that answered.
    pub url: Url,
    /// The answer's status.
    pub status: u16,
    /// The answer's header fields.
    pub headers: HeaderMap,
    /// The body.
    pub body: Vec<u8>,
}
