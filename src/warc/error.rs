//! Why an archive cannot be read any further.

use std::io;

/// Why an archive cannot be read any further. The records before are whole.
#[derive(Debug, thiserror::Error)]
#[error("the record at byte {offset}: {error}")]
pub struct Error {
    /// Where the record starts that is not whole, in the file: of one that is compressed, its gzip member.
    pub offset: u64,
    /// What is wrong with it.
    #[source]
    pub error: io::Error,
}
