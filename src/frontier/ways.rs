//! Ways to pages: how far each is that comes in, and what follows where a shorter way to one is found that is known.

use std::collections::VecDeque;
use std::time::Instant;

use url::Url;

use super::Queue;
use super::depths::Depths;
use super::known::Page;
use crate::job::{Found, Link, LinkKind, Outcome, Redirect, Role, Target, Trail, Trust};

impl Queue {
    /// Takes note whether more pages may be named from which ways begin.
    pub(super) fn look_for_ways(&mut self) {
        self.depths();
    }

    /// The depths of pages, where they matter.
    fn depths(&mut self) -> Option<&mut Depths> {
        let is_more_to_come = !self.progress.is_complete || !self.sitemaps.are_done() || self.sample.is_some();
        let depths = self.depths.as_mut()?;
        depths.expect(is_more_to_come);
        Some(depths)
    }

    /// What a page is known by that is on a way; none for what leads nowhere.
    fn stage(&self, trail: &Trail) -> Option<Page> {
        let is_stage = self.depths.is_some() && trail.role == Role::Page && !trail.is_checked();
        is_stage.then(|| self.known.page(trail.first_url()))
    }

    /// A page comes in.
    pub(super) fn open_way(&mut self, trail: &Trail) {
        if let (Some(page), Some(depths)) = (self.stage(trail), self.depths()) {
            depths.open(page, trail.depth());
        }
    }

    /// A page has its final outcome.
    pub(super) fn close_way(&mut self, trail: &Trail) {
        if let (Some(page), Some(depths)) = (self.stage(trail), self.depths()) {
            let (depth, _) = depths.of(page, trail.depth());
            depths.close(page, depth);
        }
    }

    /// Brings a page as near as is known by now.
    pub(super) fn shorten_way(&mut self, trail: &mut Trail) {
        let Some(page) = self.stage(trail) else { return };
        if let (Some(found), Some(depths)) = (&mut trail.found, self.depths()) {
            (found.depth, found.may_be_nearer) = depths.of(page, found.depth);
        }
    }

    /// Takes the links from a final outcome that lead beyond the depth, and keeps all as long as the page may turn out to be
    /// nearer.
    pub(super) fn take_links(&mut self, outcome: &mut Outcome, now: Instant) -> Vec<Link> {
        let mut links = std::mem::take(&mut outcome.links);
        let (Some(trail), Some(crawl)) = (&mut outcome.trail, &self.options.crawl) else { return links };
        let (most, checks, was_open) = (crawl.depth, crawl.checks, trail.may_be_nearer());
        self.shorten_way(trail);
        if trail.may_be_nearer() {
            let departure = trail.departure();
            let is_way = |link: &&Link| match link.kind {
                LinkKind::Crawled => self.may_follow(&link.url),
                kind => kind.pages().is_some(),
            };
            let ways: Vec<_> = links.iter().filter(is_way).filter_map(|link| trail.follow(link, &departure)).collect();
            self.keep_ways(&outcome.target, trail, &ways, now);
        }
        if was_open && trail.depth() >= most && trail.role == Role::Page {
            if checks {
                links
                    .iter_mut()
                    .filter(|link| link.kind == LinkKind::Crawled)
                    .for_each(|link| link.kind = LinkKind::Checked);
            } else {
                links.retain(|link| link.kind != LinkKind::Crawled);
                outcome.facts.iter_mut().for_each(|facts| facts.links_found = None);
            }
        }
        links
    }

    /// Whether a page to which a link leads may turn out to be nearer by that.
    fn may_follow(&self, url: &Url) -> bool {
        let page = self.known.page(url);
        let is_walked = self.known.has_admitted(page) && !self.known.is_checked(page);
        !is_walked || self.depths.as_ref().is_some_and(|depths| depths.may_follow(page))
    }

    fn keep_ways(&mut self, target: &Target, trail: &Trail, ways: &[Trail], now: Instant) {
        if let (Some(page), Some(depths)) = (self.stage(trail), self.depths()) {
            let kept = depths.keep((page, trail.depth()), target, ways);
            self.note(kept, now);
        }
    }

    /// A redirect leads a page to one that has no job of its own.
    pub(super) fn lead_way(&mut self, trail: &Trail, other: Page) {
        if let (Some(page), Some(depths)) = (self.stage(trail), self.depths()) {
            depths.lead(page, other);
        }
    }

    /// A redirect leads a page to one that has a job of its own.
    pub(super) fn join_way(&mut self, target: &Target, trail: &mut Trail, redirect: &Redirect, now: Instant) {
        if self.depths.is_none() {
            return;
        }
        self.shorten_way(trail);
        if trail.may_be_nearer() {
            let found = Found::new(trail.departure(), LinkKind::Crawled, trail.depth());
            let way = Trail::to_found(redirect.to.clone(), Trust::Chosen { by: redirect.by }, found);
            self.keep_ways(target, trail, &[way], now);
        }
        self.find_way(self.known.page(&redirect.to), trail.depth(), now);
    }

    /// A way to a page was found that is known. Where it is shorter than those before, so are those to the pages beyond.
    pub(super) fn find_way(&mut self, page: Page, depth: u32, now: Instant) {
        let (mut next, mut ways) = (Some((page, depth)), VecDeque::new());
        while let (Some((page, depth)), Some(depths)) = (next, self.depths()) {
            let jobs = match depths.lower(page, depth) {
                Ok(jobs) => jobs,
                Err(error) => {
                    self.note(Err(error), now);
                    return;
                }
            };
            for job in jobs {
                let further = job.trail.depth();
                // A redirect, or the next page of a list, was followed when it was found.
                if further == depth || !self.enter_beyond(&job, now) {
                    ways.push_back((self.known.page(&job.trail.url), further));
                }
            }
            next = ways.pop_front();
        }
    }
}
