//! Pages read: here and now, or on a thread of their own.

use std::sync::Arc;

use tokio::sync::Semaphore;

use super::threads::Threads;
use super::{Accepted, Crawl, without_page};
use crate::extract::{Extracted, Extractor, Followed};
use crate::failure::Failure;
use crate::fetch::{Fetched, Limits, Timing, restore};
use crate::job::{End, Facts, Stored};
use crate::page::Page;

/// A page larger than this is large: without its tree, 256 KiB take about a millisecond.
const LARGE: usize = 256 << 10;

/// So much of a page takes one permit to read. A tree may take thirty times as much memory as its text.
const PORTION: usize = 4 << 20;

/// How many permits there are.
const PORTIONS: usize = 8;

/// Reads pages. Clones share the bounds on how many are read at once.
#[derive(Clone, Debug)]
pub struct Reader {
    extractor: Arc<Extractor>,
    accepted: Accepted,
    /// Away from the threads that drive the network. No page waits behind a large one, unless it is large itself: its host
    /// waits with it for the next request.
    threads: Arc<Threads>,
    threads_for_large: Arc<Threads>,
    /// Bounds what these and those that wait for them hold of large pages.
    portions: Arc<Semaphore>,
    /// Whether facts tell what an answer said of its version.
    keeps_validators: bool,
}

/// What is to be read of an answer.
pub(super) struct What {
    /// Whether it has no body, as none was asked for.
    pub(super) is_head: bool,
    /// The crawl that goes on from it.
    pub(super) crawl: Option<Arc<Crawl>>,
}

/// A page that was read.
pub(super) struct Read {
    pub(super) facts: Facts,
    pub(super) extracted: Extracted,
    /// Where it leads, where somebody asked for that.
    pub(super) followed: Option<Followed>,
    /// Why it does not count as fetched, whatever is in it.
    pub(super) refused: Option<Failure>,
}

impl Read {
    pub(super) fn finish(self) -> (Facts, End) {
        (self.facts, End::Done { rows: self.extracted.rows, failure: self.refused.or(self.extracted.failure) })
    }
}

