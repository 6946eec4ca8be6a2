//! Records on their way out.

use std::io::{self, Write};

use flate2::Compression;
use flate2::write::GzEncoder;

use super::digest::Digest;
use super::header::Header;

/// A record to write.
#[derive(Clone, Debug)]
pub struct Record<'a> {
    /// Its fields but for the length and the digest of its block.
    pub header: Header,
    /// Its block, in parts.
    pub block: &'a [&'a [u8]],
}

/// Writes records, compressed one by one or not at all.
pub struct Writer<W> {
    out: W,
    is_compressed: bool,
    /// How many bytes have been written.
    offset: u64,
    /// The record that is being written.
    buffer: Vec<u8>,
}

impl<W: Write> Writer<W> {
    /// Writes to `out`, which is empty, in gzip members of a record each where `is_compressed`.
    pub fn new(out: W, is_compressed: bool) -> Self {
        Self { out, is_compressed, offset: 0, buffer: Vec::new() }
    }

    /// Writes a record, and gives where it starts and how many bytes it takes in the file.
    ///
    /// # Errors
    /// `out` fails. Nothing can be written behind that.
    pub fn write(&mut self, record: Record<'_>) -> io::Result<(u64, u64)> {
        let Record { mut header, block } = record;
        header.push("WARC-Block-Digest", Digest::of(block).to_string());
        header.push("Content-Length", block.iter().map(|part| part.len()).sum::<usize>().to_string());
        let head = format!("WARC/1.1\r\n{}\r\n", header.to_text());
        self.buffer.clear();
        let parts = || [head.as_bytes()].into_iter().chain(block.iter().copied()).chain([&b"\r\n\r\n"[..]]);
        if self.is_compressed {
            let mut member = GzEncoder::new(&mut self.buffer, Compression::default());
            parts().try_for_each(|part| member.write_all(part))?;
            member.finish()?;
        } else {
            parts().for_each(|part| self.buffer.extend_from_slice(part));
        }
        self.out.write_all(&self.buffer)?;
        let (start, length) = (self.offset, self.buffer.len() as u64);
        self.offset += length;
        Ok((start, length))
    }

    /// Hands on what `out` holds back.
    ///
    /// # Errors
    /// `out` fails.
    pub fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
