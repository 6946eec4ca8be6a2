use super::*;
use proptest::prelude::*;

fn rules(body: impl AsRef<[u8]>) -> Rules {
    Rules::parse(body.as_ref(), "FooBot")
}

fn allows(body: impl AsRef<[u8]>, path: &str) -> bool {
    rules(body).allows(&Url::parse("http://a.test/").unwrap().join(path).unwrap())
}

#[test]
fn the_groups_of_a_name_are_one() {
    let body =
        "user-agent: FooBot\ndisallow: /a\n\nuser-agent: Other\ndisallow: /\n\nuser-agent: foobot/2.1\ndisallow: /b";
    assert!(!allows(body, "/a") && !allows(body, "/b") && allows(body, "/c"));
}

#[test]
fn a_group_may_have_many_names_whatever_stands_between_them() {
    let body = "user-agent: FooBot\n\nsitemap: http://a.test/s\nHarry: Potter\nuser-agent: Other\ndisallow: /";
    assert!(!allows(body, "/"));
    let body = "user-agent: FooBot\ndisallow: /a\nuser-agent: Other\ndisallow: /";
    assert!(allows(body, "/b"));
}

#[test]
fn the_group_for_all_does_not_count_where_ours_is_there() {
    assert!(allows("user-agent: *\ndisallow: /\nuser-agent: FooBot\n", "/a"));
    assert!(allows("user-agent: FooBot\nallow: /\nuser-agent: *\ndisallow: /", "/a"));
    assert!(!allows("user-agent: *\ndisallow: /\nuser-agent: Other\nallow: /", "/a"));
}

#[test]
fn a_name_is_ours_as_a_whole() {
    for (name, is_ours) in [
        ("FooBot", true),
        ("FOOBOT", true),
        ("FooBot/2.1", true),
        ("FooBot something", true),
        ("Foo", false),
        ("FooBotImages", false),
        ("Foo*", false),
        ("", false),
    ] {
        assert_eq!(allows(format!("user-agent: {name}\ndisallow: /"), "/a"), !is_ours, "{name}");
    }
}

#[test]
fn what_stands_before_any_group_is_for_nobody() {
    assert!(allows("disallow: /\ncrawl-delay: 9\nuser-agent: Other\ndisallow: /", "/a"));
}

#[test]
fn the_longest_match_wins_and_of_equals_the_one_that_allows() {
    let body = "user-agent: *\ndisallow: /x\nallow: /x/y\ndisallow: /x/y/z\nallow: /same\ndisallow: /same";
    for (path, expected) in [("/x", false), ("/x/y", true), ("/x/y/z", false), ("/same", true), ("/", true)] {
        assert_eq!(allows(body, path), expected, "{path}");
    }
}

#[test]
fn an_empty_rule_forbids_nothing() {
    assert!(allows("user-agent: *\ndisallow:", "/a"));
    assert!(allows("user-agent: *\ndisallow: # everything\n", "/a"));
}

#[test]
fn the_file_itself_is_always_allowed() {
    assert!(allows("user-agent: *\ndisallow: /", "/robots.txt"));
    assert!(!allows("user-agent: *\ndisallow: /", "/robots.txt/x"));
}

#[test]
fn marks_encodings_and_line_ends_are_understood() {
    let text = "User-agent: *\rDisallow: /caf\u{e9}\r\nDisallow: /b\n";
    let utf16 = |mark: &[u8], bytes: fn(u16) -> [u8; 2]| {
        [mark, &text.encode_utf16().flat_map(bytes).collect::<Vec<_>>()].concat()
    };
    let latin: Vec<u8> = text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
    let bodies = [
        text.as_bytes().to_vec(),
        ["\u{feff}", text].concat().into_bytes(),
        utf16(b"\xff\xfe", u16::to_le_bytes),
        utf16(b"\xfe\xff", u16::to_be_bytes),
        latin,
    ];
    for body in bodies {
        assert!(!allows(&body, "/café") && !allows(&body, "/b") && allows(&body, "/c"), "{body:?}");
    }
}

