//! How far pages are from their seeds, where a crawl goes so far and no further: by the shortest way, whichever was found first.
//!
//! A page gets the depth of the way by which it is found. A shorter one may be found later, where a page on it is slow, or tried
//! again; then what the page leads to is nearer, too, and may be within the depth that was beyond it. The paths are found as
//! by a label-correcting search for shortest paths (Bellman and Ford; Dijkstra's without its order, for nobody waits).
//!
//! What was decided:
//! - No way to come is shorter than that to the nearest page that is open: not asked for, or asked for and without a final
//!   outcome. So the depth of a page that is no deeper is final, and nothing is kept of it. As long as seeds or sitemaps are
//!   to come, which name pages of depth 0, that is so for these alone.
//! - Of each other page the depth is kept, in some 15 bytes, and of one that has its outcome where it leads, in a
//!   [file](super::backlog). When it turns out to be nearer, that is offered once more.
//! - A redirect makes its target as near as the page that redirects, and so does a page of a list the next one.
//! - Where more than [`MOST`] pages wait for the last word so, or their seeds carry along too much, further ones have that
//!   depth for good by which they were asked for.

use std::collections::{BTreeMap, HashMap};
use std::io;

use super::backlog::{self, Leads, Noted};
use super::known::Page;
use super::queue::CARRIED;
use super::seen::{Table, Width};
use crate::job::{Job, Target, Trail};

/// Of how many pages at most it is kept where they lead: some 100 bytes each, beside the file.
const MOST: usize = 1 << 18;

/// The depths that are not final.
#[derive(Debug)]
pub(super) struct Depths {
    of_pages: Values,
    levels: BTreeMap<u32, Level>,
    /// The pages that redirects led to without a job of their own, with those that lead there.
    aliases: HashMap<Page, Page>,
    leads: Leads,
    /// How many pages there are of which it is kept where they lead.
    walked: usize,
    /// Whether more pages of depth 0 may be named.
    is_more_to_come: bool,
}

/// The pages of one depth.
#[derive(Debug, Default)]
struct Level {
    /// How many of them are open.
    open: usize,
    /// Where those lead that are not, and may turn out to be nearer.
    walked: HashMap<Page, Walked>,
}

/// Where a page leads.
#[derive(Debug)]
struct Walked {
    /// Its depth when that was noted: theirs are by so much too large as it is nearer now.
    depth: u32,
    leads: Noted,
}

/// A depth for each of some pages.
#[derive(Debug)]
enum Values {
    Narrow(Table<7, u32>),
    Wide(Table<15, u32>),
}

impl Values {
    fn new(width: Width) -> Self {
        match width {
            Width::Bits64 => Self::Narrow(Table::default()),
            Width::Bits128 => Self::Wide(Table::default()),
        }
    }

    fn of(&self, page: Page) -> Option<u32> {
        match (self, page.narrow(), page.wide()) {
            (Self::Narrow(table), (shard, key), _) => table.value(shard, key),
            (Self::Wide(table), _, (shard, key)) => table.value(shard, key),
        }
    }

    /// Sets a depth. Those below the lowest one of an open page may be forgotten.
    fn set(&mut self, page: Page, depth: u32, lowest: u32) {
        let matters = |depth| depth >= lowest;
        match (self, page.narrow(), page.wide()) {
            (Self::Narrow(table), (shard, key), _) => table.insert(shard, key, depth, matters),
            (Self::Wide(table), _, (shard, key)) => table.insert(shard, key, depth, matters),
        };
    }
}

impl Depths {
    pub(super) fn new(width: Width, backlog: &backlog::Options) -> Self {
        Self {
            of_pages: Values::new(width),
            levels: BTreeMap::new(),
            aliases: HashMap::new(),
            leads: Leads::new(backlog),
            walked: 0,
            is_more_to_come: true,
        }
    }

    /// Takes note whether more pages of depth 0 may be named.
    pub(super) fn expect(&mut self, is_more_to_come: bool) {
        if std::mem::replace(&mut self.is_more_to_come, is_more_to_come) && !is_more_to_come {
            self.forget_final(self.lowest());
        }
    }

    /// The lowest depth of a page that is open, or is to come: this one and those below it are final.
    fn lowest(&self) -> u32 {
        let is_open = |(_, level): &(&u32, &Level)| level.open > 0;
        if self.is_more_to_come { 0 } else { self.levels.iter().find(is_open).map_or(u32::MAX, |(&depth, _)| depth) }
    }

