//! An archive → its seeds, each with its answer.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::value::RawValue;
use url::Url;
use xxhash_rust::xxh3::xxh3_64;

use super::budget::Budget;
use super::chains::{self, Chain, Chains};
use super::origin::Origin;
use super::{Entry, Options, address};
use crate::exchange::{Cut, Response};
use crate::failure::{Failure, Kind};
use crate::job::{Hop, Seed, Stored};
use crate::warc::{Header, IDENTICAL_PAYLOAD, Message, Reader, kind, parse_response};

/// The longest head of an answer that is kept beside its body.
const MAX_HEAD: usize = 1 << 20;

/// The most that is read of metadata: it may have what a line of 16 MiB carried along.
const MAX_METADATA: usize = 17 << 20;

/// The answers of an archive, in order.
pub(super) struct Archive<R> {
    reader: Reader<R>,
    origin: Origin,
    max_block: usize,
    budget: Arc<Budget>,
    /// The number of the current record, counted from 1.
    record: u64,
    /// What the record before said of this one, by identifier.
    described: Option<(String, Header)>,
    chains: Chains<(Url, Timestamp, Response)>,
    originals: Originals,
    /// Whether no record follows.
    is_over: bool,
    /// Why, if that is not its end.
    broken: Option<io::Error>,
}

/// Where payloads stand that `revisit` records may mean, by a hash of their digest: 16 bytes each, and somewhat more.
struct Originals {
    /// The file, if it can be read from anywhere.
    path: Option<PathBuf>,
    offsets: HashMap<u64, u64>,
}

impl<R: BufRead> Archive<R> {
    /// An archive; what a record refers to is looked up in the file at `path`, if it has one.
    pub(super) fn open(input: R, path: Option<&Path>, origin: Origin, options: &Options) -> io::Result<Self> {
        // No decoder takes more than twice what may come out of it.
        let max_block = options.max_body.saturating_mul(2).saturating_add(MAX_HEAD);
        Ok(Self {
            reader: Reader::new(input)?,
            origin,
            max_block,
            budget: Arc::default(),
            record: 0,
            described: None,
            chains: Chains::default(),
            originals: Originals { path: path.map(PathBuf::from), offsets: HashMap::new() },
            is_over: false,
            broken: None,
        })
    }

    /// The entry of the next record that gives one; none behind the last.
    fn read(&mut self) -> io::Result<Option<Entry>> {
        while let Some(header) = self.reader.next_record().map_err(io::Error::other)? {
            self.record += 1;
            let entry = match header.kind() {
                kind::METADATA => {
                    let (fields, _) = self.reader.read_block(MAX_METADATA).map_err(io::Error::other)?;
                    let of = header.get("WARC-Concurrent-To").map(String::from);
                    self.described = of.map(|of| (of, Header::parse(&fields)));
                    None
                }
                kind::RESPONSE | kind::REVISIT if is_http(&header) => self.answer(&header)?,
                _ => None,
            };
            if entry.is_some() {
                return Ok(entry);
            }
        }
        Ok(None)
    }

