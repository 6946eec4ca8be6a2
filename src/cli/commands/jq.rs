//! The process that jq programs run in: the program itself, called in a way that is nobody's business but its own.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;

use crate::cli::exit::{Status, Stop};
use crate::extract::expression::jq;

/// The only argument of such a process. No source and no option is called so.
const ARGUMENT: &str = "--serve-jq";

/// Whether these arguments, the program's name first, start such a process.
pub(in crate::cli) fn is_meant<A: AsRef<OsStr>>(arguments: &[A]) -> bool {
    matches!(arguments, [_, argument] if argument.as_ref() == ARGUMENT)
}

pub(in crate::cli) fn run() -> Result<Status, Stop> {
    jq::serve().map(|()| Status::Success).map_err(Stop::broken)
}

/// Starts such a process: of this very program, even if its file has been replaced.
pub(super) fn process() -> Command {
    let this = Path::new("/proc/self/exe");
    let program = if this.exists() { Ok(this.into()) } else { std::env::current_exe() };
    let mut command = Command::new(program.unwrap_or_else(|_| "scrape".into()));
    command.arg(ARGUMENT);
    command
}
