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
use url::Url;

use super::args;
use super::config::Environment;
use super::draft::Draft;
use super::exit::Stop;
use super::terminal::Terminal;
use crate::engine::Sink;
use crate::extract::Extractor;
use crate::job::Outcome;
use crate::seeds::Source;
use crate::sink::database::{self, Database, is_database};
use crate::sink::journal::{self, Journal, Rules};
use crate::sink::report::Report;
use crate::sink::{
    Archive, Compression, Duplicates, Failures, Folder, Format, Graph, GraphFormat, Lines, MANIFEST, Options, Ordered,
    archive_compression, index_path,
};

/// What a table takes where there is no terminal to fill.
const WIDTH: usize = 100;

/// The name of standard output in messages.
const STDOUT: &str = "standard output";

/// What a run writes to.
pub(super) struct Outputs {
    /// For the records.
    pub(super) sinks: Vec<Box<dyn Sink>>,
    /// For what failed, whatever becomes of its record.
    pub(super) failures: Option<Box<dyn Sink>>,
    /// For the totals.
    pub(super) summary: Option<File>,
}

/// A file that is open but not emptied yet.
struct Target {
    path: PathBuf,
    file: File,
    metadata: Metadata,
    /// Whether it has records that stay.
    is_continued: bool,
}

impl Target {
    fn emptied(self) -> Result<Self, Stop> {
        let emptied = if self.metadata.is_file() { self.file.set_len(0) } else { Ok(()) };
        emptied.with_context(|| format!("cannot write {}", self.path.display())).map_err(Stop::broken)?;
        Ok(self)
    }

    fn lines(self) -> Result<Lines, Stop> {
        let name = self.path.to_string_lossy();
        let kind = self.metadata.file_type();
        let is_pipe = kind.is_fifo() || kind.is_socket();
        match Compression::of(&self.path).0 {
            Compression::None if is_pipe => Ok(Lines::pipe(&*name, Patient(self.file))),
            Compression::None => Ok(Lines::new(&*name, Whole(self.file))),
            compression => {
                let out: Box<dyn Write + Send> =
                    if is_pipe { Box::new(Patient(self.file)) } else { Box::new(Whole(self.file)) };
                Lines::compressed(&*name, out, compression).context("cannot compress").map_err(Stop::broken)
            }
        }
    }
}

/// What the options name, open and found to be fine, but not touched yet.
pub(super) struct Opened {
    files: Vec<(Target, Format)>,
    stdout: Option<(Target, Format)>,
    /// Archives, each with its index.
    archives: Vec<(Target, Target)>,
    databases: Vec<database::Opened>,
    /// A folder for pages, and its manifest.
    folder: Option<(PathBuf, Target)>,
    reports: Vec<Draft>,
    graph: Option<(Target, GraphFormat)>,
    summary: Option<Target>,
    failures: Option<Target>,
}

