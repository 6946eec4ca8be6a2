//! Where records go: standard output and files. All are opened before the first fetch, and none is touched before all
//! are known to be fine.
//!
//! A standard output that was closed (`>&-`) is `/dev/null` by the time that we see it: Rust's runtime opens that in its
//! place. Since many a parent hands us the same on purpose, it is no error.

use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind, IsTerminal, Seek, SeekFrom, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, anyhow};
use indicatif::ProgressBar;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tokio::task::block_in_place;

use super::args;
use super::config::Environment;
use super::exit::Stop;
use super::terminal::Terminal;
use crate::engine::Sink;
use crate::job::Outcome;
use crate::seeds::Source;
use crate::sink::{
    Archive, Compression, Duplicates, Folder, Format, Lines, MANIFEST, Options, Ordered, archive_compression,
    index_path,
};

/// What a table takes where there is no terminal to fill.
const WIDTH: usize = 100;

/// The name of standard output in messages.
const STDOUT: &str = "standard output";

/// What a run writes to.
pub(super) struct Outputs {
    /// For the records.
    pub(super) sinks: Vec<Box<dyn Sink>>,
    /// For the totals.
    pub(super) summary: Option<File>,
}

/// A file that is open but not emptied yet.
struct Opened<'a> {
    path: &'a Path,
    file: File,
    metadata: Metadata,
}

impl Opened<'_> {
    fn empty(&self) -> Result<(), Stop> {
        empty(&self.file, &self.metadata, self.path)
    }
}

/// Opens what the options name. Whoever reads standard output may go: `on_close` is called then, and unless it is the
/// only output, the others go on.
pub(super) fn open(
    args: &args::Output,
    sources: &[Source],
    options: &Options,
    bar: &ProgressBar,
    on_close: impl Fn() + Send + 'static,
) -> Result<Outputs, Stop> {
    let (archives, records): (Vec<_>, Vec<_>) = args.output.iter().partition(|path| is_archive(path));
    let formats = records.iter().map(|path| format_of(path, args.format)).collect::<Result<Vec<_>, _>>()?;
    let files = records.into_iter().zip(formats).filter(|(path, _)| !is_stdout(path));
    let to_stdout = args.output.is_empty() || args.output.iter().any(is_stdout);
    if args.summary.as_deref().is_some_and(is_stdout) {
        return Err(Stop::usage(anyhow!("--summary goes to a file: standard output is for records")));
    }
    let opened = files.map(|(path, format)| Ok((open_file(path)?, format))).collect::<Result<Vec<_>, Stop>>()?;
    let indexes: Vec<_> = archives.iter().map(|path| index_path(path)).collect();
    let archives = archives.into_iter().zip(&indexes).map(|(path, index)| Ok((open_file(path)?, open_file(index)?)));
    let archives = archives.collect::<Result<Vec<_>, Stop>>()?;
    let manifest = args.save.as_deref().map(make_folder).transpose()?;
    let manifest = manifest.as_deref().map(open_file).transpose()?;
    let summary = args.summary.as_deref().map(open_file).transpose()?;
    let stdout = to_stdout.then(standard_output).transpose()?;
    let kept = archives.iter().flat_map(|(archive, index)| [archive, index]).chain(&manifest);
    let all = opened.iter().map(|(file, _)| file).chain(kept).chain(&summary).chain(&stdout);
    refuse_doubles(all, sources)?;

    let mut sinks = Vec::new();
    for (Opened { path, file, metadata }, format) in opened {
        empty(&file, &metadata, path)?;
        let lines = lines(&path.to_string_lossy(), file, &metadata)?;
        sinks.push(format.sink(lines, options));
    }
    for (archive, index) in archives {
        archive.empty()?;
        index.empty()?;
        sinks.push(Box::new(Archive::new(archive.path, Whole(archive.file), index.file)));
    }
    if let (Some(folder), Some(manifest)) = (&args.save, manifest) {
        manifest.empty()?;
        sinks.push(Box::new(Folder::new(folder, Whole(manifest.file))));
    }
    if let Some(Opened { file, metadata, .. }) = stdout {
        let is_terminal = io::stdout().is_terminal();
        let format = args.format.unwrap_or(if is_terminal { Format::Table } else { Format::Tsv });
        let lines = if is_terminal {
            Lines::new(STDOUT, Terminal::start(file, bar.clone()))
        } else {
            lines(STDOUT, file, &metadata)?
        };
        let on_close = sinks.is_empty().then(|| Box::new(on_close) as Box<dyn Fn() + Send>);
        sinks.push(Box::new(WhileRead { sink: Some(format.sink(lines, options)), on_close }));
    }
    if let Some(Opened { path, file, metadata }) = &summary {
        empty(file, metadata, path)?;
    }
    Ok(Outputs { sinks, summary: summary.map(|opened| opened.file) })
}

