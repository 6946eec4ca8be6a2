//! What becomes a job: seeds, and the pages that pages lead to.

use std::time::Instant;

use url::Url;

use super::Queue;
use super::known::Page;
use super::order::Order;
use super::queue::carried_by;
use super::sampling::Candidate;
use super::traps::Trap;
use crate::job::{Departure, Job, Link, LinkKind, Outcome, Rejected, Role, Seed, Target, Trail};

/// How the links of pages are followed.
#[derive(Clone, Debug)]
pub struct Crawl {
    /// How many links from a seed it goes at most, by the shortest way. The largest number is none.
    pub depth: u32,
    /// How many pages of one host come in at most; seeds always do.
    pub per_host: Option<u64>,
    /// Whether [traps](super::traps) are kept out.
    pub avoids_traps: bool,
    /// Which page of a host goes first.
    pub order: Order,
    /// Whether links are checked: each is asked for wherever it leads, though that has a job of its own.
    pub checks: bool,
}

impl Default for Crawl {
    fn default() -> Self {
        Self { depth: u32::MAX, per_host: None, avoids_traps: true, order: Order::Breadth, checks: false }
    }
}

impl Queue {
    /// Takes note that a page was done by an earlier run; whether that was news.
    pub fn skip(&mut self, url: &Url) -> bool {
        let is_new = self.known.finish(self.known.page(url));
        if is_new {
            self.count_in(url);
        }
        is_new
    }

    /// Takes note that an earlier run has asked for the URL of this fingerprint, though not as a page: of
    /// one of [64 bits](super::Width), as states have them.
    pub fn know(&mut self, fingerprint: u64) {
        self.known.pass(fingerprint.into());
    }

    /// Counts a page that an earlier run let in towards what is let in at most.
    fn count_in(&mut self, url: &Url) {
        let Some(crawl) = &self.options.crawl else { return };
        if crawl.avoids_traps {
            self.traps.count_in(url);
        }
        self.quota.count_in(url);
    }

    /// Takes a seed; a page that was admitted, or done, before is counted and dropped.
    pub fn admit(&mut self, seed: Seed, now: Instant) {
        if self.is_closed {
            return;
        }
        if seed.role == Role::Sitemap {
            return self.admit_sitemap(seed);
        }
        if self.options.crawl.as_ref().is_some_and(|crawl| crawl.avoids_traps) {
            self.traps.expect(&seed.url);
        }
        let page = self.known.page(&seed.url);
        // One that was to be checked alone is walked as well.
        if !self.known.admit(page) && !self.known.walk(page) {
            self.progress.duplicates += 1;
            self.find_way(page, 0, now);
            return;
        }
        if self.options.sitemaps && seed.stored.is_none() {
            self.ask_for_sitemaps(&seed.target, &Trail::new(seed.url.clone(), seed.auth.clone()));
        }
        if self.known.has_done(page) {
            self.progress.done_before += 1;
            // It was counted as if a link had led there.
            self.quota.count_out(&seed.url);
            return;
        }
        if self.sample.is_none() {
            return self.take_in_seed(seed, now);
        }
        if let Some(candidate) = self.sample_or(Candidate::Seed(Box::new(seed))) {
            self.take_in(candidate, now);
        }
    }

    /// Makes a job of what is visited, and gives it the next number.
    pub(super) fn take_in(&mut self, candidate: Candidate, now: Instant) {
        match candidate {
            Candidate::Seed(seed) => self.take_in_seed(*seed, now),
            Candidate::Rejected(rejected) => self.take_in_rejected(*rejected),
            Candidate::Listed(job) => {
                let target = self.number(job.target);
                self.open_way(&job.trail);
                self.progress.queued += 1;
                self.following += 1;
                self.enqueue_found(&Job { target, trail: job.trail }, now);
            }
        }
    }

