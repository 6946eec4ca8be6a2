//! Records, one after the other, in bounded memory.

use std::io::{self, BufRead, ErrorKind};

use super::error::Error;
use super::header::Header;
use super::input::{Input, MAGIC};

/// The longest head of a record, in bytes.
const MAX_HEADER: usize = 256 << 10;

/// Reads an archive from its start, or from where one of its records starts.
pub struct Reader<R> {
    input: Input<R>,
    /// The offset of the current record.
    offset: u64,
    /// Whether the file can be read from there on.
    is_start: bool,
    /// How much of its block has not been read.
    rest: u64,
}

impl<R: BufRead> Reader<R> {
    /// Reads what may be compressed with gzip.
    ///
    /// # Errors
    /// It cannot be read at all.
    pub fn new(input: R) -> io::Result<Self> {
        Ok(Self { input: Input::new(input)?, offset: 0, is_start: true, rest: 0 })
    }

    /// Where the current record can be read from alone, in bytes of the file.
    #[must_use]
    pub fn offset(&self) -> Option<u64> {
        self.is_start.then_some(self.offset)
    }

    /// The head of the next record; none at the end.
    ///
    /// # Errors
    /// It is not whole, or there is no record.
    pub fn next_record(&mut self) -> Result<Option<Header>, Error> {
        self.skip_block()
            .and_then(|()| self.find())
            .and_then(|is_there| is_there.then(|| self.read_header()).transpose())
            .map_err(|error| self.explain(error))
    }

    /// The block of the current record, of a longer one its first `limit` bytes, and whether it is whole.
    ///
    /// # Errors
    /// The file ends within it, or cannot be read.
    pub fn read_block(&mut self, limit: usize) -> Result<(Vec<u8>, bool), Error> {
        let mut block = Vec::new();
        while self.rest > 0 && block.len() < limit {
            let wanted = usize::try_from(self.rest).unwrap_or(usize::MAX).min(limit - block.len());
            let taken = self.take(wanted, |piece| block.extend_from_slice(piece));
            taken.map_err(|error| self.explain(error))?;
        }
        Ok((block, self.rest == 0))
    }

    fn explain(&self, error: io::Error) -> Error {
        Error { offset: self.offset, error }
    }

    fn skip_block(&mut self) -> io::Result<()> {
        while self.rest > 0 {
            self.take(usize::MAX, |_| ())?;
        }
        Ok(())
    }

    /// Takes some bytes of the block, no more than `wanted`.
    fn take(&mut self, wanted: usize, keep: impl FnOnce(&[u8])) -> io::Result<()> {
        let rest = self.rest;
        let piece = self.input.fill()?;
        let length = piece.len().min(wanted).min(usize::try_from(rest).unwrap_or(usize::MAX));
        if length == 0 {
            return Err(io::Error::new(ErrorKind::UnexpectedEof, format!("the file ends {rest} bytes before it does")));
        }
        keep(&piece[..length]);
        self.input.consume(length);
        self.rest -= length as u64;
        Ok(())
    }

    /// Goes to the start of the next record, if there is one.
    fn find(&mut self) -> io::Result<bool> {
        loop {
            // Where a member of a compressed file ends is known only when the next one has been begun.
            let piece = self.input.fill();
            let blank = match &piece {
                Ok(piece) => piece.iter().take_while(|byte| b"\r\n".contains(byte)).count(),
                Err(_) => 0,
            };
            let is_end = piece.as_ref().is_ok_and(|piece| piece.is_empty());
            let failed = piece.err();
            if blank == 0 {
                (self.offset, self.is_start) = (self.input.offset(), self.input.is_start());
                return failed.map_or(Ok(!is_end), Err);
            }
            self.input.consume(blank);
        }
    }

    fn read_header(&mut self) -> io::Result<Header> {
        let text = self.read_head()?;
        let end = text.iter().position(|&byte| byte == b'\n').unwrap_or(text.len());
        let header = Header::parse(&text[end..]);
        self.rest = length(&header)?;
        Ok(header)
    }

    /// The lines up to a blank one.
    fn read_head(&mut self) -> io::Result<Vec<u8>> {
        let mut head = Vec::new();
        let mut line_start = 0;
        loop {
            let piece = self.input.fill()?;
            if piece.is_empty() {
                return Err(io::Error::new(ErrorKind::UnexpectedEof, "the file ends within its head"));
            }
            let end = memchr::memchr(b'\n', piece).map_or(piece.len(), |end| end + 1);
            head.extend_from_slice(&piece[..end]);
            self.input.consume(end);
            let known = head.len().min(MAGIC.len());
            if head[..known] != MAGIC[..known] {
                return Err(bad("no record starts here"));
            }
            if head.len() > MAX_HEADER {
                return Err(bad("its head is longer than 256 KiB"));
            }
            if head.ends_with(b"\n") {
                if head[line_start..].trim_ascii().is_empty() {
                    return Ok(head);
                }
                line_start = head.len();
            }
        }
    }
}

/// The length of the block behind a head.
fn length(header: &Header) -> io::Result<u64> {
    let mut lengths = header.get_all("Content-Length");
    let length = lengths.next().ok_or_else(|| bad("it has no Content-Length"))?;
    if lengths.any(|other| other != length) {
        return Err(bad("it has more than one Content-Length"));
    }
    let number = length.parse().ok().filter(|_| length.bytes().all(|byte| byte.is_ascii_digit()));
    number.ok_or_else(|| bad(&format!("its Content-Length is {:?}", length.chars().take(40).collect::<String>())))
}

fn bad(reason: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, reason)
}
