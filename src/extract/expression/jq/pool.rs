//! The processes that programs run in, seen from here.

use std::cell::Cell;
use std::io::{self, BufRead, BufReader, Write};
use std::num::NonZeroUsize;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, ChildStdin, ChildStdout, ExitStatus, Stdio};
use std::sync::{Condvar, Mutex, PoisonError};
use std::thread::available_parallelism;
use std::time::Duration;

use rustix::process::Signal;
use url::Url;

use super::{Answer, Process, Program, Task};
use crate::extract::deadline::Deadline;
use crate::extract::expression::check_size;
use crate::failure::{Failure, Kind};
use crate::value::Value;

/// Processes, at most one for each core.
#[derive(Debug)]
pub(in crate::extract) struct Pool {
    process: Process,
    seats: Mutex<Seats>,
    /// Some process is no longer in use.
    left: Condvar,
}

#[derive(Debug)]
struct Seats {
    idle: Vec<Worker>,
    /// How many more may be started.
    free: usize,
}

impl Pool {
    /// A pool without processes yet.
    pub(in crate::extract) fn new(process: Process) -> Self {
        let free = available_parallelism().map_or(1, NonZeroUsize::get);
        Self { process, seats: Mutex::new(Seats { idle: Vec::new(), free }), left: Condvar::new() }
    }

    /// How many files it may have open at once: the ends of two pipes, and twice as many while a process is started.
    pub(in crate::extract) fn files(&self) -> usize {
        let seats = self.seats.lock().unwrap_or_else(PoisonError::into_inner);
        4 * (seats.free + seats.idle.len())
    }

    /// Has a process answer. One that does not has ended.
    fn ask(&self, task: &[u8]) -> Result<Answer, Failure> {
        let mut seat = self.seat();
        let worker = match seat.worker.take() {
            Some(worker) => Ok(worker),
            None => Worker::start(self.process),
        };
        let cannot = |error: io::Error| Failure::new(Kind::Internal, format!("cannot run jq programs: {error}"));
        let mut worker = worker.map_err(cannot)?;
        match worker.ask(task) {
            Ok(answer) => {
                seat.worker = Some(worker);
                Ok(answer)
            }
            Err(error) if error.classify() == serde_json::error::Category::Syntax => Err(too_deep()),
            Err(_) => Err(why_ended(worker.end().map_err(cannot)?)),
        }
    }

    /// Waits until a process may be used.
    fn seat(&self) -> Seat<'_> {
        let seats = self.seats.lock().unwrap_or_else(PoisonError::into_inner);
        let is_full = |seats: &mut Seats| seats.idle.is_empty() && seats.free == 0;
        let mut seats = self.left.wait_while(seats, is_full).unwrap_or_else(PoisonError::into_inner);
        let worker = seats.idle.pop();
        if worker.is_none() {
            seats.free -= 1;
        }
        Seat { pool: self, worker }
    }
}

/// The right to use a process, and the process where one has been started.
struct Seat<'p> {
    pool: &'p Pool,
    worker: Option<Worker>,
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        let mut seats = self.pool.seats.lock().unwrap_or_else(PoisonError::into_inner);
        match self.worker.take() {
            Some(worker) => seats.idle.push(worker),
            None => seats.free += 1,
        }
        self.pool.left.notify_one();
    }
}

/// A process. It ends with this value.
#[derive(Debug)]
struct Worker {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Worker {
    fn start(process: Process) -> io::Result<Self> {
        let mut command = process();
        // A terminal's Ctrl-C is for us: what is in flight is to end well.
        command.env_clear().current_dir("/").process_group(0);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(io::ErrorKind::BrokenPipe.into());
        };
        Ok(Self { child, input, output: BufReader::new(output) })
    }

    fn ask(&mut self, task: &[u8]) -> serde_json::Result<Answer> {
        self.input.write_all(task).map_err(serde_json::Error::io)?;
        let mut line = Vec::new();
        self.output.read_until(b'\n', &mut line).map_err(serde_json::Error::io)?;
        serde_json::from_slice(&line)
    }

    fn end(&mut self) -> io::Result<ExitStatus> {
        self.child.kill()?;
        self.child.wait()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // One that has ended is fine.
        let _ = self.end();
    }
}

fn too_deep() -> Failure {
    Failure::new(Kind::TooComplex, "what a jq program gives is nested too deeply")
}

fn too_long() -> Failure {
    Failure::new(Kind::TooComplex, "a jq program takes too long")
}

/// Why a process has ended.
fn why_ended(status: ExitStatus) -> Failure {
    match status.signal() {
        Some(signal) if signal == Signal::XCPU.as_raw() => too_long(),
        Some(_) => Failure::new(Kind::TooComplex, "a jq program takes too much memory, or calls itself too deeply"),
        None => Failure::new(Kind::Internal, format!("the process for jq programs has ended: {status}")),
    }
}

/// Runs programs for one page.
#[derive(Debug)]
pub(in crate::extract) struct Runner<'p> {
    pool: &'p Pool,
    url: &'p Url,
    deadline: &'p Deadline,
    /// How many bytes all that was given takes.
    given: Cell<usize>,
}

impl<'p> Runner<'p> {
    pub(in crate::extract) fn new(pool: &'p Pool, url: &'p Url, deadline: &'p Deadline) -> Self {
        Self { pool, url, deadline, given: Cell::new(0) }
    }

    /// What programs give, each the first value or, where so said, all; none where one fails.
    ///
    /// # Errors
    /// That takes too long or too much memory, or too much is given.
    pub(in crate::extract) fn run(
        &self,
        programs: &[(&Program, bool)],
        input: &Value<'static>,
    ) -> Result<Vec<Option<Vec<Value<'static>>>>, Failure> {
        let left = self.deadline.left().ok_or_else(too_long)?;
        let programs = programs.iter().map(|(program, is_list)| (program.0.to_string(), *is_list)).collect();
        let task = Task { programs, seconds: left.as_secs_f64(), input };
        // Serialising our own values to memory cannot fail: every key is a string.
        let mut task = serde_json::to_vec(&task).unwrap_or_default();
        task.push(b'\n');
        let answer = self.pool.ask(&task)?;
        self.deadline.spend(Duration::try_from_secs_f64(answer.seconds).unwrap_or_default());
        if self.deadline.has_passed() {
            return Err(too_long());
        }
        let given = answer.given.ok_or_else(|| Failure::new(Kind::TooComplex, "jq programs give more than 64 MiB"))?;
        self.given.set(self.given.get() + given.iter().flat_map(|(values, _)| values).map(Value::size).sum::<usize>());
        check_size(self.given.get())?;
        let values = |(values, failure): (_, Option<String>)| match failure {
            Some(failure) => {
                tracing::info!(url = %self.url, %failure, "a jq program failed");
                None
            }
            None => Some(values),
        };
        Ok(given.into_iter().map(values).collect())
    }
}
