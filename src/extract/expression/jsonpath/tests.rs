use super::*;
use crate::extract::deadline::Deadline;
use crate::failure::Kind;

/// The values that a path finds, as JSON.
fn find(json: &str, path: &str) -> Result<String, Failure> {
    let root: Value<'static> = serde_json::from_str(json).unwrap();
    let deadline = Deadline::for_text(json);
    let path = JsonPath::parse(path).unwrap_or_else(|fault| panic!("{path}: {fault:?}"));
    let found = path.find(&root, &Meter::new(&deadline))?;
    Ok(found.iter().map(|value| value.to_cell().into_owned()).collect::<Vec<_>>().join(" "))
}

/// The examples of RFC 9535, section 1.5.
const STORE: &str = r#"{"store":{"book":[
    {"category":"reference","author":"Nigel Rees","title":"Sayings","price":8.95},
    {"category":"fiction","author":"Evelyn Waugh","title":"Sword","price":12.99},
    {"category":"fiction","author":"Herman Melville","title":"Moby","isbn":"0-553","price":8.99},
    {"category":"fiction","author":"Tolkien","title":"Rings","isbn":"0-395","price":22.99}],
    "bicycle":{"color":"red","price":399}}}"#;

#[test]
fn the_examples_of_the_standard_hold() {
    for (path, wanted) in [
        ("$.store.book[*].author", "Nigel Rees Evelyn Waugh Herman Melville Tolkien"),
        ("$..author", "Nigel Rees Evelyn Waugh Herman Melville Tolkien"),
        ("$.store..price", "8.95 12.99 8.99 22.99 399"),
        ("$..book[2].title", "Moby"),
        ("$..book[2].publisher", ""),
        ("$..book[-1].title", "Rings"),
        ("$..book[:2].title", "Sayings Sword"),
        ("$..book[0,1].title", "Sayings Sword"),
        ("$..book[?@.isbn].title", "Moby Rings"),
        ("$..book[?@.price<10].title", "Sayings Moby"),
        ("$['store'][\"bicycle\"]['color']", "red"),
        ("$.store.bicycle.*", "red 399"),
    ] {
        assert_eq!(find(STORE, path).unwrap(), wanted, "{path}");
    }
    assert_eq!(find(r#"{"o":{"j":1,"k":2},"a":[5,3,[{"j":4},{"k":6}]]}"#, "$..j").unwrap(), "1 4");
    assert_eq!(find(r#"{"o":{"j":1,"k":2},"a":[5,3]}"#, "$..*").unwrap(), r#"{"j":1,"k":2} [5,3] 1 2 5 3"#);
}

#[test]
fn slices_go_both_ways() {
    let list = "[0,1,2,3,4,5,6]";
    for (path, wanted) in [
        ("$[1:3]", "1 2"),
        ("$[5:]", "5 6"),
        ("$[1:5:2]", "1 3"),
        ("$[5:1:-2]", "5 3"),
        ("$[::-1]", "6 5 4 3 2 1 0"),
        ("$[:-5]", "0 1"),
        ("$[-2:]", "5 6"),
        ("$[0:3:0]", ""),
        ("$[10:]", ""),
        ("$[:-9:-3]", "6 3 0"),
        ("$[ 1 : 2 ]", "1"),
        ("$[-8]", ""),
    ] {
        assert_eq!(find(list, path).unwrap(), wanted, "{path}");
    }
}

#[test]
fn filters_compare_and_test() {
    let json = r#"[{"a":1,"b":"x"},{"a":2},{"a":null,"b":"é"},{"a":[1,{"c":1.0}]},{"a":[1,{"c":1}]},{"b":"xyx"},true]"#;
    let at = |filter: &str| {
        let found = find(json, &format!("$[?{filter}]")).unwrap();
        let Value::List(all) = serde_json::from_str(json).unwrap() else { panic!("{json}") };
        let place = |text| all.iter().position(|value| value.to_cell() == text);
        found.split(' ').filter_map(place).collect::<Vec<_>>()
    };
    assert_eq!(at("@.a"), [0, 1, 2, 3, 4]);
    assert_eq!(at("!@.a"), [5, 6]);
    assert_eq!(at("@.a == 1"), [0]);
    assert_eq!(at("@.a != 1"), [1, 2, 3, 4, 5, 6]);
    assert_eq!(at("@.a >= 1 && @.a < 2"), [0]);
    assert_eq!(at("@.a == null"), [2]);
    assert_eq!(at("@.a == $[3].a"), [3, 4]);
    assert_eq!(at("@.a == @.b"), [6]);
    assert_eq!(at("(@.a == 2 || @.b == 'x') && !(@.a == 1)"), [1]);
    assert_eq!(at("length(@.b) == 1"), [0, 2]);
    assert_eq!(at("length(@.a) == 2"), [3, 4]);
    assert_eq!(at("count(@.*) == 2"), [0, 2]);
    assert_eq!(at("value(@..c) == 1"), [3, 4]);
    assert_eq!(at("match(@.b, 'x.?')"), [0]);
    assert_eq!(at("search(@.b, 'y|é')"), [2, 5]);
    assert_eq!(at("@ == true"), [6]);
    assert_eq!(at("@.b > 'x'"), [2, 5]);
    assert_eq!(at("-1e0 < @['a']"), [0, 1]);
    // Nothing equals nothing, and so it is at most that.
    assert_eq!(at("@.x <= value(@.y)"), [0, 1, 2, 3, 4, 5, 6]);
    assert!(at("@.x < value(@.y)").is_empty());
}

#[test]
fn names_may_be_anything_and_the_last_of_several_counts() {
    let json = r#"{"a b":1,"'":2,"☺":3,"\ud83d\ude00":4,"d":5,"d":6}"#;
    for (path, wanted) in [
        ("$['a b']", "1"),
        (r"$['\'']", "2"),
        ("$.☺", "3"),
        (r#"$["\uD83D\uDE00"]"#, "4"),
        ("$.d", "6"),
        ("$ ['d']", "6"),
    ] {
        assert_eq!(find(json, path).unwrap(), wanted, "{path}");
    }
}

#[test]
fn what_is_no_jsonpath_is_told_where() {
    for (path, at, what) in [
        ("$.", 2, "the JSONPath ends too early"),
        ("$.a.", 4, "the JSONPath ends too early"),
        ("$.a b", 4, "not JSONPath"),
        ("$[", 2, "the JSONPath ends too early"),
        ("$['a", 2, "the text has no end"),
        ("$['a\\x']", 4, "not an escape of JSON"),
        ("$[01]", 2, "not an index of JSONPath"),
        ("$[-0]", 2, "not an index of JSONPath"),
        ("$[9007199254740992]", 2, "not an index of JSONPath"),
        ("$[?@.*==1]", 3, "this can be several values"),
        ("$[?@.a=1]", 6, "not JSONPath"),
        ("$[?1]", 4, "not JSONPath"),
        ("$[?foo(@.a)==1]", 3, "JSONPath has no function `foo`"),
        ("$[?length(@.*)==1]", 10, "this can be several values"),
        ("$[?length(@.a)]", 14, "not JSONPath"),
        ("$[?match(@.a,@.b)]", 13, "the pattern must be a text"),
        ("$[?match(@.a,'(')]", 13, "not a regular expression: unclosed group"),
        ("$[?match(@.a,'a')==true]", 17, "not JSONPath"),
        ("$é", 1, "not JSONPath"),
        ("$.é.-", 5, "not JSONPath"),
        ("$..", 3, "the JSONPath ends too early"),
        ("$[?@.a==1==1]", 9, "not JSONPath"),
    ] {
        let fault = JsonPath::parse(path).unwrap_err();
        assert_eq!((fault.at, &*fault.what), (at, what), "{path}");
    }
    for deep in
        ["$[?(".to_owned() + &"(".repeat(2000), "$[?@".repeat(1000), "$[?length(".to_owned() + &"length(".repeat(500)]
    {
        assert!(JsonPath::parse(&deep).is_err());
    }
}

#[test]
fn what_multiplies_is_given_up() {
    let json = "[".repeat(100) + &"1,".repeat(5000) + "1" + &"]".repeat(100);
    assert_eq!(find(&json, "$..*..*..*").unwrap_err().kind, Kind::TooComplex);
    let json = format!("[{}1]", "1,".repeat(50_000));
    assert_eq!(find(&json, "$[?count($[?@ == 2]) == 1]").unwrap_err().kind, Kind::TooComplex);
    assert_eq!(find(&json, "$[?@ == $]").unwrap(), "");
    let members: Vec<_> = (0..30_000).map(|n| format!("\"k{n}\":1")).collect();
    assert_eq!(find(&format!("{{{}}}", members.join(",")), "$[?$ == $]").unwrap_err().kind, Kind::TooComplex);
}
