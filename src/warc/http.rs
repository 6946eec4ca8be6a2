//! The HTTP messages in records.

use reqwest::header::{HeaderMap, HeaderName, HeaderValue, TRANSFER_ENCODING};
use reqwest::{Method, StatusCode};
use url::{Position, Url};

/// A transfer coding that has been undone.
static UNDONE: HeaderName = HeaderName::from_static("x-crawler-transfer-encoding");

/// More fields than this are passed over.
const MAX_FIELDS: usize = 1024;

/// An answer, its chunks undone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The status.
    pub status: u16,
    /// The header fields; a transfer coding that was undone before it was written is one again.
    pub headers: HeaderMap,
    /// The body, content codings and all.
    pub body: Vec<u8>,
    /// Whether it ends within its chunks.
    pub is_cut: bool,
}

/// Reads an answer; none where the bytes are none.
#[must_use]
pub fn parse_response(mut block: Vec<u8>) -> Option<Message> {
    let start = block.strip_prefix(b"HTTP/")?;
    let line = start.split(|&byte| byte == b'\n').next()?;
    let mut words = line.split(|&byte| byte == b' ').filter(|word| !word.is_empty());
    let status = words.nth(1)?.trim_ascii();
    let digits = str::from_utf8(status).ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))?;
    let status = digits.parse().ok().filter(|status| (100..1000).contains(status))?;
    let body_start = head_end(&block);
    let fields = block[..body_start].iter().position(|&byte| byte == b'\n').map_or(body_start, |end| end + 1);
    let (headers, is_chunked) = parse_fields(&block[fields..body_start]);
    block.drain(..body_start);
    let unchunked = if is_chunked { unchunk(&block) } else { None };
    let (body, is_cut) = unchunked.unwrap_or((block, false));
    Some(Message { status, headers, body, is_cut })
}

/// Where the body starts.
fn head_end(block: &[u8]) -> usize {
    let mut start = 0;
    while let Some(length) = memchr::memchr(b'\n', &block[start..]) {
        let is_blank = matches!(&block[start..start + length], b"" | b"\r");
        start += length + 1;
        if is_blank {
            return start;
        }
    }
    block.len()
}

/// The fields, and whether the body is in chunks.
fn parse_fields(text: &[u8]) -> (HeaderMap, bool) {
    let mut fields: Vec<(HeaderName, Vec<u8>)> = Vec::new();
    let mut is_chunked = false;
    for line in text.split(|&byte| byte == b'\n').take(MAX_FIELDS) {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.starts_with(b" ") || line.starts_with(b"\t") {
            if let Some((_, value)) = fields.last_mut() {
                value.push(b' ');
                value.extend_from_slice(line.trim_ascii());
            }
            continue;
        }
        let Some(colon) = line.iter().position(|&byte| byte == b':') else { continue };
        let Ok(name) = HeaderName::from_bytes(line[..colon].trim_ascii()) else { continue };
        let value = line[colon + 1..].trim_ascii();
        is_chunked |= name == TRANSFER_ENCODING && value.to_ascii_lowercase().ends_with(b"chunked");
        fields.push((if name == UNDONE { TRANSFER_ENCODING } else { name }, value.to_vec()));
    }
    let mut headers = HeaderMap::new();
    for (name, value) in fields {
        if let Ok(value) = HeaderValue::from_bytes(&value) {
            headers.append(name, value);
        }
    }
    (headers, is_chunked)
}

/// A body without its chunks, and whether it ends too early; none where it is in no chunks.
fn unchunk(mut rest: &[u8]) -> Option<(Vec<u8>, bool)> {
    let mut body = Vec::new();
    loop {
        let Some((size, behind)) = chunk_size(rest) else {
            return (!body.is_empty()).then_some((body, true));
        };
        if size == 0 {
            return Some((body, false));
        }
        let chunk = &behind[..size.min(behind.len())];
        body.extend_from_slice(chunk);
        if chunk.len() < size {
            return Some((body, true));
        }
        rest = &behind[size..];
        rest = rest.strip_prefix(b"\r").unwrap_or(rest);
        rest = rest.strip_prefix(b"\n").unwrap_or(rest);
    }
}

