//! Pages as files, with a manifest.
//!
//! A name is made of the URL and a hash of it, from letters, digits, `-` and `_` alone, in lower case and no longer than
//! 120 bytes: it leads nowhere else, is no device's, and is the same file on every file system. A file appears whole or
//! not at all; it replaces that of an earlier run. The manifest tells of it first.
//!
//! A run that a state has [gone on with](crate::store::Begin::resume) takes the pages that are not done out of the manifest, and
//! their files away: when they are saved once more, they may have other names. So it does with what was being saved when a run
//! was killed.

mod earlier;

use std::collections::HashSet;
use std::fs::{File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde_json::json;
use url::{Position, Url};
use xxhash_rust::xxh3::xxh3_64;

pub use self::earlier::Earlier;
use super::apart;
use crate::engine::Sink;
use crate::failure::Kind;
use crate::job::{Attempt, Facts, Hop, Outcome};
use crate::warc::Digest;

/// The manifest's name.
pub const MANIFEST: &str = "manifest.jsonl";

/// What the name of a file begins with that is not complete yet.
const SAVING: &str = ".saving-";

/// How many characters come behind that, letters and digits.
const RANDOM: usize = 6;

/// The longest part of a name that is made of the URL, in bytes.
const MAX_WORDS: usize = 96;

/// The sink. It saves what was fetched: no redirects, and no page whose status does not count.
pub struct Folder {
    path: PathBuf,
    manifest: Box<dyn Write + Send>,
    /// The hashes of the URLs whose files have been written.
    saved: HashSet<u64>,
}

impl Folder {
    /// The same, behind what an earlier run has saved.
    #[must_use]
    pub fn behind(self, earlier: Option<Earlier>) -> Self {
        Self { saved: earlier.map(|earlier| earlier.saved).unwrap_or_default(), ..self }
    }

    /// Saves to a folder that exists; `manifest` is the file of that name in it.
    pub fn new(path: &Path, manifest: impl Write + Send + 'static) -> Self {
        Self { path: path.into(), manifest: Box::new(manifest), saved: HashSet::new() }
    }

    fn save(&mut self, attempt: &Attempt, facts: &Facts, body: &[u8]) -> io::Result<()> {
        let Attempt { target, trail, exchange, .. } = attempt;
        let mut hash = key(&target.given);
        if !self.saved.insert(hash) {
            // Asked for once more, with --keep-duplicates.
            hash = xxh3_64(format!("{} {}", target.id, target.given).as_bytes());
        }
        let media_type = facts.content_type.as_deref().map(media_type);
        let name = format!("{}-{hash:016x}.{}", words(&trail.url), extension(media_type.as_deref(), facts));
        // As readable as any other file is by default: the umask applies.
        let permissions = Permissions::from_mode(0o666);
        let mut new = tempfile::Builder::new();
        let mut file = new.prefix(SAVING).rand_bytes(RANDOM).permissions(permissions).tempfile_in(&self.path)?;
        file.write_all(body)?;
        let hop = |hop: &Hop| json!({"status": hop.status, "url": hop.url.as_str()});
        let line = json!({
            "v": 1,
            "url": target.given,
            "final_url": trail.url.as_str(),
            "redirects": trail.hops.iter().map(hop).collect::<Vec<_>>(),
            "status": facts.status,
            "file": name,
            "content_type": facts.content_type,
            "media_type": media_type,
            "charset": facts.charset,
            "length": body.len(),
            "digest": Digest::of(&[body]).to_string(),
            "fetched_at": format!("{:.3}", exchange.at),
        });
        self.manifest.write_all(format!("{line}\n").as_bytes())?;
        file.persist(self.path.join(&name)).map_err(|error| error.error)?;
        Ok(())
    }

    /// Has the disk know all that was saved.
    fn sync(&mut self) -> io::Result<()> {
        self.manifest.flush()?;
        apart(|| sync_disk(&File::open(&self.path)?))
    }

    fn explain(&self, error: &io::Error) -> io::Error {
        io::Error::new(error.kind(), format!("cannot write to {}: {error}", self.path.display()))
    }
}

/// What a URL as given is known by.
fn key(given: &str) -> u64 {
    xxh3_64(given.as_bytes())
}

/// All of a disk at once: there may be hundreds of files.
#[cfg(target_os = "linux")]
fn sync_disk(folder: &File) -> io::Result<()> {
    Ok(rustix::fs::syncfs(folder)?)
}

#[cfg(not(target_os = "linux"))]
fn sync_disk(_: &File) -> io::Result<()> {
    rustix::fs::sync();
    Ok(())
}

/// The media type of a `Content-Type`, in lower case.
fn media_type(content_type: &str) -> String {
    content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// Host, path and query in characters that are the same everywhere.
fn words(url: &Url) -> String {
    let text = &url[Position::BeforeHost..Position::AfterQuery];
    let mut words = String::new();
    for c in text.chars().map(|c| c.to_ascii_lowercase()) {
        let c = if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
        if words.len() == MAX_WORDS {
            break;
        }
        if c != '_' || !words.ends_with('_') {
            words.push(c);
        }
    }
    words.trim_matches('_').to_owned()
}

/// The end of a name. What a server says is only looked up: it never becomes a part of the name.
fn extension(media_type: Option<&str>, facts: &Facts) -> &'static str {
    /// What all systems agree on.
    const KNOWN: [(&str, &str); 24] = [
        ("application/atom+xml", "xml"),
        ("application/gzip", "gz"),
        ("application/javascript", "js"),
        ("application/json", "json"),
        ("application/pdf", "pdf"),
        ("application/rss+xml", "xml"),
        ("application/xhtml+xml", "xhtml"),
        ("application/xml", "xml"),
        ("application/zip", "zip"),
        ("audio/mpeg", "mp3"),
        ("image/avif", "avif"),
        ("image/gif", "gif"),
        ("image/jpeg", "jpg"),
        ("image/png", "png"),
        ("image/svg+xml", "svg"),
        ("image/webp", "webp"),
        ("text/css", "css"),
        ("text/csv", "csv"),
        ("text/html", "html"),
        ("text/javascript", "js"),
        ("text/markdown", "md"),
        ("text/plain", "txt"),
        ("text/xml", "xml"),
        ("video/mp4", "mp4"),
    ];
    let Some(media_type) = media_type else { return if facts.title.is_some() { "html" } else { "bin" } };
    match KNOWN.iter().find(|(known, _)| *known == media_type) {
        Some((_, extension)) => extension,
        None if media_type.ends_with("+json") => "json",
        None if media_type.ends_with("+xml") => "xml",
        None if media_type.starts_with("text/") => "txt",
        None => "bin",
    }
}

impl Sink for Folder {
    fn attempt(&mut self, attempt: &Attempt) -> io::Result<()> {
        let is_refused = attempt.failure.as_ref().is_some_and(|failure| failure.kind == Kind::Status);
        match (&attempt.facts, &attempt.exchange.page) {
            (Some(facts), Some(page)) if attempt.is_final && !is_refused => {
                self.save(attempt, facts, page).map_err(|error| self.explain(&error))
            }
            _ => Ok(()),
        }
    }

    fn accept(&mut self, _: &Outcome) -> io::Result<()> {
        Ok(())
    }

    fn idle(&mut self) -> io::Result<()> {
        self.manifest.flush().map_err(|error| self.explain(&error))
    }

    fn commit(&mut self) -> io::Result<()> {
        self.sync().map_err(|error| self.explain(&error))
    }

    fn finish(mut self: Box<Self>) -> io::Result<()> {
        self.manifest.flush().map_err(|error| self.explain(&error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn words_of(url: &str) -> String {
        words(&Url::parse(url).unwrap())
    }

    #[test]
    fn a_name_tells_what_it_is() {
        assert_eq!(words_of("http://a.test/Docs/Page.html?x=1&y=%20"), "a_test_docs_page_html_x_1_y_20");
        assert_eq!(words_of("http://[::1]:80/"), "1");
        assert_eq!(words_of("http://con/../../etc/passwd"), "con_etc_passwd");
    }

    #[test]
    fn the_extension_is_looked_up_and_never_taken_from_a_server() {
        let of = |media| extension(media, &Facts::default());
        assert_eq!([of(Some("text/html")), of(Some("image/x+xml")), of(Some("text/../x"))], ["html", "xml", "txt"]);
        assert_eq!([of(Some("exe")), of(None)], ["bin", "bin"]);
        assert_eq!(extension(None, &Facts { title: Some("t".into()), ..Facts::default() }), "html");
        assert_eq!(media_type(" Text/HTML ; charset=x"), "text/html");
    }

    proptest! {
        #[test]
        fn a_name_has_nothing_that_any_file_system_minds(path in any::<String>()) {
            let words = words_of(&format!("http://a.test/{path}"));
            prop_assert!(words.len() <= MAX_WORDS);
            prop_assert!(words.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_".contains(&b)));
        }
    }
}
