//! Outcomes in the order of their targets.

use std::collections::BTreeMap;
use std::io;

use crate::engine::Sink;
use crate::job::{Attempt, Outcome};

/// Passes outcomes on in the order of their targets' ids, 0, 1, 2 and so on, each with the pages that followed from it in
/// their order, and holds those that come early.
///
/// How many it may have to hold is decided by how far the frontier looks ahead.
pub struct Ordered {
    inner: Vec<Box<dyn Sink>>,
    /// The place of the outcome to pass on next: its target, and its page.
    next: (u64, u32),
    early: BTreeMap<(u64, u32), Outcome>,
}

impl Ordered {
    /// Puts what reaches each sink of `inner` in order.
    #[must_use]
    pub fn new(inner: Vec<Box<dyn Sink>>) -> Self {
        Self { inner, next: (0, 1), early: BTreeMap::new() }
    }

    fn pass(&mut self, outcome: &Outcome) -> io::Result<()> {
        let (id, page) = outcome.place();
        self.next = if outcome.goes_on() { (id, page + 1) } else { (id + 1, 1) };
        self.inner.iter_mut().try_for_each(|sink| sink.accept(outcome))
    }
}

impl Sink for Ordered {
    fn accept(&mut self, outcome: &Outcome) -> io::Result<()> {
        if outcome.place() != self.next {
            self.early.insert(outcome.place(), outcome.clone());
            return Ok(());
        }
        self.pass(outcome)?;
        while let Some(outcome) = self.early.remove(&self.next) {
            self.pass(&outcome)?;
        }
        Ok(())
    }

    fn attempt(&mut self, attempt: &Attempt) -> io::Result<()> {
        self.inner.iter_mut().try_for_each(|sink| sink.attempt(attempt))
    }

    fn idle(&mut self) -> io::Result<()> {
        self.inner.iter_mut().try_for_each(|sink| sink.idle())
    }

    fn commit(&mut self) -> io::Result<()> {
        self.inner.iter_mut().try_for_each(|sink| sink.commit())
    }

    /// A run that was stopped may end with outcomes missing: the others still come in order.
    fn finish(mut self: Box<Self>) -> io::Result<()> {
        let held = std::mem::take(&mut self.early);
        let passed = held.values().try_for_each(|outcome| self.pass(outcome));
        // One that fails is no reason to lose what the others have gathered.
        self.inner.into_iter().fold(passed, |result, sink| result.and(sink.finish()))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use proptest::prelude::*;

    use super::*;
    use crate::sink::sample;

    /// Notes the ids it was given, and whether it was finished.
    #[derive(Clone, Default)]
    struct Notes(Arc<Mutex<(Vec<u64>, bool)>>);

    impl Sink for Notes {
        fn accept(&mut self, outcome: &Outcome) -> io::Result<()> {
            self.0.lock().unwrap().0.push(outcome.target.id);
            Ok(())
        }

        fn finish(self: Box<Self>) -> io::Result<()> {
            self.0.lock().unwrap().1 = true;
            Ok(())
        }
    }

    struct Full;

    impl Sink for Full {
        fn accept(&mut self, _: &Outcome) -> io::Result<()> {
            Ok(())
        }

        fn finish(self: Box<Self>) -> io::Result<()> {
            Err(io::ErrorKind::StorageFull.into())
        }
    }

    impl Notes {
        fn ids(&self) -> Vec<u64> {
            self.0.lock().unwrap().0.clone()
        }
    }

    fn accept(ordered: &mut Ordered, ids: &[u64]) {
        for &id in ids {
            ordered.accept(&sample::outcome(id)).unwrap();
        }
    }

    #[test]
    fn an_outcome_waits_for_those_before_it_and_no_longer() {
        let notes = Notes::default();
        let mut ordered = Ordered::new(vec![Box::new(notes.clone())]);
        accept(&mut ordered, &[2, 1]);
        assert!(notes.ids().is_empty());
        accept(&mut ordered, &[0, 4]);
        assert_eq!(notes.ids(), [0, 1, 2]);
    }

    #[test]
    fn the_end_passes_on_what_waits_for_something_that_never_came() {
        let notes = Notes::default();
        let mut ordered = Ordered::new(vec![Box::new(notes.clone())]);
        accept(&mut ordered, &[5, 0, 3]);
        Box::new(ordered).finish().unwrap();
        assert_eq!(*notes.0.lock().unwrap(), (vec![0, 3, 5], true));
    }

    #[test]
    fn a_sink_that_fails_at_the_end_does_not_keep_the_next_from_ending() {
        let notes = Notes::default();
        let error = Box::new(Ordered::new(vec![Box::new(Full), Box::new(notes.clone())])).finish().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
        assert!(notes.0.lock().unwrap().1);
    }

    proptest! {
        #[test]
        fn any_order_becomes_the_order_of_the_targets(ids in Just((0..20).collect::<Vec<u64>>()).prop_shuffle()) {
            let notes = Notes::default();
            let mut ordered = Ordered::new(vec![Box::new(notes.clone())]);
            accept(&mut ordered, &ids);
            prop_assert_eq!(notes.ids(), (0..20).collect::<Vec<_>>());
            prop_assert!(ordered.early.is_empty());
        }
    }
}
