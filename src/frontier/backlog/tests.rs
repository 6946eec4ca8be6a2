use std::collections::VecDeque;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use proptest::prelude::*;
use url::Url;

use super::*;
use crate::job::{Departure, Found, LinkKind, Location, Secret, Start, Target, Trust};

fn url(text: &str) -> Url {
    Url::parse(text).unwrap()
}

fn root(id: u64) -> (Target, Arc<Start>) {
    let at = Location { file: Some("urls.txt".into()), line: id + 1 };
    let input = serde_json::value::to_raw_value(&id).ok().map(Arc::from);
    let seed = url(&format!("http://seed.test/{id}"));
    (Target { id, given: "".into(), at, input }, Arc::new(Start { landed: seed.clone(), seed }))
}

fn page(id: u64, to: Url, from: Url, (trust, kind, depth): (Trust, LinkKind, u32)) -> Job {
    let (target, start) = root(id);
    let from = Departure { start, page: Arc::new(from) };
    let target = Target { given: to.as_str().into(), ..target };
    let auth = (id > 1).then(|| Secret::new("user:password"));
    Job { target, trail: Trail { auth, ..Trail::to_found(to, trust, Found::new(from, kind, depth)) } }
}

fn any_url() -> impl Strategy<Value = Url> {
    prop_oneof![
        "https?://[a-c]\\.test/[a-z/]{0,12}",
        "http://a\\.test/[a-zäöß%?&=+.;:@!'()\\[\\]{}|^~`\" -]{0,30}",
        "https://(bücher|[a-z]{1,9})\\.example(:[1-9][0-9]{1,3})?/.{0,20}(\\?.{0,20})?",
        "http://(\\[::[1-9]\\]|[1-9]\\.0\\.0\\.[1-9])/é{0,3}",
    ]
    .prop_filter_map("no URL", |text| crate::canonical::requestable(Url::parse(&text).ok()?).ok())
}

fn any_trust() -> impl Strategy<Value = Trust> {
    prop_oneof![
        Just(Trust::Typed),
        Just(Trust::Chosen { by: None }),
        any::<[u8; 4]>().prop_map(|it| Trust::Chosen { by: Some(Ipv4Addr::from(it).into()) }),
        any::<[u8; 16]>().prop_map(|it| Trust::Chosen { by: Some(Ipv6Addr::from(it).into()) }),
    ]
}

fn any_kind() -> impl Strategy<Value = LinkKind> {
    prop_oneof![
        Just(LinkKind::Crawled),
        Just(LinkKind::Checked),
        Just(LinkKind::Sitemap { is_named: true }),
        any::<Option<u8>>().prop_map(|priority| LinkKind::Listed { priority }),
    ]
}

fn any_page() -> impl Strategy<Value = Job> {
    let depth = prop_oneof![0..9_u32, any::<u32>()];
    (0..4_u64, any_url(), any_url(), (any_trust(), any_kind(), depth))
        .prop_map(|(id, to, from, way)| page(id, to, from, way))
}

proptest! {
    #[test]
    fn what_comes_back_is_what_went_in_and_in_its_order(
        steps in prop::collection::vec((0..3_usize, prop::option::weighted(0.6, any_page())), 0..200),
        memory in prop_oneof![Just(0_usize), 0..4000_usize],
    ) {
        let mut backlog = Backlog::new(Options { memory, ..Options::default() });
        let mut strands: [Strand; 3] = Default::default();
        let mut model: [VecDeque<Job>; 3] = Default::default();
        backlog.share_among(3);
        let drain = (0..3).flat_map(|n| std::iter::repeat_n((n, None), 200));
        for (n, step) in steps.into_iter().chain(drain) {
            if let Some(job) = step {
                backlog.push(&mut strands[n], &job).unwrap();
                model[n].push_back(job);
            } else {
                let (job, expected) = (backlog.pop(&mut strands[n]).unwrap(), model[n].pop_front());
                prop_assert_eq!(format!("{job:?}"), format!("{expected:?}"));
                let secrets = [job, expected].map(|job| job.and_then(|job| job.trail.auth));
                prop_assert_eq!(&secrets[0], &secrets[1]);
            }
            prop_assert_eq!(backlog.memory, strands.iter().map(Strand::memory).sum::<usize>());
            prop_assert_eq!(backlog.len(), model.iter().map(VecDeque::len).sum::<usize>());
        }
        prop_assert_eq!((backlog.memory, backlog.starts(), backlog.carried()), (0, 0, 0));
    }
}

