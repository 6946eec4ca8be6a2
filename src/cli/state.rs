//! `--state`: what is known of pages from run to run.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::anyhow;

use super::args::Run;
use super::exit::Stop;
use super::outputs::Opened;
use crate::canonical::fingerprint;
use crate::extract::{Ask, Extractor};
use crate::frontier::{Frontier, Width};
use crate::sink::Fragments;
use crate::store::{Begin, Error, Mark, Session, Shape};

/// What of the options needs a state, or does not go with one.
pub(super) fn check(args: &Run) -> Result<(), Stop> {
    if args.endurance.state.is_some() && args.input.dedupe_bits != Width::Bits64 {
        return Err(Stop::usage(anyhow!("--dedupe-bits does not go with --state: it knows pages by 64 bits")));
    }
    if args.extraction.changed {
        if args.endurance.state.is_none() {
            let error = anyhow!("--changed needs a state: it tells what was there before");
            return Err(Stop::usage(error).with_hint(Some("add --state FILE.db".into())));
        }
        let excluded = [
            ("--dedupe-text", args.extraction.dedupe_text, "pages that did not change are not read"),
            ("--keep-duplicates", args.input.keep_duplicates, "a page changes once in a run"),
            ("--retry-failed", args.endurance.retry_failed, "what has failed is asked for in the next run"),
        ];
        if let Some((option, _, why)) = excluded.into_iter().find(|&(_, is_given, _)| is_given) {
            return Err(Stop::usage(anyhow!("--changed does not go with {option}: {why}")));
        }
    }
    Ok(())
}

/// Opens the state at `path`. A run that is gone on with has its files cut to what is done, and the frontier skips that; one
/// that is refused leaves no new file behind.
pub(super) fn open(
    path: &Path,
    args: &Run,
    asked: (&Extractor, &[Ask]),
    (opened, frontier): (&mut Opened, &Frontier),
) -> Result<Session, Stop> {
    begin(path, args, asked, (opened, frontier)).inspect_err(|_| opened.discard())
}

fn begin(
    path: &Path,
    args: &Run,
    (extractor, asks): (&Extractor, &[Ask]),
    (opened, frontier): (&mut Opened, &Frontier),
) -> Result<Session, Stop> {
    let endurance = &args.endurance;
    if opened.have(path) {
        return Err(Stop::usage(anyhow!("{} is an output, too", path.display())));
    }
    let name = fs::canonicalize(path).ok();
    if name.is_some() && args.input.sources.iter().any(|source| fs::canonicalize(source).ok() == name) {
        return Err(Stop::usage(anyhow!("{} is a source, too", path.display())));
    }
    opened.gather()?;
    if endurance.resume && opened.has_others() {
        return Err(Stop::usage(anyhow!("--resume does not go with a pipe: what it had is not known any more")));
    }
    opened.lock()?;
    let plain = opened.plain_files()?.into_iter().map(|(path, _)| path);
    let files: Vec<PathBuf> = plain.chain(opened.databases()).collect();
    let filled: Vec<_> = opened.filled().filter(|_| endurance.resume).collect();
    let names: Vec<_> = filled.iter().map(|(name, _)| name.clone()).collect();
    let begin = Begin {
        files: &files,
        filled: &names,
        resume: endurance.resume,
        crawls: frontier.crawls(),
        ends: args.extraction.changed,
        keeps_pages: endurance.keep_bodies,
        checks: args.crawl.check_links,
        compresses: opened.compresses(),
    };
    let refuse = |error| refuse(error, path);
    let session = Session::open(path, Shape::new(extractor, asks), begin);
    let mut session = session.map_err(|error| match &error {
        Error::Unknown(name) => {
            let given = filled.iter().find(|(filled, _)| filled == name).map_or(&**name, |&(_, given)| given);
            refuse_filled(given, path)
        }
        _ => refuse(error),
    })?;
    if session.resumed().is_some() {
        replace(&mut session, opened, refuse)?;
        if endurance.retry_failed && session.has_failures().map_err(refuse)? {
            let lengths = opened.sift(session.resumed().unwrap_or_default(), extractor.names())?;
            session.take_back_failures(&lengths).map_err(refuse)?;
            replace(&mut session, opened, refuse)?;
        }
        let (mut done, mut is_any_done, is_told) = (HashSet::new(), false, opened.has_kept());
        let finish = |url: &_| {
            is_any_done = true;
            done.extend(is_told.then(|| fingerprint(url)));
            _ = frontier.skip(url);
        };
        session.for_each_done(finish).map_err(refuse)?;
        let know = |key| {
            done.extend(is_told.then_some(key));
            frontier.know(key);
        };
        session.for_each_waiting(know, |job| _ = frontier.readmit(job)).map_err(refuse)?;
        if is_any_done {
            opened.check_databases()?;
        }
        recall(&mut session, opened, &done, refuse)?;
        opened.recount(session.resumed().unwrap_or_default())?;
        opened.cut(session.resumed().unwrap_or_default())?;
        // The file of what waits cannot be written.
        frontier.take_error().map_or(Ok(()), Err).map_err(Stop::broken)?;
    } else if args.extraction.changed && session.is_reshaped() {
        tracing::warn!("other fields are asked for than in the run before: every page is new");
    }
    Ok(session)
}

