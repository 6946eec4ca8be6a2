use std::time::Duration;

use proptest::prelude::*;
use scraper::{Html, Selector};

use super::*;
use crate::failure::Kind;
use crate::sink::sample::{hostile_text, names, page_at, rejected, with_failure, with_rows, with_title};
use crate::sink::{Format, Options};
use crate::value::Value;

/// What is found in a page: the text of each element.
fn texts(page: &Html, selector: &str) -> Vec<String> {
    let words = |text: String| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let elements = Selector::parse(selector).unwrap();
    page.select(&elements).map(|element| words(element.text().collect::<Vec<_>>().join(" "))).collect()
}

fn survey(outcomes: &[Outcome], fields: &[&str]) -> Survey {
    let mut survey = Survey::default();
    for outcome in outcomes {
        survey.add(outcome, &names(fields));
    }
    survey
}

fn report(outcomes: &[Outcome]) -> Html {
    Html::parse_document(&survey(outcomes, &[]).to_html().unwrap())
}

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// A page whose title is `text`, and one whose failure, field, value and URL are.
fn hostile(text: &str) -> [Outcome; 3] {
    let title = with_title(page_at("http://a.test/1", 200, 10, millis(12)), text);
    let url = rejected(text, text);
    let mut failed = with_failure(page_at("http://a.test/2", 404, 10, millis(12)), Kind::Status, text);
    failed.target.given = format!("http://a.test/{text}").into();
    [title, url, failed]
}

/// Asserts that a page has our script and style and no others, no handlers, and links of the web alone.
#[track_caller]
fn assert_harmless(page: &Html) {
    assert_eq!(texts(page, "script").len(), 1);
    assert_eq!(texts(page, "style").len(), 1);
    let active = "img, iframe, object, embed, form, base, link, svg a, [style], [src], [srcdoc], [formaction]";
    assert_eq!(page.select(&Selector::parse(active).unwrap()).count(), 0);
    for element in page.select(&Selector::parse("*").unwrap()) {
        for (name, value) in element.value().attrs() {
            assert!(!name.starts_with("on"), "{name}={value}");
            assert!(name != "href" || value.starts_with("http://") || value.starts_with("https://"), "{value}");
        }
    }
}

#[test]
fn what_pages_say_is_text() {
    for text in [
        "<script>alert(1)</script>",
        "</title></style></script><img src=x onerror=alert(1)>",
        "\" onmouseover=\"alert(1)\" x=\"",
        "' autofocus onfocus='alert(1)",
        "javascript:alert(1)",
        "<!-- </table> ]]> {{ view }} {% raw %}",
    ] {
        let outcomes = hostile(text);
        let page = Html::parse_document(&survey(&outcomes, &[text]).to_html().unwrap());
        assert_harmless(&page);
        assert_eq!(texts(&page, "#all .title"), [text], "it is shown as it is");
        let urls = texts(&page, "#all .url");
        assert_eq!((urls.len(), &*urls[1]), (3, text));
        assert_eq!(texts(&page, "#all .url a").len(), 2);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(30))]
    #[test]
    fn nothing_that_acts_gets_into_a_report(text in hostile_text()) {
        let html = survey(&hostile(&text), &[&text]).to_html().unwrap();
        prop_assert!(!html.chars().any(|c| c != '\n' && crate::sink::neutral::is_active(c)));
        assert_harmless(&Html::parse_document(&html));
    }
}

#[test]
fn only_our_script_and_our_style_are_let_through() {
    let html = survey(&[], &[]).to_html().unwrap();
    let between = |start: &str, end: &str| html.split_once(start).unwrap().1.split_once(end).unwrap().0.to_owned();
    let policy = between("Content-Security-Policy\" content=\"", "\">");
    assert!(policy.starts_with("default-src 'none'; ") && !policy.contains("unsafe"), "{policy}");
    for (kind, text) in [("script", between("<script>", "</script>")), ("style", between("<style>", "</style>"))] {
        let hash = base64::Engine::encode(
            &base64::prelude::BASE64_STANDARD,
            ring::digest::digest(&ring::digest::SHA256, text.as_bytes()),
        );
        assert!(policy.contains(&format!("{kind}-src 'sha256-{hash}'")), "{kind}: {policy}");
    }
}

#[test]
fn of_many_pages_there_is_a_sample_and_the_report_says_so() {
    let pages = |count: u64| (0..count).map(|n| page_at(&format!("http://a.test/{n}"), 200, 10, millis(n % 50 + 1)));
    let all = report(&pages(5000).collect::<Vec<_>>());
    assert_eq!((texts(&all, "#all tbody tr").len(), texts(&all, ".notice").len()), (5000, 0));
    let some = report(&pages(6000).collect::<Vec<_>>());
    assert_eq!(texts(&some, "#all tbody tr").len(), 5000);
    let notice = texts(&some, ".notice").remove(0);
    assert!(notice.starts_with("These are 5,000 of 6,000 pages: a uniform random sample."), "{notice}");
    assert_eq!(texts(&some, "h1"), ["6,000 pages"]);
    assert_eq!(texts(&some, "[aria-labelledby=hosts] tbody td")[0], "6,000", "the figures are of all pages");
}

