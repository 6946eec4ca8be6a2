//! How many files the process may have open: each request in flight is one, each connection kept open is another.

use std::fs::{self, File};
use std::io;
use std::num::NonZeroUsize;

use rustix::io::fcntl_dupfd_cloexec;
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
    make_room(open + others + OTHERS + concurrency.get());
    Files { concurrency, connections: affordable.saturating_sub(concurrency.get()) }
}

/// Has the table of open files grow to so many at once. Linux doubles it when it is full, and where threads share it, each
/// time waits until no processor can be reading the old one: 10 ms in which no connection can be opened. A process has
/// one thread when it plans its run.
fn make_room(files: usize) {
    // A table that grows later will do, too.
    let _ = i32::try_from(files).map(|last| fcntl_dupfd_cloexec(io::stderr(), last));
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

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_open_files_has_room_for_all_of_a_run_from_the_start() {
        let size = || -> usize {
            let status = fs::read_to_string("/proc/self/status").unwrap();
            let line = status.lines().find_map(|line| line.strip_prefix("FDSize:")).unwrap();
            line.trim().parse().unwrap()
        };
        let wanted = (size() + 1).max(200);
        make_room(wanted);
        assert!(size() >= wanted);
    }
}
