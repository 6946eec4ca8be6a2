//! What can be typed: groups of options, each of which becomes one stage's `Options`.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, Args, Parser, Subcommand, ValueHint};
use reqwest::Method;

use super::exit::FailOn;
use super::parse;
use crate::extract::FIELDS;
use crate::fetch::{DenyPrivate, Resolution};
use crate::frontier::LimitBy;
use crate::frontier::scope::Pattern;
use crate::seeds::Scheme;
use crate::sink::Format;
use crate::visit::Accepted;

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
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) command: Option<Command>,
    #[command(flatten)]
    pub(super) run: Run,
}

/// The names of all commands beside the main job.
pub(super) const COMMANDS: [&str; 12] =
    ["map", "explain", "plan", "check", "guess", "report", "diff", "history", "schema", "completions", "man", "help"];

/// The command line of the main job alone. All the others have its options once more, and to put them together takes a
/// part of a start that can be seen.
pub(super) fn main_job() -> clap::Command {
    let command = clap::Command::new("scrape").version(env!("CARGO_PKG_VERSION")).override_usage(USAGE);
    Run::augment_args(command.args_override_self(true))
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
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
pub(super) struct Run {
    #[command(flatten)]
    pub(super) input: Input,
    #[command(flatten)]
    pub(super) extraction: Extraction,
    #[command(flatten)]
    pub(super) output: Output,
    #[command(flatten)]
    pub(super) endurance: Endurance,
    #[command(flatten)]
    pub(super) unattended: Unattended,
    #[command(flatten)]
    pub(super) cache: Cache,
    #[command(flatten)]
    pub(super) crawl: Crawl,
    #[command(flatten)]
    pub(super) sitemaps: Sitemaps,
    #[command(flatten)]
    pub(super) pace: Pace,
    #[command(flatten)]
    pub(super) fetching: Fetching,
    #[command(flatten)]
    pub(super) display: Display,
    #[command(flatten)]
    pub(super) general: General,
}

/// What fetching a page takes, in whichever command.
#[derive(Debug, Args)]
pub(super) struct Fetching {
    #[command(flatten)]
    pub(super) retries: Retries,
    #[command(flatten)]
    pub(super) request: Request,
    #[command(flatten)]
    pub(super) connection: Connection,
    #[command(flatten)]
    pub(super) limits: Limits,
}

/// `scrape map`.
#[derive(Debug, Args)]
#[command(args_override_self = true)]
pub(super) struct Map {
    /// A site: a URL (contains ://); or a file of URLs, or - for standard input
    #[arg(
        id = "sites",
        value_name = "URL",
        value_hint = ValueHint::Url,
        required_unless_present = "maps",
        help_heading = "Arguments"
    )]
    pub(super) sites: Vec<std::ffi::OsString>,
    /// List what is in the sitemap or feed at URL; repeatable
    #[arg(id = "maps", long = "sitemap", value_name = "URL", value_hint = ValueHint::Url, help_heading = "Input")]
    pub(super) sitemaps: Vec<String>,
    /// Of what sitemaps list, take what changed in this time, such as 7d, and what does not tell
    #[arg(id = "age", long = "since", value_name = "TIME", value_parser = parse::ago, help_heading = "Input")]
    pub(super) since: Option<Duration>,
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
    pub(super) format: ListingFormat,
    #[command(flatten)]
    pub(super) pace: Pace,
    #[command(flatten)]
    pub(super) fetching: Fetching,
    #[command(flatten)]
    pub(super) general: General,
}

/// How a list of URLs is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum ListingFormat {
    /// A URL a line.
    Text,
    /// A JSON object a line.
    Jsonl,
}

/// `scrape explain`.
#[derive(Debug, Args)]
#[command(args_override_self = true)]
pub(super) struct Explain {
    /// The URL
    #[arg(value_name = "URL", value_hint = ValueHint::Url, help_heading = "Arguments")]
    pub(super) url: String,
    #[command(flatten)]
    pub(super) extraction: Extraction,
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
    pub(super) format: ReportFormat,
    #[command(flatten)]
    pub(super) fetching: Fetching,
    #[command(flatten)]
    pub(super) general: General,
}

