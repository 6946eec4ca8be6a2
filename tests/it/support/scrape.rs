//! The program under test, in an environment that holds nothing but what the test puts there.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use rustix::process::{Pid, Resource, Rlimit, Signal, getrlimit, kill_process, prlimit};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use serde_json::Value;
use tempfile::TempDir;

/// A run that takes longer than this hangs: it is killed and the test fails.
const LIMIT: Duration = Duration::from_mins(1);

const PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// One invocation of the program. Its home and its working directory are the same new folder.
pub(crate) struct Scrape {
    command: Command,
    home: TempDir,
    stdin: Option<Vec<u8>>,
}

/// The program with these arguments.
pub(crate) fn scrape<A: AsRef<OsStr>>(args: impl IntoIterator<Item = A>) -> Scrape {
    Scrape::new(Command::new(env!("CARGO_BIN_EXE_scrape"))).args(args)
}

/// The record of one URL that is tried once.
pub(crate) fn fetch<A: AsRef<OsStr>>(args: impl IntoIterator<Item = A>) -> Value {
    scrape(args).args(["-f", "jsonl", "--retry", "0"]).run().record()
}

impl Scrape {
    fn new(mut command: Command) -> Self {
        let home = tempfile::tempdir().unwrap();
        command.env_clear().env("PATH", PATH).env("HOME", home.path()).current_dir(home.path());
        Self { command, home, stdin: None }
    }

    /// A shell that finds the program as `$scrape`.
    pub(crate) fn in_shell(script: &str) -> Self {
        let mut shell = Self::new(Command::new("sh"));
        shell.command.args(["-c", script]).env("scrape", env!("CARGO_BIN_EXE_scrape"));
        shell
    }

    pub(crate) fn args<A: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.command.args(args);
        self
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// Puts a file into the working directory.
    pub(crate) fn file(self, name: &str, contents: impl AsRef<[u8]>) -> Self {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, contents).unwrap();
        self
    }

    /// The path of a file in the working directory.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// Pipes these bytes into the program; without this its standard input is empty and no pipe.
    pub(crate) fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = Some(bytes.into());
        self
    }

    /// Runs the program to its end.
    pub(crate) fn run(mut self) -> Run {
        let stdin = self.stdin.take();
        self.command.stdin(if stdin.is_some() { Stdio::piped() } else { Stdio::null() });
        let mut running = Running::new(self);
        if let Some(bytes) = stdin {
            let mut pipe = running.stdin.take().unwrap();
            // The program may end before it has read everything: that is for the test to judge.
            std::thread::spawn(move || drop(pipe.write_all(&bytes)));
        }
        running.finish()
    }

    /// Runs the program to its end in a terminal of its own, and gives all that this showed.
    pub(crate) fn run_in_terminal(mut self) -> String {
        let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&terminal).and_then(|()| unlockpt(&terminal)).unwrap();
        let path = ptsname(&terminal, Vec::new()).unwrap().into_string().unwrap();
        let end = || File::options().read(true).write(true).open(&path).unwrap();
        let child = self.command.stdin(Stdio::null()).stdout(end()).stderr(end()).spawn().unwrap();
        // It holds the terminal open, too.
        self.command = Command::new("true");
        let overdue = Arc::new(AtomicBool::new(false));
        let exit = watch(child, overdue.clone());
        let mut shown = Vec::new();
        // Reading a terminal that everybody has left is an error.
        let _ = File::from(terminal).read_to_end(&mut shown);
        exit.recv().unwrap();
        assert!(!overdue.load(Ordering::SeqCst), "hung, and was killed after {LIMIT:?}");
        String::from_utf8(shown).unwrap()
    }

    /// Starts the program, with pipes at all its ends.
    pub(crate) fn spawn(mut self) -> Running {
        self.command.stdin(Stdio::piped());
        Running::new(self)
    }
}

/// The program while it runs.
pub(crate) struct Running {
    pid: Pid,
    home: Arc<TempDir>,
    stdin: Option<ChildStdin>,
    stdout: Option<BufReader<ChildStdout>>,
    stderr: Option<JoinHandle<String>>,
    exit: Receiver<ExitStatus>,
    status: Option<ExitStatus>,
    overdue: Arc<AtomicBool>,
}

impl Running {
    fn new(scrape: Scrape) -> Self {
        let Scrape { mut command, home, .. } = scrape;
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let overdue = Arc::new(AtomicBool::new(false));
        let mut stderr = child.stderr.take().unwrap();
        Self {
            pid: Pid::from_child(&child),
            home: Arc::new(home),
            stdin: child.stdin.take(),
            stdout: child.stdout.take().map(BufReader::new),
            stderr: Some(std::thread::spawn(move || read_text(&mut stderr))),
            exit: watch(child, overdue.clone()),
            status: None,
            overdue,
        }
    }

    /// Writes to the program's standard input.
    pub(crate) fn write(&mut self, text: &str) {
        self.stdin.as_mut().unwrap().write_all(text.as_bytes()).unwrap();
    }

    /// Writes these bytes to the program's standard input, while it reads them, and ends that.
    pub(crate) fn write_bytes(&mut self, bytes: Vec<u8>) {
        let mut stdin = self.stdin.take().unwrap();
        std::thread::spawn(move || drop(stdin.write_all(&bytes)));
    }

