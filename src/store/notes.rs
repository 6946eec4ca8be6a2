//! What checks links leaves of the pages that are done, lines that mean nothing here: some pages' at a time, compressed. A row that is
//! empty says that the failures before it are to come again.

use std::io::{self, BufRead, BufReader, ErrorKind};

use rusqlite::Connection;
use zstd::bulk::Compressor;

use super::Error;
use super::tray::Tray;

/// The level of zstd: they are written for each page, and seldom read.
const LEVEL: i32 = 1;
/// Bytes of them that are told at once, or one page's.
const ENOUGH: usize = 1 << 20;

/// Those of pages that are done, until they are told.
pub(super) struct Notes {
    tray: Tray,
    lines: Vec<u8>,
    compressor: Compressor<'static>,
}

impl Notes {
    pub(super) fn new(tray: Tray) -> io::Result<Self> {
        Ok(Self { tray, lines: Vec::new(), compressor: Compressor::new(LEVEL)? })
    }

    /// Takes what was left since; it is forgotten unless it `stands`.
    pub(super) fn take(&mut self, stands: bool) {
        let left = self.tray.take();
        if stands {
            self.lines.extend(left);
        }
    }

    pub(super) fn is_enough(&self) -> bool {
        self.lines.len() >= ENOUGH
    }

    /// All that was taken, compressed.
    pub(super) fn pack(&mut self) -> io::Result<Vec<u8>> {
        if self.lines.is_empty() {
            return Ok(Vec::new());
        }
        let packed = self.compressor.compress(&self.lines);
        self.lines.clear();
        packed
    }
}

/// Writes lines that are [packed](Notes::pack).
pub(super) fn write(connection: &Connection, packed: &[u8]) -> Result<(), Error> {
    if !packed.is_empty() {
        connection.prepare_cached("INSERT INTO notes (content) VALUES (?)")?.execute([packed])?;
    }
    Ok(())
}

/// Says that what has failed is to come again.
pub(super) fn take_back(connection: &Connection) -> Result<(), Error> {
    connection.execute("INSERT INTO notes (content) VALUES (NULL)", [])?;
    Ok(())
}

/// Calls `recall` with each line, and with whether it is to come again if it is of a failure.
pub(super) fn for_each(
    connection: &Connection,
    mut recall: impl FnMut(&[u8], bool) -> io::Result<()>,
) -> Result<(), Error> {
    let mut statement = connection.prepare(
        "SELECT content, id < (SELECT coalesce(max(id), 0) FROM notes WHERE content IS NULL)
         FROM notes WHERE content IS NOT NULL ORDER BY id",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (packed, is_taken_back) = (row.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?, row.get(1)?);
        let lines = BufReader::new(zstd::Decoder::with_buffer(packed)?);
        for line in lines.split(b'\n') {
            recall(&line.map_err(|error| damaged(&error))?, is_taken_back).map_err(|error| match error.kind() {
                ErrorKind::InvalidData => damaged(&error),
                _ => error.into(),
            })?;
        }
    }
    Ok(())
}

fn damaged(error: &io::Error) -> Error {
    Error::Damaged(format!("what is noted of pages cannot be read ({error})"))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::state;

    fn recalled(connection: &Connection) -> Vec<(String, bool)> {
        let mut lines = Vec::new();
        for_each(connection, |line, is_taken_back| {
            lines.push((String::from_utf8(line.into()).unwrap(), is_taken_back));
            Ok(())
        })
        .unwrap();
        lines
    }

    #[test]
    fn lines_come_back_in_their_order_but_for_those_of_what_does_not_stand() {
        let folder = tempfile::tempdir().unwrap();
        let (connection, _lock) = state::open(&folder.path().join("s.db")).unwrap();
        let mut tray = Tray::default();
        let mut notes = Notes::new(tray.clone()).unwrap();
        assert!(notes.pack().unwrap().is_empty());
        let long = "x".repeat(ENOUGH);
        let mut leave = |lines: &[u8], stands| {
            tray.write_all(lines).unwrap();
            notes.take(stands);
            notes.is_enough()
        };
        assert!(!leave(b"one\n", true) && !leave(b"not\n", false) && !leave(b"two\nthree\n", true));
        assert!(leave(long.as_bytes(), true) && leave(b"\n", true));
        write(&connection, &notes.pack().unwrap()).unwrap();
        write(&connection, &notes.pack().unwrap()).unwrap();
        take_back(&connection).unwrap();
        tray.write_all(b"four\n").unwrap();
        notes.take(true);
        write(&connection, &notes.pack().unwrap()).unwrap();
        let all = [("one", true), ("two", true), ("three", true), (&*long, true), ("four", false)];
        assert_eq!(recalled(&connection), all.map(|(line, is_taken_back)| (line.into(), is_taken_back)));
        let count: i64 = connection.query_row("SELECT count(*) FROM notes", [], |row| row.get(0)).unwrap();
        assert_eq!(count, 3, "what is empty takes no row");
    }

    #[test]
    fn a_line_that_is_none_is_damage_and_what_cannot_be_kept_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let (connection, _lock) = state::open(&folder.path().join("s.db")).unwrap();
        write(&connection, &zstd::bulk::compress(b"one\n", LEVEL).unwrap()).unwrap();
        let fail = |kind: ErrorKind| for_each(&connection, |_, _| Err(io::Error::from(kind))).unwrap_err();
        assert!(matches!(fail(ErrorKind::InvalidData), Error::Damaged(_)));
        assert!(matches!(fail(ErrorKind::StorageFull), Error::Io(error) if error.kind() == ErrorKind::StorageFull));
        write(&connection, b"no zstd").unwrap();
        assert!(matches!(for_each(&connection, |_, _| Ok(())), Err(Error::Damaged(_))));
    }
}