/// `scrape plan`.
#[derive(Debug, Args)]
#[command(args_override_self = true)]
pub(super) struct Plan {
    #[command(flatten)]
    pub(super) input: Input,
    #[command(flatten)]
    pub(super) pace: Pace,
    /// The time that a page is supposed to take
    #[arg(long, value_name = "TIME", default_value = "500ms", value_parser = parse::time, help_heading = "Pace")]
    pub(super) latency: Duration,
    /// Hosts to show, those with the most URLs
    #[arg(long, value_name = "N", default_value = "10", help_heading = "Output")]
    pub(super) top: usize,
    /// text, or json for scripts [default: text on a terminal, else json]
    #[arg(
        id = "report",
        short = 'f',
        long = "format",
        value_name = "FORMAT",
        hide_possible_values = true,
        help_heading = "Output"
    )]
    pub(super) format: Option<ReportFormat>,
    #[command(flatten)]
    pub(super) general: General,
}

/// `scrape check`.
#[derive(Debug, Args)]
#[command(args_override_self = true)]
pub(super) struct Check {
    /// The file of recipes
    #[arg(id = "recipes", value_name = "RECIPE", value_hint = ValueHint::FilePath, help_heading = "Arguments")]
    pub(super) recipe: PathBuf,
    /// A page: a file, a URL (contains ://), or - for standard input
    #[arg(value_name = "PAGE", value_hint = ValueHint::AnyPath, help_heading = "Arguments")]
    pub(super) page: Option<String>,
    /// The URL that a file is a page of: it tells which recipe is for it
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url, requires = "page", help_heading = "Input")]
    pub(super) url: Option<url::Url>,
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
    pub(super) format: ReportFormat,
    #[command(flatten)]
    pub(super) fetching: Fetching,
    #[command(flatten)]
    pub(super) general: General,
}

/// `scrape guess`.
#[derive(Debug, Args)]
#[command(args_override_self = true)]
pub(super) struct Guess {
    /// A URL (contains ://), a file that holds a page, or - for a page on standard input
    #[arg(value_name = "URL|FILE", value_hint = ValueHint::AnyPath, help_heading = "Arguments")]
    pub(super) page: std::ffi::OsString,
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
    pub(super) format: ProposalFormat,
    #[command(flatten)]
    pub(super) fetching: Fetching,
    #[command(flatten)]
    pub(super) general: General,
}

/// `scrape report`.
#[derive(Debug, Args)]
#[command(args_override_self = true)]
pub(super) struct Report {
    /// What a run wrote with -o FILE.jsonl, also compressed (.gz, .zst), or - for standard input; or the file of its --state
    #[arg(id = "records", value_name = "FILE", required = true, value_hint = ValueHint::FilePath, help_heading = "Arguments")]
    pub(super) records: Vec<PathBuf>,
    /// Write to FILE.html, and not to standard output
    #[arg(
        id = "report",
        short = 'o',
        long = "output",
        value_name = "FILE",
        value_hint = ValueHint::FilePath,
        help_heading = "Output"
    )]
    pub(super) output: Option<PathBuf>,
}

/// `scrape diff`.
#[derive(Debug, Args)]
pub(super) struct Diff {
    /// The file of --state
    #[arg(value_name = "STATE.db", value_hint = ValueHint::FilePath, help_heading = "Arguments")]
    pub(super) state: PathBuf,
    /// One URL: its last change
    #[arg(value_name = "URL", value_hint = ValueHint::Url, help_heading = "Arguments")]
    pub(super) url: Option<String>,
    /// All changes since this time ago, such as 7d, 12h or 2w
    #[arg(long, value_name = "TIME", value_parser = parse::ago, help_heading = "Input")]
    pub(super) since: Option<Duration>,
    /// text, or json, a line for each [default: text on a terminal, else json]
    #[arg(
        id = "report",
        short = 'f',
        long = "format",
        value_name = "FORMAT",
        hide_possible_values = true,
        help_heading = "Output"
    )]
    pub(super) format: Option<ReportFormat>,
}

