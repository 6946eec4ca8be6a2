//! The pipeline.

use std::io;

use crate::job::Outcome;

/// Where final outcomes go. Every method may block: the engine's loop is not where requests are driven.
pub trait Sink: Send {
    /// Takes one final outcome.
    ///
    /// # Errors
    /// What it writes to fails. That ends the run.
    fn accept(&mut self, outcome: &Outcome) -> io::Result<()>;

    /// Nothing more is waiting right now: what is buffered should be seen.
    ///
    /// # Errors
    /// As for [`accept`](Sink::accept).
    fn idle(&mut self) -> io::Result<()> {
        Ok(())
    }

    /// The run is over.
    ///
    /// # Errors
    /// As for [`accept`](Sink::accept).
    fn finish(self: Box<Self>) -> io::Result<()>;
}
