//! Content codings undone while the body arrives, counting: memory never holds more than the cap, nor more than there
//! is room for.
//!
//! Lenient where browsers are: names in any case, `x-gzip`, several codings, several gzip members, what follows the
//! end of the stream, deflate without its zlib wrapper, plain text that claims to be compressed. Strict where data
//! would be lost: a stream that ends early or fails its checksum is a failure.

use std::io::{self, Write};

use brotli_decompressor::DecompressorWriter;
use bytes::Bytes;
use flate2::write::GzDecoder;
use flate2::{Decompress, FlushDecompress, Status};
use reqwest::header::{CONTENT_ENCODING, HeaderMap};
use zstd::stream::raw::{DParameter, Decoder as ZstdDecoder, InBuffer, Operation, OutBuffer};

use super::body::{Collected, Measure, Plain, TooLarge};
use super::memory::{DECODER, Refusal, Room};
use crate::failure::{Failure, Kind};

/// More codings than this, one in the other, are an attack.
const MAX_CODINGS: usize = 4;

/// So many bytes show whether a body is coded as it claims.
const SNIFFED: usize = 16;

const BUFFER: usize = 16 * 1024;

/// The largest window that a zstd body may ask for: 8 MiB (RFC 9659).
const ZSTD_WINDOW_LOG: u32 = 23;

/// The largest window that a brotli body may ask for (RFC 7932, section 9.1).
const BROTLI_WINDOW_LOG: u32 = 24;

/// A content coding (RFC 9110, section 8.4.1; RFC 7932; RFC 8878).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Coding {
    Gzip,
    Deflate,
    Brotli,
    Zstd,
}

impl Coding {
    fn parse(name: &str) -> Option<Self> {
        match name {
            "gzip" | "x-gzip" => Some(Self::Gzip),
            "deflate" => Some(Self::Deflate),
            "br" => Some(Self::Brotli),
            "zstd" => Some(Self::Zstd),
            _ => None,
        }
    }
}

/// Takes a body piece by piece and gives it back decoded.
pub(super) enum Decoder {
    /// There is nothing to undo.
    Plain(Plain),
    /// The outermost coding.
    Coded(Box<dyn Layer>),
}

impl Decoder {
    /// A decoder for the codings that `headers` name. Room is made for the start of the body, or for all of a small one.
    pub(super) fn new(headers: &HeaderMap, measure: Measure) -> Result<Self, Failure> {
        let room = measure.room.clone();
        let collected = Collected::new(measure)?;
        let mut decoder = Self::Plain(Plain::new(collected));
        let mut count = 0;
        for value in headers.get_all(CONTENT_ENCODING) {
            let names = String::from_utf8_lossy(value.as_bytes()).to_ascii_lowercase();
            for name in names.split(',').map(str::trim).filter(|name| !matches!(*name, "" | "identity")) {
                let unknown = || Failure::new(Kind::Decode, format!("unknown content coding {name:?}"));
                let coding = Coding::parse(name).ok_or_else(unknown)?;
                count += 1;
                // The codings are named in the order in which they were applied: the last one is undone first.
                let inner: Box<dyn Layer> = match decoder {
                    Self::Plain(plain) => Box::new(plain.into_collected()),
                    Self::Coded(inner) => inner,
                };
                decoder = Self::Coded(Box::new(Coded::Undecided {
                    coding,
                    start: Vec::new(),
                    inner: Some(inner),
                    room: room.clone(),
                }));
            }
        }
        if count > MAX_CODINGS {
            return Err(Failure::new(Kind::Decode, format!("{count} content codings, one in the other")));
        }
        match &decoder {
            Self::Plain(plain) => plain.spare(),
            Self::Coded(_) => room.grow_decoders(count * DECODER)?,
        }
        Ok(decoder)
    }

    /// Takes the next piece.
    pub(super) fn push(&mut self, piece: Bytes) -> Result<(), Failure> {
        let pushed = match self {
            Self::Plain(plain) => plain.push(piece),
            Self::Coded(outermost) => outermost.write_all(&piece),
        };
        pushed.map_err(|error| explain(&error))
    }

    /// The decoded body.
    pub(super) fn finish(self) -> Result<Bytes, Failure> {
        match self {
            Self::Plain(plain) => Ok(plain.finish()),
            Self::Coded(outermost) => outermost.finish().map(Collected::keep).map_err(|error| explain(&error)),
        }
    }
}