/// `scrape history`.
#[derive(Debug, Args)]
pub(super) struct History {
    /// The file of --state
    #[arg(value_name = "STATE.db", value_hint = ValueHint::FilePath, help_heading = "Arguments")]
    pub(super) state: PathBuf,
    /// The URL
    #[arg(value_name = "URL", value_hint = ValueHint::Url, help_heading = "Arguments")]
    pub(super) url: String,
    /// text, or json, a line for each [default: text on a terminal, else json]
    #[arg(
        id = "report",
        short = 'f',
        long = "format",
        value_name = "FORMAT",
        hide_possible_values = true,
        help_heading = "Output"
    )]
    pub(super) format: Option<ReportFormat>,
}

/// How a proposal is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum ProposalFormat {
    /// A file of recipes.
    Toml,
    /// One JSON object.
    Json,
}

/// How an explanation is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum ReportFormat {
    /// For a person.
    Text,
    /// One JSON object.
    Json,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Input")]
pub(super) struct Input {
    /// A URL (contains ://), a file of URLs, - for standard input, or what was kept: a WARC, a folder of --save, a state of
    /// --keep-bodies
    #[arg(value_name = "SOURCE", value_hint = ValueHint::AnyPath, help_heading = "Arguments")]
    pub(super) sources: Vec<std::ffi::OsString>,
    /// The scheme of a URL that has none
    #[arg(long, value_name = "SCHEME", default_value = "https")]
    pub(super) default_scheme: Scheme,
    /// Read CSV or TSV with a header: this column has the URLs, the others go into the record
    #[arg(long, value_name = "NAME")]
    pub(super) column: Option<String>,
    /// Fetch a URL again each time it is named
    #[arg(long)]
    pub(super) keep_duplicates: bool,
    /// Stop after this many URLs
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) limit: Option<u64>,
}

