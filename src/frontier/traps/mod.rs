//! Parts of a site that have no end: calendars, sessions in URLs, paths that grow, parameters in every order, names of hosts,
//! ports. Pure, and in bounded memory, but for 16 bytes for each host.
//!
//! No URL is wrong by itself, so each pattern has a budget: so many URLs of it are let in, and the others are counted. What is
//! of no suspicious pattern always passes. Every URL is to be asked for once.
//!
//! The patterns that are counted at a time are bounded, too. Where there are too many, all counts go down by one and those
//! that come to nothing are forgotten (Misra and Gries, "Finding repeated elements", 1982): a pattern that is
//! rare is then let in too often, but none too seldom, and the frequent ones are found all the same. A pattern whose budget
//! is spent is not forgotten; where there is room for nothing else, every suspicious URL is kept out, so that there is an
//! end whatever a site does with these patterns.

mod pattern;
mod places;

use std::collections::HashMap;

use url::Url;
use xxhash_rust::xxh3::xxh3_64_with_seed;

use self::pattern::Pattern;
use self::places::Places;

/// How many patterns are counted at a time.
const PATTERNS: usize = 1 << 16;

/// How many are told apart in the summary.
const TOLD: usize = 1000;

/// What makes a pattern suspicious.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// The URL names a session: the same page for each.
    Session,
    /// Segments of the path come again and again.
    Repeated,
    /// The path ends in a date, or the query has one.
    Calendar,
    /// The path is very deep.
    Deep,
    /// The query tells how a list is sorted or shown.
    Order,
    /// The query has several parameters, which may come in any order.
    Permutation,
    /// The query has many parameters.
    Facets,
    /// The host is one of those that one owner has names for.
    Hosts,
    /// The port is not that of the scheme.
    Ports,
}

impl Kind {
    /// How many URLs of a pattern are let in; how many hosts, and how many ports of one.
    #[must_use]
    pub const fn budget(self) -> u32 {
        match self {
            Self::Session | Self::Permutation => 2,
            Self::Repeated => 5,
            Self::Order | Self::Ports => 10,
            Self::Deep | Self::Facets | Self::Hosts => 1000,
            // The days of five years.
            Self::Calendar => 2000,
        }
    }

    /// What it is, for a person.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Session => "the same pages in other sessions",
            Self::Repeated => "segments that repeat",
            Self::Calendar => "a calendar",
            Self::Deep => "paths that go ever deeper",
            Self::Order => "the same lists in other orders",
            Self::Permutation => "the same parameters in other orders",
            Self::Facets => "combinations of parameters",
            Self::Hosts => "ever more hosts",
            Self::Ports => "ever more ports",
        }
    }
}

/// What was kept out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trap {
    /// What makes it one.
    pub kind: Kind,
    /// What its URLs look like: `http://a.test/calendar/*`, `*.a.test`. Empty where there were too many to tell them apart.
    pub pattern: String,
    /// How many URLs were kept out.
    pub count: u64,
}

/// Counts URLs by pattern.
#[derive(Clone, Debug)]
pub struct Traps {
    /// How many of each pattern were let in, by its hash.
    counts: HashMap<u64, u32>,
    capacity: usize,
    kept_out: HashMap<(Kind, String), u64>,
    places: Places,
}

/// The count of a pattern whose budget is spent.
const SPENT: u32 = u32::MAX;

impl Default for Traps {
    fn default() -> Self {
        Self::with_capacity(PATTERNS)
    }
}

