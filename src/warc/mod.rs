//! Web archives: records of WARC/1.1 (ISO 28500:2017), read and written; the HTTP messages in them; and the index beside
//! them. Pure: it knows bytes, and no network.
//!
//! What was decided where the standard leaves room, and what is read though no standard allows it:
//! - A record's length is believed, and its end is not looked for: what does not start with `WARC/` behind a record is the
//!   end of what can be read. Any version is read; 1.1 is written.
//! - Lines may end in LF alone; header lines that are none are passed over, folded ones unfolded.
//! - A file may be compressed with gzip a record at a time, as a whole, or not at all. Only in the second case can no
//!   record but the first be read alone.
//! - Chunks (RFC 9112, section 7.1) that were left in a payload are undone; a payload that only claims them is left as it is.
//! - The field `X-Crawler-Transfer-Encoding` is a `Transfer-Encoding` that was undone before its payload was written, as
//!   Nutch, `StormCrawler` and Common Crawl have it.

mod digest;
mod error;
mod header;
mod http;
mod index;
mod input;
mod read;
mod surt;
mod write;

pub use self::digest::Digest;
pub use self::error::Error;
pub use self::header::Header;
pub use self::http::{Message, parse_response, write_request_head, write_response_head};
pub use self::index::{Entry, Index};
pub use self::input::{GZIP, MAGIC};
pub use self::read::Reader;
pub use self::surt::surt;
pub use self::write::{Packer, Record};

/// What kinds of records there are, as far as they are read or written here.
pub mod kind {
    /// What a file's records have in common.
    pub const WARCINFO: &str = "warcinfo";
    /// What was asked.
    pub const REQUEST: &str = "request";
    /// What was answered.
    pub const RESPONSE: &str = "response";
    /// What is known of an exchange beside that.
    pub const METADATA: &str = "metadata";
    /// An answer whose payload an earlier record has.
    pub const REVISIT: &str = "revisit";
}

/// The profile of a `revisit` record whose payload is that of an earlier one.
pub const IDENTICAL_PAYLOAD: &str = "http://netpreserve.org/warc/1.1/revisit/identical-payload-digest";
