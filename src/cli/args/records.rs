//! What a run gives, and where it goes.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueHint};

use crate::cli::exit::FailOn;
use crate::cli::parse;
use crate::extract::FIELDS;
use crate::sink::Format;
use crate::visit::Accepted;

/// The help of `--extract`.
fn fields() -> String {
    let names: Vec<_> = FIELDS.iter().map(|field| field.name).collect();
    format!("Add built-in fields to the record: {}; all: every one that is cheap", names.join(", "))
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Extraction")]
pub(in crate::cli) struct Extraction {
    #[arg(short = 'x', long, value_name = "FIELD,…", value_delimiter = ',', help = fields())]
    pub(in crate::cli) extract: Vec<String>,
    /// Add a field: what CSS (…@attr: an attribute), XPath (//…), JSONPath ($…) or jq (jq:…) finds first, NAME[]= all of
    /// it; then, but for jq, transforms, such as … | number
    #[arg(short = 's', long, value_name = "NAME=SELECTOR")]
    pub(in crate::cli) select: Vec<String>,
    /// Add the fields of the recipes in FILE, each for the pages of some URLs; one record for each of a page's items
    #[arg(short = 'r', long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(in crate::cli) recipe: Vec<PathBuf>,
    #[arg(long, help = "Add the field duplicate_of: the first page with nearly the same main content")]
    pub(in crate::cli) dedupe_text: bool,
    /// Give records of what is new, changed, gone or back since the last run with the same --state alone; adds the fields
    /// change and diff
    #[arg(long)]
    pub(in crate::cli) changed: bool,
    /// Give a record for each piece of the main content, of at most N characters: its number (chunk), headings (path) and
    /// Markdown (text)
    #[arg(long, value_name = "N", value_parser = parse::count, conflicts_with = "recipe")]
    pub(in crate::cli) chunk: Option<NonZeroUsize>,
}

#[derive(Debug, Args)]
#[expect(clippy::struct_field_names, reason = "fields are named as the options are")]
#[command(next_help_heading = "Output")]
pub(in crate::cli) struct Output {
    /// table, tsv, jsonl, csv or parquet, where no file name tells [default: table on a terminal, else tsv]
    #[arg(short = 'f', long, value_name = "FORMAT", hide_possible_values = true, value_parser = parse::format())]
    pub(in crate::cli) format: Option<Format>,
    /// Write to FILE in the format of its extension, and not to standard output (-); .warc.gz: an archive of all that goes
    /// over the wire; .html: a report at the end; repeatable
    #[arg(short = 'o', long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(in crate::cli) output: Vec<PathBuf>,
    /// Put an apostrophe before CSV and TSV cells that a spreadsheet would take for a formula
    #[arg(long)]
    pub(in crate::cli) csv_safe: bool,
    /// Write records in the order of the input; fast hosts may have to wait
    #[arg(long)]
    pub(in crate::cli) ordered: bool,
    /// Save the pages as files in DIR, with a manifest
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(in crate::cli) save: Option<PathBuf>,
    /// Write what leads where to FILE.dot, FILE.graphml or FILE.jsonl, also compressed (.gz, .zst)
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(in crate::cli) graph: Option<PathBuf>,
    /// Write the totals of the run to FILE, as JSON
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(in crate::cli) summary: Option<PathBuf>,
    /// From when on the run has failed: any, all, none, or a number or percentage of failed URLs
    #[arg(long, value_name = "WHEN", default_value = "any")]
    pub(in crate::cli) fail_on: FailOn,
    /// Expect this of each record ('price != ""', 'title ~ /shop/i') or of the run ('items >= 20', 'fill(price) >=
    /// 95%'); exit with 3 if it does not hold; repeatable
    #[arg(long, value_name = "CONDITION")]
    pub(in crate::cli) expect: Vec<String>,
    /// The statuses that count as fetched, such as 200-299,404 [default: below 400]
    #[arg(long, value_name = "STATUSES")]
    pub(in crate::cli) ok_status: Option<Accepted>,
}

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of its own")]
#[command(next_help_heading = "Long runs")]
pub(in crate::cli) struct Endurance {
    /// Keep what is known of each URL in FILE.db, a SQLite database: its versions, validators and failures
    #[arg(long, value_name = "FILE.db", value_hint = ValueHint::FilePath)]
    pub(in crate::cli) state: Option<PathBuf>,
    /// With --state, keep the last page of each URL in it, too: it is a source then
    #[arg(long, requires = "state")]
    pub(in crate::cli) keep_bodies: bool,
    /// With --changed, tell of a failure that lasts again after each N more runs, and not only once
    #[arg(long, value_name = "N", requires = "changed", value_parser = clap::value_parser!(u32).range(1..))]
    pub(in crate::cli) error_after: Option<u32>,
    /// With --changed, exit with 6 if something changed
    #[arg(long, requires = "changed")]
    pub(in crate::cli) exit_code: bool,
    /// Go on where an earlier run with the same -o FILE ended, however it did: what is done there is not done again
    #[arg(long)]
    pub(in crate::cli) resume: bool,
    /// With --resume, try again all that failed, and not only what may be gone in a moment
    #[arg(long, requires = "resume")]
    pub(in crate::cli) retry_failed: bool,
    /// Write the URLs that failed to FILE, as JSON Lines that tell why and are a source
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(in crate::cli) failed_to: Option<PathBuf>,
    /// Stop after this time, such as 50m: start nothing more, let what is in flight end for 5 s, exit with 75
    #[arg(long, value_name = "TIME", value_parser = parse::time)]
    pub(in crate::cli) deadline: Option<Duration>,
    /// Fetch at most this many pages in this run
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(in crate::cli) max_pages: Option<u64>,
    /// Start nothing more when the bodies in this run have this size together
    #[arg(long, value_name = "SIZE", value_parser = parse::total)]
    pub(in crate::cli) max_bytes: Option<u64>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Unattended runs")]
pub(in crate::cli) struct Unattended {
    /// Run once at a time for each -o FILE, --save DIR and --state FILE.db, and say nothing but when the exit status is
    /// another one than last time
    #[arg(long)]
    pub(in crate::cli) cron: bool,
    /// Wait for a random time, at most this long, such as 5m, before anything is fetched or written
    #[arg(long, value_name = "TIME", value_parser = parse::duration)]
    pub(in crate::cli) jitter: Option<Duration>,
    /// Write figures of the run to FILE.prom, in the text format of Prometheus
    #[arg(long, value_name = "FILE.prom", value_hint = ValueHint::FilePath)]
    pub(in crate::cli) metrics: Option<PathBuf>,
    /// Run a shell command when there are records, with these on its standard input as JSON Lines
    #[arg(long, value_name = "COMMAND", value_hint = ValueHint::CommandString)]
    pub(in crate::cli) notify: Option<String>,
    /// Time for that command
    #[arg(long, value_name = "TIME", default_value = "60", value_parser = parse::time)]
    pub(in crate::cli) notify_timeout: Duration,
    /// Post the records to this URL when the run has ended, in batches
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url)]
    pub(in crate::cli) webhook: Option<String>,
    #[arg(
        long,
        value_name = "@FILE",
        help = "Sign what is posted with the secret in FILE; or set SCRAPE_WEBHOOK_SECRET to it: others see the command line"
    )]
    pub(in crate::cli) webhook_secret: Option<String>,
}

#[derive(Debug, Args)]
#[expect(clippy::struct_field_names, reason = "fields are named as the options are")]
#[command(next_help_heading = "Cache")]
pub(in crate::cli) struct Cache {
    /// Keep pages in DIR for as long as their servers allow (RFC 9111); any number of runs may share it
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(in crate::cli) cache: Option<PathBuf>,
    /// How large the cache may get; the oldest pages go first
    #[arg(long, value_name = "SIZE", default_value = "1G", value_parser = parse::total)]
    pub(in crate::cli) cache_size: u64,
    /// Ask nobody: what the cache does not have fails, what it has is used however old
    #[arg(long)]
    pub(in crate::cli) offline: bool,
}
