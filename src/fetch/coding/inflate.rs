//! The codings `gzip` and `deflate`: one kind of stream in three wrappers.

use std::io::{self, Write};

use flate2::{Decompress, FlushDecompress, Status};

use super::{BUFFER, Layer};
use crate::fetch::body::Collected;

/// What a deflate stream (RFC 1951) is wrapped in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wrapper {
    /// One gzip member after the other (RFC 1952), then whatever a server put behind them.
    Gzip,
    /// The zlib format (RFC 1950), which HTTP calls `deflate`.
    Zlib,
    /// Nothing, as some servers understood the standard.
    None,
}

impl Wrapper {
    /// What a body in the coding `deflate` is wrapped in. RFC 1950, section 2.2: the method is 8 and the first two bytes
    /// are a multiple of 31.
    pub(super) fn of_deflate(start: &[u8]) -> Self {
        match start {
            [method, flags, ..] if method & 0x0f == 8 && u16::from_be_bytes([*method, *flags]) % 31 == 0 => Self::Zlib,
            _ => Self::None,
        }
    }

    fn stream(self) -> Decompress {
        const LARGEST_WINDOW: u8 = 15;
        match self {
            Self::Gzip => Decompress::new_gzip(LARGEST_WINDOW),
            Self::Zlib => Decompress::new(true),
            Self::None => Decompress::new(false),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Within,
    /// A member has ended and its checksum was right.
    Between,
    /// What follows is ignored.
    Over,
}

/// Each member costs about a microsecond, and may come to nothing: more of them are an attack.
const MAX_MEMBERS: u32 = 1 << 16;

/// The stream, undone.
pub(super) struct Inflate {
    wrapper: Wrapper,
    /// How many streams have begun.
    members: u32,
    stream: Decompress,
    state: State,
    buffer: Vec<u8>,
    inner: Box<dyn Layer>,
}

impl Inflate {
    pub(super) fn new(wrapper: Wrapper, inner: Box<dyn Layer>) -> Self {
        Self { wrapper, members: 1, stream: wrapper.stream(), state: State::Within, buffer: vec![0; BUFFER], inner }
    }

    fn begin_member(&mut self) -> io::Result<()> {
        if self.members == MAX_MEMBERS {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "more gzip members than anybody makes"));
        }
        self.members += 1;
        (self.stream, self.state) = (self.wrapper.stream(), State::Within);
        Ok(())
    }

    /// Decodes as much of `piece` as one buffer takes, which is handed on. How much was read, and whether it was all
    /// that could be made of it.
    fn step(&mut self, piece: &[u8]) -> io::Result<(usize, bool)> {
        let (read, written) = (self.stream.total_in(), self.stream.total_out());
        let status = self.stream.decompress(piece, &mut self.buffer, FlushDecompress::None)?;
        let read = usize::try_from(self.stream.total_in() - read).unwrap_or(0);
        let written = usize::try_from(self.stream.total_out() - written).unwrap_or(0);
        self.inner.write_all(&self.buffer[..written])?;
        if status == Status::StreamEnd {
            self.state = if self.wrapper == Wrapper::Gzip { State::Between } else { State::Over };
        }
        Ok((read, read == piece.len() && written < self.buffer.len()))
    }
}

impl Write for Inflate {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        let mut rest = piece;
        loop {
            match self.state {
                State::Over => return Ok(piece.len()),
                State::Between => match rest.first() {
                    None => return Ok(piece.len()),
                    Some(0x1f) => self.begin_member()?,
                    Some(_) => self.state = State::Over,
                },
                State::Within => {
                    let (read, is_all) = self.step(rest)?;
                    rest = &rest[read..];
                    if is_all {
                        return Ok(piece.len());
                    }
                }
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Layer for Inflate {
    fn finish(self: Box<Self>) -> io::Result<Collected> {
        if self.state == State::Within {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.inner.finish()
    }
}
