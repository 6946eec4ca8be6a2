//! Sources → seeds: arguments, lists, JSON Lines and tables become a stream of URLs.
//!
//! A list has one URL a line. Blank lines, `#` comments, surrounding white space, CRLF, CR and a UTF-8 byte order mark
//! are fine; a line that starts with `{` is a JSON object, its `url` the URL and the rest of it carried along. With a
//! [`column`](Options::column), files and standard input are tables (CSV, TSV) with a header line instead, or JSON
//! Lines whose key has the column's name. Of a record that this program wrote, only its `input` is carried along.
//!
//! An archive (WARC), a folder of saved pages and a [state](crate::state) that keeps pages are sources, too: their seeds bring
//! their answers along, of which no more than 64 MiB, or one, are in memory at a time. In an archive that this program wrote, it is told which answers are final
//! and by which redirects they came. In those of others, every answer is final but for a redirect to what comes later in the
//! file, and the first answer of a URL counts. A `revisit` record has the payload of the earlier record in its file with
//! the same payload digest.
//!
//! ```
//! use futures::StreamExt;
//! use scrape::seeds::{self, Source};
//!
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! let sources = ["https://example.com/#top", "ftp://example.com"].map(Source::from_argument);
//! let mut seeds = seeds::open(sources.into(), seeds::Options::default())?;
//! assert_eq!(seeds.next().await.unwrap().unwrap().url.as_str(), "https://example.com/");
//! let rejected = seeds.next().await.unwrap().unwrap_err();
//! assert_eq!(rejected.reason, "scheme ftp is not supported: only http and https");
//! assert!(seeds.next().await.is_none());
//! # Ok::<(), seeds::Error>(())
//! # }).unwrap();
//! ```

mod address;
mod archive;
pub(crate) mod budget;
mod chains;
mod column;
mod error;
mod folder;
mod lines;
mod object;
mod origin;
mod source;
mod start;
mod state;

use std::io;
use std::panic;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::thread::{self, JoinHandle};

use futures::Stream;
use tokio::sync::mpsc::{self, Receiver, Sender};
use url::Url;

pub use self::address::{Scheme, UnsupportedScheme};
pub use self::error::{Breakages, Error};
pub use self::source::Source;
use crate::job::{Rejected, Seed, Trail};

/// How many entries are read ahead of the stream's consumer.
const LOOK_AHEAD: usize = 1_024;
/// How many of them the stream takes at once. A full channel then stops the reading thread, and wakes it, once for as
/// many lines instead of once for each.
const BATCH: usize = LOOK_AHEAD / 2;

/// What a line, a row or an argument gives.
type Entry = Result<Seed, Rejected>;

/// What an open source gives. It ends with the first error.
type Entries = Box<dyn Iterator<Item = io::Result<Entry>>>;

/// How sources are read.
#[derive(Clone, Debug)]
pub struct Options {
    /// The scheme of a URL that has none.
    pub default_scheme: Scheme,
    /// The column, or the key of a JSON line, that has the URL. Then files and standard input are tables.
    pub column: Option<String>,
    /// The largest body, decoded, that anybody wants of an archive.
    pub max_body: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { default_scheme: Scheme::default(), column: None, max_body: 10 << 20 }
    }
}

/// Checks all sources and starts to read them, one after the other, in a thread of their own.
///
/// The check opens regular files and reads their start (of a table the header). What could block is not touched before
/// its turn: a pipe, a device, standard input. The thread reads no more than 1,024 entries ahead, and ends when the
/// stream is dropped, or, where it waits for a pipe's writer just then, with the process.
///
/// # Errors
/// A source is missing, a directory, or cannot be read, or a file has no such column.
pub fn open(sources: Vec<Source>, options: Options) -> Result<Seeds, Error> {
    sources.iter().try_for_each(|source| source.check(&options))?;
    let (sender, entries) = mpsc::channel(LOOK_AHEAD - BATCH);
    let breakages = Breakages::default();
    let feed = Feed { options, sender, breakages: breakages.clone() };
    let thread = thread::Builder::new().name("seeds".into()).spawn(move || feed.read_all(&sources));
    Ok(Seeds { entries, taken: Vec::new(), breakages, thread: Some(thread.map_err(Error::Thread)?) })
}