/// The help of `--extract`.
fn fields() -> String {
    let names: Vec<_> = FIELDS.iter().map(|field| field.name).collect();
    format!("Add built-in fields to the record: {}; all: every one that is cheap", names.join(", "))
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Extraction")]
pub(super) struct Extraction {
    #[arg(short = 'x', long, value_name = "FIELD,…", value_delimiter = ',', help = fields())]
    pub(super) extract: Vec<String>,
    /// Add a field: what CSS (…@attr: an attribute), XPath (//…), JSONPath ($…) or jq (jq:…) finds first, NAME[]= all of
    /// it; then, but for jq, transforms, such as … | number
    #[arg(short = 's', long, value_name = "NAME=SELECTOR")]
    pub(super) select: Vec<String>,
    /// Add the fields of the recipes in FILE, each for the pages of some URLs; one record for each of a page's items
    #[arg(short = 'r', long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(super) recipe: Vec<PathBuf>,
    #[arg(long, help = "Add the field duplicate_of: the first page with nearly the same main content")]
    pub(super) dedupe_text: bool,
    /// Give records of what is new, changed, gone or back since the last run with the same --state alone; adds the fields
    /// change and diff
    #[arg(long)]
    pub(super) changed: bool,
    /// Give a record for each piece of the main content, of at most N characters: its number (chunk), headings (path) and
    /// Markdown (text)
    #[arg(long, value_name = "N", value_parser = parse::count, conflicts_with = "recipe")]
    pub(super) chunk: Option<NonZeroUsize>,
}

#[derive(Debug, Args)]
#[expect(clippy::struct_field_names, reason = "fields are named as the options are")]
#[command(next_help_heading = "Output")]
pub(super) struct Output {
    /// table, tsv, jsonl, csv or parquet, where no file name tells [default: table on a terminal, else tsv]
    #[arg(short = 'f', long, value_name = "FORMAT", hide_possible_values = true, value_parser = parse::format())]
    pub(super) format: Option<Format>,
    /// Write to FILE in the format of its extension, and not to standard output (-); .warc.gz: an archive of all that goes
    /// over the wire; .html: a report at the end; repeatable
    #[arg(short = 'o', long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(super) output: Vec<PathBuf>,
    /// Put an apostrophe before CSV and TSV cells that a spreadsheet would take for a formula
    #[arg(long)]
    pub(super) csv_safe: bool,
    /// Write records in the order of the input; fast hosts may have to wait
    #[arg(long)]
    pub(super) ordered: bool,
    /// Save the pages as files in DIR, with a manifest
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(super) save: Option<PathBuf>,
    /// Write what leads where to FILE.dot, FILE.graphml or FILE.jsonl, also compressed (.gz, .zst)
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(super) graph: Option<PathBuf>,
    /// Write the totals of the run to FILE, as JSON
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(super) summary: Option<PathBuf>,
    /// From when on the run has failed: any, all, none, or a number or percentage of failed URLs
    #[arg(long, value_name = "WHEN", default_value = "any")]
    pub(super) fail_on: FailOn,
    /// Expect this of each record ('price != ""', 'title ~ /shop/i') or of the run ('items >= 20', 'fill(price) >=
    /// 95%'); exit with 3 if it does not hold; repeatable
    #[arg(long, value_name = "CONDITION")]
    pub(super) expect: Vec<String>,
    /// The statuses that count as fetched, such as 200-299,404 [default: below 400]
    #[arg(long, value_name = "STATUSES")]
    pub(super) ok_status: Option<Accepted>,
}

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of its own")]
#[command(next_help_heading = "Long runs")]
pub(super) struct Endurance {
    /// Keep what is known of each URL in FILE.db, a SQLite database: its versions, validators and failures
    #[arg(long, value_name = "FILE.db", value_hint = ValueHint::FilePath)]
    pub(super) state: Option<PathBuf>,
    /// With --state, keep the last page of each URL in it, too: it is a source then
    #[arg(long, requires = "state")]
    pub(super) keep_bodies: bool,
    /// With --changed, tell of a failure that lasts again after each N more runs, and not only once
    #[arg(long, value_name = "N", requires = "changed", value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) error_after: Option<u32>,
    /// With --changed, exit with 6 if something changed
    #[arg(long, requires = "changed")]
    pub(super) exit_code: bool,
    /// Go on where an earlier run with the same -o FILE ended, however it did: what is done there is not done again
    #[arg(long)]
    pub(super) resume: bool,
    /// With --resume, try again all that failed, and not only what may be gone in a moment
    #[arg(long, requires = "resume")]
    pub(super) retry_failed: bool,
    /// Write the URLs that failed to FILE, as JSON Lines that tell why and are a source
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(super) failed_to: Option<PathBuf>,
    /// Stop after this time, such as 50m: start nothing more, let what is in flight end for 5 s, exit with 75
    #[arg(long, value_name = "TIME", value_parser = parse::time)]
    pub(super) deadline: Option<Duration>,
    /// Fetch at most this many pages in this run
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) max_pages: Option<u64>,
    /// Start nothing more when the bodies in this run have this size together
    #[arg(long, value_name = "SIZE", value_parser = parse::total)]
    pub(super) max_bytes: Option<u64>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Unattended runs")]
pub(super) struct Unattended {
    /// Run once at a time for each -o FILE, --save DIR and --state FILE.db, and say nothing but when the exit status is
    /// another one than last time
    #[arg(long)]
    pub(super) cron: bool,
    /// Wait for a random time, at most this long, such as 5m, before anything is fetched or written
    #[arg(long, value_name = "TIME", value_parser = parse::duration)]
    pub(super) jitter: Option<Duration>,
    /// Write figures of the run to FILE.prom, in the text format of Prometheus
    #[arg(long, value_name = "FILE.prom", value_hint = ValueHint::FilePath)]
    pub(super) metrics: Option<PathBuf>,
    /// Run a shell command when there are records, with these on its standard input as JSON Lines
    #[arg(long, value_name = "COMMAND", value_hint = ValueHint::CommandString)]
    pub(super) notify: Option<String>,
    /// Time for that command
    #[arg(long, value_name = "TIME", default_value = "60", value_parser = parse::time)]
    pub(super) notify_timeout: Duration,
    /// Post the records to this URL when the run has ended, in batches
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url)]
    pub(super) webhook: Option<String>,
    #[arg(
        long,
        value_name = "@FILE",
        help = "Sign what is posted with the secret in FILE; or set SCRAPE_WEBHOOK_SECRET to it: others see the command line"
    )]
    pub(super) webhook_secret: Option<String>,
}

