//! A web archive of all that went over the wire, with an index beside it.
//!
//! For each request there are, in this order: a `request` record; a `metadata` record with what the answer itself does not
//! tell; and, if an answer began, a `response` record, or a `revisit` record where its payload is that of an earlier one.
//! What was decided where ISO 28500 leaves room, and where we cannot keep it to the letter:
//! - An answer is written as HTTP/1.1 whatever it came by, as all tools read that alone; `WARC-Protocol` tells the rest.
//!   Names of header fields are in lower case, and fields of one name stand together: that is all that is known of them.
//! - Transfer codings have been undone, so `Transfer-Encoding` is called `X-Crawler-Transfer-Encoding`.
//! - What may be a secret is not written: of a request, its body and all header fields but harmless ones (wget and Heritrix
//!   write them). Answers are as they came, `Set-Cookie` too.
//! - Only a payload that is whole and not empty is an original, of which the last 65,536 are remembered.

use std::collections::{HashMap, VecDeque};
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use reqwest::header::CONTENT_TYPE;
use reqwest::{Method, Version};

use super::compression::Compression;
use crate::engine::Sink;
use crate::exchange::{Exchange, Response};
use crate::job::{Attempt, Outcome};
use crate::warc::{
    Digest, Entry, Header, IDENTICAL_PAYLOAD, Index, Record, Writer, kind, write_request_head, write_response_head,
};

/// As many payloads are remembered.
const REMEMBERED: usize = 1 << 16;

const FIELDS: &str = "application/warc-fields";

/// How an archive of this name is compressed; none where the name is no archive's.
#[must_use]
pub fn archive_compression(path: &Path) -> Option<Compression> {
    let (compression, name) = Compression::of(path);
    let is_archive = name.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("warc"));
    (is_archive && compression != Compression::Zstd).then_some(compression)
}

/// The name of the index beside an archive: `pages.cdxj` for `pages.warc.gz`.
#[must_use]
pub fn index_path(archive: &Path) -> PathBuf {
    match Compression::of(archive) {
        (Compression::None, name) => name.with_extension("cdxj"),
        (_, name) => archive.with_file_name(name).with_extension("cdxj"),
    }
}

/// Where a payload was written.
struct Original {
    id: String,
    url: String,
    date: String,
}

/// The sink.
pub struct Archive {
    /// What errors call it.
    path: PathBuf,
    writer: Writer<Box<dyn Write + Send>>,
    /// The identifier of the first record; none before that is written.
    info: Option<String>,
    index: Index<File>,
    index_file: Box<dyn Write + Send>,
    originals: HashMap<Digest, Original>,
    /// Their digests, the oldest one first.
    ages: VecDeque<Digest>,
}

impl Archive {
    /// An archive that is written to `out`, which errors call `path`, and whose index is written to `index_file`.
    pub fn new(path: &Path, out: impl Write + Send + 'static, index_file: impl Write + Send + 'static) -> Self {
        let is_compressed = archive_compression(path) == Some(Compression::Gzip);
        let out: Box<dyn Write + Send> = Box::new(out);
        Self {
            path: path.into(),
            writer: Writer::new(out, is_compressed),
            info: None,
            index: Index::new(tempfile::tempfile),
            index_file: Box::new(index_file),
            originals: HashMap::new(),
            ages: VecDeque::new(),
        }
    }

    /// Writes the record that tells of the archive, if that has not been done.
    fn start(&mut self) -> io::Result<String> {
        if let Some(info) = &self.info {
            return Ok(info.clone());
        }
        let mut header = head(kind::WARCINFO, Timestamp::now());
        let id = header.get("WARC-Record-ID").unwrap_or_default().to_owned();
        header.push("WARC-Filename", self.filename());
        header.push("Content-Type", FIELDS);
        let mut fields = Header::default();
        fields.push("software", concat!("scrape/", env!("CARGO_PKG_VERSION")));
        fields.push("format", "WARC File Format 1.1");
        fields.push("conformsTo", "http://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/");
        self.writer.write(Record { header, block: &[fields.to_text().as_bytes()] })?;
        self.info = Some(id.clone());
        Ok(id)
    }

