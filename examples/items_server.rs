//! A server to scrape without a network: `GET /items/{item_id}` answers `{"item_id": …}` after a second of simulated I/O.
//! While a request waits it costs a timer and no thread, so 10,000 at once take hardly longer than one.
//!
//! ```sh
//! cargo run --release --example items_server              # listens on 127.0.0.1:8000
//! cargo run --release --example items_server 127.0.0.1:0  # on another address
//! ```

use std::io::Write;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context;
use axum::extract::Path;
use axum::routing::get;
use axum::{Json, Router};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde::Serialize;
use tokio::net::{TcpListener, TcpSocket};

/// How long the simulated I/O takes.
const LATENCY: Duration = Duration::from_secs(1);

#[derive(Serialize)]
struct Item {
    item_id: i64,
}

async fn read_item(Path(item_id): Path<i64>) -> Json<Item> {
    tokio::time::sleep(LATENCY).await;
    Json(Item { item_id })
}

/// The server's only route.
pub(crate) fn router() -> Router {
    Router::new().route("/items/{item_id}", get(read_item))
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8000".into());
    let address: SocketAddr =
        address.parse().with_context(|| format!("{address:?} is no address like 127.0.0.1:8000"))?;
    raise_open_file_limit()?;
    let listener = listen(address).with_context(|| format!("cannot listen on {address}"))?;
    writeln!(std::io::stdout(), "http://{}/items/1", listener.local_addr()?)?;
    axum::serve(listener, router()).await?;
    Ok(())
}

/// Listens with room for connections that arrive in one burst. The system may hold fewer than that.
pub(crate) fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(10_000)
}

/// Allows as many connections as the system lets us have: the usual limit is 1024 open files.
fn raise_open_file_limit() -> anyhow::Result<()> {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).context("cannot raise the limit of open files")
}
