//! What the site answers: a well-formed response, or one of the ways in which real servers fail.

use std::fmt::Write as _;
use std::io;
use std::time::Duration;

use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::sync::watch;

use super::Hit;

/// Holds answers back until the test opens it.
#[derive(Clone)]
pub(crate) struct Gate(watch::Sender<bool>);

impl Gate {
    pub(crate) fn shut() -> Self {
        Self(watch::Sender::new(false))
    }

    pub(crate) fn open(&self) {
        self.0.send_replace(true);
    }

    pub(super) async fn pass(&self) {
        self.0.subscribe().wait_for(|open| *open).await.unwrap();
    }
}

/// How the end of the body is told.
#[derive(Clone, Copy)]
enum Framing {
    Length,
    Chunked,
    Close,
    /// The body is all that is written: not even a status line.
    Raw,
}

#[derive(Clone, Copy)]
enum Fault {
    None,
    Cut(usize),
    Stall(usize),
    Drip(Duration),
    Endless,
    Reset(usize),
}

/// What becomes of the connection after an answer.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum After {
    Keep,
    Close,
    /// Closed as by somebody on the way: over TLS without its own end (`close_notify`).
    Cut,
    Reset,
}

/// One answer, built up from a status and a body.
#[derive(Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    framing: Framing,
    fault: Fault,
    latency: Duration,
    gate: Option<Gate>,
}

impl Answer {
    /// An answer without a body.
    pub(crate) fn status(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Vec::new(),
            framing: Framing::Length,
            fault: Fault::None,
            latency: Duration::ZERO,
            gate: None,
        }
    }

    /// A page in UTF-8.
    pub(crate) fn html(body: impl Into<Vec<u8>>) -> Self {
        Self::typed("text/html; charset=utf-8", body)
    }

    /// A page that has a title and nothing else.
    pub(crate) fn title(title: &str) -> Self {
        Self::html(format!("<!doctype html><title>{title}</title>"))
    }

    /// A body with a Content-Type.
    pub(crate) fn typed(content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self::untyped(body).header("Content-Type", content_type)
    }

    /// A body without a Content-Type.
    pub(crate) fn untyped(body: impl Into<Vec<u8>>) -> Self {
        Self { body: body.into(), ..Self::status(200) }
    }

    pub(crate) fn redirect(status: u16, location: &str) -> Self {
        Self::status(status).header("Location", location)
    }

    /// These bytes and nothing else, then the end of the connection.
    pub(crate) fn raw(bytes: impl Into<Vec<u8>>) -> Self {
        Self { framing: Framing::Raw, ..Self::untyped(bytes) }
    }

    /// The connection is closed in place of an answer.
    pub(crate) fn nothing() -> Self {
        Self::raw("")
    }

    /// The connection is reset in place of an answer.
    pub(crate) fn reset() -> Self {
        Self::nothing().reset_after(0)
    }

    /// Nothing is ever answered.
    pub(crate) fn silence() -> Self {
        Self { fault: Fault::Stall(0), ..Self::nothing() }
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    pub(crate) fn with_status(self, status: u16) -> Self {
        Self { status, ..self }
    }

    pub(crate) fn chunked(self) -> Self {
        Self { framing: Framing::Chunked, ..self }
    }

    /// The body ends where the connection does.
    pub(crate) fn until_close(self) -> Self {
        Self { framing: Framing::Close, ..self }
    }

    /// The connection is closed after `bytes` of the framed body.
    pub(crate) fn cut_after(self, bytes: usize) -> Self {
        Self { fault: Fault::Cut(bytes), ..self }
    }

    /// The connection is reset after `bytes` of the framed body.
    pub(crate) fn reset_after(self, bytes: usize) -> Self {
        Self { fault: Fault::Reset(bytes), ..self }
    }

    /// Nothing more comes after `bytes` of the framed body, and the connection stays open.
    pub(crate) fn stall_after(self, bytes: usize) -> Self {
        Self { fault: Fault::Stall(bytes), ..self }
    }

    /// Between one byte of the body and the next, `pause` passes.
    pub(crate) fn drip(self, pause: Duration) -> Self {
        Self { fault: Fault::Drip(pause), ..self }
    }

    /// The body comes again and again, chunk after chunk, until the client goes away.
    pub(crate) fn endless(self) -> Self {
        Self { fault: Fault::Endless, ..self.chunked() }
    }

    /// The answer starts when this much time has passed.
    pub(crate) fn after(self, latency: Duration) -> Self {
        Self { latency, ..self }
    }

    /// The answer starts when the gate is open.
    pub(crate) fn behind(self, gate: &Gate) -> Self {
        Self { gate: Some(gate.clone()), ..self }
    }

    /// Waits until the answer may start.
    pub(crate) async fn due(&self) {
        if let Some(gate) = &self.gate {
            gate.pass().await;
        }
        tokio::time::sleep(self.latency).await;
    }

    /// Writes the answer to `hit`.
    pub(crate) async fn write(&self, hit: &Hit, to: &mut (impl AsyncWrite + Unpin)) -> io::Result<After> {
        to.write_all(&self.head()).await?;
        let body = if hit.method == "HEAD" { Vec::new() } else { self.framed_body() };
        match self.fault {
            Fault::None => to.write_all(&body).await?,
            Fault::Reset(bytes) => {
                to.write_all(&body[..bytes]).await?;
                to.flush().await?;
                return Ok(After::Reset);
            }
            Fault::Cut(bytes) => {
                to.write_all(&body[..bytes]).await?;
                to.flush().await?;
                return Ok(After::Cut);
            }
            Fault::Stall(bytes) => {
                to.write_all(&body[..bytes]).await?;
                to.flush().await?;
                std::future::pending::<()>().await;
            }
            Fault::Drip(pause) => {
                for byte in body {
                    tokio::time::sleep(pause).await;
                    to.write_all(&[byte]).await?;
                    to.flush().await?;
                }
            }
            Fault::Endless => loop {
                to.write_all(&chunk(&self.body)).await?;
            },
        }
        to.flush().await?;
        Ok(match self.framing {
            Framing::Length | Framing::Chunked => After::Keep,
            Framing::Close | Framing::Raw => After::Close,
        })
    }

    fn head(&self) -> Vec<u8> {
        let mut head = format!("HTTP/1.1 {} Scripted\r\n", self.status);
        for (name, value) in &self.headers {
            let _ = write!(head, "{name}: {value}\r\n");
        }
        match self.framing {
            Framing::Length => {
                let _ = write!(head, "Content-Length: {}\r\n", self.body.len());
            }
            Framing::Chunked => head.push_str("Transfer-Encoding: chunked\r\n"),
            Framing::Close => head.push_str("Connection: close\r\n"),
            Framing::Raw => return Vec::new(),
        }
        head.push_str("\r\n");
        head.into()
    }

    fn framed_body(&self) -> Vec<u8> {
        match self.framing {
            Framing::Chunked => {
                let mut framed: Vec<_> = self.body.chunks(100).flat_map(chunk).collect();
                framed.extend(b"0\r\n\r\n");
                framed
            }
            Framing::Length | Framing::Close | Framing::Raw => self.body.clone(),
        }
    }
}

fn chunk(bytes: &[u8]) -> Vec<u8> {
    [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat()
}
