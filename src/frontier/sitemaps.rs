//! Sitemaps as jobs: where they come from, how many are read at once, and what comes of those that fail.
//!
//! What was decided:
//! - Those of an origin are what its robots.txt names, and where that names none, what is at the [usual places](USUAL). A
//!   `/robots.txt` that is named as a sitemap stands for them.
//! - A sitemap that a seed names and that fails is a record. One that was named by robots.txt or by another sitemap is
//!   counted and told of; at a usual place it need not be.
//! - What they name waits in the [backlog](super::backlog), like what pages link to: of millions little is in memory.
//! - Hosts take turns, few sitemaps are read at once, and none of a host for which more waits than the look-ahead: one that has
//!   millions of pages is not asked for lists of more, and holds nobody up.
//! - Once a limit is reached no more are read.
//! - One that is named through more than [`MAX_NESTING`] others is not read: an index that makes up ever new ones would
//!   have no end. sitemaps.org knows no nesting at all.

use std::collections::HashSet;
use std::net::IpAddr;
use std::time::Instant;

use url::Url;
use xxhash_rust::xxh3::xxh3_64;

use super::Queue;
use super::queue::carried_by;
use super::rotation::Rotation;
use crate::canonical::{fingerprint, host_key};
use crate::failure::Failure;
use crate::job::{Departure, End, Job, Link, LinkKind, Outcome, Role, Seed, Target, Trail, Trust, is_all_sitemaps};

/// Where sitemaps are, where nobody says where they are.
pub const USUAL: [&str; 6] =
    ["/sitemap.xml", "/sitemap_index.xml", "/sitemap-index.xml", "/sitemap.xml.gz", "/wp-sitemap.xml", "/sitemap.txt"];

/// How many sitemaps may lead to one another.
pub const MAX_NESTING: u32 = 8;

/// How many are read at once: what each names is held until it is read to its end, most often some 20 bytes a page.
const AT_ONCE: usize = 8;

/// How many of one host: its pages want to be asked for as well.
const AT_ONCE_OF_HOST: usize = 2;

/// How many come in in all: an index may name 50,000 others, each of which may do so again.
const SITEMAPS: usize = 50_000;

/// The sitemaps of a run.
#[derive(Debug, Default)]
pub(super) struct Sitemaps {
    /// The fingerprints of all that came in.
    known: HashSet<u64>,
    /// Those that have yet to be let in.
    waiting: Rotation,
    /// The hosts of those that have been let in and have no final outcome.
    open: Vec<u64>,
    /// Why some were not read.
    refused: HashSet<&'static str>,
}

impl Sitemaps {
    /// Whether none is waiting or being read.
    pub(super) fn are_done(&self) -> bool {
        self.waiting.is_empty() && self.open.is_empty()
    }

    /// Forgets those that were not let in; how many that were.
    pub(super) fn drop_waiting(&mut self) -> usize {
        std::mem::take(&mut self.waiting).len()
    }

    /// Tells of one that is not read; of the first for each reason loudly, as there may be very many.
    fn refuse(&mut self, url: &Url, why: &'static str) {
        if self.refused.insert(why) {
            tracing::warn!(%url, "sitemap not read, and maybe others: {why}");
        } else {
            tracing::debug!(%url, "sitemap not read: {why}");
        }
    }

    /// One that was let in will have no outcome.
    pub(super) fn let_go(&mut self, trail: &Trail) {
        let host = host_hash(trail.first_url());
        if trail.role == Role::Sitemap
            && let Some(place) = self.open.iter().position(|&open| open == host)
        {
            self.open.swap_remove(place);
        }
    }
}

/// What stands for the name of a host.
pub(super) fn host_hash(url: &Url) -> u64 {
    xxh3_64(host_key(url).as_bytes())
}

/// What an origin says of its sitemaps.
#[derive(Debug)]
pub(super) struct Named {
    /// Those that its robots.txt names.
    pub(super) urls: Vec<Url>,
    /// The address that it answered from; none where a proxy hides it.
    pub(super) by: Option<IpAddr>,
}

impl Queue {
    /// Takes a sitemap that the user named; one that came in before is counted and dropped.
    pub(super) fn admit_sitemap(&mut self, seed: Seed) {
        if !self.sitemaps.known.insert(fingerprint(&seed.url)) {
            self.progress.duplicates += 1;
            return;
        }
        let trail = Trail { role: Role::Sitemap, rewrite_to_get: true, ..Trail::new(seed.url, seed.auth) };
        self.queue_sitemap(Job { target: seed.target, trail });
    }