/// Reads what is kept of pages, until there is nothing in it that is to be taken out.
fn recall(
    session: &mut Session,
    opened: &mut Opened,
    done: &HashSet<u64>,
    refuse: impl Fn(Error) -> Stop,
) -> Result<(), Stop> {
    loop {
        let lengths = opened.recall(session.resumed().unwrap_or_default(), done)?;
        if lengths.iter().all(Option::is_none) {
            return Ok(());
        }
        session.sift(&lengths).map_err(&refuse)?;
        replace(session, opened, &refuse)?;
    }
}

/// Replaces the files that are to be, which a run before may have been about to.
fn replace(session: &mut Session, opened: &mut Opened, refuse: impl Fn(Error) -> Stop) -> Result<(), Stop> {
    let resumed = session.resumed().unwrap_or_default();
    if !resumed.iter().any(|file| file.is_sifted) {
        return Ok(());
    }
    opened.replace(resumed)?;
    session.settle().map_err(refuse)
}

/// Has the state remember what pages say to those who check links, and tells these what it remembers of the run that is gone on with.
pub(super) fn remember(mut fragments: Fragments, session: Option<&mut Session>, args: &Run) -> Result<Fragments, Stop> {
    let (Some(session), Some(path)) = (session, &args.endurance.state) else { return Ok(fragments) };
    let recalled = session.recall(|line, is_taken_back| fragments.recall(line, is_taken_back));
    recalled.map_err(|error| refuse(error, path))?;
    Ok(fragments.with_notes(session.notes()))
}

/// What is told of changes, and where.
pub(super) fn mark(args: &Run, extractor: &Extractor) -> Option<Mark> {
    extractor.change().map(|field| Mark { field, error_after: args.endurance.error_after })
}

/// Why an output is not written that has records of a run that the state at `path` does not know.
fn refuse_filled(output: &Path, path: &Path) -> Stop {
    let (output, state) = (output.display(), path.display());
    Stop::usage(anyhow!("{output} has records, and the state {state} knows nothing of them"))
        .with_hint(Some("move it away to begin anew, or leave --resume out".into()))
}

/// Why a state cannot be used, and what to do about it.
pub(super) fn refuse(error: Error, path: &Path) -> Stop {
    let (stop, hint): (fn(anyhow::Error) -> Stop, _) = match &error {
        Error::Busy => (Stop::busy, "wait for its end"),
        Error::Foreign(_) => (Stop::usage, "name another file"),
        Error::Newer(_) => (Stop::usage, "use the version of scrape that wrote it, or name another file"),
        Error::Unknown(_) | Error::Mismatch(_) => {
            (Stop::usage, "ask for the same fields, name the same -o and have it where it was, or leave --resume out")
        }
        Error::Bare => (Stop::usage, "run with --state FILE.db --keep-bodies first"),
        Error::Damaged(_) => (Stop::broken, "move it away: a new one is begun"),
        Error::Io(_) | Error::Sqlite(_) => (Stop::broken, ""),
    };
    let error = anyhow::Error::new(error).context(format!("cannot use {} as the state", path.display()));
    stop(error).with_hint((!hint.is_empty()).then(|| hint.into()))
}
