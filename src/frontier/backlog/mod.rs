//! The pages that a crawl came by, or sitemaps name, and that have not been asked for: in memory as long as they are few, in a
//! file beyond that.
//!
//! What was decided:
//! - A page waits as some 30 bytes: its URL and that of the page before, each as what differs from the one before it
//!   ("front coding"), and how it was found. It becomes a job when it is its turn.
//! - The pages of a host and rank are a [`Strand`]: the order in which they came holds, in memory or not, and so does the
//!   rank. Ranks above 255 are one.
//! - A strand is cut into blocks, which are smaller the more hosts there are. Once all blocks take more memory than they
//!   may, further ones go to a file that has no name and ends with the process. The room of one that was read back is used
//!   again, so the file grows with what waits and not with what ever did.
//! - There are lanes for so many hosts at a time. The pages of further ones wait in one common strand, in the order in which
//!   they came, until a lane is free. A page never overtakes one of its own host and rank that came before it.
//! - What no page of its own has waits in memory, once a seed: what its line carried, and its credentials, which are never
//!   written. A page that a sitemap names has a number and a note of its own, which wait with it.

mod blocks;
mod encoding;
mod leads;
mod starts;
mod strand;

use std::collections::HashMap;
use std::io;
use std::path::PathBuf;

use self::blocks::Blocks;
pub(super) use self::leads::{Leads, Noted};
use self::starts::Starts;
pub(super) use self::strand::Strand;
use crate::job::{Job, Trail};

/// How much of what waits is held in memory.
#[derive(Clone, Debug)]
pub struct Options {
    /// The folder of the file; none: that of the system for temporary files.
    pub folder: Option<PathBuf>,
    /// About how many bytes of pages are held in memory. The rest goes to the file.
    pub memory: usize,
    /// For how many hosts at a time pages wait in lanes of their own.
    pub hosts: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { folder: None, memory: 32 << 20, hosts: 1 << 14 }
    }
}

/// The sizes of blocks.
const SMALLEST: usize = 512;
const LARGEST: usize = 16 << 10;

/// What all strands share.
#[derive(Debug)]
pub(super) struct Backlog {
    options: Options,
    /// How many pages wait.
    len: usize,
    starts: Starts,
    blocks: Blocks,
    /// How many bytes of the strands are in memory.
    memory: usize,
    /// How many bytes a block has, about.
    block: usize,
    /// The pages of hosts beyond those that have lanes.
    beyond: Strand,
    /// How many of them each host has, by what stands for its name.
    hosts_beyond: HashMap<u64, u32>,
}

impl Backlog {
    pub(super) fn new(options: Options) -> Self {
        let blocks = Blocks::new(options.folder.clone());
        let (starts, beyond, hosts_beyond) = (Starts::default(), Strand::default(), HashMap::new());
        Self { options, len: 0, starts, blocks, memory: 0, block: LARGEST, beyond, hosts_beyond }
    }

    /// How many pages wait.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// How many seeds have pages that wait.
    pub(super) fn starts(&self) -> usize {
        self.starts.len()
    }

    /// How many bytes the lines of those seeds carry along.
    pub(super) fn carried(&self) -> usize {
        self.starts.carried()
    }

    /// There are so many lanes.
    pub(super) fn share_among(&mut self, lanes: usize) {
        let memory = self.options.memory;
        self.block = (memory / lanes.max(1)).clamp(SMALLEST.min(memory), LARGEST);
    }

    /// Whether another host gets a lane of its own.
    pub(super) fn has_room(&self, lanes: usize) -> bool {
        lanes < self.options.hosts.max(1)
    }

    /// Whether pages of this host wait for a lane.
    pub(super) fn has_beyond(&self, host: u64) -> bool {
        self.hosts_beyond.contains_key(&host)
    }

    /// Whether any do.
    pub(super) fn is_any_beyond(&self) -> bool {
        !self.beyond.is_empty()
    }

    /// Puts a page behind those that wait for a lane.
    pub(super) fn push_beyond(&mut self, host: u64, job: &Job) -> io::Result<()> {
        *self.hosts_beyond.entry(host).or_default() += 1;
        let mut beyond = std::mem::take(&mut self.beyond);
        let block = std::mem::replace(&mut self.block, LARGEST.min(self.options.memory));
        let pushed = self.push(&mut beyond, job);
        (self.beyond, self.block) = (beyond, block);
        pushed
    }

    /// Takes the first page that waits for a lane; `host` tells what stands for its host.
    pub(super) fn pop_beyond(&mut self, host: impl FnOnce(&Trail) -> u64) -> io::Result<Option<Job>> {
        let mut beyond = std::mem::take(&mut self.beyond);
        let job = self.pop(&mut beyond);
        self.beyond = beyond;
        if let Ok(Some(job)) = &job {
            let host = host(&job.trail);
            match self.hosts_beyond.get_mut(&host) {
                Some(count) if *count > 1 => *count -= 1,
                _ => drop(self.hosts_beyond.remove(&host)),
            }
        }
        job
    }

    /// Puts a page at the end of a strand.
    pub(super) fn push(&mut self, strand: &mut Strand, job: &Job) -> io::Result<()> {
        let Some(found) = &job.trail.found else { return Ok(()) };
        let start = self.starts.add(&job.target, found, job.trail.auth.as_ref());
        self.memory += strand.append(job, found, start);
        self.len += 1;
        if strand.tail() < self.block {
            return Ok(());
        }
        if self.memory <= self.options.memory {
            strand.seal();
            return Ok(());
        }
        self.memory -= strand.tail();
        strand.write(&mut self.blocks)
    }

    /// Takes the first page of a strand.
    pub(super) fn pop(&mut self, strand: &mut Strand) -> io::Result<Option<Job>> {
        if strand.is_empty() {
            return Ok(None);
        }
        let (before, waits) = (strand.memory(), strand.take(&mut self.blocks)?);
        self.memory = self.memory + strand.memory() - before;
        self.len -= 1;
        Ok(self.starts.take(waits.start).map(|root| waits.into_job(root)))
    }

    /// Forgets all pages, once nobody has a strand any more, and tells how many there were.
    pub(super) fn clear(&mut self) -> usize {
        let len = self.len;
        *self = Self::new(self.options.clone());
        len
    }
}

#[cfg(test)]
mod tests;