impl Reader {
    pub(super) fn new(extractor: Extractor, accepted: Accepted) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let threads = || Arc::new(Threads::new(cores));
        let portions = Arc::new(Semaphore::new(PORTIONS));
        Self {
            extractor: Arc::new(extractor),
            accepted,
            threads: threads(),
            threads_for_large: threads(),
            portions,
            keeps_validators: false,
        }
    }

    pub(super) fn with_validators(self) -> Self {
        Self { keeps_validators: true, ..self }
    }

    /// Whether a page must be told how long its request took.
    pub(super) fn needs_timing(&self) -> bool {
        self.extractor.needs_timing()
    }

    /// Reads an answer, in which there is no body if `what` says so.
    pub(super) async fn read(&self, fetched: Fetched, timing: Option<Timing>, what: What) -> Read {
        let validators = self.keeps_validators.then(|| fetched.head.validators().map(Box::new)).flatten();
        let (What { is_head, crawl }, size) = (what, fetched.body.len());
        let is_quick = self.extractor.is_quick() && crawl.as_ref().is_none_or(|crawl| !crawl.follow.needs_tree());
        let read = move |extractor: &Extractor| extract(extractor, &fetched, timing, crawl.as_deref());
        let read = self.run(size, is_quick, read).await;
        let read = self.judge(read, is_head);
        Read { facts: Facts { validators, ..read.facts }, ..read }
    }

    /// Reads an answer that an archive has. Its content codings are undone where it is read: no more pages are in memory
    /// at once than are read at once.
    pub(super) async fn restore(&self, stored: Arc<Stored>, limits: Limits) -> (Option<Facts>, End) {
        let (is_head, size) = (stored.is_head, stored.response.as_ref().map_or(0, |response| response.body.len()));
        let work = move |extractor: &Extractor| {
            restore(&stored, &limits).map(|fetched| extract(extractor, &fetched, None, None))
        };
        match self.run(size, self.extractor.is_quick(), work).await {
            Ok(read) => {
                let (facts, end) = self.judge(read, is_head).finish();
                (Some(facts), end)
            }
            Err(unanswered) => without_page(*unanswered),
        }
    }

    /// Why an answer with this status does not count as fetched.
    pub(super) fn refuse(&self, status: u16) -> Option<Failure> {
        self.accepted.judge(status)
    }

    fn judge(&self, (mut facts, extracted, followed): (Facts, Extracted, Option<Followed>), is_head: bool) -> Read {
        let refused = self.accepted.judge(facts.status);
        if refused.is_some() {
            facts.links_found = None;
        }
        if is_head {
            // There is no body, which is not one of no bytes.
            (facts.charset, facts.length, facts.bytes) = (None, None, None);
        }
        Read { facts, extracted, followed, refused }
    }

    /// Does what takes as long as reading so many bytes: a lot of it away from the network.
    async fn run<T: Send + 'static>(
        &self,
        bytes: usize,
        is_quick: bool,
        work: impl FnOnce(&Extractor) -> T + Send + 'static,
    ) -> T {
        let is_large = bytes > LARGE;
        if is_quick && !is_large {
            return work(&self.extractor);
        }
        let extractor = Arc::clone(&self.extractor);
        if !is_large {
            return self.threads.run(move || work(&extractor)).await;
        }
        let portions = bytes.div_ceil(PORTION).clamp(1, PORTIONS);
        let portions = u32::try_from(portions).unwrap_or(1);
        // The semaphore is never closed; without a permit the page is read all the same.
        let permit = Arc::clone(&self.portions).acquire_many_owned(portions).await;
        let work = move || {
            let _permit = permit;
            work(&extractor)
        };
        self.threads_for_large.run(work).await
    }
}

fn extract(
    extractor: &Extractor,
    fetched: &Fetched,
    timing: Option<Timing>,
    crawl: Option<&Crawl>,
) -> (Facts, Extracted, Option<Followed>) {
    let (status, content_type) = (fetched.head.status, fetched.head.content_type());
    let page = Page { timing, ..Page::read(fetched) };
    let (mut extracted, followed) = match crawl {
        None => (extractor.read(&page), None),
        Some(crawl) => {
            let (extracted, followed) = extractor.read_and_follow(&page, &crawl.follow);
            (extracted, Some(followed))
        }
    };
    let facts = Facts {
        status,
        content_type,
        charset: page.charset,
        length: Some(page.length),
        bytes: Some(page.bytes),
        title: extracted.title.take(),
        signature: extracted.signature.take(),
        links_found: followed.as_ref().map(|followed| followed.found),
        recipe: extracted.recipe.as_ref().map(|recipe| recipe.used),
        fragments: None,
        validators: None,
    };
    (facts, extracted, followed)
}

#[cfg(test)]
mod tests {
    use std::sync::{Mutex, mpsc};

    use futures::future::{FutureExt, join_all};

    use super::*;
    use crate::extract::Ask;

    #[tokio::test]
    async fn no_page_waits_behind_a_large_one_but_those_that_are_large() {
        let extractor = Extractor::new(&[Ask::Select("h1=h1".into())]).unwrap();
        let reader = Reader::new(extractor, Accepted::default());
        let (end, ended) = mpsc::channel::<()>();
        let ended = Arc::new(Mutex::new(ended));
        let wait = |_| {
            let ended = Arc::clone(&ended);
            reader.run(LARGE + 1, false, move |_| ended.lock().unwrap().recv().is_err())
        };
        let mut large = Box::pin(join_all((0..PORTIONS).map(wait)));
        assert!(large.as_mut().now_or_never().is_none());
        assert_eq!(reader.run(LARGE, false, |_| "a small page").await, "a small page");
        drop(end);
        assert_eq!(large.await, [true; PORTIONS]);
    }
}
