//! What can be typed: groups of options, each of which becomes one stage's `Options`.

mod commands;
mod crawl;
mod network;
mod records;

use clap::{ArgAction, Args, Parser, Subcommand, ValueHint};

pub(in crate::cli) use self::commands::{
    Check, Diff, Explain, Guess, History, ListingFormat, Map, Plan, ProposalFormat, Report, ReportFormat,
};
pub(in crate::cli) use self::crawl::{Crawl, Priority, Robots, Scope, Sitemaps};
pub(in crate::cli) use self::network::{Connection, Limits, Pace, Request, Retries};
pub(in crate::cli) use self::records::{Cache, Endurance, Extraction, Output, Unattended};
use crate::cli::parse;
use crate::frontier::Width;
use crate::seeds::Scheme;

const USAGE: &str = "scrape [OPTIONS] [SOURCE]...\n       scrape <COMMAND>";

/// Fetch lists of URLs, many at once and fair to every host, and report what is there
#[derive(Debug, Parser)]
#[command(
    name = "scrape",
    version,
    args_conflicts_with_subcommands = true,
    args_override_self = true,
    override_usage = USAGE,
    after_help = "Exit status: 0 all fetched, 1 some failed, 2 wrong usage, 3 an --expect broke,\n\
                  4 nothing could be fetched, 5 cannot read or write, 6 something changed (--exit-code), 70 a bug,\n\
                  75 stopped at the --deadline, 130 interrupted, 143 terminated\n\
                  Options are also read from SCRAPE_NAME, scrape.toml and ~/.config/scrape/scrape.toml."
)]
pub(in crate::cli) struct Cli {
    #[command(subcommand)]
    pub(in crate::cli) command: Option<Command>,
    #[command(flatten)]
    pub(in crate::cli) run: Run,
}

/// The names of all commands beside the main job.
pub(in crate::cli) const COMMANDS: [&str; 12] =
    ["map", "explain", "plan", "check", "guess", "report", "diff", "history", "schema", "completions", "man", "help"];

