//! What was fetched, kept for later runs: a private cache (RFC 9111) in a folder that any number of runs share.
//!
//! The rules are those of `http-cache-semantics`; what is kept, and how, is decided here. Where RFC 9111 leaves room:
//! - Section 2: the key is the URL together with what the user sends as himself: credentials, and header fields that may be
//!   secret. So one identity never sees the pages of another one, whatever `Vary` says. What is trusted (`--insecure`,
//!   `--resolve`) is a part of it, too. Cookies that servers set count where `Vary` says so.
//! - Section 3: answers to GET alone are kept, and only those of a status below 400: a failure is asked for again. It takes
//!   the place of what was kept only where it says that the page is gone. A body that is not whole is no answer at all.
//! - Section 3.1: an answer is kept with its content codings undone and all its header fields, `Set-Cookie` too. Cookies are
//!   taken when they come, and not again when they are read.
//! - Section 4.1: there is one answer for a key, the last one; for `Vary: *` there is none. Of what `Vary` names, a hash is
//!   kept.
//! - Section 4.2.2: where nothing tells how long an answer is fresh, it is for a tenth of its age, and at most a day.
//! - Section 4.2.4: offline, whatever is kept is used, and be it stale: that is what the user asks for.
//! - Section 4.3.4: an answer of 304 without validators confirms what it was asked about.
//! - Section 4.4: a request that is not safe removes what is kept for its URL and identity.
//! - Section 5.2: directives are read in any case.
//!
//! A file holds one answer. It appears whole, by being renamed, and has a checksum: what is damaged, torn or of another version
//! is not there. Nobody waits for anybody, so that of two runs that write the same answer the last one wins.

mod entry;
mod folder;
mod rules;

use std::io;
use std::net::IpAddr;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

use bytes::Bytes;
use jiff::Timestamp;
use reqwest::header::HeaderMap;
use ring::digest::{Context, SHA256};
use url::Url;

pub use self::entry::Entry;
use self::folder::Folder;

/// A request that the cache may know the answer to: a GET without a body.
#[derive(Clone, Debug)]
pub struct Question {
    /// What is asked for.
    pub url: Url,
    /// The header fields, but for `Authorization`.
    pub headers: HeaderMap,
    key: Key,
}

impl Question {
    /// A question of whoever `identity` tells apart from others. None where the cache has no say: for a part of an answer, with
    /// conditions of the user's own, and where nothing may be kept.
    #[must_use]
    pub fn new(url: &Url, headers: HeaderMap, identity: &[&[u8]]) -> Option<Self> {
        let key = Key::of(url, identity);
        (!rules::is_special(&headers)).then(|| Self { url: url.clone(), headers, key })
    }
}

/// The name of an answer's file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Key([u8; 32]);

impl Key {
    fn of(url: &Url, identity: &[&[u8]]) -> Self {
        let mut context = Context::new(&SHA256);
        for part in [url.as_str().as_bytes()].iter().chain(identity) {
            context.update(&part.len().to_le_bytes());
            context.update(part);
        }
        let mut key = [0; 32];
        key.copy_from_slice(context.finish().as_ref());
        Self(key)
    }
}

/// What the cache knows.
#[derive(Debug)]
pub enum Found {
    /// An answer that may be used as it is.
    Fresh(Entry),
    /// An answer that may be used once the server has confirmed it, and the header fields that ask for that: none where there
    /// is nothing to ask by.
    Stale(Entry, HeaderMap),
}

/// A folder of answers.
#[derive(Debug)]
pub struct Cache {
    folder: Folder,
    /// Whether it was told that the folder cannot be written.
    is_broken: AtomicBool,
}

impl Cache {
    /// Opens the cache in a folder, which is made if there is none, and holds about `size` bytes: beyond that, the oldest
    /// answers go.
    ///
    /// # Errors
    /// The folder cannot be made or written.
    pub fn open(path: &Path, size: u64) -> io::Result<Self> {
        Folder::open(path, size).map(Self::of)
    }

    /// Opens a cache for reading alone.
    ///
    /// # Errors
    /// There is none.
    pub fn open_to_read(path: &Path) -> io::Result<Self> {
        Folder::open_to_read(path).map(Self::of)
    }

    fn of(folder: Folder) -> Self {
        Self { folder, is_broken: AtomicBool::new(false) }
    }

    /// The answer to a question. It reads a file.
    #[must_use]
    pub fn find(&self, question: &Question) -> Option<Found> {
        let entry = Entry::decode(self.folder.read(&question.key)?, &question.url)?;
        rules::is_variant(&entry, &question.headers).then(|| rules::judge(entry, question, SystemTime::now()))
    }

    /// Keeps the answer to a question, if that is allowed. It writes a file; that this fails is told once, and no reason to
    /// stop.
    pub fn keep(&self, question: &Question, entry: &Entry) {
        match entry.status {
            404 | 410 => return self.forget(question),
            400.. => return,
            _ if !rules::is_storable(entry, question) => return self.forget(question),
            _ => {}
        }
        if let Err(error) = self.folder.write(&question.key, &[&entry.head(&question.url), &entry.body])
            && !self.is_broken.swap(true, Ordering::Relaxed)
        {
            tracing::warn!("cannot write to the cache: {error}");
        }
    }

    /// Removes the answer to a question.
    pub fn forget(&self, question: &Question) {
        self.folder.remove(&question.key);
    }
}

impl Entry {
    /// An answer that came `at` a time, in answer to `question`, from the address `by`. None where it depends on what nobody
    /// knows.
    #[must_use]
    pub fn new(question: &Question, (status, headers): (u16, HeaderMap), body: Bytes, at: Timestamp) -> Option<Self> {
        let variant = rules::variant(&headers, &question.headers)?;
        Some(Self { at, by: None, variant, status, headers, body })
    }

    /// The same answer from an address.
    #[must_use]
    pub fn from(self, by: Option<IpAddr>) -> Self {
        Self { by, ..self }
    }

    /// The answer as a 304 with these header fields confirms it; none where that is about another one.
    #[must_use]
    pub fn confirmed(&self, question: &Question, by: &HeaderMap, at: Timestamp) -> Option<Self> {
        let headers = rules::freshen(&self.headers, by)?;
        Self::new(question, (self.status, headers), self.body.clone(), at)
    }
}
