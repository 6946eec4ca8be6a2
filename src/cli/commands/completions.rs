//! `scrape completions SHELL`

use clap::CommandFactory;
use clap_complete::Shell;

use crate::cli::args::Cli;
use crate::cli::exit::{Status, Stop};

pub(in crate::cli) fn run(shell: Shell) -> Result<Status, Stop> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "scrape", &mut script);
    super::print(&script)
}
