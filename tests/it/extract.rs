//! What is taken out of pages on demand.

use std::collections::HashSet;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::site::closed_port;
use crate::support::{Answer, Site, fetch, scrape};

const PAGE: &str = r#"<!doctype html>
<html lang=eo>
<head>
  <base href="/base/">
  <title>Titolo</title>
  <meta name=description content=" A  page of
    tests ">
  <meta property="og:type" content=article>
  <link rel=canonical href=canonical.html>
  <style>p { color: red }</style>
</head>
<body>
  <h1> Ĉefa   <em>titolo</em> </h1>
  <h2>Dua</h2>
  <p class=price>12 €</p>
  <p class=price>7 €</p>
  <a href=next.html>Next</a>
  <a href="http://other.test/x">Other</a>
  <img src="/pic.png" alt="">
  <script>var hidden = "secret";</script>
</body>
</html>"#;

/// The fields of [`PAGE`].
fn fields(args: &[&str]) -> (Site, Value) {
    let site = Site::start(|_| Answer::html(PAGE).header("X-Served-By", "tests"));
    let record = fetch(args.iter().copied().chain([&*site.url("/dir/page")]));
    assert_eq!(record["error"], Value::Null);
    (site, record["fields"].clone())
}

#[test]
fn without_a_demand_there_are_no_fields() {
    assert_eq!(fields(&[]).1, json!({}));
}

#[test]
fn every_built_in_field_is_read() {
    let names = ["description", "canonical", "lang", "h1", "headings", "links", "meta", "headers", "text"];
    let (site, fields) = fields(&names.iter().flat_map(|name| ["-x", name]).collect::<Vec<_>>());
    assert_eq!(fields.as_object().unwrap().len(), names.len());
    assert_eq!(fields["description"], "A page of tests");
    assert_eq!(fields["canonical"], site.url("/base/canonical.html"));
    assert_eq!((&fields["lang"], &fields["h1"]), (&json!("eo"), &json!("Ĉefa titolo")));
    let holds = |name: &str, text: &str| assert!(fields[name].to_string().contains(text), "{text} in {}", fields[name]);
    holds("headings", "Ĉefa titolo");
    holds("headings", "Dua");
    holds("links", &site.url("/base/next.html"));
    holds("links", "http://other.test/x");
    holds("meta", "og:type");
    holds("headers", "x-served-by");
    holds("text", "12 €");
    let text = fields["text"].as_str().unwrap();
    assert!(!text.contains("secret") && !text.contains("color") && !text.contains('<'), "{text}");
}

#[test]
fn fields_come_in_the_order_in_which_they_were_asked_for() {
    let site = Site::start(|_| Answer::html(PAGE));
    let run =
        scrape(["-f", "jsonl", "-x", "lang", "-s", "b=p", "-x", "h1", "-s", "a=h2", &site.url("/")]).run().succeeds();
    let positions = ["\"lang\":", "\"b\":", "\"h1\":", "\"a\":"].map(|key| run.stdout.find(key).unwrap());
    assert!(positions.is_sorted(), "{}", run.stdout);
}

#[test]
fn timing_tells_how_long_the_parts_of_the_last_request_took() {
    let latency = Duration::from_millis(50);
    let site = Site::start(move |hit| match &*hit.path {
        "/slow" => Answer::title("slow").after(latency),
        "/moved" => Answer::redirect(302, "/slow"),
        "/image" => Answer::typed("image/png", &b"\x89PNG"[..]),
        _ => Answer::title("Missing").with_status(404),
    });
    let resolve = site.resolve("name.test");
    let urls = [site.url_of("name.test", "/slow"), site.url("/moved"), site.url("/image"), site.url("/missing")];
    let run = scrape(["-f", "jsonl", "-x", "timing", "--ordered", "-c", "1", "--resolve", &resolve]).args(&urls);
    let mut records =
        run.args([format!("http://127.0.0.1:{}/", closed_port()), "--retry=0".into()]).run().exits(1).records();
    let unreached = records.pop().unwrap();
    assert_eq!(unreached["fields"], json!({"timing": null}));
    for record in &records {
        let timing = &record["fields"]["timing"];
        let of = |part: &str| timing[part].as_f64();
        let parts: f64 = ["dns", "connect", "first_byte", "body"].iter().filter_map(|part| of(part)).sum();
        assert!(of("first_byte").is_some() && of("body").is_some(), "{record}");
        // Each is rounded to a microsecond.
        assert!(parts <= of("total").unwrap() + 5e-6, "{record}");
    }
    let timing = |place: usize| &records[place]["fields"]["timing"];
    assert!(
        timing(0)["connect"].is_f64() && timing(0)["first_byte"].as_f64() >= Some(latency.as_secs_f64()),
        "{}",
        timing(0)
    );
    // A connection that was just used may not be back in time: the site knows which request came by a new one.
    let mut known = HashSet::new();
    let hits = site.hits().into_iter().map(|hit| (known.insert(hit.connection), hit.path)).collect::<Vec<_>>();
    let answers = hits.iter().filter(|(_, path)| path != "/moved").enumerate().skip(1);
    for (place, (is_new, _)) in answers {
        assert_eq!((timing(place)["dns"].is_null(), timing(place)["connect"].is_f64()), (true, *is_new), "{hits:?}");
    }
}

