//! Jobs of hosts that take turns. Pure.

use std::collections::{HashMap, VecDeque};

use url::Url;

use super::sitemaps::host_hash;
use crate::job::Job;

/// How many hosts are asked about at a time. Those that have to wait have much to do, so the others' turn comes soon.
const LOOKS: usize = 16;

/// Jobs that wait, those of a host in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct Rotation {
    /// By what stands for the host. None is empty.
    by_host: HashMap<u64, VecDeque<Box<Job>>>,
    /// Whose turn is next.
    turns: VecDeque<u64>,
    len: usize,
}

impl Rotation {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub(super) fn push(&mut self, job: Box<Job>) {
        let host = host_hash(&job.trail.url);
        let jobs = self.by_host.entry(host).or_default();
        if jobs.is_empty() {
            self.turns.push_back(host);
        }
        jobs.push_back(job);
        self.len += 1;
    }

    /// The first job of the next host that may go on.
    pub(super) fn take(&mut self, mut may_go_on: impl FnMut(&Url) -> bool) -> Option<Box<Job>> {
        for _ in 0..self.turns.len().min(LOOKS) {
            let host = self.turns.pop_front()?;
            let jobs = self.by_host.get_mut(&host)?;
            let job = if may_go_on(&jobs.front()?.trail.url) { jobs.pop_front() } else { None };
            if jobs.is_empty() {
                self.by_host.remove(&host);
            } else {
                self.turns.push_back(host);
            }
            if job.is_some() {
                self.len -= 1;
                return job;
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canonical::host_key;
    use crate::job::{Location, Target, Trail};

    fn job(url: &str) -> Box<Job> {
        let target = Target { id: 0, given: url.into(), at: Location { file: None, line: 1 }, input: None };
        Box::new(Job { target, trail: Trail::new(Url::parse(url).unwrap(), None) })
    }

    #[test]
    fn hosts_take_turns_and_those_that_must_wait_are_passed_over() {
        let mut rotation = Rotation::default();
        for url in ["http://a.test/1", "http://a.test/2", "http://b.test/1", "http://c.test/1", "http://b.test/2"] {
            rotation.push(job(url));
        }
        let mut take = |waits: &str| Some(rotation.take(|url| host_key(url) != waits)?.trail.url.to_string());
        assert_eq!(take("").as_deref(), Some("http://a.test/1"));
        assert_eq!(take("b.test").as_deref(), Some("http://c.test/1"));
        assert_eq!(take("").as_deref(), Some("http://a.test/2"));
        assert_eq!(take("b.test"), None);
        assert_eq!(take("").as_deref(), Some("http://b.test/1"));
        assert_eq!(take("").as_deref(), Some("http://b.test/2"));
        assert!(rotation.is_empty() && rotation.take(|_| true).is_none() && rotation.by_host.is_empty());
    }

    #[test]
    fn the_turn_of_each_host_comes_however_many_must_wait() {
        let mut rotation = Rotation::default();
        (0..10 * LOOKS).for_each(|n| rotation.push(job(&format!("http://waits{n}.test/"))));
        rotation.push(job("http://goes.test/"));
        let found = (0..11).find_map(|_| rotation.take(|url| host_key(url) == "goes.test"));
        assert!(found.is_some() && rotation.len() == 10 * LOOKS);
    }
}
