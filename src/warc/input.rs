//! The bytes of an archive, decompressed, and where in the file they stand.

use std::io::{self, BufRead, ErrorKind, Read};

use flate2::bufread::GzDecoder;

/// What an archive starts with.
pub const MAGIC: &[u8] = b"WARC/";

/// What it starts with where it is compressed.
pub const GZIP: &[u8] = b"\x1f\x8b";

/// What is decompressed at once.
const BUFFER: usize = 64 << 10;

/// A reader that counts.
struct Counted<R> {
    inner: R,
    count: u64,
}

impl<R: BufRead> Counted<R> {
    fn is_at_end(&mut self) -> io::Result<bool> {
        patiently(|| self.inner.fill_buf().map(<[u8]>::is_empty))
    }
}

impl<R: BufRead> Read for Counted<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(to)?;
        self.count += count as u64;
        Ok(count)
    }
}

impl<R: BufRead> BufRead for Counted<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.inner.fill_buf()
    }

    fn consume(&mut self, count: usize) {
        self.inner.consume(count);
        self.count += count as u64;
    }
}

/// The bytes of an archive, decompressed.
pub(super) struct Input<R>(Form<R>);

enum Form<R> {
    Plain(Counted<R>),
    Gzip(Box<Members<R>>),
}

impl<R: BufRead> Input<R> {
    /// What starts like gzip is decompressed.
    pub(super) fn new(mut inner: R) -> io::Result<Self> {
        let start = patiently(|| inner.fill_buf().map(|start| start.first().copied()))?;
        let counted = Counted { inner, count: 0 };
        Ok(Self(if start == GZIP.first().copied() {
            Form::Gzip(Box::new(Members::new(counted)))
        } else {
            Form::Plain(counted)
        }))
    }

    /// Where in the file the next byte stands: of one that is compressed, its gzip member.
    pub(super) fn offset(&self) -> u64 {
        match &self.0 {
            Form::Plain(plain) => plain.count,
            Form::Gzip(members) => members.start,
        }
    }

    /// Whether the file can be read from that offset on.
    pub(super) fn is_start(&self) -> bool {
        match &self.0 {
            Form::Plain(_) => true,
            Form::Gzip(members) => members.taken == 0,
        }
    }

    /// Bytes that are there; none at the end.
    pub(super) fn fill(&mut self) -> io::Result<&[u8]> {
        match &mut self.0 {
            Form::Plain(plain) => {
                plain.is_at_end()?;
                plain.fill_buf()
            }
            Form::Gzip(members) => members.fill(),
        }
    }

    /// Goes on behind so many of them.
    pub(super) fn consume(&mut self, count: usize) {
        match &mut self.0 {
            Form::Plain(plain) => plain.consume(count),
            Form::Gzip(members) => members.consume(count),
        }
    }
}

/// Gzip members, one behind the other (RFC 1952, section 2.2).
struct Members<R> {
    /// The one that is being read; none while there is none.
    current: Option<GzDecoder<Counted<R>>>,
    /// Where it starts.
    start: u64,
    /// How many of its bytes have been taken.
    taken: u64,
    buffer: Box<[u8]>,
    /// What of the buffer has been filled, and not been taken.
    filled: std::ops::Range<usize>,
}

impl<R: BufRead> Members<R> {
    fn new(counted: Counted<R>) -> Self {
        let start = counted.count;
        let current = Some(GzDecoder::new(counted));
        Self { current, start, taken: 0, buffer: vec![0; BUFFER].into(), filled: 0..0 }
    }

    fn fill(&mut self) -> io::Result<&[u8]> {
        while self.filled.is_empty() {
            let Some(current) = &mut self.current else { break };
            let count = patiently(|| current.read(&mut self.buffer))?;
            self.filled = 0..count;
            if count == 0 && !self.turn()? {
                break;
            }
        }
        Ok(&self.buffer[self.filled.clone()])
    }

    /// Goes on with the next member, if there is one.
    fn turn(&mut self) -> io::Result<bool> {
        let Some(ended) = self.current.take() else { return Ok(false) };
        let mut counted = ended.into_inner();
        if counted.is_at_end()? {
            return Ok(false);
        }
        (self.start, self.taken) = (counted.count, 0);
        self.current = Some(GzDecoder::new(counted));
        Ok(true)
    }

    fn consume(&mut self, count: usize) {
        self.filled.start += count;
        self.taken += count as u64;
    }
}

/// Tries again what was interrupted.
fn patiently<T>(mut read: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match read() {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}
