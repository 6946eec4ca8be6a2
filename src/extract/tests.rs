mod hostile;

use html5ever::expanded_name;
use html5ever::{local_name, ns};
use proptest::prelude::*;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use scraper::{ElementRef, Html};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use url::Url;

use super::deadline::Deadline;
use super::text::Prose;
use super::*;
use crate::failure;
use crate::fetch::{Fetched, Head};

pub(super) fn page(body: &str) -> Page<'static> {
    typed("text/html;charset=utf-8", body)
}

fn typed(content_type: &'static str, body: &str) -> Page<'static> {
    let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(content_type))]);
    answer("http://a.test/b/c", headers, body)
}

pub(super) fn answer(url: &str, headers: HeaderMap, body: &str) -> Page<'static> {
    let url = Url::parse(url).unwrap();
    let fetched = Fetched { url, head: Head { status: 200, headers }, body: body.to_owned().into() };
    Page::read(Box::leak(Box::new(fetched)))
}

pub(super) fn field(name: &str) -> Ask {
    Ask::Field(name.to_owned())
}

fn select(expression: &str) -> Ask {
    Ask::Select(expression.to_owned())
}

#[test]
fn a_jq_program_is_refused_where_nothing_is_there_to_run_it() {
    let recipe = |items: &str| Ask::Recipes {
        name: "r.toml".to_owned(),
        text: format!("[[recipe]]\nitems = \"{items}\"\nfields = {{ b = \"$.b\" }}"),
    };
    for ask in [select("a=jq:.a"), recipe("jq:.a[]")] {
        let asks = [ask];
        assert_eq!(Extractor::new(&asks).unwrap_err(), Error::NothingRunsJq);
        let options = Options { jq: Some(|| std::process::Command::new("false")) };
        assert!(Extractor::with_options(&asks, options).is_ok());
    }
    assert!(Extractor::new(&[recipe("$.a[*]")]).is_ok());
}

pub(super) fn read(asks: &[Ask], body: &str) -> Extracted {
    Extractor::new(asks).unwrap().read(&page(body))
}

pub(super) fn value(ask: Ask, body: &str) -> Json {
    let extracted = read(&[ask], body);
    assert_eq!(extracted.failure, None);
    serde_json::to_value(&extracted.rows[0].0[0]).unwrap()
}

fn title(body: &str) -> Option<String> {
    read(&[], body).title
}

/// The title as the whole tree has it.
fn title_of_tree(body: &str) -> Option<String> {
    let tree = Html::parse_document(body);
    let mut elements = tree.tree.root().descendants().filter_map(ElementRef::wrap);
    let title = elements.find(|element| {
        element.value().name.expanded() == expanded_name!(html "title")
            && !element.ancestors().any(|node| node.value().is_fragment())
    })?;
    let mut prose = Prose::default();
    title.text().for_each(|text| prose.push(text));
    Some(prose.finish())
}

