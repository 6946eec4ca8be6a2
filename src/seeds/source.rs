//! Where URLs come from: arguments, files, standard input.

use std::ffi::OsString;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, ErrorKind};
use std::iter;
use std::path::{Path, PathBuf};

use super::address::{self, Scheme};
use super::archive::Archive;
use super::column::{Rows, Table};
use super::error::Error;
use super::folder::{Folder, MANIFEST};
use super::lines::Lines;
use super::origin::Origin;
use super::start::{Content, Start};
use super::state::State;
use super::{Entries, Options};

/// Where URLs come from.
#[derive(Clone, PartialEq, Eq)]
pub enum Source {
    /// One URL.
    Url(String),
    /// A list or table of URLs.
    File(PathBuf),
    /// A list or table of URLs on standard input.
    Stdin,
}

impl Source {
    /// What an argument means: `-` is standard input, what has `://` in it a URL, anything else a file.
    pub fn from_argument(argument: impl Into<OsString>) -> Self {
        let argument = argument.into();
        match argument.to_str() {
            Some("-") => Self::Stdin,
            Some(text) if text.contains("://") => Self::Url(text.into()),
            _ => Self::File(argument.into()),
        }
    }

    /// Fails where the source cannot be read. Of a regular file the start is read; what might block is not opened.
    pub(super) fn check(&self, options: &Options) -> Result<(), Error> {
        let Self::File(path) = self else { return Ok(()) };
        let metadata = fs::metadata(path).map_err(|error| match error.kind() {
            ErrorKind::NotFound => Error::missing(path, options),
            _ => self.unreadable(error),
        })?;
        if metadata.is_dir() && !path.join(MANIFEST).is_file() {
            return Err(Error::Directory { name: self.to_string() });
        }
        if metadata.is_file() || metadata.is_dir() { self.entries(1, options).map(drop) } else { Ok(()) }
    }

    /// Opens the source, the `position`th of all, counted from 1.
    pub(super) fn entries(&self, position: u64, options: &Options) -> Result<Entries, Error> {
        let reader: Box<dyn BufRead> = match self {
            Self::Url(text) => {
                let origin = Origin { file: None, scheme: options.default_scheme };
                return Ok(Box::new(iter::once(Ok(origin.seed(position, text, None)))));
            }
            Self::File(path) if path.is_dir() => {
                let folder = Folder::open(path, self.origin(options), options);
                return Ok(Box::new(folder.map_err(|error| self.unreadable(error))?));
            }
            Self::File(path) => Box::new(BufReader::new(File::open(path).map_err(|error| self.unreadable(error))?)),
            Self::Stdin => Box::new(io::stdin().lock()),
        };
        let start = Start::read(reader).map_err(|error| self.unreadable(error))?;
        let origin = self.origin(options);
        if start.content == Content::Archive {
            let archive = Archive::open(start.reader, self.file(), origin, options);
            return Ok(Box::new(archive.map_err(|error| self.unreadable(error))?));
        }
        if start.content == Content::Database {
            // No file may be closed that SQLite has open: its locks would go with it (POSIX, `fcntl`).
            drop(start);
            return self.state(origin, options);
        }
        match &options.column {
            Some(column) => self.table(start, origin, column),
            None => Ok(Box::new(Lines::new(start, origin, "url"))),
        }
    }

    /// The pages that a state keeps.
    fn state(&self, origin: Origin, options: &Options) -> Result<Entries, Error> {
        let unreadable = |error| self.unreadable(error);
        let path =
            self.file().ok_or_else(|| io::Error::other("a database can only be read as a file, named by its path"));
        let state = State::open(path.map_err(unreadable)?, origin, options);
        Ok(Box::new(state.map_err(io::Error::from).map_err(unreadable)?))
    }

    fn origin(&self, options: &Options) -> Origin {
        Origin { file: Some(self.to_string().into()), scheme: options.default_scheme }
    }

    /// The path of a file that can be read from anywhere.
    fn file(&self) -> Option<&Path> {
        match self {
            Self::File(path) if path.is_file() => Some(path),
            Self::File(_) | Self::Stdin | Self::Url(_) => None,
        }
    }

    /// The entries of what has a column, or a key, called `column`.
    fn table(&self, start: Start, origin: Origin, column: &str) -> Result<Entries, Error> {
        let (header, start) = start.peek_line().map_err(|error| self.unreadable(error))?;
        let Some(delimiter) = self.delimiter(header.trim_ascii_start()) else {
            return Ok(Box::new(Lines::new(start, origin, column)));
        };
        let entries = Table::open(Rows::new(start.reader, delimiter), origin, column);
        match entries.map_err(|error| self.unreadable(error))? {
            Ok(entries) => Ok(Box::new(entries)),
            Err(columns) => Err(Error::NoColumn { name: self.to_string(), column: column.into(), columns }),
        }
    }

    fn unreadable(&self, error: io::Error) -> Error {
        Error::Unreadable { name: self.to_string(), error }
    }

    /// What separates the cells of a table whose first line is `header`; none for JSON Lines.
    fn delimiter(&self, header: &[u8]) -> Option<u8> {
        let extension = match self {
            Self::File(path) => path.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase(),
            _ => String::new(),
        };
        let has = |byte| header.contains(&byte);
        match extension.as_str() {
            "jsonl" | "ndjson" | "json" => None,
            _ if header.starts_with(b"{") => None,
            "tsv" | "tab" => Some(b'\t'),
            _ if has(b'\t') && !has(b',') => Some(b'\t'),
            _ => Some(b','),
        }
    }
}

/// Shows a source as the user named it, a URL without its userinfo.
impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(text) => match address::parse(text, Scheme::default()) {
                Ok(address) => f.pad(&address.given),
                Err(_) => f.pad(&address::redact(text)),
            },
            Self::File(path) => path.display().fmt(f),
            Self::Stdin => f.pad("-"),
        }
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self {
            Self::Url(_) => "Url",
            Self::File(_) => "File",
            Self::Stdin => "Stdin",
        };
        f.debug_tuple(kind).field(&self.to_string()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_argument_is_standard_input_a_url_or_a_file() {
        for (argument, source) in [
            ("-", Source::Stdin),
            ("https://a.test/x", Source::Url("https://a.test/x".into())),
            ("file:///x", Source::Url("file:///x".into())),
            ("urls.txt", Source::File("urls.txt".into())),
            ("a.test:80", Source::File("a.test:80".into())),
        ] {
            assert_eq!(Source::from_argument(argument), source);
        }
    }

    #[test]
    fn a_source_is_shown_without_its_password() {
        for (argument, shown) in [
            ("https://me:sesame@a.test/@x", "https://a.test/@x"),
            ("https://a.test:80/@x", "https://a.test:80/@x"),
            ("ftp://me:sesame@a.test/", "ftp://a.test/"),
        ] {
            let source = Source::from_argument(argument);
            assert_eq!((source.to_string(), format!("{source:?}")), (shown.into(), format!("Url({shown:?})")));
        }
    }
}