#[test]
fn an_explained_request_tells_its_timing_as_well() {
    let site = Site::start(|_| Answer::html(PAGE));
    let run = scrape(["explain", "-f", "json", "-x", "timing", &site.url("/")]).run().succeeds();
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    let (all, field) = (&report["requests"][0]["time_ms"], &report["fields"][0]["value"]);
    let millis = field["first_byte"].as_f64().unwrap() * 1000.0;
    assert!((all["first_byte"].as_f64().unwrap() - millis).abs() < 0.01, "{report:#}");
    assert!(all["connect"].is_f64() && field["connect"].is_f64(), "{report:#}");
}

#[test]
fn several_fields_can_be_asked_for_at_once() {
    assert_eq!(fields(&["-x", "lang,h1"]).1, json!({"lang": "eo", "h1": "Ĉefa titolo"}));
    assert_eq!(fields(&["-x", "lang, h1"]).1, json!({"lang": "eo", "h1": "Ĉefa titolo"}));
    assert_eq!(fields(&["--extract", "lang"]).1, json!({"lang": "eo"}));
}

#[test]
fn a_selector_takes_the_text_of_the_first_match() {
    assert_eq!(fields(&["-s", "price=p.price"]).1, json!({"price": "12 €"}));
    assert_eq!(fields(&["--select", "h=h1"]).1, json!({"h": "Ĉefa titolo"}));
    assert_eq!(fields(&["-s", "none=table"]).1, json!({"none": null}));
}

#[test]
fn a_selector_for_all_takes_every_match() {
    assert_eq!(fields(&["-s", "prices[]=.price"]).1, json!({"prices": ["12 €", "7 €"]}));
    assert_eq!(fields(&["-s", "none[]=table"]).1, json!({"none": []}));
}

#[test]
fn a_selector_can_take_an_attribute() {
    let (site, taken) =
        fields(&["-s", "next=a@href", "-s", "pic=img@src", "-s", "class=p@class", "-s", "none=a@title"]);
    let expected = json!({
        "next": site.url("/base/next.html"), "pic": site.url("/pic.png"), "class": "price", "none": null
    });
    assert_eq!(taken, expected);
    let (site, taken) = fields(&["-s", "all[]=a@href"]);
    assert_eq!(taken, json!({"all": [site.url("/base/next.html"), "http://other.test/x"]}));
}

#[test]
fn a_selector_may_itself_hold_brackets_and_equals_signs() {
    assert_eq!(fields(&["-s", "og=meta[property='og:type']@content"]).1, json!({"og": "article"}));
    assert_eq!(fields(&["-s", "a=a[href=\"next.html\"]"]).1, json!({"a": "Next"}));
}

#[test]
fn without_a_base_links_are_resolved_against_the_final_url() {
    let site = Site::start(|hit| match &*hit.path {
        "/" => Answer::redirect(302, "/deep/down/"),
        _ => Answer::html("<a href=x>x</a>"),
    });
    assert_eq!(fetch(["-s", "x=a@href", &site.url("/")])["fields"]["x"], site.url("/deep/down/x"));
}