    /// A page comes in.
    pub(super) fn open(&mut self, page: Page, depth: u32) {
        self.levels.entry(depth).or_default().open += 1;
        let lowest = self.lowest();
        if depth > lowest {
            self.of_pages.set(page, depth, lowest);
        }
    }

    /// The depth of a page that is open and came in at that one; and whether it may turn out to be nearer, and what it leads to
    /// then can be kept.
    pub(super) fn of(&self, page: Page, depth: u32) -> (u32, bool) {
        let depth = self.of_pages.of(page).map_or(depth, |nearest| nearest.min(depth));
        let is_full = self.walked >= MOST || self.leads.carried() >= CARRIED;
        (depth, depth > self.lowest() && !is_full)
    }

    /// A redirect of `page` leads to `other`, which has no job of its own.
    pub(super) fn lead(&mut self, page: Page, other: Page) {
        let lowest = self.lowest();
        let is_open = |page| self.of_pages.of(page).is_some_and(|depth| depth > lowest);
        if is_open(page) {
            if self.aliases.len() == self.aliases.capacity() {
                self.aliases.retain(|_, page| is_open(*page));
            }
            self.aliases.insert(other, page);
        }
    }

    /// Whether a page that came in may turn out to be nearer by a link of one that is deeper than the lowest.
    pub(super) fn may_follow(&self, page: Page) -> bool {
        let page = self.aliases.get(&page).copied().unwrap_or(page);
        self.of_pages.of(page).is_some_and(|depth| depth > self.lowest() + 1)
    }

    /// Keeps where a page of this depth leads that is open, and about to end.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(super) fn keep(&mut self, (page, depth): (Page, u32), target: &Target, leads: &[Trail]) -> io::Result<()> {
        if let Some(leads) = self.leads.note(target, leads)? {
            self.levels.entry(depth).or_default().walked.insert(page, Walked { depth, leads });
            self.walked += 1;
        }
        Ok(())
    }

    /// A page of this depth is not open any more.
    pub(super) fn close(&mut self, page: Page, depth: u32) {
        let Some(level) = self.levels.get_mut(&depth) else { return };
        level.open = level.open.saturating_sub(1);
        let is_kept = level.walked.contains_key(&page);
        let lowest = self.lowest();
        if depth > lowest && !is_kept {
            // Nothing would come of it if it were nearer: it is as good as final.
            self.of_pages.set(page, 0, lowest);
        }
        self.forget_final(lowest);
    }

    fn forget_final(&mut self, lowest: u32) {
        while let Some(mut level) = self.levels.first_entry().filter(|level| *level.key() <= lowest) {
            let walked = std::mem::take(&mut level.get_mut().walked);
            let is_open = level.get().open > 0;
            if !is_open {
                level.remove();
            }
            self.walked -= walked.len();
            for Walked { leads, .. } in walked.into_values() {
                self.leads.forget(leads);
            }
            if is_open {
                return;
            }
        }
    }

    /// A way to a page was found. Where it is shorter than those before, and the page is not open any more, the pages that
    /// it leads to come back, with the depths that they have by that way.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(super) fn lower(&mut self, page: Page, depth: u32) -> io::Result<Vec<Job>> {
        let page = self.aliases.get(&page).copied().unwrap_or(page);
        let Some(before) = self.of_pages.of(page).filter(|&before| before > depth) else { return Ok(Vec::new()) };
        let Some(level) = self.levels.get_mut(&before) else { return Ok(Vec::new()) };
        let walked = level.walked.remove(&page);
        let lowest = self.lowest();
        self.of_pages.set(page, depth, lowest);
        let Some(walked) = walked else {
            self.move_open(before, depth);
            return Ok(Vec::new());
        };
        let mut jobs = self.leads.read(&walked.leads)?;
        for found in jobs.iter_mut().filter_map(|job| job.trail.found.as_mut()) {
            found.depth -= walked.depth - depth;
        }
        if depth > lowest {
            self.levels.entry(depth).or_default().walked.insert(page, walked);
        } else {
            self.walked -= 1;
            self.leads.forget(walked.leads);
        }
        Ok(jobs)
    }

    fn move_open(&mut self, from: u32, to: u32) {
        if let Some(level) = self.levels.get_mut(&from) {
            level.open = level.open.saturating_sub(1);
        }
        self.levels.entry(to).or_default().open += 1;
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.levels.is_empty() && self.walked == 0 && self.leads.is_empty()
    }
}
