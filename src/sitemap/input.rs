//! The bytes of a sitemap as text: decompressed, in UTF-8, and no more than anybody sends.

use encoding_rs::{Decoder, DecoderResult, Encoding, UTF_8, UTF_16BE, UTF_16LE};

use super::gunzip::{Gunzip, MAGIC};
use super::{Damage, MAX_LENGTH};

/// How many times a file may be compressed: once, and once more by a server that took it for plain.
const MAX_LAYERS: u32 = 3;

/// How much is waited for before it is decided what a file is, in bytes.
const PRESCAN: usize = 512;

/// What takes text, a piece at a time.
pub(super) type Next<'n> = &'n mut dyn FnMut(&str);

/// Takes bytes, and hands them on as text.
#[derive(Debug)]
pub(super) struct Input {
    stage: Stage,
    /// How many layers of gzip have been undone.
    layers: u32,
    /// How many bytes have come in.
    length: u64,
    /// What a `Content-Type` names.
    charset: Option<&'static Encoding>,
}

#[derive(Debug)]
enum Stage {
    /// The start of what is not known yet.
    Start(Vec<u8>),
    Gzip(Box<(Gunzip, Input)>),
    Text(Box<Decoder>),
}

impl Input {
    pub(super) fn new(charset: Option<&'static Encoding>) -> Self {
        Self { stage: Stage::Start(Vec::new()), layers: 0, length: 0, charset }
    }

    /// Takes the next piece.
    pub(super) fn push(&mut self, piece: &[u8], next: Next<'_>) -> Result<(), Damage> {
        let room = usize::try_from(MAX_LENGTH - self.length).unwrap_or(usize::MAX);
        let (piece, beyond) = piece.split_at(room.min(piece.len()));
        self.length += piece.len() as u64;
        self.take(piece, next)?;
        if beyond.is_empty() { Ok(()) } else { Err(Damage::TooLarge) }
    }

    fn take(&mut self, piece: &[u8], next: Next<'_>) -> Result<(), Damage> {
        match &mut self.stage {
            Stage::Start(start) => {
                start.extend_from_slice(piece);
                if is_known(start) { self.begin(next) } else { Ok(()) }
            }
            Stage::Gzip(layer) => {
                let (gunzip, inner) = &mut **layer;
                gunzip.push(piece, &mut |piece| inner.push(piece, &mut *next))
            }
            Stage::Text(decoder) => {
                decode(decoder, piece, false, next);
                Ok(())
            }
        }
    }

    /// Nothing more comes.
    pub(super) fn finish(&mut self, next: Next<'_>) -> Result<(), Damage> {
        if matches!(self.stage, Stage::Start(_)) {
            self.begin(next)?;
        }
        match &mut self.stage {
            Stage::Start(_) => Ok(()),
            Stage::Gzip(layer) => {
                layer.1.finish(next)?;
                if layer.0.is_complete() { Ok(()) } else { Err(Damage::Truncated) }
            }
            Stage::Text(decoder) => {
                decode(decoder, b"", true, next);
                Ok(())
            }
        }
    }

    /// Decides what the file is, and takes what has come of it.
    fn begin(&mut self, next: Next<'_>) -> Result<(), Damage> {
        let Stage::Start(start) = &mut self.stage else { return Ok(()) };
        let start = std::mem::take(start);
        if start.starts_with(&MAGIC) {
            if self.layers == MAX_LAYERS {
                return Err(Damage::Compression);
            }
            let inner = Self { layers: self.layers + 1, ..Self::new(self.charset) };
            self.stage = Stage::Gzip(Box::new((Gunzip::new(), inner)));
        } else {
            let encoding = encoding_of(&start, self.charset);
            self.stage = Stage::Text(Box::new(encoding.new_decoder_with_bom_removal()));
        }
        self.take(&start, next)
    }
}

/// Whether enough has come to decide what a file is.
fn is_known(start: &[u8]) -> bool {
    start.starts_with(&MAGIC) || start.len() >= PRESCAN || start.windows(2).any(|two| two == b"?>")
}

/// The encoding of a text (RFC 7303, section 3): a byte order mark, else what the `Content-Type` says, else what the
/// text does, else UTF-8.
fn encoding_of(start: &[u8], charset: Option<&'static Encoding>) -> &'static Encoding {
    if let Some((encoding, _)) = Encoding::for_bom(start) {
        return encoding;
    }
    match start {
        [b'<', 0, ..] | [b'h', 0, b't', 0, ..] => UTF_16LE,
        [0, b'<', ..] | [0, b'h', 0, b't', ..] => UTF_16BE,
        _ => charset.or_else(|| declared(start)).filter(|found| found.is_ascii_compatible()).unwrap_or(UTF_8),
    }
}

/// The encoding that an XML declaration names.
fn declared(start: &[u8]) -> Option<&'static Encoding> {
    let text = start.trim_ascii_start().strip_prefix(b"<?xml")?;
    let end = memchr::memmem::find(text, b"?>")?;
    let at = memchr::memmem::find(&text[..end], b"encoding")? + b"encoding".len();
    let value = text[at..end].trim_ascii_start().strip_prefix(b"=")?.trim_ascii_start();
    let (&mark, value) = value.split_first()?;
    Encoding::for_label(value.split(|&byte| byte == mark).next()?)
}

/// Decodes a piece, a buffer at a time; what is no text becomes U+FFFD.
fn decode(decoder: &mut Decoder, mut piece: &[u8], is_last: bool, next: Next<'_>) {
    let mut buffer = [0; 4096];
    loop {
        let (result, read, written) = decoder.decode_to_utf8_without_replacement(piece, &mut buffer, is_last);
        // The decoder writes UTF-8 and nothing else.
        next(str::from_utf8(&buffer[..written]).unwrap_or_default());
        piece = &piece[read..];
        match result {
            DecoderResult::InputEmpty => return,
            DecoderResult::OutputFull => {}
            DecoderResult::Malformed(..) => next("\u{fffd}"),
        }
    }
}
