//! The memory that bodies take while they are in flight: all together never more than a limit.
//!
//! Room is made before it is filled, and nobody ever waits for it: a body that finds none lets go of what it has, and
//! its job goes back to the frontier. So half-read bodies never wait for each other. What is counted is what is
//! allocated: a body's buffer, and what undoes its content codings. What connections buffer (some hundred KiB each
//! at most) and what is made of a page come on top.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};

use bytes::Bytes;

use crate::failure::{Failure, Kind};

/// What undoing one content coding takes, but for the window of those that look far back.
pub(super) const DECODER: usize = 64 << 10;

/// What undoing all the content codings of a body may take: four, and the largest window that there is, which is
/// brotli's (RFC 7932, section 9.1).
pub(super) const DECODERS: usize = 4 * DECODER + (16 << 20);

/// The memory for all bodies of a run.
#[derive(Debug)]
pub(super) struct Memory {
    /// Bytes. Nothing else is published by it, so no ordering is needed.
    free: AtomicUsize,
}

impl Memory {
    /// So many bytes.
    pub(super) fn new(bytes: usize) -> Arc<Self> {
        Arc::new(Self { free: AtomicUsize::new(bytes) })
    }

    /// No room yet, for one body.
    pub(super) fn room(self: &Arc<Self>) -> Room {
        Room(Arc::new(Share {
            memory: Arc::clone(self),
            held: AtomicUsize::new(0),
            used: AtomicUsize::new(0),
            decoders: AtomicUsize::new(0),
            was_refused: AtomicBool::new(false),
        }))
    }

    fn take(&self, bytes: usize) -> bool {
        self.free.fetch_update(Relaxed, Relaxed, |free| free.checked_sub(bytes)).is_ok()
    }

    fn give(&self, bytes: usize) {
        self.free.fetch_add(bytes, Relaxed);
    }

    #[cfg(test)]
    pub(super) fn free(&self) -> usize {
        self.free.load(Relaxed)
    }
}

/// Why there is no more room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
    /// Others have it.
    #[error("the memory for bodies is used up (--max-memory)")]
    Full,
    /// No body may take so much.
    #[error("the content codings take more than {DECODERS} bytes to undo")]
    Absurd,
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        let kind = match refusal {
            // The frontier asks again, unless the run is being stopped.
            Refusal::Full => Kind::Cancelled,
            Refusal::Absurd => Kind::Decode,
        };
        Self::new(kind, refusal.to_string())
    }
}

/// Room for one body. Clones are the same room, given back when the last of them goes.
#[derive(Clone, Debug)]
pub(super) struct Room(Arc<Share>);

/// A part of the memory. Only the visit that it is for changes it.
#[derive(Debug)]
struct Share {
    memory: Arc<Memory>,
    /// Bytes that were taken.
    held: AtomicUsize,
    /// Those among them that have a use.
    used: AtomicUsize,
    /// Those among these that undo content codings.
    decoders: AtomicUsize,
    was_refused: AtomicBool,
}

impl Room {
    /// Takes so many bytes without using them yet: as far as they go, no use of them is refused.
    pub(super) fn take(&self, bytes: usize) -> Result<(), Refusal> {
        let Share { memory, held, was_refused, .. } = &*self.0;
        let missing = bytes.saturating_sub(held.load(Relaxed));
        if missing > 0 {
            if !memory.take(missing) {
                was_refused.store(true, Relaxed);
                return Err(Refusal::Full);
            }
            held.store(bytes, Relaxed);
        }
        Ok(())
    }

    /// Uses so many bytes more.
    pub(super) fn grow(&self, bytes: usize) -> Result<(), Refusal> {
        let used = self.0.used.load(Relaxed).checked_add(bytes).ok_or(Refusal::Full)?;
        self.take(used)?;
        self.0.used.store(used, Relaxed);
        Ok(())
    }

    /// Uses so many bytes more to undo content codings.
    pub(super) fn grow_decoders(&self, bytes: usize) -> Result<(), Refusal> {
        let decoders = self.0.decoders.load(Relaxed) + bytes;
        if decoders > DECODERS {
            return Err(Refusal::Absurd);
        }
        self.grow(bytes)?;
        self.0.decoders.store(decoders, Relaxed);
        Ok(())
    }

    /// Gives back what it has beyond so many bytes.
    pub(super) fn shrink(&self, bytes: usize) {
        let Share { memory, held, used, .. } = &*self.0;
        let excess = held.load(Relaxed).saturating_sub(bytes);
        if excess > 0 {
            held.fetch_sub(excess, Relaxed);
            used.fetch_min(bytes, Relaxed);
            memory.give(excess);
        }
    }

    /// Whether others had what it asked for.
    pub(super) fn was_refused(&self) -> bool {
        self.0.was_refused.load(Relaxed)
    }