#[test]
fn five_hundred_kibibytes_count_in_whole_lines() {
    let body = |room: usize, end: &str| format!("user-agent: *\n{}\n{end}", "#".repeat(room - 15 - end.len()));
    assert!(!allows(body(MAX_LENGTH, "disallow: /a"), "/a"));
    assert!(!allows(body(MAX_LENGTH, "disallow: /a") + "\n", "/a"), "the line is whole");
    assert!(allows(body(MAX_LENGTH, "disallow: /a") + "b\n", "/ab"), "half a line");
    assert!(allows(body(MAX_LENGTH + 20, "\ndisallow: /a"), "/a"), "beyond");
    assert!(allows("x".repeat(MAX_LENGTH * 2), "/a"));
}

#[test]
fn a_delay_is_that_of_its_group_and_bounded() {
    let delay = |body: &str| rules(body).crawl_delay();
    let seconds = |seconds| Some(Duration::from_secs_f64(seconds));
    assert_eq!(delay("user-agent: *\ncrawl-delay: 2.5"), seconds(2.5));
    assert_eq!(delay("user-agent: *\ncrawl-delay: 10s"), seconds(10.0));
    assert_eq!(delay("user-agent: *\ncrawl-delay: 31"), seconds(30.0));
    assert_eq!(delay(&format!("user-agent: *\ncrawl-delay: {}", "9".repeat(500))), seconds(30.0));
    assert_eq!(delay("user-agent: *\ncrawl-delay: 1\ncrawl-delay: 3\ncrawl-delay: 2"), seconds(3.0));
    assert_eq!(delay("user-agent: FooBot\nuser-agent: *\ncrawl-delay: 1"), seconds(1.0));
    assert_eq!(delay("user-agent: *\ncrawl-delay: 1\nuser-agent: FooBot\ndisallow:"), None);
    assert_eq!(delay("user-agent: Other\ncrawl-delay: 1\nuser-agent: *\ndisallow: /x"), None);
    for wrong in ["", "-1", "soon", "1.2.3", ".", "inf", "NaN"] {
        assert_eq!(delay(&format!("user-agent: *\ncrawl-delay: {wrong}")), None, "{wrong}");
    }
}

#[test]
fn sitemaps_belong_to_no_group_and_are_resolved() {
    let at = Url::parse("https://a.test/robots.txt").unwrap();
    let body =
        "Sitemap: /s.xml\nuser-agent: Other\nsitemap:http://b.test/s.xml.gz\nSITEMAP: ftp://a.test/s\nsitemap: http://";
    let found: Vec<_> = rules(body).sitemaps(&at).map(String::from).collect();
    assert_eq!(found, ["https://a.test/s.xml", "http://b.test/s.xml.gz"]);
}

#[test]
fn a_crawler_is_named_by_its_first_product() {
    for (agent, expected) in [
        ("scrape/0.1.0", "scrape"),
        ("FooBot", "FooBot"),
        ("My-Bot/1.0 (+https://a.test)", "My-Bot"),
        ("Mozilla/5.0 (compatible; FooBot/2.1; +http://a.test)", "FooBot"),
        ("Mozilla/5.0 (compatible; FooBot)", "FooBot"),
        ("Mozilla/5.0 (X11; Linux x86_64)", "Mozilla"),
        ("", ""),
    ] {
        assert_eq!(product_token(agent), expected, "{agent}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_a_file(body in prop::collection::vec(any::<u8>(), 0..300), path in "/\\PC{0,20}") {
        let rules = rules(&body);
        let url = Url::parse("http://a.test/").unwrap().join(&path);
        let _ = url.map(|url| rules.allows(&url));
        prop_assert!(rules.crawl_delay().is_none_or(|delay| delay <= MAX_DELAY));
    }

    #[test]
    fn lines_that_are_not_known_change_nothing(
        lines in prop::collection::vec("(user-agent: (FooBot|Other|\\*)|(dis)?allow: /[ab]{0,2}|crawl-delay: [1-9])", 0..12),
        at in any::<prop::sample::Index>(),
        noise in "(x-[a-z]{1,5}: [a-z/]{0,9}|#.{0,9}|<p>)",
    ) {
        let mut noisy = lines.clone();
        noisy.insert(at.index(lines.len() + 1), noise);
        let (plain, noisy) = (rules(lines.join("\n")), rules(noisy.join("\r\n")));
        prop_assert_eq!(plain.crawl_delay(), noisy.crawl_delay());
        for path in ["a", "b", "ab", "ba", ""] {
            let url = Url::parse("http://a.test/").unwrap().join(path).unwrap();
            prop_assert_eq!(plain.allows(&url), noisy.allows(&url));
        }
    }
}
