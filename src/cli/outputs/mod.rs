//! Where records go: standard output and files. All are opened before the first fetch, and none is touched before all
//! are known to be fine.
//!
//! A standard output that was closed (`>&-`) is `/dev/null` by the time that we see it: Rust's runtime opens that in its
//! place. Since many a parent hands us the same on purpose, it is no error.

mod doubles;
mod graph;
mod marks;
mod names;
mod pages;
mod reader;
mod report;
mod resumption;
mod stream;
mod target;

use std::fs::{self, File, Metadata};
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use anyhow::anyhow;
use indicatif::ProgressBar;

use self::doubles::{identity, refuse_doubles};
use self::graph::Plot;
use self::names::{format_of, format_of_stdout, is_archive};
pub(super) use self::names::{is_report, is_stdout, want_exchanges, want_raw_bodies};
pub(super) use self::pages::make_folder;
use self::pages::{Shelf, Store};
use self::reader::WhileRead;
use self::report::Account;
use self::target::{STDOUT, Target, open_file, standard_output};
use super::args;
use super::config::Environment;
use super::exit::Stop;
use super::terminal::Terminal;
use crate::engine::Sink;
use crate::extract::Extractor;
use crate::seeds::Source;
use crate::sink::database::{self, Database, is_database};
use crate::sink::{Duplicates, Failures, Format, Gathered, Lines, MANIFEST, Options, Ordered, Wanted, index_path};

/// What a table takes where there is no terminal to fill.
const WIDTH: usize = 100;

/// What a run writes to.
pub(super) struct Outputs {
    /// For the records.
    pub(super) sinks: Vec<Box<dyn Sink>>,
    /// For what failed, whatever becomes of its record.
    pub(super) failures: Option<Box<dyn Sink>>,
    /// For the totals.
    pub(super) summary: Option<File>,
}

/// What the options name, open and found to be fine, but not touched yet.
pub(super) struct Opened {
    files: Vec<(Target, Format)>,
    stdout: Option<(Target, Format)>,
    archives: Vec<Shelf>,
    databases: Vec<(PathBuf, database::Opened)>,
    folder: Option<Store>,
    /// Tables that are made of the files of lines of these names, which are among `files`.
    tables: Vec<(PathBuf, PathBuf)>,
    reports: Vec<Account>,
    graph: Option<Plot>,
    summary: Option<Target>,
    failures: Option<Target>,
    /// Those for records that were not there before.
    made: Vec<PathBuf>,
    /// Those that nobody else has, from when they were locked.
    locked: Vec<PathBuf>,
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
    let made = missing(args);
    let shown = to_stdout.then(|| format_of_stdout(args.format)).transpose()?;
    let files = files.map(|(path, format)| Ok((open_file(path)?, format))).collect::<Result<Vec<_>, Stop>>()?;
    let archives = archives.into_iter().map(|path| Shelf::open(path)).collect::<Result<Vec<_>, _>>()?;
    let databases = databases.into_iter().map(|path| open_database(path, options));
    let databases = databases.collect::<Result<Vec<_>, Stop>>()?;
    let folder = args.save.as_deref().map(Store::open).transpose()?;
    let graph = graph.map(Plot::open).transpose()?;
    let summary = args.summary.as_deref().map(open_file).transpose()?;
    let failures = failures.map(open_file).transpose()?;
    let reports = reports.into_iter().map(|path| Account::open(path)).collect::<Result<Vec<_>, _>>()?;
    let stdout = shown.map(|format| Ok((standard_output()?, format))).transpose()?;
    let kept = archives.iter().flat_map(|shelf| [&shelf.archive, &shelf.index]);
    let kept = kept.chain(folder.iter().map(|store| &store.manifest));
    let kept = kept.chain(graph.iter().map(|plot| &plot.target));
    let all = files.iter().chain(&stdout).map(|(file, _)| file).chain(kept).chain(&summary).chain(&failures);
    let all = all.map(|target| (&*target.path, target.metadata.clone()));
    let databases_too = databases.iter().map(|(path, metadata, _)| (&**path, metadata.clone()));
    let drafts = reports.iter().map(|report| &report.draft);
    refuse_doubles(all.chain(databases_too), drafts, sources)?;
    let databases = databases.into_iter().map(|(path, _, database)| (path, database)).collect();
    let (tables, locked) = (Vec::new(), Vec::new());
    Ok(Opened { files, stdout, archives, databases, folder, tables, reports, graph, summary, failures, made, locked })
}

impl Opened {
    /// Whether one of the outputs is the file of this name.
    pub(super) fn have(&self, path: &Path) -> bool {
        let targets = self.files.iter().map(|(target, _)| target).chain(&self.summary).chain(&self.failures);
        let targets = targets.chain(self.kept()).chain(self.told()).map(|target| identity(&target.metadata));
        let databases = self.databases.iter().filter_map(|(path, _)| fs::metadata(path).ok());
        let asked = fs::metadata(path).ok().filter(Metadata::is_file).map(|metadata| identity(&metadata));
        asked.is_some_and(|asked| targets.chain(databases.map(|it| identity(&it))).any(|written| written == asked))
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
        let Self { files, stdout, archives, databases, folder, tables, reports, graph, summary, failures, .. } = self;
        let mut sinks = Vec::new();
        for (target, format) in files {
            sinks.push(if target.is_continued {
                format.sink_behind(target.lines()?, options)
            } else {
                format.sink(target.emptied()?.lines()?, options)
            });
        }
        for (journal, path) in tables {
            sinks.push(Box::new(Gathered::new(&journal, &path, options)));
        }
        for shelf in archives {
            sinks.push(Box::new(shelf.start()?));
        }
        for (_, database) in databases {
            sinks.push(options.wanted.of(Box::new(database.start(options).map_err(Stop::broken)?)));
        }
        if let Some(store) = folder {
            sinks.push(Box::new(store.start()?));
        }
        for report in reports {
            sinks.push(Box::new(report.start(options)?));
        }
        if let Some(plot) = graph {
            sinks.push(plot.start()?);
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

/// The files for records, and the folders of these, that are not there yet. A link that leads nowhere is there.
fn missing(args: &args::Output) -> Vec<PathBuf> {
    let archives = args.output.iter().filter(|path| is_archive(path));
    let beside = archives.map(|path| index_path(path)).chain(args.graph.clone());
    let beside = beside.chain(args.save.iter().flat_map(|folder| [folder.join(MANIFEST), folder.clone()]));
    let all = args.output.iter().filter(|path| !is_stdout(path)).cloned().chain(beside);
    all.filter(|path| is_missing(path)).collect()
}

fn is_missing(path: &Path) -> bool {
    fs::symlink_metadata(path).is_err()
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
    Options { fields, schemas, width: width(), wanted: Wanted::default(), color, terminal, csv_safe: args.csv_safe }
}

/// The columns of standard output.
pub(super) fn width() -> usize {
    let size = io::stdout().is_terminal().then(terminal_size::terminal_size).flatten();
    size.map_or(WIDTH, |(width, _)| width.0.into())
}

/// How many files the outputs may have open, with those of a state: it has a second handle on each output.
pub(super) fn files(args: &args::Output, has_state: bool) -> usize {
    /// A database, and what SQLite has beside it: its log, and the index of that.
    const OF_A_DATABASE: usize = 3;
    let databases = args.output.iter().filter(|path| is_database(path)).count() + usize::from(has_state);
    // A graph has a file beside its own.
    let graph = usize::from(args.graph.is_some());
    (args.output.len() + graph) * (1 + usize::from(has_state)) + databases * OF_A_DATABASE + graph
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
