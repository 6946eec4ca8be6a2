//! How a run stands, while it runs: a bar on a terminal, with the busiest hosts above it, or a line now and then in a log.

use std::fs::File;
use std::io::{self, IsTerminal};
use std::os::fd::AsFd;
use std::os::unix::fs::FileTypeExt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use terminal_size::terminal_size_of;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::args::ProgressMode;
use super::logging::Voice;
use super::standing;
use crate::engine::Sink;
use crate::frontier::{Frontier, Host, Progress as Standing};
use crate::job::Outcome;
use crate::sink::{grouped, human_duration, rate};

/// The time between two lines of a log.
const INTERVAL: Duration = Duration::from_secs(10);

/// The time between two looks at the bar. It is drawn then and only then: a run never waits for a terminal.
const TICK: Duration = Duration::from_millis(100);

/// How many hosts are shown above the bar.
const HOSTS: usize = 5;

/// How many lines a terminal has at least in which they are: most of it is for records.
const TALL: u16 = 16;

/// A bar, hidden where there is to be none.
pub(super) fn bar(mode: ProgressMode, quiet: bool) -> ProgressBar {
    let wanted = match mode {
        ProgressMode::Bar => true,
        // What reads a pipe is likely to write to the same terminal.
        ProgressMode::Auto => !quiet && io::stderr().is_terminal() && !is_pipe(),
        ProgressMode::Log | ProgressMode::None => false,
    };
    if wanted {
        ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(10))
    } else {
        ProgressBar::hidden()
    }
}

fn is_pipe() -> bool {
    let stdout = io::stdout().as_fd().try_clone_to_owned().map(File::from);
    let kind = stdout.and_then(|stdout| Ok(stdout.metadata()?.file_type()));
    kind.is_ok_and(|kind| kind.is_fifo() || kind.is_socket())
}

/// Shows how a run stands until it is finished. A sink, as it sees every outcome.
pub(super) struct Progress {
    failed: Arc<AtomicU64>,
    bar: ProgressBar,
    watch: Option<(mpsc::Sender<()>, JoinHandle<()>)>,
}

/// Where the figures come from.
#[derive(Clone)]
struct View {
    frontier: Frontier,
    failed: Arc<AtomicU64>,
    started: Instant,
}

impl Progress {
    /// Shows how the run of `frontier` stands, in `bar` or, in the mode for logs, through `voice`.
    pub(super) fn start(mode: ProgressMode, frontier: &Frontier, bar: ProgressBar, voice: &Voice) -> Self {
        let failed = Arc::new(AtomicU64::new(0));
        let view = View { frontier: frontier.clone(), failed: Arc::clone(&failed), started: Instant::now() };
        let watch = if mode == ProgressMode::Log {
            let voice = voice.clone();
            Some(every(INTERVAL, move || voice.say(view.line())))
        } else if bar.is_hidden() {
            None
        } else {
            bar.set_style(ProgressStyle::with_template("{msg}").unwrap_or_else(|_| ProgressStyle::default_bar()));
            // Whoever says something waits for the bar to stand aside, and may hold the frontier meanwhile: the frontier is
            // looked at before the bar is touched.
            let bar = bar.clone();
            let draw = move || bar.set_message(view.picture());
            draw();
            Some(every(TICK, draw))
        };
        Self { failed, bar, watch }
    }
}

/// A thread that does something at each such time, until it is told to stop.
fn every(time: Duration, act: impl Fn() + Send + 'static) -> (mpsc::Sender<()>, JoinHandle<()>) {
    let (stop, stopped) = mpsc::channel();
    let thread = std::thread::spawn(move || {
        while stopped.recv_timeout(time) == Err(mpsc::RecvTimeoutError::Timeout) {
            act();
        }
    });
    (stop, thread)
}

impl View {
    /// The busiest hosts, where there is room and something to tell of them, above the bar.
    fn picture(&self) -> String {
        let (width, height) = terminal_size_of(io::stderr()).map_or((80, 0), |(width, height)| (width.0, height.0));
        let room = usize::from(width);
        let hosts = if height < TALL { Vec::new() } else { self.frontier.hosts(HOSTS) };
        let hosts = if standing::is_telling(&hosts) { hosts } else { Vec::new() };
        // A line that is as wide as the terminal may take two.
        let line = |host: &Host| standing::line(host).chars().take(room.saturating_sub(1)).collect();
        hosts.iter().map(line).chain([self.bar(room)]).collect::<Vec<_>>().join("\n")
    }

    /// A bar and as much of the figures as there is room for.
    fn bar(&self, room: usize) -> String {
        let Standing { targets, settled, .. } = self.frontier.progress();
        let mut figures = self.figures();
        while figures.len() > 1 && figures.join("  ").len() >= room {
            figures.pop();
        }
        let text = figures.join("  ");
        let width = room.saturating_sub(text.len() + 3).min(24);
        let done = usize::try_from(settled * width as u64 / targets.max(1)).unwrap_or(0);
        format!("{}{}  {text}", "━".repeat(done), "─".repeat(width.saturating_sub(done)))
    }

    fn line(&self) -> String {
        self.figures().join("  ")
    }

    /// Done of all, rate, in flight, failed, and how long it will take.
    fn figures(&self) -> Vec<String> {
        let Standing { targets, settled, in_flight, is_complete, .. } = self.frontier.progress();
        let elapsed = self.started.elapsed();
        // While the list is being read, there may be more.
        let more = if is_complete { "" } else { "+" };
        let mut parts = vec![
            format!("{}/{}{more}", grouped(settled), grouped(targets)),
            rate(settled, elapsed),
            format!("{in_flight} in flight"),
        ];
        let failed = self.failed.load(Ordering::Relaxed);
        if failed > 0 {
            parts.push(format!("{} failed", grouped(failed)));
        }
        if is_complete && let Some(eta) = time_for(targets - settled, settled, elapsed) {
            parts.push(format!("{} left", human_duration(eta)));
        }
        parts
    }
}

/// How long `left` targets will take, where that can be told.
#[expect(clippy::cast_precision_loss, reason = "an estimate needs no 53 bits")]
fn time_for(left: u64, settled: u64, elapsed: Duration) -> Option<Duration> {
    let is_known = left > 0 && settled > 0 && elapsed > Duration::from_secs(1);
    is_known.then(|| elapsed.mul_f64(left as f64 / settled as f64))
}

impl Sink for Progress {
    fn accept(&mut self, outcome: &Outcome) -> io::Result<()> {
        self.failed.fetch_add(u64::from(outcome.failure().is_some()), Ordering::Relaxed);
        Ok(())
    }

    fn finish(self: Box<Self>) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some((stop, thread)) = self.watch.take() {
            drop(stop);
            // It only ever talks: that it panicked harms nothing.
            let _ = thread.join();
        }
        self.bar.finish_and_clear();
    }
}
