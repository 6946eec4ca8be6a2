//! A file of blocks that nobody else can open.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;

/// The room of a block is a multiple of so many bytes, so that blocks of about one size can take each other's.
const GRAIN: u32 = 256;

/// The file. It is made when the first block comes.
#[derive(Debug)]
pub(super) struct Blocks {
    folder: Option<PathBuf>,
    file: Option<File>,
    end: u64,
    /// Where there is room, by its size.
    free: BTreeMap<u32, Vec<u64>>,
}

/// Where a block is.
#[derive(Debug)]
pub(super) struct Place {
    at: u64,
    len: u32,
}

impl Place {
    fn room(&self) -> u32 {
        self.len.next_multiple_of(GRAIN)
    }
}

impl Blocks {
    pub(super) fn new(folder: Option<PathBuf>) -> Self {
        Self { folder, file: None, end: 0, free: BTreeMap::new() }
    }

    /// Writes a block.
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<Place> {
        self.try_write(bytes).map_err(|error| self.explain(&error))
    }

    /// Reads a block, for the last time.
    pub(super) fn take(&mut self, place: Place) -> io::Result<Vec<u8>> {
        let bytes = self.read(&place)?;
        self.forget(place);
        Ok(bytes)
    }

    /// Reads a block.
    pub(super) fn read(&mut self, place: &Place) -> io::Result<Vec<u8>> {
        self.try_read(place).map_err(|error| self.explain(&error))
    }

    /// Makes the room of a block free.
    pub(super) fn forget(&mut self, place: Place) {
        let (room, Place { at, .. }) = (place.room(), place);
        self.free.entry(room).or_default().push(at);
    }

    /// How long the file is.
    #[cfg(test)]
    pub(super) fn len(&self) -> u64 {
        self.end
    }

    fn try_write(&mut self, bytes: &[u8]) -> io::Result<Place> {
        let len = u32::try_from(bytes.len()).map_err(io::Error::other)?;
        let place = Place { at: self.end, len };
        let free = self.free.get_mut(&place.room()).and_then(Vec::pop);
        let at = free.unwrap_or(self.end);
        if self.file.is_none() {
            self.file = Some(match &self.folder {
                Some(folder) => tempfile::tempfile_in(folder)?,
                None => tempfile::tempfile()?,
            });
        }
        let Some(file) = &mut self.file else { return Err(io::Error::other("there is no file")) };
        file.seek(SeekFrom::Start(at))?;
        file.write_all(bytes)?;
        if free.is_none() {
            self.end += u64::from(place.room());
        }
        Ok(Place { at, len })
    }

    fn try_read(&mut self, place: &Place) -> io::Result<Vec<u8>> {
        let Some(file) = &mut self.file else { return Err(io::Error::other("there is no file")) };
        let mut bytes = vec![0; place.len as usize];
        file.seek(SeekFrom::Start(place.at))?;
        file.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    fn explain(&self, error: &io::Error) -> io::Error {
        let folder = self.folder.clone().unwrap_or_else(std::env::temp_dir);
        let words = format!("cannot keep the pages to come in a file in {}: {error}", folder.display());
        io::Error::new(error.kind(), words)
    }
}
