//! Why a source cannot be read, before the run and during it.

use std::fmt::Write as _;
use std::io;
use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use super::Options;
use super::address;
use super::folder::MANIFEST;
use crate::warc;

/// Ends of names that make a file of what could be a host, whatever top-level domains there are.
const FILE_EXTENSIONS: [&str; 16] = [
    "txt", "csv", "tsv", "tab", "json", "jsonl", "ndjson", "list", "lst", "urls", "md", "html", "xml", "warc", "gz",
    "zip",
];
/// As many columns as a message names.
const MAX_COLUMNS_SHOWN: usize = 20;

/// Why a source cannot be read, with the source's name.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such file.
    #[error("{name}: no such file")]
    Missing {
        /// The source, without what could be a password.
        name: String,
        /// The URL that the name would be.
        url: Option<String>,
    },
    /// The file is a directory.
    #[error("{name} is a directory without a {MANIFEST}")]
    Directory {
        /// The source.
        name: String,
    },
    /// The source cannot be opened, or not be read from its start.
    #[error("{name} cannot be read: {error}")]
    Unreadable {
        /// The source.
        name: String,
        /// What the system says.
        error: io::Error,
    },
    /// The source could not be read to its end.
    #[error("{name} broke off after line {line}: {error}")]
    Broken {
        /// The source.
        name: String,
        /// The last line that a seed or a rejection came from; 0 where none did.
        line: u64,
        /// What the system says.
        error: io::Error,
    },
    /// The archive could not be read to its end.
    #[error("{name} broke off: {error}")]
    Archive {
        /// The source.
        name: String,
        /// Where, and why.
        error: warc::Error,
    },
    /// The table has no such column.
    #[error("{name} has no column {column:?}, only {}", quote(columns))]
    NoColumn {
        /// The source.
        name: String,
        /// The column that was asked for.
        column: String,
        /// The columns that there are, in order.
        columns: Vec<String>,
    },
    /// The reading thread could not be started.
    #[error("the thread that reads the sources cannot be started: {0}")]
    Thread(io::Error),
}

impl Error {
    /// What the user may have meant, as a question.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Missing { url: Some(url), .. } => Some(format!("did you mean {url}?")),
            _ => None,
        }
    }

    /// The source ended amid its entries, behind a line.
    pub(super) fn broken(name: String, line: u64, error: io::Error) -> Self {
        match error.downcast::<warc::Error>() {
            Ok(error) => Self::Archive { name, error },
            Err(error) => Self::Broken { name, line, error },
        }
    }

    pub(super) fn missing(path: &Path, options: &Options) -> Self {
        let name = path.to_string_lossy();
        Self::Missing { name: address::redact(&name), url: name_as_url(&name, options) }
    }
}

/// The URL that the user may have meant by the name of a file that is not there.
fn name_as_url(name: &str, options: &Options) -> Option<String> {
    let url = address::parse(name, options.default_scheme).ok()?.given;
    let authority = url.split("://").nth(1)?.split(['/', '?', '#']).next()?;
    let is_host = match authority.split_once(':') {
        Some((host, _port)) => !host.is_empty(),
        None => authority == "localhost" || authority.parse::<Ipv4Addr>().is_ok() || is_domain(authority),
    };
    is_host.then(|| url.into())
}

fn is_domain(name: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(labels, top)| {
        let is_file = FILE_EXTENSIONS.iter().any(|extension| extension.eq_ignore_ascii_case(top));
        !is_file && top.chars().count() > 1 && top.chars().all(char::is_alphabetic) && !labels.starts_with('.')
    })
}

/// The names in quotes: they are a file's text, and where it is a list, its first URL with what may be a password.
fn quote(names: &[String]) -> String {
    let mut list = String::new();
    for (index, name) in names.iter().take(MAX_COLUMNS_SHOWN).enumerate() {
        let comma = if index == 0 { "" } else { ", " };
        // Writing to a string cannot fail.
        let name = if name.contains("://") { address::redact(name) } else { name.clone() };
        let _ = write!(list, "{comma}{:?}", name.chars().take(100).collect::<String>());
    }
    if names.len() > MAX_COLUMNS_SHOWN {
        list.push_str(", ...");
    }
    list
}

/// The sources that broke off or could not be opened when their turn came. It is complete when the stream has ended.
#[derive(Clone, Debug, Default)]
pub struct Breakages(Arc<Mutex<Vec<Error>>>);

impl Breakages {
    /// Takes what has come together so far, in order.
    #[must_use]
    pub fn take(&self) -> Vec<Error> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn push(&self, error: Error) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(error);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_file_that_looks_like_a_host_gets_a_hint() {
        let hint = |name: &str| Error::missing(Path::new(name), &Options::default()).hint();
        for (name, url) in [
            ("example.com", "https://example.com"),
            ("www.example.com/urls.txt?x", "https://www.example.com/urls.txt?x"),
            ("localhost", "https://localhost"),
            ("localhost:8080/x", "https://localhost:8080/x"),
            ("127.0.0.1/", "https://127.0.0.1/"),
            ("me@example.com", "https://example.com"),
        ] {
            assert_eq!(hint(name), Some(format!("did you mean {url}?")));
        }
        for name in
            ["urls.txt", "urls", "./example.com", "../x", "/etc/example.com", "data/urls.csv", "conf.d", "1", ""]
        {
            assert_eq!(hint(name), None, "{name}");
        }
    }

    #[test]
    fn a_message_names_the_source_and_quotes_its_columns() {
        let columns = std::iter::once("a\x1b[1m".to_owned()).chain((1..30).map(|n| n.to_string())).collect();
        let error = Error::NoColumn { name: "t.csv".into(), column: "url".into(), columns };
        let message = error.to_string();
        assert!(message.starts_with(r#"t.csv has no column "url", only "a\u{1b}[1m", "1", "#), "{message}");
        assert!(message.ends_with(r#""19", ..."#), "{message}");
        let columns = vec!["http://me:sesame@a.test/".to_owned()];
        let error = Error::NoColumn { name: "list".into(), column: "url".into(), columns };
        assert_eq!(error.to_string(), r#"list has no column "url", only "http://a.test/""#);
        assert!(
            !Error::missing(Path::new("me:sesame@example.com"), &Options::default()).to_string().contains("sesame")
        );
    }
}
