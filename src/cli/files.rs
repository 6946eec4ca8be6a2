//! How many files the process may have open: each request in flight is one, each connection kept open is another.

use std::num::NonZeroUsize;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Sources, outputs, the runtime's own, name lookups.
const OTHERS: u64 = 24;

/// The concurrency that the limit of open files allows, at most `wanted`. The soft limit is raised to the hard one.
pub(super) fn afford(wanted: NonZeroUsize) -> NonZeroUsize {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, ..limit };
    let limit = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => limit.maximum,
        Err(_) => limit.current,
    };
    // None means that there is no limit.
    let Some(limit) = limit else { return wanted };
    // As many again may be idle, waiting for the next request to their host.
    let affordable = usize::try_from(limit.saturating_sub(OTHERS) / 2).unwrap_or(usize::MAX);
    match NonZeroUsize::new(affordable).unwrap_or(NonZeroUsize::MIN) {
        affordable if affordable < wanted => {
            tracing::warn!(
                "--concurrency lowered from {wanted} to {affordable}: only {limit} files may be open (ulimit -n)"
            );
            affordable
        }
        _ => wanted,
    }
}
