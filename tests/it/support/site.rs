//! A scripted HTTP server on raw sockets, with a log of what it was asked.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use hyper::body::Bytes;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;

use super::answer::{After, Answer};

/// How long a test waits for what must happen.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// One request, as it came.
#[derive(Clone, Debug)]
pub(crate) struct Hit {
    pub(crate) method: String,
    /// The request's target: path and query, or a whole URL when the site is used as a proxy.
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// When the request was complete.
    pub(crate) at: Instant,
    /// The loopback address that was asked.
    pub(crate) host: IpAddr,
    /// The number of the connection.
    pub(crate) connection: usize,
    pub(crate) version: &'static str,
    /// How many times the path had been asked for before.
    pub(crate) nth: usize,
}

impl Hit {
    /// The value of the header field, if there is one.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(have, _)| have.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

#[derive(Default)]
struct Log {
    hits: Vec<Hit>,
    connections: usize,
    in_flight: BTreeMap<IpAddr, usize>,
    /// The most requests in flight at one time: by host, and in total.
    most: BTreeMap<IpAddr, usize>,
    most_in_total: usize,
}

struct Stage {
    script: Box<dyn Fn(&Hit) -> Answer + Send + Sync>,
    log: Mutex<Log>,
    changed: Condvar,
}

impl Stage {
    fn connect(&self) -> usize {
        let mut log = self.log.lock().unwrap();
        log.connections += 1;
        log.connections
    }

    /// A request is there: it is in flight from now on.
    fn arrive(&self, hit: &mut Hit) {
        let mut log = self.log.lock().unwrap();
        hit.nth = log.hits.iter().filter(|earlier| earlier.path == hit.path).count();
        log.hits.push(hit.clone());
        *log.in_flight.entry(hit.host).or_default() += 1;
        let (now, total) = (log.in_flight[&hit.host], log.in_flight.values().sum());
        let most = log.most.entry(hit.host).or_default();
        *most = now.max(*most);
        log.most_in_total = log.most_in_total.max(total);
        self.changed.notify_all();
    }

    /// The answer is about to be written. From here on the client may take the request for finished, so that counting
    /// it any longer could show more in flight than there were.
    fn leave(&self, host: IpAddr) {
        *self.log.lock().unwrap().in_flight.get_mut(&host).unwrap() -= 1;
    }
}

/// A site at 127.0.0.1, or at several loopback addresses, that answers as its script says.
pub(crate) struct Site {
    port: u16,
    scheme: &'static str,
    stage: Arc<Stage>,
    runtime: Option<Runtime>,
}

impl Site {
    /// A site at 127.0.0.1.
    pub(crate) fn start(script: impl Fn(&Hit) -> Answer + Send + Sync + 'static) -> Self {
        Self::on(1, None, script)
    }

    /// A site at the addresses 127.0.0.1 to 127.0.0.`hosts`, all on one port.
    pub(crate) fn with_hosts(hosts: u8, script: impl Fn(&Hit) -> Answer + Send + Sync + 'static) -> Self {
        Self::on(hosts, None, script)
    }

    /// A site at 127.0.0.1 and 127.0.0.2 that speaks HTTP over TLS.
    pub(crate) fn secure(config: ServerConfig, script: impl Fn(&Hit) -> Answer + Send + Sync + 'static) -> Self {
        Self::on(2, Some(config), script)
    }

