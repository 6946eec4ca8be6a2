//! What is visited of what seeds and sitemaps name, where that is a random sample.

use std::num::NonZeroUsize;
use std::time::Instant;

use xxhash_rust::xxh3::xxh3_64;

use super::Queue;
use super::sample::Sample;
use crate::canonical::fingerprint;
use crate::job::{Job, Rejected, Seed};

/// How a sample is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Draw {
    /// How many there are in it.
    pub size: NonZeroUsize,
    /// What decides which: the same seed draws the same ones of the same URLs.
    pub seed: u64,
}

/// What may be drawn.
#[derive(Debug)]
pub(super) enum Candidate {
    /// A page that a seed names.
    Seed(Box<Seed>),
    /// A line that is no URL.
    Rejected(Box<Rejected>),
    /// A page that a sitemap names.
    Listed(Box<Job>),
}

impl Candidate {
    /// What it is drawn by.
    fn name(&self) -> u64 {
        match self {
            Self::Seed(seed) => fingerprint(&seed.url),
            Self::Rejected(rejected) => xxh3_64(rejected.target.given.as_bytes()),
            Self::Listed(job) => fingerprint(&job.trail.url),
        }
    }
}

impl Queue {
    /// Keeps back what may be drawn; where nothing is drawn, it comes back.
    pub(super) fn sample_or(&mut self, candidate: Candidate) -> Option<Candidate> {
        let Some(sample) = &mut self.sample else { return Some(candidate) };
        // Answers that archives bring along are too large to be kept back.
        if matches!(&candidate, Candidate::Seed(seed) if seed.stored.is_some()) {
            return Some(candidate);
        }
        sample.offer(candidate.name(), candidate);
        None
    }

    /// Takes the sample in once all is named that will be.
    pub(super) fn take_sample_in(&mut self, now: Instant) {
        let progress = &self.progress;
        if self.sample.is_none() || !progress.is_complete || progress.queued + progress.in_flight > 0 {
            return;
        }
        for candidate in self.sample.take().into_iter().flat_map(Sample::into_things) {
            self.take_in(candidate, now);
        }
    }
}
