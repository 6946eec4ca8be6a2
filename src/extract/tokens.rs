//! Driving html5ever's tokenizer: in small pieces, so that it can be stopped.

use std::time::Duration;

use html5ever::TokenizerResult;
use html5ever::buffer_queue::BufferQueue;
use html5ever::tendril::StrTendril;
use html5ever::tokenizer::{TokenSink, Tokenizer, TokenizerOpts};
use rustix::time::{ClockId, clock_gettime};

use crate::failure::{Failure, Kind};

/// How many bytes are fed between two looks at how it goes.
const PIECE: usize = 1024;

/// When to give a page up.
///
/// html5ever takes quadratic time for several kinds of input (deep nesting, many attributes in one tag, many formatting
/// elements), most of it where no token or callback shows it. A clock does: that of the thread's own computing, so that
/// a busy machine changes nothing. Real pages need less than a tenth of what they get.
#[derive(Debug)]
pub(super) struct Deadline(Duration);

/// How long this thread has been computing.
fn computed() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap_or_default()
}

impl Deadline {
    /// The deadline for a text that this thread is about to read.
    pub(super) fn for_text(text: &str) -> Self {
        let bytes = u32::try_from(text.len()).unwrap_or(u32::MAX);
        Self(computed() + Duration::from_secs(1) + Duration::from_nanos(300) * bytes)
    }

    pub(super) fn has_passed(&self) -> bool {
        computed() > self.0
    }

    /// A failure once the time is over.
    pub(super) fn check(&self) -> Result<(), Failure> {
        if self.has_passed() { Err(Failure::new(Kind::TooComplex, "the page takes too long to parse")) } else { Ok(()) }
    }
}

/// A sink that says when to stop.
pub(super) trait Watched: TokenSink {
    /// Whether it has seen enough.
    fn is_done(&self) -> bool;

    /// Fails where going on would take too long.
    fn check(&self) -> Result<(), Failure> {
        Ok(())
    }
}

/// Feeds `text` to `sink` until it is done, and gives it back with the reason why it was stopped before.
pub(super) fn tokenize<S: Watched>(text: &str, sink: S, deadline: &Deadline) -> (S, Result<(), Failure>) {
    let tokenizer = Tokenizer::new(sink, TokenizerOpts::default());
    let queue = BufferQueue::default();
    for piece in pieces(text) {
        queue.push_back(StrTendril::from_slice(piece));
        while !matches!(tokenizer.feed(&queue), TokenizerResult::Done) {}
        if tokenizer.sink.is_done() {
            return (tokenizer.sink, Ok(()));
        }
        if let Err(failure) = tokenizer.sink.check().and_then(|()| deadline.check()) {
            return (tokenizer.sink, Err(failure));
        }
    }
    tokenizer.end();
    (tokenizer.sink, Ok(()))
}

/// `text` in pieces of about [`PIECE`] bytes.
fn pieces(mut text: &str) -> impl Iterator<Item = &str> {
    std::iter::from_fn(move || {
        let end = (PIECE..text.len()).find(|&at| text.is_char_boundary(at)).unwrap_or(text.len());
        let (piece, rest) = text.split_at(end);
        text = rest;
        (!piece.is_empty()).then_some(piece)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_the_whole_text() {
        for text in [String::new(), "a".repeat(PIECE), "é".repeat(PIECE), "a€".repeat(3 * PIECE)] {
            assert_eq!(pieces(&text).collect::<String>(), text);
            assert!(pieces(&text).all(|piece| piece.len() < PIECE + 4));
        }
    }
}