    fn on(hosts: u8, tls: Option<ServerConfig>, script: impl Fn(&Hit) -> Answer + Send + Sync + 'static) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let stage = Arc::new(Stage { script: Box::new(script), log: Mutex::default(), changed: Condvar::new() });
        let listeners = runtime.block_on(bind(hosts));
        let port = listeners[0].local_addr().unwrap().port();
        let scheme = if tls.is_some() { "https" } else { "http" };
        let tls = tls.map(|config| TlsAcceptor::from(Arc::new(config)));
        for listener in listeners {
            runtime.spawn(serve(listener, tls.clone(), stage.clone()));
        }
        Self { port, scheme, stage, runtime: Some(runtime) }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The URL of `path` at 127.0.0.1.
    pub(crate) fn url(&self, path: &str) -> String {
        self.url_at(1, path)
    }

    /// The URL of `path` at 127.0.0.`host`.
    pub(crate) fn url_at(&self, host: u8, path: &str) -> String {
        format!("{}://127.0.0.{host}:{}{path}", self.scheme, self.port)
    }

    /// The URL of `path` at a name that is to be resolved to this site; see [`Site::resolve`].
    pub(crate) fn url_of(&self, name: &str, path: &str) -> String {
        format!("{}://{name}:{}{path}", self.scheme, self.port)
    }

    /// What `--resolve` needs to find `name` here.
    pub(crate) fn resolve(&self, name: &str) -> String {
        format!("{name}:{}:127.0.0.1", self.port)
    }

    /// Every request so far.
    pub(crate) fn hits(&self) -> Vec<Hit> {
        self.stage.log.lock().unwrap().hits.clone()
    }

    /// How many requests there were so far.
    pub(crate) fn count(&self) -> usize {
        self.stage.log.lock().unwrap().hits.len()
    }

    /// How many connections there were so far.
    pub(crate) fn connections(&self) -> usize {
        self.stage.log.lock().unwrap().connections
    }

    /// The paths asked for so far.
    pub(crate) fn paths(&self) -> Vec<String> {
        self.hits().into_iter().map(|hit| hit.path).collect()
    }

    /// The requests for `path` so far.
    pub(crate) fn hits_of(&self, path: &str) -> Vec<Hit> {
        self.hits().into_iter().filter(|hit| hit.path == path).collect()
    }

    /// The only request so far.
    pub(crate) fn hit(&self) -> Hit {
        let hits = self.hits();
        assert_eq!(hits.len(), 1, "{hits:?}");
        hits.into_iter().next().unwrap()
    }

    /// The most requests that were in flight at one time.
    pub(crate) fn most_in_flight(&self) -> usize {
        self.stage.log.lock().unwrap().most_in_total
    }

    /// The most requests that were in flight at one time at 127.0.0.`host`.
    pub(crate) fn most_in_flight_at(&self, host: u8) -> usize {
        self.stage.log.lock().unwrap().most.get(&IpAddr::from([127, 0, 0, host])).copied().unwrap_or(0)
    }

    /// Waits until `enough` of the requests so far.
    pub(crate) fn wait_until(&self, enough: impl Fn(&[Hit]) -> bool) {
        let log = self.stage.log.lock().unwrap();
        let (log, waited) = self.stage.changed.wait_timeout_while(log, PATIENCE, |log| !enough(&log.hits)).unwrap();
        assert!(!waited.timed_out(), "only these requests came: {:?}", log.hits);
    }

    /// Waits until `count` requests have come.
    pub(crate) fn wait_for(&self, count: usize) {
        self.wait_until(|hits| hits.len() >= count);
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// A port at 127.0.0.1 where nobody listens.
pub(crate) fn closed_port() -> u16 {
    std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

/// Listens at 127.0.0.1 to 127.0.0.`hosts` on one port that is free at all of them.
async fn bind(hosts: u8) -> Vec<TcpListener> {
    'port: loop {
        let mut listeners = vec![TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap()];
        let port = listeners[0].local_addr().unwrap().port();
        for host in 2..=hosts {
            match TcpListener::bind(SocketAddr::from(([127, 0, 0, host], port))).await {
                Ok(listener) => listeners.push(listener),
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => continue 'port,
                Err(error) => panic!("127.0.0.{host}: {error}"),
            }
        }
        return listeners;
    }
}

async fn serve(listener: TcpListener, tls: Option<TlsAcceptor>, stage: Arc<Stage>) {
    let host = listener.local_addr().unwrap().ip();
    while let Ok((stream, _)) = listener.accept().await {
        stream.set_nodelay(true).unwrap();
        let visitor = Visitor { host, connection: stage.connect(), stage: stage.clone() };
        match tls.clone() {
            Some(tls) => tokio::spawn(visitor.talk_secretly(stream, tls)),
            None => tokio::spawn(visitor.talk_plainly(stream)),
        };
    }
}

/// One connection.
struct Visitor {
    host: IpAddr,
    connection: usize,
    stage: Arc<Stage>,
}

impl Visitor {
    async fn talk_plainly(self, mut stream: TcpStream) {
        if let Ok(After::Reset) = self.talk(&mut stream).await {
            stream.set_zero_linger().unwrap();
        }
    }

    async fn talk_secretly(self, stream: TcpStream, tls: TlsAcceptor) {
        let Ok(mut stream) = tls.accept(stream).await else { return };
        if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
            let _ = self.talk_h2(stream).await;
        } else {
            let after = self.talk(&mut stream).await;
            if !matches!(after, Ok(After::Cut)) {
                let _ = stream.shutdown().await;
            }
        }
    }

    /// Answers HTTP/1.1 requests until the connection ends.
    async fn talk(&self, stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) -> io::Result<After> {
        let mut stream = BufReader::new(stream);
        while let Some(mut hit) = self.read(&mut stream).await? {
            self.stage.arrive(&mut hit);
            let answer = (self.stage.script)(&hit);
            answer.due().await;
            self.stage.leave(self.host);
            let after = answer.write(&hit, stream.get_mut()).await?;
            if after != After::Keep {
                return Ok(after);
            }
        }
        Ok(After::Close)
    }

    async fn read(&self, stream: &mut BufReader<impl AsyncRead + Unpin>) -> io::Result<Option<Hit>> {
        let mut line = String::new();
        stream.read_line(&mut line).await?;
        let mut words = line.split_whitespace().map(String::from);
        let (Some(method), Some(path)) = (words.next(), words.next()) else { return Ok(None) };
        let mut hit = self.hit(method, path, "HTTP/1.1");
        loop {
            let mut line = String::new();
            stream.read_line(&mut line).await?;
            let Some((name, value)) = line.trim_end().split_once(':') else { break };
            hit.headers.push((name.into(), value.trim().into()));
        }
        let length = hit.header("content-length").map_or(0, |length| length.parse().unwrap());
        hit.body.resize(length, 0);
        stream.read_exact(&mut hit.body).await?;
        hit.at = Instant::now();
        Ok(Some(hit))
    }

    /// Answers HTTP/2 requests, and hears nothing before an answer is due. There are no faults here.
    async fn talk_h2(&self, stream: impl AsyncRead + AsyncWrite + Unpin) -> Result<(), h2::Error> {
        let mut connection = h2::server::handshake(stream).await?;
        while let Some(request) = connection.accept().await {
            let (request, mut respond) = request?;
            let mut hit = self.hit(request.method().to_string(), request.uri().path().into(), "HTTP/2");
            let text = |value: &hyper::header::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
            hit.headers = request.headers().iter().map(|(name, value)| (name.to_string(), text(value))).collect();
            self.stage.arrive(&mut hit);
            let answer = (self.stage.script)(&hit);
            answer.due().await;
            self.stage.leave(self.host);
            let mut response = hyper::Response::builder().status(answer.status);
            for (name, value) in &answer.headers {
                response = response.header(name, value);
            }
            let mut body = respond.send_response(response.body(()).unwrap(), false)?;
            body.send_data(Bytes::from(answer.body), true)?;
        }
        Ok(())
    }

    fn hit(&self, method: String, path: String, version: &'static str) -> Hit {
        Hit {
            method,
            path,
            headers: Vec::new(),
            body: Vec::new(),
            at: Instant::now(),
            host: self.host,
            connection: self.connection,
            version,
            nth: 0,
        }
    }
}
