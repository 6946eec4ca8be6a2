//! A file of lines of JSON, which outlive the process.
//!
//! What was decided:
//! - A record is in the outbox before it is in an output, and leaves it when it has been delivered: it is delivered at
//!   least once.
//! - A blank line ends the records of a run. No batch goes beyond it, so that batches are the same ones, by which the
//!   receiver knows them, when they are tried again.
//! - A torn last line is of a run that was killed, and of a record that no output has: it is cut off.
//! - The file is removed when it is empty.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use anyhow::anyhow;
use tempfile::NamedTempFile;

use super::Batch;
use crate::cli::exit::Stop;
use crate::sink::lock;

/// A file of records, locked until it is dropped.
#[derive(Debug)]
pub(in super::super) struct Spool {
    path: PathBuf,
    file: File,
    /// What stands before this place has been delivered.
    start: u64,
}

/// Where the file is: beside the first output that is a file, else in the working directory.
fn beside(outputs: &[PathBuf]) -> PathBuf {
    let file = outputs.iter().find(|output| output.as_os_str() != "-");
    let mut name = file.map_or_else(|| "scrape".into(), |output| output.as_os_str().to_owned());
    name.push(".outbox");
    name.into()
}

impl Spool {
    /// Opens the file of a run with these outputs, which is made if there is none, at the end of what other runs have left in
    /// it.
    pub(in super::super) fn open(outputs: &[PathBuf]) -> Result<Self, Stop> {
        let path = beside(outputs);
        let broken =
            |error: io::Error| Stop::broken(anyhow!(error).context(format!("cannot write {}", path.display())));
        let Some(mut file) = lock(&path).map_err(broken)? else {
            return Err(Stop::busy(anyhow!("another run is delivering {}", path.display())));
        };
        mend(&mut file).map_err(broken)?;
        Ok(Self { path, file, start: 0 })
    }

    pub(in super::super) fn path(&self) -> &Path {
        &self.path
    }

    /// What the records go to.
    pub(in super::super) fn file(&self) -> &File {
        &self.file
    }

    /// The first batch that has not been delivered.
    pub(super) fn next(&mut self) -> io::Result<Option<Batch>> {
        self.file.seek(SeekFrom::Start(self.start))?;
        next(&mut BufReader::new(&self.file), self.start)
    }

    /// What stands before this place has been delivered.
    pub(super) fn skip_to(&mut self, start: u64) {
        self.start = start;
    }

    /// Takes what was delivered out of the file, which is removed if that is all.
    pub(super) fn close(mut self) -> io::Result<()> {
        match (self.next()?, self.start) {
            (None, _) => fs::remove_file(&self.path),
            (Some(_), 0) => Ok(()),
            (Some(_), start) => self.cut(start),
        }
    }

    /// The rest takes the place of the whole, so that at any moment one of both is there.
    fn cut(&mut self, start: u64) -> io::Result<()> {
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut rest = NamedTempFile::new_in(folder)?;
        self.file.seek(SeekFrom::Start(start))?;
        io::copy(&mut self.file, &mut rest)?;
        rest.as_file().sync_all()?;
        rest.persist(&self.path).map(|_| ()).map_err(|error| error.error)
    }
}

/// Cuts off a torn line, goes to the end, and ends the records of an earlier run.
fn mend(file: &mut File) -> io::Result<()> {
    let (mut whole, mut line) = (0, Vec::new());
    let mut lines = BufReader::new(&mut *file);
    while lines.read_until(b'\n', &mut line)? > 0 && line.ends_with(b"\n") {
        whole += line.len() as u64;
        line.clear();
    }
    file.set_len(whole)?;
    file.seek(SeekFrom::End(0))?;
    if whole > 0 { file.write_all(b"\n") } else { Ok(()) }
}

/// The next batch of `lines`, which begin at this place.
fn next(lines: &mut impl BufRead, mut at: u64) -> io::Result<Option<Batch>> {
    let (mut batch, mut line) = (Batch::default(), Vec::new());
    while !batch.is_full() {
        line.clear();
        at += lines.read_until(b'\n', &mut line)? as u64;
        let Some(record) = line.strip_suffix(b"\n") else { break };
        match (record.is_empty(), batch.count) {
            (true, 0) => {}
            (true, _) => break,
            (false, _) => batch.add(record),
        }
    }
    batch.end = at;
    Ok(batch.unless_empty())
}

#[cfg(test)]
mod tests {
    use super::super::BYTES;
    use super::*;

    fn batches(text: &str) -> Vec<(String, u64)> {
        let (mut lines, mut at) = (text.as_bytes(), 0);
        let mut batches = Vec::new();
        while let Some(batch) = next(&mut lines, at).unwrap() {
            at = batch.end;
            batches.push((String::from_utf8(batch.records).unwrap(), batch.end));
        }
        batches
    }

    #[test]
    fn a_batch_ends_where_a_run_does() {
        assert_eq!(batches(""), []);
        assert_eq!(batches("\n\n"), []);
        assert_eq!(batches("1\n2\n\n3\n"), [("1,2".into(), 5), ("3".into(), 7)]);
        assert_eq!(batches("1\n\n\n2\n\n"), [("1".into(), 3), ("2".into(), 7)]);
    }

    #[test]
    fn a_batch_has_so_many_records_and_so_many_bytes() {
        let many = batches(&"1\n".repeat(250));
        assert_eq!(many.iter().map(|(_, end)| *end).collect::<Vec<_>>(), [200, 400, 500]);
        let large = format!("{}\n", "1".repeat(BYTES));
        assert_eq!(batches(&(large.clone() + "2\n" + &large)).len(), 2, "the small one goes with the second large one");
    }

    #[test]
    fn a_torn_line_is_cut_off_and_a_run_is_ended() {
        let mended = |text: &str| {
            let mut file = NamedTempFile::new().unwrap();
            file.write_all(text.as_bytes()).unwrap();
            file.rewind().unwrap();
            mend(file.as_file_mut()).unwrap();
            file.write_all(b"3\n").unwrap();
            fs::read_to_string(file.path()).unwrap()
        };
        assert_eq!([mended(""), mended("{\"a\""), mended("1\n{\"a\"")], ["3\n", "3\n", "1\n\n3\n"]);
    }
}
