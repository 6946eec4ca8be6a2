use scraper::Html;

use super::*;
use crate::extract::deadline::Deadline;
use crate::failure::Kind;

const PAGE: &str = "<!doctype html><html lang=en-GB><head><title>T</title></head><body>
<div id=a class=box><p>one <b>two</b></p><p class=x>three</p><!-- c --><p>10</p></div>
<ul id=b lang=de><li>1<li>2<li class=x>3</ul><a href=/x title=t>link</a>
<svg viewBox='0 0 1 1'><linearGradient/><a xlink:href=y>s</a></svg><template><p>no</p></template></body></html>";

/// What an expression comes to: a text for each node.
fn evaluate(html: &str, xpath: &str) -> Result<Vec<String>, Failure> {
    let tree = Html::parse_document(html);
    let deadline = Deadline::for_text(html);
    let meter = Meter::new(&deadline);
    let nodes = Nodes::new(&tree, &meter)?;
    let xpath = XPath::parse(xpath).unwrap_or_else(|fault| panic!("{xpath}: {fault:?}"));
    Ok(match xpath.evaluate(&nodes, Node::ROOT, &meter)? {
        Outcome::Nodes(found) => {
            let text = |node| {
                let mut text = String::new();
                nodes.text(node, &mut text, &meter).map(|()| text.split_whitespace().collect::<Vec<_>>().join(" "))
            };
            found.into_iter().map(text).collect::<Result<_, _>>()?
        }
        Outcome::Text(text) => vec![format!("text {text}")],
        Outcome::Number(number) => vec![format!("number {number}")],
        Outcome::Truth(truth) => vec![format!("truth {truth}")],
    })
}

#[track_caller]
fn assert_found(xpath: &str, wanted: &[&str]) {
    assert_eq!(evaluate(PAGE, xpath).unwrap(), wanted, "{xpath}");
}

#[test]
fn paths_lead_along_every_axis() {
    assert_found("//p", &["one two", "three", "10"]);
    assert_found("/html/body/div/p[1]", &["one two"]);
    assert_found("/descendant::p[2]", &["three"]);
    assert_found("//li[1] | //b", &["two", "1"]);
    assert_found("(//p|//li)[4]", &["1"]);
    assert_found("(//li)[last()]", &["3"]);
    assert_found("//li[position() > 1]", &["2", "3"]);
    assert_found("//p/b/..", &["one two"]);
    assert_found("//b/ancestor::*[1]", &["one two"]);
    assert_found("//b/ancestor::*[2]/@id", &["a"]);
    assert_found("//b/ancestor-or-self::b/text()", &["two"]);
    assert_found("//p[@class='x']/preceding-sibling::p", &["one two"]);
    assert_found("//p[@class='x']/following-sibling::p", &["10"]);
    assert_found("//li[3]/preceding-sibling::li[1]", &["2"]);
    assert_found("//ul/preceding::p[1]", &["10"]);
    assert_found("//b/following::p", &["three", "10"]);
    assert_found("//ul/following::a[1]", &["link"]);
    assert_found("//div/self::div/@class", &["box"]);
    assert_found("//@id", &["a", "b"]);
    assert_found("//@id/..//li[2]", &["2"]);
    assert_found("//*[@title]/attribute::*", &["/x", "t"]);
    assert_found("//p/text()", &["one", "three", "10"]);
    assert_found("//div/child::node()[2]", &["three"]);
    assert_found("count(//comment())", &["number 1"]);
    assert_found("//processing-instruction('x')", &[]);
    assert_found("//div//*[self::b or @class]", &["two", "three"]);
    assert_found(".//li[2]", &["2"]);
    assert_found("//@title/following::b | //@title/preceding::li[1]", &["3"]);
    assert_found("//@title/descendant-or-self::node()/ancestor::a", &["link"]);
}

#[test]
fn names_are_those_of_html_and_of_what_is_in_it() {
    assert_found("//LI[@CLASS='x']", &["3"]);
    assert_found("count(//svg/linearGradient) + count(//lineargradient)", &["number 1"]);
    assert_found("//svg/@viewBox", &["0 0 1 1"]);
    assert_found("//@xlink:href", &["y"]);
    assert_found("count(//template//p)", &["number 0"]);
    assert_found("name(//svg/a/@*)", &["text xlink:href"]);
    assert_found("local-name(//svg/a/@*)", &["text href"]);
    assert_found("namespace-uri(//svg)", &["text http://www.w3.org/2000/svg"]);
}