const ODD_TITLES: &[&str] = &[
    "",
    "plain text",
    "<title>a</title>",
    "<title></title><title>b</title>",
    "<title>a</title><title>b</title>",
    "<TITLE\n>\n a \t b\r\n</TITLE >",
    "<title>a &amp; b &lt;c&gt; &#x1F600; &nope; &copy</title>",
    "<title><b>a</b><!-- c --></title>",
    "<title>a",
    "<title>a</titl",
    "<title>a<title>b</title></title>",
    "<title/>a</title>",
    "</title><title>a</title>",
    "\u{feff}<title>a</title>",
    "<title>a\0b</title>",
    "<!-- <title>no</title> --><title>a</title>",
    "<!--><title>a</title>",
    "<![CDATA[<title>a</title>]]>",
    "<script><title>no</title></script><title>a</title>",
    "<script><!-- <script><title>no</title></script> --></script><title>a</title>",
    "<style><title>no</title></style><title>a</title>",
    "<textarea><title>no</title></textarea><title>a</title>",
    "<noscript><title>no</title></noscript><title>a</title>",
    "<body><noscript><title>no</title></noscript><title>a</title>",
    "<iframe><title>no</title></iframe><xmp><title>no</title></xmp><noembed><title>no</title></noembed><title>a</title>",
    "<template><title>no</title></template><title>a</title>",
    "<template><template><title>no</title></template></template></template><title>a</title>",
    "<template><svg><title>no</title></template><title>a</title>",
    "<body><div><template><div></template><title>a</title>",
    "<svg><title>no</title></svg><title>a</title>",
    "<svg><g><title>no</title></svg><title>a</title>",
    "<svg/><title>a</title>",
    "<svg><title>no<div></div><title>a</title></title></svg>",
    "<svg><foreignObject><title>a</title></foreignObject></svg>",
    "<svg><desc><title>a</title></desc></svg>",
    "<svg><path><p><title>a</title>",
    "<svg><font><title>no</title></font><font color=red><title>a</title>",
    "<svg><script><title>no</title></script></svg><title>a</title>",
    "<svg><style><title>no</style></svg><title>a</title>",
    "<svg><![CDATA[</svg><title>no</title>]]></svg><title>a</title>",
    "<div><svg><g></div><title>a</title>",
    "<div><svg></p><title>a</title>",
    "<a><svg><g></a><title>a</title>",
    "<math><title>no</title></math><title>a</title>",
    "<math><mi><title>a</title></mi></math>",
    "<math><annotation-xml><title>no</title><svg><title>no</title></svg></annotation-xml></math><title>a</title>",
    "<math><mtext><mglyph><title>no</title></mglyph><title>a</title>",
    "<head><title>a</title>",
    "<html><body><title>a</title>",
    "<head></head><title>a</title>",
    "<p>text<title>a</title>",
    "</head></body></html><title>a</title>",
    "<plaintext><title>no</title>",
    "<table><title>a</title><tr><td></table>",
    "<table><tr><td><svg><title>no<tr><td><title>a</title></table>",
    "<select><title>a</title></select>",
    "<select><option><svg><title>no</title></select><title>a</title>",
    "<frameset><title>no</title></frameset><title>no</title>",
    "<title>a</title><frameset><frame></frameset>",
    "<frameset><noframes><title>no</title></noframes></frameset>",
    "<p><frameset><title>no</title>",
    "<p>x<frameset></frameset><title>a</title>",
    "<head></head> <noscript></noscript><frameset><title>no</title>",
    "<br><frameset><title>a</title>",
    "<b><svg><b></b></svg></b><title>a</title>",
    "<object><svg></object><title>a</title>",
    "<button><svg><button><title>a</title>",
    "<h1><svg></h2><title>a</title>",
    "<svg></body><title>no</title>",
    "<svg></img></html></head><title>no</title>",
    "<form><svg></form><title>a</title>",
    "<li><svg></li><title>a</title>",
    "<span><svg></span><title>a</title>",
    "<x><div><svg></x></svg></div><title>a</title>",
];

#[test]
fn the_title_is_that_of_the_whole_tree() {
    for body in ODD_TITLES {
        assert_eq!(title(body), title_of_tree(body), "{body}");
    }
    assert!(ODD_TITLES.iter().any(|body| title(body).is_none()));
}

#[test]
fn the_title_is_collapsed_and_bounded() {
    assert_eq!(title("<title>\n a\u{a0}b \t c\u{c}</title>").as_deref(), Some("a\u{a0}b c"));
    assert_eq!(title("<title> </title>").as_deref(), Some(""));
    assert_eq!(title(&format!("<title>{}</title>", "é".repeat(300_000))).unwrap().chars().count(), 100_000);
}

#[test]
fn only_html_has_a_title() {
    for content_type in ["application/json", "text/xml", "text/plain", "image/png"] {
        let extracted = Extractor::default().read(&typed(content_type, "<title>a</title>"));
        assert_eq!(extracted.title, None, "{content_type}");
    }
    assert_eq!(Extractor::default().read(&typed("application/xhtml+xml", "<title>a</title>")).title.unwrap(), "a");
}

