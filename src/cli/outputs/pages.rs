//! Archives and folders, open and untouched.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;

use super::stream::Whole;
use super::target::{Target, open_file};
use crate::cli::exit::Stop;
use crate::sink::{Archive, Earlier, Folder, MANIFEST, Saved, index_path};

/// An archive, and its index.
pub(super) struct Shelf {
    pub(super) archive: Target,
    pub(super) index: Target,
    pub(super) earlier: Option<Earlier>,
}

impl Shelf {
    pub(super) fn open(path: &Path) -> Result<Self, Stop> {
        Ok(Self { archive: open_file(path)?, index: open_file(&index_path(path))?, earlier: None })
    }

    pub(super) fn start(self) -> Result<Archive, Stop> {
        let (archive, index) = (self.archive.emptied_unless_continued()?, self.index.emptied()?);
        Ok(Archive::new(&archive.path, Whole(archive.file), index.file).behind(self.earlier))
    }
}

/// A folder for pages, and its manifest.
pub(super) struct Store {
    pub(super) folder: PathBuf,
    pub(super) manifest: Target,
    pub(super) earlier: Option<Saved>,
}

impl Store {
    pub(super) fn open(path: &Path) -> Result<Self, Stop> {
        Ok(Self { folder: path.to_owned(), manifest: open_file(&make_folder(path)?)?, earlier: None })
    }

    pub(super) fn start(self) -> Result<Folder, Stop> {
        let manifest = Whole(self.manifest.emptied_unless_continued()?.file);
        Ok(Folder::new(&self.folder, manifest).behind(self.earlier))
    }
}

/// The manifest of a folder, which is made if there is none.
pub(in crate::cli) fn make_folder(path: &Path) -> Result<PathBuf, Stop> {
    let made = fs::create_dir_all(path).with_context(|| format!("cannot make the folder {}", path.display()));
    made.map_err(Stop::broken).map(|()| path.join(MANIFEST))
}
