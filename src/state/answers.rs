//! Answers that are kept: the last one of each URL, each body once.

use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use reqwest::Method;
use reqwest::header::CONTENT_ENCODING;
use ring::digest::{SHA256, digest};
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde_json::value::RawValue;
use url::Url;
use zstd::bulk::Compressor;

use super::Error;
use super::schema::open_to_read;
use crate::canonical::fingerprint;
use crate::exchange::Response;
use crate::failure::Kind;
use crate::job::{Attempt, Hop, Stored};
use crate::warc::{parse_response, write_response_head};

/// An answer, and what it answers.
#[derive(Clone, Debug)]
pub struct Kept {
    /// The URL as given.
    pub given: Box<str>,
    /// What else its line carried.
    pub input: Option<Arc<RawValue>>,
    /// The answer, its content codings undone.
    pub stored: Stored,
}

impl Kept {
    /// What of an attempt is kept, but for its body; none where nothing is.
    pub(crate) fn of(attempt: &Attempt) -> Option<(Self, &Bytes)> {
        let Attempt { target, trail, exchange, failure, is_final, .. } = attempt;
        let is_refused = failure.as_ref().is_some_and(|failure| failure.kind == Kind::Status);
        let (response, page) = (exchange.response.as_ref()?, exchange.page.as_ref()?);
        let has_none = exchange.method == Method::HEAD || response.status == 304;
        if !is_final || is_refused || has_none {
            return None;
        }
        let (status, headers) = (response.status, response.headers.clone());
        let stored = Stored {
            url: trail.url.clone(),
            hops: trail.hops.clone(),
            attempt: trail.attempt,
            spent: trail.spent,
            at: exchange.at,
            response: Some(Response { status, headers, body: Bytes::new(), cut: None }),
            is_head: false,
            failure: None,
        };
        Some((Self { given: target.given.clone(), input: target.input.clone(), stored }, page))
    }

    /// The same with this body.
    pub(crate) fn with_body(mut self, body: Bytes) -> Self {
        self.stored.response = self.stored.response.map(|response| Response { body, ..response });
        self
    }

    /// The key of the page that it is of.
    fn key(&self) -> i64 {
        let Stored { url, hops, .. } = &self.stored;
        fingerprint(hops.first().map_or(url, |hop| &hop.url)).cast_signed()
    }
}

