//! `scrape report FILE...`: a page of HTML on an earlier run, made of its records or of its state.

use std::fs::{self, File};
use std::io::{self, BufReader, IsTerminal, Read};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use anyhow::{Context, anyhow};

use crate::cli::args::Report;
use crate::cli::draft::Draft;
use crate::cli::exit::{Status, Stop};
use crate::cli::outputs::{is_report, is_stdout};
use crate::cli::state;
use crate::sink::report::{Error, Survey};
use crate::sink::{Compression, Foreign, neutralise};
use crate::state::MAGIC;
use crate::store::History;

pub(in crate::cli) fn run(args: &Report) -> Result<Status, Stop> {
    let output = args.output.as_deref().filter(|path| !is_stdout(path)).map(|path| open(path, args)).transpose()?;
    if output.is_none() && io::stdout().is_terminal() {
        let hint = "write it to a file: -o report.html";
        return Err(Stop::usage(anyhow!("a report is nothing that a terminal can show")).with_hint(Some(hint.into())));
    }
    let mut survey = Survey::default();
    for path in &args.records {
        count(path, &mut survey)?;
    }
    let page = survey.to_html().map_err(Stop::broken)?;
    match output {
        Some(draft) => draft.complete(page.as_bytes()).map(|()| Status::Success).map_err(Stop::broken),
        None => super::print(page.as_bytes()),
    }
}

/// Opens the file of a report, which may be none of the records.
fn open(path: &Path, args: &Report) -> Result<Draft, Stop> {
    let name = path.display();
    if !is_report(path) {
        let error = anyhow!("{name}: a report is a page of HTML");
        return Err(Stop::usage(error).with_hint(Some("end its name in .html".into())));
    }
    let identity = |path: &Path| fs::metadata(path).map(|file| (file.dev(), file.ino())).ok();
    let read: Vec<_> = args.records.iter().filter_map(|path| identity(path)).collect();
    if identity(path).is_some_and(|written| read.contains(&written)) {
        return Err(Stop::usage(anyhow!("{name} is a source, too")));
    }
    Draft::open(path).with_context(|| format!("cannot write {name}")).map_err(Stop::broken)
}

/// Whether a file is a database, as states are.
fn is_database(path: &Path) -> bool {
    let mut start = [0; MAGIC.len()];
    let is_file = fs::metadata(path).is_ok_and(|metadata| metadata.is_file());
    is_file && File::open(path).and_then(|mut file| file.read_exact(&mut start)).is_ok() && start == *MAGIC
}

/// Counts the records of one file, or what a state tells.
fn count(path: &Path, survey: &mut Survey) -> Result<(), Stop> {
    if is_database(path) {
        let history = History::open(path).and_then(|history| history.survey(survey));
        return history.map_err(|error| state::refuse(error, path));
    }
    let (name, compression) = (path.display().to_string(), Compression::of(path).0);
    let counted = if is_stdout(path) {
        survey.read(io::stdin().lock(), Compression::None)
    } else {
        File::open(path).map_err(Error::from).and_then(|file| survey.read(BufReader::new(file), compression))
    };
    counted.map_err(|error| match error {
        Error::Foreign(Foreign { line, reason }) => {
            let hint = "scrape report reads the records of a run: scrape urls.txt -o FILE.jsonl";
            Stop::broken(anyhow!("{name}:{line}: {}", neutralise(&reason))).with_hint(Some(hint.into()))
        }
        Error::Io(error) => Stop::broken(anyhow!(error).context(format!("cannot read {name}"))),
    })
}
