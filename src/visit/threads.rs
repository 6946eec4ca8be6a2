//! The threads that read pages, apart from those that drive the network: as many as there are cores.
//!
//! Not the runtime's threads for what blocks, of which each page wakes another one: each keeps the memory of the largest
//! page that it has read, and pages are handed over twice as dearly.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread;

use tokio::sync::oneshot;

type Work = Box<dyn FnOnce() + Send>;

/// The threads; they start with the first work and end once nobody can give any more.
#[derive(Debug)]
pub(super) struct Threads {
    count: usize,
    queue: OnceLock<Option<Sender<Work>>>,
}

impl Threads {
    pub(super) fn new(count: usize) -> Self {
        Self { count, queue: OnceLock::new() }
    }

    /// Does `work` on one of the threads. A panic in there is one of whoever waits for it.
    pub(super) async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> T {
        let (give, take) = oneshot::channel();
        let work: Work = Box::new(move || {
            // Nobody may be waiting any more.
            let _ = give.send(catch_unwind(AssertUnwindSafe(work)));
        });
        match self.queue.get_or_init(|| self.start().ok()) {
            Some(queue) => queue.send(work).unwrap_or_else(|refused| refused.0()),
            // A machine without threads is slow, but not stuck.
            None => work(),
        }
        match take.await {
            Ok(done) => done.unwrap_or_else(|panic| resume_unwind(panic)),
            Err(_) => unreachable!("work is neither dropped nor done in part"),
        }
    }

    fn start(&self) -> io::Result<Sender<Work>> {
        let (queue, works) = channel();
        let works = Arc::new(Mutex::new(works));
        for _ in 0..self.count {
            let works = Arc::clone(&works);
            thread::Builder::new().name("reader".into()).spawn(move || read(&works))?;
        }
        Ok(queue)
    }
}

fn read(works: &Mutex<Receiver<Work>>) {
    let next = || works.lock().unwrap_or_else(PoisonError::into_inner).recv();
    while let Ok(work) = next() {
        work();
    }
}

#[cfg(test)]
mod tests {
    use futures::future::{FutureExt, join_all};

    use super::*;

    #[tokio::test]
    async fn work_is_done_on_no_more_threads_than_there_are() {
        let threads = Threads::new(2);
        let here = thread::current().id();
        let done = join_all((0..100).map(|n| threads.run(move || (n, thread::current().id())))).await;
        assert!(done.iter().map(|&(n, _)| n).eq(0..100));
        let mut used: Vec<_> = done.into_iter().map(|(_, thread)| format!("{thread:?}")).collect();
        used.sort();
        used.dedup();
        assert!(used.len() <= 2 && !used.contains(&format!("{here:?}")), "{used:?}");
    }

    #[tokio::test]
    async fn a_panic_is_one_of_whoever_waits_and_of_nobody_else() {
        let threads = Threads::new(1);
        let fails = AssertUnwindSafe(threads.run(|| -> u8 { panic!("amid a page") })).catch_unwind().await;
        assert_eq!(*fails.unwrap_err().downcast::<&str>().unwrap(), "amid a page");
        assert_eq!(threads.run(|| 7).await, 7);
    }

    #[tokio::test]
    async fn work_that_nobody_waits_for_any_more_keeps_nobody_waiting() {
        let threads = Threads::new(1);
        let (end, wait) = channel::<()>();
        let left = threads.run(move || wait.recv());
        let mut left = Box::pin(left);
        assert!(left.as_mut().now_or_never().is_none());
        drop(left);
        end.send(()).unwrap();
        assert_eq!(threads.run(|| 7).await, 7);
    }
}