fn explain(error: &io::Error) -> Failure {
    let inner = error.get_ref();
    if let Some(too_large) = inner.and_then(|inner| inner.downcast_ref::<TooLarge>()) {
        return Failure::new(Kind::TooLarge, too_large.to_string());
    }
    match inner.and_then(|inner| inner.downcast_ref::<Refusal>()) {
        Some(&refusal) => refusal.into(),
        None if error.kind() == io::ErrorKind::OutOfMemory => {
            Failure::new(Kind::TooLarge, "this machine has no memory for so large a body")
        }
        None => Failure::new(Kind::Decode, format!("the body's content coding is cut short or damaged: {error}")),
    }
}

/// A writer that hands what it makes of its input to the next one.
pub(super) trait Layer: Write + Send {
    /// Nothing more comes. The innermost layer comes back.
    fn finish(self: Box<Self>) -> io::Result<Collected>;
}

impl Layer for Collected {
    fn finish(self: Box<Self>) -> io::Result<Collected> {
        Ok(*self)
    }
}

/// A body that claims a coding: believed once its first bytes are seen.
enum Coded {
    Undecided { coding: Coding, start: Vec<u8>, inner: Option<Box<dyn Layer>>, room: Room },
    Decided(Box<dyn Layer>),
}

impl Coded {
    /// Decides by the first bytes, and hands them on.
    fn decide(&mut self) -> io::Result<()> {
        let Self::Undecided { coding, start, inner, room } = self else { return Ok(()) };
        let Some(inner) = inner.take() else { return Err(io::ErrorKind::Other.into()) };
        let start = std::mem::take(start);
        let mut layer = layer(*coding, &start, inner, room)?;
        let written = layer.write_all(&start);
        *self = Self::Decided(layer);
        written
    }
}

fn layer(coding: Coding, start: &[u8], inner: Box<dyn Layer>, room: &Room) -> io::Result<Box<dyn Layer>> {
    let is_text = start.iter().all(|byte| matches!(byte, b'\t' | b'\n' | b'\r' | b' '..=b'~'));
    Ok(match coding {
        Coding::Gzip if !start.starts_with(&[0x1f, 0x8b]) => inner,
        Coding::Gzip => Box::new(Gzip { member: Some(GzDecoder::new(inner)), is_over: false }),
        Coding::Zstd if !start.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) => inner,
        Coding::Zstd => Box::new(Zstd::new(Box::new(Window::over(ZSTD_WINDOW_LOG, inner, room)))?),
        Coding::Deflate | Coding::Brotli if is_text => inner,
        Coding::Deflate => Box::new(Deflate::new(has_zlib_header(start), inner)),
        Coding::Brotli => {
            let inner: Box<dyn Layer> = Box::new(Window::over(BROTLI_WINDOW_LOG, inner, room));
            Box::new(Brotli(DecompressorWriter::new(inner, BUFFER)))
        }
    })
}

/// Counts what the layer before it keeps to look back at: what it has put out, up to its window. It is asked of the
/// system at once, but takes memory as it fills.
struct Window {
    /// How much of it is not filled yet.
    left: usize,
    room: Room,
    inner: Box<dyn Layer>,
}

impl Window {
    fn over(log: u32, inner: Box<dyn Layer>, room: &Room) -> Self {
        Self { left: 1 << log, room: room.clone(), inner }
    }
}

