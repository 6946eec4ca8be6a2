//! A command that is run when there is something to tell.

use std::fs::File;
use std::io::{self, Seek};
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use anyhow::{Context, bail};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

use crate::cli::exit::{Status, Stop};
use crate::cli::summary::Conclusion;

/// A shell command, and the records that it is to read: a file, so that they take no memory and the command may leave as
/// many unread as it likes.
pub(super) struct Notify {
    command: String,
    limit: Duration,
    records: File,
}

impl Notify {
    /// A command that is killed, with all that it started, when it takes longer than `limit`.
    pub(super) fn new(command: &str, limit: Duration) -> Result<Self, Stop> {
        let records =
            tempfile::tempfile().context("cannot make a temporary file for --notify").map_err(Stop::broken)?;
        Ok(Self { command: command.into(), limit, records })
    }

    /// What the records go to.
    pub(super) fn file(&self) -> &File {
        &self.records
    }

    /// Runs the command, if there are records.
    ///
    /// # Errors
    /// It cannot be run, fails, or takes too long.
    pub(super) fn run(mut self, conclusion: &Conclusion, status: Status) -> anyhow::Result<()> {
        self.records.rewind().context("cannot read the records for --notify")?;
        if self.records.metadata().context("cannot read the records for --notify")?.len() == 0 {
            return Ok(());
        }
        let limit = self.limit;
        let mut child = self.start(conclusion, status).context("cannot run the command of --notify")?;
        match wait(&mut child, limit).context("cannot wait for the command of --notify")? {
            None => bail!("the command of --notify took longer than {} s and was killed", limit.as_secs_f64()),
            Some(ended) if !ended.success() => bail!("the command of --notify failed: {ended}"),
            Some(_) => Ok(()),
        }
    }

    fn start(self, conclusion: &Conclusion, status: Status) -> io::Result<Child> {
        let totals = &conclusion.totals;
        let facts = [
            ("SCRAPE_STATUS", status.code().into()),
            ("SCRAPE_TARGETS", totals.targets),
            ("SCRAPE_FETCHED", totals.fetched),
            ("SCRAPE_FAILED", totals.failed()),
            ("SCRAPE_RECORDS", conclusion.records),
            ("SCRAPE_BYTES", totals.bytes),
        ];
        let mut shell = Command::new("sh");
        shell.arg("-c").arg(&self.command).process_group(0);
        // It is nothing to it.
        shell.env_remove("SCRAPE_WEBHOOK_SECRET");
        shell.envs(facts.map(|(name, value)| (name, value.to_string())));
        // Standard output is for records.
        shell.stdin(self.records).stdout(Stdio::from(io::stderr().as_fd().try_clone_to_owned()?));
        shell.spawn()
    }
}

/// How the process ended; none if it did not in time, and had to be killed with its group.
fn wait(child: &mut Child, limit: Duration) -> io::Result<Option<ExitStatus>> {
    let pid = Pid::from_child(child);
    let (ended, end) = channel();
    // It leaves the process to be waited for below: until then, nobody else has its number.
    thread::spawn(move || {
        let _ = waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT);
        ended.send(())
    });
    let is_late = end.recv_timeout(limit).is_err();
    if is_late {
        kill_process_group(pid, Signal::KILL)?;
    }
    child.wait().map(|status| (!is_late).then_some(status))
}
