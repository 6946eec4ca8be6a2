//! A server on raw sockets whose connections follow a script.
//!
//! A [`Site`](super::Site) answers requests, in broken HTTP too; this is for what is no answer to a request: a connection
//! that ends before one came, bytes that nobody asked for, a peer that never reads.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::runtime::Runtime;

use super::answer::Gate;
use super::site::PATIENCE;

/// What a connection does next. At the end of its script it is closed.
#[derive(Clone)]
pub(crate) enum Step {
    /// Reads a request without a body. If none comes, the script ends.
    Request,
    Send(Vec<u8>),
    /// Sends the bytes one by one, with a pause before each.
    Drip(Vec<u8>, Duration),
    /// Sends the bytes again and again, with a pause after each time, until the client goes away.
    Repeat(Vec<u8>, Duration),
    /// Goes on when the gate is open.
    Wait(Gate),
    /// Does nothing for so long.
    Pause(Duration),
    /// Does nothing for ever, and keeps the connection.
    Stall,
    /// Sends no more (FIN), and goes on.
    Finish,
    /// Ends the connection with RST.
    Reset,
}

impl Step {
    pub(crate) fn send(bytes: impl Into<Vec<u8>>) -> Self {
        Self::Send(bytes.into())
    }
}

/// One request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    /// The number of the connection, counted from 0.
    pub(crate) connection: usize,
    /// Its path and query.
    pub(crate) path: String,
}

#[derive(Default)]
struct Log {
    connections: usize,
    requests: Vec<Request>,
}

type Script = Box<dyn Fn(usize) -> Vec<Step> + Send + Sync>;

struct Stage {
    script: Script,
    log: Mutex<Log>,
    changed: Condvar,
}

/// A server at 127.0.0.1.
pub(crate) struct Wire {
    port: u16,
    stage: Arc<Stage>,
    runtime: Option<Runtime>,
}

impl Wire {
    /// Connections, counted from 0, follow the scripts that `script` has for them.
    pub(crate) fn start(script: impl Fn(usize) -> Vec<Step> + Send + Sync + 'static) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))).unwrap();
        let port = listener.local_addr().unwrap().port();
        let stage = Arc::new(Stage { script: Box::new(script), log: Mutex::default(), changed: Condvar::new() });
        runtime.spawn(serve(listener, stage.clone()));
        Self { port, stage, runtime: Some(runtime) }
    }

    /// All connections follow one script.
    pub(crate) fn always(steps: impl Into<Vec<Step>>) -> Self {
        let steps = steps.into();
        Self::start(move |_| steps.clone())
    }

    /// The URL of `path`.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// How many connections there were.
    pub(crate) fn connections(&self) -> usize {
        self.stage.log.lock().unwrap().connections
    }

    /// Every request so far.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.stage.log.lock().unwrap().requests.clone()
    }

    /// Waits until `count` requests have come.
    pub(crate) fn wait_for(&self, count: usize) {
        let log = self.stage.log.lock().unwrap();
        let enough = |log: &mut Log| log.requests.len() < count;
        let (log, waited) = self.stage.changed.wait_timeout_while(log, PATIENCE, enough).unwrap();
        assert!(!waited.timed_out(), "only these requests came: {:?}", log.requests);
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

async fn serve(listener: TcpListener, stage: Arc<Stage>) {
    while let Ok((stream, _)) = listener.accept().await {
        stream.set_nodelay(true).unwrap();
        let connection = {
            let mut log = stage.log.lock().unwrap();
            log.connections += 1;
            log.connections - 1
        };
        let stage = stage.clone();
        tokio::spawn(async move { perform(stream, connection, &stage).await });
    }
}

/// Follows the script to its end, or until the client has gone.
async fn perform(mut stream: TcpStream, connection: usize, stage: &Stage) {
    for step in (stage.script)(connection) {
        let went_on = match step {
            Step::Request => match read_head(&mut stream).await {
                Some(path) => {
                    stage.log.lock().unwrap().requests.push(Request { connection, path });
                    stage.changed.notify_all();
                    Ok(())
                }
                None => return,
            },
            Step::Send(bytes) => stream.write_all(&bytes).await,
            Step::Drip(bytes, pause) => drip(&mut stream, &bytes, pause).await,
            Step::Repeat(bytes, pause) => repeat(&mut stream, &bytes, pause).await,
            Step::Wait(gate) => {
                gate.pass().await;
                Ok(())
            }
            Step::Pause(time) => {
                tokio::time::sleep(time).await;
                Ok(())
            }
            Step::Stall => std::future::pending().await,
            Step::Finish => stream.shutdown().await,
            Step::Reset => {
                stream.set_zero_linger().unwrap();
                return;
            }
        };
        if went_on.is_err() {
            return;
        }
    }
}

async fn drip(stream: &mut TcpStream, bytes: &[u8], pause: Duration) -> std::io::Result<()> {
    for byte in bytes {
        tokio::time::sleep(pause).await;
        stream.write_all(&[*byte]).await?;
    }
    Ok(())
}

async fn repeat(stream: &mut TcpStream, bytes: &[u8], pause: Duration) -> std::io::Result<()> {
    loop {
        stream.write_all(bytes).await?;
        tokio::time::sleep(pause).await;
    }
}

/// Reads as far as the blank line, and no further. The path that was asked for.
async fn read_head(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    Some(String::from_utf8(head).unwrap().split(' ').nth(1).unwrap().to_owned())
}

/// An address at 127.0.0.1 that lets no connection in: SYN after SYN is dropped.
pub(crate) struct Deaf {
    port: u16,
    _runtime: Runtime,
    _listener: TcpListener,
    _queued: TcpStream,
}

impl Deaf {
    pub(crate) fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (listener, queued) = runtime.block_on(async {
            let socket = TcpSocket::new_v4().unwrap();
            socket.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).unwrap();
            // There is room for one connection that nobody accepts.
            let listener = socket.listen(0).unwrap();
            let queued = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
            (listener, queued)
        });
        let port = listener.local_addr().unwrap().port();
        Self { port, _runtime: runtime, _listener: listener, _queued: queued }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port)
    }
}