/// The command line of the main job alone. All the others have its options once more, and to put them together takes a
/// part of a start that can be seen.
pub(in crate::cli) fn main_job() -> clap::Command {
    let command = clap::Command::new("scrape").version(env!("CARGO_PKG_VERSION")).override_usage(USAGE);
    Run::augment_args(command.args_override_self(true))
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Command {
    /// List the URLs of a site: those in its sitemaps, and the links of the page that is named
    Map(Box<Map>),
    /// Show what happens to one URL: each request, how the page is read, and what would be retried
    Explain(Box<Explain>),
    /// Tell what a list comes to before anybody is asked: hosts, duplicates, bad lines, time and memory
    Plan(Box<Plan>),
    /// Check a file of recipes, and show what a recipe finds in a page
    Check(Box<Check>),
    /// Propose a recipe for pages such as this one, from what repeats in it
    Guess(Box<Guess>),
    /// Make a page of HTML that tells what came of a run, from its records or its state
    Report(Report),
    /// Show what changed, by the state of a run with --state: in the last run, since a time, or of one URL
    Diff(Diff),
    /// Show all versions of a URL, by the state of a run with --state
    History(History),
    /// Print the JSON Schema of a record; with --recipe alone, that of a file of recipes
    Schema(Extraction),
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page, in roff
    Man,
}

/// The main job.
#[derive(Debug, Args)]
pub(in crate::cli) struct Run {
    #[command(flatten)]
    pub(in crate::cli) input: Input,
    #[command(flatten)]
    pub(in crate::cli) extraction: Extraction,
    #[command(flatten)]
    pub(in crate::cli) output: Output,
    #[command(flatten)]
    pub(in crate::cli) endurance: Endurance,
    #[command(flatten)]
    pub(in crate::cli) unattended: Unattended,
    #[command(flatten)]
    pub(in crate::cli) cache: Cache,
    #[command(flatten)]
    pub(in crate::cli) crawl: Crawl,
    #[command(flatten)]
    pub(in crate::cli) sitemaps: Sitemaps,
    #[command(flatten)]
    pub(in crate::cli) pace: Pace,
    #[command(flatten)]
    pub(in crate::cli) fetching: Fetching,
    #[command(flatten)]
    pub(in crate::cli) display: Display,
    #[command(flatten)]
    pub(in crate::cli) general: General,
}

/// What fetching a page takes, in whichever command.
#[derive(Debug, Args)]
pub(in crate::cli) struct Fetching {
    #[command(flatten)]
    pub(in crate::cli) retries: Retries,
    #[command(flatten)]
    pub(in crate::cli) request: Request,
    #[command(flatten)]
    pub(in crate::cli) connection: Connection,
    #[command(flatten)]
    pub(in crate::cli) limits: Limits,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Input")]
pub(in crate::cli) struct Input {
    /// A URL (contains ://), a file of URLs, - for standard input, or what was kept: a WARC, a folder of --save, a state of
    /// --keep-bodies
    #[arg(value_name = "SOURCE", value_hint = ValueHint::AnyPath, help_heading = "Arguments")]
    pub(in crate::cli) sources: Vec<std::ffi::OsString>,
    /// The scheme of a URL that has none
    #[arg(long, value_name = "SCHEME", default_value = "https")]
    pub(in crate::cli) default_scheme: Scheme,
    /// Read CSV or TSV with a header: this column has the URLs, the others go into the record
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) column: Option<String>,
    /// Fetch a URL again each time it is named
    #[arg(long)]
    pub(in crate::cli) keep_duplicates: bool,
    /// Tell URLs apart by hashes of 64 or of 128 bits
    #[arg(long, value_name = "N", default_value = "64", hide_possible_values = true, value_parser = parse::dedupe_bits())]
    pub(in crate::cli) dedupe_bits: Width,
    /// Stop after this many URLs
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(in crate::cli) limit: Option<u64>,
}

/// How progress is shown on standard error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(in crate::cli) enum ProgressMode {
    /// A bar where standard error is a terminal.
    Auto,
    /// A bar.
    Bar,
    /// A line every ten seconds.
    Log,
    /// Nothing.
    None,
}

/// How the log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(in crate::cli) enum LogFormat {
    /// For a person.
    Text,
    /// One JSON object a line.
    Json,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "General")]
pub(in crate::cli) struct Display {
    /// On standard error: a bar, a line every 10 s, or nothing
    #[arg(long, value_name = "HOW", default_value = "auto", hide_possible_values = true)]
    pub(in crate::cli) progress: ProgressMode,
    /// What is said on standard error: text, or json, an object a line
    #[arg(long, value_name = "FORMAT", default_value = "text", hide_possible_values = true)]
    pub(in crate::cli) log_format: LogFormat,
}

impl Display {
    /// How progress is shown in a run that nobody watches, or somebody.
    pub(in crate::cli) fn mode(&self, is_watched: bool) -> ProgressMode {
        let is_for_people = is_watched && self.log_format == LogFormat::Text;
        match self.progress {
            ProgressMode::Auto if !is_for_people => ProgressMode::None,
            ProgressMode::Bar if self.log_format == LogFormat::Json => ProgressMode::None,
            mode => mode,
        }
    }
}

#[derive(Debug, Args)]
#[command(next_help_heading = "General")]
pub(in crate::cli) struct General {
    /// Tell what happens; twice: in detail
    #[arg(short = 'v', long, action = ArgAction::Count, overrides_with = "quiet")]
    pub(in crate::cli) verbose: u8,
    /// Tell nothing but errors
    #[arg(short = 'q', long, overrides_with = "verbose")]
    pub(in crate::cli) quiet: bool,
    /// Read no scrape.toml
    #[arg(long)]
    pub(in crate::cli) no_config: bool,
}
