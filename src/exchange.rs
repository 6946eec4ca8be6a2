//! What went over the wire for one request: for archives, and for whoever reads these.

use std::net::IpAddr;

use bytes::Bytes;
use jiff::Timestamp;
use reqwest::header::HeaderMap;
use reqwest::{Method, Version};

/// Why a body is not whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// More of it would have been too much.
    Length,
    /// More of it would have taken too long.
    Time,
    /// The connection ended.
    Disconnect,
    /// For another reason.
    Unspecified,
}

impl Cut {
    /// Every reason, in the order of declaration.
    pub const ALL: [Self; 4] = [Self::Length, Self::Time, Self::Disconnect, Self::Unspecified];

    /// Its name in archives (ISO 28500, `WARC-Truncated`).
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Length => "length",
            Self::Time => "time",
            Self::Disconnect => "disconnect",
            Self::Unspecified => "unspecified",
        }
    }
}

/// An answer as it came, its transfer framing undone.
#[derive(Clone, Debug)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// The header fields. Their names are in lower case, and fields of one name stand together.
    pub headers: HeaderMap,
    /// The body as far as it came, content codings and all.
    pub body: Bytes,
    /// Why the body is not whole; none if it is.
    pub cut: Option<Cut>,
}

/// One request, and what came back.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// When it began.
    pub at: Timestamp,
    /// The method.
    pub method: Method,
    /// The header fields that were sent, without those whose values may be secret.
    pub headers: HeaderMap,
    /// The address that answered; none where a proxy hides it, and where nobody did.
    pub address: Option<IpAddr>,
    /// The version of HTTP; none where nobody answered.
    pub version: Option<Version>,
    /// The answer, if one began.
    pub response: Option<Response>,
    /// The body with its content codings undone, if it is whole and no redirect's.
    pub page: Option<Bytes>,
}
