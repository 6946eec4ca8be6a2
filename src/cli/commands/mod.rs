//! One file a command.

pub(super) mod check;
pub(super) mod completions;
pub(super) mod explain;
pub(super) mod guess;
pub(super) mod history;
pub(super) mod jq;
pub(super) mod man;
pub(super) mod map;
pub(super) mod options;
mod page_file;
pub(super) mod plan;
pub(super) mod report;
pub(super) mod run;
pub(super) mod schema;
mod story;

use std::io::{self, Write};

use super::exit::{Status, Stop};

/// Writes a text that a command made. A reader that has seen enough is no error.
fn print(text: &[u8]) -> Result<Status, Stop> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Stop::broken(anyhow::Error::new(error).context("cannot write standard output")))
        }
        _ => Ok(Status::Success),
    }
}
