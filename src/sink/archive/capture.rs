//! The records of one exchange.

use std::io;
use std::sync::Arc;

use jiff::Timestamp;
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use reqwest::{Method, Version};
use url::Url;

use super::press::Packed;
use crate::exchange::{Exchange, Response};
use crate::job::Attempt;
use crate::warc::{Digest, Header, IDENTICAL_PAYLOAD, Packer, Record, kind, write_request_head, write_response_head};

/// What the index says of a record that has no payload of its own.
pub(super) const REVISITED: &str = "warc/revisit";

pub(super) const FIELDS: &str = "application/warc-fields";

/// Where a payload was written.
#[derive(Clone)]
pub(super) struct Original {
    pub(super) id: String,
    pub(super) url: String,
    pub(super) date: String,
}

/// What the index says of a record.
pub(super) struct Listing {
    pub(super) url: Url,
    pub(super) at: Timestamp,
    pub(super) mime: String,
    pub(super) status: u16,
    pub(super) digest: Digest,
    /// Where the record is among those that are written together.
    pub(super) start: usize,
    pub(super) length: usize,
}

/// An exchange that is to be written.
pub(super) struct Capture {
    attempt: Attempt,
    /// The record that tells of the archive.
    info: Arc<str>,
    /// The identifier of its own answer.
    id: String,
    /// That of the body of the answer, whole or not.
    digest: Option<Digest>,
    /// The record that has its payload.
    pub(super) original: Option<Original>,
}

impl Capture {
    pub(super) fn new(attempt: Attempt, info: Arc<str>) -> Self {
        let digest = attempt.exchange.response.as_ref().map(|answer| Digest::of(&[&answer.body]));
        Self { attempt, info, id: new_id(), digest, original: None }
    }

    /// What a payload that can be an original, or have one, is known by.
    pub(super) fn payload(&self) -> Option<Digest> {
        let answer = self.attempt.exchange.response.as_ref()?;
        self.digest.filter(|_| answer.cut.is_none() && !answer.body.is_empty())
    }

    /// The original that it is for others.
    pub(super) fn to_original(&self) -> Original {
        let Attempt { trail, exchange, .. } = &self.attempt;
        Original { id: self.id.clone(), url: trail.url.as_str().into(), date: date(exchange.at) }
    }

    /// Makes its records.
    pub(super) fn pack(self, packer: &mut Packer) -> io::Result<Packed> {
        let (request_id, mut bytes) = (new_id(), Vec::new());
        self.pack_request(&request_id, (packer, &mut bytes))?;
        self.pack_metadata(&request_id, (packer, &mut bytes))?;
        let answer = self.attempt.exchange.response.as_ref().zip(self.digest);
        let listing = answer.map(|answer| self.pack_response(&request_id, answer, (packer, &mut bytes))).transpose()?;
        Ok(Packed { bytes, listing })
    }

    /// The fields that each of the records has.
    fn head(&self, kind: &str, id: &str) -> Header {
        let mut header = head_with(kind, id, self.attempt.exchange.at);
        header.push("WARC-Target-URI", self.attempt.trail.url.as_str());
        header.push("WARC-Warcinfo-ID", &*self.info);
        header
    }

    fn pack_request(&self, id: &str, (packer, out): (&mut Packer, &mut Vec<u8>)) -> io::Result<()> {
        let Attempt { trail, exchange, .. } = &self.attempt;
        let mut header = self.head(kind::REQUEST, id);
        if exchange.response.is_some() {
            header.push("WARC-Concurrent-To", self.id.as_str());
        }
        push_connection(&mut header, exchange);
        header.push("Content-Type", "application/http; msgtype=request");
        let head = write_request_head(&exchange.method, &trail.url, &exchange.headers);
        packer.pack(Record { header, block: &[&head] }, out)
    }

    fn pack_metadata(&self, request_id: &str, (packer, out): (&mut Packer, &mut Vec<u8>)) -> io::Result<()> {
        let mut header = self.head(kind::METADATA, &new_id());
        let of = if self.attempt.exchange.response.is_some() { &self.id } else { request_id };
        header.push("WARC-Concurrent-To", of);
        header.push("Content-Type", FIELDS);
        let fields = describe(&self.attempt).to_text();
        packer.pack(Record { header, block: &[fields.as_bytes()] }, out)
    }

