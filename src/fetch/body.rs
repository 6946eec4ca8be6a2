//! A body as it grows: never longer than the cap, and never without room.

use std::fmt;
use std::io::{self, Write};

use bytes::Bytes;

use super::memory::{Refusal, Room};

/// No larger buffer than this is made for what an answer announces.
const BELIEVED: usize = 1 << 20;

/// No more room than this is made before a body begins: whoever announces much may send nothing.
const START: usize = 64 << 10;

/// How large a body is and may be.
pub(super) struct Measure {
    /// How many bytes come, codings and all, where that is known: it may be a lie.
    pub(super) expected: Option<usize>,
    /// How many bytes it may have once decoded.
    pub(super) cap: usize,
    /// What the body takes its memory from.
    pub(super) room: Room,
    /// Who takes it piece by piece; none where it is to be collected.
    pub(super) taker: Option<Taker>,
}

/// Who takes a body, decoded, piece by piece.
pub type Taker = Box<dyn FnMut(&[u8]) + Send>;

#[derive(Debug, thiserror::Error)]
#[error("the body is larger than {cap} bytes")]
pub(super) struct TooLarge {
    cap: usize,
}

impl TooLarge {
    pub(super) fn error(cap: usize) -> io::Error {
        io::Error::other(Self { cap })
    }
}

/// The innermost layer: the decoded body, up to the cap. What somebody takes as it comes is not held.
pub(super) struct Collected {
    body: Vec<u8>,
    taker: Option<Taker>,
    /// How much was taken.
    taken: usize,
    /// How long the body will be: a guess.
    expected: usize,
    cap: usize,
    room: Room,
    /// The bytes that there is room for.
    roomy: usize,
}

impl Collected {
    pub(super) fn new(measure: Measure) -> Result<Self, Refusal> {
        let Measure { expected, cap, room, taker } = measure;
        let roomy = if taker.is_some() { 0 } else { expected.unwrap_or(START).min(START).min(cap) };
        room.grow(roomy)?;
        Ok(Self {
            body: Vec::new(),
            taker,
            taken: 0,
            expected: expected.unwrap_or(0).min(cap).min(BELIEVED),
            cap,
            room,
            roomy,
        })
    }

    /// Whether a body may be so long.
    fn allow(&self, length: usize) -> io::Result<()> {
        if length > self.cap { Err(TooLarge::error(self.cap)) } else { Ok(()) }
    }

    /// Gives a piece to who takes it, as much of it as the cap allows.
    fn hand_on(&mut self, piece: &[u8]) -> io::Result<()> {
        let Some(taker) = &mut self.taker else { return Ok(()) };
        taker(&piece[..piece.len().min(self.cap - self.taken)]);
        let length = self.taken.saturating_add(piece.len());
        self.taken = length.min(self.cap);
        self.allow(length)
    }

    /// Makes room for so many bytes in all.
    fn make_room(&mut self, bytes: usize) -> io::Result<()> {
        if bytes > self.roomy {
            self.room.grow(bytes - self.roomy).map_err(io::Error::other)?;
            self.roomy = bytes;
        }
        Ok(())
    }

    /// Makes the buffer fit for so many bytes: twice as large as it was at least, so that it seldom moves.
    fn reserve(&mut self, length: usize) -> io::Result<()> {
        let capacity = self.body.capacity();
        if length > capacity {
            let larger = length.max(2 * capacity).max(self.expected).min(self.cap);
            self.make_room(larger)?;
            let reserved = self.body.try_reserve_exact(larger - self.body.len());
            reserved.map_err(|_| io::Error::from(io::ErrorKind::OutOfMemory))?;
        }
        Ok(())
    }

    /// The body, which keeps its room.
    pub(super) fn keep(self) -> Bytes {
        let size = self.body.capacity();
        self.room.keep(self.body.into(), size)
    }
}

impl fmt::Debug for Collected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Collected").field("length", &self.body.len()).field("cap", &self.cap).finish_non_exhaustive()
    }
}

impl Write for Collected {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        if self.taker.is_some() {
            self.hand_on(piece)?;
            return Ok(piece.len());
        }
        let length = self.body.len().saturating_add(piece.len());
        self.allow(length)?;
        self.reserve(length)?;
        self.body.extend_from_slice(piece);
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A body without codings. Most come in one piece, which is not copied.
pub(super) struct Plain {
    first: Bytes,
    /// All of it, once there is a second piece.
    collected: Collected,
}

impl Plain {
    /// It takes no more room than the largest body.
    pub(super) fn new(collected: Collected) -> Self {
        if collected.taker.is_none() {
            collected.room.shrink(collected.cap);
        }
        Self { first: Bytes::new(), collected }
    }

    pub(super) fn push(&mut self, piece: Bytes) -> io::Result<()> {
        if self.collected.taker.is_some() {
            return self.collected.hand_on(&piece);
        }
        if self.first.is_empty() && self.collected.body.is_empty() {
            self.collected.allow(piece.len())?;
            self.collected.make_room(piece.len())?;
            self.first = piece;
            return Ok(());
        }
        let first = std::mem::take(&mut self.first);
        self.collected.write_all(&first)?;
        self.collected.write_all(&piece)
    }

    pub(super) fn finish(self) -> Bytes {
        if self.first.is_empty() {
            return self.collected.keep();
        }
        let size = self.first.len();
        self.collected.room.keep(self.first, size)
    }
}