/// The size of the chunk that comes next, and what is behind that.
fn chunk_size(text: &[u8]) -> Option<(usize, &[u8])> {
    /// No size needs a longer line, extensions apart, which nobody writes.
    const MAX_LINE: usize = 1024;
    let end = memchr::memchr(b'\n', &text[..text.len().min(MAX_LINE)])?;
    let line = text[..end].split(|&byte| byte == b';').next()?.trim_ascii();
    let digits = str::from_utf8(line).ok().filter(|line| line.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
    Some((usize::from_str_radix(digits, 16).ok()?, &text[end + 1..]))
}

/// The head of an answer, as of HTTP/1.1 whatever it came by. A transfer coding is named as one that has been undone.
#[must_use]
pub fn write_response_head(status: u16, headers: &HeaderMap) -> Vec<u8> {
    let reason = StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()).unwrap_or_default();
    let mut head = format!("HTTP/1.1 {status} {reason}\r\n").into_bytes();
    for (name, value) in headers {
        push_field(&mut head, if name == TRANSFER_ENCODING { &UNDONE } else { name }, value);
    }
    head.extend_from_slice(b"\r\n");
    head
}

/// The head of a request, as of HTTP/1.1 whatever it went by.
#[must_use]
pub fn write_request_head(method: &Method, url: &Url, headers: &HeaderMap) -> Vec<u8> {
    let target = &url[Position::BeforePath..Position::AfterQuery];
    let host = &url[Position::BeforeHost..Position::AfterPort];
    let mut head = format!("{method} {target} HTTP/1.1\r\nhost: {host}\r\n").into_bytes();
    headers.iter().for_each(|(name, value)| push_field(&mut head, name, value));
    head.extend_from_slice(b"\r\n");
    head
}

fn push_field(head: &mut Vec<u8>, name: &HeaderName, value: &HeaderValue) {
    for part in [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"] {
        head.extend_from_slice(part);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(block: &[u8]) -> Message {
        parse_response(block.to_vec()).unwrap()
    }

    #[test]
    fn heads_of_any_age_are_read() {
        for block in [
            &b"HTTP/1.0 200 OK\nA: b\n\nbody"[..],
            b"HTTP/1.1 200\r\nA:b\r\n\r\nbody",
            b"HTTP/2 200 \r\nA: b\r\n\r\nbody",
        ] {
            let message = parse(block);
            assert_eq!(
                (message.status, &message.headers["a"], &*message.body),
                (200, &"b".parse().unwrap(), &b"body"[..])
            );
        }
        let folded = parse(b"HTTP/1.1 404 Not Found\r\nA: b\r\n c\r\n: x\r\nnonsense\r\n\r\n");
        assert_eq!((&folded.headers["a"], folded.headers.len()), (&"b c".parse().unwrap(), 1));
        assert_eq!(parse(b"HTTP/1.1 200 OK\r\nA: b").headers.len(), 1);
        for none in [&b""[..], b"HTTP/", b"HTTP/1.1 2000 x", b"ICY 200 OK\n\n", b"HTTP/1.1 +12 x\n\n"] {
            assert!(parse_response(none.to_vec()).is_none(), "{none:?}");
        }
    }

    #[test]
    fn chunks_are_undone_where_there_are_some() {
        let chunked = |body: &[u8]| parse(&[b"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n", body].concat());
        for whole in [&b"2\r\nab\r\n1;x=y\r\nc\r\n0\r\n\r\n"[..], b"2\nab\n1\nc\n0\n"] {
            assert_eq!((&*chunked(whole).body, chunked(whole).is_cut), (&b"abc"[..], false));
        }
        for cut in [&b"2\r\nab\r\n5\r\nc"[..], b"3\r\nabc\r\n", b"3\r\nabc\r\nzz\r\n"] {
            assert_eq!((&*chunked(cut).body, chunked(cut).is_cut), (&b"abc"[..], true));
        }
        for plain in [&b"<html>"[..], b"", b"ffffffffffffffffffff\r\nx"] {
            assert_eq!((&*chunked(plain).body, chunked(plain).is_cut), (plain, false));
        }
    }

    #[test]
    fn a_transfer_coding_that_was_undone_comes_back_as_one_and_undoes_nothing() {
        let headers = HeaderMap::from_iter([(TRANSFER_ENCODING, "chunked".parse().unwrap())]);
        let head = write_response_head(200, &headers);
        assert_eq!(head, b"HTTP/1.1 200 OK\r\nx-crawler-transfer-encoding: chunked\r\n\r\n");
        let message = parse(&[&head[..], b"1\r\nx"].concat());
        assert_eq!((message.headers, &*message.body), (headers, &b"1\r\nx"[..]));
    }

    proptest! {
        #[test]
        fn any_bytes_are_an_answer_or_none(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = parse_response(bytes.clone());
            let _ = parse_response([b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n", &bytes[..]].concat());
            let _ = unchunk(&bytes);
        }
    }
}