/// What stands before the sinks: what puts records in order, and then what marks those of duplicates in the field of this
/// number. So, where there is an order, the original is the first of the input.
pub(super) fn arrange(
    mut sinks: Vec<Box<dyn Sink>>,
    is_ordered: bool,
    duplicate_of: Option<usize>,
) -> Vec<Box<dyn Sink>> {
    if let Some(field) = duplicate_of {
        sinks = vec![Box::new(Duplicates::new(sinks, field))];
    }
    if is_ordered {
        sinks = vec![Box::new(Ordered::new(sinks))];
    }
    sinks
}

/// What every format needs to know, of the terminal too.
pub(super) fn options(args: &args::Output, fields: Arc<[Box<str>]>, environment: &Environment) -> Options {
    let terminal = io::stdout().is_terminal();
    let color = terminal && environment.wants_color;
    Options { fields, width: width(), color, terminal, csv_safe: args.csv_safe }
}

/// The columns of standard output.
pub(super) fn width() -> usize {
    let size = io::stdout().is_terminal().then(terminal_size::terminal_size).flatten();
    size.map_or(WIDTH, |(width, _)| width.0.into())
}

/// Whether somebody wants what went over the wire.
pub(super) fn want_exchanges(args: &args::Output) -> bool {
    args.save.is_some() || want_raw_bodies(args)
}

/// Whether somebody wants bodies as they came.
pub(super) fn want_raw_bodies(args: &args::Output) -> bool {
    args.output.iter().any(|path| is_archive(path))
}

fn is_archive(path: &Path) -> bool {
    archive_compression(path).is_some()
}

/// The manifest of a folder, which is made if there is none.
fn make_folder(path: &Path) -> Result<PathBuf, Stop> {
    let made = fs::create_dir_all(path).with_context(|| format!("cannot make the folder {}", path.display()));
    made.map_err(Stop::broken).map(|()| path.join(MANIFEST))
}

fn is_stdout(path: impl AsRef<Path>) -> bool {
    path.as_ref().as_os_str() == "-"
}

fn format_of(path: &Path, asked: Option<Format>) -> Result<Format, Stop> {
    match Format::from_extension(Compression::of(path).1).or(asked) {
        Some(format) => Ok(format),
        // Its format is found where it is opened.
        None if is_stdout(path) => Ok(Format::Tsv),
        None => {
            let error = anyhow!("{}: its name does not tell the format", path.display());
            Err(Stop::usage(error).with_hint(Some(
                "end it in .jsonl, .csv or .tsv, also with .gz or .zst behind, or add --format".into(),
            )))
        }
    }
}

fn open_file(path: &Path) -> Result<Opened<'_>, Stop> {
    let file = File::options().write(true).create(true).truncate(false).open(path);
    let opened = file.and_then(|file| Ok((file.metadata()?, file)));
    let (metadata, file) = opened.with_context(|| format!("cannot write {}", path.display())).map_err(Stop::broken)?;
    Ok(Opened { path, file, metadata })
}

fn standard_output() -> Result<Opened<'static>, Stop> {
    let file = io::stdout().as_fd().try_clone_to_owned().map(File::from);
    let opened = file.and_then(|file| Ok((file.metadata()?, file)));
    let (metadata, file) = opened.context("cannot write standard output").map_err(Stop::broken)?;
    Ok(Opened { path: Path::new(STDOUT), file, metadata })
}

/// No output is a source, and no two are one.
fn refuse_doubles<'a>(outputs: impl Iterator<Item = &'a Opened<'a>>, sources: &[Source]) -> Result<(), Stop> {
    let read = sources.iter().filter_map(identity_of_source).collect::<Vec<_>>();
    let mut written = Vec::new();
    for Opened { path, metadata, .. } in outputs.filter(|output| output.metadata.is_file()) {
        let identity = identity(metadata);
        if read.contains(&identity) {
            return Err(Stop::usage(anyhow!("{} is a source, too", path.display())));
        }
        if written.contains(&identity) {
            return Err(Stop::usage(anyhow!("{} is named twice as an output", path.display())));
        }
        written.push(identity);
    }
    Ok(())
}

fn empty(file: &File, metadata: &Metadata, path: &Path) -> Result<(), Stop> {
    let emptied = if metadata.is_file() { file.set_len(0) } else { Ok(()) };
    emptied.with_context(|| format!("cannot write {}", path.display())).map_err(Stop::broken)
}