    /// The body, which keeps room for so many bytes as long as any part of it lives.
    pub(super) fn keep(self, body: Bytes, bytes: usize) -> Bytes {
        self.shrink(bytes);
        Bytes::from_owner(Kept { body, _room: self })
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.memory.give(*self.held.get_mut());
    }
}

/// A body in its room.
struct Kept {
    body: Bytes,
    _room: Room,
}

impl AsRef<[u8]> for Kept {
    fn as_ref(&self) -> &[u8] {
        &self.body
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_taken_is_not_refused_when_it_is_used() {
        let memory = Memory::new(100);
        let (whole, other) = (memory.room(), memory.room());
        whole.take(80).unwrap();
        assert_eq!(other.grow(21), Err(Refusal::Full));
        assert!(other.was_refused() && !whole.was_refused());
        assert_eq!(
            [whole.grow(50), whole.grow(30), other.grow(20), whole.grow(1)].map(|result| result.is_ok()),
            [true, true, true, false]
        );
    }

    #[test]
    fn a_body_keeps_its_room_as_long_as_a_part_of_it_lives() {
        let memory = Memory::new(100);
        let room = memory.room();
        room.grow(60).unwrap();
        let body = room.keep(Bytes::from_static(b"some body"), 9);
        let part = body.slice(5..);
        drop(body);
        assert_eq!((&part[..], memory.free()), (&b"body"[..], 91));
        drop(part);
        assert_eq!(memory.free(), 100);
    }

    #[test]
    fn all_is_given_back_when_a_visit_panics_or_is_dropped_half_way() {
        let memory = Memory::new(100);
        let held = memory.room();
        let visit = std::panic::AssertUnwindSafe(move || {
            held.grow(70).unwrap();
            panic!("amid the body");
        });
        assert!(std::panic::catch_unwind(visit).is_err());
        assert_eq!(memory.free(), 100);
        let room = memory.room();
        let visit = async move {
            room.grow(70).unwrap();
            std::future::pending::<()>().await;
            drop(room);
        };
        let mut visit = Box::pin(visit);
        assert!(futures::FutureExt::now_or_never(&mut visit).is_none());
        assert_eq!(memory.free(), 30);
        drop(visit);
        assert_eq!(memory.free(), 100);
    }

    #[test]
    fn content_codings_get_no_more_than_the_largest_real_ones_take() {
        let room = Memory::new(usize::MAX).room();
        room.grow_decoders(DECODERS).unwrap();
        assert_eq!(room.grow_decoders(1), Err(Refusal::Absurd));
        assert!(!room.was_refused(), "it is not for want of memory");
    }

    /// Something that a room is asked.
    #[derive(Clone, Debug)]
    enum Step {
        Take(usize, usize),
        Grow(usize, usize),
        Shrink(usize, usize),
        Keep(usize, usize),
        Drop(usize),
    }

    fn step() -> impl Strategy<Value = Step> {
        let (room, bytes) = (0..8_usize, 0..400_usize);
        prop_oneof![
            (room.clone(), bytes.clone()).prop_map(|(room, bytes)| Step::Take(room, bytes)),
            (room.clone(), bytes.clone()).prop_map(|(room, bytes)| Step::Grow(room, bytes)),
            (room.clone(), bytes.clone()).prop_map(|(room, bytes)| Step::Shrink(room, bytes)),
            (room.clone(), bytes).prop_map(|(room, bytes)| Step::Keep(room, bytes)),
            room.prop_map(Step::Drop),
        ]
    }

    proptest! {
        #[test]
        fn rooms_never_take_more_than_there_is_and_give_all_of_it_back(steps in prop::collection::vec(step(), 0..200)) {
            const ALL: usize = 1000;
            let memory = Memory::new(ALL);
            let mut rooms: Vec<_> = (0..8).map(|_| memory.room()).collect();
            let mut kept = Vec::new();
            for step in steps {
                match step {
                    Step::Take(room, bytes) => drop(rooms[room].take(bytes)),
                    Step::Grow(room, bytes) => drop(rooms[room].grow(bytes)),
                    Step::Shrink(room, bytes) => rooms[room].shrink(bytes),
                    Step::Keep(room, bytes) => {
                        let room = std::mem::replace(&mut rooms[room], memory.room());
                        kept.push((bytes.min(room.0.held.load(Relaxed)), room.keep(Bytes::from_static(b"x"), bytes)));
                    }
                    Step::Drop(room) => {
                        rooms[room] = memory.room();
                        kept.pop();
                    }
                }
                let held: usize = rooms.iter().map(|room| room.0.held.load(Relaxed)).sum();
                let kept: usize = kept.iter().map(|(bytes, _)| bytes).sum();
                prop_assert_eq!(held + kept + memory.free(), ALL);
                prop_assert!(rooms.iter().all(|room| room.0.used.load(Relaxed) <= room.0.held.load(Relaxed)));
            }
            drop((rooms, kept));
            prop_assert_eq!(memory.free(), ALL);
        }
    }
}