    fn take_in_seed(&mut self, seed: Seed, now: Instant) {
        self.carried += carried_by(&seed.target);
        let target = self.number(seed.target);
        self.progress.queued += 1;
        if let Some(stored) = seed.stored {
            let trail = Trail::to_stored(stored);
            self.open_way(&trail);
            self.stored.push_back(Box::new(Job { target, trail }));
            return;
        }
        let trail = Trail::new(seed.url, seed.auth);
        self.open_way(&trail);
        self.enqueue(Job { target, trail }, now);
    }

    /// Takes a line that is no URL.
    pub fn reject(&mut self, rejected: Rejected) {
        if self.is_closed {
            return;
        }
        if let Some(Candidate::Rejected(rejected)) = self.sample_or(Candidate::Rejected(Box::new(rejected))) {
            self.take_in_rejected(*rejected);
        }
    }

    fn take_in_rejected(&mut self, rejected: Rejected) {
        self.carried += carried_by(&rejected.target);
        let target = self.number(rejected.target);
        self.settled.push_back(Box::new(Outcome::rejected(Rejected { target, ..rejected })));
    }

    fn number(&mut self, target: Target) -> Target {
        let id = self.numbered;
        self.numbered += 1;
        self.progress.targets += 1;
        if let Some(open) = &mut self.open {
            open.add();
        }
        Target { id, ..target }
    }

    /// Makes jobs of a final outcome's links, and notes which became one.
    pub(super) fn with_links_admitted(&mut self, mut outcome: Outcome, now: Instant) -> Outcome {
        let mut links = self.take_links(&mut outcome, now);
        if let Some(trail) = outcome.trail.as_ref().filter(|_| !links.is_empty()) {
            let departure = trail.departure();
            for link in &mut links {
                link.is_admitted = self.admit_link(link, &outcome, &departure, now);
            }
        }
        let mut listing = outcome.listing.take();
        if let (Some(listing), Some(trail)) = (&mut listing, &outcome.trail) {
            let departure = trail.departure();
            listing.admit(|link| self.admit_link(link, &outcome, &departure, now));
        }
        outcome.links = links;
        outcome.listing = listing;
        outcome
    }

    /// Takes a page that `from` leads to. False where there will be no visit: the run is closed, does not follow links, or
    /// has enough of them; its list ends here; the page was admitted or done before. What a closed crawl comes by is let in,
    /// as if it had come a moment before: whoever goes on with it has to know.
    fn admit_link(&mut self, link: &Link, from: &Outcome, departure: &Departure, now: Instant) -> bool {
        let is_of_list = link.kind.pages().is_some();
        let follows = match link.kind {
            LinkKind::Next { .. } | LinkKind::Counted { .. } => self.options.follow,
            LinkKind::Crawled | LinkKind::Checked => self.options.crawl.is_some(),
            LinkKind::Listed { .. } => self.options.crawl.is_some() && self.limit().is_none(),
            LinkKind::Sitemap { .. } => true,
        };
        let is_found = matches!(link.kind, LinkKind::Crawled | LinkKind::Checked);
        // What the last pages of a run that is stopped lead to is for the run that goes on with it.
        let trail = from.trail.as_ref().filter(|_| follows && (!self.is_closed || is_found));
        if let (Some(trail), LinkKind::Sitemap { .. }) = (trail, link.kind) {
            return self.follow_to_sitemap(link, (&from.target, trail), departure);
        }
        let Some(trail) = trail.and_then(|trail| trail.follow(link, departure)) else { return false };
        if is_of_list && !self.leaves_room() {
            return false;
        }
        if link.kind.pages().is_some_and(|pages| trail.page() > pages.get()) {
            tracing::info!(url = %link.url, pages = link.kind.pages(), "not followed: a list has no more pages");
            self.progress.cut += 1;
            return false;
        }
        let page = self.known.page(&link.url);
        let is_news = if is_of_list { self.known.admit(page) } else { self.lets_in(page, &link.url, link.kind) };
        if !is_news && link.kind != LinkKind::Checked {
            self.find_way(page, trail.depth(), now);
        }
        if !is_news || self.is_closed {
            return is_news;
        }
        let input = link.input.as_ref().or(from.target.input.as_ref()).cloned();
        let target = Target { given: link.url.as_str().into(), input, ..from.target.clone() };
        let job = Job { target, trail };
        if let LinkKind::Listed { .. } = link.kind {
            if let Some(candidate) = self.sample_or(Candidate::Listed(Box::new(job))) {
                self.take_in(candidate, now);
            }
            return true;
        }
        if is_of_list {
            self.count_found(&job.trail);
            self.carried += carried_by(&job.target);
            self.enqueue_first(job, now);
        } else {
            self.enter(&job, now);
        }
        true
    }

