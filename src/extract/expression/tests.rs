use proptest::prelude::*;
use scraper::Html;
use serde_json::{Value as Json, json};
use url::Url;

use super::*;
use crate::extract::deadline::Deadline;
use crate::failure::Kind;

const PAGE: &str = r#"<html><body><p class=price>1.234,50 €</p><p class=price>none</p><p class=price>7</p>
<div id=d> a <b>b</b><i>c</i></div><a href=/x title=" T ">link</a><time datetime="2024-05-17T10:30Z">May</time>
<ul><li lang=en-GB>a=1<li>b=2<li>c</ul></body></html>"#;

/// What a field is on a page of HTML or JSON.
fn read(body: &str, field: &str) -> Result<Json, Failure> {
    let (name, expression) = parse_field(field).unwrap_or_else(|fault| panic!("{field}: {fault:?}"));
    assert_eq!(name, "n");
    let json: Option<Value<'static>> = serde_json::from_str(body).ok();
    let tree = json.is_none().then(|| Html::parse_document(body));
    let (base, deadline) = (Base::new(&Url::parse("http://a.test/b/").unwrap(), None), Deadline::for_text(body));
    let subject = Subject::new(&[&expression], (tree.as_ref(), json.as_ref()), &base, &deadline)?;
    let value = serde_json::to_value(&subject.evaluate(&[&expression], Place::Page)?[0]).unwrap();
    let schema: Json = serde_json::from_str(&expression.schema()).unwrap();
    assert!(value.is_null() || jsonschema::is_valid(&schema, &value), "{field}: {value} is no {schema}");
    Ok(value)
}

#[track_caller]
fn assert_reads(field: &str, wanted: &Json) {
    assert_eq!(read(PAGE, field).unwrap(), *wanted, "{field}");
}

#[track_caller]
fn assert_reads_json(json: &str, field: &str, wanted: &Json) {
    assert_eq!(read(json, field).unwrap(), *wanted, "{field}");
}

