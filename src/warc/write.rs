//! Records on their way out.

use std::io;

use flate2::{Compress, Compression, FlushCompress, Status};

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

/// Makes the bytes of records, compressed one by one or not at all.
#[derive(Debug)]
pub struct Packer {
    /// It is used for one record after the other: making it takes as long as compressing 10 kB.
    gzip: Option<Compress>,
}

/// The size of the window of a gzip member, as a power of two (RFC 1951: 32 KiB).
const WINDOW: u8 = 15;

impl Packer {
    /// Makes gzip members of a record each where `is_compressed`.
    #[must_use]
    pub fn new(is_compressed: bool) -> Self {
        Self { gzip: is_compressed.then(|| Compress::new_gzip(Compression::default(), WINDOW)) }
    }

    /// Appends a record to `out`.
    ///
    /// # Errors
    /// It cannot be compressed. What is in `out` is of no use then.
    pub fn pack(&mut self, record: Record<'_>, out: &mut Vec<u8>) -> io::Result<()> {
        let Record { mut header, block } = record;
        header.push("WARC-Block-Digest", Digest::of(block).to_string());
        header.push("Content-Length", block.iter().map(|part| part.len()).sum::<usize>().to_string());
        let head = format!("WARC/1.1\r\n{}\r\n", header.to_text());
        let mut parts = [head.as_bytes()].into_iter().chain(block.iter().copied()).chain([&b"\r\n\r\n"[..]]);
        let Some(gzip) = &mut self.gzip else {
            parts.for_each(|part| out.extend_from_slice(part));
            return Ok(());
        };
        gzip.reset();
        parts.try_for_each(|part| deflate(gzip, part, FlushCompress::None, out))?;
        deflate(gzip, &[], FlushCompress::Finish, out)
    }
}

/// Compresses all of `text`, and what was held back if that is to finish it.
fn deflate(gzip: &mut Compress, mut text: &[u8], flush: FlushCompress, out: &mut Vec<u8>) -> io::Result<()> {
    /// What `out` grows by at least.
    const STEP: usize = 1 << 10;
    loop {
        out.reserve(STEP.max(text.len() / 4));
        let before = gzip.total_in();
        let status = gzip.compress_vec(text, out, flush)?;
        let taken = usize::try_from(gzip.total_in() - before).unwrap_or(text.len());
        text = &text[taken..];
        let is_done = if flush == FlushCompress::Finish { status == Status::StreamEnd } else { text.is_empty() };
        if is_done {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::read::GzDecoder;
    use proptest::prelude::*;

    use super::*;

    fn packed(packer: &mut Packer, blocks: &[Vec<u8>]) -> (Vec<u8>, Vec<usize>) {
        let (mut bytes, mut ends) = (Vec::new(), Vec::new());
        for block in blocks {
            packer.pack(Record { header: Header::default(), block: &[block] }, &mut bytes).unwrap();
            ends.push(bytes.len());
        }
        (bytes, ends)
    }

    proptest! {
        #[test]
        fn each_record_is_a_member_that_holds_what_it_is_without_compression(
            blocks in proptest::collection::vec(proptest::collection::vec(0..4_u8, 0..5000), 1..6)
        ) {
            let (plain, plain_ends) = packed(&mut Packer::new(false), &blocks);
            let (members, ends) = packed(&mut Packer::new(true), &blocks);
            let (mut start, mut plain_start) = (0, 0);
            for (end, plain_end) in ends.into_iter().zip(plain_ends) {
                let mut text = Vec::new();
                GzDecoder::new(&members[start..end]).read_to_end(&mut text).unwrap();
                prop_assert_eq!(&text[..], &plain[plain_start..plain_end]);
                (start, plain_start) = (end, plain_end);
            }
        }
    }
}
