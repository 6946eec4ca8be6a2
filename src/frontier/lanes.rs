//! The hosts that have something queued, in flight, or to be remembered: each a lane with its jobs and its pace.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::hash::{BuildHasher, BuildHasherDefault, Hasher, RandomState};
use std::io;
use std::net::IpAddr;
use std::ops::{Index, IndexMut};
use std::time::{Duration, Instant};

use url::Url;
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::backlog::{self, Backlog, Strand};
use super::order::Order;
use super::politeness::Pace;
use super::queue::is_begun;
use super::ready::Ready;
use super::sharing::Sharing;
use crate::canonical::host_key;
use crate::job::{Job, Role};

/// One host's jobs, and how it may be asked.
#[derive(Debug)]
pub(super) struct Lane {
    /// What stands for its name.
    host: u64,
    /// The host that was asked last; none where something is queued, which tells.
    name: Option<Box<str>>,
    pub(super) jobs: VecDeque<Box<Job>>,
    /// The pages that a crawl came by, by rank. They come after the jobs. Of several strands of a rank the last one grows.
    found: Vec<(u8, Strand)>,
    pub(super) pace: Pace,
    /// What its jobs wait for: the rules of an origin, but for what asks for rules; or the address of their host.
    held: Option<Role>,
    /// The earliest of its entries among the wakes.
    wakes_at: Option<Instant>,
    /// How many entries it has there.
    wakes: usize,
}

impl Lane {
    fn is_empty(&self) -> bool {
        self.jobs.is_empty() && self.found.is_empty()
    }

    /// How many jobs wait in it, and pages that were found.
    pub(super) fn waiting(&self) -> usize {
        self.jobs.len() + self.found.iter().map(|(_, strand)| strand.len()).sum::<usize>()
    }

    /// Whether nothing of it may start before what it waits for is there.
    fn is_held(&self) -> bool {
        match self.held {
            None => false,
            Some(Role::Robots) => self.jobs.front().is_none_or(|first| first.trail.role != Role::Robots),
            Some(_) => true,
        }
    }

    /// The host that is asked next, or else was asked last.
    pub(super) fn name(&self) -> Option<&str> {
        self.jobs.front().map(|job| host_key(&job.trail.url)).or(self.name.as_deref())
    }
}

/// All lanes. A lane goes when it has nothing to do and nothing to remember, so there are never more than the
/// look-ahead holds jobs and the backlog has hosts, plus the hosts asked within the delay between two starts.
#[derive(Debug)]
pub(super) struct Lanes {
    slots: Vec<Option<Lane>>,
    free: Vec<u32>,
    by_host: HashMap<u64, u32, BuildHasherDefault<Hashed>>,
    /// What the hosts' names are hashed with: drawn at random, so that nobody can choose names that share a hash.
    /// Two that do by chance, with probability 2⁻⁶⁴, share a lane.
    seed: u64,
    pub(super) ready: Ready,
    wakes: BinaryHeap<Reverse<(Instant, u32)>>,
    /// How many connections there may be to all of them.
    connections: usize,
    /// How many there may be that are kept.
    connections_kept: usize,
    /// Those that are ready, but for what the limits of the run leave room for.
    aside: Vec<u32>,
    backlog: Backlog,
    pub(super) sharing: Sharing,
}

impl Lanes {
    /// None. At most so many connections are kept.
    pub(super) fn new(connections_kept: usize, backlog: backlog::Options, sharing: Sharing) -> Self {
        Self {
            slots: Vec::new(),
            free: Vec::new(),
            by_host: HashMap::default(),
            seed: RandomState::new().hash_one(()),
            ready: Ready::default(),
            wakes: BinaryHeap::new(),
            connections: 0,
            connections_kept,
            aside: Vec::new(),
            backlog: Backlog::new(backlog),
            sharing,
        }
    }

