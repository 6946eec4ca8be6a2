//! Bodies in the content codings of HTTP.

use std::io::{Read, Write};

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

/// `body` in the coding `gzip`.
pub(crate) fn gzip(body: &[u8]) -> Vec<u8> {
    let mut coder = GzEncoder::new(Vec::new(), Compression::default());
    coder.write_all(body).unwrap();
    coder.finish().unwrap()
}

/// `body` in the coding `gzip`, which costs little and saves nothing.
pub(crate) fn stored_gzip(body: &[u8]) -> Vec<u8> {
    let mut coder = GzEncoder::new(Vec::new(), Compression::none());
    coder.write_all(body).unwrap();
    coder.finish().unwrap()
}

/// `body` in the coding `deflate` as RFC 9110 defines it: the zlib format.
pub(crate) fn deflate(body: &[u8]) -> Vec<u8> {
    let mut coder = ZlibEncoder::new(Vec::new(), Compression::default());
    coder.write_all(body).unwrap();
    coder.finish().unwrap()
}

/// `body` as many servers send what they call `deflate`: without the zlib header.
pub(crate) fn raw_deflate(body: &[u8]) -> Vec<u8> {
    let mut coder = DeflateEncoder::new(Vec::new(), Compression::default());
    coder.write_all(body).unwrap();
    coder.finish().unwrap()
}

/// `body` in the coding `zstd`.
pub(crate) fn zstd(body: &[u8]) -> Vec<u8> {
    zstd::encode_all(body, 1).unwrap()
}

/// `body` in the coding `br`: one uncompressed meta-block (RFC 7932, section 9.2), at most 64 KiB.
pub(crate) fn brotli(body: &[u8]) -> Vec<u8> {
    assert!((1..=1 << 16).contains(&body.len()));
    let length = u32::try_from(body.len() - 1).unwrap();
    // From the lowest bit: a 16-bit window, not last, four length nibbles, the length less one, uncompressed.
    let header = length << 4 | 1 << 20;
    let last_and_empty = 0b11;
    [&header.to_le_bytes()[..3], body, &[last_and_empty]].concat()
}

/// `size` zero bytes in the coding `gzip`, made without holding them.
pub(crate) fn gzip_bomb(size: u64) -> Vec<u8> {
    let mut coder = GzEncoder::new(Vec::new(), Compression::best());
    std::io::copy(&mut std::io::repeat(0).take(size), &mut coder).unwrap();
    coder.finish().unwrap()
}