    fn filename(&self) -> String {
        self.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    fn write(&mut self, attempt: &Attempt) -> io::Result<()> {
        let info = self.start()?;
        let Attempt { trail, exchange, .. } = attempt;
        let [request, response] = [kind::REQUEST, kind::RESPONSE].map(|kind| {
            let mut header = head(kind, exchange.at);
            header.push("WARC-Target-URI", trail.url.as_str());
            header.push("WARC-Warcinfo-ID", info.as_str());
            header
        });
        let id = |header: &Header| header.get("WARC-Record-ID").unwrap_or_default().to_owned();
        let (request_id, response_id) = (id(&request), id(&response));
        let mut metadata = head(kind::METADATA, exchange.at);
        metadata.push("WARC-Target-URI", trail.url.as_str());
        metadata.push("WARC-Warcinfo-ID", info);
        metadata.push("WARC-Concurrent-To", exchange.response.as_ref().map_or(&request_id, |_| &response_id).as_str());
        metadata.push("Content-Type", FIELDS);
        self.write_request(request, &response_id, attempt)?;
        let fields = describe(attempt).to_text();
        self.writer.write(Record { header: metadata, block: &[fields.as_bytes()] })?;
        if let Some(answer) = &exchange.response {
            let mut header = response;
            header.push("WARC-Concurrent-To", request_id);
            self.write_response(header, &response_id, (attempt, answer))?;
        }
        Ok(())
    }

    fn write_request(&mut self, mut header: Header, response_id: &str, attempt: &Attempt) -> io::Result<()> {
        let Exchange { method, headers, response, .. } = &*attempt.exchange;
        if response.is_some() {
            header.push("WARC-Concurrent-To", response_id);
        }
        push_connection(&mut header, &attempt.exchange);
        header.push("Content-Type", "application/http; msgtype=request");
        let head = write_request_head(method, &attempt.trail.url, headers);
        self.writer.write(Record { header, block: &[&head] }).map(drop)
    }

    fn write_response(&mut self, header: Header, id: &str, (attempt, answer): (&Attempt, &Response)) -> io::Result<()> {
        let Response { status, headers, body, cut } = answer;
        let (digest, url, date) = (Digest::of(&[body]), attempt.trail.url.as_str(), date(attempt.exchange.at));
        let mut header = header;
        push_connection(&mut header, &attempt.exchange);
        header.push("WARC-Payload-Digest", digest.to_string());
        header.push("Content-Type", "application/http; msgtype=response");
        let head = write_response_head(*status, headers);
        let is_whole = cut.is_none() && !body.is_empty();
        let original = self.originals.get(&digest).filter(|_| is_whole);
        let is_revisit = original.is_some();
        if let Some(original) = original {
            header.set("WARC-Type", kind::REVISIT);
            header.push("WARC-Profile", IDENTICAL_PAYLOAD);
            header.push("WARC-Refers-To", original.id.as_str());
            header.push("WARC-Refers-To-Target-URI", original.url.as_str());
            header.push("WARC-Refers-To-Date", original.date.as_str());
        } else if let Some(cut) = cut {
            header.push("WARC-Truncated", cut.name());
        }
        let block: &[&[u8]] = if is_revisit { &[&head] } else { &[&head, body] };
        let (offset, length) = self.writer.write(Record { header, block })?;
        if is_whole && !is_revisit {
            self.remember(digest, Original { id: id.into(), url: url.into(), date });
        }
        let media = headers.get(CONTENT_TYPE).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
        let media = media.as_deref().and_then(|media| media.split(';').next()).unwrap_or("unk").trim();
        let entry = Entry {
            url,
            mime: if is_revisit { "warc/revisit" } else { media },
            status: status.to_string(),
            digest: digest.to_string(),
            length: length.to_string(),
            offset: offset.to_string(),
            filename: &self.filename(),
        };
        self.index.push(&attempt.trail.url, attempt.exchange.at, &entry)
    }

    fn remember(&mut self, digest: Digest, original: Original) {
        if self.ages.len() == REMEMBERED
            && let Some(oldest) = self.ages.pop_front()
        {
            self.originals.remove(&oldest);
        }
        self.originals.insert(digest, original);
        self.ages.push_back(digest);
    }
}

/// The fields that every record has.
fn head(kind: &str, at: Timestamp) -> Header {
    let mut header = Header::default();
    header.push("WARC-Type", kind);
    header.push("WARC-Record-ID", new_id());
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

impl Archive {
    fn explain(&self, error: &io::Error) -> io::Error {
        io::Error::new(error.kind(), format!("cannot write {}: {error}", self.path.display()))
    }
}

impl Sink for Archive {
    fn attempt(&mut self, attempt: &Attempt) -> io::Result<()> {
        self.write(attempt).map_err(|error| self.explain(&error))
    }

    fn accept(&mut self, _: &Outcome) -> io::Result<()> {
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> io::Result<()> {
        self.start().and_then(|_| self.writer.flush()).map_err(|error| self.explain(&error))?;
        let Self { path, index, index_file, .. } = *self;
        let mut out = io::BufWriter::new(index_file);
        let written = index.write(&mut out).and_then(|()| out.flush());
        written.map_err(|error| {
            io::Error::new(error.kind(), format!("cannot write {}: {error}", index_path(&path).display()))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archive_and_its_index_are_known_by_name() {
        let of = |name| (archive_compression(Path::new(name)), index_path(Path::new(name)));
        assert_eq!(of("a/b.warc.gz"), (Some(Compression::Gzip), "a/b.cdxj".into()));
        assert_eq!(of("b.x.WARC"), (Some(Compression::None), "b.x.cdxj".into()));
        assert_eq!(of("a/b.warc"), (Some(Compression::None), "a/b.cdxj".into()));
        for name in ["b.warc.zst", "b.gz", "warc", ".warc", "b.jsonl"] {
            assert_eq!(archive_compression(Path::new(name)), None, "{name}");
        }
    }

    #[test]
    fn an_identifier_is_a_random_uuid() {
        let (one, two) = (new_id(), new_id());
        assert_ne!(one, two);
        assert_eq!((one.len(), &one[..10], &one[24..25]), (47, "<urn:uuid:", "4"));
        assert!("89ab".contains(&one[29..30]), "{one}");
    }
}
