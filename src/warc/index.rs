//! The index beside an archive: CDXJ, a line a capture, sorted by key and time.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Seek, SeekFrom, Write};

use jiff::Timestamp;
use serde::Serialize;
use url::Url;

use super::surt::surt;

/// As many lines are sorted in memory.
const GATHERED: usize = 1 << 16;

/// A capture, in the words of `pywb`, for which all values are texts.
#[derive(Clone, Debug, Serialize)]
pub struct Entry<'a> {
    /// What was captured.
    pub url: &'a str,
    /// Its media type; `warc/revisit` for a record that has no payload of its own.
    pub mime: &'a str,
    /// The status of the answer.
    pub status: String,
    /// The digest of its payload.
    pub digest: String,
    /// How many bytes its record takes in the archive.
    pub length: String,
    /// Where in the archive it starts.
    pub offset: String,
    /// The archive.
    pub filename: &'a str,
}

/// Lines that are to be sorted, of which no more than 65,536 are in memory: what is beyond goes to files made by `F`.
#[derive(Debug)]
pub struct Index<F> {
    lines: Vec<String>,
    /// Sorted lines.
    runs: Vec<F>,
    make: fn() -> io::Result<F>,
}

impl<F: Read + Write + Seek> Index<F> {
    /// An empty index, which `make` gives empty files of its own.
    pub fn new(make: fn() -> io::Result<F>) -> Self {
        Self { lines: Vec::new(), runs: Vec::new(), make }
    }

    /// Adds a capture of `url` at a time.
    ///
    /// # Errors
    /// A file cannot be made or written.
    pub fn push(&mut self, url: &Url, at: Timestamp, entry: &Entry<'_>) -> io::Result<()> {
        let json = serde_json::to_string(entry)?;
        self.lines.push(format!("{} {} {json}\n", surt(url), at.strftime("%Y%m%d%H%M%S")));
        if self.lines.len() < GATHERED {
            return Ok(());
        }
        self.lines.sort_unstable();
        let mut run = BufWriter::new((self.make)()?);
        self.lines.drain(..).try_for_each(|line| run.write_all(line.as_bytes()))?;
        self.runs.push(run.into_inner().map_err(io::IntoInnerError::into_error)?);
        Ok(())
    }

    /// Writes all lines in order.
    ///
    /// # Errors
    /// A file cannot be read, or `out` fails.
    pub fn write(mut self, out: &mut impl Write) -> io::Result<()> {
        self.lines.sort_unstable();
        let mut runs = Vec::new();
        for mut run in self.runs {
            run.seek(SeekFrom::Start(0))?;
            runs.push(Lines::File(BufReader::new(run)));
        }
        runs.push(Lines::Memory(self.lines.into_iter()));
        let mut heads = BinaryHeap::new();
        for (place, run) in runs.iter_mut().enumerate() {
            heads.extend(run.next_line()?.map(|line| Reverse((line, place))));
        }
        while let Some(Reverse((line, place))) = heads.pop() {
            out.write_all(line.as_bytes())?;
            heads.extend(runs[place].next_line()?.map(|line| Reverse((line, place))));
        }
        Ok(())
    }
}

/// Sorted lines.
enum Lines<F> {
    File(BufReader<F>),
    Memory(std::vec::IntoIter<String>),
}

impl<F: Read> Lines<F> {
    fn next_line(&mut self) -> io::Result<Option<String>> {
        match self {
            Self::Memory(lines) => Ok(lines.next()),
            Self::File(file) => {
                let mut line = String::new();
                Ok((file.read_line(&mut line)? > 0).then_some(line))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn write(urls: impl IntoIterator<Item = String>) -> String {
        let mut index = Index::new(|| Ok(Cursor::new(Vec::new())));
        for url in urls {
            let entry = Entry {
                url: &url,
                mime: "text/html",
                status: "200".into(),
                digest: "sha1:A".into(),
                length: "1".into(),
                offset: "0".into(),
                filename: "a.warc.gz",
            };
            index.push(&Url::parse(&url).unwrap(), Timestamp::UNIX_EPOCH, &entry).unwrap();
        }
        let mut text = Vec::new();
        index.write(&mut text).unwrap();
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn a_line_has_key_time_and_json() {
        let line = write(["http://a.test/B".into()]);
        let expected = r#"test,a)/b 19700101000000 {"url":"http://a.test/B","mime":"text/html","status":"200","digest":"sha1:A","length":"1","offset":"0","filename":"a.warc.gz"}"#;
        assert_eq!(line, format!("{expected}\n"));
    }

    #[test]
    fn more_lines_than_fit_are_sorted_all_the_same() {
        let count = 2 * GATHERED + 10;
        let text = write((0..count).map(|n| format!("http://a.test/{}", n * 7919 % count)));
        assert_eq!(text.lines().count(), count);
        assert!(text.lines().is_sorted());
    }
}