#[test]
fn a_bad_selector_is_refused_before_the_first_fetch_and_says_where_it_is_wrong() {
    let site = Site::start(|_| Answer::html(PAGE));
    for selector in ["p[", "p..price", "p:nope", "> >", ""] {
        let run = scrape(["-s", &format!("price={selector}"), &site.url("/")]).run().refused_over("price");
        assert!(run.stderr.contains(selector), "{run:?}");
    }
    scrape(["-s", "nameless", &site.url("/")]).run().refused_over("nameless");
    scrape(["-s", "=p", &site.url("/")]).run().exits(2);
    assert!(site.hits().is_empty());
}

#[test]
fn names_are_unique() {
    let cases = [
        ("a", ["-s", "a=p", "-s", "a=h1"]),
        ("a", ["-s", "a=p", "-s", "a[]=h1"]),
        ("h1", ["-x", "h1", "-s", "h1=h1"]),
        ("h1", ["-x", "h1", "-x", "h1"]),
    ];
    for (name, args) in cases {
        scrape(args).args(["http://127.0.0.1:1/"]).run().refused_over(name);
    }
}

#[test]
fn a_field_that_does_not_exist_is_refused_with_those_that_do() {
    scrape(["-x", "prize", "http://127.0.0.1:1/"]).run().refused_over("description");
    scrape(["-x", "lang,title", "http://127.0.0.1:1/"]).run().refused_over("`title` is in every record");
}

#[test]
fn a_page_that_did_not_come_has_every_field_as_null() {
    let site = Site::start(|_| Answer::nothing());
    let record = fetch(["-x", "h1", "-s", "a[]=a", &site.url("/")]);
    assert_eq!(record["fields"], json!({"h1": null, "a": null}));
}