impl Traps {
    /// Counts at most so many patterns at a time, in about 20 bytes each.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        Self { counts: HashMap::new(), capacity, kept_out: HashMap::new(), places: Places::default() }
    }

    /// Whether a URL is let in, which has not been asked for before.
    #[must_use]
    pub fn admits(&mut self, url: &Url) -> bool {
        let patterns: Vec<_> = self.patterns(url).collect();
        self.judge(url, &patterns)
    }

    /// The same of a URL that is asked for and leads no further, or that its site lists: there it is the port that counts.
    #[must_use]
    pub fn admits_port(&mut self, url: &Url) -> bool {
        url.port().is_none() || {
            let port = self.places.new_port(url);
            self.judge(url, port.as_slice())
        }
    }

    /// The user named this URL: its host, with this port, does not count.
    pub fn expect(&mut self, url: &Url) {
        self.places.add(url);
    }

    /// Counts a URL that an earlier run let in.
    pub fn count_in(&mut self, url: &Url) {
        let patterns: Vec<_> = self.patterns(url).collect();
        for pattern in &patterns {
            if !self.is_spent(hash(pattern)) {
                self.count(hash(pattern), pattern.kind.budget());
            }
        }
        self.places.add(url);
    }

    fn patterns<'a>(&'a self, url: &'a Url) -> impl Iterator<Item = Pattern> {
        pattern::of(url).chain(self.places.new_host(url)).chain(self.places.new_port(url))
    }

    fn judge(&mut self, url: &Url, patterns: &[Pattern]) -> bool {
        if let Some(spent) = patterns.iter().find(|pattern| self.is_spent(hash(pattern))) {
            self.keep_out(spent.kind, &spent.text);
            return false;
        }
        for pattern in patterns {
            self.count(hash(pattern), pattern.kind.budget());
        }
        self.places.add(url);
        true
    }

    /// What was kept out, most first.
    #[must_use]
    pub fn summary(&self) -> Vec<Trap> {
        let trap = |((kind, pattern), count): (&(Kind, String), &u64)| Trap {
            kind: *kind,
            pattern: pattern.clone(),
            count: *count,
        };
        let mut traps: Vec<_> = self.kept_out.iter().map(trap).collect();
        traps.sort_by(|a, b| (b.count, a.kind, &a.pattern).cmp(&(a.count, b.kind, &b.pattern)));
        traps
    }

    fn is_spent(&self, hash: u64) -> bool {
        match self.counts.get(&hash) {
            Some(&count) => count == SPENT,
            None => self.counts.len() == self.capacity && self.counts.values().all(|&count| count == SPENT),
        }
    }

    fn count(&mut self, hash: u64, budget: u32) {
        if !self.counts.contains_key(&hash) && self.counts.len() >= self.capacity {
            self.counts.retain(|_, count| {
                *count -= u32::from(*count != SPENT);
                *count > 0
            });
            if self.counts.len() >= self.capacity {
                return;
            }
        }
        let count = self.counts.entry(hash).or_default();
        *count = if *count + 1 >= budget { SPENT } else { *count + 1 };
    }

    fn keep_out(&mut self, kind: Kind, text: &str) {
        let mut place = (kind, text.to_owned());
        if self.kept_out.len() >= TOLD && !self.kept_out.contains_key(&place) {
            place.1.clear();
        }
        *self.kept_out.entry(place).or_default() += 1;
    }
}

