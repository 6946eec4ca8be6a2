//! Outputs that are gone on with, by what stands in them or by what a state says of them.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use anyhow::{Context, anyhow};
use url::Url;

use super::Opened;
use super::pages::{Shelf, Store};
use super::target::Target;
use crate::canonical::fingerprint;
use crate::cli::exit::Stop;
use crate::sink::journal::{self, Contents, Journal, Rules, replace, sift};
use crate::sink::report::{self, Survey};
use crate::sink::{Compression, Earlier, GatheredGraph, Saved};
use crate::store::Resumed;

/// What of a file is copied where only some of it stands.
enum Part<'a> {
    Lines(Contents<'a>),
    /// What is gathered for a graph.
    Steps,
}

impl Opened {
    /// Goes on with the file that an earlier run wrote: only what stands by these rules stays in it. `finish` gets the URL of
    /// each record that does, and tells whether that is news.
    pub(in crate::cli) fn resume(&mut self, rules: Rules<'_>, finish: impl FnMut(&Url) -> bool) -> Result<(), Stop> {
        let has_others = self.stdout.is_some() || !self.databases.is_empty() || !self.reports.is_empty();
        let has_others = has_others || self.has_kept() || self.graph.is_some();
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

    /// Goes on with the [plain files](Self::plain_files), which are all that there are but standard output and databases,
    /// behind what stands of them.
    pub(in crate::cli) fn cut(&mut self, resumed: &[Resumed]) -> Result<(), Stop> {
        self.check_lengths(resumed)?;
        for (target, &Resumed { position, .. }) in self.targets().zip(resumed) {
            let cut = target.file.set_len(position).and_then(|()| target.file.seek(SeekFrom::Start(position)));
            cut.with_context(|| format!("cannot write {}", target.path.display())).map_err(Stop::broken)?;
            target.is_continued = position > 0;
        }
        Ok(())
    }

    /// No database has been taken away in which there are pages that are done.
    pub(in crate::cli) fn check_databases(&self) -> Result<(), Stop> {
        match self.databases.iter().find(|(_, database)| database.is_new()) {
            Some((path, _)) => Err(begin_anew(&format!("cannot resume {}: it is empty", path.display()))),
            None => Ok(()),
        }
    }

    /// Copies what has not failed of the files of lines and of what is gathered for a graph, up to where they stand, to files
    /// beside them: the lengths of all, as far as they are copied.
    pub(in crate::cli) fn sift(&mut self, resumed: &[Resumed], fields: &[Box<str>]) -> Result<Vec<Option<u64>>, Stop> {
        self.check_lengths(resumed)?;
        let lines = self.files.iter().map(|(_, format)| Some(Part::Lines(Contents::Records(*format, fields))));
        // What is kept of pages is gone through by itself.
        let pages = self.archives.iter().map(|_| None).chain(self.folder.iter().map(|_| None));
        let steps = self.graph.iter().map(|_| Some(Part::Steps));
        let told = self.told().map(|_| Some(Part::Lines(Contents::Report)));
        let parts = lines.chain(pages).chain(steps).chain(told);
        let sift = |(part, Resumed { path, position, .. }): (Option<_>, &Resumed)| match part {
            None => Ok(None),
            Some(Part::Lines(contents)) => {
                sift(path, contents, *position).map(Some).map_err(|error| refuse_to_resume(error, path))
            }
            Some(Part::Steps) => {
                GatheredGraph::sift(path, *position).map(Some).map_err(|error| refuse_kept(error, path))
            }
        };
        parts.zip(resumed).map(sift).collect()
    }

    /// Reads what reports have taken of the run.
    pub(in crate::cli) fn recount(&mut self, resumed: &[Resumed]) -> Result<(), Stop> {
        self.check_lengths(resumed)?;
        let before = self.files.len() + self.kept().count();
        let told = self.reports.iter_mut().zip(resumed.iter().skip(before));
        for (report, Resumed { path, position, .. }) in told.filter(|(_, resumed)| resumed.position > 0) {
            let mut survey = Survey::default();
            let lines = File::open(path).map(|file| BufReader::new(file.take(*position)));
            let read = lines.map_err(report::Error::from).and_then(|lines| survey.read(lines, Compression::of(path).0));
            read.map_err(|error| begin_anew(&format!("cannot resume {}: {error}", path.display())))?;
            report.earlier = Some(survey);
        }
        Ok(())
    }

    /// Reads what stands of the archives and of the folder. Where something in there is of a URL that is not among those whose
    /// fingerprints are `done`, and could be taken for the last word on it, that is copied without: the lengths of all, as far
    /// as they are copied. They are to be read once more then.
    pub(in crate::cli) fn recall(
        &mut self,
        resumed: &[Resumed],
        done: &HashSet<u64>,
    ) -> Result<Vec<Option<u64>>, Stop> {
        self.check_lengths(resumed)?;
        let is_done = |url: &Url| done.contains(&fingerprint(url));
        let mut lengths = vec![None; self.files.len()];
        let kept = resumed.get(self.files.len()..).unwrap_or_default();
        for (Shelf { earlier, .. }, Resumed { path, position, .. }) in self.archives.iter_mut().zip(kept) {
            let read = Earlier::read(path, *position, is_done).map_err(|error| refuse_kept(error, path))?;
            lengths.push(copied(read.has_undone(), || read.sift(path), path)?);
            *earlier = (*position > 0).then_some(read);
        }
        let kept = kept.get(self.archives.len()..).unwrap_or_default();
        for (Store { folder, earlier, .. }, Resumed { path, position, .. }) in self.folder.iter_mut().zip(kept) {
            let read = Saved::read(path, *position, is_done).map_err(|error| refuse_kept(error, path))?;
            // As long as the manifest tells of them.
            read.clear(folder).map_err(|error| refuse_to_resume(error.into(), path))?;
            lengths.push(copied(read.has_undone(), || read.sift(path), path)?);
            *earlier = Some(read);
        }
        Ok(lengths)
    }

    /// Has these copies take the files' places.
    pub(in crate::cli) fn replace(&mut self, resumed: &[Resumed]) -> Result<(), Stop> {
        let sifted = self.targets().zip(resumed).filter(|(_, resumed)| resumed.is_sifted);
        for (target, Resumed { path, position, .. }) in sifted {
            let file = replace(path, *position).map_err(|error| refuse_to_resume(error.into(), path))?;
            file.map_or(Ok(()), |file| target.reopen(file))?;
        }
        Ok(())
    }

    /// No file is shorter than what stands of it.
    fn check_lengths(&mut self, resumed: &[Resumed]) -> Result<(), Stop> {
        self.targets().zip(resumed).try_for_each(|(target, Resumed { position, .. })| {
            let name = target.path.display();
            let have = target.file.metadata().map_err(|error| refuse_to_resume(error.into(), &target.path))?.len();
            if have >= *position {
                return Ok(());
            }
            Err(begin_anew(&format!("cannot resume {name}: it had {position} bytes of records, and has {have}")))
        })
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
        Foreign(_) => "ask for the same fields as before, name another file, or move this one away",
        Io(_) => return Stop::broken(anyhow::Error::new(error).context(format!("cannot resume {}", path.display()))),
    };
    let stop = if matches!(error, Busy) { Stop::busy } else { Stop::usage };
    stop(anyhow::Error::new(error).context(format!("cannot resume {}", path.display()))).with_hint(Some(hint.into()))
}

/// The length of a copy, if one is to be made.
fn copied(is_needed: bool, copy: impl FnOnce() -> io::Result<u64>, path: &Path) -> Result<Option<u64>, Stop> {
    is_needed.then(copy).transpose().map_err(|error| refuse_to_resume(error.into(), path))
}

fn refuse_kept(error: io::Error, path: &Path) -> Stop {
    if matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::Other | io::ErrorKind::UnexpectedEof) {
        return begin_anew(&format!("cannot resume {}: {error}", path.display()));
    }
    refuse_to_resume(error.into(), path)
}

fn begin_anew(words: &str) -> Stop {
    Stop::usage(anyhow!("{words}")).with_hint(Some("leave --resume out to begin anew".into()))
}
