//! Files that lose their failures, with a state that remembers how far that has come.

use std::fs::File;

use anyhow::anyhow;

use super::{Opened, refuse_to_resume};
use crate::cli::exit::Stop;
use crate::sink::journal::{replace, sift};
use crate::store::Resumed;

impl Opened {
    /// Copies what has not failed of the [plain files](Self::plain_files), up to where they stand, to files beside them: their
    /// lengths.
    pub(in crate::cli) fn sift(&self, resumed: &[Resumed], fields: &[Box<str>]) -> Result<Vec<u64>, Stop> {
        self.check_lengths(resumed)?;
        let sift = |((_, format), Resumed { path, position, .. }): (&(_, _), &Resumed)| {
            sift(path, *format, fields, *position).map_err(|error| refuse_to_resume(error, path))
        };
        self.files.iter().zip(resumed).map(sift).collect()
    }

    /// Has these copies take the files' places.
    pub(in crate::cli) fn replace(&mut self, resumed: &[Resumed]) -> Result<(), Stop> {
        let sifted = self.files.iter_mut().zip(resumed).filter(|(_, resumed)| resumed.is_sifted);
        for ((target, _), Resumed { path, position, .. }) in sifted {
            let file = replace(path, *position).and_then(|()| File::options().write(true).open(path));
            let opened = file.and_then(|file| Ok((file.metadata()?, file)));
            (target.metadata, target.file) = opened.map_err(|error| refuse_to_resume(error.into(), path))?;
        }
        Ok(())
    }

    /// No file is shorter than what stands of it.
    pub(super) fn check_lengths(&self, resumed: &[Resumed]) -> Result<(), Stop> {
        self.files.iter().zip(resumed).try_for_each(|((target, _), Resumed { position, .. })| {
            let name = target.path.display();
            let have = target.file.metadata().map_err(|error| refuse_to_resume(error.into(), &target.path))?.len();
            if have >= *position {
                return Ok(());
            }
            let error = anyhow!("cannot resume {name}: it had {position} bytes of records, and has {have}");
            Err(Stop::usage(error).with_hint(Some("leave --resume out to begin anew".into())))
        })
    }
}