#[test]
fn reading_goes_no_further_than_needed() {
    let endless = |start: &str| format!("{start}{}", "<b>".repeat(200_000));
    let head = "<title>a</title><meta name=description content=b>";
    let extracted = read(&[field("description")], &endless(&format!("{head}</head><body>")));
    assert_eq!((extracted.title.as_deref(), extracted.failure), (Some("a"), None));
    assert_eq!(extracted.rows[0].0[0].to_cell(), "b");
}

#[test]
fn only_selectors_and_some_fields_need_the_tree() {
    let needs_tree = |asks: &[Ask]| Extractor::new(asks).unwrap().needs_tree();
    assert!(!needs_tree(&[]));
    let others = FIELDS.iter().filter(|one| one.is_cheap() && one.name != "microdata");
    assert!(!needs_tree(&others.map(|one| field(one.name)).collect::<Vec<_>>()));
    assert!(needs_tree(&[field("lang"), field("words")]));
    assert!(needs_tree(&[select("a=b"), field("lang")]));
    let microdata = Extractor::new(&[field("microdata")]).unwrap();
    assert!(microdata.needs_tree());
    let needs_tree_of = |body| microdata.needs_tree_of(&page(body), None);
    assert_eq!(
        [needs_tree_of("<p itemscope>"), needs_tree_of("<P ITEMSCOPE>"), needs_tree_of("<p>")],
        [true, true, false]
    );
}

#[test]
fn no_field_takes_what_another_one_needs() {
    let body = "<html lang=de><title>t</title><meta name=description content=' a  b'><link rel=canonical href=c>
        <base href=/x/><body><h1>one</h1><h1>two</h1><p>text <a href=y>three</a>";
    let mut asks: Vec<_> = FIELDS.iter().map(|one| field(one.name)).collect();
    let alone: Vec<_> = asks.iter().map(|ask| value(ask.clone(), body)).collect();
    let together = |asks: &[Ask]| serde_json::to_value(&read(asks, body).rows[0].0).unwrap();
    assert_eq!(together(&asks), json!(alone));
    asks.reverse();
    assert_eq!(together(&asks), json!(alone.into_iter().rev().collect::<Vec<_>>()));
}

