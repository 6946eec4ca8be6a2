//! The program in full dress, without a network: a server whose every answer takes a second gives 1,000 items, a small
//! site beside it the odd page. All of it takes little more than that second.
//!
//! ```sh
//! cargo run --release --example demo
//! ```

use std::ffi::OsString;
use std::process::ExitCode;

use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect};
use axum::routing::get;
use tokio::runtime::Runtime;

#[path = "items_server.rs"]
#[expect(dead_code, reason = "its main is not called here")]
mod items_server;

const ITEMS: usize = 1000;

/// What a list of real pages has, too: titles in several scripts, a redirect, a page that is gone, a broken one.
fn site() -> Router {
    let latin_1 = || async {
        ([(header::CONTENT_TYPE, "text/html; charset=iso-8859-1")], &b"<title>Caf\xe9 \xe0 la carte</title>"[..])
    };
    Router::new()
        .route("/", get(|| async { Html("<title>A small site</title><h1>Welcome</h1>") }))
        .route("/ja", get(|| async { Html("<meta charset=utf-8><title>日本語のページ</title>") }))
        .route("/menu", get(latin_1))
        .route("/old", get(|| async { Redirect::permanent("/new") }))
        .route("/new", get(|| async { Html("<title>It lives here now</title>") }))
        .route("/broken", get(|| async { (StatusCode::NOT_IMPLEMENTED, Html("<title>Oops</title>")).into_response() }))
        .merge(items_server::router(items_server::LATENCY))
}

fn main() -> anyhow::Result<ExitCode> {
    let server = Runtime::new()?;
    let listener = server.block_on(async { items_server::listen(([127, 0, 0, 1], 0).into()) })?;
    let address = listener.local_addr()?;
    server.spawn(async move { axum::serve(listener, site()).await });

    let pages = ["", "ja", "menu", "old", "broken", "gone"].map(String::from);
    let paths = (1..=ITEMS).map(|n| format!("items/{n}")).chain(pages);
    let urls = paths.map(|path| format!("http://{address}/{path}"));
    // One host is asked 8 times at once unless it is meant: this one is ours.
    let command = ["scrape", "--no-config", "--concurrency", "1000", "--per-host", "1000"].map(String::from);
    Ok(scrape::cli::main(command.into_iter().chain(urls).map(OsString::from)))
}