    /// The lane of a URL, made if there is none.
    pub(super) fn of(&mut self, url: &Url, per_host: usize) -> u32 {
        let host = self.hash(self.sharing.key(url));
        if let Some(&id) = self.by_host.get(&host) {
            return id;
        }
        let (jobs, found, pace) = (VecDeque::new(), Vec::new(), Pace::new(per_host));
        let lane = Lane { host, name: None, jobs, found, pace, held: None, wakes_at: None, wakes: 0 };
        let id = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            // Lanes are bounded by the look-ahead, far below 2³².
            u32::try_from(self.slots.len() - 1).unwrap_or(u32::MAX)
        });
        self.by_host.insert(host, id);
        self.slots[id as usize] = Some(lane);
        id
    }

    /// How many jobs wait in the lane of a URL, and pages that were found.
    pub(super) fn waiting(&self, url: &Url) -> usize {
        self.by_host.get(&self.hash(self.sharing.key(url))).map_or(0, |&id| self[id].waiting())
    }

    /// Queues a job behind those that are there. A lane that has others keeps its place.
    pub(super) fn queue(&mut self, id: u32, job: Box<Job>, now: Instant) {
        let lane = &mut self[id];
        let was_empty = lane.is_empty();
        lane.jobs.push_back(job);
        if was_empty {
            self.place(id, now);
        }
    }

    /// Queues a job before all others but those that ask for rules.
    pub(super) fn queue_first(&mut self, id: u32, job: Box<Job>, now: Instant) {
        let lane = &mut self[id];
        let at = match job.trail.role {
            Role::Robots => 0,
            _ => lane.jobs.iter().take_while(|other| other.trail.role == Role::Robots).count(),
        };
        lane.jobs.insert(at, job);
        // It may go where those behind it may not: they are held, or set aside.
        if at == 0 && !self.ready.contains(id) {
            self.place(id, now);
        }
    }

    /// Queues a page that a crawl came by behind those of its host and rank; in lanes of up to so many requests at once.
    ///
    /// # Errors
    /// The file of those that memory has no room for cannot be written.
    pub(super) fn queue_found(&mut self, job: &Job, order: Order, per_host: usize, now: Instant) -> io::Result<()> {
        let (host, shared) = (self.hash(host_key(&job.trail.url)), self.hash(self.sharing.key(&job.trail.url)));
        let has_lane = self.by_host.contains_key(&shared) || self.backlog.has_room(self.by_host.len());
        self.backlog.share_among(self.by_host.len());
        if self.backlog.has_beyond(host) || !has_lane {
            return self.backlog.push_beyond(host, job);
        }
        let id = self.of(&job.trail.url, per_host);
        self.append(id, job, order, now)
    }

    /// Queues pages of hosts for which there was no lane, as long as there are some.
    ///
    /// # Errors
    /// As for [`queue_found`](Self::queue_found).
    pub(super) fn bring_others(&mut self, order: Order, per_host: usize, now: Instant) -> io::Result<()> {
        while self.backlog.is_any_beyond() && self.backlog.has_room(self.by_host.len()) {
            let seed = self.seed;
            let Some(job) = self.backlog.pop_beyond(|trail| hash(host_key(&trail.url), seed))? else { break };
            let id = self.of(&job.trail.url, per_host);
            self.append(id, &job, order, now)?;
        }
        Ok(())
    }

    fn append(&mut self, id: u32, job: &Job, order: Order, now: Instant) -> io::Result<()> {
        let rank = order.rank(&job.trail);
        let lane = self.slots[id as usize].as_mut().expect("a lane that is named exists");
        let was_empty = lane.is_empty();
        let mut end = lane.found.partition_point(|&(other, _)| other <= rank);
        if end == 0 || lane.found[end - 1].0 < rank {
            lane.found.insert(end, (rank, Strand::default()));
            end += 1;
        }
        let appended = self.backlog.push(&mut lane.found[end - 1].1, job);
        if was_empty {
            self.place(id, now);
        }
        appended
    }

    /// Makes the first page that a crawl came by a job, where a lane has no other.
    ///
    /// # Errors
    /// The file of those that memory has no room for cannot be read.
    pub(super) fn bring(&mut self, id: u32) -> io::Result<()> {
        let lane = self.slots[id as usize].as_mut().expect("a lane that is named exists");
        if !lane.jobs.is_empty() {
            return Ok(());
        }
        let Some((_, strand)) = lane.found.first_mut() else { return Ok(()) };
        let job = self.backlog.pop(strand)?;
        lane.jobs.extend(job.map(Box::new));
        if strand.is_empty() {
            lane.found.remove(0);
        }
        Ok(())
    }

    /// Has the jobs of a lane wait until it is [released](Self::release), and puts what they wait for before them.
    pub(super) fn hold(&mut self, id: u32, job: Box<Job>) {
        let lane = &mut self[id];
        lane.held = Some(Role::Robots);
        lane.jobs.push_front(job);
    }

    /// Has the jobs of a lane wait until the address of their host is [known](Self::learn).
    pub(super) fn hold_for_address(&mut self, id: u32) {
        self.ready.remove(id);
        self[id].held = Some(Role::Address);
    }

    /// Takes the address of the host of a URL, and puts the jobs that waited for it where those of that address are: each
    /// kind behind its like.
    pub(super) fn learn(&mut self, (url, address): (&Url, Option<IpAddr>), per_host: usize, now: Instant) {
        let own = self.hash(host_key(url));
        self.sharing.learn(host_key(url), address);
        let Some(&from) = self.by_host.get(&own) else { return };
        let to = self.of(url, per_host);
        let lane = &mut self[from];
        lane.held = lane.held.filter(|&role| role != Role::Address);
        if from != to {
            let (jobs, found) = (std::mem::take(&mut lane.jobs), std::mem::take(&mut lane.found));
            self.take_in(to, jobs, found, now);
        }
        self.place(from, now);
    }

    fn take_in(&mut self, id: u32, jobs: VecDeque<Box<Job>>, found: Vec<(u8, Strand)>, now: Instant) {
        let (begun, others): (Vec<_>, Vec<_>) = jobs.into_iter().partition(|job| is_begun(job));
        begun.into_iter().rev().for_each(|job| self.queue_first(id, job, now));
        let lane = &mut self[id];
        lane.jobs.extend(others);
        for (rank, strand) in found {
            let end = lane.found.partition_point(|&(other, _)| other <= rank);
            lane.found.insert(end, (rank, strand));
        }
        self.place(id, now);
    }

    /// The jobs of a lane wait no more.
    pub(super) fn release(&mut self, id: u32, now: Instant) {
        self[id].held = None;
        self.place(id, now);
    }

    /// Takes the next job of a lane without starting it.
    pub(super) fn take_first(&mut self, id: u32, now: Instant) -> Option<Box<Job>> {
        let job = self[id].jobs.pop_front();
        self.place(id, now);
        job
    }

    /// The job of a lane that is next, if there is such a lane, and it waits for no rules.
    pub(super) fn front(&self, id: u32) -> Option<&Job> {
        let lane = self.slots.get(id as usize)?.as_ref()?;
        lane.jobs.front().map(|job| &**job).filter(|_| !lane.is_held())
    }

    /// Nothing of a lane starts before `at`.
    pub(super) fn pause(&mut self, id: u32, at: Instant, now: Instant) {
        self[id].pace.pause(at);
        self.place(id, now);
    }

    /// Each of them.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Lane> {
        self.slots.iter().flatten()
    }

    /// Leaves a lane that is ready out until others are [taken back](Self::take_back).
    pub(super) fn set_aside(&mut self, id: u32) {
        self.ready.remove(id);
        self.aside.push(id);
    }

    /// Places the lanes that were set aside.
    pub(super) fn take_back(&mut self, now: Instant) {
        for id in std::mem::take(&mut self.aside) {
            if self.slots[id as usize].is_some() {
                self.place(id, now);
            }
        }
    }

    /// Puts a lane where its state says: among the ready ones, among those that wait for an instant, aside until one
    /// of its requests ends, or away.
    pub(super) fn place(&mut self, id: u32, now: Instant) {
        self.ready.remove(id);
        let lane = &self[id];
        if !lane.is_empty() {
            if lane.is_held() {
                return;
            }
            match lane.pace.ready_at(now) {
                Some(at) => self.wake_at(id, at),
                None if lane.pace.is_full() => {}
                None => self.ready.insert(id, lane.pace.in_flight()),
            }
        } else if lane.pace.in_flight() == 0 {
            match lane.pace.keep_until(now) {
                Some(at) => self.wake_at(id, at),
                None if lane.wakes > 0 => {}
                None => self.remove(id),
            }
        }
    }

    /// Starts the next job of a lane that is ready.
    pub(super) fn start(&mut self, id: u32, now: Instant, delay: Duration) -> Option<Box<Job>> {
        let lane = &mut self[id];
        let mut job = lane.jobs.pop_front()?;
        let host = host_key(&job.trail.url);
        if lane.jobs.is_empty() && lane.name.as_deref() != Some(host) {
            lane.name = Some(host.into());
        }
        let before = lane.pace.peak();
        lane.pace.start(now, delay);
        self.connections += self[id].pace.peak() - before;
        job.trail.keep_alive = self.connections <= self.connections_kept;
        self.place(id, now);
        Some(job)
    }

    /// Places the lanes whose wait is over.
    pub(super) fn wake(&mut self, now: Instant) {
        while let Some(&Reverse((at, id))) = self.wakes.peek()
            && at <= now
        {
            self.wakes.pop();
            let lane = &mut self[id];
            lane.wakes -= 1;
            lane.wakes_at = lane.wakes_at.filter(|&next| next > at);
            self.place(id, now);
        }
    }

    /// Whether a host must not be asked now.
    pub(super) fn makes_wait(&self, url: &Url, now: Instant) -> bool {
        self.by_host.get(&self.hash(self.sharing.key(url))).is_some_and(|&id| self[id].pace.ready_at(now).is_some())
    }

    /// When the next wait is over.
    pub(super) fn wakes_at(&self) -> Option<Instant> {
        self.wakes.peek().map(|&Reverse((at, _))| at)
    }

    /// Takes all that is queued, and tells how many pages that a crawl came by are dropped.
    pub(super) fn take_all(&mut self, now: Instant) -> (Vec<Job>, usize) {
        let mut jobs = Vec::new();
        for id in self.by_host.values().copied().collect::<Vec<_>>() {
            let lane = &mut self[id];
            lane.found = Vec::new();
            lane.name = lane.name().map(Into::into);
            jobs.extend(lane.jobs.drain(..).map(|job| *job));
            self.place(id, now);
        }
        (jobs, self.backlog.clear())
    }

    /// What waits beside the jobs.
    pub(super) fn backlog(&self) -> &Backlog {
        &self.backlog
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.by_host.len()
    }

    fn wake_at(&mut self, id: u32, at: Instant) {
        let lane = &mut self[id];
        if lane.wakes_at.is_none_or(|earliest| at < earliest) {
            lane.wakes_at = Some(at);
            lane.wakes += 1;
            self.wakes.push(Reverse((at, id)));
        }
    }

    fn hash(&self, host: &str) -> u64 {
        hash(host, self.seed)
    }

    fn remove(&mut self, id: u32) {
        if let Some(lane) = self.slots[id as usize].take() {
            self.connections -= lane.pace.peak();
            self.by_host.remove(&lane.host);
            self.free.push(id);
        }
    }
}

fn hash(host: &str, seed: u64) -> u64 {
    xxh3_64_with_seed(host.as_bytes(), seed)
}

/// Hashes what is a hash already.
#[derive(Default)]
struct Hashed(u64);

impl Hasher for Hashed {
    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = xxh3_64_with_seed(bytes, self.0);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// Lanes are named by what [`Lanes::of`] gave, and go only when nothing names them any more.
impl Index<u32> for Lanes {
    type Output = Lane;

    fn index(&self, id: u32) -> &Lane {
        self.slots[id as usize].as_ref().expect("a lane that is named exists")
    }
}

impl IndexMut<u32> for Lanes {
    fn index_mut(&mut self, id: u32) -> &mut Lane {
        self.slots[id as usize].as_mut().expect("a lane that is named exists")
    }
}
