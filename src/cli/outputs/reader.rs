//! A standard output whose reader may go.

use std::io::{self, ErrorKind};

use crate::engine::Sink;
use crate::job::Outcome;

/// A sink for as long as its reader is there: one that has seen enough is no error.
pub(super) struct WhileRead {
    pub(super) sink: Option<Box<dyn Sink>>,
    /// What to do when the reader goes.
    pub(super) on_close: Option<Box<dyn Fn() + Send>>,
}

impl WhileRead {
    fn unless_closed(&mut self, result: io::Result<()>) -> io::Result<()> {
        match result {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                self.sink = None;
                self.on_close.iter().for_each(|close| close());
                Ok(())
            }
            result => result,
        }
    }
}

impl Sink for WhileRead {
    fn accept(&mut self, outcome: &Outcome) -> io::Result<()> {
        let result = self.sink.as_mut().map_or(Ok(()), |sink| sink.accept(outcome));
        self.unless_closed(result)
    }

    fn recall(&mut self, outcome: &Outcome) -> io::Result<()> {
        let result = self.sink.as_mut().map_or(Ok(()), |sink| sink.recall(outcome));
        self.unless_closed(result)
    }

    fn idle(&mut self) -> io::Result<()> {
        let result = self.sink.as_mut().map_or(Ok(()), |sink| sink.idle());
        self.unless_closed(result)
    }

    fn commit(&mut self) -> io::Result<()> {
        let result = self.sink.as_mut().map_or(Ok(()), |sink| sink.commit());
        self.unless_closed(result)
    }

    fn finish(mut self: Box<Self>) -> io::Result<()> {
        let result = self.sink.take().map_or(Ok(()), Sink::finish);
        self.unless_closed(result)
    }
}
