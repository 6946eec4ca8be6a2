//! Outputs of which a state remembers how far they have come.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use url::Url;

use super::target::{Target, open_file};
use super::{Opened, Shelf, Store, is_missing, refuse_to_resume};
use crate::canonical::fingerprint;
use crate::cli::exit::Stop;
use crate::sink::journal::{self, Contents, replace, sift};
use crate::sink::report::{self, Survey};
use crate::sink::{Compression, Earlier, Format, GatheredGraph, Saved, lock};
use crate::store::Resumed;

/// Whether what is written to it stands one behind the other, so that it can be cut behind what is done.
fn is_plain(target: &Target, format: Format) -> bool {
    target.metadata.is_file() && format.is_text()
}

/// What of a file is copied where only some of it stands.
enum Part<'a> {
    Lines(Contents<'a>),
    /// What is gathered for a graph.
    Steps,
}

impl Opened {
    /// Has what can only be written as a whole gathered in files of lines beside it: the records of tables in
    /// `NAME.jsonl.zst`, a graph in `NAME.steps.zst`, and what reports take of the records, which is little and goes out soon,
    /// in `NAME.jsonl`.
    pub(in crate::cli) fn gather(&mut self) -> Result<(), Stop> {
        for place in 0..self.files.len() {
            let (target, format) = &self.files[place];
            if *format != Format::Parquet || !target.metadata.is_file() {
                continue;
            }
            let table = target.path.clone();
            let lines = self.open_beside(&table, ".jsonl.zst", "records")?;
            self.tables.push((lines.path.clone(), table));
            self.files[place] = (lines, Format::Jsonl);
        }
        for place in 0..self.reports.len() {
            let Some(name) = self.reports[place].file_name() else { continue };
            self.reports[place].lines = Some(self.open_beside(&name, ".jsonl", "records")?);
        }
        let graph = self.graph.as_ref().filter(|plot| plot.target.metadata.is_file());
        if let Some(path) = graph.map(|plot| plot.target.path.clone()) {
            let steps = self.open_beside(&path, ".steps.zst", "steps")?;
            self.graph = self.graph.take().map(|plot| plot.gathered_in(steps));
        }
        Ok(())
    }

    /// Opens the file in which what is to be in another one is gathered.
    fn open_beside(&mut self, whole: &Path, extension: &str, what: &str) -> Result<Target, Stop> {
        let mut name = whole.to_owned().into_os_string();
        name.push(extension);
        let name = PathBuf::from(name);
        if self.have(&name) {
            let error = anyhow!("{} is where the {what} of {} are gathered", name.display(), whole.display());
            return Err(Stop::usage(error).with_hint(Some("name another file".into())));
        }
        self.made.extend(is_missing(&name).then(|| name.clone()));
        open_file(&name)
    }

    /// Keeps others that have a state or go on with a file from those that are written here, until they are closed.
    pub(in crate::cli) fn lock(&mut self) -> Result<(), Stop> {
        let mut ours = std::mem::take(&mut self.locked);
        let lock = |target: &mut Target| {
            target.reopen(locked(&target.path)?)?;
            ours.push(target.path.clone());
            Ok(())
        };
        let files = self.targets().filter(|target| target.metadata.is_file()).try_for_each(lock);
        self.locked = ours;
        files?;
        for (path, database) in &mut self.databases {
            database.hold(locked(path)?);
            self.locked.push(path.clone());
        }
        Ok(())
    }

    /// Leaves nothing behind of what was made, but for what somebody else writes to.
    pub(in crate::cli) fn discard(&self) {
        let is_empty = |path: &&PathBuf| fs::symlink_metadata(path).is_ok_and(|it| it.is_file() && it.len() == 0);
        let files: Vec<_> = self.made.iter().filter(is_empty).filter(|path| self.is_ours(path)).collect();
        // What cannot be removed is as good as none.
        for path in files {
            _ = fs::remove_file(path);
        }
        // Of folders, one that is empty can be.
        for path in &self.made {
            _ = fs::remove_dir(path);
        }
    }

    /// Whether nobody else writes to a file that was made.
    fn is_ours(&self, path: &Path) -> bool {
        let indices = self.archives.iter().map(|shelf| (&*shelf.index.path, &*shelf.archive.path));
        let tables = self.tables.iter().map(|(lines, table)| (&**table, &**lines));
        let graph = self.graph.iter().filter_map(|plot| Some((plot.made.as_deref()?, &*plot.target.path)));
        let mut made_of = indices.chain(tables).chain(graph);
        // Of two files, one is locked for both.
        let path = made_of.find(|(made, _)| *made == path).map_or(path, |(_, of)| of);
        self.locked.iter().any(|ours| ours == path) || lock(path).is_ok_and(|file| file.is_some())
    }

