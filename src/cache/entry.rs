//! One answer in a file: a line with a checksum of the rest, a line with what no header field tells, the head and the body.

use std::net::IpAddr;

use bytes::Bytes;
use jiff::Timestamp;
use reqwest::header::HeaderMap;
use serde::{Deserialize, Serialize};
use url::Url;
use xxhash_rust::xxh3::{Xxh3, xxh3_64};

use crate::warc::{parse_response, write_response_head};

/// What each file starts with: the number is the version.
const MAGIC: &str = "scrape-cache 1 ";

/// An answer that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// When it came, or was confirmed.
    pub at: Timestamp,
    /// The address that it came from; none where a proxy hides it.
    pub by: Option<IpAddr>,
    /// What stands for the header fields of its request that `Vary` names.
    pub(super) variant: u64,
    /// The status.
    pub status: u16,
    /// The header fields.
    pub headers: HeaderMap,
    /// The body, its content codings undone.
    pub body: Bytes,
}

/// What no header field tells.
#[derive(Deserialize, Serialize)]
struct Facts {
    url: String,
    /// Milliseconds since 1970.
    at: i64,
    by: Option<IpAddr>,
    variant: u64,
}

impl Entry {
    /// What stands before the body in the file of an answer from `url`.
    pub(super) fn head(&self, url: &Url) -> Vec<u8> {
        let facts =
            Facts { url: url.as_str().into(), at: self.at.as_millisecond(), by: self.by, variant: self.variant };
        // To memory, and every key is a string: that cannot fail.
        let mut rest = serde_json::to_vec(&facts).unwrap_or_default();
        rest.push(b'\n');
        rest.extend(write_response_head(self.status, &self.headers));
        let mut hash = Xxh3::new();
        hash.update(&rest);
        hash.update(&self.body);
        let mut head = format!("{MAGIC}{:016x}\n", hash.digest()).into_bytes();
        head.extend(rest);
        head
    }

    /// Reads the file of an answer from `url`; none where it is damaged or another one's.
    pub(super) fn decode(file: Vec<u8>, url: &Url) -> Option<Self> {
        let sum = file.strip_prefix(MAGIC.as_bytes())?.get(..16)?;
        let sum = u64::from_str_radix(str::from_utf8(sum).ok()?, 16).ok()?;
        let file = Bytes::from(file).slice(MAGIC.len() + 16..);
        let rest = file.strip_prefix(b"\n").filter(|rest| xxh3_64(rest) == sum)?;
        let end = memchr::memchr(b'\n', rest)?;
        let Facts { url: of, at, by, variant } = serde_json::from_slice(&rest[..end]).ok()?;
        let at = Timestamp::from_millisecond(at).ok()?;
        let message = parse_response(rest[end + 1..].to_vec()).filter(|_| of == url.as_str())?;
        Some(Self { at, by, variant, status: message.status, headers: message.headers, body: message.body.into() })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use reqwest::header::{HeaderName, HeaderValue};

    use super::*;

    fn url() -> Url {
        Url::parse("http://a.test/?q=1").unwrap()
    }

    fn entry(fields: &[(&str, &[u8])], body: Vec<u8>) -> Entry {
        let field = |&(name, value): &(&str, &[u8])| {
            (HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_bytes(value).unwrap())
        };
        let mut headers = HeaderMap::new();
        for (name, value) in fields.iter().map(field) {
            headers.append(name, value);
        }
        let at = "2026-11-22T10:30:00.5Z".parse().unwrap();
        let by = Some(IpAddr::from([192, 0, 2, 1]));
        Entry { at, by, variant: u64::MAX, status: 200, headers, body: body.into() }
    }

    fn file(entry: &Entry) -> Vec<u8> {
        [&entry.head(&url()), &*entry.body].concat()
    }

    #[test]
    fn an_answer_comes_back_with_all_its_fields() {
        let fields: &[(&str, &[u8])] =
            &[("set-cookie", b"a=1"), ("set-cookie", b"b=2"), ("transfer-encoding", b"chunked"), ("x-latin", b"\xe9")];
        let entry = entry(fields, b"4\r\nnot chunks\n\n".to_vec());
        assert_eq!(Entry::decode(file(&entry), &url()), Some(entry));
    }

    #[test]
    fn another_url_and_another_version_have_no_answer() {
        let file = file(&entry(&[], b"body".to_vec()));
        assert_eq!(Entry::decode(file.clone(), &Url::parse("http://b.test/").unwrap()), None);
        let newer = String::from_utf8(file).unwrap().replacen("cache 1", "cache 2", 1);
        assert_eq!(Entry::decode(newer.into_bytes(), &url()), None);
    }

    proptest! {
        #[test]
        fn what_is_damaged_or_cut_is_not_there(body in prop::collection::vec(any::<u8>(), 0..99), place: prop::sample::Index, cut: bool) {
            let entry = entry(&[("etag", b"\"x\"")], body);
            let mut file = file(&entry);
            prop_assert_eq!(Entry::decode(file.clone(), &url()), Some(entry));
            let place = place.index(file.len());
            if cut { file.truncate(place) } else { file[place] ^= 1 }
            prop_assert_eq!(Entry::decode(file, &url()), None);
        }

        #[test]
        fn any_bytes_are_an_answer_or_none(bytes in prop::collection::vec(any::<u8>(), 0..99)) {
            let _ = Entry::decode(bytes.clone(), &url());
            let _ = Entry::decode([MAGIC.as_bytes(), &bytes].concat(), &url());
        }
    }
}
