//! Sitemaps as sources: one at a URL is a seed itself, one in a file is read here, and gives seeds.

use std::collections::VecDeque;
use std::io::{self, BufRead, ErrorKind};
use std::path::Path;

use jiff::Timestamp;
use url::Url;

use super::Entry;
use super::origin::Origin;
use crate::job::{Role, Seed};
use crate::sitemap::{self, Kind, Notes, Reader, Report};

/// What relative addresses in a file are relative to: nothing that can be fetched.
const NOWHERE: &str = "file:///";

/// The sitemap that `text` names. The root of a site stands for all of its sitemaps, as its robots.txt does.
pub(super) fn seed(origin: &Origin, position: u64, text: &str) -> Entry {
    let mut seed = origin.seed(position, text, None)?;
    if seed.url.path() == "/" && seed.url.query().is_none() {
        seed.url.set_path("/robots.txt");
    }
    Ok(Seed { role: Role::Sitemap, ..seed })
}

/// The entries of a sitemap in a file. What the file names is what the user names.
pub(super) struct Sitemap<R> {
    file: R,
    /// None once the file has ended.
    reader: Option<Reader>,
    found: VecDeque<sitemap::Entry>,
    notes: Notes,
    origin: Origin,
    since: Option<Timestamp>,
    /// How many entries came out.
    count: u64,
}

impl<R: BufRead> Sitemap<R> {
    /// Those of the file at `path` that may have changed `since` then.
    pub(super) fn new(file: R, path: &Path, origin: Origin, since: Option<Timestamp>) -> Self {
        let notes = Notes::new(&path.display().to_string(), None);
        let reader = Url::parse(NOWHERE).ok().map(|url| Reader::new(url, None));
        Self { file, reader, found: VecDeque::new(), notes, origin, since, count: 0 }
    }

    /// Reads the next piece of the file.
    fn read(&mut self) -> io::Result<()> {
        let (found, since) = (&mut self.found, self.since);
        let mut take = |entry: sitemap::Entry| {
            if entry.may_be_since(since) {
                found.push_back(entry);
            }
        };
        let piece = self.file.fill_buf()?;
        let length = piece.len();
        let is_over = match &mut self.reader {
            Some(reader) if length > 0 => reader.push(piece, &mut take).is_err(),
            _ => true,
        };
        self.file.consume(length);
        match self.reader.take_if(|_| is_over).map(|reader| reader.finish(&mut take)) {
            Some(report) => self.judge(report),
            None => Ok(()),
        }
    }

    fn judge(&self, report: Report) -> io::Result<()> {
        if let Some(damage) = report.damage {
            let file = self.origin.file.as_deref();
            tracing::warn!(file, %damage, entries = report.entries, "sitemap damaged: what is whole counts");
        }
        match report.kind {
            Some(Kind::Html | Kind::Other) if report.entries == 0 => {
                Err(io::Error::new(ErrorKind::InvalidData, "it is no sitemap and no feed"))
            }
            _ => Ok(()),
        }
    }
}

impl<R: BufRead> Iterator for Sitemap<R> {
    type Item = io::Result<Entry>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.found.is_empty() && self.reader.is_some() {
            if let Err(error) = self.read() {
                self.reader = None;
                return Some(Err(error));
            }
        }
        let entry = self.found.pop_front()?;
        self.count += 1;
        let role = match entry.role {
            sitemap::Role::Page => Role::Page,
            sitemap::Role::Sitemap => Role::Sitemap,
        };
        let input = self.notes.write(&entry).filter(|_| role == Role::Page);
        let seed = self.origin.seed(self.count, entry.url.as_str(), input);
        Some(Ok(seed.map(|seed| Seed { role, ..seed })))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seeds::Scheme;
    use std::io::BufReader;

    fn origin() -> Origin {
        Origin { file: Some("s.xml".into()), scheme: Scheme::Https }
    }

    fn read(text: &str, since: Option<&str>) -> Vec<String> {
        // One byte at a time: entries come in pieces.
        let file = BufReader::with_capacity(1, text.as_bytes());
        let since = since.map(|since| since.parse().unwrap());
        let entries = Sitemap::new(file, Path::new("s.xml"), origin(), since);
        let told = entries.map(|entry| match entry {
            Ok(Ok(Seed { url, role, target, .. })) => {
                format!("{role:?} {url} {} {}", target.at.line, target.input.as_deref().map_or("", |input| input.get()))
            }
            Ok(Err(rejected)) => rejected.reason,
            Err(error) => error.to_string(),
        });
        told.collect()
    }

    #[test]
    fn a_file_names_pages_and_sitemaps() {
        let text = "<urlset><url><loc>http://a.test/1</loc><lastmod>2024-05-17</lastmod></url></urlset>";
        let note = r#"{"sitemap":"s.xml","lastmod":"2024-05-17","priority":null}"#;
        assert_eq!(read(text, None), [format!("Page http://a.test/1 1 {note}")]);
        let text = "<sitemapindex><sitemap><loc>http://a.test/s.xml</loc></sitemap></sitemapindex>";
        assert_eq!(read(text, None), ["Sitemap http://a.test/s.xml 1 "]);
    }

    #[test]
    fn what_has_not_changed_since_is_passed_over() {
        let page = |n, modified: &str| format!("<url><loc>http://a.test/{n}</loc>{modified}</url>");
        let text = page(1, "<lastmod>2024-01-01</lastmod>") + &page(2, "<lastmod>2024-03-01</lastmod>") + &page(3, "");
        let found = read(&format!("<urlset>{text}</urlset>"), Some("2024-02-01T00:00:00Z"));
        assert!(found.len() == 2 && found[0].contains("/2 ") && found[1].contains("/3 "), "{found:?}");
    }

    #[test]
    fn what_is_no_sitemap_is_an_error() {
        assert_eq!(read("<html><body>Not found</body></html>", None), ["it is no sitemap and no feed"]);
        assert_eq!(read("", None), [""; 0]);
        assert_eq!(read("<urlset>", None), [""; 0]);
    }

    #[test]
    fn the_root_of_a_site_stands_for_its_sitemaps() {
        for (text, expected) in [
            ("https://a.test", "https://a.test/robots.txt"),
            ("https://a.test/s.xml", "https://a.test/s.xml"),
            ("https://a.test/?map", "https://a.test/?map"),
        ] {
            let seed = seed(&origin(), 1, text).unwrap();
            assert_eq!((seed.url.as_str(), seed.role), (expected, Role::Sitemap));
        }
        assert!(seed(&origin(), 1, "ftp://a.test/").is_err());
    }
}
