//! A server to scrape without a network: `GET /items/{item_id}` answers `{"item_id": …}` after a second of simulated I/O.
//! While a request waits it costs a timer and no thread, so 10,000 at once take hardly longer than one.
//!
//! ```sh
//! cargo run --release --example items_server              # listens on 127.0.0.1:8000
//! cargo run --release --example items_server 127.0.0.1:0  # on another address
//! cargo run --release --example items_server 127.0.0.1:8000 10  # 10 seconds of simulated I/O
//! ```

use std::io::Write;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context;
use axum::extract::{Path, State};
use axum::routing::get;
use axum::{Json, Router};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde::Serialize;
use tokio::net::{TcpListener, TcpSocket};

/// How long the simulated I/O takes unless somebody says otherwise.
pub(crate) const LATENCY: Duration = Duration::from_secs(1);

#[derive(Serialize)]
struct Item {
    item_id: i64,
}

async fn read_item(Path(item_id): Path<i64>, State(latency): State<Duration>) -> Json<Item> {
    tokio::time::sleep(latency).await;
    Json(Item { item_id })
}

/// The server's only route.
pub(crate) fn router(latency: Duration) -> Router {
    Router::new().route("/items/{item_id}", get(read_item)).with_state(latency)
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut args = std::env::args().skip(1);
    let address = args.next().unwrap_or_else(|| "127.0.0.1:8000".into());
    let address: SocketAddr =
        address.parse().with_context(|| format!("{address:?} is no address like 127.0.0.1:8000"))?;
    let latency = match args.next() {
        None => LATENCY,
        Some(seconds) => {
            let number = seconds.parse().with_context(|| format!("{seconds:?} is no number of seconds"))?;
            Duration::try_from_secs_f64(number).with_context(|| format!("{seconds:?} is no length of time"))?
        }
    };
    raise_open_file_limit()?;
    let listener = listen(address).with_context(|| format!("cannot listen on {address}"))?;
    writeln!(std::io::stdout(), "http://{}/items/1", listener.local_addr()?)?;
    axum::serve(listener, router(latency)).await?;
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
