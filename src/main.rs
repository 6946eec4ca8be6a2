//! The program `scrape`.

use std::process::ExitCode;

fn main() -> ExitCode {
    scrape::cli::main(std::env::args_os())
}
