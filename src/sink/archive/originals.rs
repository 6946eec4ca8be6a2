//! The payloads that later records may refer to.

use std::collections::{HashMap, VecDeque};

use super::capture::Original;
use crate::warc::Digest;

/// As many payloads are remembered.
const REMEMBERED: usize = 1 << 16;

/// The last payloads.
#[derive(Default)]
pub(super) struct Originals {
    known: HashMap<Digest, Original>,
    /// Their digests, the oldest one first.
    ages: VecDeque<Digest>,
}

impl Originals {
    /// Where this payload was written.
    pub(super) fn find(&self, digest: &Digest) -> Option<Original> {
        self.known.get(digest).cloned()
    }

    /// Remembers where one was written, unless it is known.
    pub(super) fn remember(&mut self, digest: Digest, original: Original) {
        if self.known.contains_key(&digest) {
            return;
        }
        if self.ages.len() == REMEMBERED
            && let Some(oldest) = self.ages.pop_front()
        {
            self.known.remove(&oldest);
        }
        self.known.insert(digest, original);
        self.ages.push_back(digest);
    }
}
