//! Pages in the order in which they came.

use std::collections::VecDeque;
use std::io::{self, ErrorKind};

use super::blocks::{Blocks, Place};
use super::encoding::{Last, Waiting, read, write};
use crate::job::{Found, Job};

/// Pages in the order in which they came: what is being read, blocks, what is being written. Each is by itself, so that it
/// can be read without the one before.
#[derive(Debug, Default)]
pub(in crate::frontier) struct Strand {
    len: usize,
    front: Vec<u8>,
    /// How much of that was read.
    read: usize,
    last_read: Last,
    blocks: VecDeque<Block>,
    /// How many bytes of the blocks are in memory.
    sealed: usize,
    tail: Vec<u8>,
    last_written: Last,
}

/// What is between the front and the tail.
#[derive(Debug)]
enum Block {
    Kept(Box<[u8]>),
    Written(Place),
}

impl Strand {
    pub(in crate::frontier) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// How many pages there are.
    pub(in crate::frontier) fn len(&self) -> usize {
        self.len
    }

    /// How many bytes of it are in memory.
    pub(super) fn memory(&self) -> usize {
        self.front.len() + self.sealed + self.tail.len()
    }

    /// How many bytes are being written.
    pub(super) fn tail(&self) -> usize {
        self.tail.len()
    }

    /// Puts a page at the end, and tells how many bytes it takes.
    pub(super) fn append(&mut self, job: &Job, found: &Found, start: u32) -> usize {
        let before = self.tail.len();
        write((&job.target, &job.trail), found, start, &mut self.last_written, &mut self.tail);
        self.len += 1;
        self.tail.len() - before
    }

    /// Makes a block of what is being written.
    pub(super) fn seal(&mut self) {
        self.sealed += self.tail.len();
        self.last_written = Last::default();
        self.blocks.push_back(Block::Kept(std::mem::take(&mut self.tail).into_boxed_slice()));
    }

    /// Makes a block of it that goes to the file.
    pub(super) fn write(&mut self, blocks: &mut Blocks) -> io::Result<()> {
        let tail = std::mem::take(&mut self.tail);
        self.last_written = Last::default();
        self.blocks.push_back(Block::Written(blocks.write(&tail)?));
        Ok(())
    }

    /// Takes the first page. There is one.
    pub(super) fn take(&mut self, blocks: &mut Blocks) -> io::Result<Waiting> {
        if self.read == self.front.len() {
            self.front = match self.blocks.pop_front() {
                Some(Block::Written(place)) => blocks.take(place)?,
                Some(Block::Kept(bytes)) => {
                    self.sealed -= bytes.len();
                    bytes.into_vec()
                }
                None => {
                    self.last_written = Last::default();
                    std::mem::take(&mut self.tail)
                }
            };
            (self.read, self.last_read) = (0, Last::default());
        }
        let mut rest = &self.front[self.read..];
        let waiting = read(&mut rest, &mut self.last_read);
        let waiting =
            waiting.ok_or_else(|| io::Error::new(ErrorKind::InvalidData, "the pages to come were changed"))?;
        self.read = self.front.len() - rest.len();
        self.len -= 1;
        if self.read == self.front.len() {
            (self.front, self.read) = (Vec::new(), 0);
        }
        Ok(waiting)
    }
}
