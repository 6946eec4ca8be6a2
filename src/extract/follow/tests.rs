use proptest::prelude::*;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};

use super::*;
use crate::extract::tests::{answer, field};
use crate::extract::{Ask, Extractor};
use crate::failure;
use crate::job::Written;

/// Where a page at `http://a.test/b/c` leads.
fn follow(follow: &Follow, headers: &[(&'static str, &str)], body: &str) -> Followed {
    Extractor::default().read_and_follow(&page(headers, body), follow).1
}

fn page(headers: &[(&'static str, &str)], body: &str) -> Page<'static> {
    let html = (CONTENT_TYPE, HeaderValue::from_static("text/html;charset=utf-8"));
    let mut all = HeaderMap::from_iter([html]);
    for (name, value) in headers {
        let (name, value) = (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
        if name == CONTENT_TYPE {
            all.remove(&name);
        }
        all.append(name, value);
    }
    answer("http://a.test/b/c", all, body)
}

/// The links of a page, separated by spaces, as they are followed by default.
fn links(body: &str) -> String {
    written(&follow(&Follow::default(), &[], body))
}

fn written(followed: &Followed) -> String {
    followed.links.iter().map(Url::as_str).collect::<Vec<_>>().join(" ")
}

/// The links of the elements that selectors find.
fn selected(selectors: &[&str], body: &str) -> String {
    let selectors: Vec<_> = selectors.iter().copied().map(String::from).collect();
    written(&follow(&Follow::new(&selectors, true).unwrap(), &[], body))
}

#[test]
fn the_usual_elements_carry_links() {
    for (element, link) in [
        ("<a href=d>x</a>", "http://a.test/b/d"),
        ("<map><area href=/d></map>", "http://a.test/d"),
        ("<link rel=next href=d>", "http://a.test/b/d"),
        ("<p>x<link rel='PREV x' href=d>", "http://a.test/b/d"),
        ("<link rel=canonical href=//b.test/d>", "http://b.test/d"),
        ("<link rel=alternate hreflang=de href=d>", "http://a.test/b/d"),
        ("<iframe src=d>", "http://a.test/b/d"),
        ("<frameset><frame src=d></frameset>", "http://a.test/b/d"),
        ("<frameset rows=1><frameset cols=2><frame src=d></frameset></frameset>", "http://a.test/b/d"),
        ("<meta http-equiv=Refresh content='0; url=d'>", "http://a.test/b/d"),
        ("<a href=' https://b.test:443/d '>", "https://b.test/d"),
        ("<a href='d?x=1&amp;y=2#z'>", "http://a.test/b/d?x=1&y=2"),
        ("<a href='http://u:p@b.test/'>", "http://b.test/"),
        ("<a href='?q'>", "http://a.test/b/c?q"),
    ] {
        assert_eq!(links(element), link, "{element}");
    }
}

#[test]
fn other_elements_carry_none() {
    for element in [
        "<a name=d>",
        "<a href>",
        "<a href='  '>",
        "<a href='#d'>",
        "<a href=' #'>",
        "<a href='javascript:d()'>",
        "<a href='JavaScript:d()'>",
        "<a href='mailto:d@a.test'>",
        "<a href='data:text/html,<a href=d>'>",
        "<a href='tel:123'>",
        "<iframe src=about:blank>",
        "<img src=d>",
        "<form action=d>",
        "<link rel=stylesheet href=d>",
        "<link rel='alternate stylesheet' href=d>",
        "<link rel=alternate type=application/rss+xml href=d>",
        "<link href=d>",
        "<meta http-equiv=refresh content=5>",
        "<meta name=refresh content='0; url=d'>",
        "<script>'<a href=d>'</script>",
        "<!-- <a href=d> -->",
        "<template><a href=d></template>",
        "<noscript><a href=d></noscript>",
        "<a href='http://['>",
    ] {
        let followed = follow(&Follow::default(), &[], element);
        assert_eq!((written(&followed), followed.found), (String::new(), 0), "{element}");
    }
}

#[test]
fn each_link_is_followed_once_and_in_order() {
    let followed = follow(
        &Follow::default(),
        &[],
        "<a href=2><a href=1><a href=2><a href=./1><a href='1#x'><a href='1 #x'><a href='HTTP://u@A.test/b/2'>\
         <a href=ftp://a.test/><a href=ftp://a.test/#x>",
    );
    assert_eq!(written(&followed), "http://a.test/b/2 http://a.test/b/1 http://a.test/b/1%20");
    assert_eq!(followed.found, 4, "what cannot be requested is counted");
}

#[test]
fn a_base_counts_for_elements_but_not_for_header_fields() {
    let header = [("link", "<n>; rel=next, <o>; rel=\"alternate\"; type=\"text/html\", <p>; rel=preload")];
    let followed = follow(&Follow::default(), &header, "<base href=/x/><link rel=canonical href=e><a href=d>");
    assert_eq!(written(&followed), "http://a.test/b/n http://a.test/b/o http://a.test/x/e http://a.test/x/d");
    assert_eq!(followed.canonical.unwrap().as_str(), "http://a.test/x/e");
    assert_eq!(links("<p>x<a href=d><base href=https://b.test/x/>"), "https://b.test/x/d", "wherever it stands");
    assert_eq!(written(&follow(&Follow::default(), &[("refresh", "0;url=d")], "")), "http://a.test/b/d");
}

#[test]
fn a_page_names_itself_in_its_head_or_a_header_field() {
    let canonical = |headers: &[(&'static str, &str)], body| {
        follow(&Follow::default(), headers, body).canonical.map(String::from).unwrap_or_default()
    };
    let header = [("link", "<h>; rel=canonical")];
    let two = "<link rel=canonical href='d#x'><link rel=canonical href=e>";
    assert_eq!(canonical(&header, two), "http://a.test/b/d");
    assert_eq!(canonical(&header, ""), "http://a.test/b/h");
    assert_eq!(canonical(&[("content-type", "application/pdf"), header[0]], ""), "http://a.test/b/h");
    assert_eq!(canonical(&[], "<p>x<link rel=canonical href=d>"), "", "not what users write in the body");
    assert_eq!(canonical(&[], "<link rel=canonical href=ftp://a.test/>"), "");
}

#[test]
fn a_link_may_ask_not_to_be_followed() {
    let body = "<a href=1 rel='x NoFollow'><a href=2 rel=ugc><a href=3 rel=nofollow><a href=3>\
                <link rel='next nofollow' href=4>";
    let followed = follow(&Follow::default(), &[("link", "<5>; rel=\"next nofollow\"")], body);
    assert_eq!(written(&followed), "http://a.test/b/2 http://a.test/b/3", "one that does not say so is enough");
    assert_eq!(followed.found, 5);
    let all = follow(&Follow::new(&[], false).unwrap(), &[], body);
    assert_eq!((all.links.len(), all.found), (4, 4));
}

#[test]
fn a_page_may_ask_not_to_be_followed() {
    let body = "<a href=d>";
    let forbids = |headers: &[(&'static str, &str)], head: &str| {
        let body = format!("{head}{body}");
        let told = follow(&Follow::default(), headers, &body);
        let ignored = follow(&Follow::new(&[], false).unwrap(), headers, &body);
        assert_eq!((told.found, ignored.found, ignored.links.len()), (1, 1, 1));
        told.links.is_empty()
    };
    assert!(forbids(&[], "<meta name=ROBOTS content='noindex, NOFOLLOW'>"));
    assert!(forbids(&[], "<meta name=robots content=none>"));
    assert!(forbids(&[], "<meta name=robots content=index><meta name=Scrape content=nofollow>"));
    assert!(!forbids(&[], "<meta name=robots content=noindex>"));
    assert!(!forbids(&[], "<meta name=googlebot content=nofollow>"));
    assert!(forbids(&[("x-robots-tag", "noindex"), ("x-robots-tag", "unavailable_after: x, nofollow")], ""));
    assert!(forbids(&[("x-robots-tag", "scrape: nofollow")], ""));
    assert!(!forbids(&[("x-robots-tag", "googlebot: nofollow"), ("x-robots-tag", "noindex")], ""));
    let named = Follow::default().with_robot("googlebot");
    assert_eq!(written(&follow(&named, &[("x-robots-tag", "GoogleBot: none")], body)), "");
    assert_ne!(written(&follow(&named, &[("x-robots-tag", "scrape: none")], body)), "");
}

#[test]
fn only_html_leads_anywhere() {
    let body = "<a href=d xmlns='http://www.w3.org/1999/xhtml'>";
    for (media_type, count) in [("application/xhtml+xml", 1), ("application/xml", 0), ("text/plain", 0)] {
        let headers = [("content-type", media_type), ("link", "<d>; rel=next")];
        assert_eq!(follow(&Follow::default(), &headers, body).found, count, "{media_type}");
        let selected = Follow::new(&["a".to_owned()], true).unwrap();
        assert_eq!(follow(&selected, &headers, body).found, count, "{media_type}");
    }
}

#[test]
fn selectors_say_which_elements_carry_links() {
    let body = "<base href=/x/><nav><a href=1>a</a><a href=2 rel=nofollow>b</a></nav><a href=3>c</a>\
                <div class=item data-url=4></div><img src=5><form action=6></form><template><a href=7></a></template>";
    assert_eq!(selected(&["nav a"], body), "http://a.test/x/1");
    assert_eq!(selected(&[".item@data-url"], body), "http://a.test/x/4");
    assert_eq!(
        selected(&["form, img", "a:not([rel])", ".item @href"], body),
        "http://a.test/x/1 http://a.test/x/3 http://a.test/x/5 http://a.test/x/6"
    );
    assert_eq!(selected(&["a:has(b)", "p"], "<a href=1><b>x</b></a><a href=2>y</a><p>"), "http://a.test/b/1");
    assert_eq!(selected(&["meta"], "<meta http-equiv=refresh content='1;url=d'>"), "http://a.test/b/d");
    assert_eq!(selected(&["a"], "<meta name=robots content=nofollow><a href=1>"), "");
}

#[test]
fn a_wrong_selector_is_shown_with_a_caret() {
    let error = Follow::new(&["a.next".to_owned(), "nav a..next".to_owned()], true).unwrap_err();
    assert!(error.to_string().contains("not a CSS selector\n  nav a..next\n"), "{error}");
    assert!(error.hint().unwrap().contains("img@data-src"));
    for not_css in ["//a/@href", "$.a", "a | trim", "", "a@@x"] {
        assert!(Follow::new(&[not_css.to_owned()], true).is_err(), "{not_css}");
    }
}

#[test]
fn what_is_followed_does_not_depend_on_what_else_is_asked_for() {
    let page =
        page(&[], "<head><title>t</title><meta name=description content=d></head><a href=1>x<a href=2>y</a><p>z");
    let selects = || Ask::Select("p=p".to_owned());
    for asks in [vec![], vec![field("description")], vec![field("links"), field("text")], vec![selects()]] {
        let extractor = Extractor::new(&asks).unwrap();
        let (extracted, followed) = extractor.read_and_follow(&page, &Follow::default());
        assert_eq!(written(&followed), "http://a.test/b/1 http://a.test/b/2", "{asks:?}");
        let read = extractor.read(&page);
        assert_eq!(extracted.title, read.title);
        assert_eq!(extracted.rows[0].0.len(), asks.len());
        for (one, other) in extracted.rows[0].0.iter().zip(&read.rows[0].0) {
            assert_eq!(one.to_cell(), other.to_cell(), "{asks:?}");
        }
    }
}

#[test]
fn a_page_has_so_many_links_and_no_more() {
    let many: String =
        (0..=gathering::LINKS).flat_map(|n| ["<a href=".to_owned(), n.to_string(), ">".to_owned()]).collect();
    let followed = follow(&Follow::default(), &[], &many);
    assert_eq!((followed.links.len(), followed.found), (100_000, 100_000));
    // A link may repeat a base that is as long as the page.
    let base = format!("<base href=/{}/>", "x".repeat(30_000));
    let page = page(&[], &(base + &many[..60_000]));
    let (extracted, followed) = Extractor::default().read_and_follow(&page, &Follow::default());
    assert_eq!(extracted.failure.unwrap().kind, failure::Kind::TooComplex);
    assert!(
        followed.links.len() > 1000 && followed.links.iter().map(|url| url.as_str().len()).sum::<usize>() < 65 << 20
    );
}

proptest! {
    #[test]
    fn any_bytes_lead_to_what_urls_join(body in prop::collection::vec(prop::sample::select(vec![
        "<a href=", "<base href=", "<link rel=next href=", "<iframe src=", "<frameset><frame src=", "<meta http-equiv=refresh content=0;url=",
        "'", "\"", ">", " ", "#", "/", "..", "?", "x", "é", "\0", "\t", "//b.test", "http:", "u@", "&amp;", "rel=nofollow", "</a>", "<svg>",
    ]), 0..40)) {
        let body = body.concat();
        let page = page(&[], &body);
        let (_, followed) = Extractor::default().read_and_follow(&page, &Follow::default());
        let (mut found, _) = crate::extract::reader::read(&page.text, crate::extract::parts::Parts::of(Part::Leads), &Deadline::for_text(&body));
        let base = found.head.base.take().and_then(|base| page.url.join(&base).ok()).unwrap_or_else(|| page.url.clone());
        let joined: Vec<_> = found.leads.list.iter().filter_map(|lead| requestable(base.join(&lead.href).ok()?).ok()).collect();
        for (n, link) in followed.links.iter().enumerate() {
            prop_assert!(joined.contains(link) && !followed.links[..n].contains(link), "{}", link);
        }
        prop_assert!(followed.found >= followed.links.len() as u64);
    }

    #[test]
    fn any_text_is_followed_by_tokens_and_by_tree(body in "[<>a-c\n/='\" &#é\0]{0,80}") {
        let page = page(&[], &body);
        let by_tree = Follow::new(&["*".to_owned()], true).unwrap();
        for follow in [Follow::default(), Follow::default().with_fragments(), by_tree.with_fragments()] {
            let (_, followed) = Extractor::default().read_and_follow(&page, &follow);
            prop_assert!(followed.links.len() as u64 <= followed.found);
        }
    }
}

/// What fragments say of a page: which of these names it has, and where its links to places lead.
fn fragments(body: &str) -> Fragments {
    follow(&Follow::default().with_fragments(), &[], body).fragments.unwrap()
}

fn has(body: &str, name: &str) -> bool {
    fragments(body).places.unwrap().contains(&name_of_place(name))
}

#[test]
fn a_place_is_an_element_with_an_id_or_an_anchor_with_a_name() {
    let body = "<body id=b><p id=one><a name=two id=three>x</a><svg><path id=four /></svg><p id='ü &amp; x'><p id=''>\
                <form name=five></form><template><p id=six></template><script>'<p id=seven>'</script>\
                <p id=eight id=nine></p>";
    for name in ["b", "one", "two", "three", "four", "ü & x", "eight"] {
        assert!(has(body, name), "{name}");
    }
    for name in ["One", "five", "six", "seven", "nine"] {
        assert!(!has(body, name), "{name}");
    }
    assert!(has("<frameset id=one><frame src=x id=two></frameset>", "two"));
}

#[test]
fn links_to_places_are_those_whose_fragment_names_one() {
    let body = "<base href=/d/><a href='#x'>x</a><a href=' e#y '>x</a><a href='e#y'>x</a><a href='#'>x</a><a href='#top'>x</a>\
                <a href='mailto:a#x'>x</a><a href='//b.test#z'>x</a><a rel=nofollow href='#no'>x</a><iframe src='f#g'>";
    let links = fragments(body).links.into_iter().filter_map(|link| link.to.ok());
    let links: Vec<_> = links.filter(|link| link.fragment().is_some()).map(String::from).collect();
    let all = ["http://a.test/d/#x", "http://a.test/d/e#y", "http://b.test/#z", "http://a.test/d/f#g"];
    assert_eq!(links, all);
}

#[test]
fn fragments_are_kept_only_where_that_is_asked_for_and_are_no_other_links() {
    let body = "<p id=x><a href='#x'>x</a><a href='d#x'>x</a><a href='d#y'>x</a>";
    let (without, with) =
        (follow(&Follow::default(), &[], body), follow(&Follow::default().with_fragments(), &[], body));
    assert_eq!(without.fragments, None);
    assert_eq!((without.links, without.found), (with.links, with.found));
}

#[test]
fn a_page_that_is_no_html_has_no_fragments() {
    let follow = follow(&Follow::default().with_fragments(), &[("content-type", "text/plain")], "<p id=x>");
    assert_eq!(follow.fragments, None);
}

/// What is told of links to those who check them: where they lead, or what is written, their texts and lines.
fn told(follow: Follow, body: &str) -> Vec<(String, String, Option<u64>)> {
    let links =
        self::follow(&follow.with_fragments(), &[("link", "</field>; rel=next")], body).fragments.unwrap().links;
    let tell = |link: Written| {
        let to = link.to.map_or_else(|no_url| format!("{} ({})", no_url.written, no_url.reason), String::from);
        (to.replace("http://a.test", ""), link.anchor.text.into(), link.anchor.line)
    };
    links.into_iter().map(tell).collect()
}

#[test]
fn a_link_is_told_with_its_text_and_the_line_where_its_tag_begins() {
    let body = "<!doctype html>\r\n<link rel=next href=/next>\n<a\nhref=/one>  One\n <b>and</b>\tmore</a> <A href=/two\n>Two</a>\
        <area alt=' an\n area ' href=/area>\n\n<a>none</a><iframe src=/frame></iframe><a href=/one>again</a>\
        <a href='/one#x'>a place</a><a rel=nofollow href=/last>last";
    let all = [
        ("/field", "", None),
        ("/next", "", Some(2)),
        ("/one", "One and more", Some(3)),
        ("/two", "Two", Some(5)),
        ("/area", "an area", Some(6)),
        ("/frame", "", Some(9)),
        ("/one#x", "a place", Some(9)),
    ];
    let all: Vec<_> = all.map(|(to, text, line)| (to.to_owned(), text.to_owned(), line)).into();
    assert_eq!(told(Follow::default(), body), all);
}

#[test]
fn what_a_selector_finds_is_told_with_its_text_alone() {
    let follow = Follow::new(&["div@data-url".into(), "a".into()], true).unwrap();
    let body = "<div data-url=/one>One <a href=/two>two</a></div>";
    let found = told(follow, body);
    let all = [("/one", "One two"), ("/two", "two")];
    assert_eq!(found, all.map(|(to, text)| (to.to_owned(), text.to_owned(), None)));
}

#[test]
fn of_a_long_text_the_beginning_is_told() {
    let found = told(Follow::default(), &format!("<a href=/a>{}", "é ".repeat(1000)));
    assert_eq!(found[1].1, "é ".repeat(100));
}

#[test]
fn what_is_no_url_is_told_to_those_who_check_links_unless_it_is_none_of_the_web() {
    let long = format!("http://a.test/{}", "x".repeat(70_000));
    let body = format!(
        "<a href='http://<servername>/x#y'>a</a><a href='http://exa mple/'>b</a><a href='https://'>c</a><a href='//[x'>d</a>\
         <a href='http://:80/'>e</a><a href='http://:80/'>e</a><a href='{long}'>f</a><a href='mailto:me@x y'>g</a>\
         <a href='javascript:x('>h</a><a href='tel:1'>i</a><a href='data:,x'>j</a><a href='ftp://a b/'>k</a>\
         <a href='http://a b/' rel=nofollow>l</a>"
    );
    let found: Vec<_> = told(Follow::default(), &body).into_iter().map(|(to, text, _)| (to, text)).skip(1).collect();
    let no_url = [
        ("http://<servername>/x (not a URL: invalid international domain name)", "a"),
        ("http://exa mple/ (not a URL: invalid international domain name)", "b"),
        ("https:// (not a URL: empty host)", "c"),
        ("//[x (not a URL: invalid IPv6 address)", "d"),
        ("http://:80/ (not a URL: empty host)", "e"),
    ];
    assert_eq!(found[..5], no_url.map(|(to, text)| (to.to_owned(), text.to_owned())));
    let (to, text) = &found[5];
    assert!(to.ends_with("x (it is too long, or its host is no host name)") && to.len() < 2100, "{to}");
    assert_eq!((found.len(), &**text), (6, "f"));
}
