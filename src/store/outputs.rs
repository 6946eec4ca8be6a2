//! How far the files of a run have come, and which of them are about to be replaced.
//!
//! Where pages that failed are to be tried again, their records leave the middle of the files. What stands is copied beside each
//! file first. Then one transaction says of all that the copies count, and the pages do not; only after that do the copies take
//! the files' places. A run that finds it said, but not done, does it first.
//!
//! What keeps pages is told of them before they are done, and is gone through by whoever goes on with it. If something in the
//! middle of it does not stand, the same is done once more.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, params};

use super::session::name;
use super::{Error, frontier, notes};

/// A file that a run goes on with: what is behind this position is not known to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resumed {
    /// The file.
    pub path: PathBuf,
    /// How many of its bytes stand.
    pub position: u64,
    /// Whether what was copied of it, which has that length, is yet to take its place.
    pub is_sifted: bool,
}

/// How far the files of the last run have come, in the order of `files`, which must be the same.
pub(super) fn resume(connection: &Connection, files: &[PathBuf]) -> Result<Vec<Resumed>, Error> {
    let mut statement = connection.prepare("SELECT path, position, is_sifted FROM outputs")?;
    let known = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, (row.get::<_, i64>(1)?, row.get(2)?))))?;
    let mut known = known.collect::<Result<BTreeMap<_, _>, _>>()?;
    let resumed = files.iter().map(|path| match known.remove(&name(path)) {
        Some((position, is_sifted)) => {
            Ok(Resumed { path: path.clone(), position: position.cast_unsigned(), is_sifted })
        }
        None => Err(Error::Mismatch(missing(path, known.keys()))),
    });
    let resumed = resumed.collect::<Result<Vec<_>, _>>()?;
    match known.keys().next() {
        Some(other) => Err(Error::Mismatch(format!("the run to go on with wrote to {other}, too"))),
        None => Ok(resumed),
    }
}

/// Why a file is not gone on with that is not among those of the last run: it may have been moved.
fn missing<'a>(path: &Path, mut known: impl Iterator<Item = &'a String>) -> String {
    let before = known.find(|known| Path::new(known).file_name() == path.file_name());
    let before = before.map(|before| format!(", but to {before}")).unwrap_or_default();
    format!("the run to go on with did not write to {}{before}", path.display())
}

/// What is in these files is of the last run, whether that is gone on with or not.
pub(super) fn check_known(connection: &Connection, filled: &[PathBuf]) -> Result<(), Error> {
    let mut known = connection.prepare("SELECT EXISTS (SELECT 1 FROM outputs WHERE path = ?)")?;
    for path in filled {
        if !known.query_row([name(path)], |row| row.get(0))? {
            return Err(Error::Unknown(path.clone()));
        }
    }
    Ok(())
}

/// Says of pages that have failed in a run that they are not done, and that files are to be replaced by copies of these
/// lengths, where they have one.
pub(super) fn take_back(
    connection: &Connection,
    run: i64,
    (files, lengths): (&mut [Resumed], &[Option<u64>]),
) -> Result<(), Error> {
    durably(connection, |connection| {
        write_sifted(connection, files, lengths)?;
        // A run fails a page once, however often it tries that.
        let failed = "UPDATE pages SET run = 0, failures = max(failures - 1, 0) WHERE run = ? AND failure IS NOT NULL";
        connection.execute(failed, [run])?;
        connection.execute("UPDATE runs SET is_whole = 0 WHERE id = ?", [run])?;
        frontier::take_back(connection)?;
        notes::take_back(connection)
    })?;
    note_sifted(files, lengths);
    Ok(())
}

/// Says that files are to be replaced by copies of these lengths, where they have one.
pub(super) fn sift(connection: &Connection, files: &mut [Resumed], lengths: &[Option<u64>]) -> Result<(), Error> {
    durably(connection, |connection| write_sifted(connection, files, lengths))?;
    note_sifted(files, lengths);
    Ok(())
}

fn write_sifted(connection: &Connection, files: &[Resumed], lengths: &[Option<u64>]) -> Result<(), Error> {
    let sifted = files.iter().zip(lengths).filter_map(|(file, &length)| Some((file, length?)));
    for (file, length) in sifted {
        let replaced = "UPDATE outputs SET position = ?, is_sifted = 1 WHERE path = ?";
        connection.execute(replaced, params![length.cast_signed(), name(&file.path)])?;
    }
    Ok(())
}

fn note_sifted(files: &mut [Resumed], lengths: &[Option<u64>]) {
    for (file, position) in files.iter_mut().zip(lengths) {
        if let Some(position) = *position {
            (file.position, file.is_sifted) = (position, true);
        }
    }
}

/// Says that all files are replaced.
pub(super) fn settle(connection: &Connection, files: &mut [Resumed]) -> Result<(), Error> {
    durably(connection, |connection| {
        connection.execute("UPDATE outputs SET is_sifted = 0", [])?;
        Ok(())
    })?;
    for file in files {
        file.is_sifted = false;
    }
    Ok(())
}

/// Writes what must not be lost with the power, since files are changed that are not.
fn durably(connection: &Connection, write: impl FnOnce(&Connection) -> Result<(), Error>) -> Result<(), Error> {
    connection.pragma_update(None, "synchronous", "full")?;
    let transaction = connection.unchecked_transaction()?;
    write(&transaction)?;
    transaction.commit()?;
    Ok(connection.pragma_update(None, "synchronous", "normal")?)
}