/// The URL to request for `given`, as a record has it under `url`.
///
/// # Errors
/// It is no URL; this is why.
pub fn url(given: &str) -> Result<Url, String> {
    address::parse(given, Scheme::default()).map(|address| address.url)
}

/// The request that `given` names, with the credentials that it has.
///
/// # Errors
/// It is no URL; this is why.
pub fn trail(given: &str) -> Result<Trail, String> {
    address::parse(given, Scheme::default()).map(|address| Trail::new(address.url, address.auth))
}

/// The URLs of all sources in order: a [`Seed`], or a [`Rejected`] for a line that is no URL.
///
/// Each entry comes as soon as its line is complete; no list is ever held. A source that breaks off ends there and the
/// next one follows; [`breakages`](Seeds::breakages) tells.
///
/// # Panics
/// When polled after the reading thread panicked, with its panic: a list must not seem complete that is not.
#[derive(Debug)]
pub struct Seeds {
    entries: Receiver<Entry>,
    /// Entries that have left the channel, the next one last.
    taken: Vec<Entry>,
    breakages: Breakages,
    thread: Option<JoinHandle<()>>,
}

impl Seeds {
    /// Where one learns, when the stream has ended, which sources could not be read to their end.
    #[must_use]
    pub fn breakages(&self) -> Breakages {
        self.breakages.clone()
    }
}

impl Stream for Seeds {
    type Item = Result<Seed, Rejected>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Self { entries, taken, .. } = &mut *self;
        if taken.is_empty() {
            ready!(entries.poll_recv_many(context, taken, BATCH));
            taken.reverse();
        }
        let entry = taken.pop();
        if entry.is_none()
            && let Some(thread) = self.thread.take()
            && let Err(panic) = thread.join()
        {
            panic::resume_unwind(panic);
        }
        Poll::Ready(entry)
    }
}

/// The work of the reading thread.
struct Feed {
    options: Options,
    sender: Sender<Entry>,
    breakages: Breakages,
}

impl Feed {
    fn read_all(self, sources: &[Source]) {
        for (source, position) in sources.iter().zip(1..) {
            if self.sender.is_closed() {
                return;
            }
            if let Err(error) = self.read(source, position) {
                self.breakages.push(error);
            }
        }
    }

