//! How many files the process may have open: each request in flight is one, each connection kept open is another.

use std::fs::{self, File};
use std::io;
use std::num::NonZeroUsize;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// What a run opens beside its outputs and its connections: a source, the runtime's own, name lookups.
const OTHERS: usize = 20;

/// Without so many of them, nothing can be fetched at all.
const LEAST: usize = 12;

/// Standard input, output and error.
const STANDARD: usize = 3;

/// What the limit of open files allows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Files {
    /// Requests in flight.
    pub(super) concurrency: NonZeroUsize,
    /// Connections that are kept for another request.
    pub(super) connections: usize,
}

/// What the limit of open files allows, with at most `wanted` requests in flight and so many other files, outputs for
/// example. The soft limit is raised to the hard one.
pub(super) fn afford(wanted: NonZeroUsize, others: usize) -> Files {
    let Some(limit) = raise() else { return Files { concurrency: wanted, connections: usize::MAX } };
    // Whoever started us may have left more open than the standard ones. Only Linux tells.
    let open = fs::read_dir("/proc/self/fd").map_or(STANDARD, Iterator::count);
    let affordable = usize::try_from(limit).unwrap_or(usize::MAX).saturating_sub(open + others + OTHERS);
    let concurrency = NonZeroUsize::new(affordable / 2).unwrap_or(NonZeroUsize::MIN).min(wanted);
    if concurrency < wanted {
        tracing::warn!(
            "--concurrency lowered from {wanted} to {concurrency}: only {limit} files may be open (ulimit -n)"
        );
    }
    Files { concurrency, connections: affordable.saturating_sub(concurrency.get()) }
}

/// Makes sure that what a run cannot do without can be opened: later on it would look like a failure of the network.
///
/// # Errors
/// The limit of open files is too low.
pub(super) fn ensure() -> io::Result<()> {
    let spare: io::Result<Vec<_>> = (0..LEAST).map(|_| File::open("/dev/null")).collect();
    spare.map(|_| ())
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
