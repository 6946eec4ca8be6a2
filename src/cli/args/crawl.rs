//! How far a run goes beyond its list.

use std::num::NonZeroUsize;
use std::time::Duration;

use clap::{Args, ValueHint};

use crate::cli::parse;
use crate::frontier::scope::Pattern;

/// How far a crawl goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(in crate::cli) enum Scope {
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
pub(in crate::cli) enum Robots {
    /// For what nobody typed.
    Discovered,
    /// For every URL.
    Always,
    /// For none.
    Ignore,
}

/// Which page of a host goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(in crate::cli) enum Priority {
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
pub(in crate::cli) struct Crawl {
    /// Follow links, so many from each URL at most; all: as many as there are [default: 0, to --check-links all]
    #[arg(long, value_name = "N", value_parser = parse::depth)]
    pub(in crate::cli) depth: Option<u32>,
    /// Check links: ask for those that are not followed, too, once; give records of broken ones alone (-v: of all), and exit
    /// with 1 if there are any
    #[arg(long)]
    pub(in crate::cli) check_links: bool,
    /// How far links are followed: page, prefix (its folder and below), host, domain (all hosts of its owner) or any
    #[arg(long, value_name = "HOW", default_value = "host", hide_possible_values = true)]
    pub(in crate::cli) scope: Scope,
    /// Follow no links but those of these elements [default: a, area, link, frame, iframe, meta refresh]
    #[arg(long, value_name = "CSS")]
    pub(in crate::cli) follow: Vec<String>,
    /// Follow links that match: /path*, *.html, a whole URL with * in it, or re:EXPRESSION
    #[arg(long, value_name = "PATTERN", value_parser = parse::pattern)]
    pub(in crate::cli) include: Vec<Pattern>,
    /// Follow no links that match
    #[arg(long, value_name = "PATTERN", value_parser = parse::pattern)]
    pub(in crate::cli) exclude: Vec<Pattern>,
    /// Follow no links from https to http, nor back
    #[arg(long)]
    pub(in crate::cli) same_scheme: bool,
    /// Take parameters off the query of links: names, or beginnings such as utm_*
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub(in crate::cli) strip_query: Vec<String>,
    /// Follow links to at most N pages of each host
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(in crate::cli) max_per_host: Option<u64>,
    /// Which page of a host goes first: breadth (as found), depth, path (the shortest) or sitemap (by its priority)
    #[arg(long, value_name = "BY", default_value = "breadth", hide_possible_values = true)]
    pub(in crate::cli) priority: Priority,
    /// Follow links though they, or their pages, say nofollow
    #[arg(long)]
    pub(in crate::cli) ignore_nofollow: bool,
    /// Follow links into what looks endless: calendars, sessions, ever deeper paths, parameters in every order
    #[arg(long)]
    pub(in crate::cli) allow_traps: bool,
    /// Obey robots.txt for discovered URLs, always, or ignore it
    #[arg(long, value_name = "WHEN", default_value = "discovered", hide_possible_values = true)]
    pub(in crate::cli) robots: Robots,
}

impl Crawl {
    /// How many links from a seed it goes at most.
    pub(in crate::cli) fn depth(&self) -> u32 {
        self.depth.unwrap_or(if self.check_links { u32::MAX } else { 0 })
    }

    /// Whether links are looked for.
    pub(in crate::cli) fn is_one(&self) -> bool {
        self.depth() > 0 || self.check_links
    }
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Sitemaps")]
pub(in crate::cli) struct Sitemaps {
    /// Fetch also what is listed in the sitemaps of each URL's site, or in the sitemap or feed at URL (or in a FILE);
    /// repeatable
    #[arg(long, value_name = "URL", num_args = 0..=1, default_missing_value = "", value_hint = ValueHint::Url)]
    pub(in crate::cli) sitemap: Vec<String>,
    /// Of that, take what changed in this time, such as 7d, and what does not tell
    #[arg(long, value_name = "TIME", value_parser = parse::ago)]
    pub(in crate::cli) since: Option<Duration>,
    /// Visit a random N of the URLs that are named, in lists and sitemaps; all are read first
    #[arg(long, value_name = "N", value_parser = parse::count, conflicts_with = "limit")]
    pub(in crate::cli) sample: Option<NonZeroUsize>,
    /// Draw the same N of the same URLs each time, for the same NUMBER
    #[arg(long, value_name = "NUMBER", requires = "sample")]
    pub(in crate::cli) sample_seed: Option<u64>,
}

impl Sitemaps {
    /// Whether the sitemaps of each URL's site are asked for.
    pub(in crate::cli) fn of_sites(&self) -> bool {
        self.sitemap.iter().any(|value| matches!(&**value, "" | "true"))
    }

    /// The sitemaps that are named.
    pub(in crate::cli) fn named(&self) -> impl Iterator<Item = &str> {
        self.sitemap.iter().map(|value| &**value).filter(|value| !matches!(*value, "" | "true" | "false"))
    }

    /// Whether pages come in that sitemaps list.
    pub(in crate::cli) fn are_wanted(&self) -> bool {
        self.of_sites() || self.named().next().is_some()
    }
}
