//! What the commands beside the main job take.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueHint};

use super::{Extraction, Fetching, General, Input, Pace};
use crate::cli::parse;

/// `scrape map`.
#[derive(Debug, Args)]
#[command(args_override_self = true)]
pub(in crate::cli) struct Map {
    /// A site: a URL (contains ://); or a file of URLs, or - for standard input
    #[arg(
        id = "sites",
        value_name = "URL",
        value_hint = ValueHint::Url,
        required_unless_present = "maps",
        help_heading = "Arguments"
    )]
    pub(in crate::cli) sites: Vec<std::ffi::OsString>,
    /// List what is in the sitemap or feed at URL; repeatable
    #[arg(id = "maps", long = "sitemap", value_name = "URL", value_hint = ValueHint::Url, help_heading = "Input")]
    pub(in crate::cli) sitemaps: Vec<String>,
    /// Of what sitemaps list, take what changed in this time, such as 7d, and what does not tell
    #[arg(id = "age", long = "since", value_name = "TIME", value_parser = parse::ago, help_heading = "Input")]
    pub(in crate::cli) since: Option<Duration>,
    /// text, a URL a line, or jsonl, with where it was found and what its sitemap says of it
    #[arg(
        id = "listing",
        short = 'f',
        long = "format",
        value_name = "FORMAT",
        default_value = "text",
        hide_possible_values = true,
        help_heading = "Output"
    )]
    pub(in crate::cli) format: ListingFormat,
    #[command(flatten)]
    pub(in crate::cli) pace: Pace,
    #[command(flatten)]
    pub(in crate::cli) fetching: Fetching,
    #[command(flatten)]
    pub(in crate::cli) general: General,
}

/// How a list of URLs is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(in crate::cli) enum ListingFormat {
    /// A URL a line.
    Text,
    /// A JSON object a line.
    Jsonl,
}

/// `scrape explain`.
#[derive(Debug, Args)]
#[command(args_override_self = true)]
pub(in crate::cli) struct Explain {
    /// The URL
    #[arg(value_name = "URL", value_hint = ValueHint::Url, help_heading = "Arguments")]
    pub(in crate::cli) url: String,
    #[command(flatten)]
    pub(in crate::cli) extraction: Extraction,
    /// text, or json for scripts
    #[arg(
        id = "report",
        short = 'f',
        long = "format",
        value_name = "FORMAT",
        default_value = "text",
        hide_possible_values = true,
        help_heading = "Output"
    )]
    pub(in crate::cli) format: ReportFormat,
    #[command(flatten)]
    pub(in crate::cli) fetching: Fetching,
    #[command(flatten)]
    pub(in crate::cli) general: General,
}

/// `scrape plan`.
#[derive(Debug, Args)]
#[command(args_override_self = true)]
pub(in crate::cli) struct Plan {
    #[command(flatten)]
    pub(in crate::cli) input: Input,
    #[command(flatten)]
    pub(in crate::cli) pace: Pace,
    /// The time that a page is supposed to take
    #[arg(long, value_name = "TIME", default_value = "500ms", value_parser = parse::time, help_heading = "Pace")]
    pub(in crate::cli) latency: Duration,
    /// Hosts to show, those with the most URLs
    #[arg(long, value_name = "N", default_value = "10", help_heading = "Output")]
    pub(in crate::cli) top: usize,
    /// text, or json for scripts [default: text on a terminal, else json]
    #[arg(
        id = "report",
        short = 'f',
        long = "format",
        value_name = "FORMAT",
        hide_possible_values = true,
        help_heading = "Output"
    )]
    pub(in crate::cli) format: Option<ReportFormat>,
    #[command(flatten)]
    pub(in crate::cli) general: General,
}

