use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::failure::Kind;
use crate::sink::sample;
use crate::value::Value;

/// What comes of `expectation` in a complete run over these values of the field `f`, one a page.
fn verdict<const N: usize>(expectation: &str, values: [Value<'static>; N]) -> Verdict {
    let mut contract = Contract::new(&[expectation.into()], sample::names(&["f"])).unwrap();
    for (n, value) in values.into_iter().enumerate() {
        contract.accept(&sample::with_rows(sample::outcome(n as u64), [vec![value]])).unwrap();
    }
    contract.verdicts(true).remove(0)
}

fn holds(expectation: &str, value: impl Into<Value<'static>>) -> bool {
    verdict(expectation, [value.into()]).held.unwrap()
}

fn list(texts: &[&'static str]) -> Value<'static> {
    Value::List(texts.iter().copied().map(Value::from).collect())
}

#[track_caller]
fn refused(expectation: &str) -> String {
    let error = Contract::new(&[expectation.into()], sample::names(&["f", "items", "title"])).unwrap_err();
    format!("{error}\nhint: {}", error.hint())
}

#[test]
fn the_empty_text_is_what_is_blank() {
    for blank in [Value::Null, "".into(), "  ".into(), list(&[]), Value::Map(Vec::new())] {
        assert!(!holds("f != \"\"", blank.clone()) && holds("f == ''", blank.clone()), "{blank:?}");
        assert!(!holds("f < \"z\"", blank.clone()) && !holds("f >= \"\"", blank.clone()), "{blank:?}");
    }
    assert!(["f <= 9", "f != 9", "f >= 0"].iter().all(|number| !holds(number, Value::Null) && !holds(number, "")));
    for filled in ["x".into(), Value::Int(0), Value::Bool(false), list(&[""])] {
        assert!(holds("f != \"\"", filled.clone()) && !holds("f == ''", filled.clone()), "{filled:?}");
    }
}

#[test]
fn each_operator_compares_numbers_and_texts() {
    let cases = [("==", [false, true, false]), ("!=", [true, false, true]), ("<", [true, false, false])];
    let more = [("<=", [true, true, false]), (">", [false, false, true]), (">=", [false, true, true])];
    for (operator, expected) in cases.into_iter().chain(more) {
        let number = |text: &'static str| holds(&format!("f {operator} 9.5"), text);
        assert_eq!(["-10", " 9.50", "10"].map(number), expected, "{operator}");
        let text = |text: &'static str| holds(&format!("f {operator} \"2024-05\""), text);
        assert_eq!(["2023", "2024-05", "2024-06"].map(text), expected, "{operator}");
    }
    assert!(holds("f==\"9.50\"", "9.50") && !holds("f==\"9.5\"", "9.50"), "texts are compared as they are");
}

#[test]
fn what_is_no_number_meets_no_comparison_with_one() {
    for value in ["9,50", "$9.50", "NaN", "inf", "many"] {
        assert!(["==", "!=", "<", "<=", ">", ">="].iter().all(|operator| !holds(&format!("f {operator} 1"), value)));
    }
}

#[test]
fn a_list_is_compared_by_how_many_entries_it_has() {
    assert!(holds("f >= 2", list(&["a", "b"])) && !holds("f >= 3", list(&["a", "b"])));
    assert!(holds("f == 0", list(&[])));
    assert!(holds(r#"f ~ /"b"/"#, list(&["a", "b"])), "its text is its JSON");
}

#[test]
fn patterns_match_somewhere() {
    assert!(holds("f ~ /ho/", "shop") && !holds("f ~ /^ho/", "shop") && !holds("f ~ /HO/", "shop"));
    assert!(
        holds("f ~ /HO/i", "shop")
            && holds(r"f ~ /^\w{1,99}$/", "shop")
            && holds(r"f ~ /^a\/b$/", "a/b")
            && holds(r"f ~ /\d{2}/", "42")
    );
    assert!(holds("f !~ /x/", "shop") && !holds("f !~ /o/", "shop"));
    assert!(!holds("f ~ /./", Value::Null) && holds("f !~ /./", Value::Null));
}

#[test]
fn texts_may_hold_their_quotes() {
    assert!(holds(r#"f == "a\"b\\c'""#, r#"a"b\c'"#) && holds(r#"f == 'a\'b"\n'"#, r#"a'b"\n"#));
}

#[test]
fn one_of_several_is_enough() {
    let either = "f == \"sold out\" or f > 0 or status == 404";
    assert!(holds(either, "sold out") && holds(either, "3") && !holds(either, "0"));
}

#[test]
fn the_keys_of_a_record_are_known_too() {
    assert!(holds("status == 200", "x") && holds("length>1000", "x") && holds("url ~ /example/", "x"));
    assert!(holds("error == ''", "x") && holds("redirects == 0", "x") && !holds("title != ''", "x"));
    assert!(holds("fields.f == 'x'", "x") && holds("record.status < 300", "x"));
}

#[test]
fn the_number_of_records_is_the_runs() {
    let held = |expectation| verdict(expectation, ["a".into(), Value::Null]).held;
    assert_eq!(
        ["items >= 2", "items == 2", "run.items > 2", "items != 2"].map(held),
        [true, true, false, false].map(Some)
    );
    assert_eq!(verdict("items >= 1", []).complaint().unwrap(), "expectation broken: items >= 1: 0");
}

#[test]
fn a_part_is_counted_exactly() {
    let mut contract = Contract::new(
        &["fill(f) >= 99.9%", "fill(f) > 99.9%", "fill(f) < 99.9%", "fill(f) <= 99.9%"].map(String::from),
        sample::names(&["f"]),
    )
    .unwrap();
    for n in 0..1000 {
        let value = if n == 7 { Value::Null } else { "x".into() };
        contract.accept(&sample::with_rows(sample::outcome(n), [vec![value]])).unwrap();
    }
    let verdicts = contract.verdicts(true);
    assert_eq!(verdicts.iter().map(|v| v.held.unwrap()).collect::<Vec<_>>(), [true, false, false, true]);
    assert_eq!(
        verdicts[1].complaint().unwrap(),
        "expectation broken: fill(f) > 99.9%: 99.9%, blank at https://example.com/7 (1 of 1,000 records)"
    );
    assert_eq!(verdicts[2].broken, 999, "too many are filled");
    assert_eq!(contract.fills()[0].rate(), Some(0.999));
}

#[test]
fn a_percentage_never_claims_all_or_none() {
    let shown = |filled, records| Fill { field: "f".into(), filled, records }.percentage();
    assert_eq!([shown(0, 9), shown(1, 9999), shown(9998, 9999), shown(9, 9)], ["0%", "0.1%", "99.9%", "100%"]);
    assert_eq!(shown(u64::MAX - 1, u64::MAX), "99.9%");
}

#[test]
fn pages_that_failed_are_not_judged() {
    let mut contract = Contract::new(&["f != ''".into(), "status == 200".into()], sample::names(&["f"])).unwrap();
    let missing = sample::page_at("http://a.test/", 404, 1, Duration::ZERO);
    contract.accept(&sample::with_failure(missing, Kind::Status, "404")).unwrap();
    contract.accept(&sample::rejected("::", "no host")).unwrap();
    assert_eq!((contract.records(), contract.fills()[0].rate()), (0, None));
    assert!(contract.verdicts(true).iter().all(|verdict| verdict.held == Some(true)));
}

#[test]
fn few_urls_are_kept_and_none_twice() {
    let mut contract = Contract::new(&["f != ''".into()], sample::names(&["f"])).unwrap();
    for n in 0..100 {
        let rows = [vec![Value::Null], vec![Value::Null]];
        contract.accept(&sample::with_rows(sample::outcome(n), rows)).unwrap();
    }
    let verdict = contract.verdicts(true).remove(0);
    assert_eq!((verdict.broken, verdict.records, verdict.urls.len()), (200, 200, URLS));
    assert_eq!(&*verdict.urls[1], "https://example.com/1");
}

#[test]
fn of_half_a_run_only_what_is_certain_is_said() {
    let half = |expectation: &str, value: Value<'static>| {
        let mut contract = Contract::new(&[expectation.into()], sample::names(&["f"])).unwrap();
        contract.accept(&sample::with_rows(sample::outcome(0), [vec![value]])).unwrap();
        contract.verdicts(false).remove(0).held
    };
    assert_eq!(half("f != ''", Value::Null), Some(false), "no later record mends it");
    assert_eq!(half("f != ''", "x".into()), None);
    assert_eq!([half("items >= 2", Value::Null), half("fill(f) >= 1%", Value::Null)], [None, None]);
}

#[test]
fn what_a_server_or_a_file_says_is_harmless_in_a_complaint() {
    let mut contract = Contract::new(&["f\u{9b} != ''".replace('\u{9b}', "\n")], sample::names(&["f"])).unwrap();
    let page = sample::page_at("http://a.test/", 200, 1, Duration::ZERO);
    let mut page = sample::with_rows(page, [vec![Value::Null]]);
    page.target.given = "http://a.test/\u{202e}\u{1b}[31m".into();
    contract.accept(&page).unwrap();
    let complaint = contract.verdicts(true)[0].complaint().unwrap();
    assert_eq!(complaint, "expectation broken: f  != '' at http://a.test/\u{fffd}\u{fffd}[31m (1 of 1 records)");
}

#[test]
fn what_is_wrong_is_shown_where_it_is() {
    insta::assert_snapshot!(refused("f = 3"), @r"
    not an expectation: an operator is missing
      f = 3
        ^
    hint: one of == != <= >= !~ < > ~
    ");
    insta::assert_snapshot!(refused("f == '日本' or\tprice > 3"), @r"
    not an expectation: there is no `price`
      f == '日本' or price > 3
                     ^
    hint: of a record: f, items, title, v, url, source, final_url, status, content_type, charset, length, bytes, title, elapsed_ms, attempts, redirects, depth, referrer, links_found, fetched_at, input, error; of the run: items, fill(NAME)
    ");
    insta::assert_snapshot!(refused("f ~ /a(b/"), @r"
    not an expectation: unclosed group
      f ~ /a(b/
          ^
    hint: patterns are those of https://docs.rs/regex
    ");
    insta::assert_snapshot!(refused("status == 200 or title != ''"), @r"
    not an expectation: `title` has several meanings
      status == 200 or title != ''
                       ^
    hint: write fields.title or record.title
    ");
}

#[test]
fn every_fault_has_its_words_and_its_place() {
    let cases = [
        ("", "a name is missing", 0),
        ("f", "an operator is missing", 1),
        ("f ==", "a value is missing", 4),
        ("f == null", "a value is missing", 5),
        ("f == \"x", "its closing \" is missing", 5),
        ("f ~ /x", "its closing / is missing", 4),
        ("f ~ /x/g", "only `or` may follow", 7),
        ("f ~ \"x\"", "~ and !~ take a /pattern/", 4),
        ("f == /x/", "a pattern is matched by ~ or !~", 5),
        ("f == 1.2.3", "this is no number", 5),
        ("f == 5%", "only a part is a percentage", 5),
        ("f == 1 f == 2", "only `or` may follow", 7),
        ("f == 1 or", "a name is missing", 9),
        ("f == 1 or run.items > 2", "this is of the whole run", 10),
        ("items >= 3", "`items` has several meanings", 0),
        ("run.items > 3 or f == 1", "nothing may follow", 14),
        ("run.items ~ /3/", "a number matches no pattern", 10),
        ("run.items >= 5%", "`items` is a number", 13),
        ("fill(f >= 5%", "a `)` is missing", 7),
        ("fill(run.items) >= 5%", "`run.items` is no key", 5),
        ("fill(nothing) >= 5%", "there is no `nothing`", 5),
        ("fill(f) == 5%", "a part is compared with", 8),
        ("fill(f) >= 0.95", "a part is a percentage", 11),
        ("fill(f) >= 101%", "a part is between 0% and 100%", 11),
        ("f ~ /(a{1000}){1000}/", "Compiled regex exceeds size limit", 4),
    ];
    for (expectation, reason, column) in cases {
        let text = refused(expectation);
        let caret = text.lines().find_map(|line| line.strip_suffix('^')).unwrap();
        assert!(text.contains(reason) && caret.len() == 2 + column, "{text}");
    }
    assert!(refused(&"x".repeat(5000)).len() < 300);
}

proptest! {
    #[test]
    fn any_text_is_an_expectation_or_refused(text in "[a-z(f)~=<>!\"'/\\\\ .%0-9or-]{0,40}|\\PC{0,20}") {
        if let Err(error) = Contract::new(&[text], sample::names(&["f"])) {
            prop_assert!(error.to_string().ends_with('^'));
        }
    }
}
