//! What is known of pages from run to run: a SQLite file with a row for each URL and a history of versions.
//!
//! What was decided:
//! - A page is known by the [fingerprint](crate::canonical::fingerprint) of the URL that the list names, not by where that
//!   redirects; a line that is no URL, by what it says.
//! - A version is what was extracted: the title and the fields that say something of the page. Its status, length, header
//!   fields, cookies and times make no difference. All rows of a page (a recipe's items, chunks) are one version.
//! - Where other fields are asked for than before, no version of before counts: each page is `new` once more.
//! - A failure is never a version. It counts how many runs it has lasted; a run that was stopped leaves no trace.
//! - `gone` is a page of which there is a version and that is now answered with 404 or 410. `back` is one that is there again
//!   after it was gone or has failed, changed or not. What never was there fails.
//! - A version is asked for conditionally (RFC 9110, section 13) where the same fields were extracted from it, nothing has
//!   failed since, and the URL that gave it is the one to ask. Its `ETag` and `Last-Modified` are sent back as they came, and
//!   replaced by those of a 304, if it has any (RFC 9111, section 4.3.4).
//! - One thread writes. What it is told within a tenth of a second is one transaction, which is durable against the end of
//!   the process; after a loss of power the last ones may be missing, never a part of one.
//! - How far the files of a run have come is written in the transaction that has the pages of these records, once the disk
//!   has these records. What is behind that in a file is cut off when the run is [gone on with](Begin::resume). What a run
//!   would try again therefore comes at the end of the files, behind what stands.
//! - Of a crawl, what it came by is written in the transaction that has the page which leads there, until that has its own
//!   outcome. A run that is gone on with takes these up where they are. URLs that a redirect led by and sitemaps, which have no
//!   row of a page, are kept as fingerprints. All of this goes when the crawl has come to its end, but for what its failures come
//!   from: they may be tried again. Credentials of seeds are not written: where seeds have some, what is
//!   [gone on with](Begin::resume) asks without.
//! - What pages say to those who check links, and what came of each link, is written in the same transaction, 700 bytes for
//!   a page of 40 links, and stays until the next run of its own: one that is gone on with [recalls](Session::recall) it.
//! - A file has one run at a time: it is locked (`flock`) until the run has ended. Readers are free.

mod changes;
mod frontier;
mod history;
mod lookup;
mod notes;
mod outbox;
mod outputs;
mod run;
mod session;
mod shape;
mod sink;
mod survey;
mod tray;
mod untold;
mod watch;
mod writer;

pub use self::changes::Difference;
pub use self::history::{Event, History, Which};
pub use self::lookup::Versions;
pub use self::outbox::Outbox;
pub use self::outputs::Resumed;
pub use self::session::{Begin, Ended, Mark, Session};
pub use self::shape::Shape;
pub use self::tray::Tray;
pub use crate::record::Change;
pub use crate::state::Error;
