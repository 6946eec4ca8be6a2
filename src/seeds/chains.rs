//! Redirects in an archive that does not tell which answer they led to.

use std::collections::{HashMap, VecDeque};

use url::Url;

use crate::canonical::without_fragment;
use crate::exchange::Response;
use crate::job::Hop;

/// As many redirects wait for what they lead to; of more, the first ones are given up.
const MAX_WAITING: usize = 1 << 16;

/// More hops than this are given up.
const MAX_HOPS: usize = 100;

/// The redirects from a URL on.
#[derive(Debug)]
pub(super) struct Chain {
    /// The number of the record that it began with.
    pub(super) record: u64,
    /// The URLs that were asked for, the first one first.
    pub(super) hops: Vec<Hop>,
}

impl Chain {
    /// The URL that it began with; that of the answer itself where there was no redirect.
    pub(super) fn first<'a>(&'a self, last: &'a Url) -> &'a Url {
        self.hops.first().map_or(last, |hop| &hop.url)
    }
}

/// Chains that wait for the answer at their end, each with the last redirect, which is to be told if none comes.
#[derive(Debug)]
pub(super) struct Chains<T> {
    waiting: HashMap<Url, VecDeque<(u64, Chain, T)>>,
    /// Their numbers and where they lead, the oldest one first.
    ages: VecDeque<(u64, Url)>,
    count: u64,
}

/// None wait yet.
impl<T> Default for Chains<T> {
    fn default() -> Self {
        Self { waiting: HashMap::new(), ages: VecDeque::new(), count: 0 }
    }
}

impl<T> Chains<T> {
    /// The chain that led to `url`, or a new one that begins with it.
    pub(super) fn take(&mut self, url: &Url, record: u64) -> Chain {
        let waiting = self.waiting.get_mut(url).and_then(VecDeque::pop_front);
        if self.waiting.get(url).is_some_and(VecDeque::is_empty) {
            self.waiting.remove(url);
        }
        waiting.map_or_else(|| Chain { record, hops: Vec::new() }, |(_, chain, _)| chain)
    }

    /// Lets a chain, which ends with an answer at `from`, wait for what it leads to. What can wait no longer comes back.
    pub(super) fn wait(&mut self, mut chain: Chain, hop: Hop, to: Url, last: T) -> Option<(Chain, T)> {
        if chain.hops.len() >= MAX_HOPS {
            return Some((chain, last));
        }
        chain.hops.push(hop);
        self.ages.push_back((self.count, to.clone()));
        self.waiting.entry(to).or_default().push_back((self.count, chain, last));
        self.count += 1;
        if self.ages.len() > MAX_WAITING { self.give_up() } else { None }
    }

    /// The oldest chain that still waits, without its last hop.
    pub(super) fn give_up(&mut self) -> Option<(Chain, T)> {
        while let Some((number, to)) = self.ages.pop_front() {
            let Some(waiting) = self.waiting.get_mut(&to) else { continue };
            if waiting.front().is_some_and(|(oldest, ..)| *oldest == number)
                && let Some((_, mut chain, last)) = waiting.pop_front()
            {
                chain.hops.pop();
                return Some((chain, last));
            }
        }
        None
    }
}

/// Where an answer from `from` redirects to, if it does and that can be asked for.
pub(super) fn target(from: &Url, response: &Response) -> Option<Url> {
    if !matches!(response.status, 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    let location = response.headers.get("location").filter(|location| !location.is_empty())?;
    let to = without_fragment(from.join(&String::from_utf8_lossy(location.as_bytes())).ok()?);
    (matches!(to.scheme(), "http" | "https") && to != *from).then_some(to)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(path: &str) -> Url {
        Url::parse(&format!("http://a.test/{path}")).unwrap()
    }

    fn wait(chains: &mut Chains<u8>, from: &str, to: &str, last: u8) {
        let chain = chains.take(&url(from), last.into());
        assert!(chains.wait(chain, Hop { status: 302, url: url(from) }, url(to), last).is_none());
    }

    #[test]
    fn an_answer_takes_the_chain_that_waited_longest_for_it() {
        let mut chains = Chains::default();
        for (from, to, last) in [("a", "b", 1), ("x", "c", 2), ("b", "c", 3)] {
            wait(&mut chains, from, to, last);
        }
        let urls = |chain: Chain| chain.hops.into_iter().map(|hop| String::from(hop.url)).collect::<Vec<_>>();
        assert_eq!(urls(chains.take(&url("c"), 9)), ["http://a.test/x"]);
        let second = chains.take(&url("c"), 9);
        assert_eq!(second.first(&url("c")), &url("a"));
        assert_eq!((second.record, urls(second)), (1, vec!["http://a.test/a".into(), "http://a.test/b".into()]));
        assert!(chains.take(&url("c"), 9).hops.is_empty());
        assert!(chains.give_up().is_none());
    }

    #[test]
    fn what_nothing_came_for_is_given_up_in_order_without_its_last_hop() {
        let mut chains = Chains::default();
        wait(&mut chains, "a", "b", 1);
        wait(&mut chains, "b", "c", 2);
        wait(&mut chains, "x", "y", 3);
        let (chain, last) = chains.give_up().unwrap();
        assert_eq!((chain.hops.len(), last), (1, 2));
        assert_eq!(chains.give_up().unwrap().1, 3);
        assert!(chains.give_up().is_none());
    }
}
