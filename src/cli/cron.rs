//! Runs that nobody watches: one at a time, and heard of only when something has changed.
//!
//! What was decided:
//! - Beside each output `FILE`, the manifest of a folder and the state there is `FILE.cron`, which is locked for as long as the
//!   run lasts. It tells whose it is and how the last run ended, and stays: a name that comes and goes could be locked twice.
//! - What the run has to say is said only when its exit status is another one than the last run's, or the first one that
//!   is not 0.
//! - A run that a signal stopped tells what it has to, and is forgotten: the next one is compared with the one before.
//! - A file that cannot be understood is as good as none.

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::process;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};
use serde::{Deserialize, Serialize};

use super::args::Run;
use super::exit::{Status, Stop};
use super::logging::Voice;
use super::outputs::{is_stdout, make_folder};
use crate::sink::human_duration;
use crate::sink::lock;

/// What a file beside an output holds.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Note {
    /// The process that holds it, while it does.
    pid: Option<u32>,
    /// How the last run ended.
    exit_status: Option<u8>,
}

/// The right to write to some files, and what is known of the run before.
#[derive(Debug)]
pub(super) struct Turn {
    files: Vec<(PathBuf, File)>,
    /// The exit status of the last run.
    last: Option<u8>,
}

impl Turn {
    /// Takes it for the files that the options name, or tells who has it.
    pub(super) fn take(args: &Run) -> Result<Self, Stop> {
        let manifest = args.output.save.as_deref().map(make_folder).transpose()?;
        let outputs = args.output.output.iter().filter(|output| !is_stdout(output));
        let mut turn = Self { files: Vec::new(), last: None };
        for output in outputs.chain(&manifest).chain(&args.endurance.state) {
            let path = beside(output);
            let file = lock(&path).with_context(|| format!("cannot write {}", path.display())).map_err(Stop::broken)?;
            let Some(mut file) = file else { return Err(busy(output, &path)) };
            turn.last = read(&mut file).exit_status;
            turn.files.push((path, file));
        }
        if turn.files.is_empty() {
            let error = anyhow!("--cron needs an output that is a file, or a state, which no two runs write at once");
            return Err(Stop::usage(error).with_hint(Some("add -o FILE.jsonl, --save DIR or --state FILE.db".into())));
        }
        turn.note(Some(process::id()), turn.last)?;
        Ok(turn)
    }

    /// Says what was held back where that is news, and hands the turn over.
    pub(super) fn end(mut self, ended: Result<Status, Stop>, voice: &Voice) -> Result<Status, Stop> {
        let status = ended.as_ref().map_or_else(|stop| stop.status, |&status| status);
        let is_stopped = matches!(status, Status::Interrupted | Status::Terminated);
        let next = if is_stopped { self.last } else { Some(status.code()) };
        let noted = self.note(None, next);
        if !is_stopped && status.code() == self.last.unwrap_or(0) {
            // The failure to note it is news in any case.
            return noted.map(|()| status);
        }
        let why = (!is_stopped).then(|| format!("{status}{}", self.before()));
        voice.release(why.as_deref());
        ended.and_then(|status| noted.map(|()| status))
    }

    fn before(&self) -> String {
        self.last.map(|code| format!("; last time the exit status was {code}")).unwrap_or_default()
    }

    fn note(&mut self, pid: Option<u32>, exit_status: Option<u8>) -> Result<(), Stop> {
        let mut text = serde_json::to_vec(&Note { pid, exit_status }).unwrap_or_default();
        text.push(b'\n');
        for (path, file) in &mut self.files {
            write(file, &text).with_context(|| format!("cannot write {}", path.display())).map_err(Stop::broken)?;
        }
        Ok(())
    }
}

/// Waits for a random part of `longest`. Nothing watches for signals yet: one ends the program.
pub(super) fn wait(longest: Duration) {
    let wait = part(longest, fastrand::f64());
    if !wait.is_zero() {
        tracing::info!(wait_ms = wait.as_millis(), "starts in {}", human_duration(wait));
    }
    let end = Instant::now() + wait;
    while let Some(left) = end.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
        thread::park_timeout(left);
    }
}

/// The part of a time that a number from 0 to 1 tells.
fn part(longest: Duration, portion: f64) -> Duration {
    longest.mul_f64(portion.clamp(0.0, 1.0))
}

/// `FILE.cron` for `FILE`.
fn beside(output: &Path) -> PathBuf {
    let mut name = output.as_os_str().to_owned();
    name.push(".cron");
    name.into()
}

fn busy(output: &Path, path: &Path) -> Stop {
    let pid = File::open(path).ok().and_then(|mut file| read(&mut file).pid);
    let who = pid.map_or_else(|| "another run".into(), |pid| format!("another run (process {pid})"));
    Stop::busy(anyhow!("{who} is writing to {}", output.display())).with_hint(Some("wait for its end".into()))
}

fn read(file: &mut File) -> Note {
    /// Longer than any note.
    const ENOUGH: u64 = 1024;
    let mut text = Vec::new();
    let read = file.take(ENOUGH).read_to_end(&mut text);
    read.ok().and_then(|_| serde_json::from_slice(&text).ok()).unwrap_or_default()
}

fn write(file: &mut File, text: &[u8]) -> io::Result<()> {
    file.rewind()?;
    file.set_len(0)?;
    file.write_all(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_never_longer_than_the_whole() {
        let minute = Duration::from_mins(1);
        assert_eq!([0.0, 0.5, 1.0, 7.0, -1.0].map(|it| part(minute, it).as_secs()), [0, 30, 60, 60, 0]);
        assert_eq!(part(Duration::ZERO, 0.7), Duration::ZERO);
    }

    #[test]
    fn the_file_beside_is_called_after_the_whole_name() {
        assert_eq!(beside(Path::new("a.b/out.jsonl.gz")), Path::new("a.b/out.jsonl.gz.cron"));
    }

    #[test]
    fn what_is_no_note_is_as_good_as_none() {
        for text in ["", "{", "[]", "{\"exit_status\":300}", "\0\0\0"] {
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(text.as_bytes()).unwrap();
            file.rewind().unwrap();
            let Note { pid, exit_status } = read(&mut file);
            assert_eq!((pid, exit_status), (None, None), "{text}");
        }
    }
}
