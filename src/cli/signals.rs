//! What ends a run before its time: the first signal, or the deadline, lets what is in flight end; the next signal ends
//! everything. SIGUSR1 asks how the run stands.

use std::io;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures::future::{FutureExt, pending, select_all};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::exit::Status;
use super::logging::Voice;
use super::standing;
use crate::frontier::Frontier;

/// POSIX has no number for it; on all systems that there are it is this.
const SIGXFSZ: i32 = 25;

/// How long what is in flight may take to end.
const GRACE: Duration = Duration::from_secs(5);

/// How long the records of what was cut off may take to be written: a reader may have stopped reading.
const LAST_RECORDS: Duration = Duration::from_secs(1);

/// What stopped the run, as an exit status.
#[derive(Clone, Debug, Default)]
pub(super) struct Caught {
    status: Arc<OnceLock<Status>>,
    drained: CancellationToken,
}

impl Caught {
    pub(super) fn status(&self) -> Option<Status> {
        self.status.get().copied()
    }

    /// Nothing is in flight any more, and all is written. What is left to do takes its time, and the next signal ends it at
    /// once.
    pub(super) fn drained(&self) {
        self.drained.cancel();
    }
}

/// Watches for signals, and for the end of the time that the run may take, in a task of its own: a standard output that
/// blocks must not block Ctrl-C.
///
/// # Errors
/// The system does not let signals be watched.
pub(super) fn watch(
    frontier: Frontier,
    cancel: CancellationToken,
    voice: Voice,
    deadline: Option<Duration>,
) -> io::Result<Caught> {
    let caught = Caught::default();
    let mut signals = Signals::new()?;
    tell_when_asked(frontier.clone(), voice.clone())?;
    // What is too large for a limit (ulimit -f) is an error of whoever writes, and not the end of the program.
    let _watched = signal(SignalKind::from_raw(SIGXFSZ))?;
    let first = caught.clone();
    tokio::spawn(async move {
        let status = tokio::select! {
            status = signals.next() => status,
            () = passing(deadline) => Status::Unfinished,
        };
        let status = match status {
            // Only the last records are still to be written: it was in time.
            Status::Unfinished if frontier.is_finished() => signals.next().await,
            status => status,
        };
        if first.drained.is_cancelled() {
            exit(status);
        }
        let _ = first.status.set(status);
        frontier.close();
        let in_flight = frontier.progress().in_flight;
        // Apart from this task: whoever holds the terminal may be blocked.
        tokio::task::spawn_blocking(move || {
            let (why, next) = match status {
                Status::Unfinished => ("the deadline has passed", "Ctrl-C"),
                _ => ("stopping", "once more"),
            };
            voice.say(format_args!("{why}: up to 5 s for {in_flight} in flight; {next} ends at once"));
        });
        let waited = tokio::select! {
            waited = timeout(GRACE, signals.next()) => waited,
            () = first.drained.cancelled() => Ok(signals.next().await),
        };
        let Ok(status) = waited else {
            // What still waits for its turn ends, too.
            frontier.close();
            cancel.cancel();
            exit(tokio::select! {
                waited = timeout(LAST_RECORDS, signals.next()) => waited.unwrap_or(status),
                () = first.drained.cancelled() => signals.next().await,
            });
        };
        exit(status)
    });
    Ok(caught)
}

/// Says how the run stands each time that somebody asks (SIGUSR1).
fn tell_when_asked(frontier: Frontier, voice: Voice) -> io::Result<()> {
    let mut asked = signal(SignalKind::user_defined1())?;
    tokio::spawn(async move {
        while asked.recv().await.is_some() {
            let (frontier, voice) = (frontier.clone(), voice.clone());
            // As below.
            tokio::task::spawn_blocking(move || standing::tell(&frontier, &voice));
        }
    });
    Ok(())
}

/// Waits for so long; for ever where there is no deadline.
async fn passing(deadline: Option<Duration>) {
    match deadline {
        Some(time) => sleep(time).await,
        None => pending().await,
    }
}

#[expect(clippy::exit, reason = "the main thread may be blocked for ever in a write")]
fn exit(status: Status) -> ! {
    std::process::exit(status.code().into())
}

struct Signals(Vec<(Signal, Status)>);

impl Signals {
    /// The signals that stop a run, but for those that whoever started it wants ignored (`nohup`, `&`).
    fn new() -> io::Result<Self> {
        let ignored = ignored();
        let wanted = [
            (SignalKind::interrupt(), Status::Interrupted),
            (SignalKind::terminate(), Status::Terminated),
            (SignalKind::hangup(), Status::Terminated),
        ];
        let wanted = wanted.into_iter().filter(|(kind, _)| ignored & (1 << (kind.as_raw_value() - 1)) == 0);
        wanted.map(|(kind, status)| Ok((signal(kind)?, status))).collect::<io::Result<_>>().map(Self)
    }

    /// The next signal.
    async fn next(&mut self) -> Status {
        if self.0.is_empty() {
            return pending().await;
        }
        let caught = self.0.iter_mut().map(|(signal, status)| signal.recv().map(|_| *status).boxed());
        select_all(caught).await.0
    }
}

/// The signals that the process was started to ignore, a bit each. Only Linux tells.
fn ignored() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}