    /// The files that can be cut behind what is done: of each its name without any links, and another handle on it.
    pub(in crate::cli) fn plain_files(&self) -> Result<Vec<(PathBuf, File)>, Stop> {
        let handle = |target: &Target| Ok((fs::canonicalize(&target.path)?, target.file.try_clone()?));
        let lines = self.files.iter().filter(|(target, format)| is_plain(target, *format)).map(|(target, _)| target);
        let others = self.kept().chain(self.told()).filter(|target| target.metadata.is_file());
        let plain = lines.chain(others).map(|target| {
            let opened: io::Result<_> = handle(target);
            opened.with_context(|| format!("cannot write {}", target.path.display())).map_err(Stop::broken)
        });
        plain.collect()
    }

    /// The names of databases without any links.
    pub(in crate::cli) fn databases(&self) -> impl Iterator<Item = PathBuf> {
        self.databases.iter().map(|(path, _)| without_links(path))
    }

    /// The outputs that have something in them: of each the name of the file that tells how far it has come, without any links,
    /// and its own.
    pub(in crate::cli) fn filled(&self) -> impl Iterator<Item = (PathBuf, &Path)> {
        let targets = self.files.iter().map(|(target, _)| target).chain(self.kept()).chain(self.told());
        let targets = targets.map(|target| &*target.path);
        let own = targets.chain(self.databases.iter().map(|(path, _)| &**path)).map(|path| (path, path));
        let tables = self.tables.iter().map(|(journal, table)| (&**journal, &**table));
        let graph = self.graph.iter().filter_map(|plot| Some((&*plot.target.path, plot.made.as_deref()?)));
        let reports = self.reports.iter().filter_map(|it| Some((&*it.lines.as_ref()?.path, it.draft.name())));
        let is_filled = |path| fs::metadata(path).is_ok_and(|metadata| metadata.is_file() && metadata.len() > 0);
        let filled = own.chain(tables).chain(graph).chain(reports).filter(move |&(_, path)| is_filled(path));
        filled.map(|(journal, path)| (without_links(journal), path))
    }

    /// Whether there is an output that cannot be gone on with.
    pub(in crate::cli) fn has_others(&self) -> bool {
        let is_plain = |(target, format): &(Target, Format)| is_plain(target, *format);
        let are_plain = self.files.iter().all(is_plain) && self.kept().all(|target| target.metadata.is_file());
        let are_told = self.reports.iter().all(|it| it.lines.as_ref().is_some_and(|lines| lines.metadata.is_file()));
        !are_plain || !are_told
    }

    /// Whether records are compressed that are not merely gathered.
    pub(in crate::cli) fn compresses(&self) -> bool {
        let is_gathered = |path: &Path| self.tables.iter().any(|(lines, _)| lines == path);
        let lines = self.files.iter().filter(|(target, _)| !is_gathered(&target.path));
        lines.map(|(target, _)| &target.path).any(|path| Compression::of(path).0 != Compression::None)
    }

    /// Whether pages are kept, too, and not their records alone.
    pub(in crate::cli) fn has_kept(&self) -> bool {
        !self.archives.is_empty() || self.folder.is_some()
    }

    pub(super) fn kept(&self) -> impl Iterator<Item = &Target> {
        let archives = self.archives.iter().map(|shelf| &shelf.archive);
        let kept = archives.chain(self.folder.iter().map(|store| &store.manifest));
        kept.chain(self.graph.iter().map(|plot| &plot.target))
    }

    /// What reports take of the run.
    pub(super) fn told(&self) -> impl Iterator<Item = &Target> {
        self.reports.iter().filter_map(|report| report.lines.as_ref())
    }

    /// In the order of [`plain_files`](Self::plain_files), which are all that there are where a run is gone on with.
    fn targets(&mut self) -> impl Iterator<Item = &mut Target> {
        let archives = self.archives.iter_mut().map(|shelf| &mut shelf.archive);
        let kept = archives.chain(self.folder.iter_mut().map(|store| &mut store.manifest));
        let kept = kept.chain(self.graph.iter_mut().map(|plot| &mut plot.target));
        let kept = kept.chain(self.reports.iter_mut().filter_map(|report| report.lines.as_mut()));
        self.files.iter_mut().map(|(target, _)| target).chain(kept)
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

fn without_links(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

/// A file that no other run has, which may have been replaced since it was opened first.
fn locked(path: &Path) -> Result<File, Stop> {
    let cannot = || format!("cannot write {}", path.display());
    let file = lock(path).with_context(cannot).map_err(Stop::broken)?;
    file.ok_or_else(|| {
        let busy = anyhow::Error::new(journal::Error::Busy).context(cannot());
        Stop::busy(busy).with_hint(Some("wait for its end".into()))
    })
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