/// Puts answers into a state.
pub(crate) struct Shelf(Compressor<'static>);

impl Shelf {
    /// With the usual level of zstd.
    pub(crate) fn new() -> io::Result<Self> {
        Compressor::new(zstd::DEFAULT_COMPRESSION_LEVEL).map(Self)
    }

    /// Puts an answer in the place of the one before of its URL.
    pub(crate) fn put(&mut self, connection: &Connection, kept: &Kept) -> Result<(), Error> {
        let Some(response) = &kept.stored.response else { return Ok(()) };
        let body = self.body(connection, &response.body)?;
        let key = kept.key();
        let mut known = connection.prepare_cached("SELECT body FROM answers WHERE key = ?")?;
        let before: Option<i64> = known.query_row([key], |row| row.get(0)).optional()?;
        let Stored { url, hops, attempt, spent, at, .. } = &kept.stored;
        let hops: Vec<_> = hops.iter().map(|hop| (hop.status, hop.url.as_str())).collect();
        let values = params![
            key,
            kept.given,
            kept.input.as_deref().map(RawValue::get),
            url.as_str(),
            serde_json::to_string(&hops).unwrap_or_default(),
            attempt,
            i64::try_from(spent.as_millis()).unwrap_or(i64::MAX),
            at.as_millisecond(),
            write_response_head(response.status, &response.headers),
            body,
        ];
        let mut put = connection.prepare_cached(
            "INSERT INTO answers (key, given, input, url, hops, attempt, spent, at, head, body)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
             ON CONFLICT (key) DO UPDATE SET
                 given = excluded.given, input = excluded.input, url = excluded.url, hops = excluded.hops,
                 attempt = excluded.attempt, spent = excluded.spent, at = excluded.at, head = excluded.head,
                 body = excluded.body",
        )?;
        put.execute(values)?;
        if let Some(before) = before.filter(|&before| before != body) {
            let unless_used = "DELETE FROM bodies WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM answers WHERE body = ?1)";
            connection.prepare_cached(unless_used)?.execute([before])?;
        }
        Ok(())
    }

    /// The number of a body, which is put there unless it is there.
    fn body(&mut self, connection: &Connection, body: &[u8]) -> Result<i64, Error> {
        let digest = digest(&SHA256, body);
        let mut known = connection.prepare_cached("SELECT id FROM bodies WHERE digest = ?")?;
        if let Some(id) = known.query_row([digest.as_ref()], |row| row.get(0)).optional()? {
            return Ok(id);
        }
        let content = self.0.compress(body)?;
        let mut put = connection.prepare_cached("INSERT INTO bodies (digest, content) VALUES (?, ?)")?;
        Ok(put.insert(params![digest.as_ref(), content])?)
    }
}

/// The answers that a state keeps, in the order in which their URLs first came.
pub(crate) struct Answers {
    connection: Connection,
    /// The number of the last one that was read.
    last: i64,
    /// A larger body is read no further than a byte more.
    max_body: usize,
}

impl Answers {
    /// Opens the state at `path`.
    ///
    /// # Errors
    /// It cannot be read, is no state, or keeps no answers.
    pub(crate) fn open(path: &Path, max_body: usize) -> Result<Self, Error> {
        let connection = open_to_read(path)?;
        let version: u32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
        let has_some = "SELECT EXISTS (SELECT 1 FROM answers)";
        if version < 2 || !connection.query_row(has_some, [], |row| row.get(0))? {
            return Err(Error::Bare);
        }
        Ok(Self { connection, last: 0, max_body })
    }

    /// The next one; none behind the last.
    ///
    /// # Errors
    /// The state cannot be read, or is damaged.
    pub(crate) fn read(&mut self) -> Result<Option<Kept>, Error> {
        // A look-up for each: a statement that is left open would be one more reader that holds up writers.
        let mut statement = self.connection.prepare_cached(
            "SELECT answers.id, given, input, url, hops, attempt, spent, at, head, content
             FROM answers JOIN bodies ON bodies.id = body WHERE answers.id > ? ORDER BY answers.id LIMIT 1",
        )?;
        let mut rows = statement.query([self.last])?;
        let Some(row) = rows.next()? else { return Ok(None) };
        self.last = row.get(0)?;
        self.kept(row).map(Some)
    }

    fn kept(&self, row: &Row<'_>) -> Result<Kept, Error> {
        let damaged = |what: &str| Error::Damaged(format!("{what} of answer {} is none", self.last));
        let url = |text: &str| Url::parse(text).map_err(|_| damaged("a URL"));
        let input: Option<String> = row.get(2)?;
        let input = input.map(RawValue::from_string).transpose().map_err(|_| damaged("the input"))?;
        let hops: Vec<(u16, String)> =
            serde_json::from_str(row.get_ref(4)?.as_str().unwrap_or_default()).map_err(|_| damaged("a redirect"))?;
        let hops = hops.into_iter().map(|(status, text)| Ok::<_, Error>(Hop { status, url: url(&text)? }));
        let head = parse_response(row.get(8)?).ok_or_else(|| damaged("the head"))?;
        let (status, mut headers) = (head.status, head.headers);
        // It has been undone.
        headers.remove(CONTENT_ENCODING);
        let body = self.body(row.get_ref(9)?.as_blob().map_err(|_| damaged("the body"))?)?;
        let stored = Stored {
            url: url(row.get_ref(3)?.as_str().unwrap_or_default())?,
            hops: hops.collect::<Result<_, _>>()?,
            attempt: row.get(5)?,
            spent: Duration::from_millis(row.get::<_, i64>(6)?.try_into().unwrap_or(0)),
            at: Timestamp::from_millisecond(row.get(7)?).map_err(|_| damaged("the time"))?,
            response: Some(Response { status, headers, body: body.into(), cut: None }),
            is_head: false,
            failure: None,
        };
        Ok(Kept { given: row.get::<_, String>(1)?.into(), input: input.map(Arc::from), stored })
    }

    fn body(&self, compressed: &[u8]) -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        zstd::Decoder::with_buffer(compressed)?.take(self.max_body as u64 + 1).read_to_end(&mut body)?;
        Ok(body)
    }
}