#[test]
fn fields_of_what_is_not_html_are_never_garbage() {
    let site = Site::start(|_| Answer::typed("application/json", r#"{"a": "<h1>no</h1>"}"#));
    let record = fetch(["-x", "h1", "-s", "a=h1", &site.url("/")]);
    assert_eq!((&record["fields"], &record["error"]), (&json!({"h1": null, "a": null}), &Value::Null));
}

#[test]
fn a_page_that_is_nested_too_deeply_harms_nobody_else() {
    let site = Site::start(|hit| match &*hit.path {
        "/deep" => Answer::html(format!("<title>deep</title>{}", "<ul><li>".repeat(60_000))),
        _ => Answer::html(PAGE),
    });
    let run = scrape(["-f", "jsonl", "-s", "items[]=li", &site.url("/deep"), &site.url("/flat")]).run();
    assert_eq!(run.record_of("/flat")["error"], Value::Null);
    assert_eq!(run.record_of("/deep")["error"]["kind"], "too_complex");
}

#[test]
fn hostile_pages_give_a_record_each_and_harm_no_other_page() {
    let attributes: String = (0..10_000).map(|n| n.to_string() + " ").collect();
    let reopened = ["b", "i", "u", "s", "em"].map(|name| format!("<{name} {attributes}>")).concat();
    let pages = [
        ("deep", "<div>".repeat(20_000)),
        ("formatting", "<b><i>".repeat(20_000)),
        ("reopened", format!("<p>{reopened}</p>{}", "<p>x".repeat(2_000))),
        ("anchors", "<a>".repeat(20_000)),
        ("foster", format!("<table>{}", "<b>x<tr>".repeat(5_000))),
        ("templates", "<template>".repeat(20_000)),
        ("svg", format!("<svg>{}", "<g>".repeat(20_000))),
        ("attributes", format!("<p {attributes}{attributes}>")),
        ("links", "<a href=x>y</a>".repeat(5_000)),
        ("base", format!("<base href='/{}/'>{}", "x".repeat(1_000_000), "<a href=x>y</a>".repeat(1_000))),
        ("comment", format!("<!--{}", "-> ".repeat(100_000))),
        ("tag", format!("<p {}", "x=\"y' ".repeat(20_000))),
        ("script", format!("<script>{}", "<!--<script>".repeat(20_000))),
        ("nul", "\0<p>\0</p>".repeat(10_000)),
        ("select", "<select><option>".repeat(5_000)),
        ("fine", "<p class=a>x".to_owned()),
    ];
    let names: Vec<_> = pages.iter().map(|(name, _)| *name).collect();
    let site = Site::start(move |hit| {
        let (name, body) = pages.iter().find(|(name, _)| hit.path.ends_with(name)).unwrap();
        Answer::html(format!("<title>{name}</title>{body}"))
    });
    let everything = ["-x", "description,canonical,lang,h1,headings,links,meta,text"];
    let selectors = ["-s", "deep=* * * * i", "-s", "has=p:has(~ p)", "-s", "all[]=:not(:not(p))@class"];
    for options in [&[][..], &everything, &selectors] {
        let urls = names.iter().map(|name| site.url(&format!("/{name}")));
        let run = scrape(["-f", "jsonl", "--fail-on", "none"]).args(options).args(urls).run().exits(0);
        assert_eq!(run.records().len(), names.len());
        for name in &names {
            let record = run.record_of(&format!("/{name}"));
            assert_eq!((&record["status"], &record["title"]), (&json!(200), &json!(name)));
            assert!(record["error"].is_null() || record["error"]["kind"] == "too_complex", "{record}");
            assert!(record["error"].is_null() || !options.is_empty(), "the title alone is never too much: {record}");
        }
        assert_eq!(run.record_of("/fine")["error"], Value::Null);
    }
}

#[test]
fn a_title_of_ten_megabytes_is_cut() {
    let site = Site::start(|_| Answer::html(format!("<title>{}", "a b ".repeat(2_700_000))));
    let record = fetch(["-x", "h1", "--max-body", "20M", &site.url("/")]);
    assert_eq!((&record["error"], record["title"].as_str().unwrap().len()), (&Value::Null, 100_000));
    assert_eq!(fetch([&site.url("/")])["error"]["kind"], "too_large");
}

/// A page that says everything of itself.
const ARTICLE: &str = r#"<!doctype html>
<html lang=en prefix="shop: http://shop.test/ns#">
<head>
  <title>A title of some length</title>
  <meta property="og:site_name" content="The Site"><meta property="og:image" content="/og.png">
  <meta property="og:image:width" content="3"><meta property="shop:price" content="9">
  <meta name="twitter:card" content="summary"><meta name=robots content="noindex,follow">
  <meta http-equiv=refresh content="30; url=/next">
  <link rel=icon href=icon.png><link rel=alternate type="application/atom+xml" href=/feed title=Feed>
  <link rel=alternate hreflang=de href=/de>
  <script type="application/ld+json">//<![CDATA[
    {"@type": "Article", "author": [{"name": "Ann Nym"}, "Bo"], "datePublished": "2024-05-17T10:00:00+02:00", "z": 1.50,}
  //]]></script>
  <script type="application/ld+json">{"broken": }</script>
</head>
<body>
  <h1>A title of some length</h1>
  <p>Updated <time class=updated datetime="2024-05-18">yesterday</time></p>
  <div itemscope itemtype="http://schema.org/Product" itemref="price self" id=self>
    <b itemprop=name>Anvil</b><a itemprop=url href=anvil>x</a><i itemprop=self itemscope itemref=self></i>
  </div>
  <span id=price itemprop=price>9</span>
  <picture><source srcset="small.webp 480w, large.webp 800w"><img src=plain.jpg alt="An anvil"></picture>
  <form><input type=password></form>
</body>
</html>"#;

/// One field of [`ARTICLE`], with the site's address left out.
fn fact(name: &str) -> Value {
    let site = Site::start(|_| {
        let cookie = "id=1; Path=/; HttpOnly; SameSite=Lax";
        Answer::html(ARTICLE).header("X-Robots-Tag", "googlebot: noarchive").header("Set-Cookie", cookie)
    });
    let record = fetch(["-x", name, &site.url("/dir/page")]);
    assert_eq!(record["error"], Value::Null);
    serde_json::from_str(&record["fields"][name].to_string().replace(&site.url(""), "")).unwrap()
}

#[test]
fn structured_data_is_passed_on_as_it_is() {
    assert_eq!(
        fact("jsonld"),
        json!([{
            "@type": "Article", "author": [{"name": "Ann Nym"}, "Bo"], "datePublished": "2024-05-17T10:00:00+02:00", "z": 1.50,
        }])
    );
    assert_eq!(
        fact("microdata"),
        json!([{
            "type": ["http://schema.org/Product"],
            "properties": {"name": ["Anvil"], "url": ["anvil"], "self": [{"properties": {}}], "price": ["9"]},
        }])
    );
    let pair = |(property, content): (&str, &str)| json!({"property": property, "content": content});
    let opengraph =
        [("og:site_name", "The Site"), ("og:image", "/og.png"), ("og:image:width", "3"), ("shop:price", "9")];
    assert_eq!(fact("opengraph"), json!(opengraph.map(pair)));
    assert_eq!(fact("twitter"), json!([pair(("twitter:card", "summary"))]));
}

#[test]
fn what_a_page_says_of_itself_is_read() {
    assert_eq!(fact("author"), json!(["Ann Nym", "Bo"]));
    assert_eq!(fact("date"), "2024-05-17T10:00:00+02:00");
    assert_eq!(fact("modified"), "2024-05-18");
    assert_eq!(fact("site_name"), "The Site");
    assert_eq!(fact("robots"), "noindex, follow, googlebot: noarchive");
    assert_eq!(fact("favicon"), "/dir/icon.png");
    assert_eq!(fact("meta_refresh"), "/next");
    assert_eq!(fact("feeds"), json!([{"url": "/feed", "type": "application/atom+xml", "title": "Feed"}]));
    assert_eq!(fact("hreflang"), json!([{"lang": "de", "url": "/de"}]));
}

#[test]
fn images_have_all_their_sources_and_a_best_one() {
    let image =
        |url: &str, size: Option<&str>, best: bool| json!({"url": url, "alt": "An anvil", "size": size, "best": best});
    let wanted = json!([
        image("/dir/small.webp", Some("480w"), false),
        image("/dir/large.webp", Some("800w"), true),
        image("/dir/plain.jpg", None, false),
    ]);
    assert_eq!(fact("images"), wanted);
}

#[test]
fn cookies_have_their_values_and_attributes() {
    let cookie = json!({
        "name": "id", "value": "1", "domain": null, "path": "/", "expires": null, "max_age": null, "secure": false,
        "http_only": true, "same_site": "Lax",
    });
    assert_eq!(fact("cookies"), json!([cookie]));
}

#[test]
fn a_hint_says_what_said_so() {
    assert_eq!(fact("hint"), json!([{"hint": "login", "signal": "input of type password"}]));
}

#[test]
fn all_fields_that_are_cheap_come_at_once() {
    let site = Site::start(|_| Answer::html(ARTICLE));
    let record = fetch(["-x", "all", "-s", "h1=b", &site.url("/")]);
    let fields = record["fields"].as_object().unwrap();
    assert_eq!(fields["h1"], "Anvil");
    for name in ["description", "jsonld", "microdata", "date", "hint", "cookies", "text", "links"] {
        assert!(fields.contains_key(name), "{name}");
    }
    assert_eq!(record["error"], Value::Null);
}

#[test]
fn microdata_that_is_too_much_harms_nobody_else() {
    let site = Site::start(|hit| match &*hit.path {
        "/bomb" => {
            let items = "<p itemscope itemref=a>".repeat(10_000);
            Answer::html(format!("<title>bomb</title><div id=a>{}</div>{items}", "<b itemprop=a>b</b>".repeat(10_000)))
        }
        _ => Answer::html(ARTICLE),
    });
    let run = scrape(["-f", "jsonl", "-x", "microdata,h1", &site.url("/bomb"), &site.url("/")]).run();
    assert_eq!(run.record_of("/")["error"], Value::Null);
    let bomb = run.record_of("/bomb");
    assert_eq!((&bomb["error"]["kind"], &bomb["title"]), (&json!("too_complex"), &json!("bomb")));
    assert_eq!(bomb["fields"]["microdata"], Value::Null);
}

#[test]
fn a_record_stays_one_line_whatever_json_a_page_has() {
    let block = "{\"a\": \"x\\u2028\u{2028}\u{1b}[31m\n\",\r\n \"b\": [\n1 ]}";
    let site = Site::start(move |_| Answer::html(format!("<script type=application/ld+json>{block}</script>")));
    let run = scrape(["-f", "jsonl", "-x", "jsonld", &site.url("/")]).run().succeeds();
    assert_eq!(run.stdout.lines().count(), 1);
    assert!(!run.stdout.contains(['\u{1b}', '\u{2028}']), "{}", run.stdout);
    assert_eq!(run.record()["fields"]["jsonld"][0]["b"], json!([1]));
}
