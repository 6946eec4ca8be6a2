//! Outputs of which a state remembers how far they have come.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};

use super::target::{Target, open_file};
use super::{Opened, is_missing};
use crate::cli::exit::Stop;
use crate::sink::{Compression, Format, journal, lock};

/// Whether what is written to it stands one behind the other, so that it can be cut behind what is done.
fn is_plain(target: &Target, format: Format) -> bool {
    target.metadata.is_file() && format.is_text()
}

impl Opened {
    /// Has what can only be written as a whole gathered in files beside it: the records of tables in `NAME.jsonl.zst`, the steps
    /// of a graph in `NAME.steps.zst`, and what reports take of the records, which is little and goes out soon, in `NAME.jsonl`.
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

    /// What there is of pages themselves and of their links.
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
    pub(super) fn targets(&mut self) -> impl Iterator<Item = &mut Target> {
        let archives = self.archives.iter_mut().map(|shelf| &mut shelf.archive);
        let kept = archives.chain(self.folder.iter_mut().map(|store| &mut store.manifest));
        let kept = kept.chain(self.graph.iter_mut().map(|plot| &mut plot.target));
        let kept = kept.chain(self.reports.iter_mut().filter_map(|report| report.lines.as_mut()));
        self.files.iter_mut().map(|(target, _)| target).chain(kept)
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
