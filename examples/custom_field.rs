//! A field of one's own: how many scripts a page has.
//!
//! ```sh
//! cargo run --release --example custom_field https://example.com
//! ```

use std::sync::Arc;

use scrape::engine::Engine;
use scrape::extract::{Ask, Extractor};
use scrape::fetch::Fetcher;
use scrape::page::{Kind, Page};
use scrape::seeds::{self, Source};
use scrape::sink::{self, Format, Lines};
use scrape::value::Value;
use scrape::visit::{Accepted, Local};

/// How many scripts an HTML page has; null for anything else.
fn scripts(page: &Page) -> Value<'static> {
    match page.kind {
        Kind::Html => Value::Int(page.text.matches("<script").count() as u64),
        _ => Value::Null,
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let sources = std::env::args_os().skip(1).map(Source::from_argument).collect();
    let mut extractor = Extractor::new(&[Ask::Field("lang".into()), Ask::Select("links[]=a@href".into())])?;
    extractor.add("scripts", scripts)?;
    let options = sink::Options { fields: Arc::from(extractor.names()), ..sink::Options::default() };
    let table = Format::Table.sink(Lines::new("standard output", std::io::stdout()), &options);
    let visitor = Local::new(Fetcher::default(), extractor, Accepted::default());
    Engine::new(visitor).run(seeds::open(sources, seeds::Options::default())?, vec![table]).await?;
    Ok(())
}
