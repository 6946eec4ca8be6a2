//! The file of a state, a SQLite database: what it is known by, its tables, and the pages that it keeps. What a run knows by it
//! is the business of the [`store`](crate::store).
//!
//! What was decided:
//! - A file of an earlier version of the tables is brought up to date by the next run, at once or not at all; it can be read
//!   as it is. A file of a later version is refused.
//! - Of each URL the last page is kept that counted as fetched and came whole: its content codings undone, its charset as it
//!   came. It stays when the URL fails later, or is gone.
//! - A body is known by its SHA-256, and is there once, whoever sent it; one that no answer has any more is removed.

mod answers;
mod schema;

pub use self::answers::Kept;
pub(crate) use self::answers::{Answers, Shelf};
pub use self::schema::{Error, MAGIC};
pub(crate) use self::schema::{connect, open, open_to_read};
