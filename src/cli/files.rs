//! How many files the process may have open: each request in flight is one, each connection kept open is another.

use std::num::NonZeroUsize;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Sources, outputs, the runtime's own, name lookups.
const OTHERS: u64 = 24;

/// What the limit of open files allows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Files {
    /// Requests in flight.
    pub(super) concurrency: NonZeroUsize,
    /// Connections that are kept for another request.
    pub(super) connections: usize,
}

/// What the limit of open files allows, with at most `wanted` requests in flight. The soft limit is raised to the hard
/// one.
pub(super) fn afford(wanted: NonZeroUsize) -> Files {
    let Some(limit) = raise() else { return Files { concurrency: wanted, connections: usize::MAX } };
    let affordable = usize::try_from(limit.saturating_sub(OTHERS)).unwrap_or(usize::MAX);
    let concurrency = NonZeroUsize::new(affordable / 2).unwrap_or(NonZeroUsize::MIN).min(wanted);
    if concurrency < wanted {
        tracing::warn!(
            "--concurrency lowered from {wanted} to {concurrency}: only {limit} files may be open (ulimit -n)"
        );
    }
    Files { concurrency, connections: affordable.saturating_sub(concurrency.get()) }
}

/// Raises the limit as far as it goes; none means that there is none.
fn raise() -> Option<u64> {
    /// What systems allow that call their hard limit infinite.
    const USUAL: u64 = 10_240;
    let limit = getrlimit(Resource::Nofile);
    let usual = Some(limit.maximum.unwrap_or(u64::MAX).min(USUAL));
    let raised = [limit.maximum, usual].into_iter().find(|&current| {
        let wanted = Rlimit { current, maximum: limit.maximum };
        setrlimit(Resource::Nofile, wanted).is_ok()
    });
    raised.unwrap_or(limit.current)
}