fn lines(name: &str, file: File, metadata: &Metadata) -> Result<Lines, Stop> {
    let kind = metadata.file_type();
    let is_pipe = kind.is_fifo() || kind.is_socket();
    match Compression::of(Path::new(name)).0 {
        Compression::None if is_pipe => Ok(Lines::pipe(name, Patient(file))),
        Compression::None => Ok(Lines::new(name, Whole(file))),
        compression => {
            let out: Box<dyn Write + Send> = if is_pipe { Box::new(Patient(file)) } else { Box::new(Whole(file)) };
            Lines::compressed(name, out, compression).context("cannot compress").map_err(Stop::broken)
        }
    }
}

/// What makes a file the same under another name.
fn identity(file: &Metadata) -> (u64, u64) {
    (file.dev(), file.ino())
}

/// The identity of a source that would be lost if it were written to.
fn identity_of_source(source: &Source) -> Option<(u64, u64)> {
    let metadata = match source {
        Source::Url(_) => return None,
        Source::File(path) => fs::metadata(path).ok()?,
        Source::Stdin => File::from(io::stdin().as_fd().try_clone_to_owned().ok()?).metadata().ok()?,
    };
    metadata.is_file().then(|| identity(&metadata))
}

/// A file that keeps all of a write or nothing of it: a disk that gets full leaves no half line behind.
struct Whole(File);

impl Whole {
    /// Takes back what was written last, unless something follows it.
    fn take_back(&mut self, written: u64) -> io::Result<()> {
        let end = self.0.stream_position()?;
        let metadata = self.0.metadata()?;
        if metadata.is_file() && metadata.len() == end {
            let start = end.saturating_sub(written);
            self.0.set_len(start)?;
            self.0.seek(SeekFrom::Start(start))?;
        }
        Ok(())
    }
}

impl Write for Whole {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.0.write(text)
    }

    fn write_all(&mut self, text: &[u8]) -> io::Result<()> {
        let mut rest = text;
        while !rest.is_empty() {
            match self.0.write(rest) {
                Ok(written) if written > 0 => rest = &rest[written..],
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                failed => {
                    let error = failed.err().unwrap_or_else(|| ErrorKind::WriteZero.into());
                    // That it cannot be written is what is wrong, whatever becomes of the rest.
                    let _ = self.take_back((text.len() - rest.len()) as u64);
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A pipe or a socket, which blocks when its reader is slow. Requests go on meanwhile: the thread is given up before.
struct Patient(File);

/// What fits into a pipe that is ready (POSIX: `PIPE_BUF`; this is Linux's).
const CERTAIN: usize = 4096;

impl Patient {
    /// Whether it is ready, waiting for that as long as `timeout` says.
    fn is_ready(&self, timeout: Option<&Timespec>) -> io::Result<bool> {
        Ok(poll(&mut [PollFd::new(&self.0, PollFlags::OUT)], timeout)? > 0)
    }

    /// Writes even where whoever started us has made it non-blocking.
    fn write_patiently(&mut self, text: &[u8]) -> io::Result<usize> {
        loop {
            match self.0.write(text) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.is_ready(None)?;
                }
                written => return written,
            }
        }
    }
}

impl Write for Patient {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        if text.len() <= CERTAIN && self.is_ready(Some(&Timespec::default()))? {
            return self.write_patiently(text);
        }
        block_in_place(|| self.write_patiently(text))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A sink for as long as its reader is there: one that has seen enough is no error.
struct WhileRead {
    sink: Option<Box<dyn Sink>>,
    /// What to do when the reader goes.
    on_close: Option<Box<dyn Fn() + Send>>,
}

impl WhileRead {
    fn unless_closed(&mut self, result: io::Result<()>) -> io::Result<()> {
        match result {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                self.sink = None;
                self.on_close.iter().for_each(|close| close());
                Ok(())
            }
            result => result,
        }
    }
}

impl Sink for WhileRead {
    fn accept(&mut self, outcome: &Outcome) -> io::Result<()> {
        let result = self.sink.as_mut().map_or(Ok(()), |sink| sink.accept(outcome));
        self.unless_closed(result)
    }

    fn idle(&mut self) -> io::Result<()> {
        let result = self.sink.as_mut().map_or(Ok(()), |sink| sink.idle());
        self.unless_closed(result)
    }

    fn finish(mut self: Box<Self>) -> io::Result<()> {
        let result = self.sink.take().map_or(Ok(()), Sink::finish);
        self.unless_closed(result)
    }
}