#[test]
fn every_selector_finds_what_it_names() {
    assert_reads("n=.price", &json!("1.234,50 €"));
    assert_reads("n=a@href", &json!("http://a.test/x"));
    assert_reads("n=//p[2]", &json!("none"));
    assert_reads("n=//a/@href", &json!("http://a.test/x"));
    assert_reads("n=//a/@title", &json!(" T "));
    assert_reads("n[]=//div/text()", &json!(["a"]));
    assert_reads("n[]=//li[position()<3]", &json!(["a=1", "b=2"]));
    assert_reads("n=(//p)[3]", &json!("7"));
    assert_reads("n=./html/body/ul/li[2]", &json!("b=2"));
    assert_reads("n=count(//p)", &json!(3));
    assert_reads("n=(1 div 0)", &Json::Null);
    assert_reads("n[]=(0 div 0)", &json!([]));
    assert_reads("n=boolean(//p)", &json!(true));
    assert_reads("n[]=string(//p)", &json!(["1.234,50 €"]));
    assert_reads("n=//table", &Json::Null);
    assert_reads("n[]=//table", &json!([]));
    assert_reads_json(r#"{"a":[{"b":1},{"b":null},{"b":-2.5}]}"#, "n[]=$.a[*].b", &json!([1, null, -2.5]));
    assert_reads_json(r#"{"z":{"y":true,"a":1}}"#, "n=$.z", &json!({"y": true, "a": 1}));
    assert_reads_json("[]", "n=$.a", &Json::Null);
}

#[test]
fn a_selector_for_another_kind_of_page_is_null() {
    assert_reads("n=$.a", &Json::Null);
    assert_reads("n[]=$.a", &Json::Null);
    for field in ["n=p", "n[]=p", "n=//p", "n[]=//p", "n=count(//p)"] {
        assert_reads_json("{}", field, &Json::Null);
    }
    assert_reads_json("{}", "n=p | default('x')", &json!("x"));
    assert_reads_json("{}", "n[]=p | default('x')", &Json::Null);
}

#[test]
fn transforms_follow_one_another() {
    assert_reads("n=.price | number", &json!(1234.5));
    assert_reads("n[]=.price | number", &json!([1234.5, null, 7]));
    assert_reads("n[]=.price | number | default(0)", &json!([1234.5, 0, 7]));
    assert_reads("n=.price | number(\".\")", &Json::Null);
    assert_reads("n=time@datetime | date", &json!("2024-05-17T10:30:00Z"));
    assert_reads("n=a@title | trim|lower", &json!("t"));
    assert_reads("n=a | upper", &json!("LINK"));
    assert_reads("n=//a/@title | url", &json!("http://a.test/b/T"));
    assert_reads("n=#d | html", &json!(" a <b>b</b><i>c</i>"));
    assert_reads("n=//div | html", &json!(" a <b>b</b><i>c</i>"));
    assert_reads("n=//a/@href | html", &Json::Null);
    assert_reads("n=#d | text", &json!("a bc"));
    assert_reads("n=#d | html | text | lower", &json!("a <b>b</b><i>c</i>"));
    assert_reads("n[]=li | join(', ')", &json!("a=1, b=2, c"));
    assert_reads("n[]=table | join(', ')", &json!(""));
    assert_reads("n=ul | split(\"=\")", &json!(["a", "1 b", "2 c"]));
    assert_reads("n=table | split(',')", &Json::Null);
    assert_reads("n[]=li | split('=') | join('-')", &json!(["a-1", "b-2", "c"]));
    assert_reads("n[]=li | split('=') | upper", &json!([["A", "1"], ["B", "2"], ["C"]]));
    assert_reads("n=table | default(\"a \\\"b\\\"\\n\")", &json!("a \"b\"\n"));
    assert_reads("n=table | default(-1.5)", &json!(-1.5));
    assert_reads("n=table | default(true) | lower", &json!("true"));
    assert_reads("n=p | default('x') | lower", &json!("1.234,50 €"));
}

#[test]
fn patterns_find_a_group_or_all() {
    assert_reads("n=li | re:\\d", &json!("1"));
    assert_reads("n[]=li | re:(\\w)=(?:\\d)", &json!(["a", "b", null]));
    assert_reads("n[]=li | re:(\\w)(=)?", &json!([["a", "="], ["b", "="], ["c", null]]));
    assert_reads("n[]=li | re:a|b | upper", &json!(["A", "B", null]));
    assert_reads("n=ul | re:(x | b)", &json!(" b"));
    assert_reads("n=ul | re:[|b] ", &json!("b"));
    assert_reads("n=ul | re: \\| |c$ | upper", &json!("C"));
    assert_reads("n=ul | re:(?i)B=(\\d)\t| number", &json!(2));
}

#[test]
fn values_of_json_keep_their_type() {
    let json = r#"{"n":9,"f":1.5,"t":"1,5","b":false,"l":["A",["B"],null,3],"o":{"k":1}}"#;
    for (field, wanted) in [
        ("n=$.n | number", json!(9)),
        ("n=$.n | default(0)", json!(9)),
        ("n=$.t | number", json!(1.5)),
        ("n=$.f | text", json!("1.5")),
        ("n=$.b | upper", json!("FALSE")),
        ("n=$.b | number", Json::Null),
        ("n=$.l | lower", json!(["a", ["b"], null, "3"])),
        ("n=$.l | join('-')", json!(["A", "B", null, 3])),
        ("n[]=$.l[0,3] | join('-')", json!("A-3")),
        ("n=$.o | trim", Json::Null),
        ("n=$.x | default(false)", json!(false)),
        ("n=$.n | re:(\\d) | split('x')", json!(["9"])),
    ] {
        assert_reads_json(json, field, &wanted);
    }
}

#[test]
fn bars_inside_of_a_selector_stay_there() {
    assert_reads("n=li[lang|=en] | upper", &json!("A=1"));
    assert_reads("n=li[lang |= 'en'] | upper", &json!("A=1"));
    assert_reads("n=*|time", &json!("May"));
    assert_reads("n[]=//b | //i | upper", &json!(["B", "C"]));
    assert_reads("n[]=//b|//i", &json!(["B".to_lowercase(), "c".to_owned()]));
    assert_reads("n=(//x | //i) | upper", &json!("C"));
    assert_reads("n=//li[.=' | ' or 1]|//x | upper", &json!("A=1"));
    assert_reads_json(r#"[{"a":1},{"b":"|"}]"#, "n[]=$[?@.a || @.b == ' | '].a | number", &json!([1]));
    assert_reads_json(r#"{"a | b":"x"}"#, "n=$['a | b'] | upper", &json!("X"));
}

/// Where an expression is wrong, and what about it.
fn fault(field: &str) -> (usize, String) {
    let fault = parse_field(field).map(|(_, expression)| expression).expect_err(field);
    assert!(!fault.hint.is_empty());
    (fault.at, fault.what.into_owned())
}

#[test]
fn what_is_wrong_is_told_where() {
    for (field, at, what) in [
        ("price", 0, "there is no name"),
        ("9=p", 0, "this is no name"),
        ("price=.price | nummer", 15, "no transform is called \"nummer\""),
        ("price=.price | ", 15, "a transform is missing"),
        ("price=.price |", 14, "a transform is missing"),
        ("price=.price | | number", 15, "a transform is missing"),
        ("price=.price | number lower", 22, "not the end of a transform"),
        ("price=.price | number(", 22, "an argument is missing"),
        ("price=.price | number()", 22, "an argument is missing"),
        ("price=.price | number(\";\")", 22, "not an argument that this can have"),
        ("price=.price | number(\",\"", 25, "the argument does not end here"),
        ("price=.price | join(\", \")", 15, "`join` needs a list"),
        ("price[]=.price | join(\", \") | join(\"\")", 30, "`join` needs a list"),
        ("price[]=.price | join", 21, "an argument is missing"),
        ("price=.price | split(\"\")", 21, "not an argument that this can have"),
        ("price=.price | split(\"a)", 21, "the text has no end"),
        ("price=.price | split(\"\\d\")", 22, "a backslash that means nothing"),
        ("price=.price | default", 22, "an argument is missing"),
        ("price=.price | default(none)", 23, "not an argument that this can have"),
        ("price=.price | default(null)", 23, "not an argument that this can have"),
        ("price=.price | trim(1)", 20, "there is nothing to say in parentheses"),
        ("price=.price | date(ymd)", 20, "not an argument that this can have"),
        ("price=.price | date(\"dmy\")", 20, "not an argument that this can have"),
        ("price=.price | trim | html", 22, "`html` needs an element"),
        ("price=.price@x | html", 17, "`html` needs an element"),
        ("price=count(//p) | html", 19, "`html` needs an element"),
        ("price=.price | re", 15, "`re` has no pattern"),
        ("price=.price | re:", 18, "`re` has no pattern"),
        ("price=.price | re: | trim", 18, "`re` has no pattern"),
        ("price=.price | html(1)", 20, "there is nothing to say in parentheses"),
        ("price=p|number", 7, "not a CSS selector"),
        ("price=.price | re:a(b", 19, "not a regular expression: unclosed group"),
        ("price=.price | re:é[b", 20, "not a regular expression: unclosed character class"),
        ("price=.price | re:a | b", 22, "no transform is called \"b\""),
        ("price=//a[", 10, "the XPath ends too early"),
        ("price= //a | foo", 13, "no transform is called \"foo\""),
        ("price=$.a[", 10, "the JSONPath ends too early"),
        ("price= jq:.a | nummer", 15, "there is no filter \"nummer\" without arguments"),
        ("price=jq:", 9, "the jq program ends too early"),
    ] {
        assert_eq!(fault(field), (at, what.to_owned()), "{field}");
    }
}

#[test]
fn what_is_too_much_is_refused() {
    assert_eq!(fault(&format!("a={}", "b ".repeat(3000))).1, "the expression is longer than 4096 bytes");
    assert_eq!(fault(&format!("a={}", "b ".repeat(600))).1, "the selector is longer than 1000 bytes");
    let (_, what) = fault(&format!("a={}", ":not(".repeat(800)));
    assert_eq!(what, "the selector is nested too deeply");
    let (at, what) = fault(r"a=b | re:\w{1000}{1000}");
    assert_eq!((at, &*what), (9, "the pattern is too large"));
    let (_, what) = fault(&format!("a=b | re:{}{}", "(".repeat(2000), ")".repeat(2000)));
    assert!(what.starts_with("not a regular expression: exceed"), "{what}");
}

#[test]
fn what_finds_too_much_gives_the_page_up() {
    let nested = format!("{}{}", "<div>".repeat(200), "x".repeat(400_000));
    for field in ["n[]=div", "n[]=//div", "n[]=div | html", "n[]=//div | html"] {
        assert_eq!(read(&nested, field).unwrap_err().kind, Kind::TooComplex, "{field}");
    }
    let many = format!("<p>{}</p>", "a".repeat(2 << 20));
    assert_eq!(read(&many, "n=p | split('a')").unwrap_err().kind, Kind::TooComplex);
    let large = format!("<p>{}</p>", "a".repeat(300_000));
    assert_eq!(read(&large, r"n=p | re:\w{100}b").unwrap_err().kind, Kind::TooComplex);
    assert_eq!(read(&large, r"n=p | re:\w{3}b").unwrap(), Json::Null);
    assert_eq!(read(&large[..1000], r"n=p | re:\w{100}b").unwrap(), Json::Null);
    let joined = format!("n=p | split('a') | join('{}')", "-".repeat(1000));
    assert_eq!(read(&many[..100_000], &joined).unwrap_err().kind, Kind::TooComplex);
}

#[test]
fn the_longest_selector_that_is_taken_can_be_matched() {
    let page = "<p></p>".repeat(5000);
    assert_eq!(read(&page, &format!("n=p{}", "+*".repeat(499))).unwrap(), json!(""));
}

#[test]
fn the_schema_is_that_of_the_last_transform() {
    for (field, wanted) in [
        ("n=p", json!({"type": ["string", "null"]})),
        ("n[]=p", json!({"type": ["array", "null"], "items": {"type": "string"}})),
        ("n=p | number", json!({"type": ["number", "null"]})),
        ("n=p | number | default(0)", json!({"type": "number"})),
        ("n=p | default(0)", json!({"type": ["string", "number"]})),
        ("n=count(//p)", json!({"type": ["number", "null"]})),
        ("n=p | split(',')", json!({"type": ["array", "null"], "items": {"type": "string"}})),
        ("n[]=p | join(',')", json!({"type": ["string", "null"]})),
        ("n=$.a", json!({})),
        ("n=jq:.a | tonumber", json!({})),
        ("n[]=jq:.a", json!({"type": ["array", "null"], "items": {}})),
        ("n=$.a | number", json!({"type": ["number", "array", "null"]})),
        ("n[]=$.a", json!({"type": ["array", "null"], "items": {}})),
        ("n=$.a | date | join(',')", json!({"type": ["string", "array", "null"]})),
    ] {
        let schema: Json = serde_json::from_str(&parse_field(field).unwrap().1.schema()).unwrap();
        assert_eq!(schema, wanted, "{field}");
    }
}

#[test]
fn transforms_are_listed_in_order_and_in_full() {
    assert!(TRANSFORMS.is_sorted_by_key(|transform| transform.name));
    for transform in TRANSFORMS {
        assert!(transform.usage.starts_with(&format!("`{}", transform.name)), "{}", transform.name);
    }
}

#[test]
fn the_example_of_every_transform_holds() {
    for Transform { name, example: [given, call, wanted], .. } in TRANSFORMS {
        assert!(call.starts_with(name));
        let wanted: Json = serde_json::from_str(wanted).unwrap();
        if *name == "html" {
            assert_reads_json("{}", "n=p | html", &Json::Null);
            assert_eq!(
                read(&format!("<p>{}</p>", wanted.as_str().unwrap()), &format!("n=p | {call}")).unwrap(),
                wanted
            );
        } else {
            assert_reads_json(given, &format!("n=$ | {call}"), &wanted);
        }
    }
}

/// Pieces of expressions.
fn pieces() -> impl Strategy<Value = String> {
    let pieces = r#" \| |\||re:|number|join\(', '\)|split\("|default\(|\)|\(|\[|\]|//|/|@|p|\.a|\*|\$|\.|\?|==|'|"|\\|1|,|:|é|日| |text\(\)|not\(|count\(|html|-|>"#;
    proptest::string::string_regex(&format!("({pieces}){{0,16}}")).unwrap()
}

proptest! {
    #[test]
    fn no_expression_is_too_odd(text in pieces().boxed().prop_union("\\PC{0,30}".boxed())) {
        let field = format!("n={text}");
        if let Err(fault) = parse_field(&field) {
            prop_assert!(field.is_char_boundary(fault.at), "{:?}", fault);
            prop_assert!(!fault.what.is_empty() && !fault.hint.is_empty());
        } else {
            read(PAGE, &field).unwrap();
            read(r#"{"a":[1,"x",null,{"p":true}]}"#, &field).unwrap();
        }
    }
}