    /// Writes to the program's standard input, again and again for as long as it is read.
    pub(crate) fn write_on_and_on(&mut self, text: String) {
        let mut stdin = self.stdin.take().unwrap();
        std::thread::spawn(move || while stdin.write_all(text.as_bytes()).is_ok() {});
    }

    /// The next line of standard output.
    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.as_mut().unwrap().read_line(&mut line).unwrap();
        assert!(line.ends_with('\n'), "standard output ended with {line:?}");
        line
    }

    /// Goes away from standard output, as `head` does.
    pub(crate) fn close_stdout(&mut self) {
        self.stdout = None;
    }

    /// Sets how many files the program may have open from now on, and tells how many it might before.
    pub(crate) fn limit_files(&self, current: Option<u64>) -> Option<u64> {
        let maximum = getrlimit(Resource::Nofile).maximum;
        prlimit(Some(self.pid), Resource::Nofile, Rlimit { current, maximum }).unwrap().current
    }

    /// The most memory that the program has had so far, in bytes. It must still run.
    pub(crate) fn peak_memory(&self) -> u64 {
        let path = format!("/proc/{}/status", self.pid.as_raw_pid());
        let status = std::fs::read_to_string(path).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("it runs");
        1024 * line.trim().trim_end_matches(" kB").parse::<u64>().unwrap()
    }

    pub(crate) fn pid(&self) -> Pid {
        self.pid
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(self.pid, signal).unwrap();
    }

    /// Whether the program ends within this time.
    pub(crate) fn ends_within(&mut self, time: Duration) -> bool {
        if self.status.is_none() {
            self.status = self.exit.recv_timeout(time).ok();
        }
        self.status.is_some()
    }

    /// Reads what is left to read and waits for the end.
    pub(crate) fn finish(mut self) -> Run {
        self.stdin = None;
        let stdout = self.stdout.take().map(|mut stdout| read_text(&mut stdout)).unwrap_or_default();
        let stderr = self.stderr.take().unwrap().join().unwrap();
        let status = self.status.unwrap_or_else(|| self.exit.recv().unwrap());
        self.status = Some(status);
        let run = Run { code: status.code(), stdout, stderr, home: self.home.clone() };
        assert!(!self.overdue.load(Ordering::SeqCst), "hung, and was killed after {LIMIT:?}\n{run:?}");
        run
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.ends_within(Duration::ZERO) {
            let _ = kill_process(self.pid, Signal::KILL);
        }
    }
}

/// Waits for the end of `child` elsewhere, and brings it about when the limit has passed.
fn watch(mut child: Child, overdue: Arc<AtomicBool>) -> Receiver<ExitStatus> {
    let (exited, exit) = channel();
    let (ended, end) = channel();
    let pid = Pid::from_child(&child);
    std::thread::spawn(move || {
        let status = child.wait().unwrap();
        let _ = ended.send(());
        let _ = exited.send(status);
    });
    std::thread::spawn(move || {
        if end.recv_timeout(LIMIT).is_err() {
            overdue.store(true, Ordering::SeqCst);
            let _ = kill_process(pid, Signal::KILL);
        }
    });
    exit
}

fn read_text(from: &mut impl Read) -> String {
    let mut bytes = Vec::new();
    from.read_to_end(&mut bytes).unwrap();
    String::from_utf8(bytes).expect("what is written is UTF-8")
}

/// What a run left behind.
#[derive(Debug)]
pub(crate) struct Run {
    /// The exit status; none when a signal killed the program.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    home: Arc<TempDir>,
}

impl Run {
    /// Asserts the exit status.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:#?}");
        self
    }

    /// Asserts that all went well, which is nothing to talk about.
    #[track_caller]
    pub(crate) fn succeeds(self) -> Self {
        assert_eq!(self.stderr, "", "{self:#?}");
        self.exits(0)
    }

    /// Asserts that the arguments were refused for a reason in which `word` occurs, before anything was done.
    #[track_caller]
    pub(crate) fn refused_over(self, word: &str) -> Self {
        let run = self.exits(2);
        assert!(run.stderr.contains(word), "{run:#?}");
        assert_eq!(run.stdout, "");
        run
    }

    /// The records of a run with `-f jsonl`.
    #[track_caller]
    pub(crate) fn records(&self) -> Vec<Value> {
        parse(&self.stdout)
    }

    /// The only record.
    #[track_caller]
    pub(crate) fn record(&self) -> Value {
        let mut records = self.records();
        assert_eq!(records.len(), 1, "{self:#?}");
        records.remove(0)
    }

    /// The records, keyed by the end of their URL, which must be `path`.
    #[track_caller]
    pub(crate) fn record_of(&self, path: &str) -> Value {
        let of_path = |record: &Value| record["url"].as_str().is_some_and(|url| url.ends_with(path));
        let mut records: Vec<_> = self.records().into_iter().filter(of_path).collect();
        assert_eq!(records.len(), 1, "{path} in {self:#?}");
        records.remove(0)
    }

    /// A file in the working directory.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// The text of a file in the working directory.
    #[track_caller]
    pub(crate) fn file(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }
}

/// The records in a JSON Lines text, of which every line is whole.
#[track_caller]
pub(crate) fn parse(text: &str) -> Vec<Value> {
    assert!(text.is_empty() || text.ends_with('\n'), "half a line: {text}");
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line:?}"))).collect()
}