    fn pack_response(
        &self,
        request_id: &str,
        (answer, digest): (&Response, Digest),
        (packer, out): (&mut Packer, &mut Vec<u8>),
    ) -> io::Result<Listing> {
        let Response { status, headers, body, cut } = answer;
        let Attempt { trail, exchange, .. } = &self.attempt;
        let kind = if self.original.is_some() { kind::REVISIT } else { kind::RESPONSE };
        let mut header = self.head(kind, &self.id);
        header.push("WARC-Concurrent-To", request_id);
        push_connection(&mut header, exchange);
        header.push("WARC-Payload-Digest", digest.to_string());
        header.push("Content-Type", "application/http; msgtype=response");
        if let Some(original) = &self.original {
            header.push("WARC-Profile", IDENTICAL_PAYLOAD);
            header.push("WARC-Refers-To", original.id.as_str());
            header.push("WARC-Refers-To-Target-URI", original.url.as_str());
            header.push("WARC-Refers-To-Date", original.date.as_str());
        } else if let Some(cut) = cut {
            header.push("WARC-Truncated", cut.name());
        }
        let head = write_response_head(*status, headers);
        let block: &[&[u8]] = if self.original.is_some() { &[&head] } else { &[&head, body] };
        let start = out.len();
        packer.pack(Record { header, block }, out)?;
        let mime = if self.original.is_some() { REVISITED.into() } else { media(&answer.headers) };
        let (url, at, length) = (trail.url.clone(), exchange.at, out.len() - start);
        Ok(Listing { url, at, mime, status: *status, digest, start, length })
    }
}

/// The media type that the index names.
pub(super) fn media(headers: &HeaderMap) -> String {
    let media = headers.get(CONTENT_TYPE).map(|value| String::from_utf8_lossy(value.as_bytes()));
    let media = media.as_deref().and_then(|media| media.split(';').next());
    media.unwrap_or("unk").trim().to_owned()
}

/// The fields that every record has.
pub(super) fn head(kind: &str, at: Timestamp) -> Header {
    head_with(kind, &new_id(), at)
}

fn head_with(kind: &str, id: &str, at: Timestamp) -> Header {
    let mut header = Header::default();
    header.push("WARC-Type", kind);
    header.push("WARC-Record-ID", id);
    header.push("WARC-Date", date(at));
    header
}

fn date(at: Timestamp) -> String {
    format!("{at:.3}")
}

/// A random identifier (RFC 9562, version 4).
fn new_id() -> String {
    let random = fastrand::u128(..) & !(0xf << 76 | 3 << 62) | (4 << 76 | 2 << 62);
    let digits = format!("{random:032x}");
    let parts = [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]];
    format!("<urn:uuid:{}>", parts.join("-"))
}

fn push_connection(header: &mut Header, exchange: &Exchange) {
    if let Some(address) = exchange.address {
        header.push("WARC-IP-Address", address.to_string());
    }
    let protocol = match exchange.version {
        Some(Version::HTTP_2) => "h2",
        Some(Version::HTTP_10) => "http/1.0",
        Some(Version::HTTP_11) => "http/1.1",
        _ => return,
    };
    header.push("WARC-Protocol", protocol);
}

/// What a record of this program says of an exchange and the archive otherwise does not: the first three in Heritrix's
/// words.
fn describe(attempt: &Attempt) -> Header {
    let Attempt { target, trail, failure, exchange, is_final, .. } = attempt;
    let mut fields = Header::default();
    if let Some(hop) = trail.hops.last() {
        fields.push("via", hop.url.as_str());
    }
    fields.push("hopsFromSeed", "R".repeat(trail.hops.len()));
    fields.push("fetchTimeMs", trail.spent.as_millis().to_string());
    fields.push("given", &*target.given);
    trail.hops.iter().for_each(|hop| fields.push("hop", format!("{} {}", hop.status, hop.url)));
    fields.push("attempt", trail.attempt.to_string());
    fields.push("final", if *is_final { "yes" } else { "no" });
    if exchange.method == Method::HEAD {
        fields.push("method", "HEAD");
    }
    if let Some(failure) = failure {
        fields.push("failure", format!("{} {}", failure.kind, failure.message));
    }
    if let Some(input) = &target.input {
        fields.push("input", input.get());
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_is_a_random_uuid() {
        let (one, two) = (new_id(), new_id());
        assert_ne!(one, two);
        assert_eq!((one.len(), &one[..10], &one[24..25]), (47, "<urn:uuid:", "4"));
        assert!("89ab".contains(&one[29..30]), "{one}");
    }
}
