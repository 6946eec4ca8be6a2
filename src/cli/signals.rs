//! What signals do: the first one lets what is in flight end, the second one ends everything.

use std::io;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures::future::{FutureExt, select_all};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::exit::Status;
use super::logging::Voice;
use crate::frontier::Frontier;

/// How long what is in flight may take to end.
const GRACE: Duration = Duration::from_secs(5);

/// How long the records of what was cut off may take to be written: a reader may have stopped reading.
const LAST_RECORDS: Duration = Duration::from_secs(1);

/// The signal that was caught, as an exit status.
#[derive(Clone, Debug, Default)]
pub(super) struct Caught(Arc<OnceLock<Status>>);

impl Caught {
    pub(super) fn status(&self) -> Option<Status> {
        self.0.get().copied()
    }
}

/// Watches for signals in a task of its own: a standard output that blocks must not block Ctrl-C.
///
/// # Errors
/// The system does not let signals be watched.
pub(super) fn watch(frontier: Frontier, cancel: CancellationToken, voice: Voice) -> io::Result<Caught> {
    let caught = Caught::default();
    let mut signals = Signals::new()?;
    let first = caught.clone();
    tokio::spawn(async move {
        let status = signals.next().await;
        let _ = first.0.set(status);
        frontier.close();
        let in_flight = frontier.progress().in_flight;
        // Apart from this task: whoever holds the terminal may be blocked.
        tokio::task::spawn_blocking(move || {
            voice.say(format_args!("stopping: {in_flight} in flight (again: at once)"));
        });
        let Ok(status) = timeout(GRACE, signals.next()).await else {
            cancel.cancel();
            let status = timeout(LAST_RECORDS, signals.next()).await.unwrap_or(status);
            exit(status);
        };
        exit(status)
    });
    Ok(caught)
}

#[expect(clippy::exit, reason = "the main thread may be blocked for ever in a write")]
fn exit(status: Status) -> ! {
    std::process::exit(status.code().into())
}

struct Signals([(tokio::signal::unix::Signal, Status); 3]);

impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self([
            (signal(SignalKind::interrupt())?, Status::Interrupted),
            (signal(SignalKind::terminate())?, Status::Terminated),
            (signal(SignalKind::hangup())?, Status::Terminated),
        ]))
    }

    /// The next signal.
    async fn next(&mut self) -> Status {
        let caught = self.0.iter_mut().map(|(signal, status)| signal.recv().map(|_| *status).boxed());
        select_all(caught).await.0
    }
}
