//! gzip (RFC 1952), undone while it arrives, in bounded memory.

use flate2::{Decompress, FlushDecompress, Status};

use super::Damage;

/// What gzip starts with.
pub(super) const MAGIC: [u8; 2] = [0x1f, 0x8b];

const LARGEST_WINDOW: u8 = 15;

/// What is decompressed at once.
const BUFFER: usize = 16 << 10;

/// Members that come to nothing cost time, too.
const MAX_MEMBERS: u32 = 1 << 16;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Within,
    /// A member has ended.
    Between,
    /// What follows is ignored.
    Over,
}

/// One gzip member after the other, then whatever a server put behind them.
#[derive(Debug)]
pub(super) struct Gunzip {
    stream: Decompress,
    state: State,
    members: u32,
    buffer: Vec<u8>,
}

impl Gunzip {
    pub(super) fn new() -> Self {
        let stream = Decompress::new_gzip(LARGEST_WINDOW);
        Self { stream, state: State::Within, members: 1, buffer: vec![0; BUFFER] }
    }

    /// Decompresses a piece and hands on what comes of it, a buffer at a time.
    pub(super) fn push(
        &mut self,
        mut piece: &[u8],
        next: &mut dyn FnMut(&[u8]) -> Result<(), Damage>,
    ) -> Result<(), Damage> {
        loop {
            match (self.state, piece.first()) {
                (State::Over, _) | (State::Between, None) => return Ok(()),
                (State::Between, Some(first)) => self.resume(*first),
                (State::Within, _) => {}
            }
            if self.state != State::Within {
                continue;
            }
            let (read, written) = (self.stream.total_in(), self.stream.total_out());
            let status = self.stream.decompress(piece, &mut self.buffer, FlushDecompress::None);
            let read = usize::try_from(self.stream.total_in() - read).unwrap_or(0);
            let written = usize::try_from(self.stream.total_out() - written).unwrap_or(0);
            // What came before the damage counts.
            next(&self.buffer[..written])?;
            let status = status.map_err(|_| Damage::Compression)?;
            piece = &piece[read..];
            if status == Status::StreamEnd {
                self.state = State::Between;
            } else if piece.is_empty() && written < self.buffer.len() {
                return Ok(());
            }
        }
    }

    /// Goes on behind a member.
    fn resume(&mut self, first: u8) {
        if first != MAGIC[0] || self.members == MAX_MEMBERS {
            self.state = State::Over;
        } else {
            (self.stream, self.state) = (Decompress::new_gzip(LARGEST_WINDOW), State::Within);
            self.members += 1;
        }
    }

    /// Whether its end has come.
    pub(super) fn is_complete(&self) -> bool {
        self.state != State::Within
    }
}