proptest! {
    #[test]
    fn where_a_page_leads_is_read_as_often_as_one_likes_until_it_is_forgotten(
        pages in prop::collection::vec(prop::collection::vec(any_page(), 0..9), 0..9),
    ) {
        let mut leads = Leads::new(&Options::default());
        // What a sitemap names is never noted: each has a target of its own.
        let is_of_page = |job: &Job| !matches!(job.trail.kind(), Some(LinkKind::Listed { .. }));
        let pages: Vec<Vec<_>> = pages.into_iter().map(|jobs| jobs.into_iter().filter(is_of_page).collect()).collect();
        let mut noted = Vec::new();
        for jobs in &pages {
            let trails: Vec<_> = jobs.iter().map(|job| job.trail.clone()).collect();
            noted.extend(jobs.first().map(|job| leads.note(&job.target, &trails).unwrap().unwrap()));
        }
        for _ in 0..2 {
            for (noted, jobs) in noted.iter().zip(pages.iter().filter(|jobs| !jobs.is_empty())) {
                let read = leads.read(noted).unwrap();
                let way = |job: &Job| format!("{:?} {:?}", job.trail.url, job.trail.found.as_ref().map(|it| (it.kind, it.depth)));
                prop_assert_eq!(read.iter().map(way).collect::<Vec<_>>(), jobs.iter().map(way).collect::<Vec<_>>());
                prop_assert_eq!(read[0].target.id, jobs[0].target.id);
                prop_assert_eq!(&read[0].trail.auth, &jobs[0].trail.auth);
            }
        }
        for noted in noted {
            leads.forget(noted);
        }
        prop_assert!(leads.is_empty() && leads.carried() == 0);
    }
}

fn crawled(n: usize) -> Job {
    let from = url("http://a.test/list");
    page(0, url(&format!("http://a.test/{n}")), from, (Trust::Typed, LinkKind::Crawled, 1))
}

#[test]
fn the_file_is_as_long_as_what_waits_and_not_as_what_ever_did() {
    let mut backlog = Backlog::new(Options { memory: 0, ..Options::default() });
    backlog.share_among(1);
    let mut strand = Strand::default();
    (0..100).for_each(|n| backlog.push(&mut strand, &crawled(n)).unwrap());
    let len = backlog.blocks.len();
    assert!(len > 0 && strand.memory() == 0);
    for n in 100..10_000 {
        assert_eq!(backlog.pop(&mut strand).unwrap().unwrap().trail.url, crawled(n - 100).trail.url);
        backlog.push(&mut strand, &crawled(n)).unwrap();
    }
    assert!(backlog.blocks.len() <= 2 * len, "{} bytes, at first {len}", backlog.blocks.len());
}

#[test]
fn what_has_room_in_memory_makes_no_file() {
    let options = Options { folder: Some("/nowhere/at/all".into()), ..Options::default() };
    let mut backlog = Backlog::new(options.clone());
    let mut strand = Strand::default();
    (0..10_000).for_each(|n| backlog.push(&mut strand, &crawled(n)).unwrap());
    assert!(strand.memory() < 32 * 10_000, "{} bytes", strand.memory());

    let mut backlog = Backlog::new(Options { memory: 0, ..options });
    backlog.share_among(1);
    let error = backlog.push(&mut Strand::default(), &crawled(1)).unwrap_err();
    let words = "cannot keep the pages to come in a file in /nowhere/at/all: No such file";
    assert!(error.to_string().starts_with(words), "{error}");
}
