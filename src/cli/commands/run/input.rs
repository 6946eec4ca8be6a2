//! What a run reads.

use std::io::{self, IsTerminal};

use anyhow::anyhow;
use jiff::Timestamp;

use crate::cli::args;
use crate::cli::exit::Stop;
use crate::seeds::{self, Seeds, Source};

/// What the arguments name, and these sitemaps.
pub(in crate::cli::commands) fn sources(args: &args::Input, sitemaps: Vec<Source>) -> Result<Vec<Source>, Stop> {
    if args.sources.is_empty() && !sitemaps.is_empty() {
        return Ok(sitemaps);
    }
    if args.sources.is_empty() && io::stdin().is_terminal() {
        let hint = "scrape urls.txt, scrape https://example.com, or … | scrape -   (all options: scrape --help)";
        return Err(Stop::usage(anyhow!("no source: name a URL or a file of URLs")).with_hint(Some(hint.into())));
    }
    if args.sources.is_empty() {
        return Ok(vec![Source::Stdin]);
    }
    let sources: Vec<_> = args.sources.iter().cloned().map(Source::from_argument).collect();
    for source in sources.iter().filter(|source| args.column.is_none() && looks_like_a_table(source)) {
        tracing::warn!("{source} is read as a list of URLs: --column NAME reads a table");
    }
    Ok(sources.into_iter().chain(sitemaps).collect())
}

fn looks_like_a_table(source: &Source) -> bool {
    match source {
        Source::File(path) => path.extension().is_some_and(|extension| extension == "csv" || extension == "tsv"),
        Source::Url(_) | Source::Stdin | Source::Sitemap(_) | Source::SitemapFile(_) => false,
    }
}

pub(in crate::cli::commands) fn open_seeds(
    input: &args::Input,
    sources: Vec<Source>,
    (max_body, since): (usize, Option<Timestamp>),
) -> Result<Seeds, Stop> {
    let options =
        seeds::Options { default_scheme: input.default_scheme, column: input.column.clone(), max_body, since };
    seeds::open(sources, options).map_err(|error| {
        let hint = error.hint();
        Stop::broken(error).with_hint(hint)
    })
}
