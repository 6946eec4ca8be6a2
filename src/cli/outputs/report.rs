//! Reports, open and untouched.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;

use super::target::Target;
use crate::cli::draft::Draft;
use crate::cli::exit::Stop;
use crate::sink::Options;
use crate::sink::report::{Report, Survey};

/// A report, and the lines that it is made of where a state has to know how far it has come.
pub(super) struct Account {
    pub(super) draft: Draft,
    pub(super) lines: Option<Target>,
    pub(super) earlier: Option<Survey>,
}

impl Account {
    pub(super) fn open(path: &Path) -> Result<Self, Stop> {
        let draft = Draft::open(path).with_context(|| format!("cannot write {}", path.display()));
        Ok(Self { draft: draft.map_err(Stop::broken)?, lines: None, earlier: None })
    }

    /// Its name, if it is a file.
    pub(super) fn file_name(&self) -> Option<PathBuf> {
        self.draft.path().map(|_| self.draft.name().to_owned())
    }

    pub(super) fn start(self, options: &Options) -> Result<Report, Stop> {
        let Self { draft, lines, earlier } = self;
        let report = Report::new(Arc::clone(&options.fields), move |page| draft.complete(page.as_bytes()));
        match lines {
            Some(lines) => Ok(report.behind(earlier).kept_in(lines.emptied_unless_continued()?.lines()?)),
            None => Ok(report),
        }
    }
}
