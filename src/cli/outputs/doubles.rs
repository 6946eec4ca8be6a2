//! Files that would be written twice, or that are being read.

use std::fs::{self, File, Metadata};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use anyhow::anyhow;

use crate::cli::draft::Draft;
use crate::cli::exit::Stop;
use crate::seeds::Source;

/// No output is a source, and no two are one.
pub(super) fn refuse_doubles<'a>(
    outputs: impl Iterator<Item = (&'a Path, Metadata)>,
    drafts: impl Iterator<Item = &'a Draft> + Clone,
    sources: &[Source],
) -> Result<(), Stop> {
    let twice = |path: &Path| Err(Stop::usage(anyhow!("{} is named twice as an output", path.display())));
    let read = sources.iter().filter_map(identity_of_source).collect::<Vec<_>>();
    let mut written = Vec::new();
    let replaced = drafts.clone().filter_map(|draft| Some((draft.name(), draft.metadata()?)));
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
    let mut paths = drafts.filter_map(|draft| draft.path()).collect::<Vec<_>>();
    paths.sort_unstable();
    paths.windows(2).find(|pair| pair[0] == pair[1]).map_or(Ok(()), |pair| twice(pair[0]))
}

/// What makes a file the same under another name.
pub(super) fn identity(file: &Metadata) -> (u64, u64) {
    (file.dev(), file.ino())
}

/// The identity of a source that would be lost if it were written to.
fn identity_of_source(source: &Source) -> Option<(u64, u64)> {
    let metadata = match source {
        Source::Url(_) | Source::Sitemap(_) => return None,
        Source::File(path) | Source::SitemapFile(path) => fs::metadata(path).ok()?,
        Source::Stdin => File::from(io::stdin().as_fd().try_clone_to_owned().ok()?).metadata().ok()?,
    };
    metadata.is_file().then(|| identity(&metadata))
}