    /// Has the sitemaps of a seed's origin asked for, once.
    pub(super) fn ask_for_sitemaps(&mut self, target: &Target, seed: &Trail) {
        let mut url = seed.url.clone();
        url.set_path("/robots.txt");
        url.set_query(None);
        let of_origin = Trail::new(url.clone(), seed.auth.clone());
        let kind = LinkKind::Sitemap { is_named: false };
        let link = Link { url, trust: Trust::Typed, kind, input: None, is_admitted: false };
        self.follow_to_sitemap(&link, (target, &of_origin), &of_origin.departure());
    }

    /// Takes a sitemap that leads on from `from`; whether it is new.
    pub(super) fn follow_to_sitemap(
        &mut self,
        link: &Link,
        (target, from): (&Target, &Trail),
        departure: &Departure,
    ) -> bool {
        let Some(trail) = from.follow(link, departure) else { return false };
        if trail.page() > MAX_NESTING + 1 {
            self.sitemaps.refuse(&link.url, "too many lead to one another");
            return false;
        }
        if self.sitemaps.known.len() >= SITEMAPS {
            self.sitemaps.refuse(&link.url, "there are too many");
            return false;
        }
        // An index that names its robots.txt would have it name the index.
        if from.found.is_some() && is_all_sitemaps(&link.url) || !self.sitemaps.known.insert(fingerprint(&link.url)) {
            return false;
        }
        self.queue_sitemap(Job { target: Target { given: link.url.as_str().into(), ..target.clone() }, trail });
        true
    }

    fn queue_sitemap(&mut self, job: Job) {
        self.carried += carried_by(&job.target);
        self.progress.queued += 1;
        self.sitemaps.waiting.push(Box::new(job));
    }

    /// Lets in as many of the sitemaps that wait as may be read now.
    pub(super) fn let_sitemaps_in(&mut self, now: Instant) {
        if self.sitemaps.waiting.is_empty() {
            return;
        }
        if let Some(limit) = self.limit() {
            self.progress.limit.get_or_insert(limit);
            self.progress.queued -= self.sitemaps.drop_waiting();
        }
        while self.sitemaps.open.len() < AT_ONCE
            && let Some(job) = self.next_sitemap()
        {
            self.sitemaps.open.push(host_hash(&job.trail.url));
            self.enqueue(*job, now);
        }
    }

    /// The next one of a host that has time for it.
    fn next_sitemap(&mut self) -> Option<Box<Job>> {
        let Self { sitemaps: Sitemaps { waiting, open, .. }, lanes, options, .. } = self;
        waiting.take(|url| {
            let host = host_hash(url);
            let of_host = open.iter().filter(|&&open| open == host).count();
            of_host < AT_ONCE_OF_HOST && lanes.waiting(url) <= options.look_ahead.get()
        })
    }

    /// Puts the sitemaps of an origin in the place of the job that stands for them. Where the origin cannot tell them now,
    /// and the user asked for just them, that is an outcome.
    pub(super) fn resolve_sitemaps(&mut self, lane: u32, now: Instant) -> Option<Outcome> {
        let job = *self.lanes.take_first(lane, now)?;
        self.progress.queued -= 1;
        let named = match self.gates.sitemaps(&job.trail.url) {
            Ok(named) => named,
            Err(failure) => return Some(self.conclude_sitemap(Outcome::failed(job, failure))),
        };
        self.forget_sitemap(&job.target, &job.trail);
        let departure = job.trail.departure();
        let kind = LinkKind::Sitemap { is_named: !named.urls.is_empty() };
        let usual = USUAL.iter().filter_map(|path| job.trail.url.join(path).ok());
        let urls = if named.urls.is_empty() { usual.collect() } else { named.urls };
        for url in urls {
            let is_at_home = host_key(&url) == host_key(&job.trail.url);
            let trust = if is_at_home { job.trail.trust } else { Trust::Chosen { by: named.by } };
            let link = Link { url, trust, kind, input: None, is_admitted: false };
            self.follow_to_sitemap(&link, (&job.target, &job.trail), &departure);
        }
        None
    }

    /// Makes of the outcome of a sitemap what is told: a failure is a record only where the user named it.
    pub(super) fn conclude_sitemap(&mut self, outcome: Outcome) -> Outcome {
        let (Some(trail), Some(failure)) = (&outcome.trail, outcome.failure()) else { return outcome };
        if trail.found.is_none() {
            let target = Target { id: self.numbered, ..outcome.target };
            self.numbered += 1;
            self.progress.targets += 1;
            return Outcome { target, ..outcome };
        }
        self.complain_of_sitemap(trail, failure);
        Outcome { end: End::Listed, ..outcome }
    }