#[test]
fn hosts_beyond_those_that_are_shown_are_told_of_together() {
    let mut pages: Vec<_> = (0..1200).map(|n| page_at(&format!("http://h{n}.test/"), 200, 10, millis(10))).collect();
    pages.extend((0..3).map(|_| page_at("http://busy.test:81/", 503, 10, millis(30))));
    let page = report(&pages);
    let rows = texts(&page, "[aria-labelledby=hosts] tbody tr");
    // It came when a thousand were known: it is among the others.
    assert_eq!((rows.len(), &*rows[0]), (50, "h0.test 1 0 10 10 0"));
    assert_eq!(texts(&page, "[aria-labelledby=hosts] tfoot tr"), ["all others 1,153 0 10 10 3"]);
    pages.reverse();
    let page = report(&pages);
    assert_eq!(texts(&page, "[aria-labelledby=hosts] tbody tr")[0], "busy.test:81 3 0 30 30 3");
}

#[test]
fn records_that_were_written_give_the_same_report() {
    let fields = ["price", "name"];
    let row = |price: Value<'static>| vec![price, "Lamp".into()];
    let outcomes = [
        with_rows(
            with_title(page_at("http://a.test/1", 200, 10, Duration::from_micros(1999)), "One"),
            [row("9".into()), row(" ".into())],
        ),
        page_at("http://b.test/2", 200, 10, millis(400)),
        with_failure(page_at("http://b.test/3", 404, 10, millis(3)), Kind::Status, "404 Not Found"),
        rejected("::", "no host"),
    ];
    let options = Options { fields: names(&fields), ..Options::default() };
    let text = crate::sink::sample::write(Format::Jsonl, &options, &outcomes);
    let mut read = Survey::default();
    read.read(text.as_bytes(), Compression::None).unwrap();
    let page = read.to_html().unwrap();
    assert_eq!(page, survey(&outcomes, &fields).to_html().unwrap());
    let page = Html::parse_document(&page);
    assert_eq!(texts(&page, "h1"), ["4 pages"], "two records are of one page");
    assert_eq!(texts(&page, "[aria-labelledby=fields] tbody tr"), ["price 1 33.3%", "name 2 66.6%"]);
}

#[test]
fn what_is_no_record_is_told_with_its_line() {
    let reason = |text: &str| Survey::default().read(text.as_bytes(), Compression::None).unwrap_err().to_string();
    let record = crate::sink::sample::write(Format::Jsonl, &Options::default(), &hostile("x"));
    assert_eq!(reason(&format!("{record}\nhttp://a.test/\n")), "line 5: it is no record (expected value, column 1)");
    assert_eq!(reason("{\"v\": 1}\n"), "line 1: it is no record: it has no \"url\"");
    let other = record.replace("\"v\":1", "\"v\":2");
    assert_eq!(reason(&other), "line 1: it is a record of version 2, and only 1 is known");
    let torn = reason(&record[..record.len() - 20]);
    assert!(torn.starts_with("line 3: it is no record (EOF"), "{torn}");
}

#[test]
fn a_report_stays_as_it_is() {
    let pages = [
        with_rows(with_title(page_at("http://a.test/1", 200, 1200, millis(18)), "Lamps & more"), [vec!["9".into()]]),
        with_rows(with_title(page_at("http://a.test/2", 200, 900, millis(41)), "Chairs"), [vec![Value::Null]]),
        with_failure(page_at("https://b.test/x", 503, 10, millis(7)), Kind::Status, "503 Service Unavailable"),
        rejected("::", "no host"),
    ];
    let html = survey(&pages, &["price"]).to_html().unwrap();
    let body = html.split_once("<body>").unwrap().1.split_once("<script>").unwrap().0;
    insta::assert_snapshot!(body.replace(env!("CARGO_PKG_VERSION"), "[version]"));
}

#[test]
fn a_run_without_pages_has_a_report_too() {
    let page = report(&[]);
    assert_harmless(&page);
    assert_eq!((texts(&page, "h1"), texts(&page, "h2")), (vec!["0 pages".into()], vec!["Totals".into()]));
}

#[test]
fn the_page_is_delivered_at_the_end_and_an_error_goes_on() {
    let (sent, delivered) = std::sync::mpsc::channel();
    let mut sink = Box::new(Report::new(names(&[]), move |page| sent.send(page.to_owned()).map_err(io::Error::other)));
    sink.accept(&page_at("http://a.test/", 200, 1, millis(1))).unwrap();
    assert!(delivered.try_recv().is_err());
    sink.finish().unwrap();
    assert!(delivered.recv().unwrap().contains("<h1>1 page</h1>"));
    let full = Report::new(names(&[]), |_| Err(io::ErrorKind::StorageFull.into()));
    assert_eq!(Box::new(full).finish().unwrap_err().kind(), io::ErrorKind::StorageFull);
}