#[derive(Debug, Args)]
#[expect(clippy::struct_field_names, reason = "fields are named as the options are")]
#[command(next_help_heading = "Cache")]
pub(super) struct Cache {
    /// Keep pages in DIR for as long as their servers allow (RFC 9111); any number of runs may share it
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(super) cache: Option<PathBuf>,
    /// How large the cache may get; the oldest pages go first
    #[arg(long, value_name = "SIZE", default_value = "1G", value_parser = parse::total)]
    pub(super) cache_size: u64,
    /// Ask nobody: what the cache does not have fails, what it has is used however old
    #[arg(long)]
    pub(super) offline: bool,
}

/// How far a crawl goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Scope {
    /// The seed's page.
    Page,
    /// Its folder and what is below.
    Prefix,
    /// Its host.
    Host,
    /// All hosts of its owner.
    Domain,
    /// Anywhere.
    Any,
}

/// Whose robots.txt is obeyed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Robots {
    /// For what nobody typed.
    Discovered,
    /// For every URL.
    Always,
    /// For none.
    Ignore,
}

/// Which page of a host goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Priority {
    /// The one found first.
    Breadth,
    /// The one that is the fewest links away.
    Depth,
    /// The one with the shortest path.
    Path,
    /// The one that matters most by its sitemap.
    Sitemap,
}

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "an option each")]
#[command(next_help_heading = "Crawling")]
pub(super) struct Crawl {
    /// Follow links, so many from each URL at most; all: as many as there are [default: 0, to --check-links all]
    #[arg(long, value_name = "N", value_parser = parse::depth)]
    pub(super) depth: Option<u32>,
    /// Check links: ask for those that are not followed, too, once; give records of broken ones alone (-v: of all), and exit
    /// with 1 if there are any
    #[arg(long)]
    pub(super) check_links: bool,
    /// How far links are followed: page, prefix (its folder and below), host, domain (all hosts of its owner) or any
    #[arg(long, value_name = "HOW", default_value = "host", hide_possible_values = true)]
    pub(super) scope: Scope,
    /// Follow no links but those of these elements [default: a, area, link, frame, iframe, meta refresh]
    #[arg(long, value_name = "CSS")]
    pub(super) follow: Vec<String>,
    /// Follow links that match: /path*, *.html, a whole URL with * in it, or re:EXPRESSION
    #[arg(long, value_name = "PATTERN", value_parser = parse::pattern)]
    pub(super) include: Vec<Pattern>,
    /// Follow no links that match
    #[arg(long, value_name = "PATTERN", value_parser = parse::pattern)]
    pub(super) exclude: Vec<Pattern>,
    /// Follow no links from https to http, nor back
    #[arg(long)]
    pub(super) same_scheme: bool,
    /// Take parameters off the query of links: names, or beginnings such as utm_*
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub(super) strip_query: Vec<String>,
    /// Follow links to at most N pages of each host
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) max_per_host: Option<u64>,
    /// Which page of a host goes first: breadth (as found), depth, path (the shortest) or sitemap (by its priority)
    #[arg(long, value_name = "BY", default_value = "breadth", hide_possible_values = true)]
    pub(super) priority: Priority,
    /// Follow links though they, or their pages, say nofollow
    #[arg(long)]
    pub(super) ignore_nofollow: bool,
    /// Follow links into what looks endless: calendars, sessions, ever deeper paths, parameters in every order
    #[arg(long)]
    pub(super) allow_traps: bool,
    /// Obey robots.txt for discovered URLs, always, or ignore it
    #[arg(long, value_name = "WHEN", default_value = "discovered", hide_possible_values = true)]
    pub(super) robots: Robots,
}

impl Crawl {
    /// How many links from a seed it goes at most.
    pub(super) fn depth(&self) -> u32 {
        self.depth.unwrap_or(if self.check_links { u32::MAX } else { 0 })
    }