    fn complain_of_sitemap(&mut self, trail: &Trail, failure: &Failure) {
        if trail.kind() == Some(LinkKind::Sitemap { is_named: true }) {
            self.progress.sitemaps_failed += 1;
            let by = trail.referrer().map(tracing::field::display);
            tracing::warn!(url = %trail.first_url(), by, %failure, "sitemap cannot be read");
        } else {
            tracing::debug!(url = %trail.first_url(), %failure, "no sitemap");
        }
    }

    /// A sitemap that was let in is done with.
    pub(super) fn forget_sitemap(&mut self, target: &Target, trail: &Trail) {
        self.carried -= carried_by(target);
        self.sitemaps.let_go(trail);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::num::NonZeroUsize;
    use std::time::Duration;

    use proptest::prelude::*;
    use serde_json::value::RawValue;

    use super::*;
    use crate::frontier::{BacklogOptions, Crawl, Limits, Next, Obey, Options, Order, Progress};
    use crate::job::{Listing, Location};

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    fn seed(text: &str, role: Role) -> Seed {
        let target = Target { id: 0, given: text.into(), at: Location { file: None, line: 1 }, input: None };
        Seed { target, url: url(text), auth: None, stored: None, role }
    }

    fn options() -> Options {
        Options { crawl: Some(Crawl::default()), obey: Obey::Never, ..Options::default() }
    }

    /// What a site has: robots.txt, and what each sitemap names.
    #[derive(Debug, Default)]
    struct Site {
        robots: &'static str,
        sitemaps: HashMap<String, Vec<(LinkKind, String)>>,
    }

    impl Site {
        fn answer(&self, job: Job) -> Outcome {
            let end = match job.trail.role {
                Role::Robots => End::Robots { status: Some(200), body: self.robots.into(), by: None, failure: None },
                Role::Sitemap => End::Listed,
                Role::Address => End::Address(None),
                Role::Page => End::Done { rows: Vec::new(), failure: None },
            };
            let mut listing = Listing::new(Trust::Typed);
            let listed = self.sitemaps.get(job.trail.url.as_str()).filter(|_| job.trail.role == Role::Sitemap);
            for (kind, to) in listed.into_iter().flatten() {
                let input = RawValue::from_string(format!("{{\"to\":\"{to}\"}}")).unwrap();
                match *kind {
                    LinkKind::Listed { priority } => listing.push_page(&url(to), priority, Some(&input)),
                    _ => listing.push_sitemap(&url(to)),
                }
            }
            let listing = Some(Box::new(listing));
            Outcome { listing, ..Outcome::ended(job, end) }
        }
    }

    /// Visits all there is, in order; the URLs asked for, and the most that were queued at once.
    fn crawl(queue: &mut Queue, site: &Site) -> (Vec<String>, usize) {
        let (now, mut asked, mut most) = (Instant::now(), Vec::new(), 0);
        while let Ok(next) = queue.next(now) {
            if let Next::Visit(job) = next {
                asked.push(job.trail.url.to_string());
                let _ = queue.settle(site.answer(*job), now);
                most = most.max(queue.progress().queued);
            }
        }
        assert!(queue.is_finished(), "{:?}", queue.progress());
        (asked, most)
    }

    const INDEX: LinkKind = LinkKind::Sitemap { is_named: true };
    const PAGE: LinkKind = LinkKind::Listed { priority: None };

    #[test]
    fn robots_txt_names_the_sitemaps_of_an_origin_and_is_asked_once() {
        let mut queue = Queue::new(Options { sitemaps: true, ..options() });
        for page in ["http://a.test/", "http://a.test/2"] {
            queue.admit(seed(page, Role::Page), Instant::now());
        }
        queue.complete();
        let sitemaps = [("http://a.test/s.xml".to_owned(), vec![(PAGE, "http://a.test/p".to_owned())])].into();
        let site = Site { robots: "Sitemap: http://a.test/s.xml", sitemaps };
        let (mut asked, _) = crawl(&mut queue, &site);
        asked.sort_unstable();
        let expected = ["", "2", "p", "robots.txt", "s.xml"].map(|path| format!("http://a.test/{path}"));
        assert_eq!(asked, expected);
        let Progress { targets, settled, queued, .. } = queue.progress();
        assert_eq!((targets, settled, queued), (3, 3, 0), "a sitemap is no target");
    }

    #[test]
    fn where_none_is_named_the_usual_places_are_looked_at() {
        let mut queue = Queue::new(options());
        queue.admit(seed("http://a.test/robots.txt", Role::Sitemap), Instant::now());
        queue.complete();
        let (asked, _) = crawl(&mut queue, &Site::default());
        let usual = USUAL.iter().map(|path| format!("http://a.test{path}"));
        assert_eq!(asked, ["http://a.test/robots.txt".to_owned()].into_iter().chain(usual).collect::<Vec<_>>());
    }

    #[test]
    fn no_sitemap_is_read_while_too_many_pages_wait() {
        const PAGES: usize = 100;
        let look_ahead = NonZeroUsize::new(10).unwrap();
        let mut queue = Queue::new(Options { look_ahead, ..options() });
        queue.admit(seed("http://a.test/index", Role::Sitemap), Instant::now());
        queue.complete();
        let mut site = Site::default();
        let sitemap = |n| format!("http://a.test/s{n}");
        site.sitemaps.insert("http://a.test/index".into(), (0..50).map(|n| (INDEX, sitemap(n))).collect());
        for n in 0..50 {
            let pages = (0..PAGES).map(|page| (PAGE, format!("http://a.test/{n}/{page}"))).collect();
            site.sitemaps.insert(sitemap(n), pages);
        }
        let (asked, most) = crawl(&mut queue, &site);
        assert_eq!(asked.len(), 1 + 50 + 50 * PAGES);
        assert!(most <= look_ahead.get() + AT_ONCE * PAGES + 50, "{most}");
    }

    #[test]
    fn a_host_with_many_pages_holds_up_no_sitemap_of_another() {
        let look_ahead = NonZeroUsize::new(10).unwrap();
        let mut queue = Queue::new(Options { look_ahead, delay: Duration::from_mins(1), ..options() });
        let now = Instant::now();
        for sitemap in ["http://a.test/1", "http://a.test/2", "http://b.test/1", "http://b.test/2"] {
            queue.admit(seed(sitemap, Role::Sitemap), now);
        }
        queue.complete();
        let many = (0..100).map(|n| (PAGE, format!("http://a.test/page{n}"))).collect();
        let few = vec![(PAGE, "http://b.test/page".to_owned())];
        let sitemaps = [("http://a.test/1".to_owned(), many), ("http://b.test/1".to_owned(), few)].into();
        let site = Site { sitemaps, ..Site::default() };
        let mut asked = Vec::new();
        for minute in 0..4 {
            let now = now + Duration::from_secs(60 * minute);
            while let Ok(Next::Visit(job)) = queue.next(now) {
                asked.push(job.trail.url.to_string());
                let _ = queue.settle(site.answer(*job), now);
            }
        }
        asked.sort_unstable();
        let expected = ["a.test/1", "a.test/2", "a.test/page0", "a.test/page1", "b.test/1", "b.test/2", "b.test/page"];
        assert_eq!(asked, expected.map(|page| format!("http://{page}")));
    }

    #[test]
    fn once_a_limit_is_reached_no_more_sitemaps_are_read() {
        let limits = Limits { targets: Some(10), ..Limits::default() };
        let mut queue = Queue::new(Options { limits, ..options() });
        queue.admit(seed("http://a.test/index", Role::Sitemap), Instant::now());
        queue.complete();
        let sitemap = |n| format!("http://a.test/s{n}");
        let mut site = Site::default();
        site.sitemaps.insert("http://a.test/index".into(), (0..1000).map(|n| (INDEX, sitemap(n))).collect());
        for n in 0..1000 {
            site.sitemaps.insert(sitemap(n), vec![(PAGE, format!("http://a.test/page{n}"))]);
        }
        let (asked, _) = crawl(&mut queue, &site);
        assert_eq!(asked.iter().filter(|url| url.contains("page")).count(), 10);
        assert!(asked.len() < 10 + 10 + 2 * AT_ONCE, "{asked:?}");
        assert_eq!(queue.progress().limit, Some(crate::frontier::Limit::Targets));
    }

    #[test]
    fn what_is_said_of_pages_that_wait_on_disk_comes_back_and_the_first_matter_most() {
        let backlog = BacklogOptions { memory: 0, ..BacklogOptions::default() };
        let crawl = Some(Crawl { order: Order::Sitemap, ..Crawl::default() });
        let mut queue = Queue::new(Options { crawl, backlog, ..options() });
        let now = Instant::now();
        queue.admit(seed("http://a.test/s", Role::Sitemap), now);
        queue.complete();
        let priority = |n: u8| LinkKind::Listed { priority: Some(n) };
        let pages = (0..100).map(|n| (priority(n % 50), format!("http://a.test/{n}"))).collect();
        let site = Site { sitemaps: [("http://a.test/s".to_owned(), pages)].into(), ..Site::default() };
        let Ok(Next::Visit(job)) = queue.next(now) else { panic!("the sitemap is next") };
        let _ = queue.settle(site.answer(*job), now);
        let (mut ids, mut priorities) = (Vec::new(), Vec::new());
        while let Ok(Next::Visit(job)) = queue.next(now) {
            let page = job.trail.url.to_string();
            assert_eq!(job.target.input.as_deref().unwrap().get(), format!("{{\"to\":\"{page}\"}}"));
            assert_eq!(job.trail.referrer().unwrap().as_str(), "http://a.test/s");
            let Some(LinkKind::Listed { priority }) = job.trail.kind() else { panic!("{job:?}") };
            priorities.push(priority.unwrap());
            ids.push(job.target.id);
            let _ = queue.settle(site.answer(*job), now);
        }
        assert!(priorities.len() == 100 && priorities.is_sorted_by(|a, b| a >= b), "{priorities:?}");
        ids.sort_unstable();
        assert_eq!(ids, (0..100).collect::<Vec<_>>());
        assert!(queue.is_finished() && queue.carried == 0, "{:?}", queue.progress());
    }

    #[test]
    fn sitemaps_that_lead_to_ever_new_ones_end() {
        let mut queue = Queue::new(options());
        queue.admit(seed("http://a.test/s", Role::Sitemap), Instant::now());
        queue.complete();
        let deep = (0..100).map(|n| format!("http://a.test/s{}", "s".repeat(n))).collect::<Vec<_>>();
        let lead = deep.windows(2).map(|pair| (pair[0].clone(), vec![(INDEX, pair[1].clone())]));
        let site = Site { sitemaps: lead.collect(), ..Site::default() };
        assert_eq!(crawl(&mut queue, &site).0.len(), MAX_NESTING as usize + 1);
    }

    #[test]
    fn a_closed_queue_forgets_its_sitemaps() {
        let mut queue = Queue::new(options());
        let now = Instant::now();
        for n in 0..20 {
            queue.admit(seed(&format!("http://a.test/{n}.xml"), Role::Sitemap), now);
        }
        let Ok(Next::Visit(job)) = queue.next(now) else { panic!("a sitemap is next") };
        queue.close(now);
        let _ = queue.settle(Site::default().answer(*job), now);
        assert!(queue.next(now).is_err() && queue.is_finished());
    }

    #[test]
    fn a_sample_is_drawn_of_lists_and_sitemaps() {
        let draw = crate::frontier::Draw { size: NonZeroUsize::new(5).unwrap(), seed: 1 };
        let mut queue = Queue::new(Options { sample: Some(draw), ..options() });
        let now = Instant::now();
        (0..50).for_each(|n| queue.admit(seed(&format!("http://a.test/{n}"), Role::Page), now));
        queue.admit(seed("http://a.test/s", Role::Sitemap), now);
        let Ok(Next::Visit(job)) = queue.next(now) else { panic!("the sitemap is next") };
        let pages = (0..50).map(|n| (PAGE, format!("http://a.test/x{n}"))).collect();
        let site = Site { sitemaps: [("http://a.test/s".to_owned(), pages)].into(), ..Site::default() };
        let _ = queue.settle(site.answer(*job), now);
        assert!(queue.next(now).is_err() && !queue.is_finished(), "more may come");
        queue.complete();
        let (asked, _) = crawl(&mut queue, &Site::default());
        assert_eq!(asked.len(), 5);
        assert_eq!((queue.progress().targets, queue.progress().settled), (5, 5));
    }

    proptest! {
        #[test]
        fn any_sitemaps_end_and_each_page_comes_once(
            edges in prop::collection::vec((0..6_u8, any::<bool>(), 0..8_u8), 0..40),
            typed in prop::collection::vec(0..6_u8, 1..4),
        ) {
            let mut site = Site::default();
            let (sitemap, page) = (|n| format!("http://a.test/s{n}"), |n| format!("http://a.test/p{n}"));
            for (from, is_sitemap, to) in edges {
                let link = if is_sitemap { (INDEX, sitemap(to % 6)) } else { (PAGE, page(to)) };
                site.sitemaps.entry(sitemap(from)).or_default().push(link);
            }
            let mut queue = Queue::new(options());
            for n in typed {
                queue.admit(seed(&sitemap(n), Role::Sitemap), Instant::now());
            }
            queue.complete();
            let (mut asked, _) = crawl(&mut queue, &site);
            asked.retain(|url| url != "http://a.test/robots.txt");
            let count = asked.len();
            asked.sort_unstable();
            asked.dedup();
            prop_assert_eq!(asked.len(), count);
        }
    }
}
