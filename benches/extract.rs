//! How long a page takes to be read, by what is asked of it, and what the tools below us take for it.
//!
//! Without more said the page is a made one. `SCRAPE_BENCH_PAGES=DIR` takes all `.html` files of a folder instead: each
//! iteration then reads all of them.

#![expect(clippy::unwrap_used, reason = "a benchmark stops at the first surprise")]
#![expect(clippy::disallowed_methods, reason = "a benchmark has no command line of its own")]

use std::fmt::Write;
use std::hint::black_box;
use std::{env, fs};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use html5ever::buffer_queue::BufferQueue;
use html5ever::tendril::StrTendril;
use html5ever::tokenizer::{Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use scrape::extract::{Ask, Extractor, Follow};
use scrape::fetch::{Fetched, Head};
use scrape::page::Page;
use scraper::Html;
use url::Url;

/// The answers that hold the pages.
fn answers() -> Vec<Fetched> {
    let bodies = match env::var_os("SCRAPE_BENCH_PAGES") {
        None => vec![reference_page().into_bytes()],
        Some(folder) => {
            let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
            files
                .filter(|path| path.extension().is_some_and(|it| it == "html"))
                .map(|it| fs::read(it).unwrap())
                .collect()
        }
    };
    bodies.into_iter().map(answer).collect()
}

fn answer(body: Vec<u8>) -> Fetched {
    let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"))]);
    let url = Url::parse("http://docs.test/manual/chapter.html").unwrap();
    Fetched { url, head: Head { status: 200, headers }, body: body.into() }
}

/// A page like those of a manual: 28 kB, 83 links.
fn reference_page() -> String {
    let mut page = String::from(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\">\n<title>Chapter 3. Queries &amp; Joins</title>\n\
         <meta name=\"description\" content=\"How tables are joined.\"><link rel=\"stylesheet\" href=\"../style.css\">\n\
         <link rel=\"canonical\" href=\"https://docs.test/manual/chapter.html\">\n</head>\n<body>\n<h1>Queries</h1>\n",
    );
    for section in 0..16 {
        write!(
            page,
            "<div class=\"section\" id=\"s{section}\">\n<h2 class=\"title\">3.{section}. Joins of Tables</h2>\n\
             <p>A <a class=\"xref\" href=\"joins-{section}.html#kinds\" title=\"Kinds\">join</a> combines rows of two tables. \
             See <a href=\"/manual/select.html\"><code class=\"command\">SELECT</code></a> for the <em>whole</em> syntax, \
             and <a href=\"../reference/set-{section}.html\">SET</a>.</p>\n<pre class=\"code\">SELECT *\n  FROM weather w\n  \
             JOIN cities c ON w.city = c.name\n WHERE w.temp_lo &lt; 0 AND c.name &lt;&gt; 'x';</pre>\n\
             <table border=\"1\"><thead><tr><th>Name</th><th>Meaning</th></tr></thead>\n<tbody>"
        )
        .unwrap();
        for row in 0..6 {
            writeln!(
                page,
                "<tr><td><code>option_{row}</code></td><td>What it is good for,&nbsp;and when it may be left out.</td></tr>"
            )
            .unwrap();
        }
        write!(
            page,
            "</tbody></table>\n<ul class=\"list\"><li><p>It is <b>fast</b>: nothing is read twice.</p></li>\n<li><p>It is \
             safe, see <a href=\"https://www.test/papers/{section}\">the paper</a>.</p></li></ul>\n<!-- end of section -->\n\
             <div class=\"navigation\"><a accesskey=\"n\" href=\"chapter-{section}.html\">Next</a></div></div>\n"
        )
        .unwrap();
    }
    page.push_str("<script>if (a < b) { document.write('<a href=x>'); }</script>\n<a href=\"#top\">Up</a>");
    page.push_str("<a href=\"index.html\">Home</a><a href=\"mailto:docs@docs.test\">Write to us</a></body></html>\n");
    page
}

fn asks(names: &[&str]) -> Extractor {
    let ask = |name: &&str| if name.contains('=') { Ask::Select((*name).into()) } else { Ask::Field((*name).into()) };
    Extractor::new(&names.iter().map(ask).collect::<Vec<_>>()).unwrap()
}

/// Takes tokens and does nothing with them.
struct Nothing;

impl TokenSink for Nothing {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        black_box(token);
        TokenSinkResult::Continue
    }
}

fn extract(c: &mut Criterion) {
    let answers = answers();
    let pages: Vec<_> = answers.iter().map(Page::read).collect();
    let mut group = c.benchmark_group("extract");
    group.throughput(Throughput::Bytes(pages.iter().map(|page| page.text.len() as u64).sum()));
    for (name, names) in [
        ("title", &[][..]),
        ("links", &["links"]),
        ("text", &["text"]),
        ("selectors", &["h1=h1", "p[]=p", "links[]=a@href"]),
        ("xpaths", &["h1=//h1", "p[]=//p", "links[]=//a/@href"]),
        ("transforms", &["h1=h1 | lower", "p[]=p | re:(\\w+) | trim", "links[]=a@href | split('/')"]),
    ] {
        let extractor = asks(names);
        group.bench_function(name, |b| {
            b.iter(|| pages.iter().for_each(|page| drop(black_box(extractor.read(page)))));
        });
    }
    let (extractor, follow) = (asks(&[]), Follow::default());
    group.bench_function("follow", |b| {
        b.iter(|| pages.iter().for_each(|page| drop(black_box(extractor.read_and_follow(page, &follow)))));
    });
    group.bench_function("html5ever's tokenizer", |b| {
        b.iter(|| {
            for page in &pages {
                let queue = BufferQueue::default();
                queue.push_back(StrTendril::from_slice(&page.text));
                let tokenizer = Tokenizer::new(Nothing, TokenizerOpts::default());
                let _ = tokenizer.feed(&queue);
                tokenizer.end();
            }
        });
    });
    group.bench_function("scraper's tree", |b| {
        b.iter(|| pages.iter().for_each(|page| drop(black_box(Html::parse_document(&page.text)))));
    });
    group.finish();
}

criterion_group!(benches, extract);
criterion_main!(benches);
