//! The writer of whole lines.

use std::io::{self, Write};

use super::compression::{Compression, Compressor};

/// What is gathered for one write to a file or a terminal, in bytes.
const GATHERED: usize = 64 * 1024;
/// What is gathered for one write to a pipe, in bytes: Linux's `PIPE_BUF`. Up to that, a write to a pipe happens whole
/// or not at all (POSIX, `write`).
const CARGO: usize = 4096;

/// Writes whole records, each a line or several, and never a part of one: a process that is killed while its reader
/// blocks leaves no half line behind.
///
/// The exception is a record of more than 4096 bytes in a pipe, which no system writes at once.
pub struct Lines {
    name: Box<str>,
    out: Compressor,
    buffer: Vec<u8>,
    /// The most that one write may hold, unless a single record is longer.
    limit: usize,
}

impl Lines {
    /// Lines for a file or a terminal that errors call `name`.
    pub fn new(name: impl Into<Box<str>>, out: impl Write + Send + 'static) -> Self {
        Self { name: name.into(), out: Compressor::None(Box::new(out)), buffer: Vec::new(), limit: GATHERED }
    }

    /// Lines for a file that errors call `name`, compressed.
    ///
    /// # Errors
    /// There is no memory for it.
    pub fn compressed(
        name: impl Into<Box<str>>,
        out: impl Write + Send + 'static,
        compression: Compression,
    ) -> io::Result<Self> {
        let compressor = Compressor::new(compression, Box::new(out))?;
        Ok(Self { name: name.into(), out: compressor, buffer: Vec::new(), limit: GATHERED })
    }

    /// Lines for a pipe or a socket that errors call `name`.
    pub fn pipe(name: impl Into<Box<str>>, out: impl Write + Send + 'static) -> Self {
        Self { limit: CARGO, ..Self::new(name, out) }
    }

    /// What errors call it, and what it writes to, for what are no lines. Nothing may have been added.
    pub(super) fn into_parts(self) -> (Box<str>, Compressor) {
        (self.name, self.out)
    }

    /// Adds what goes out together with the record that follows, or with the end.
    pub(super) fn lead(&mut self, render: impl FnOnce(&mut Vec<u8>)) {
        render(&mut self.buffer);
    }

    /// Adds one record, and writes the ones before it when they and it are too much for one write.
    pub(super) fn push(&mut self, render: impl FnOnce(&mut Vec<u8>) -> io::Result<()>) -> io::Result<()> {
        let start = self.buffer.len();
        if let Err(error) = render(&mut self.buffer) {
            self.buffer.truncate(start);
            return Err(error);
        }
        if self.buffer.len() > self.limit { self.write(start) } else { Ok(()) }
    }

    /// Writes everything that was added.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.write(self.buffer.len())?;
        self.out.flush().map_err(|error| self.explain(&error))
    }

    /// Writes everything that was added, such that the file can be cut off behind it.
    pub(super) fn part(&mut self) -> io::Result<()> {
        self.write(self.buffer.len())?;
        self.out.part().map_err(|error| self.explain(&error))
    }

    /// Writes everything that was added: nothing follows.
    pub(super) fn finish(&mut self) -> io::Result<()> {
        self.write(self.buffer.len())?;
        self.out.finish().map_err(|error| self.explain(&error))
    }

    /// Writes the first `end` bytes of the buffer and forgets them, also when that fails: some of them may be out.
    fn write(&mut self, end: usize) -> io::Result<()> {
        let result = self.out.write_all(&self.buffer[..end]);
        self.buffer.drain(..end);
        result.map_err(|error| self.explain(&error))
    }

    /// The error with the name of what failed. Its kind stays: a closed pipe is no error to a caller.
    fn explain(&self, error: &io::Error) -> io::Error {
        io::Error::new(error.kind(), format!("cannot write {}: {error}", self.name))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::sink::sample::Tape;

    /// Pushes a line of each length, newline included, and gives what each write got.
    fn writes(mut lines: Lines, tape: &Tape, lengths: &[usize]) -> Vec<Vec<u8>> {
        for &length in lengths {
            lines.push(|out| out.write_all(&line(length))).unwrap();
        }
        lines.flush().unwrap();
        tape.writes()
    }

    fn line(length: usize) -> Vec<u8> {
        let mut line = vec![b'x'; length];
        line[length - 1] = b'\n';
        line
    }

    #[test]
    fn nothing_is_written_before_it_is_asked_for() {
        let tape = Tape::default();
        let mut lines = Lines::new("out", tape.clone());
        lines.push(|out| out.write_all(b"one\n")).unwrap();
        lines.push(|out| out.write_all(b"two\n")).unwrap();
        assert!(tape.writes().is_empty());
        lines.flush().unwrap();
        assert_eq!(tape.writes(), [b"one\ntwo\n"]);
    }

    #[test]
    fn a_long_line_is_written_alone() {
        let tape = Tape::default();
        let lengths: Vec<_> =
            writes(Lines::pipe("out", tape.clone()), &tape, &[10, 5000, 10]).iter().map(Vec::len).collect();
        assert_eq!(lengths, [10, 5000, 10]);
    }

    #[test]
    fn an_error_tells_what_could_not_be_written_and_keeps_its_kind() {
        for kind in [io::ErrorKind::BrokenPipe, io::ErrorKind::StorageFull] {
            let mut lines = Lines::new("out.jsonl", Tape::failing(kind));
            lines.push(|out| out.write_all(b"one\n")).unwrap();
            let error = lines.flush().unwrap_err();
            assert_eq!(error.kind(), kind);
            assert!(error.to_string().starts_with("cannot write out.jsonl: "), "{error}");
            assert!(lines.buffer.is_empty(), "a second try would write twice what the first one did write");
        }
    }

    #[test]
    fn a_record_that_could_not_be_rendered_leaves_no_trace() {
        let tape = Tape::default();
        let mut lines = Lines::new("out", tape.clone());
        lines.push(|out| out.write_all(b"one\n")).unwrap();
        let result = lines.push(|out| out.write_all(b"tw").and(Err(io::ErrorKind::Other.into())));
        lines.flush().unwrap();
        assert!(result.is_err());
        assert_eq!(tape.writes(), [b"one\n"]);
    }

    proptest! {
        #[test]
        fn a_write_holds_whole_lines_and_no_more_than_a_pipe_takes_at_once(
            lengths in prop::collection::vec(prop_oneof![1_usize..300, 3000_usize..6000], 0..60),
        ) {
            let tape = Tape::default();
            let writes = writes(Lines::pipe("out", tape.clone()), &tape, &lengths);
            for write in &writes {
                prop_assert!(write.ends_with(b"\n"));
                prop_assert!(write.len() <= CARGO || !write[..write.len() - 1].contains(&b'\n'));
            }
            let all: Vec<u8> = lengths.iter().copied().flat_map(line).collect();
            prop_assert_eq!(writes.concat(), all);
        }
    }
}
