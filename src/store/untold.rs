//! What a state was not told yet: it is told in batches.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::frontier::Advance;
use super::notes::Notes;
use super::tray::Tray;
use super::writer::{Batch, Observation, Teller};
use crate::engine::blocking;
use crate::seeds::budget::Budget;
use crate::state::Kept;

/// How many pages are told at once.
const PAGES: usize = 256;
/// After this time, fewer are.
const PATIENCE: Duration = Duration::from_millis(100);
/// The same where a file is compressed: records that are told of together are compressed together.
const LONG_PATIENCE: Duration = Duration::from_secs(5);
/// Bytes of pages to keep that are told at once, or one page.
const BODIES: usize = 1 << 20;

/// What is to be told, and to whom.
pub(super) struct Untold {
    teller: Teller,
    batch: Batch,
    /// Where one of the sinks leaves what is to be kept for the outbox.
    posts: Option<Tray>,
    /// What those who check links leave of what is told.
    notes: Option<Notes>,
    keeper: Option<Keeper>,
    told_at: Instant,
    patience: Duration,
}

/// The pages that are to be kept. They have memory of their own: what is in flight has all of the fetcher's to hope for.
#[derive(Default)]
struct Keeper {
    budget: Arc<Budget>,
    bytes: usize,
}

impl Untold {
    /// Nothing yet. It can wait for longer if a file `is_compressed`.
    pub(super) fn new(teller: Teller, is_compressed: bool, keeps_pages: bool, posts: Option<Tray>) -> Self {
        Self {
            teller,
            batch: Batch::default(),
            posts,
            notes: None,
            keeper: keeps_pages.then(Keeper::default),
            told_at: Instant::now(),
            patience: if is_compressed { LONG_PATIENCE } else { PATIENCE },
        }
    }

    /// The same with what those who check links leave.
    pub(super) fn with_notes(self, notes: Option<Notes>) -> Self {
        Self { notes, ..self }
    }

    /// Adds what an outcome says of its page, and how it moves a crawl on.
    pub(super) fn add(&mut self, page: Option<Observation>, advance: Option<Advance>) {
        self.batch.pages.extend(page);
        self.batch.advances.extend(advance);
    }

    /// Takes what is noted of an outcome; it is forgotten unless the outcome `stands`.
    pub(super) fn note(&mut self, stands: bool) {
        self.notes.iter_mut().for_each(|notes| notes.take(stands));
    }

    /// Whether pages are kept.
    pub(super) fn keeps_pages(&self) -> bool {
        self.keeper.is_some()
    }

    /// Whether it should be told before a page with a body of so many bytes is added.
    pub(super) fn has_no_room_for(&self, body: usize) -> bool {
        self.keeper.as_ref().is_some_and(|keeper| keeper.bytes > 0 && keeper.bytes + body > BODIES)
    }

    /// Adds a page to keep. Whoever writes may be far behind: then it waits.
    pub(super) fn keep(&mut self, page: Kept, body: &Bytes) {
        if let Some(keeper) = &mut self.keeper {
            keeper.bytes += body.len();
            let body = blocking(|| keeper.budget.hold(body.to_vec()));
            self.batch.kept.push(page.with_body(body));
        }
    }

    /// Whether that is enough to be told.
    pub(super) fn is_enough(&self) -> bool {
        self.batch.weight() >= PAGES || self.notes.as_ref().is_some_and(Notes::is_enough)
    }

    /// Whether there is something that has waited for long.
    pub(super) fn is_due(&self) -> bool {
        !self.batch.is_empty() && self.told_at.elapsed() >= self.patience
    }

    /// Tells it, with the positions up to which the files have the records of these pages.
    pub(super) fn tell(&mut self, positions: Vec<u64>) -> io::Result<()> {
        self.told_at = Instant::now();
        if let Some(keeper) = &mut self.keeper {
            keeper.bytes = 0;
        }
        let batch = std::mem::take(&mut self.batch);
        let notes = self.notes.as_mut().map_or(Ok(Vec::new()), Notes::pack)?;
        self.teller.tell(Batch { posts: self.take_posts(), notes, positions, ..batch })
    }

    /// Tells what is to be kept for the outbox, and nothing else.
    pub(super) fn tell_posts(&self) -> io::Result<()> {
        self.teller.tell(Batch { posts: self.take_posts(), ..Batch::default() })
    }

    /// Whether something is to be kept for the outbox.
    pub(super) fn has_outbox(&self) -> bool {
        self.posts.is_some()
    }

    fn take_posts(&self) -> Vec<u8> {
        self.posts.as_ref().map(Tray::take).unwrap_or_default()
    }
}