/// `scrape check`.
#[derive(Debug, Args)]
#[command(args_override_self = true)]
pub(in crate::cli) struct Check {
    /// The file of recipes
    #[arg(id = "recipes", value_name = "RECIPE", value_hint = ValueHint::FilePath, help_heading = "Arguments")]
    pub(in crate::cli) recipe: PathBuf,
    /// A page: a file, a URL (contains ://), or - for standard input
    #[arg(value_name = "PAGE", value_hint = ValueHint::AnyPath, help_heading = "Arguments")]
    pub(in crate::cli) page: Option<String>,
    /// The URL that a file is a page of: it tells which recipe is for it
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url, requires = "page", help_heading = "Input")]
    pub(in crate::cli) url: Option<url::Url>,
    /// text, or json for scripts
    #[arg(
        id = "report",
        short = 'f',
        long = "format",
        value_name = "FORMAT",
        default_value = "text",
        hide_possible_values = true,
        help_heading = "Output"
    )]
    pub(in crate::cli) format: ReportFormat,
    #[command(flatten)]
    pub(in crate::cli) fetching: Fetching,
    #[command(flatten)]
    pub(in crate::cli) general: General,
}

/// `scrape guess`.
#[derive(Debug, Args)]
#[command(args_override_self = true)]
pub(in crate::cli) struct Guess {
    /// A URL (contains ://), a file that holds a page, or - for a page on standard input
    #[arg(value_name = "URL|FILE", value_hint = ValueHint::AnyPath, help_heading = "Arguments")]
    pub(in crate::cli) page: std::ffi::OsString,
    /// toml, a file for --recipe, or json for scripts
    #[arg(
        id = "proposal",
        short = 'f',
        long = "format",
        value_name = "FORMAT",
        default_value = "toml",
        hide_possible_values = true,
        help_heading = "Output"
    )]
    pub(in crate::cli) format: ProposalFormat,
    #[command(flatten)]
    pub(in crate::cli) fetching: Fetching,
    #[command(flatten)]
    pub(in crate::cli) general: General,
}

/// `scrape report`.
#[derive(Debug, Args)]
#[command(args_override_self = true)]
pub(in crate::cli) struct Report {
    /// What a run wrote with -o FILE.jsonl, also compressed (.gz, .zst), or - for standard input; or the file of its --state
    #[arg(id = "records", value_name = "FILE", required = true, value_hint = ValueHint::FilePath, help_heading = "Arguments")]
    pub(in crate::cli) records: Vec<PathBuf>,
    /// Write to FILE.html, and not to standard output
    #[arg(
        id = "report",
        short = 'o',
        long = "output",
        value_name = "FILE",
        value_hint = ValueHint::FilePath,
        help_heading = "Output"
    )]
    pub(in crate::cli) output: Option<PathBuf>,
}

/// `scrape diff`.
#[derive(Debug, Args)]
pub(in crate::cli) struct Diff {
    /// The file of --state
    #[arg(value_name = "STATE.db", value_hint = ValueHint::FilePath, help_heading = "Arguments")]
    pub(in crate::cli) state: PathBuf,
    /// One URL: its last change
    #[arg(value_name = "URL", value_hint = ValueHint::Url, help_heading = "Arguments")]
    pub(in crate::cli) url: Option<String>,
    /// All changes since this time ago, such as 7d, 12h or 2w
    #[arg(long, value_name = "TIME", value_parser = parse::ago, help_heading = "Input")]
    pub(in crate::cli) since: Option<Duration>,
    /// text, or json, a line for each [default: text on a terminal, else json]
    #[arg(
        id = "report",
        short = 'f',
        long = "format",
        value_name = "FORMAT",
        hide_possible_values = true,
        help_heading = "Output"
    )]
    pub(in crate::cli) format: Option<ReportFormat>,
}

/// `scrape history`.
#[derive(Debug, Args)]
pub(in crate::cli) struct History {
    /// The file of --state
    #[arg(value_name = "STATE.db", value_hint = ValueHint::FilePath, help_heading = "Arguments")]
    pub(in crate::cli) state: PathBuf,
    /// The URL
    #[arg(value_name = "URL", value_hint = ValueHint::Url, help_heading = "Arguments")]
    pub(in crate::cli) url: String,
    /// text, or json, a line for each [default: text on a terminal, else json]
    #[arg(
        id = "report",
        short = 'f',
        long = "format",
        value_name = "FORMAT",
        hide_possible_values = true,
        help_heading = "Output"
    )]
    pub(in crate::cli) format: Option<ReportFormat>,
}

/// How a proposal is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(in crate::cli) enum ProposalFormat {
    /// A file of recipes.
    Toml,
    /// One JSON object.
    Json,
}

/// How an explanation is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(in crate::cli) enum ReportFormat {
    /// For a person.
    Text,
    /// One JSON object.
    Json,
}
