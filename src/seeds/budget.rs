//! Memory for answers that wait: those that seeds bring along, and those that are to be kept.

use std::sync::{Arc, Condvar, Mutex, PoisonError};

use bytes::Bytes;

/// Bytes of answers that are there and not yet used up.
const ALL: usize = 64 << 20;

/// An account of memory. Whoever puts bytes in waits until there is room for them; it is given back when they go.
#[derive(Debug, Default)]
pub(crate) struct Budget {
    used: Mutex<usize>,
    given_back: Condvar,
}

impl Budget {
    /// Waits for room. What is larger than all the room there is gets in when nothing else is there.
    pub(crate) fn hold(self: &Arc<Self>, bytes: Vec<u8>) -> Bytes {
        let size = bytes.capacity();
        let used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        let is_full = |used: &mut usize| *used > 0 && *used + size > ALL;
        let mut used = self.given_back.wait_while(used, is_full).unwrap_or_else(PoisonError::into_inner);
        *used += size;
        Bytes::from_owner(Held { bytes, budget: Arc::clone(self) })
    }
}

/// Bytes and their room.
struct Held {
    bytes: Vec<u8>,
    budget: Arc<Budget>,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        *self.budget.used.lock().unwrap_or_else(PoisonError::into_inner) -= self.bytes.capacity();
        self.budget.given_back.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;
    use std::thread;

    #[test]
    fn what_finds_no_room_waits_until_something_goes() {
        let budget = Arc::new(Budget::default());
        let huge = budget.hold(vec![0; ALL + 1]);
        let (sender, got_in) = mpsc::channel();
        let thread = thread::spawn({
            let budget = Arc::clone(&budget);
            move || sender.send(budget.hold(vec![0; 1])).unwrap()
        });
        let part = huge.slice(..1);
        drop(huge);
        assert!(got_in.try_recv().is_err(), "a part of it still lives");
        drop(part);
        assert_eq!(got_in.recv().unwrap().len(), 1);
        thread.join().unwrap();
        assert_eq!(*budget.used.lock().unwrap(), 0);
    }
}