    /// Whether links are looked for.
    pub(super) fn is_one(&self) -> bool {
        self.depth() > 0 || self.check_links
    }
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Sitemaps")]
pub(super) struct Sitemaps {
    /// Fetch also what is listed in the sitemaps of each URL's site, or in the sitemap or feed at URL (or in a FILE);
    /// repeatable
    #[arg(long, value_name = "URL", num_args = 0..=1, default_missing_value = "", value_hint = ValueHint::Url)]
    pub(super) sitemap: Vec<String>,
    /// Of that, take what changed in this time, such as 7d, and what does not tell
    #[arg(long, value_name = "TIME", value_parser = parse::ago)]
    pub(super) since: Option<Duration>,
    /// Visit a random N of the URLs that are named, in lists and sitemaps; all are read first
    #[arg(long, value_name = "N", value_parser = parse::count, conflicts_with = "limit")]
    pub(super) sample: Option<NonZeroUsize>,
    /// Draw the same N of the same URLs each time, for the same NUMBER
    #[arg(long, value_name = "NUMBER", requires = "sample")]
    pub(super) sample_seed: Option<u64>,
}

impl Sitemaps {
    /// Whether the sitemaps of each URL's site are asked for.
    pub(super) fn of_sites(&self) -> bool {
        self.sitemap.iter().any(|value| matches!(&**value, "" | "true"))
    }

    /// The sitemaps that are named.
    pub(super) fn named(&self) -> impl Iterator<Item = &str> {
        self.sitemap.iter().map(|value| &**value).filter(|value| !matches!(*value, "" | "true" | "false"))
    }

