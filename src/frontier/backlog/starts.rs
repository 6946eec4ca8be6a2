//! What the pages of one seed have in common.

use std::collections::HashMap;
use std::sync::Arc;

use crate::job::{Found, LinkKind, Secret, Start, Target};

/// What the pages of one seed have in common.
#[derive(Clone, Debug)]
pub(super) struct Root {
    /// What the user named, without the URL.
    pub(super) target: Target,
    pub(super) start: Arc<Start>,
    pub(super) auth: Option<Secret>,
}

/// What stands for the number of the pages that sitemaps name: each has one of its own.
const LISTED: u64 = u64::MAX;

/// A table of these, by number. One is there as long as pages of it wait.
#[derive(Debug, Default)]
pub(super) struct Starts {
    /// With the count of pages.
    slots: Vec<Option<(Root, u64)>>,
    free: Vec<u32>,
    /// The latest one of each target.
    by_target: HashMap<u64, u32>,
    carried: usize,
}

impl Starts {
    pub(super) fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// How many bytes the lines of the seeds carry along.
    pub(super) fn carried(&self) -> usize {
        self.carried
    }

    /// The number for one more page that began there.
    pub(super) fn add(&mut self, target: &Target, found: &Found, auth: Option<&Secret>) -> u32 {
        let (start, is_listed) = (&found.from.start, matches!(found.kind, LinkKind::Listed { .. }));
        let id = if is_listed { LISTED } else { target.id };
        if let Some(&number) = self.by_target.get(&id)
            && let Some(Some((root, count))) = self.slots.get_mut(number as usize)
            && (Arc::ptr_eq(&root.start, start) || root.start == *start)
        {
            *count += 1;
            return number;
        }
        let input = target.input.clone().filter(|_| !is_listed);
        let target = Target { id, given: "".into(), at: target.at.clone(), input };
        let number = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            // There are no more than seeds are read ahead.
            u32::try_from(self.slots.len() - 1).unwrap_or(u32::MAX)
        });
        self.carried += carried(&target);
        self.by_target.insert(id, number);
        let root = Root { target, start: Arc::clone(start), auth: auth.cloned() };
        self.slots[number as usize] = Some((root, 1));
        number
    }

    /// What the pages of this number have in common.
    pub(super) fn root(&self, number: u32) -> Option<&Root> {
        self.slots.get(number as usize)?.as_ref().map(|(root, _)| root)
    }

    /// What a page of this number has in common with the others; none waits any more.
    pub(super) fn take(&mut self, number: u32) -> Option<Root> {
        let slot = self.slots.get_mut(number as usize)?;
        let (root, count) = slot.as_mut()?;
        if *count > 1 {
            *count -= 1;
            return Some(root.clone());
        }
        let (root, _) = slot.take()?;
        self.free.push(number);
        self.carried -= carried(&root.target);
        if self.by_target.get(&root.target.id) == Some(&number) {
            self.by_target.remove(&root.target.id);
        }
        Some(root)
    }
}

fn carried(target: &Target) -> usize {
    target.input.as_deref().map_or(0, |input| input.get().len())
}