#[test]
fn the_head_is_read() {
    let body =
        "<html lang=' de '><base href=/x/><meta name=Description content=' a  b '><meta property=og:title content=t>
        <link rel='alternate' href=no><link rel='x CANONICAL' href=c#d></head><meta itemprop=late content=l>
        <body><meta name=no content=no>";
    assert_eq!(value(field("description"), body), "a b");
    assert_eq!(value(field("canonical"), body), "http://a.test/x/c#d");
    assert_eq!(value(field("lang"), body), "de");
    let metas = value(field("meta"), body);
    let names: Vec<_> = metas.as_array().unwrap().iter().map(|meta| meta["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["Description", "og:title", "late"]);
    for name in ["description", "canonical", "lang"] {
        assert_eq!(value(field(name), "<p><template><html lang=no></template>"), Json::Null);
    }
}

#[test]
fn links_are_absolute() {
    let body = "<a href=' d#e '>a <b>b</b>\n</a><a>no</a><a href='http://['>no</a><area href=/f alt=g>
        <p><a href=mailto:x@y rel='me NoFollow'>h<p><a href=''>i</a><template><a href=no>no</a></template>
        <svg><a href=no>no</a></svg><base href=/x/>";
    let link = |url: &str, text: &str| json!({"url": url, "text": text, "rel": null, "nofollow": false});
    let mut mail = link("mailto:x@y", "h");
    mail["rel"] = json!("me NoFollow");
    mail["nofollow"] = json!(true);
    let wanted =
        json!([link("http://a.test/x/d#e", "a b"), link("http://a.test/f", "g"), mail, link("http://a.test/x/", "i"),]);
    assert_eq!(value(field("links"), body), wanted);
}

#[test]
fn headings_end_with_their_element() {
    let body = "<h2>a<script>no</script> <i>b</i><br><svg><style>no</style><title>c</title></svg></h3>no<div><h1>d<p>e</div>no<h1>f</h1><h6>";
    let wanted = json!([
        {"level": 2, "text": "a b c"}, {"level": 1, "text": "d e"}, {"level": 1, "text": "f"}, {"level": 6, "text": ""},
    ]);
    assert_eq!(value(field("headings"), body), wanted);
    assert_eq!(value(field("h1"), body), "d e");
    assert_eq!(value(field("h1"), "<h2>a"), Json::Null);
}

#[test]
fn misnested_formatting_ends_nothing_around_or_inside_it() {
    let text = |name: &str, body: &str| value(field(name), body)[0]["text"].clone();
    assert_eq!(text("links", "<font><div><a href=1>one</font> two</a> no</div>"), "one two");
    assert_eq!(text("links", "<b><i><div><a href=1>one</b></i> two</a></div>"), "one two");
    assert_eq!(text("headings", "<i><h1>x</i>y</h1>no"), "xy");
    assert_eq!(text("headings", "<i><b><h1>x</b><u>y</i>z</u></h1>no"), "xyz");
    assert_eq!(text("headings", &format!("{}<h1>x</i>y</h1>no", "<i><div></i></div>".repeat(1000))), "xy");
}

#[test]
fn headings_and_links_below_the_depth_that_is_followed_end_with_their_tags() {
    let body = "<div>".repeat(600) + "<h1>He<b>a</b>d</h1> tail <a href=1>li<b>n</b>k</a> tail<h2>two</h2></div>";
    assert_eq!(value(field("headings"), &body), json!([{"level": 1, "text": "Head"}, {"level": 2, "text": "two"}]));
    assert_eq!(value(field("links"), &body)[0]["text"], "link");
}

#[test]
fn text_is_what_is_seen() {
    let body = "<title>no</title>  a <b>b</b>c<style>no</style><noscript>no</noscript><textarea>no</textarea><div>d
        e<p>f</div>g<br>h<pre>i\n  j</pre><table><tr><td>k<td>l<tr><td>m</table><template>no</template>
        <svg><title>no</title><text>n</text></svg><ul><li>o<li>p</ul>";
    assert_eq!(value(field("text"), body), "a bc\nd e\nf\ng\nh\ni\n  j\nk\tl\nm\nn\no\np");
    let text = Extractor::new(&[field("text"), field("links")]).unwrap().read(&typed("text/plain", "<b> a"));
    assert_eq!(serde_json::to_value(&text.rows[0].0).unwrap(), json!(["<b> a", null]));
}

#[test]
fn headers_are_those_of_the_answer() {
    assert_eq!(value(field("headers"), ""), json!([{"name": "content-type", "value": "text/html;charset=utf-8"}]));
}

#[test]
fn selectors_take_texts_and_attributes() {
    let body = "<base href=/x/><ul><li class=a> 1 <b>2</b><script>no</script><p>3</p>4<li><a href=d title=' t '>5</a>
        <template><li>no</template></ul><script type=x>{ a }</script><img src='http://['>";
    assert_eq!(value(select("n=li.a"), body), "1 2 3 4");
    assert_eq!(value(select("n[]=li"), body), json!(["1 2 3 4", "5"]));
    assert_eq!(value(select("n=li.b"), body), Json::Null);
    assert_eq!(value(select("n[]=li.b"), body), json!([]));
    assert_eq!(value(select("n=a@href"), body), "http://a.test/x/d");
    assert_eq!(value(select("n=a[title]@title"), body), " t ");
    assert_eq!(value(select("n=li@title"), body), Json::Null);
    assert_eq!(value(select("n[]=li, a@title"), body), json!([" t "]));
    assert_eq!(value(select("n=img@src"), body), Json::Null);
    assert_eq!(value(select("n=script[type='x']"), body), "{ a }");
    assert_eq!(value(select("n=a[href='@x'], b"), body), "2");
}

#[test]
fn a_row_has_the_order_of_what_was_asked_for() {
    let extractor = Extractor::new(&[select("z=b"), field("lang"), select("a=i")]).unwrap();
    let extracted = extractor.read(&page("<html lang=de><i>1</i><b>2</b>"));
    assert_eq!(extractor.names(), ["z".into(), "lang".into(), "a".into()]);
    assert_eq!(serde_json::to_value(&extracted.rows[0].0).unwrap(), json!(["2", "de", "1"]));
}

#[test]
fn white_space_around_the_name_of_a_field_does_not_count() {
    let extractor = Extractor::new(&[field("lang"), field(" h1\t")]).unwrap();
    assert_eq!(extractor.names(), ["lang".into(), "h1".into()]);
}

#[test]
fn what_cannot_be_extracted_is_refused() {
    let error = |asks: &[Ask]| Extractor::new(asks).err().unwrap().to_string();
    assert!(
        error(&[field("lnks")]).starts_with("there is no field `lnks`; did you mean `links`?\nfields: description, ")
    );
    let names: Vec<_> = FIELDS.iter().map(|field| field.name).collect();
    let fields = names.join(", ") + ", all";
    assert_eq!(error(&[field("price")]), format!("there is no field `price`\nfields: {fields}"));
    assert_eq!(
        error(&[field(" title")]),
        format!("there is no field `title`; `title` is in every record\nfields: {fields}")
    );
    assert_eq!(error(&[field("lang"), field(" lang ")]), "two fields are called `lang`");
    assert_eq!(error(&[field("lang"), select("lang=b")]), "two fields are called `lang`");
    assert_eq!(error(&[select("h1")]), "there is no name\n  h1\n  ^");
    for nameless in ["=b", "[]=b", "a b=c", "1=b", "a[href=x]", "\u{e9}=b"] {
        assert!(error(&[select(nameless)]).starts_with("this is no name\n"), "{nameless}");
    }
}

#[test]
fn a_bad_selector_is_shown_where_it_is_wrong() {
    for (expression, caret) in [
        ("price=div > p[", 13),
        ("price=a, , b", 9),
        ("price=", 6),
        ("price=@href", 6),
        ("price=a:hover", 7),
        ("price=a >", 9),
        ("price=é..b@x", 7),
        ("price=div:not(b, ::c)", 17),
    ] {
        let error = Extractor::new(&[select(expression)]).err().unwrap().to_string();
        assert_eq!(error, format!("not a CSS selector\n  {expression}\n  {:caret$}^", ""));
    }
}

#[test]
fn the_schema_of_every_field_is_true() {
    let body = "<html lang=de><meta name=description content=d><link rel=canonical href=x><h1>a</h1><a href=b rel=c>c</a>
        <link rel=icon href=i><link rel=alternate type=application/rss+xml href=f><meta name=author content=a><img src=a>
        <link rel=alternate hreflang=de href=d><meta property=og:x content=y><meta name=twitter:x content=y>
        <script type=application/ld+json>{\"a\": 1}</script><p itemscope itemid=x><time datetime=2024-01-01></time>
        <input type=password><meta name=robots content=all><meta http-equiv=refresh content='0;url=x'>";
    for field in FIELDS {
        let schema: Json = serde_json::from_str(field.schema).unwrap();
        let validator = jsonschema::validator_for(&schema).unwrap();
        for page in [page(body), page(""), typed("image/png", "")] {
            let extractor = Extractor::new(&[Ask::Field(field.name.to_owned())]).unwrap();
            let value = serde_json::to_value(&extractor.read(&page).rows[0].0[0]).unwrap();
            assert!(validator.is_valid(&value), "{}: {value}", field.name);
        }
    }
}

#[derive(Deserialize)]
struct EntityVector {
    body: String,
    want: String,
}

#[test]
fn public_vectors_of_character_references_are_decoded() {
    let lines = include_str!("../../tests/fixtures/entities.jsonl").lines();
    let vectors: Vec<EntityVector> = lines.map(|line| serde_json::from_str(line).unwrap()).collect();
    for vector in &vectors {
        let mut wanted = Prose::default();
        wanted.push(&vector.want);
        let title = title(&format!("<!doctype html><title>{}</title>", vector.body));
        assert_eq!(title, Some(wanted.finish()), "{}", vector.body);
    }
    assert_eq!(vectors.len(), 317);
}

#[derive(Deserialize)]
struct UrlVector {
    id: String,
    base: String,
    href: String,
    want: Option<String>,
}

#[test]
fn public_vectors_of_urls_are_resolved() {
    let escape = |text: &str| text.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;");
    let lines = include_str!("../../tests/fixtures/urls.jsonl").lines();
    let vectors: Vec<UrlVector> = lines.map(|line| serde_json::from_str(line).unwrap()).collect();
    let is_wrong = |vector: &&UrlVector| {
        let body = format!("<base href=\"{}\"><a href=\"{}\">x</a>", escape(&vector.base), escape(&vector.href));
        let found = value(field("links"), &body);
        let url = found[0]["url"].as_str().map(|url| url.split('#').next().unwrap_or_default().to_owned());
        url.as_deref() != vector.want.as_deref().and_then(|want| want.split('#').next())
    };
    let wrong: Vec<_> = vectors.iter().filter(is_wrong).map(|vector| &*vector.id).collect();
    // The `url` crate takes `///host` for a URL without a host.
    assert_eq!(wrong, ["url963", "url964", "url966", "url967"]);
    assert_eq!(vectors.len(), 206);
}

/// Tag soup of what the outline has rules for.
fn soup() -> impl Strategy<Value = String> {
    let tags = "a|b|p|div|span|table|tr|td|svg|math|mi|title|desc|foreignObject|template|head|body|html|frameset|h1|h2\
        |li|ul|script|style|noscript|textarea|select|option|button|form|br|base href=x|a href=y|font color=x|pre|plaintext";
    let pieces = format!("</?({tags})/?>|x| |\n|&amp;|<!--|-->|<|>|é|\0|<!\\[CDATA\\[|\\]\\]>");
    proptest::string::string_regex(&format!("({pieces}){{0,40}}")).unwrap()
}

/// Every node of a tree with its depth, in order. What a comment says is left out.
fn nodes(html: &Html) -> Vec<(usize, String)> {
    let shown = html.tree.root().descendants().map(|node| {
        let shown = if node.value().is_comment() { "comment".into() } else { format!("{:?}", node.value()) };
        (node.ancestors().count(), shown)
    });
    shown.collect()
}

fn everything() -> Extractor {
    let fields = FIELDS.iter().map(|one| field(one.name));
    Extractor::new(&fields.chain([select("x[]=*"), select("y=a@href")]).collect::<Vec<_>>()).unwrap()
}

proptest! {
    #[test]
    fn no_bytes_are_too_odd(body: Vec<u8>) {
        let body = String::from_utf8_lossy(&body);
        prop_assert_eq!(everything().read(&page(&body)).failure, None);
    }

    #[test]
    fn no_soup_is_too_odd(body in soup()) {
        let all = everything().read(&page(&body));
        prop_assert_eq!(all.failure, None);
        prop_assert_eq!(&all.title, &title(&body));
        prop_assert_eq!(all.title, title_of_tree(&body));
    }

    #[test]
    fn the_tree_is_that_of_scraper(body in soup(), doctype in "(<!doctype( html( public \"-//IETF//DTD HTML//\")?)?>)?") {
        let body = doctype + &body;
        let ours = construct::build(&body, &Deadline::for_text(&body)).unwrap();
        let theirs = Html::parse_document(&body);
        prop_assert_eq!(ours.quirks_mode, theirs.quirks_mode);
        prop_assert_eq!(nodes(&ours), nodes(&theirs), "{:?}", body);
    }

    #[test]
    fn no_expression_is_too_odd(expression in "\\PC{0,20}|[a-z\\[\\]=@:.#>+~,()'\" é]{0,20}") {
        if let Err(error) = Extractor::new(&[select(&expression)]) {
            prop_assert!(!error.to_string().is_empty());
        }
    }
}