/// Opens what the options name.
pub(super) fn open(
    args: &args::Output,
    failures: Option<&Path>,
    sources: &[Source],
    options: &Options,
) -> Result<Opened, Stop> {
    let (archives, others): (Vec<_>, Vec<_>) = args.output.iter().partition(|path| is_archive(path));
    let (databases, others): (Vec<_>, Vec<_>) = others.into_iter().partition(|path| is_database(path));
    let (reports, records): (Vec<_>, Vec<_>) = others.into_iter().partition(|path| is_report(path));
    let formats = records.iter().map(|path| format_of(path, args.format)).collect::<Result<Vec<_>, _>>()?;
    let files = records.into_iter().zip(formats).filter(|(path, _)| !is_stdout(path));
    let to_stdout = args.output.is_empty() || args.output.iter().any(is_stdout);
    let graph = args.graph.as_deref();
    for (option, path) in [("--summary", args.summary.as_deref()), ("--failed-to", failures), ("--graph", graph)] {
        if path.is_some_and(is_stdout) {
            return Err(Stop::usage(anyhow!("{option} goes to a file: standard output is for records")));
        }
    }
    let shown = to_stdout.then(|| format_of_stdout(args.format)).transpose()?;
    let files = files.map(|(path, format)| Ok((open_file(path)?, format))).collect::<Result<Vec<_>, Stop>>()?;
    let archives = archives.into_iter().map(|path| Ok((open_file(path)?, open_file(&index_path(path))?)));
    let archives = archives.collect::<Result<Vec<_>, Stop>>()?;
    let databases = databases.into_iter().map(|path| open_database(path, options));
    let databases = databases.collect::<Result<Vec<_>, Stop>>()?;
    let folder = args.save.as_deref().map(|path| Ok((path.to_owned(), open_file(&make_folder(path)?)?))).transpose()?;
    let graph = graph.map(open_graph).transpose()?;
    let summary = args.summary.as_deref().map(open_file).transpose()?;
    let failures = failures.map(open_file).transpose()?;
    let reports = reports.into_iter().map(|path| open_draft(path)).collect::<Result<Vec<_>, _>>()?;
    let stdout = shown.map(|format| Ok((standard_output()?, format))).transpose()?;
    let kept = archives.iter().flat_map(|(archive, index)| [archive, index]).chain(folder.iter().map(|(_, it)| it));
    let kept = kept.chain(graph.iter().map(|(file, _)| file));
    let all = files.iter().chain(&stdout).map(|(file, _)| file).chain(kept).chain(&summary).chain(&failures);
    let all = all.map(|target| (&*target.path, target.metadata.clone()));
    let databases_too = databases.iter().map(|(path, metadata, _)| (&**path, metadata.clone()));
    refuse_doubles(all.chain(databases_too), &reports, sources)?;
    let databases = databases.into_iter().map(|(.., database)| database).collect();
    Ok(Opened { files, stdout, archives, databases, folder, reports, graph, summary, failures })
}

impl Opened {
    /// Goes on with the file that an earlier run wrote: only what stands by these rules stays in it. `finish` gets the URL of
    /// each record that does, and tells whether that is news.
    pub(super) fn resume(&mut self, rules: Rules<'_>, finish: impl FnMut(&Url) -> bool) -> Result<(), Stop> {
        let has_others = self.stdout.is_some() || self.keeps_pages() || !self.reports.is_empty();
        let [(Target { path, file, metadata, is_continued }, format)] = &mut self.files[..] else {
            return Err(resume_needs_a_file());
        };
        if has_others || !metadata.is_file() {
            return Err(resume_needs_a_file());
        }
        let journal = Journal { path, format: *format, rules };
        let reopened = journal.reopen(finish).map_err(|error| refuse_to_resume(error, path))?;
        *file = reopened.file;
        *is_continued = !reopened.is_empty;
        Ok(())
    }

    /// The files whose records stand one behind the other as they come: of each its name without any links, and another
    /// handle on it.
    pub(super) fn plain_files(&self) -> Result<Vec<(PathBuf, File)>, Stop> {
        let handle = |target: &Target| Ok((fs::canonicalize(&target.path)?, target.file.try_clone()?));
        let plain = self.files.iter().filter(|(target, format)| is_plain(target, *format)).map(|(target, _)| {
            let opened: io::Result<_> = handle(target);
            opened.with_context(|| format!("cannot write {}", target.path.display())).map_err(Stop::broken)
        });
        plain.collect()
    }

    /// Goes on with the [plain files](Self::plain_files), which are all that there are but standard output, behind these
    /// positions.
    pub(super) fn cut(&mut self, positions: &[u64]) -> Result<(), Stop> {
        for ((target, _), &position) in self.files.iter_mut().zip(positions) {
            let name = target.path.display();
            let have =
                target.file.metadata().with_context(|| format!("cannot read {name}")).map_err(Stop::broken)?.len();
            if have < position {
                let error = anyhow!("cannot resume {name}: it had {position} bytes of records, and has {have}");
                let hint = "leave --resume out to begin anew";
                return Err(Stop::usage(error).with_hint(Some(hint.into())));
            }
        }
        for ((target, _), &position) in self.files.iter_mut().zip(positions) {
            let cut = target.file.set_len(position).and_then(|()| target.file.seek(SeekFrom::Start(position)));
            cut.with_context(|| format!("cannot write {}", target.path.display())).map_err(Stop::broken)?;
            target.is_continued = position > 0;
        }
        Ok(())
    }

