//! `scrape man`

use clap::CommandFactory;

use crate::cli::args::Cli;
use crate::cli::exit::{Status, Stop};

pub(in crate::cli) fn run() -> Result<Status, Stop> {
    let mut page = Vec::new();
    clap_mangen::Man::new(Cli::command()).render(&mut page).map_err(Stop::broken)?;
    super::print(&page)
}
