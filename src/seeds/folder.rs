//! A folder of saved pages → its seeds, each with its page.

use std::fmt::Display;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, ErrorKind, Read};
use std::path::{Component, Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use url::Url;

use super::budget::Budget;
use super::origin::Origin;
use super::{Entry, Options};
use crate::exchange::Response;
use crate::failure::{Failure, Kind};
use crate::job::{Hop, Seed, Stored};

/// What tells the pages of a folder.
pub(super) const MANIFEST: &str = "manifest.jsonl";

/// The longest line of a manifest.
const MAX_LINE: u64 = 1 << 20;

/// A line of a manifest, as far as it is read.
#[derive(Deserialize)]
struct Line {
    url: String,
    #[serde(deserialize_with = "parse")]
    final_url: Url,
    #[serde(default)]
    redirects: Vec<Redirect>,
    status: u16,
    file: String,
    content_type: Option<String>,
    #[serde(deserialize_with = "parse")]
    fetched_at: Timestamp,
}

#[derive(Deserialize)]
struct Redirect {
    status: u16,
    #[serde(deserialize_with = "parse")]
    url: Url,
}

/// What a text stands for.
fn parse<'de, D: Deserializer<'de>, T: FromStr<Err: Display>>(deserializer: D) -> Result<T, D::Error> {
    String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
}

/// The pages of a folder, in order.
pub(super) struct Folder {
    path: PathBuf,
    manifest: BufReader<File>,
    origin: Origin,
    max_body: usize,
    budget: Arc<Budget>,
    /// The number of the current line, counted from 1.
    line: u64,
}

impl Folder {
    /// The folder at `path`.
    pub(super) fn open(path: &Path, origin: Origin, options: &Options) -> io::Result<Self> {
        let manifest = BufReader::new(File::open(path.join(MANIFEST))?);
        let max_body = options.max_body;
        Ok(Self { path: path.into(), manifest, origin, max_body, budget: Arc::default(), line: 0 })
    }

    /// The next entry; none at the end.
    fn read(&mut self) -> io::Result<Option<Entry>> {
        let mut text = Vec::new();
        (&mut self.manifest).take(MAX_LINE).read_until(b'\n', &mut text)?;
        if text.is_empty() {
            return Ok(None);
        }
        self.line += 1;
        let line = serde_json::from_slice(&text).map_err(|error| {
            let error = format!("{MANIFEST}, line {}: {error}", self.line);
            io::Error::new(ErrorKind::InvalidData, error)
        })?;
        Ok(Some(self.entry(line)))
    }

    fn entry(&self, line: Line) -> Entry {
        let body = self.body(&line.file).map_err(|error| {
            Failure::new(Kind::Truncated, format!("it was saved as {:?}, which cannot be read: {error}", line.file))
        });
        let content_type = line.content_type.and_then(|text| HeaderValue::from_str(&text).ok());
        let headers = HeaderMap::from_iter(content_type.map(|value| (CONTENT_TYPE, value)));
        let stored = Stored {
            url: line.final_url,
            hops: line.redirects.into_iter().map(|Redirect { status, url }| Hop { status, url }).collect(),
            attempt: 1,
            spent: Duration::ZERO,
            at: line.fetched_at,
            failure: body.as_ref().err().cloned(),
            response: body.ok().map(|body| Response { status: line.status, headers, body, cut: None }),
            is_head: false,
        };
        let seed = self.origin.seed(self.line, &line.url, None)?;
        Ok(Seed { auth: None, stored: Some(Arc::new(stored)), ..seed })
    }

    /// A saved page, of one that is too large a byte more than may be. A manifest may come from anywhere: what it names must
    /// be a file in its own folder.
    fn body(&self, name: &str) -> io::Result<Bytes> {
        let mut parts = Path::new(name).components();
        if !matches!((parts.next(), parts.next()), (Some(Component::Normal(_)), None)) {
            return Err(io::Error::new(ErrorKind::InvalidInput, "it is no name of a file in the folder"));
        }
        let path = self.path.join(name);
        if !fs::symlink_metadata(&path)?.is_file() {
            return Err(io::Error::new(ErrorKind::InvalidInput, "it is no regular file"));
        }
        let mut body = Vec::new();
        File::open(path)?.take(self.max_body as u64 + 1).read_to_end(&mut body)?;
        Ok(self.budget.hold(body))
    }
}

impl Iterator for Folder {
    type Item = io::Result<Entry>;

    fn next(&mut self) -> Option<Self::Item> {
        self.read().transpose()
    }
}