    /// The entry of an answer, unless it is not final.
    fn answer(&mut self, header: &Header) -> io::Result<Option<Entry>> {
        let given = header.uri("WARC-Target-URI").unwrap_or_default().to_owned();
        let id = header.get("WARC-Record-ID").unwrap_or_default();
        let described = self.described.take().filter(|(of, fields)| of == id && fields.get("given").is_some());
        let described = described.map(|(_, fields)| fields);
        if described.as_ref().is_some_and(|fields| fields.get("final") == Some("no")) {
            self.originals.remember(header, self.reader.offset());
            return Ok(None);
        }
        let url = match address::parse(&given, self.origin.scheme) {
            Ok(address) => address.url,
            Err(reason) => return Ok(Some(Err(self.origin.reject(self.record, &given, reason)))),
        };
        let at = header.get("WARC-Date").and_then(|date| date.parse().ok()).unwrap_or(Timestamp::UNIX_EPOCH);
        let (block, is_whole) = self.reader.read_block(self.max_block).map_err(io::Error::other)?;
        let message = match self.resolve(header, block) {
            Ok(message) => message,
            Err(failure) => return Ok(Some(self.lost(url, at, failure))),
        };
        let mut cut = header.get("WARC-Truncated").filter(|_| header.kind() == kind::RESPONSE).map(cut);
        if !is_whole || message.is_cut {
            cut = cut.or(Some(if is_whole { Cut::Disconnect } else { Cut::Length }));
        }
        let Message { status, headers, body, .. } = message;
        let mut response = Response { status, headers, body: Bytes::new(), cut };
        if let Some(fields) = described {
            response.body = self.budget.hold(body);
            return Ok(Some(self.described(url, at, response, &fields)));
        }
        let chain = self.chains.take(&url, self.record);
        if let Some(to) = chains::target(&url, &response) {
            let hop = Hop { status, url: url.clone() };
            let given_up = self.chains.wait(chain, hop, to, (url, at, response));
            return Ok(given_up.map(|(chain, (url, at, response))| self.redirected(chain, url, at, response)));
        }
        response.body = self.budget.hold(body);
        Ok(Some(self.redirected(chain, url, at, response)))
    }

    /// The answer in a record, with the payload of the one that it refers to; or why there is none.
    fn resolve(&mut self, header: &Header, block: Vec<u8>) -> Result<Message, Failure> {
        let message = parse_response(block);
        if header.kind() == kind::RESPONSE {
            self.originals.remember(header, self.reader.offset());
            let why = "the archive has no HTTP answer in this record";
            return message.ok_or_else(|| Failure::new(Kind::Protocol, why));
        }
        if header.get("WARC-Profile").is_some_and(|profile| !is_identical(profile)) {
            let why = "the archive says of this page only that it had not changed";
            return Err(Failure::new(Kind::Truncated, why));
        }
        let original = self.originals.read(header, self.max_block);
        match (original, message) {
            (Some(original), Some(message)) => Ok(Message { body: original.body, is_cut: original.is_cut, ..message }),
            (Some(original), None) => Ok(original),
            (None, _) => {
                let why = "the archive has the payload of this record nowhere before it";
                Err(Failure::new(Kind::Truncated, why))
            }
        }
    }

    /// The seed of an answer of which this program told how it came.
    fn described(&self, url: Url, at: Timestamp, response: Response, fields: &Header) -> Entry {
        let given = fields.get("given").unwrap_or_default();
        let hop = |text: &str| {
            let (status, url) = text.split_once(' ')?;
            Some(Hop { status: status.parse().ok()?, url: Url::parse(url).ok()? })
        };
        let failure = fields.get("failure").and_then(|failure| {
            let (name, message) = failure.split_once(' ')?;
            let kind = Kind::ALL.into_iter().find(|kind| kind.slug() == name)?;
            Some(Failure::new(kind, message))
        });
        let number = |name| fields.get(name).and_then(|number| number.parse().ok());
        let stored = Stored {
            url,
            hops: fields.get_all("hop").filter_map(hop).collect(),
            attempt: number("attempt").unwrap_or(1),
            spent: Duration::from_millis(number("fetchTimeMs").unwrap_or(0).into()),
            at,
            response: Some(response),
            is_head: fields.get("method") == Some("HEAD"),
            failure,
        };
        let input = fields.get("input").and_then(|json| RawValue::from_string(json.into()).ok()).map(Arc::from);
        self.seed(self.record, given, input, stored)
    }

    /// The seed of an answer that redirects led to, or that of a redirect which led nowhere.
    fn redirected(&self, chain: Chain, url: Url, at: Timestamp, response: Response) -> Entry {
        let given = chain.first(&url).to_string();
        let Chain { record, hops } = chain;
        let (attempt, spent) = (1, Duration::ZERO);
        let response = Some(response);
        let stored = Stored { url, hops, attempt, spent, at, response, is_head: false, failure: None };
        self.seed(record, &given, None, stored)
    }