    /// Reads one source until it ends or nobody listens any more.
    fn read(&self, source: &Source, position: u64) -> Result<(), Error> {
        let mut line = 0;
        for entry in source.entries(position, &self.options)? {
            let entry = entry.map_err(|error| Error::broken(source.to_string(), line, error))?;
            line = entry.as_ref().map_or_else(|rejected| rejected.target.at.line, |seed| seed.target.at.line);
            if self.sender.blocking_send(entry).is_err() {
                break;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::StreamExt;
    use std::fs::{self, File};
    use std::io::Write;
    use std::path::Path;
    use std::process::Command;
    use std::time::Duration;
    use tempfile::TempDir;
    use tokio::time::timeout;

    fn folder(files: &[(&str, &str)]) -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            fs::write(folder.path().join(name), text).unwrap();
        }
        folder
    }

    fn with_column(column: &str) -> Options {
        Options { column: Some(column.into()), ..Options::default() }
    }

    fn open_one(path: &Path, options: Options) -> Result<Seeds, Error> {
        open(vec![Source::File(path.into())], options)
    }

    /// Waits for an entry, but not for ever.
    async fn next(seeds: &mut Seeds) -> Option<Entry> {
        timeout(Duration::from_secs(10), seeds.next()).await.expect("an entry in time")
    }

    /// What is given, and where: of a seed the URL, of a rejection its reason.
    async fn all(mut seeds: Seeds) -> Vec<String> {
        let mut texts = Vec::new();
        while let Some(entry) = next(&mut seeds).await {
            let (target, text) = match entry {
                Ok(seed) => (seed.target, String::from(seed.url)),
                Err(rejected) => (rejected.target, rejected.reason),
            };
            let file = target.at.file.as_deref().map(|file| file.rsplit('/').next().unwrap());
            let input = target.input.as_deref().map_or("", |input| input.get());
            texts.push(format!("{}:{} {text} {input}", file.unwrap_or("argument"), target.at.line));
        }
        texts
    }

    fn make_pipe(path: &Path) {
        assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
    }

    #[tokio::test]
    async fn sources_are_read_one_after_the_other() {
        let folder = folder(&[("one", "\u{feff}a.test\n\nx:y\n"), ("two", "b.test")]);
        let file = |name| Source::File(folder.path().join(name));
        let url = |text: &str| Source::Url(text.into());
        let sources = vec![url("http://c.test"), file("one"), url("::"), file("two")];
        let expected = [
            "argument:1 http://c.test/ ",
            "one:1 https://a.test/ ",
            "one:3 scheme x is not supported: only http and https ",
            "argument:3 not a URL: empty host ",
            "two:1 https://b.test/ ",
        ];
        assert_eq!(all(open(sources, Options::default()).unwrap()).await, expected);
    }

    #[tokio::test]
    async fn a_column_is_read_from_whatever_the_file_looks_like() {
        let folder = folder(&[
            ("a.csv", "id,url\n1,a.test\n"),
            ("b.tsv", "id, or\turl\n1\ta.test\n"),
            ("c", "\u{feff}id\turl\n1\ta.test\n"),
            ("d.jsonl", "# comment\n{\"url\": \"a.test\", \"id\": 1}"),
            ("e", "\n {\"url\": \"a.test\", \"id\": 1}"),
            ("f.csv", ""),
        ]);
        for (name, expected) in [
            ("a.csv", &["a.csv:2 https://a.test/ {\"id\":\"1\"}"][..]),
            ("b.tsv", &["b.tsv:2 https://a.test/ {\"id, or\":\"1\"}"]),
            ("c", &["c:2 https://a.test/ {\"id\":\"1\"}"]),
            ("d.jsonl", &["d.jsonl:2 https://a.test/ {\"id\":1}"]),
            ("e", &["e:2 https://a.test/ {\"id\":1}"]),
            ("f.csv", &[]),
        ] {
            let seeds = open_one(&folder.path().join(name), with_column("url")).unwrap();
            assert_eq!(all(seeds).await, expected, "{name}");
        }
    }

    #[test]
    fn a_bad_source_is_an_error_before_anything_is_read() {
        let folder = folder(&[("a.csv", "id,link\n"), ("utf16", "")]);
        fs::write(folder.path().join("utf16"), b"\xff\xfeu\0r\0l\0\n\0").unwrap();
        let message = |name: &str| {
            let path = folder.path().join(name);
            let message = open_one(&path, with_column("url")).unwrap_err().to_string();
            message.replace(&folder.path().display().to_string(), "DIR")
        };
        assert_eq!(message("missing"), "DIR/missing: no such file");
        assert_eq!(message(""), "DIR/ is a directory without a manifest.jsonl");
        assert_eq!(message("a.csv"), r#"DIR/a.csv has no column "url", only "id", "link""#);
        assert!(message("utf16").starts_with("DIR/utf16 cannot be read: it is written in UTF-16: "));
    }

    #[tokio::test]
    async fn a_pipe_is_not_opened_by_the_check_and_read_line_by_line() {
        let folder = folder(&[]);
        let path = folder.path().join("pipe");
        make_pipe(&path);
        let mut seeds = open_one(&path, Options::default()).unwrap();
        let mut pipe =
            tokio::task::spawn_blocking(move || File::options().write(true).open(path)).await.unwrap().unwrap();
        for line in 1..4 {
            pipe.write_all(b"a.test\n").unwrap();
            assert_eq!(next(&mut seeds).await.unwrap().unwrap().target.at.line, line);
        }
        drop(pipe);
        assert!(next(&mut seeds).await.is_none());
        assert!(seeds.breakages().take().is_empty());
    }

    #[tokio::test]
    async fn a_source_that_breaks_off_does_not_stop_the_next_one() {
        let folder = folder(&[("a.csv", "url\na.test\n"), ("b.csv", "url\nb.test")]);
        let [one, pipe, two] = ["a.csv", "pipe", "b.csv"].map(|name| folder.path().join(name));
        make_pipe(&pipe);
        let sources = [&one, &pipe, &two].map(|path| Source::File(path.clone()));
        let seeds = open(sources.into(), with_column("url")).unwrap();
        let breakages = seeds.breakages();
        tokio::task::spawn_blocking(move || fs::write(pipe, "id\n1\n")).await.unwrap().unwrap();
        assert_eq!(all(seeds).await, ["a.csv:2 https://a.test/ ", "b.csv:2 https://b.test/ "]);
        let errors = breakages.take();
        assert!(matches!(&errors[..], [Error::NoColumn { columns, .. }] if columns == &["id"]), "{errors:?}");
    }

    #[tokio::test]
    async fn the_reading_stops_when_nobody_listens() {
        let folder = folder(&[("list", &"a.test\n".repeat(10 * LOOK_AHEAD))]);
        let mut seeds = open_one(&folder.path().join("list"), Options::default()).unwrap();
        assert!(next(&mut seeds).await.is_some());
        let thread = seeds.thread.take().unwrap();
        drop(seeds);
        let ended = tokio::task::spawn_blocking(|| thread.join());
        assert!(timeout(Duration::from_secs(10), ended).await.unwrap().unwrap().is_ok());
    }

    #[tokio::test]
    async fn a_list_is_not_read_further_ahead_than_promised() {
        let folder = folder(&[]);
        let path = folder.path().join("pipe");
        make_pipe(&path);
        let seeds = open_one(&path, Options::default()).unwrap();
        let lines = 40 * LOOK_AHEAD;
        let writer = tokio::task::spawn_blocking(move || fs::write(path, "https://a.test/\n".repeat(lines)));
        let mut seeds = seeds.peekable();
        assert!(Pin::new(&mut seeds).peek().await.is_some());
        assert!(!writer.is_finished(), "the pipe and the look-ahead are smaller than the list");
        assert_eq!(seeds.count().await, lines);
        writer.await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn a_list_that_grows_while_it_is_read_is_read_to_its_new_end() {
        let folder = folder(&[("list", &"a.test\n".repeat(40 * LOOK_AHEAD))]);
        let path = folder.path().join("list");
        let mut seeds = open_one(&path, Options::default()).unwrap();
        assert!(next(&mut seeds).await.is_some(), "the reading has begun, and waits for us");
        File::options().append(true).open(path).unwrap().write_all(b"b.test\n").unwrap();
        assert_eq!(seeds.count().await, 40 * LOOK_AHEAD);
    }

    #[tokio::test]
    #[should_panic(expected = "boom")]
    async fn a_panic_of_the_reading_thread_does_not_pass_for_the_end() {
        let (sender, entries) = mpsc::channel(1);
        let thread = thread::spawn(move || {
            let _sender = sender;
            panic!("boom");
        });
        let mut seeds = Seeds { entries, taken: Vec::new(), breakages: Breakages::default(), thread: Some(thread) };
        next(&mut seeds).await;
    }

    #[test]
    fn the_stream_may_be_moved_between_threads() {
        fn check<T: Stream + Send + Unpin + 'static>() {}
        check::<Seeds>();
    }
}
