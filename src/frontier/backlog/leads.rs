//! Where pages lead that have been asked for, as long as that may have to be looked at again: in a file of its own, in which it
//! waits as pages do that have not.

use std::io::{self, ErrorKind};

use super::Options;
use super::blocks::{Blocks, Place};
use super::encoding::{self, Last};
use super::starts::Starts;
use crate::job::{Job, Target, Trail};

/// The file, and what the pages of each seed have in common. Nothing is in either before the first page is noted.
#[derive(Debug)]
pub(in crate::frontier) struct Leads {
    blocks: Blocks,
    starts: Starts,
}

/// Where one page leads.
#[derive(Debug)]
pub(in crate::frontier) struct Noted {
    place: Place,
    start: u32,
}

impl Leads {
    pub(in crate::frontier) fn new(options: &Options) -> Self {
        Self { blocks: Blocks::new(options.folder.clone()), starts: Starts::default() }
    }

    /// How many bytes the lines of the seeds carry along.
    pub(in crate::frontier) fn carried(&self) -> usize {
        self.starts.carried()
    }

    /// Notes where a page of this target leads; none where that is nowhere.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(in crate::frontier) fn note(&mut self, target: &Target, trails: &[Trail]) -> io::Result<Option<Noted>> {
        let Some((first, found)) = trails.first().and_then(|first| Some((first, first.found.as_ref()?))) else {
            return Ok(None);
        };
        let start = self.starts.add(target, found, first.auth.as_ref());
        let (mut bytes, mut last) = (Vec::new(), Last::default());
        for (trail, found) in trails.iter().filter_map(|trail| Some((trail, trail.found.as_ref()?))) {
            encoding::write((target, trail), found, start, &mut last, &mut bytes);
        }
        let place = self.blocks.write(&bytes)?;
        Ok(Some(Noted { place, start }))
    }

    /// What was noted, as jobs.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(in crate::frontier) fn read(&mut self, noted: &Noted) -> io::Result<Vec<Job>> {
        let damaged = || io::Error::new(ErrorKind::InvalidData, "the pages to come were changed");
        let root = self.starts.root(noted.start).ok_or_else(damaged)?;
        let (bytes, mut last, mut jobs) = (self.blocks.read(&noted.place)?, Last::default(), Vec::new());
        let mut rest = &*bytes;
        while !rest.is_empty() {
            let waiting = encoding::read(&mut rest, &mut last).ok_or_else(damaged)?;
            jobs.push(waiting.into_job(root.clone()));
        }
        Ok(jobs)
    }

    /// Forgets what was noted.
    pub(in crate::frontier) fn forget(&mut self, noted: Noted) {
        self.starts.take(noted.start);
        self.blocks.forget(noted.place);
    }

    #[cfg(test)]
    pub(in crate::frontier) fn is_empty(&self) -> bool {
        self.starts.len() == 0
    }
}
