//! A graph that is made at the end of a run of what was gathered in a file of lines.
//!
//! Each step is an object, and what its page leads to a pair behind it: the kind, and the URL. No run has to know what those
//! before it have gathered: a page may be there again, and is told apart when the graph is made.

use std::fs::File;
use std::io::{self, BufReader, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use super::drawing::Drawing;
use super::step::{Listen, Step, tell};
use super::{GraphFormat, Kind};
use crate::engine::Sink;
use crate::job::Outcome;
use crate::sink::journal::Copy;
use crate::sink::making::make;
use crate::sink::recorded::{Text, no_record, read_line};
use crate::sink::{Compression, Foreign, Lines};

/// The sink of a graph that appears whole or not at all when the run ends, of all that was gathered for it until then.
pub struct Gathered {
    gathering: Gathering,
    /// Where the lines are.
    source: PathBuf,
    path: PathBuf,
    format: GraphFormat,
}

/// Where it is gathered.
struct Gathering(Lines);

/// A line of it.
enum Line<'a> {
    Step(Step<'a>),
    Lead(Kind, Text<'a>),
}

impl Gathered {
    /// The graph at `path`, to be made of `lines`, which are written to the file at `source` behind what that has. It is
    /// compressed as its name tells, and so is the graph.
    #[must_use]
    pub fn new((lines, source): (Lines, &Path), path: &Path, format: GraphFormat) -> Self {
        Self { gathering: Gathering(lines), source: source.into(), path: path.into(), format }
    }

    /// Copies what does not come from pages that have failed of the first `end` bytes of a file of such lines, which are whole
    /// ones, to a file beside it (`NAME.resuming`): its length. No part of `source` is a symbolic link.
    ///
    /// # Errors
    /// It cannot be read or written, or holds something else. There is no copy then.
    pub fn sift(source: &Path, end: u64) -> io::Result<u64> {
        let file = File::open(source)?;
        let mut copy = Copy::of(source, Compression::of(source).0)?;
        let (mut stands, mut is_empty) = (true, true);
        for_each_line(source, end, |line, text| {
            if let Line::Step(step) = line {
                stands = !step.has_failed();
            }
            is_empty &= !stands;
            if stands { copy.out.write_all(text) } else { Ok(()) }
        })?;
        copy.keep(&file, is_empty)
    }

    fn write(&self, file: &File) -> io::Result<()> {
        let (name, file) = (self.path.to_string_lossy(), file.try_clone()?);
        let lines = match Compression::of(&self.path).0 {
            Compression::None => Lines::new(&*name, file),
            compression => Lines::compressed(&*name, file, compression)?,
        };
        let mut drawing = Drawing::new(lines, self.format)?;
        for_each_line(&self.source, u64::MAX, |line, _| match line {
            Line::Step(step) => drawing.step(&step),
            Line::Lead(kind, Text(to)) => drawing.lead(&to, kind),
        })?;
        drawing.finish()
    }
}

impl Sink for Gathered {
    fn accept(&mut self, outcome: &Outcome) -> io::Result<()> {
        tell(outcome, &mut self.gathering)
    }

    fn idle(&mut self) -> io::Result<()> {
        self.gathering.0.flush()
    }

    fn commit(&mut self) -> io::Result<()> {
        self.gathering.0.part()
    }

    fn finish(mut self: Box<Self>) -> io::Result<()> {
        self.gathering.0.finish()?;
        make(&self.path, &self.source, |file| self.write(file))
    }
}

impl Gathering {
    fn push(&mut self, line: &impl serde::Serialize) -> io::Result<()> {
        self.0.push(|out| {
            serde_json::to_writer(&mut *out, line)?;
            out.push(b'\n');
            Ok(())
        })
    }
}

impl Listen for Gathering {
    fn step(&mut self, step: &Step<'_>) -> io::Result<()> {
        self.push(step)
    }

    fn lead(&mut self, to: &str, kind: Kind) -> io::Result<()> {
        self.push(&(kind, to))
    }
}

impl<'a> Line<'a> {
    fn parse(text: &'a [u8]) -> serde_json::Result<Self> {
        if text.starts_with(b"[") {
            return serde_json::from_slice(text).map(|(kind, to)| Self::Lead(kind, to));
        }
        serde_json::from_slice(text).map(Self::Step)
    }
}

/// Calls `each` with each line in the first `end` bytes of a file, and its text.
fn for_each_line(source: &Path, end: u64, mut each: impl FnMut(Line<'_>, &[u8]) -> io::Result<()>) -> io::Result<()> {
    let file = BufReader::new(File::open(source)?.take(end));
    let mut reader = Compression::of(source).0.reader(file)?;
    let (mut text, mut number) = (Vec::new(), 0);
    let foreign = |line, reason| io::Error::new(ErrorKind::InvalidData, Foreign { line, reason });
    while read_line(&mut reader, &mut text)? {
        number += 1;
        let line = Line::parse(&text).map_err(|error| foreign(number, no_record(&error)))?;
        each(line, &text)?;
        text.clear();
    }
    if text.is_empty() { Ok(()) } else { Err(foreign(number + 1, "it ends before its time".into())) }
}
