//! Files that are compressed while they are written (gzip: RFC 1952; Zstandard: RFC 8878).
//!
//! What has been flushed can be decompressed, also when the program is killed before the file is complete; a reader then
//! reports that the end is missing. A file may be of several [parts](Compressor::part), each whole by itself: tools read them as
//! one (RFC 1952, section 2.2; RFC 8878, section 3).

use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;
use flate2::write::GzEncoder;
use zstd::stream::read::Decoder as ZstdDecoder;
use zstd::stream::write::Encoder as ZstdEncoder;

/// How a file is compressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compression {
    /// Not at all.
    #[default]
    None,
    /// As gzip does.
    Gzip,
    /// As zstd does.
    Zstd,
}

impl Compression {
    /// What the end of a name tells, and the name without that: `pages.csv.gz` is `pages.csv`, compressed.
    #[must_use]
    pub fn of(path: &Path) -> (Self, &Path) {
        let compression = match path.extension() {
            Some(extension) if extension.eq_ignore_ascii_case("gz") => Self::Gzip,
            Some(extension) if extension.eq_ignore_ascii_case("zst") => Self::Zstd,
            _ => return (Self::None, path),
        };
        (compression, path.file_stem().map_or(path, Path::new))
    }

    /// Undoes it: all members or frames, one after the other. Where the last one ends before its time there is what can be
    /// read of it, and then an error of kind `UnexpectedEof`.
    pub(super) fn reader<'a>(self, reader: impl BufRead + 'a) -> io::Result<Box<dyn BufRead + 'a>> {
        Ok(match self {
            Self::None => Box::new(reader),
            Self::Gzip => Box::new(BufReader::new(MultiGzDecoder::new(reader))),
            Self::Zstd => Box::new(BufReader::new(ZstdDecoder::with_buffer(reader)?)),
        })
    }
}

/// What compressed bytes are written to.
type Inner = Box<dyn Write + Send>;

/// Takes bytes and writes them compressed.
pub(super) enum Compressor {
    None(Inner),
    Gzip(GzEncoder<Inner>),
    Zstd(ZstdEncoder<'static, Inner>),
    /// Between two members or frames: the next one begins with what it has.
    Between(Compression, Inner),
}

impl Compressor {
    /// The usual levels of gzip and zstd.
    pub(super) fn new(compression: Compression, inner: Inner) -> io::Result<Self> {
        Ok(match compression {
            Compression::None => Self::None(inner),
            Compression::Gzip => Self::Gzip(GzEncoder::new(inner, flate2::Compression::default())),
            Compression::Zstd => {
                let mut encoder = ZstdEncoder::new(inner, zstd::DEFAULT_COMPRESSION_LEVEL)?;
                encoder.include_checksum(true)?;
                Self::Zstd(encoder)
            }
        })
    }

    /// Ends the member or frame: what follows is one of its own, which can be cut off.
    pub(super) fn part(&mut self) -> io::Result<()> {
        let nowhere = Self::None(Box::new(io::sink()));
        *self = match std::mem::replace(self, nowhere) {
            Self::Gzip(encoder) => Self::Between(Compression::Gzip, encoder.finish()?),
            Self::Zstd(encoder) => Self::Between(Compression::Zstd, encoder.finish()?),
            apart @ (Self::None(_) | Self::Between(..)) => apart,
        };
        self.inner().flush()
    }

    /// Begins a member or frame, if there is none.
    fn begin(&mut self) -> io::Result<()> {
        if let Self::Between(compression, inner) = self {
            let inner = std::mem::replace(inner, Box::new(io::sink()));
            *self = Self::new(*compression, inner)?;
        }
        Ok(())
    }

    /// Completes the file.
    pub(super) fn finish(&mut self) -> io::Result<()> {
        match self {
            Self::None(_) | Self::Between(..) => {}
            Self::Gzip(encoder) => encoder.try_finish()?,
            Self::Zstd(encoder) => encoder.do_finish()?,
        }
        self.inner().flush()
    }

    fn inner(&mut self) -> &mut Inner {
        match self {
            Self::None(inner) | Self::Between(_, inner) => inner,
            Self::Gzip(encoder) => encoder.get_mut(),
            Self::Zstd(encoder) => encoder.get_mut(),
        }
    }
}

impl Write for Compressor {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.begin()?;
        match self {
            Self::None(inner) | Self::Between(_, inner) => inner.write(bytes),
            Self::Gzip(encoder) => encoder.write(bytes),
            Self::Zstd(encoder) => encoder.write(bytes),
        }
    }