    /// Whether pages come in that sitemaps list.
    pub(super) fn are_wanted(&self) -> bool {
        self.of_sites() || self.named().next().is_some()
    }
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Pace")]
pub(super) struct Pace {
    /// Requests in flight at most
    #[arg(short = 'c', long, value_name = "N", default_value = "64", value_parser = parse::count)]
    pub(super) concurrency: NonZeroUsize,
    /// Requests in flight at most to one host
    #[arg(long, value_name = "N", default_value = "8", value_parser = parse::count)]
    pub(super) per_host: NonZeroUsize,
    /// What counts as one host for that, and for --delay: host (a name), domain (all names below a registered one), or ip (all names at one address)
    #[arg(long, value_name = "WHAT", default_value = "host", hide_possible_values = true, value_parser = parse::limit_by())]
    pub(super) limit_by: LimitBy,
    /// Time between the starts of two requests to one host
    #[arg(long, value_name = "TIME", default_value = "0", value_parser = parse::duration)]
    pub(super) delay: Duration,
    /// Requests started at most, such as 20, 20/s or 90/m
    #[arg(long, value_name = "N", value_parser = parse::rate)]
    pub(super) rate: Option<Duration>,
    /// Keep --delay and Retry-After also together with other runs on this machine that name the same DIR
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(super) shared_politeness: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Retries")]
pub(super) struct Retries {
    /// Tries after the first one, where trying again makes sense
    #[arg(long, value_name = "N", default_value = "2")]
    pub(super) retry: u32,
    /// The longest wait before the first retry; it doubles with each one
    #[arg(long, value_name = "TIME", default_value = "1", value_parser = parse::duration)]
    pub(super) retry_delay: Duration,
    /// The longest Retry-After that is waited for
    #[arg(long, value_name = "TIME", default_value = "120", value_parser = parse::duration)]
    pub(super) max_retry_after: Duration,
}

#[derive(Debug, Args)]
#[expect(clippy::struct_field_names, reason = "fields are named as the options are")]
#[command(next_help_heading = "Request")]
pub(super) struct Request {
    /// Send a header to the named URLs' own origins; 'Name:' removes one
    #[arg(short = 'H', long, value_name = "LINE")]
    pub(super) header: Vec<String>,
    /// The User-Agent
    #[arg(short = 'A', long, value_name = "NAME")]
    pub(super) user_agent: Option<String>,
    /// Basic authentication at the named URLs' own origins
    #[arg(short = 'u', long, value_name = "USER:PASSWORD")]
    pub(super) user: Option<String>,
    /// Send NAME=VALUE to the named URLs' own origins, or read FILE and keep what servers set
    #[arg(short = 'b', long, value_name = "DATA|FILE")]
    pub(super) cookie: Vec<String>,
    /// Read cookies from FILE if it exists, keep what servers set, and write all to FILE at the end
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(super) cookie_jar: Option<PathBuf>,
    /// The method [default: GET; POST with --data]
    #[arg(short = 'X', long, value_name = "METHOD")]
    pub(super) request: Option<Method>,
    /// Send a body (@FILE: from a file); several are joined by &
    #[arg(short = 'd', long, value_name = "DATA")]
    pub(super) data: Vec<String>,
    /// Ask for the headers alone
    #[arg(short = 'I', long)]
    pub(super) head: bool,
    /// Taken for curl's sake: redirects are always followed (see --max-redirs)
    #[arg(short = 'L', long)]
    pub(super) location: bool,
    /// Send what is for the named URLs' own origins also to where they redirect
    #[arg(long)]
    pub(super) location_trusted: bool,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Connection")]
pub(super) struct Connection {
    /// Use a proxy: http, https, socks4, socks4a, socks5 or socks5h [default: the environment's]
    #[arg(long, value_name = "URL")]
    pub(super) proxy: Option<String>,
    /// Do not verify TLS certificates
    #[arg(short = 'k', long)]
    pub(super) insecure: bool,
    /// Trust the certificates in this PEM file, and no others
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(super) cacert: Option<PathBuf>,
    /// The client's certificate, as PEM
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(super) cert: Option<PathBuf>,
    /// The key of --cert, where it is not in the same file
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(super) key: Option<PathBuf>,
    /// Use these addresses for a host and port
    #[arg(long, value_name = "HOST:PORT:ADDR,…", value_parser = parse::resolution)]
    pub(super) resolve: Vec<Resolution>,
    /// Keep servers from sending us to private addresses: always (if no WHEN is given), from-public (if their own is
    /// public) or never; names that are asked by a proxy are beyond this
    #[arg(
        long,
        value_name = "WHEN",
        num_args = 0..=1,
        require_equals = true,
        default_value = "from-public",
        default_missing_value = "always",
        hide_possible_values = true,
        value_parser = parse::deny_private()
    )]
    pub(super) deny_private: DenyPrivate,
    /// Use IPv4 only
    #[arg(short = '4', long, overrides_with = "ipv6")]
    pub(super) ipv4: bool,
    /// Use IPv6 only
    #[arg(short = '6', long, overrides_with = "ipv4")]
    pub(super) ipv6: bool,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Limits")]
pub(super) struct Limits {
    /// Time for name, connection and TLS (0: no limit)
    #[arg(long, value_name = "TIME", default_value = "10", value_parser = parse::limit)]
    pub(super) connect_timeout: Duration,
    /// Time without a byte (0: no limit)
    #[arg(long, value_name = "TIME", default_value = "15", value_parser = parse::limit)]
    pub(super) read_timeout: Duration,
    /// Time for one attempt, redirects included (0: no limit)
    #[arg(short = 'm', long, alias = "timeout", value_name = "TIME", default_value = "30", value_parser = parse::limit)]
    pub(super) max_time: Duration,
    /// Largest body, decoded
    #[arg(long, value_name = "SIZE", default_value = "10M", value_parser = parse::size)]
    pub(super) max_body: usize,
    /// Memory for the bodies in flight; what finds none waits [default: 1G, or what one body may take]
    #[arg(long, value_name = "SIZE", value_parser = parse::size)]
    pub(super) max_memory: Option<usize>,
    /// Redirects to follow
    #[arg(long, value_name = "N", default_value = "10")]
    pub(super) max_redirs: usize,
}

/// How progress is shown on standard error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum ProgressMode {
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
pub(super) enum LogFormat {
    /// For a person.
    Text,
    /// One JSON object a line.
    Json,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "General")]
pub(super) struct Display {
    /// On standard error: a bar, a line every 10 s, or nothing
    #[arg(long, value_name = "HOW", default_value = "auto", hide_possible_values = true)]
    pub(super) progress: ProgressMode,
    /// What is said on standard error: text, or json, an object a line
    #[arg(long, value_name = "FORMAT", default_value = "text", hide_possible_values = true)]
    pub(super) log_format: LogFormat,
}

impl Display {
    /// How progress is shown in a run that nobody watches, or somebody.
    pub(super) fn mode(&self, is_watched: bool) -> ProgressMode {
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
pub(super) struct General {
    /// Tell what happens; twice: in detail
    #[arg(short = 'v', long, action = ArgAction::Count, overrides_with = "quiet")]
    pub(super) verbose: u8,
    /// Tell nothing but errors
    #[arg(short = 'q', long, overrides_with = "verbose")]
    pub(super) quiet: bool,
    /// Read no scrape.toml
    #[arg(long)]
    pub(super) no_config: bool,
}
