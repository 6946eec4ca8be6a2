//! Pages read: here and now, or on a thread of their own.

use std::sync::Arc;

use tokio::sync::Semaphore;

use super::{Accepted, without_page};
use crate::extract::{Extracted, Extractor};
use crate::fetch::{Fetched, Limits, restore};
use crate::job::{End, Facts, Stored};
use crate::page::Page;

/// A page larger than this is read away from the threads that drive the network: 256 KiB take about a millisecond.
const INLINE: usize = 256 << 10;

/// So much of a page takes one permit to read. A tree may take thirty times as much memory as its text.
const PORTION: usize = 4 << 20;

/// Reads pages. Clones share the bounds on how many are read at once.
#[derive(Clone, Debug)]
pub struct Reader {
    extractor: Arc<Extractor>,
    accepted: Accepted,
    /// Bounds the pages that are read away from the network.
    readers: Arc<Semaphore>,
    /// How many of them are read at once.
    permits: usize,
}

impl Reader {
    pub(super) fn new(extractor: Extractor, accepted: Accepted) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        // More than there are cores: when one page has been read another one is there.
        let permits = 3 * cores;
        let readers = Arc::new(Semaphore::new(permits));
        Self { extractor: Arc::new(extractor), accepted, readers, permits }
    }

    /// Reads an answer, in which there is no body if that `is_head`.
    pub(super) async fn read(&self, fetched: Fetched, is_head: bool) -> (Facts, End) {
        let read = self.run(fetched.body.len(), move |extractor| extract(extractor, &fetched)).await;
        self.judge(read, is_head)
    }

    /// Reads an answer that an archive has. Its content codings are undone where it is read: no more pages are in memory
    /// at once than are read at once.
    pub(super) async fn restore(&self, stored: Arc<Stored>, limits: Limits) -> (Option<Facts>, End) {
        let (is_head, size) = (stored.is_head, stored.response.as_ref().map_or(0, |response| response.body.len()));
        let work = move |extractor: &Extractor| restore(&stored, &limits).map(|fetched| extract(extractor, &fetched));
        match self.run(size, work).await {
            Ok(read) => {
                let (facts, end) = self.judge(read, is_head);
                (Some(facts), end)
            }
            Err(unanswered) => without_page(*unanswered),
        }
    }

    fn judge(&self, (mut facts, extracted): (Facts, Extracted), is_head: bool) -> (Facts, End) {
        let status = facts.status;
        if is_head {
            // There is no body, which is not one of no bytes.
            (facts.charset, facts.length, facts.bytes) = (None, None, None);
        }
        let failure = self.accepted.judge(status).or(extracted.failure);
        (facts, End::Done { rows: extracted.rows, failure })
    }

    /// Does what takes as long as reading so many bytes: a lot of it on a thread of its own, at most three times as many
    /// at once as there are cores; fewer where they are large.
    async fn run<T: Send + 'static>(&self, bytes: usize, work: impl FnOnce(&Extractor) -> T + Send + 'static) -> T {
        if self.extractor.is_quick() && bytes <= INLINE {
            return work(&self.extractor);
        }
        // The semaphore is never closed; without a permit the page is read all the same.
        let portions = bytes.div_ceil(PORTION).clamp(1, self.permits);
        let portions = u32::try_from(portions).unwrap_or(1);
        let permit = Arc::clone(&self.readers).acquire_many_owned(portions).await;
        let extractor = Arc::clone(&self.extractor);
        let task = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            work(&extractor)
        });
        // A panic in there is a panic of this visit.
        task.await.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
    }
}

fn extract(extractor: &Extractor, fetched: &Fetched) -> (Facts, Extracted) {
    let (status, content_type) = (fetched.head.status, fetched.head.content_type());
    let page = Page::read(fetched);
    let mut extracted = extractor.read(&page);
    let facts = Facts {
        status,
        content_type,
        charset: page.charset,
        length: Some(page.length),
        bytes: Some(page.bytes),
        title: extracted.title.take(),
        signature: extracted.signature.take(),
    };
    (facts, extracted)
}
