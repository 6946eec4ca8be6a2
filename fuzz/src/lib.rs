//! What the fuzz targets have in common: an answer made of bytes, and a wire to send bytes over.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use scrape::failure::Kind;
use scrape::fetch::{Answer, Fetched, Fetcher, Head, Limits, Options};
use scrape::job::Trail;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use url::Url;

/// The largest body that is fetched over a [`Wire`], in bytes.
pub const CAP: usize = 64 << 10;

/// An answer with this body.
pub fn fetched(status: u16, headers: HeaderMap, body: impl Into<Bytes>) -> Fetched {
    let url = Url::parse("https://a.test/dir/page").expect("a URL");
    Fetched { url, head: Head { status, headers }, body: body.into() }
}

/// A page in UTF-8.
pub fn html(body: &str) -> Fetched {
    let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"))]);
    fetched(200, headers, body.to_owned())
}

/// A server on loopback that answers with any bytes, and who asks it.
pub struct Wire {
    runtime: Runtime,
    listener: TcpListener,
    fetcher: Fetcher,
    url: Url,
}

impl Default for Wire {
    fn default() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a port");
        let address = listener.local_addr().expect("an address");
        let limits = Limits { max_body: CAP, max_time: Duration::from_secs(10), ..Limits::default() };
        let fetcher = Fetcher::new(Options { limits, ..Options::default() }).expect("plain options");
        let url = Url::parse(&format!("http://{address}/dir/page")).expect("a URL");
        Self { runtime, listener, fetcher, url }
    }
}

impl Wire {
    /// Fetches an answer that is these bytes and the end of the connection, and checks what holds for all of them: a
    /// body no larger than the cap, a redirect to an http URL without credentials, or a failure that says why.
    pub fn fetch(&self, answer: &[u8]) {
        let trail = Trail { keep_alive: false, ..Trail::new(self.url.clone(), None) };
        let exchange = async { tokio::join!(self.fetcher.fetch(&trail), self.answer(answer)).0 };
        match self.runtime.block_on(exchange) {
            Ok(Answer::Page(page, _)) => assert!(page.body.len() <= CAP),
            Ok(Answer::Redirect(redirect, _)) => {
                assert!(matches!(redirect.to.scheme(), "http" | "https") && redirect.to.fragment().is_none());
                assert!(redirect.to.username().is_empty() && redirect.to.password().is_none());
            }
            Err(unanswered) => {
                let failure = unanswered.failure;
                assert!(!failure.message.is_empty() && failure.message.len() < 2_000, "{failure}");
                assert!(!matches!(failure.kind, Kind::Internal | Kind::Timeout), "{failure}");
            }
        }
    }

    async fn answer(&self, bytes: &[u8]) -> io::Result<()> {
        let (mut stream, _) = self.listener.accept().await?;
        // No connection lingers: there are more of them than there are ports.
        stream.set_zero_linger()?;
        let _ = stream.read(&mut [0; 4096]).await?;
        stream.write_all(bytes).await?;
        stream.shutdown().await?;
        while stream.read(&mut [0; 4096]).await? > 0 {}
        Ok(())
    }
}
