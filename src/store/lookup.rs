//! What a run asks: what was known of a page before?

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, params};
use zstd::bulk::Compressor;
use zstd::zstd_safe::compress_bound;

use super::Error;
use super::changes::{Before, Last};
use super::shape::{Content, Shape};
use crate::canonical::fingerprint;
use crate::job::{Trail, Validators};
use crate::visit::Known;

/// From so many bytes on, a version is compressed.
const LONG: usize = 512;
/// The level of zstd for versions. Most are written once and never read: to compress is more than half of what a new one
/// costs. At this one links take 13 µs a page in place of the 20 of level -1, and 1.2 times the room.
const LEVEL: i32 = -5;

/// A connection that reads.
#[derive(Debug)]
pub(super) struct Lookup {
    connection: Mutex<Option<Connection>>,
    extraction: i64,
    shape: Arc<Shape>,
    /// Whether a page has to be kept for a version to be known.
    keeps_pages: bool,
}

impl Lookup {
    /// Looks for versions of this extraction, which is of this shape.
    pub(super) fn new(connection: Connection, extraction: i64, shape: Arc<Shape>, keeps_pages: bool) -> Self {
        Self { connection: Mutex::new(Some(connection)), extraction, shape, keeps_pages }
    }

    /// Knows nothing from here on. The last connection to be closed tidies up, which one that only reads cannot.
    pub(super) fn close(&self) {
        *self.connection() = None;
    }

    /// The names of a version's values.
    pub(super) fn names(&self) -> &[Box<str>] {
        &self.shape.names
    }

    /// What was known of the page of this key.
    pub(super) fn before(&self, key: u64) -> Result<Before, Error> {
        let connection = self.connection();
        let Some(connection) = &*connection else { return Ok(Before::default()) };
        before(connection, key).map(|page| page.map_or_else(Before::default, |(_, before)| before))
    }

    /// The last version of the page of this key that was there, if it is of this extraction.
    pub(super) fn content(&self, key: u64) -> Result<Option<Content>, Error> {
        let connection = self.connection();
        let Some(connection) = &*connection else { return Ok(None) };
        let mut statement = connection.prepare_cached(
            "SELECT versions.extraction, content FROM pages JOIN versions ON versions.page = pages.id
             WHERE key = ? AND content IS NOT NULL ORDER BY versions.id DESC LIMIT 1",
        )?;
        let found =
            statement.query_row([key.cast_signed()], |row| Ok((row.get::<_, i64>(0)?, row.get(1)?))).optional()?;
        let Some((_, content)) = found.filter(|&(extraction, _)| extraction == self.extraction) else {
            return Ok(None);
        };
        unpack(content).map(Some)
    }

    fn version(&self, trail: &Trail) -> Result<Option<Validators>, Error> {
        let connection = self.connection();
        let Some(connection) = &*connection else { return Ok(None) };
        let mut statement = connection.prepare_cached(
            "SELECT coalesce(final_url, url), etag, last_modified FROM pages
             WHERE key = ? AND extraction = ? AND failure IS NULL AND hash IS NOT NULL
                 AND (NOT ? OR EXISTS (SELECT 1 FROM answers WHERE answers.key = pages.key))",
        )?;
        let key = fingerprint(trail.first_url()).cast_signed();
        let found = statement
            .query_row(params![key, self.extraction, self.keeps_pages], |row| {
                let known = Validators { etag: row.get(1)?, last_modified: row.get(2)? };
                Ok((row.get::<_, String>(0)?, known))
            })
            .optional()?;
        let is_of = |url: &str| url == trail.url.as_str();
        Ok(found.filter(|(url, known)| is_of(url) && *known != Validators::default()).map(|(_, known)| known))
    }

    fn connection(&self) -> MutexGuard<'_, Option<Connection>> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The versions of pages that a state has.
#[derive(Debug)]
pub struct Versions(pub(super) Arc<Lookup>);

/// A state that cannot be read is told of by whoever writes to it: the page is asked for as if nothing were known.
impl Known for Versions {
    fn version(&self, trail: &Trail) -> Option<Validators> {
        self.0.version(trail).ok().flatten()
    }
}

/// The row of the page of this key, and what it says.
pub(super) fn before(connection: &Connection, key: u64) -> Result<Option<(i64, Before)>, Error> {
    let mut statement = connection.prepare_cached("SELECT id, failures, extraction, hash FROM pages WHERE key = ?")?;
    let found = statement.query_row([key.cast_signed()], |row| {
        let last = match (row.get::<_, Option<i64>>(2)?, row.get::<_, Option<i64>>(3)?) {
            (None, _) => Last::None,
            (Some(_), None) => Last::Gone,
            (Some(extraction), Some(hash)) => Last::Version(extraction, hash.cast_unsigned()),
        };
        Ok((row.get(0)?, Before { last, failures: row.get(1)? }))
    });
    Ok(found.optional()?)
}

/// Packs versions.
pub(super) struct Packer {
    // To make one takes longer than to compress a version.
    compressor: Compressor<'static>,
    packed: Vec<u8>,
}

impl Packer {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self { compressor: Compressor::new(LEVEL)?, packed: Vec::new() })
    }

    /// A version as the file has it: text as it is, or compressed.
    pub(super) fn pack<'a>(&'a mut self, content: &'a [u8]) -> ValueRef<'a> {
        if content.len() < LONG {
            return ValueRef::Text(content);
        }
        self.packed.clear();
        self.packed.reserve(compress_bound(content.len()));
        match self.compressor.compress_to_buffer(content, &mut self.packed) {
            Ok(_) => ValueRef::Blob(&self.packed),
            Err(_) => ValueRef::Text(content),
        }
    }
}

/// A version from what the file has.
pub(super) fn unpack(content: rusqlite::types::Value) -> Result<Content, Error> {
    use rusqlite::types::Value::{Blob, Text};
    let json = match content {
        Text(text) => text.into_bytes(),
        Blob(compressed) => zstd::decode_all(&*compressed)?,
        _ => Vec::new(),
    };
    serde_json::from_slice(&json).map_err(|error| Error::Damaged(format!("a version is no version ({error})")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_packed_is_the_version_again_and_a_long_one_takes_less_room() {
        let mut packer = Packer::new().unwrap();
        for title in ["t".repeat(10), "t".repeat(10_000), "t".into()] {
            let json = format!(r#"["{title}",[["ü"]]]"#);
            let stored = packer.pack(json.as_bytes());
            assert_eq!(matches!(stored, ValueRef::Blob(bytes) if bytes.len() < LONG), json.len() >= LONG);
            let content = unpack(stored.try_into().unwrap()).unwrap();
            assert_eq!(content.0.get(), format!("{title:?}"));
            assert_eq!(content.1[0][0].get(), r#""ü""#);
        }
    }
}