fn hash(pattern: &Pattern) -> u64 {
    xxh3_64_with_seed(pattern.key.as_bytes(), pattern.kind as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn url(path: &str) -> Url {
        Url::parse(&format!("http://a.test{path}")).unwrap()
    }

    /// How many of endlessly many URLs are let in, and what is said of the others.
    fn admitted(many: u64, path: impl Fn(u64) -> String) -> (u64, Vec<Trap>) {
        let mut traps = Traps::default();
        let count = (0..many).filter(|&number| traps.admits(&url(&path(number)))).count() as u64;
        let summary = traps.summary();
        assert_eq!(count + summary.iter().map(|trap| trap.count).sum::<u64>(), many);
        (count, summary)
    }

    fn is_told(summary: &[Trap], kind: Kind, pattern: &str) -> bool {
        summary.first().is_some_and(|trap| trap.kind == kind && trap.pattern == format!("http://a.test{pattern}"))
    }

    #[test]
    fn a_calendar_ends() {
        let (count, summary) = admitted(10_000, |n| format!("/calendar/{}/{:02}", 1000 + n / 12, n % 12 + 1));
        assert_eq!(count, 2000);
        assert_eq!(summary, [Trap { kind: Kind::Calendar, pattern: "http://a.test/calendar/*".into(), count: 8000 }]);
        assert_eq!(admitted(10_000, |n| format!("/cal?date={n}")).0, 2000);
    }

    #[test]
    fn sessions_end_and_so_does_each_page_in_them() {
        let (count, summary) = admitted(3000, |n| format!("/page{}?sid={n}&x=1", n % 3));
        assert_eq!(count, 6);
        assert!(is_told(&summary, Kind::Session, "/page0?*"), "{summary:?}");
        assert_eq!(admitted(1000, |n| format!("/page;jsessionid={n}")).0, 2);
    }

    #[test]
    fn paths_that_grow_end() {
        let (count, summary) =
            admitted(5000, |n| format!("/a{}", (0..n % 50).map(|m| format!("/{n}x{m}")).collect::<Vec<_>>().concat()));
        assert_eq!(count, 1000 + 1000, "those ten deep, and a budget of those that are deeper");
        assert!(is_told(&summary, Kind::Deep, "/a/*"), "{summary:?}");
        let (count, summary) = admitted(50, |n| format!("/x{}", "/a/b".repeat(usize::try_from(n).unwrap())));
        assert_eq!(count, 3 + 5);
        assert!(is_told(&summary, Kind::Repeated, "/x/a/b/*"), "{summary:?}");
    }

    #[test]
    fn parameters_end_in_any_order_and_number() {
        let permuted = |n: u64| {
            if n == 0 { "/p?a=1&b=2".into() } else { format!("/p?b=2{}a=1", "&".repeat(usize::try_from(n).unwrap())) }
        };
        assert_eq!(admitted(100, permuted).0, 2);
        let (count, summary) =
            admitted(5000, |n| format!("/shop?colour={}&size={}&brand={}", n % 10, n / 10 % 10, n / 100));
        assert_eq!(count, 1000);
        assert!(is_told(&summary, Kind::Facets, "/shop?*"), "{summary:?}");
        assert_eq!(admitted(500, |n| format!("/list?id=7&sort={n}")).0, 10);
    }

    #[test]
    fn names_of_hosts_end_and_the_pages_of_each_do_not() {
        let mut traps = Traps::default();
        let page = |host: u64, page: u64| Url::parse(&format!("http://x.h{host}.a.test/{page}")).unwrap();
        let admitted: Vec<_> = (0..5000).filter(|&n| traps.admits(&page(n, 0))).collect();
        assert_eq!(admitted, (0..1000).collect::<Vec<_>>());
        assert_eq!(traps.summary(), [Trap { kind: Kind::Hosts, pattern: "*.a.test".into(), count: 4000 }]);
        assert!((1..5000).all(|n| traps.admits(&page(n % 1000, n))));
        for other in ["http://a.test/", "https://www.a.test/", "http://x.b.test/", "http://192.0.2.1/", "http://[::1]/"]
        {
            assert!(traps.admits(&Url::parse(other).unwrap()), "{other}");
        }
        traps.expect(&page(7000, 0));
        assert!(traps.admits(&page(7000, 1)) && !traps.admits(&page(7001, 1)));
    }

    #[test]
    fn ports_end_for_whatever_is_asked_for() {
        let page = |port: u32| Url::parse(&format!("http://a.test:{port}/")).unwrap();
        let admitted = |traps: &mut Traps, admits: fn(&mut Traps, &Url) -> bool| {
            traps.expect(&page(8080));
            (1..=65_535).map(page).filter(|url| admits(traps, url)).filter_map(|url| url.port()).collect::<Vec<_>>()
        };
        for admits in [Traps::admits, Traps::admits_port] {
            let mut traps = Traps::default();
            let ports: Vec<_> = (1..=10).chain([8080]).collect();
            assert_eq!(admitted(&mut traps, admits), ports, "and that of the scheme, which is none");
            let count = 65_535 - 10 - 2;
            assert_eq!(traps.summary(), [Trap { kind: Kind::Ports, pattern: "a.test:*".into(), count }]);
            assert!(admits(&mut traps, &page(3)), "it is known");
        }
    }

    #[test]
    fn what_is_plain_always_passes() {
        assert_eq!(admitted(20_000, |n| format!("/article/{n}")).0, 20_000);
        assert_eq!(admitted(20_000, |n| format!("/list?page={n}")).0, 20_000);
        assert_eq!(admitted(20_000, |n| format!("/2024/05/{}/title-{n}", n % 28)).0, 20_000);
        assert_eq!(admitted(20_000, |n| format!("/item?id={n}&lang=en")).0, 20_000);
    }

    #[test]
    fn a_full_table_lets_in_too_many_rather_than_too_few_and_comes_to_an_end() {
        let mut traps = Traps::with_capacity(8);
        // One URL each of many patterns pushes nothing out that is frequent.
        let rare = (0..1000).filter(|n| traps.admits(&url(&format!("/p{n}?a=1&b=2")))).count();
        assert_eq!(rare, 1000);
        let of_eight = (0..800).filter(|n| traps.admits(&url(&format!("/q{}?sid={n}", n / 100)))).count();
        assert_eq!(of_eight, 16);
        assert!(!traps.admits(&url("/new?sid=1")), "there is no room but for what is spent");
        assert!(traps.admits(&url("/plain")));
    }

    proptest! {
        #[test]
        fn memory_and_summary_are_bounded_and_nothing_plain_is_kept_out(
            paths in prop::collection::vec("(/[ab]){0,6}(/2024/0[1-9])?(\\?(sid|sort|a|b)=[0-9](&[ab]=[0-9]){0,2})?", 0..200),
            capacity in 1..20usize,
        ) {
            let mut traps = Traps::with_capacity(capacity);
            for path in &paths {
                let url = url(path);
                let is_plain = pattern::of(&url).next().is_none();
                prop_assert!(traps.admits(&url) || !is_plain);
                prop_assert!(traps.counts.len() <= capacity);
            }
        }

        #[test]
        fn a_pattern_has_at_least_its_budget(capacity in 1..50usize, many in 1..30u32) {
            let mut traps = Traps::with_capacity(capacity);
            let admitted = (0..many).filter(|n| traps.admits(&url(&format!("/list?sort={n}")))).count();
            prop_assert_eq!(admitted, usize::try_from(many.min(Kind::Order.budget())).unwrap());
        }
    }
}
