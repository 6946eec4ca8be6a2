//! A web archive of all that went over the wire, with an index beside it.
//!
//! For each request there are, in this order: a `request` record; a `metadata` record with what the answer itself does not
//! tell; and, if an answer began, a `response` record, or a `revisit` record where its payload is that of an earlier one.
//! What was decided where ISO 28500 leaves room, and where we cannot keep it to the letter:
//! - An answer is written as HTTP/1.1 whatever it came by, as all tools read that alone; `WARC-Protocol` tells the rest.
//!   Names of header fields are in lower case, and fields of one name stand together: that is all that is known of them.
//! - Transfer codings have been undone, so `Transfer-Encoding` is called `X-Crawler-Transfer-Encoding`.
//! - What may be a secret is not written: of a request, its body and all header fields but harmless ones (wget and Heritrix
//!   write them). Answers are as they came, `Set-Cookie` too.
//! - Only a payload that is whole and not empty is an original, of which the last 65,536 are remembered.
//! - A run that a state has [gone on with](crate::store::Begin::resume) begins behind what that has for done. Each request that was
//!   made is in there, those too whose URL was not done yet and is asked for once more: an answer to one that was the last
//!   counts as one on the way then, as if it had been tried again at once (`final: no`). What [there is](Earlier) is read once for
//!   its index, and for the payloads to remember.
//! - Records are made and written by [threads](press) of the archive: the last ones of a process that is killed are missing,
//!   never a part of one in front of others.

mod capture;
mod earlier;
mod originals;
mod press;

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;

use self::capture::{Capture, FIELDS, head};
pub use self::earlier::Earlier;
use self::originals::Originals;
use self::press::{Log, Packed, Press};
use super::compression::Compression;
use crate::engine::Sink;
use crate::job::{Attempt, Outcome};
use crate::warc::{Header, Packer, Record, kind};

/// How an archive of this name is compressed; none where the name is no archive's.
#[must_use]
pub fn archive_compression(path: &Path) -> Option<Compression> {
    let (compression, name) = Compression::of(path);
    let is_archive = name.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("warc"));
    (is_archive && compression != Compression::Zstd).then_some(compression)
}

/// The name of the index beside an archive: `pages.cdxj` for `pages.warc.gz`.
#[must_use]
pub fn index_path(archive: &Path) -> PathBuf {
    match Compression::of(archive) {
        (Compression::None, name) => name.with_extension("cdxj"),
        (_, name) => archive.with_file_name(name).with_extension("cdxj"),
    }
}

/// The sink.
pub struct Archive {
    /// What errors call it.
    path: PathBuf,
    /// What to write to, until the press has it.
    out: Option<Box<dyn Write + Send>>,
    press: Option<Press>,
    /// What there is already.
    earlier: Option<Earlier>,
    /// The identifier of the first record.
    info: Arc<str>,
    index_file: Box<dyn Write + Send>,
    originals: Originals,
}

impl Archive {
    /// An archive that is written to `out`, which errors call `path`, and whose index is written to `index_file`.
    pub fn new(path: &Path, out: impl Write + Send + 'static, index_file: impl Write + Send + 'static) -> Self {
        Self {
            path: path.into(),
            out: Some(Box::new(out)),
            press: None,
            earlier: None,
            info: "".into(),
            index_file: Box::new(index_file),
            originals: Originals::default(),
        }
    }

    /// The same, behind what an earlier run has written.
    #[must_use]
    pub fn behind(self, earlier: Option<Earlier>) -> Self {
        Self { earlier, ..self }
    }

    /// The press, which begins with the record that tells of the archive.
    fn press(&mut self) -> io::Result<&mut Press> {
        if let Some(out) = self.out.take() {
            let is_compressed = archive_compression(&self.path) == Some(Compression::Gzip);
            if let Some(Earlier { info, originals, log, .. }) = self.earlier.take() {
                (self.info, self.originals) = (info, originals);
                self.press = Some(Press::start(out, log, is_compressed)?);
            } else {
                self.press = Some(self.begin(out, is_compressed)?);
            }
        }
        self.press.as_mut().ok_or_else(|| io::Error::other("it could not be begun"))
    }

    fn write(&mut self, attempt: &Attempt) -> io::Result<()> {
        self.press()?;
        let mut capture = Capture::new(attempt.clone(), Arc::clone(&self.info));
        if let Some(digest) = capture.payload() {
            capture.original = self.originals.find(&digest);
            if capture.original.is_none() {
                self.originals.remember(digest, capture.to_original());
            }
        }
        self.press()?.give(move |packer| capture.pack(packer))
    }

    /// A press for an archive that begins with the record that tells of it.
    fn begin(&mut self, out: Box<dyn Write + Send>, is_compressed: bool) -> io::Result<Press> {
        let filename = filename(&self.path);
        let mut header = head(kind::WARCINFO, Timestamp::now());
        self.info = header.get("WARC-Record-ID").unwrap_or_default().into();
        header.push("WARC-Filename", filename.as_str());
        header.push("Content-Type", FIELDS);
        let mut press = Press::start(out, Log::new(filename), is_compressed)?;
        press.give(|packer| pack_info(packer, header))?;
        Ok(press)
    }

    fn explain(&self, error: &io::Error) -> io::Error {
        io::Error::new(error.kind(), format!("cannot write {}: {error}", self.path.display()))
    }
}

/// What an archive is called in itself and in its index.
fn filename(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// The record that tells of the archive.
fn pack_info(packer: &mut Packer, header: Header) -> io::Result<Packed> {
    let mut fields = Header::default();
    fields.push("software", concat!("scrape/", env!("CARGO_PKG_VERSION")));
    fields.push("format", "WARC File Format 1.1");
    fields.push("conformsTo", "http://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/");
    let mut bytes = Vec::new();
    packer.pack(Record { header, block: &[fields.to_text().as_bytes()] }, &mut bytes)?;
    Ok(Packed { bytes, listing: None })
}

impl Sink for Archive {
    fn attempt(&mut self, attempt: &Attempt) -> io::Result<()> {
        self.write(attempt).map_err(|error| self.explain(&error))
    }

    fn accept(&mut self, _: &Outcome) -> io::Result<()> {
        Ok(())
    }

    fn commit(&mut self) -> io::Result<()> {
        let settled = self.press.as_ref().map_or(Ok(()), Press::settle);
        settled.map_err(|error| self.explain(&error))
    }

    fn finish(mut self: Box<Self>) -> io::Result<()> {
        self.press().map(drop).map_err(|error| self.explain(&error))?;
        let index = self.press.take().map(Press::finish).transpose().map_err(|error| self.explain(&error))?;
        let mut out = io::BufWriter::new(self.index_file);
        let written = index.map_or(Ok(()), |index| index.write(&mut out)).and_then(|()| out.flush());
        written.map_err(|error| {
            io::Error::new(error.kind(), format!("cannot write {}: {error}", index_path(&self.path).display()))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archive_and_its_index_are_known_by_name() {
        let of = |name| (archive_compression(Path::new(name)), index_path(Path::new(name)));
        assert_eq!(of("a/b.warc.gz"), (Some(Compression::Gzip), "a/b.cdxj".into()));
        assert_eq!(of("b.x.WARC"), (Some(Compression::None), "b.x.cdxj".into()));
        assert_eq!(of("a/b.warc"), (Some(Compression::None), "a/b.cdxj".into()));
        for name in ["b.warc.zst", "b.gz", "warc", ".warc", "b.jsonl"] {
            assert_eq!(archive_compression(Path::new(name)), None, "{name}");
        }
    }
}