    /// Whether there is an output that cannot be cut to what is done.
    pub(super) fn has_others(&self) -> bool {
        let is_plain = |(target, format): &(Target, Format)| is_plain(target, *format);
        !self.files.iter().all(is_plain) || self.keeps_pages() || !self.reports.is_empty()
    }

    /// Whether there is an output with what earlier runs put into it, with pages themselves, or with their links.
    fn keeps_pages(&self) -> bool {
        !self.archives.is_empty() || !self.databases.is_empty() || self.folder.is_some() || self.graph.is_some()
    }

    /// Whether one of the outputs is the file of this name.
    pub(super) fn have(&self, path: &Path) -> bool {
        let targets = self.files.iter().map(|(target, _)| target).chain(&self.summary).chain(&self.failures);
        let asked = fs::metadata(path).ok().filter(Metadata::is_file).map(|metadata| identity(&metadata));
        asked.is_some_and(|asked| targets.into_iter().any(|target| identity(&target.metadata) == asked))
    }

    /// Empties the files, and makes the sinks. Whoever reads standard output may go: `on_close` is called then, and unless it
    /// is the only output, the others go on.
    pub(super) fn start(
        self,
        options: &Options,
        is_idempotent: bool,
        bar: &ProgressBar,
        on_close: impl Fn() + Send + 'static,
    ) -> Result<Outputs, Stop> {
        let Self { files, stdout, archives, databases, folder, reports, graph, summary, failures } = self;
        let mut sinks = Vec::new();
        for (target, format) in files {
            sinks.push(if target.is_continued {
                format.sink_behind(target.lines()?, options)
            } else {
                format.sink(target.emptied()?.lines()?, options)
            });
        }
        for (archive, index) in archives {
            let (archive, index) = (archive.emptied()?, index.emptied()?);
            sinks.push(Box::new(Archive::new(&archive.path, Whole(archive.file), index.file)));
        }
        for database in databases {
            sinks.push(Box::new(database.start(options).map_err(Stop::broken)?));
        }
        if let Some((folder, manifest)) = folder {
            sinks.push(Box::new(Folder::new(&folder, Whole(manifest.emptied()?.file))));
        }
        for draft in reports {
            let fields = Arc::clone(&options.fields);
            sinks.push(Box::new(Report::new(fields, move |page| draft.complete(page.as_bytes()))));
        }
        if let Some((target, format)) = graph {
            let graph = Graph::new(target.emptied()?.lines()?, format);
            sinks.push(Box::new(graph.context("there is no temporary file for --graph").map_err(Stop::broken)?));
        }
        if let Some((target, format)) = stdout {
            let lines = if io::stdout().is_terminal() {
                Lines::new(STDOUT, Terminal::start(target.file, bar.clone()))
            } else {
                target.lines()?
            };
            let on_close = sinks.is_empty().then(|| Box::new(on_close) as Box<dyn Fn() + Send>);
            sinks.push(Box::new(WhileRead { sink: Some(format.sink(lines, options)), on_close }));
        }
        let failures = failures.map(|target| {
            let lines = target.emptied()?.lines()?;
            Ok(Box::new(Failures::new(lines, is_idempotent)) as Box<dyn Sink>)
        });
        let failures = failures.transpose()?;
        let summary = summary.map(|target| Ok(target.emptied()?.file)).transpose()?;
        Ok(Outputs { sinks, failures, summary })
    }
}

fn resume_needs_a_file() -> Stop {
    Stop::usage(anyhow!("--resume needs one output, which is a file: it tells what is done already"))
        .with_hint(Some("add -o FILE.jsonl, and name no other -o".into()))
}