    /// The seed of an answer that the archive does not have.
    fn lost(&self, url: Url, at: Timestamp, failure: Failure) -> Entry {
        let (given, hops, spent) = (url.to_string(), Vec::new(), Duration::ZERO);
        let failure = Some(failure);
        let stored = Stored { url, hops, attempt: 1, spent, at, response: None, is_head: false, failure };
        self.seed(self.record, &given, None, stored)
    }

    fn seed(&self, record: u64, given: &str, input: Option<Arc<RawValue>>, stored: Stored) -> Entry {
        self.origin.seed(record, given, input).map(|seed| Seed { auth: None, stored: Some(Arc::new(stored)), ..seed })
    }
}

impl Originals {
    /// Remembers where a record with a payload stands.
    fn remember(&mut self, header: &Header, offset: Option<u64>) {
        if header.kind() != kind::RESPONSE || header.get("WARC-Truncated").is_some() || self.path.is_none() {
            return;
        }
        if let (Some(digest), Some(offset)) = (header.get("WARC-Payload-Digest"), offset) {
            self.offsets.entry(key(digest)).or_insert(offset);
        }
    }

    /// The answer whose payload a record refers to.
    fn read(&self, header: &Header, limit: usize) -> Option<Message> {
        let digest = header.get("WARC-Payload-Digest")?;
        let offset = *self.offsets.get(&key(digest))?;
        let mut file = File::open(self.path.as_ref()?).ok()?;
        file.seek(SeekFrom::Start(offset)).ok()?;
        let mut reader = Reader::new(BufReader::new(file)).ok()?;
        let original = reader.next_record().ok()??;
        // The hashes of two digests may be the same.
        let is_it = original.get("WARC-Payload-Digest").is_some_and(|found| found.eq_ignore_ascii_case(digest));
        let (block, is_whole) = reader.read_block(limit).ok().filter(|_| is_it)?;
        parse_response(block).map(|message| Message { is_cut: message.is_cut || !is_whole, ..message })
    }
}

fn key(digest: &str) -> u64 {
    xxh3_64(digest.to_ascii_lowercase().as_bytes())
}

/// Whether a record has an HTTP message of a page. Some tools archive name lookups, FTP, and what a program made.
fn is_http(header: &Header) -> bool {
    let media = header.get("Content-Type").unwrap_or("application/http").to_ascii_lowercase();
    let is_message = media.starts_with("application/http") || header.kind() == kind::REVISIT;
    let uri = header.uri("WARC-Target-URI").unwrap_or_default().get(..5).unwrap_or_default().to_ascii_lowercase();
    is_message && uri.starts_with("http")
}

/// Whether a profile, of whichever version, is that of an unchanged payload.
fn is_identical(profile: &str) -> bool {
    profile == IDENTICAL_PAYLOAD || profile.ends_with("/identical-payload-digest")
}

fn cut(reason: &str) -> Cut {
    Cut::ALL.into_iter().find(|cut| cut.name().eq_ignore_ascii_case(reason)).unwrap_or(Cut::Unspecified)
}

impl<R: BufRead> Iterator for Archive<R> {
    type Item = io::Result<Entry>;

    /// Redirects that led nowhere come behind all records, and then the error that ended these.
    fn next(&mut self) -> Option<Self::Item> {
        if !self.is_over {
            match self.read() {
                Ok(Some(entry)) => return Some(Ok(entry)),
                Ok(None) => {}
                Err(error) => self.broken = Some(error),
            }
            self.is_over = true;
        }
        let Some((chain, (url, at, response))) = self.chains.give_up() else { return self.broken.take().map(Err) };
        Some(Ok(self.redirected(chain, url, at, response)))
    }
}