    /// What is not compressed is written as its file has it: perhaps all or nothing.
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        self.begin()?;
        match self {
            Self::None(inner) | Self::Between(_, inner) => inner.write_all(bytes),
            Self::Gzip(encoder) => encoder.write_all(bytes),
            Self::Zstd(encoder) => encoder.write_all(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::None(inner) | Self::Between(_, inner) => inner.flush(),
            Self::Gzip(encoder) => encoder.flush(),
            Self::Zstd(encoder) => encoder.flush(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;
    use crate::sink::sample::Tape;

    fn compressor(compression: Compression) -> (Compressor, Tape) {
        let tape = Tape::default();
        (Compressor::new(compression, Box::new(tape.clone())).unwrap(), tape)
    }

    /// What can be read of `bytes`, complete or not.
    fn read(compression: Compression, bytes: &[u8]) -> (String, bool) {
        let mut reader: Box<dyn Read> = match compression {
            Compression::None => Box::new(bytes),
            Compression::Gzip => Box::new(flate2::read::GzDecoder::new(bytes)),
            Compression::Zstd => Box::new(zstd::Decoder::new(bytes).unwrap()),
        };
        let (mut text, mut piece) = (Vec::new(), [0]);
        let is_complete = loop {
            match reader.read(&mut piece) {
                Ok(0) => break true,
                Ok(_) => text.extend(piece),
                Err(_) => break false,
            }
        };
        (String::from_utf8(text).unwrap(), is_complete)
    }

    #[test]
    fn the_end_of_the_name_tells() {
        let of = |path| Compression::of(Path::new(path));
        assert_eq!(of("dir/pages.csv.gz"), (Compression::Gzip, Path::new("pages.csv")));
        assert_eq!(of("pages.jsonl.ZST"), (Compression::Zstd, Path::new("pages.jsonl")));
        assert_eq!(of("pages.gz"), (Compression::Gzip, Path::new("pages")));
        for plain in ["dir.gz/pages.csv", ".gz", "gz", "-"] {
            assert_eq!(of(plain), (Compression::None, Path::new(plain)));
        }
    }

    #[test]
    fn what_is_complete_is_what_was_written() {
        for compression in [Compression::None, Compression::Gzip, Compression::Zstd] {
            let (mut out, tape) = compressor(compression);
            let line = "one and the same line\n".repeat(1000);
            out.write_all(line.as_bytes()).unwrap();
            out.finish().unwrap();
            let bytes = tape.writes().concat();
            assert_eq!(read(compression, &bytes), (line.clone(), true));
            assert!(compression == Compression::None || bytes.len() < line.len() / 10);
        }
    }

    #[test]
    fn what_is_flushed_can_be_read_before_the_end() {
        for compression in [Compression::Gzip, Compression::Zstd] {
            let (mut out, tape) = compressor(compression);
            out.write_all(b"one\n").unwrap();
            out.flush().unwrap();
            out.write_all(b"two\n").unwrap();
            assert_eq!(read(compression, &tape.writes().concat()), ("one\n".into(), false));
        }
    }

    #[test]
    fn each_part_is_whole_by_itself_and_there_is_none_without_text() {
        for compression in [Compression::None, Compression::Gzip, Compression::Zstd] {
            let (mut out, tape) = compressor(compression);
            let mut whole = |text: &str| {
                out.write_all(text.as_bytes()).unwrap();
                out.part().unwrap();
                tape.writes().concat().len()
            };
            let ends = [whole("one\n"), whole(""), whole("two\n")];
            assert_eq!(ends[0], ends[1]);
            out.flush().unwrap();
            out.finish().unwrap();
            let bytes = tape.writes().concat();
            assert_eq!(bytes.len(), ends[2]);
            let parts = [&bytes[..ends[0]], &bytes[ends[0]..]].map(|part| read(compression, part));
            assert_eq!(parts, [("one\n".into(), true), ("two\n".into(), true)]);
        }
    }

    #[test]
    fn what_cannot_be_written_is_an_error_at_the_latest_at_the_end() {
        for compression in [Compression::None, Compression::Gzip, Compression::Zstd] {
            let tape = Tape::failing(io::ErrorKind::StorageFull);
            let mut out = Compressor::new(compression, Box::new(tape)).unwrap();
            let written = out.write_all(b"one\n").and_then(|()| out.finish());
            assert_eq!(written.unwrap_err().kind(), io::ErrorKind::StorageFull);
        }
    }
}