impl Write for Window {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        let filled = piece.len().min(self.left);
        if filled > 0 {
            self.room.grow_decoders(filled).map_err(io::Error::other)?;
            self.left -= filled;
        }
        self.inner.write_all(piece)?;
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Layer for Window {
    fn finish(self: Box<Self>) -> io::Result<Collected> {
        self.inner.finish()
    }
}

/// RFC 1950, section 2.2: the method is 8 and the first two bytes are a multiple of 31.
fn has_zlib_header(start: &[u8]) -> bool {
    matches!(start, [method, flags, ..] if method & 0x0f == 8 && u16::from_be_bytes([*method, *flags]) % 31 == 0)
}

impl Write for Coded {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        match self {
            Self::Decided(layer) => layer.write(piece),
            Self::Undecided { start, .. } => {
                let taken = piece.len().min(SNIFFED - start.len());
                start.extend_from_slice(&piece[..taken]);
                if start.len() == SNIFFED {
                    self.decide()?;
                }
                Ok(taken)
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Layer for Coded {
    fn finish(mut self: Box<Self>) -> io::Result<Collected> {
        match *self {
            // No byte is no stream, as in the answer to a HEAD.
            Self::Undecided { ref start, inner: Some(inner), .. } if start.is_empty() => inner.finish(),
            Self::Undecided { .. } => {
                self.decide()?;
                self.finish()
            }
            Self::Decided(layer) => layer.finish(),
        }
    }
}

/// One gzip member after the other (RFC 1952), then whatever a server put behind them.
struct Gzip {
    member: Option<GzDecoder<Box<dyn Layer>>>,
    is_over: bool,
}

impl Write for Gzip {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        let Some(member) = self.member.as_mut().filter(|_| !self.is_over) else { return Ok(piece.len()) };
        let taken = member.write(piece)?;
        if taken > 0 || piece.is_empty() {
            return Ok(taken);
        }
        // The member is complete. What follows is another one, or garbage that everybody ignores.
        if piece[0] != 0x1f {
            self.is_over = true;
            return Ok(piece.len());
        }
        if let Some(member) = self.member.take() {
            self.member = Some(GzDecoder::new(member.finish()?));
        }
        self.write(piece)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Layer for Gzip {
    fn finish(self: Box<Self>) -> io::Result<Collected> {
        match self.member {
            Some(member) => member.finish()?.finish(),
            None => Err(io::ErrorKind::InvalidData.into()),
        }
    }
}

/// A deflate stream (RFC 1951), in its zlib wrapper or, as some servers understood the standard, without.
struct Deflate {
    stream: Decompress,
    buffer: Vec<u8>,
    is_over: bool,
    inner: Box<dyn Layer>,
}

impl Deflate {
    fn new(has_zlib_header: bool, inner: Box<dyn Layer>) -> Self {
        Self { stream: Decompress::new(has_zlib_header), buffer: vec![0; BUFFER], is_over: false, inner }
    }
}

impl Write for Deflate {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        let mut taken = 0;
        while !self.is_over {
            let (read, written) = (self.stream.total_in(), self.stream.total_out());
            let status = self.stream.decompress(&piece[taken..], &mut self.buffer, FlushDecompress::None)?;
            let written = usize::try_from(self.stream.total_out() - written).unwrap_or(0);
            taken += usize::try_from(self.stream.total_in() - read).unwrap_or(0);
            self.inner.write_all(&self.buffer[..written])?;
            self.is_over = status == Status::StreamEnd;
            if written < self.buffer.len() && taken == piece.len() {
                return Ok(taken);
            }
        }
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Layer for Deflate {
    fn finish(self: Box<Self>) -> io::Result<Collected> {
        if !self.is_over {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.inner.finish()
    }
}

/// A brotli stream (RFC 7932).
struct Brotli(DecompressorWriter<Box<dyn Layer>>);

impl Write for Brotli {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        self.0.write(piece)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Layer for Brotli {
    fn finish(mut self: Box<Self>) -> io::Result<Collected> {
        self.0.close()?;
        match self.0.into_inner() {
            Ok(inner) => inner.finish(),
            Err(_) => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
}

/// zstd frames (RFC 8878).
struct Zstd {
    stream: ZstdDecoder<'static>,
    buffer: Vec<u8>,
    is_at_frame_end: bool,
    inner: Box<dyn Layer>,
}

impl Zstd {
    fn new(inner: Box<dyn Layer>) -> io::Result<Self> {
        let mut stream = ZstdDecoder::new()?;
        stream.set_parameter(DParameter::WindowLogMax(ZSTD_WINDOW_LOG))?;
        Ok(Self { stream, buffer: vec![0; BUFFER], is_at_frame_end: false, inner })
    }
}

impl Write for Zstd {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        let mut input = InBuffer::around(piece);
        loop {
            let mut output = OutBuffer::around(&mut self.buffer[..]);
            let left = self.stream.run(&mut input, &mut output)?;
            let written = output.pos();
            self.is_at_frame_end = left == 0;
            self.inner.write_all(&self.buffer[..written])?;
            if input.pos() == piece.len() && written < self.buffer.len() {
                return Ok(piece.len());
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Layer for Zstd {
    fn finish(self: Box<Self>) -> io::Result<Collected> {
        if !self.is_at_frame_end {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.inner.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fetch::memory::Memory;
    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
    use proptest::prelude::*;

    fn gzip(data: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(data).unwrap();
        encoder.finish().unwrap()
    }

    fn measure(expected: Option<usize>, cap: usize) -> Measure {
        Measure { expected, cap, room: Memory::new(usize::MAX).room() }
    }

    fn decode_with_cap(codings: &str, body: &[u8], cap: usize) -> Result<Vec<u8>, Failure> {
        let headers = HeaderMap::from_iter([(CONTENT_ENCODING, codings.parse().unwrap())]);
        let mut decoder = Decoder::new(&headers, measure(None, cap))?;
        for piece in body.chunks(7) {
            decoder.push(Bytes::copy_from_slice(piece))?;
        }
        decoder.finish().map(Vec::from)
    }

    fn decode(codings: &str, body: &[u8]) -> Result<Vec<u8>, Failure> {
        decode_with_cap(codings, body, 1 << 20)
    }

    fn kind(result: &Result<Vec<u8>, Failure>) -> Option<Kind> {
        result.as_ref().err().map(|failure| failure.kind)
    }

    fn coded(text: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::fast());
        zlib.write_all(text).unwrap();
        let mut raw = DeflateEncoder::new(Vec::new(), Compression::fast());
        raw.write_all(text).unwrap();
        vec![
            ("gzip", gzip(text)),
            ("X-GZIP", gzip(text)),
            ("gzip, gzip", gzip(&gzip(text))),
            ("identity, GZip ,", gzip(text)),
            ("deflate", zlib.finish().unwrap()),
            ("deflate", raw.finish().unwrap()),
            ("zstd", zstd::encode_all(text, 1).unwrap()),
        ]
    }

    #[test]
    fn every_coding_is_undone() {
        let text = "Grüße, 你好 ".repeat(9_000).into_bytes();
        for (name, body) in coded(&text) {
            assert!(decode(name, &body).unwrap() == text, "{name}");
        }
        // Made by Google's encoder.
        let brotli = [
            27, 146, 0, 248, 29, 169, 83, 159, 187, 112, 37, 38, 151, 10, 32, 116, 153, 198, 246, 86, 246, 32, 86, 9,
            0, 225, 248, 73, 46,
        ];
        let text = "brotli brotli brotli brotli brotli brotli brotli\n".repeat(3);
        assert_eq!(decode("br", &brotli).unwrap(), text.as_bytes());
        assert_eq!(kind(&decode("br", &brotli[..20])), Some(Kind::Decode));
    }

    #[test]
    fn a_body_that_is_not_coded_as_it_claims_is_taken_as_it_is() {
        for name in ["gzip", "deflate", "br", "zstd", "gzip, br"] {
            for text in ["<!doctype html><p>Hello, this is no compressed data at all</p>", "short", ""] {
                assert_eq!(decode(name, text.as_bytes()).unwrap(), text.as_bytes(), "{name}");
            }
        }
    }

    #[test]
    fn members_follow_each_other_and_garbage_behind_them_is_ignored() {
        let body = [gzip(b"one "), gzip(b"two"), b"\0\0 garbage".to_vec()].concat();
        assert_eq!(decode("gzip", &body).unwrap(), b"one two");
    }

    #[test]
    fn a_stream_that_ends_early_is_a_failure() {
        for (name, body) in coded(&b"some text that compresses, compresses, compresses".repeat(50)) {
            for cut in [body.len() / 2, body.len() - 1] {
                assert_eq!(kind(&decode(name, &body[..cut])), Some(Kind::Decode), "{name} cut at {cut}");
            }
        }
    }

    #[test]
    fn a_damaged_checksum_is_a_failure() {
        let mut body = gzip(b"text");
        let crc = body.len() - 8;
        body[crc] ^= 1;
        assert_eq!(kind(&decode("gzip", &body)), Some(Kind::Decode));
    }

    #[test]
    fn a_bomb_stops_at_the_cap() {
        let bomb = gzip(&gzip(&vec![0; 8 << 20]));
        assert_eq!(kind(&decode_with_cap("gzip, gzip", &bomb, 1 << 20)), Some(Kind::TooLarge));
        assert_eq!(decode_with_cap("gzip", &gzip(&[7; 100]), 100).unwrap().len(), 100);
        assert_eq!(kind(&decode_with_cap("gzip", &gzip(&[7; 101]), 100)), Some(Kind::TooLarge));
    }

    #[test]
    fn a_body_without_codings_is_its_pieces_up_to_the_cap() {
        for pieces in [&["one piece"][..], &["", "two ", "pieces"], &["a", "", "b", "c"], &[]] {
            let whole = pieces.concat();
            let decode = |cap| {
                let mut decoder = Decoder::new(&HeaderMap::new(), measure(None, cap))?;
                pieces.iter().try_for_each(|piece| decoder.push(Bytes::from_static(piece.as_bytes())))?;
                decoder.finish()
            };
            assert_eq!(decode(whole.len()).unwrap(), whole, "{pieces:?}");
            if let Some(cap) = whole.len().checked_sub(1) {
                assert_eq!(decode(cap).unwrap_err().kind, Kind::TooLarge, "{pieces:?}");
            }
        }
    }

    #[test]
    fn a_lie_about_the_length_costs_nothing() {
        let mut decoder = Decoder::new(&HeaderMap::new(), measure(Some(usize::MAX), usize::MAX)).unwrap();
        decoder.push(Bytes::from_static(b"short")).unwrap();
        assert_eq!(decoder.finish().unwrap(), &b"short"[..]);
    }

    #[test]
    fn a_body_takes_room_as_it_comes_and_keeps_what_it_needs() {
        let text = b"some text that compresses, compresses, compresses".repeat(9_000);
        for (codings, body) in coded(&text).into_iter().chain([("identity", text.clone())]) {
            let memory = Memory::new(2 << 20);
            let headers = HeaderMap::from_iter([(CONTENT_ENCODING, codings.parse().unwrap())]);
            let measure = Measure { expected: None, cap: 1 << 20, room: memory.room() };
            let mut decoder = Decoder::new(&headers, measure).unwrap();
            body.chunks(10_000).try_for_each(|piece| decoder.push(Bytes::copy_from_slice(piece))).unwrap();
            let whole = decoder.finish().unwrap();
            let taken = (2 << 20) - memory.free();
            assert!((text.len()..=1 << 20).contains(&taken), "{codings}: {taken}");
            drop(whole);
            assert_eq!(memory.free(), 2 << 20, "{codings}");
        }
    }

    #[test]
    fn a_body_that_finds_no_room_lets_go_of_all_it_has() {
        for (codings, body) in [("identity", vec![b'x'; 900_000]), ("gzip", gzip(&vec![b'x'; 900_000]))] {
            let memory = Memory::new(800_000);
            let headers = HeaderMap::from_iter([(CONTENT_ENCODING, codings.parse().unwrap())]);
            let room = memory.room();
            let mut decoder =
                Decoder::new(&headers, Measure { expected: None, cap: 1 << 20, room: room.clone() }).unwrap();
            let pushed = body.chunks(50_000).try_for_each(|piece| decoder.push(Bytes::copy_from_slice(piece)));
            assert!(pushed.is_err() && room.was_refused(), "{codings}");
            drop((decoder, room));
            assert_eq!(memory.free(), 800_000, "{codings}");
        }
    }

    #[test]
    fn windows_in_windows_are_given_up_before_they_take_too_much() {
        let far = |body: &[u8]| zstd::encode_all(body, 1).unwrap();
        let bomb = far(&far(&far(&vec![0; 64 << 20])));
        assert!(decode_with_cap("zstd, zstd, zstd", &bomb, 1 << 20).is_err());
        let text = b"plain enough".repeat(100);
        assert_eq!(decode("zstd, zstd, zstd", &far(&far(&far(&text)))).unwrap(), text);
    }

    #[test]
    fn unknown_codings_and_towers_of_them_are_failures() {
        assert_eq!(kind(&decode("compress", b"x")), Some(Kind::Decode));
        assert_eq!(kind(&decode("gzip,gzip,gzip,gzip,gzip", b"x")), Some(Kind::Decode));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(
            name in prop::sample::select(vec!["gzip", "deflate", "br", "zstd", "br, gzip"]),
            mut body in prop::collection::vec(any::<u8>(), 0..300),
            magic in any::<bool>(),
        ) {
            if magic {
                body.splice(0..0, [0x1f, 0x8b, 8, 0]);
            }
            let _ = decode(name, &body);
        }
    }
}