#[test]
fn functions_are_those_of_the_core_library() {
    for (xpath, wanted) in [
        ("string(//p)", "text one two"),
        ("string(//table)", "text "),
        ("concat('a', \"b\", 1 div 4)", "text ab0.25"),
        ("starts-with('abc', 'ab')", "truth true"),
        ("contains(//p, 'two')", "truth true"),
        ("substring-before('1999/04/01', '/')", "text 1999"),
        ("substring-after('1999/04/01', '19')", "text 99/04/01"),
        ("substring('12345', 2, 3)", "text 234"),
        ("substring('12345', 1.5, 2.6)", "text 234"),
        ("substring('12345', 0, 3)", "text 12"),
        ("substring('12345', 0 div 0, 3)", "text "),
        ("substring('12345', -42, 1 div 0)", "text 12345"),
        ("string-length('añb')", "number 3"),
        ("normalize-space('  a \n b ')", "text a b"),
        ("translate('bar-bar', 'abc-', 'ABC')", "text BArBAr"),
        ("boolean(//p)", "truth true"),
        ("not(//table)", "truth true"),
        ("count(//p)", "number 3"),
        ("sum(//li)", "number 6"),
        ("number(' -1.5 ')", "number -1.5"),
        ("number('1e3')", "number NaN"),
        ("floor(-1.5)", "number -2"),
        ("ceiling(1.2)", "number 2"),
        ("round(2.5)", "number 3"),
        ("round(-2.5)", "number -2"),
        ("string(1 div 0)", "text Infinity"),
        ("string(-0.0)", "text 0"),
        ("7 mod -2", "number 1"),
        ("2 + 3 * 4 - 1", "number 13"),
        ("--2", "number 2"),
        ("-2 < 1 and 1 <= 1 or false()", "truth true"),
        ("//ul[lang('de')]/@id = 'b'", "truth true"),
        ("boolean(//p[lang('en')])", "truth true"),
        ("boolean(//p[lang('fr')])", "truth false"),
        ("count(id('b a zz'))", "number 2"),
        ("string(id('b')/li[last()])", "text 3"),
        ("'a' or 0", "truth true"),
    ] {
        assert_found(xpath, &[wanted]);
    }
}

#[test]
fn comparisons_with_nodes_ask_for_one() {
    for (xpath, wanted) in [
        ("//li = 2", true),
        ("//li = '2'", true),
        ("//li != 2", true),
        ("//li[. > 1] = 1", false),
        ("//li > 2", true),
        ("3 < //li", false),
        ("3 <= //li", true),
        ("//li = //p", false),
        ("//li[.=1] != //li[.=1]", false),
        ("//li != //li", true),
        ("//table = //table", false),
        ("//table != //table", false),
        ("//table = false()", true),
        ("//li < //p", true),
        ("//p < //p[1]", false),
        ("//li = true()", true),
        ("'1' = 1.0", true),
        ("'a' = 'b'", false),
        ("0 div 0 != 0 div 0", true),
        ("//table < true()", true),
    ] {
        assert_found(xpath, &[&format!("truth {wanted}")]);
    }
}

#[test]
fn what_is_no_xpath_is_told_where() {
    for (xpath, at, what) in [
        ("", 0, "the XPath ends too early"),
        ("//", 2, "the XPath ends too early"),
        ("//a[", 4, "the XPath ends too early"),
        ("//a]", 3, "not XPath"),
        ("//a[@class='x]", 11, "the text has no end"),
        ("//a/é!", 6, "`!` means nothing in XPath"),
        ("//a[foo(.)]", 4, "XPath 1.0 has no function `foo`"),
        ("//a[$x]", 4, "there are no variables"),
        ("//a[contains(.)]", 4, "`contains()` has 1 arguments"),
        ("count('a')", 6, "this is no set of nodes"),
        ("//a | 'b'", 6, "this is no set of nodes"),
        ("('a')[1]", 0, "this is no set of nodes"),
        ("string(//a)/b", 0, "this is no set of nodes"),
        ("//up::a", 2, "there is no axis `up`"),
        ("//a/string()", 4, "`string()` is no kind of node"),
        ("//a b", 4, "not XPath"),
        ("//a[1", 5, "the XPath ends too early"),
        ("//a or", 6, "the XPath ends too early"),
    ] {
        let fault = XPath::parse(xpath).unwrap_err();
        assert_eq!((fault.at, &*fault.what), (at, what), "{xpath}");
    }
    for deep in
        ["(".repeat(4000), "//a[".repeat(1000), "-".repeat(4000), format!("1{}", "+1".repeat(2000)), "not(".repeat(900)]
    {
        assert!(XPath::parse(&deep).is_err());
    }
}

#[test]
fn steps_from_many_nodes_take_one_pass() {
    let html = "<div><p><b>x</b></p></div>".repeat(3000);
    for xpath in ["count(//*//*//*//b)", "count(//b/ancestor::div)", "count(//p/descendant-or-self::b)"] {
        assert_eq!(evaluate(&html, xpath).unwrap(), ["number 3000"], "{xpath}");
    }
}

#[test]
fn what_looks_at_every_node_for_every_node_is_given_up() {
    let html = "<p>x</p>".repeat(30_000);
    assert_eq!(evaluate(&html, "count(//p[count(following::p) = 1])").unwrap_err().kind, Kind::TooComplex);
}