    /// Takes a page that is within the depth as the page before is nearer than it was. False where it is not, or it does
    /// not come in.
    pub(super) fn enter_beyond(&mut self, job: &Job, now: Instant) -> bool {
        let (url, kind) = (&job.trail.url, LinkKind::Crawled);
        let is_within = self.options.crawl.as_ref().is_some_and(|crawl| job.trail.depth() <= crawl.depth);
        let is_news = is_within && self.lets_in(self.known.page(url), url, kind);
        if is_news {
            self.enter(job, now);
        }
        is_news
    }

    /// Queues a page that a crawl came by, and that is new.
    fn enter(&mut self, job: &Job, now: Instant) {
        self.count_found(&job.trail);
        self.enqueue_found(job, now);
    }

    fn count_found(&mut self, trail: &Trail) {
        self.open_way(trail);
        self.progress.targets += 1;
        self.progress.queued += 1;
        self.following += 1;
    }

    /// Takes a page that an earlier run came by and has no outcome of. False where it was admitted or done before.
    pub fn readmit(&mut self, job: &Job, now: Instant) -> bool {
        let page = self.known.page(&job.trail.url);
        if self.is_closed || self.known.has_done(page) || !self.known.admit(page) {
            return false;
        }
        self.count_in(&job.trail.url);
        self.enter(job, now);
        true
    }

    /// Whether a page that a crawl has come by may come in.
    fn lets_in(&mut self, page: Page, url: &Url, kind: LinkKind) -> bool {
        // One that was to be checked alone is walked as well, once somebody has it within his scope.
        let is_more = kind == LinkKind::Crawled && self.known.walk(page);
        if self.known.has_admitted(page) && !is_more || self.known.has_refused(page) {
            return false;
        }
        if self.known.was_had(page) || !self.has_room_for(url, kind) {
            self.known.refuse(page);
            return false;
        }
        if kind == LinkKind::Checked {
            self.known.check(page);
        }
        self.known.admit(page) || is_more
    }

    /// Whether the limits of a crawl leave room for a page that is new.
    fn has_room_for(&mut self, url: &Url, kind: LinkKind) -> bool {
        let Some(crawl) = &self.options.crawl else { return false };
        let is_trap = match kind {
            _ if !crawl.avoids_traps => false,
            LinkKind::Crawled => !self.traps.admits(url),
            _ => !self.traps.admits_port(url),
        };
        if is_trap {
            return false;
        }
        let is_within = self.quota.admits(url);
        self.progress.beyond_host += u64::from(!is_within);
        is_within
    }

    /// Whether a page that a redirect leads to has a job of its own.
    pub(super) fn has_own_job(&mut self, url: &Url, trail: &Trail) -> bool {
        let is_crawled = trail.found.as_ref().is_some_and(|found| found.kind.pages().is_none());
        let checks = self.options.crawl.as_ref().is_some_and(|crawl| crawl.checks);
        let is_page = trail.role == Role::Page && !checks;
        // A seed always has its record. Where it leads is a page of the crawl nobody need come to again.
        if self.options.keep_duplicates || self.options.crawl.is_none() || !is_page {
            return false;
        }
        let page = self.known.page(url);
        let is_news = self.known.admit(page);
        if is_news {
            self.lead_way(trail, page);
        }
        let is_known = !is_news || self.known.has_done(page);
        is_known && is_crawled && trail.url != *url && trail.hops.iter().all(|hop| hop.url != *url)
    }

    /// The traps that were kept out, most of them first.
    #[must_use]
    pub fn trapped(&self) -> Vec<Trap> {
        self.traps.summary()
    }
}
