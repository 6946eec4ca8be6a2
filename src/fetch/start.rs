//! The start of a body, which counts though the rest never comes.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use super::body::Taker;
use super::memory::{Refusal, Room};

/// What has come so far of a body, in the memory for bodies.
pub(super) struct Start {
    body: Arc<Mutex<Result<Vec<u8>, Refusal>>>,
    room: Room,
}

impl Start {
    /// Nothing yet.
    pub(super) fn within(room: &Room) -> Self {
        Self { body: Arc::new(Mutex::new(Ok(Vec::new()))), room: room.clone() }
    }

    /// Takes the body as it comes.
    pub(super) fn taker(&self) -> Taker {
        let (body, room) = (Arc::clone(&self.body), self.room.clone());
        Box::new(move |piece| {
            let mut body = lock(&body);
            if let Err(refusal) = room.grow(piece.len()) {
                *body = Err(refusal);
            }
            if let Ok(body) = &mut *body {
                body.extend_from_slice(piece);
            }
        })
    }

    /// What came, which keeps its room.
    ///
    /// # Errors
    /// There was no memory for it.
    pub(super) fn take(&self) -> Result<Bytes, Refusal> {
        let body = std::mem::replace(&mut *lock(&self.body), Ok(Vec::new()))?;
        let size = body.len();
        Ok(self.room.clone().keep(body.into(), size))
    }
}

fn lock(body: &Mutex<Result<Vec<u8>, Refusal>>) -> MutexGuard<'_, Result<Vec<u8>, Refusal>> {
    body.lock().unwrap_or_else(PoisonError::into_inner)
}
