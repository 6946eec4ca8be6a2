//! A small world of web servers on loopback: most are fine, the others misbehave, each in a manner of its own. Linux
//! alone has as many loopback addresses as there are hosts here.

use std::future::pending;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::time::sleep;

/// No body may be larger: `--max-body`.
pub(crate) const MAX_BODY: &str = "1M";

/// How a server behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    /// Answers with a page whose title is its path.
    Fine,
    Refuses,
    NeverAnswers,
    StallsInTheHead,
    Drips,
    Resets,
    Closes,
    SpeaksSsh,
    CutsTheBody,
    NeverEnds,
    SendsBombs,
    DamagesItsCoding,
    RedirectsInCircles,
}

impl Manner {
    pub(crate) const HOSTILE: [Self; 12] = [
        Self::Refuses,
        Self::NeverAnswers,
        Self::StallsInTheHead,
        Self::Drips,
        Self::Resets,
        Self::Closes,
        Self::SpeaksSsh,
        Self::CutsTheBody,
        Self::NeverEnds,
        Self::SendsBombs,
        Self::DamagesItsCoding,
        Self::RedirectsInCircles,
    ];

    /// The kind of failure that is in the record of a URL there.
    pub(crate) fn kind(self) -> Option<&'static str> {
        match self {
            Self::Fine => None,
            Self::Refuses => Some("connect"),
            Self::NeverAnswers | Self::StallsInTheHead | Self::Drips => Some("timeout"),
            Self::Resets | Self::Closes => Some("reset"),
            Self::SpeaksSsh => Some("protocol"),
            Self::CutsTheBody => Some("truncated"),
            Self::NeverEnds | Self::SendsBombs => Some("too_large"),
            Self::DamagesItsCoding => Some("decode"),
            Self::RedirectsInCircles => Some("redirect"),
        }
    }
}

/// What was named, and what must come of it.
pub(crate) struct Page {
    pub(crate) url: String,
    pub(crate) path: String,
    pub(crate) manner: Manner,
}

/// The servers, as long as this lives.
pub(crate) struct World {
    hosts: Vec<(Manner, SocketAddr)>,
    runtime: Option<Runtime>,
}

impl World {
    /// So many fine hosts, and so many of each hostile manner.
    pub(crate) fn start(fine: usize, hostile: usize) -> io::Result<Self> {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let fine = std::iter::repeat_n(Manner::Fine, fine);
        let manners = fine.chain(Manner::HOSTILE.into_iter().flat_map(|manner| std::iter::repeat_n(manner, hostile)));
        let shared = Arc::new(Shared::new()?);
        let hosts = manners.zip(1_u16..).map(|(manner, n)| {
            let [high, low] = (n / 250 * 256 + n % 250 + 1).to_be_bytes();
            let address = Ipv4Addr::new(127, 1, high, low);
            let listener = runtime.block_on(TcpListener::bind((address, 0)))?;
            let address = listener.local_addr()?;
            if manner != Manner::Refuses {
                runtime.spawn(serve(listener, manner, Arc::clone(&shared)));
            }
            Ok((manner, address))
        });
        let hosts = hosts.collect::<io::Result<_>>()?;
        Ok(Self { hosts, runtime: Some(runtime) })
    }

    /// So many pages, one in ten at a hostile host, hosts in turn.
    pub(crate) fn pages(&self, count: usize) -> Vec<Page> {
        let (fine, hostile): (Vec<_>, Vec<_>) = self.hosts.iter().partition(|(manner, _)| *manner == Manner::Fine);
        let page = |n: usize| {
            let (manner, address) = if n % 10 == 9 { hostile[n / 10 % hostile.len()] } else { fine[n % fine.len()] };
            let path = format!("/{n}");
            Page { url: format!("http://{address}{path}"), path, manner }
        };
        (0..count).map(page).collect()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// What is costly to make.
struct Shared {
    bomb: Vec<u8>,
    damaged: Vec<u8>,
}

impl Shared {
    fn new() -> io::Result<Self> {
        let mut damaged = gzip(b"a body whose checksum is wrong")?;
        let checksum = damaged.len() - 8;
        damaged[checksum] ^= 1;
        Ok(Self { bomb: gzip(&vec![0; 4 << 20])?, damaged })
    }
}

fn gzip(body: &[u8]) -> io::Result<Vec<u8>> {
    let mut coder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    io::Write::write_all(&mut coder, body)?;
    coder.finish()
}

async fn serve(listener: TcpListener, manner: Manner, shared: Arc<Shared>) {
    loop {
        // Without a file to accept with, the others have to end first.
        let Ok((stream, _)) = listener.accept().await else {
            tokio::task::yield_now().await;
            continue;
        };
        let shared = Arc::clone(&shared);
        // Whoever goes away has seen enough.
        tokio::spawn(async move { drop(talk(BufReader::new(stream), manner, &shared).await) });
    }
}

async fn talk(mut stream: BufReader<TcpStream>, manner: Manner, shared: &Shared) -> io::Result<()> {
    while let Some(path) = read_request(&mut stream).await? {
        answer(stream.get_mut(), manner, &path, shared).await?;
        if matches!(manner, Manner::Closes | Manner::Resets | Manner::CutsTheBody | Manner::SpeaksSsh) {
            break;
        }
    }
    Ok(())
}

async fn read_request(stream: &mut BufReader<TcpStream>) -> io::Result<Option<String>> {
    let mut first = String::new();
    stream.read_line(&mut first).await?;
    let mut line = String::new();
    while stream.read_line(&mut line).await? > 2 {
        line.clear();
    }
    Ok(first.split(' ').nth(1).map(String::from))
}

async fn answer(stream: &mut TcpStream, manner: Manner, path: &str, shared: &Shared) -> io::Result<()> {
    match manner {
        Manner::Fine => {
            let page = format!("<!doctype html><title>{path}</title><p>{}</p>", "text ".repeat(500));
            stream.write_all(&with_length("Content-Type: text/html; charset=utf-8", page.as_bytes())).await
        }
        Manner::Refuses | Manner::Closes => Ok(()),
        Manner::Resets => stream.set_zero_linger(),
        Manner::NeverAnswers => pending().await,
        Manner::StallsInTheHead => {
            stream.write_all(b"HTTP/1.1 20").await?;
            pending().await
        }
        Manner::Drips => {
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n").await?;
            loop {
                stream.write_all(b"x").await?;
                sleep(Duration::from_millis(100)).await;
            }
        }
        Manner::SpeaksSsh => stream.write_all(b"SSH-2.0-OpenSSH_9.9\r\n").await,
        Manner::CutsTheBody => stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nnot all of it").await,
        Manner::NeverEnds => {
            stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").await?;
            let chunk = [b"1000\r\n".as_slice(), &[b'x'; 0x1000], b"\r\n"].concat();
            loop {
                stream.write_all(&chunk).await?;
            }
        }
        Manner::SendsBombs => stream.write_all(&with_length("Content-Encoding: gzip", &shared.bomb)).await,
        Manner::DamagesItsCoding => stream.write_all(&with_length("Content-Encoding: gzip", &shared.damaged)).await,
        Manner::RedirectsInCircles => {
            let head = format!("HTTP/1.1 302 Found\r\nLocation: {path}\r\nContent-Length: 0\r\n\r\n");
            stream.write_all(head.as_bytes()).await
        }
    }
}

fn with_length(header: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 200 OK\r\n{header}\r\nContent-Length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}
