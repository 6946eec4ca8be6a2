//! Where records go: standard output and files, opened before the first fetch.

use std::fs::{self, File, Metadata};
use std::io::{self, IsTerminal, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, anyhow};
use indicatif::ProgressBar;

use super::args;
use super::config::Environment;
use super::exit::Stop;
use crate::engine::Sink;
use crate::seeds::Source;
use crate::sink::{Format, Lines, Options, Ordered};

/// What a table takes where there is no terminal to fill.
const WIDTH: usize = 100;

/// The sinks that the options name. Their files are created; none of them is one of the sources.
pub(super) fn open(
    args: &args::Output,
    sources: &[Source],
    options: &Options,
    bar: &ProgressBar,
) -> Result<Vec<Box<dyn Sink>>, Stop> {
    let formats = args.output.iter().map(|path| format_of(path, args.format)).collect::<Result<Vec<_>, _>>()?;
    let read = sources.iter().filter_map(identity_of_source).collect::<Vec<_>>();
    for path in args.output.iter().chain(&args.summary).filter(|path| !is_stdout(path)) {
        if fs::metadata(path).is_ok_and(|file| read.contains(&identity(&file))) {
            return Err(Stop::usage(anyhow!("{} is a source: it would be overwritten", path.display())));
        }
    }
    let mut sinks = Vec::new();
    let mut written = Vec::new();
    for (path, format) in args.output.iter().zip(formats) {
        if is_stdout(path) {
            sinks.push(standard_output(args.format, options, bar)?);
            continue;
        }
        let file = create(path)?;
        let metadata = file.metadata().map_err(Stop::broken)?;
        if metadata.is_file() && written.contains(&identity(&metadata)) {
            return Err(Stop::usage(anyhow!("{} is named twice as an output", path.display())));
        }
        written.push(identity(&metadata));
        sinks.push(format.sink(lines(&path.to_string_lossy(), file, &metadata), options));
    }
    if sinks.is_empty() {
        sinks.push(standard_output(args.format, options, bar)?);
    }
    Ok(if args.ordered { vec![Box::new(Ordered::new(sinks))] } else { sinks })
}

/// What every format needs to know, of the terminal too.
pub(super) fn options(fields: Arc<[Box<str>]>, environment: &Environment) -> Options {
    let terminal = io::stdout().is_terminal();
    let width = terminal.then(terminal_size::terminal_size).flatten().map_or(WIDTH, |(width, _)| width.0.into());
    Options { fields, width, color: terminal && environment.wants_color, terminal }
}

fn is_stdout(path: &Path) -> bool {
    path.as_os_str() == "-"
}

fn format_of(path: &Path, asked: Option<Format>) -> Result<Format, Stop> {
    match (Format::from_extension(path), asked) {
        // What ends in .txt may be anything.
        (None | Some(Format::Table), Some(format)) | (Some(format), _) => Ok(format),
        (None, None) if is_stdout(path) => Ok(Format::Table),
        (None, None) => {
            let error = anyhow!("{}: its name does not tell the format", path.display());
            Err(Stop::usage(error).with_hint(Some("end it in .jsonl, .csv, .tsv or .txt, or add --format".into())))
        }
    }
}

fn standard_output(asked: Option<Format>, options: &Options, bar: &ProgressBar) -> Result<Box<dyn Sink>, Stop> {
    let stdout = io::stdout();
    let file = stdout.as_fd().try_clone_to_owned().map(File::from);
    let (file, metadata) = file
        .and_then(|file| file.metadata().map(|metadata| (file, metadata)))
        .context("cannot write standard output")
        .map_err(Stop::broken)?;
    let format = asked.unwrap_or(if stdout.is_terminal() { Format::Table } else { Format::Tsv });
    let lines = if stdout.is_terminal() {
        Lines::new("standard output", AboveBar { file, bar: bar.clone() })
    } else {
        lines("standard output", file, &metadata)
    };
    Ok(format.sink(lines, options))
}

fn create(path: &PathBuf) -> Result<File, Stop> {
    File::create(path).with_context(|| format!("cannot write {}", path.display())).map_err(Stop::broken)
}

fn lines(name: &str, file: File, metadata: &Metadata) -> Lines {
    let kind = metadata.file_type();
    if kind.is_fifo() || kind.is_socket() { Lines::pipe(name, file) } else { Lines::new(name, file) }
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

/// A terminal that has a progress bar in its last line.
struct AboveBar {
    file: File,
    bar: ProgressBar,
}

impl Write for AboveBar {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        if text.is_empty() {
            return Ok(0);
        }
        self.bar.suspend(|| self.file.write_all(text)).map(|()| text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