fn refuse_to_resume(error: journal::Error, path: &Path) -> Stop {
    use journal::Error::{Busy, Foreign, Format, Io};
    let hint = match &error {
        Busy => "wait for its end",
        Format(_) => "write to a file that ends in .jsonl, .csv or .tsv",
        Foreign { .. } => "ask for the same fields as before, name another file, or move this one away",
        Io(_) => return Stop::broken(anyhow::Error::new(error).context(format!("cannot resume {}", path.display()))),
    };
    let stop = if matches!(error, Busy) { Stop::busy } else { Stop::usage };
    stop(anyhow::Error::new(error).context(format!("cannot resume {}", path.display()))).with_hint(Some(hint.into()))
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
pub(super) fn options(args: &args::Output, extractor: &Extractor, environment: &Environment) -> Options {
    let terminal = io::stdout().is_terminal();
    let color = terminal && environment.wants_color;
    let fields = extractor.names().into();
    let schemas = extractor.describe().map(|field| field.schema.into()).collect();
    Options { fields, schemas, width: width(), broken_only: false, color, terminal, csv_safe: args.csv_safe }
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

/// How many files the outputs may have open, with those of a state: it has a second handle on each output.
pub(super) fn files(args: &args::Output, has_state: bool) -> usize {
    /// A database, and what SQLite has beside it: its log, and the index of that.
    const OF_A_DATABASE: usize = 3;
    let databases = args.output.iter().filter(|path| is_database(path)).count() + usize::from(has_state);
    // A graph has a file beside its own.
    args.output.len() * (1 + usize::from(has_state)) + databases * OF_A_DATABASE + 2 * usize::from(args.graph.is_some())
}

/// Whether somebody wants bodies as they came.
pub(super) fn want_raw_bodies(args: &args::Output) -> bool {
    args.output.iter().any(|path| is_archive(path))
}

/// Whether records are written to it one behind the other, so that it can be cut behind each.
fn is_plain(target: &Target, format: Format) -> bool {
    target.metadata.is_file() && format.is_text() && Compression::of(&target.path).0 == Compression::None
}

fn is_archive(path: &Path) -> bool {
    archive_compression(path).is_some()
}

/// Whether a report is meant.
pub(super) fn is_report(path: &Path) -> bool {
    let is = |extension: &std::ffi::OsStr| ["html", "htm"].iter().any(|known| extension.eq_ignore_ascii_case(known));
    path.extension().is_some_and(is)
}

/// The manifest of a folder, which is made if there is none.
fn make_folder(path: &Path) -> Result<PathBuf, Stop> {
    let made = fs::create_dir_all(path).with_context(|| format!("cannot make the folder {}", path.display()));
    made.map_err(Stop::broken).map(|()| path.join(MANIFEST))
}

pub(super) fn is_stdout(path: impl AsRef<Path>) -> bool {
    path.as_ref().as_os_str() == "-"
}

fn format_of(path: &Path, asked: Option<Format>) -> Result<Format, Stop> {
    let (compression, name) = Compression::of(path);
    match Format::from_extension(name).or(asked) {
        Some(format) if compression != Compression::None && !format.is_text() => {
            let error = anyhow!("{}: {format} is compressed already, and readers expect it as it is", path.display());
            Err(Stop::usage(error).with_hint(Some(format!("name it {}.{format}", name.with_extension("").display()))))
        }
        Some(format) => Ok(format),
        // Its format is found where it is opened.
        None if is_stdout(path) => Ok(Format::Tsv),
        None => {
            let error = anyhow!("{}: its name does not tell the format", path.display());
            Err(Stop::usage(error).with_hint(Some(
                "end it in .jsonl, .csv or .tsv, also with .gz or .zst behind, or in .parquet, .db or .html, or add --format"
                    .into(),
            )))
        }
    }
}

fn format_of_stdout(asked: Option<Format>) -> Result<Format, Stop> {
    let is_terminal = io::stdout().is_terminal();
    let format = asked.unwrap_or(if is_terminal { Format::Table } else { Format::Tsv });
    if is_terminal && !format.is_text() {
        let error = anyhow!("{format} is nothing that a terminal can show");
        let hint = format!("write it to a file (-o pages.{format}) or to a pipe");
        return Err(Stop::usage(error).with_hint(Some(hint)));
    }
    Ok(format)
}

fn open_file(path: &Path) -> Result<Target, Stop> {
    let file = File::options().write(true).create(true).truncate(false).open(path);
    let opened = file.and_then(|file| Ok((file.metadata()?, file)));
    let (metadata, file) = opened.with_context(|| format!("cannot write {}", path.display())).map_err(Stop::broken)?;
    Ok(Target { path: path.to_owned(), file, metadata, is_continued: false })
}

fn open_graph(path: &Path) -> Result<(Target, GraphFormat), Stop> {
    let format = GraphFormat::from_extension(Compression::of(path).1).ok_or_else(|| {
        let error = anyhow!("--graph {}: its name does not tell the format", path.display());
        Stop::usage(error).with_hint(Some("end it in .dot, .graphml or .jsonl, also with .gz or .zst behind".into()))
    })?;
    Ok((open_file(path)?, format))
}

fn open_draft(path: &Path) -> Result<Draft, Stop> {
    Draft::open(path).with_context(|| format!("cannot write {}", path.display())).map_err(Stop::broken)
}

/// Opens a database, of which there is a file then.
fn open_database(path: &Path, options: &Options) -> Result<(PathBuf, Metadata, database::Opened), Stop> {
    // It is closed before SQLite opens it, whose locks would go with it (POSIX, `fcntl`).
    let Target { path, metadata, .. } = open_file(path)?;
    if !metadata.is_file() {
        return Err(Stop::usage(anyhow!("{}: a database can only be a file", path.display())));
    }
    let opened = Database::open(&path, options).map_err(|error| {
        let stop = if matches!(error, database::Error::SameName(..)) { Stop::usage } else { Stop::broken };
        stop(anyhow::Error::new(error).context(format!("cannot write {}", path.display())))
            .with_hint(Some("name another file, or move this one away".into()))
    })?;
    Ok((path, metadata, opened))
}

fn standard_output() -> Result<Target, Stop> {
    let file = io::stdout().as_fd().try_clone_to_owned().map(File::from);
    let opened = file.and_then(|file| Ok((file.metadata()?, file)));
    let (metadata, file) = opened.context("cannot write standard output").map_err(Stop::broken)?;
    Ok(Target { path: STDOUT.into(), file, metadata, is_continued: false })
}

/// No output is a source, and no two are one.
fn refuse_doubles<'a>(
    outputs: impl Iterator<Item = (&'a Path, Metadata)>,
    drafts: &'a [Draft],
    sources: &[Source],
) -> Result<(), Stop> {
    let twice = |path: &Path| Err(Stop::usage(anyhow!("{} is named twice as an output", path.display())));
    let read = sources.iter().filter_map(identity_of_source).collect::<Vec<_>>();
    let mut written = Vec::new();
    let replaced = drafts.iter().filter_map(|draft| Some((draft.name(), draft.metadata()?)));
    for (path, metadata) in outputs.chain(replaced).filter(|(_, metadata)| metadata.is_file()) {
        let identity = identity(&metadata);
        if read.contains(&identity) {
            return Err(Stop::usage(anyhow!("{} is a source, too", path.display())));
        }
        if written.contains(&identity) {
            return twice(path);
        }
        written.push(identity);
    }
    // Those that are not there yet.
    let mut paths = drafts.iter().filter_map(|draft| draft.path()).collect::<Vec<_>>();
    paths.sort_unstable();
    paths.windows(2).find(|pair| pair[0] == pair[1]).map_or(Ok(()), |pair| twice(pair[0]))
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
