//! The facts of pages: who, when, where, and whether it is the right one.

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;
use serde_json::{Map, Value as Json, json};

use super::tests::{answer, field, page, read, value};
use super::*;

/// A field of an answer with header fields.
fn answered(name: &str, headers: &[(&'static str, &'static str)], body: &str) -> Json {
    let headers = headers.iter().map(|&(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
    let mut all =
        HeaderMap::from_iter([(HeaderName::from_static("content-type"), HeaderValue::from_static("text/html"))]);
    headers.for_each(|(name, value)| {
        all.append(name, value);
    });
    let extracted = Extractor::new(&[field(name)]).unwrap().read(&answer("http://a.test/b/c", all, body));
    serde_json::to_value(&extracted.rows[0].0[0]).unwrap()
}

#[test]
fn a_description_is_the_pages_own_before_that_for_sharing() {
    let shared = "<meta property=og:description content=' o  g '><meta name=twitter:description content=t>";
    assert_eq!(value(field("description"), shared), "o g");
    assert_eq!(value(field("description"), &format!("{shared}<meta name=description content=d>")), "d");
    assert_eq!(value(field("description"), &format!("{shared}<meta name=description content=' '>")), "o g");
}

/// A German text without a word in another language.
const GERMAN: &str = "Der alte Hafen liegt am Ende einer schmalen Straße, die sich von den Hügeln herunterwindet. Am Morgen \
    bringen die Fischer ihre Boote zurück, und bis zum Mittag ist das meiste von dem, was sie gefangen haben, schon \
    unterwegs zu den Märkten der größeren Städte.";

#[test]
fn a_language_that_nobody_declares_is_that_of_the_text() {
    let page =
        |head: &str| format!("{head}<nav><a>Home</a><a>About us</a></nav><p>{GERMAN}<script>/* {GERMAN} */</script>");
    assert_eq!(answered("lang", &[], &page("")), "de");
    assert_eq!(answered("lang", &[], &page("<html lang=''>")), "de", "unknown (WHATWG HTML, section 3.2.6.2)");
    assert_eq!(answered("lang", &[("content-language", "de, fr")], &page("")), "de");
    assert_eq!(answered("lang", &[], &page("<html lang=nl>")), "nl", "what is declared counts");
    assert_eq!(answered("lang", &[("content-language", "nl")], &page("")), "nl");
    assert_eq!(answered("lang", &[], &format!("<p>Kurz.<script>/* {GERMAN} */</script>")), Json::Null);
    let both = read(&[field("text"), field("lang")], &page("<title>t</title>"));
    assert_eq!(both.rows[0].0[1].to_cell(), "de", "the text may be read already");
}

#[test]
fn a_language_is_declared_in_three_places() {
    let header = [("content-language", "de-AT")];
    assert_eq!(answered("lang", &header, "<p>"), "de-AT");
    let meta = "<meta http-equiv=content-language content=fr>";
    assert_eq!(answered("lang", &header, meta), "fr");
    assert_eq!(answered("lang", &header, &format!("<html xml:lang=it>{meta}")), "it");
    assert_eq!(answered("lang", &header, &format!("<html xml:lang=it lang=es>{meta}")), "es");
    assert_eq!(answered("lang", &[("content-language", "de, fr")], "<html lang=' '>"), Json::Null);
}

#[test]
fn what_robots_may_do_is_said_in_the_head_and_the_header() {
    let meta = "<meta name=Robots content=' noindex,follow '><meta name=googlebot content=no>";
    assert_eq!(value(field("robots"), meta), "noindex, follow");
    let headers = [("x-robots-tag", "otherbot: noarchive"), ("x-robots-tag", "max-snippet: 5, nofollow")];
    assert_eq!(answered("robots", &headers, meta), "noindex, follow, max-snippet: 5, nofollow, otherbot: noarchive");
    assert_eq!(value(field("robots"), ""), Json::Null);
}

#[test]
fn links_of_the_head_are_absolute() {
    let body =
        "<base href=/x/><link rel=icon href='http://['><link rel='Shortcut ICON' href=i.ico><link rel=icon href=no>
        <link rel=alternate type='application/rss+xml; charset=utf-8' href=f title=F hreflang=en><link rel=feed href=g>
        <link rel=alternate type=application/json href=no><link rel=alternate hreflang=' de-AT' href=de>
        <link rel=alternate hreflang=x-default href=/><link rel=alternate hreflang=no href='http://['>";
    assert_eq!(value(field("favicon"), body), "http://a.test/x/i.ico");
    assert_eq!(
        value(field("feeds"), body),
        json!([
            {"url": "http://a.test/x/f", "type": "application/rss+xml; charset=utf-8", "title": "F"},
            {"url": "http://a.test/x/g", "type": null, "title": null},
        ])
    );
    assert_eq!(
        value(field("hreflang"), body),
        json!([
            {"lang": "de-AT", "url": "http://a.test/x/de"}, {"lang": "x-default", "url": "http://a.test/"},
        ])
    );
}

#[test]
fn header_fields_tell_of_what_is_no_html() {
    let pdf = [("content-type", "application/pdf"), ("link", "</c>; rel=canonical"), ("x-robots-tag", "noindex")];
    assert_eq!(answered("canonical", &pdf, "%PDF-"), "http://a.test/c");
    assert_eq!(answered("robots", &pdf, "%PDF-"), "noindex");
    assert_eq!(answered("favicon", &pdf, "%PDF-"), Json::Null);
    assert_eq!(answered("meta_refresh", &[("refresh", "5; url=/d")], ""), "http://a.test/d");
}

#[test]
fn what_is_written_into_the_head_is_of_the_head() {
    let late = "<link rel=canonical href=/c><meta property=og:title content=t>";
    let count = |body: &str| value(field("opengraph"), body).as_array().unwrap().len();
    assert_eq!(count(&format!("<head><div>no head</div>{late}</head>")), 1);
    assert_eq!(value(field("canonical"), &format!("<head><img>{late}")), "http://a.test/c");
    for body in ["<head><div></div></head>", "<head><div></div><body>", "<div></div>", "<body><head>", "<p><head>"] {
        assert_eq!(count(&format!("{body}{late}")), 0, "{body}");
    }
}

#[test]
fn every_source_of_an_image_is_listed_and_one_is_the_best() {
    let body = "<img src=a.png alt=' A '><img src='' alt=x><img srcset='b 1x, c 2x' src=b.png>
        <picture><source srcset='d 480w,e 800w'><img src=f.jpg alt=F></picture><img data-src=g src='data:,x'>
        <video><source src=no></video><img src='http://['><template><img src=no></template>";
    let image = |name: &str, alt: Option<&str>, size: Option<&str>, best: bool| json!({"url": format!("http://a.test/b/{name}"), "alt": alt, "size": size, "best": best});
    assert_eq!(
        value(field("images"), body),
        json!([
            image("a.png", Some("A"), None, true),
            image("b", None, Some("1x"), false),
            image("c", None, Some("2x"), true),
            image("b.png", None, None, false),
            image("d", Some("F"), Some("480w"), false),
            image("e", Some("F"), Some("800w"), true),
            image("f.jpg", Some("F"), None, false),
            image("g", None, None, true),
        ])
    );
}

#[test]
fn blocks_of_json_ld_are_found_wherever_they_are() {
    let body = "<script type='Application/LD+JSON; x'>{\"a\": \"</p>&amp;\"}</script><p><script type=application/ld+json>[{\"b\":
        1},]</script><script type=application/json>{}</script><template><script type=application/ld+json>{}</script></template>
        <script type=application/ld+json>{\"broken\"</script><script type=application/ld+json>{\"c\": 1.0";
    assert_eq!(read(&[field("jsonld")], body).rows[0].0[0].to_cell(), r#"[{"a":"</p>&amp;"},{"b":1}]"#);
}

#[test]
fn a_site_is_called_what_it_calls_itself() {
    let application = "<meta name=application-name content=A>";
    let described = "<script type=application/ld+json>{\"@type\": \"WebSite\", \"name\": \"W\"}</script>";
    let shared = "<meta property=og:site_name content=' O '>";
    assert_eq!(value(field("site_name"), application), "A");
    assert_eq!(value(field("site_name"), &format!("{application}{described}")), "W");
    assert_eq!(value(field("site_name"), &format!("{application}{described}{shared}")), "O");
    assert_eq!(value(field("site_name"), ""), Json::Null);
}

#[test]
fn authors_come_from_what_is_most_explicit() {
    let marked = "<h1>Title</h1><p class=byline>By Cara Penn</p><aside><a rel=author>no</a></aside>";
    let property = "<span itemprop=author>Dora Mark</span>";
    let meta =
        "<meta name=author content='Bo Meta'><meta name=author content='Bea Meta'><meta name=author content='Bo Meta'>";
    let json = "<script type=application/ld+json>{\"@type\": \"Article\", \"author\": {\"name\": \"Al\"}}</script>";
    assert_eq!(value(field("author"), ""), json!([]));
    assert_eq!(value(field("author"), marked), json!(["Cara Penn"]));
    assert_eq!(value(field("author"), &format!("{marked}{property}")), json!(["Dora Mark"]));
    assert_eq!(value(field("author"), &format!("{meta}{marked}{property}")), json!(["Bo Meta", "Bea Meta"]));
    assert_eq!(value(field("author"), &format!("{meta}{marked}{json}")), json!(["Al"]));
    let card = "<meta name=twitter:label1 content='Verfasst von'><meta name=twitter:data1 content='Ed Card'>";
    assert_eq!(value(field("author"), &format!("{card}{marked}")), json!(["Ed Card"]));
    assert_eq!(value(field("author"), "<div class=author-box>Sign in to comment</div>"), json!([]));
}

#[test]
fn the_most_trusted_date_wins() {
    // From what is believed least to what is believed most.
    let sources = [
        "<p>Read 1 May 2024</p>",
        "<span class=post-date>2 May 2024</span>",
        "<link rel=canonical href=/2024/05/03/x>",
        "<time pubdate datetime=2024-05-04T10:00:00Z>",
        "<meta itemprop=datePublished content='2024-05-05'>",
        "<meta property=article:published_time content='2024-05-06T07:08:09+02:00'>",
        "<script type=application/ld+json>{\"@type\": \"Article\", \"datePublished\": \"2024-05-07\"}</script>",
    ];
    let dates = [
        "2024-05-01",
        "2024-05-02",
        "2024-05-03",
        "2024-05-04T10:00:00Z",
        "2024-05-05",
        "2024-05-06T07:08:09+02:00",
        "2024-05-07",
    ];
    for last in 0..sources.len() {
        // What belongs into a head comes first.
        let body: String = sources[..=last].iter().rev().copied().collect();
        assert_eq!(value(field("date"), &body), dates[last], "{body}");
    }
}

#[test]
fn a_date_in_the_text_is_that_next_to_the_headline() {
    let date = |body: &str| value(field("date"), body);
    let news = "<p>Sunday, 2 June 2024</p><nav><time datetime=2024-06-01>x</time></nav><h1>Headline of it</h1>
        <div>Veröffentlicht am <b>17.</b> Mai 2024</div><p>Aktualisiert am 18. Mai 2024</p><p>1.1.2024</p>
        <div class=related-posts><time datetime=2024-06-03></time></div>";
    assert_eq!(date(news), "2024-05-17");
    assert_eq!(value(field("modified"), news), "2024-05-18");
    assert_eq!(date("<html lang=en-US><h1>a</h1><p>Posted 05/04/2024"), "2024-05-04");
    assert_eq!(date("<html lang=en-GB><h1>a</h1><p>Posted 05/04/2024"), "2024-04-05");
    assert_eq!(
        date("<script>x = {\\\"datePublished\\\":\\\"2024-05-17T01:02:03Z\\\"}</script>"),
        "2024-05-17T01:02:03Z"
    );
    assert_eq!(date("<h1>a</h1><p>Updated 17 May 2024"), "2024-05-17");
    let both = "<h1>a</h1><p class=date>Updated: 18 May 2024 | Posted: 17 May 2024</p>";
    assert_eq!([date(both), value(field("modified"), both)], ["2024-05-17", "2024-05-18"]);
}

#[test]
fn an_implausible_date_is_none() {
    for date in ["1970-01-01", "1994-12-31", "2999-01-01", "2024-02-30", "0000-00-00", "soon", "", "2024", "9999999999"]
    {
        let body = format!("<meta name=date content='{date}'><time datetime='{date}'></time><p class=date>{date}");
        assert_eq!(value(field("date"), &body), Json::Null, "{date}");
    }
    let body = "<meta name=date content=1970-01-01><p class=date>2024-05-17";
    assert_eq!(value(field("date"), body), "2024-05-17");
}

#[test]
fn a_change_is_no_publication() {
    let body = "<meta property=article:published_time content=2024-01-01><meta property=og:updated_time content='2024-02-03T04:05Z'>";
    assert_eq!(value(field("date"), body), "2024-01-01");
    assert_eq!(value(field("modified"), body), "2024-02-03T04:05:00Z");
    assert_eq!(value(field("modified"), "<meta name=date content=2024-01-01>"), Json::Null);
    assert_eq!(value(field("modified"), "<time class=updated datetime=2024-01-02>"), "2024-01-02");
    let both = "<h1>a</h1><span class='post-date updated'>2024-01-02</span><span class=last-updated>2024-01-03</span>";
    assert_eq!([value(field("date"), both), value(field("modified"), both)], ["2024-01-02", "2024-01-03"]);
}

/// The hints of a page.
fn hints(body: &str) -> Vec<String> {
    let hints = value(field("hint"), body);
    hints.as_array().unwrap().iter().map(|one| one["hint"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_page_that_stands_in_the_way_is_hinted_at() {
    for (hint, body) in [
        ("needs_js", "<div id=root></div><script src=a></script>"),
        ("needs_js", "<noscript>You need to enable JavaScript.</noscript><script></script>"),
        ("captcha", "<title>Just a moment...</title><p>Checking"),
        ("captcha", "<script src='https://geo.captcha-delivery.com/x.js'></script>"),
        ("captcha", "<p>Verify</p><div class=g-recaptcha></div>"),
        ("login", "<form><input name=user><input type=Password></form>"),
        ("soft_404", "<title>Page Not Found | Shop</title>"),
        ("soft_404", "<h1>Seite nicht gefunden</h1>"),
        ("consent", "<script src='https://consent.cookiebot.com/uc.js'></script>"),
    ] {
        assert_eq!(hints(body), [hint], "{body}");
    }
    assert_eq!(answered("hint", &[("cf-mitigated", "challenge")], "")[0]["hint"], "captcha");
}

#[test]
fn a_page_with_content_is_not_hinted_at() {
    let text = "<p>This is what the page is about.</p>".repeat(100);
    for body in [
        "<noscript>Enable JavaScript</noscript><div id=root></div><script src=a></script>",
        "<script src='https://www.google.com/recaptcha/api.js'></script><div class=g-recaptcha></div>",
        "<form><input type=password></form>",
        "<script src='https://consent.cookiebot.com/uc.js'></script>",
        "<h1>Why pages are not found</h1>",
        "<title>Room 4045</title>",
    ] {
        assert_eq!(hints(&format!("{body}{text}")), [""; 0], "{body}");
    }
    assert_eq!(hints("<title>Room 4045</title><h1>Nothing here</h1>"), [""; 0]);
    assert_eq!(hints("<p>Short and plain."), [""; 0]);
    assert_eq!(hints("<form style='display: none'><input type=password></form>"), [""; 0]);
}

#[test]
fn a_page_that_is_not_there_is_no_soft_404() {
    let mut page = page("<title>404 Not Found</title>");
    page.status = 404;
    let extracted = Extractor::new(&[field("hint")]).unwrap().read(&page);
    assert_eq!(extracted.rows[0].0[0].to_cell(), "[]");
}

#[test]
fn all_is_every_field_that_is_cheap_and_not_named_otherwise() {
    let names =
        |asks: &[Ask]| Extractor::new(asks).unwrap().names().iter().map(ToString::to_string).collect::<Vec<_>>();
    let cheap: Vec<_> = FIELDS.iter().filter(|field| field.is_cheap()).map(|field| field.name).collect();
    assert_eq!(names(&[field(" all")]), cheap);
    let mut others = cheap.clone();
    others.retain(|name| !["h1", "lang"].contains(name));
    let asks = [field("all"), field("lang"), Ask::Select("h1=h2".to_owned())];
    assert_eq!(names(&asks), [others, vec!["lang", "h1"]].concat());
    assert!(Extractor::new(&[field("all"), field("all")]).is_err());
}

#[test]
fn a_page_full_of_one_thing_is_read() {
    let all = Extractor::new(&[field("all")]).unwrap();
    for one in [
        "<meta property=og:image content=x>",
        "<link rel=icon href=x>",
        "<img srcset='a 1x,b'>",
        "<time datetime=2024-01-01>x",
        "<h1>x</h1>",
        "<script type=application/ld+json>{\"author\": {\"@id\": \"#x\"}}</script>",
        "<p class=byline>x",
        "<div class=related>",
        "1 May 2024\n",
        "<p>By ",
        "<picture><source srcset=x>",
        "<i itemprop='author date'>",
    ] {
        let body = one.repeat((1 << 20) / one.len());
        let extracted = all.read(&page(&body));
        assert_eq!(extracted.failure, None, "{one}");
    }
}

#[derive(Deserialize)]
struct PageVector {
    id: String,
    html: String,
    want: Map<String, Json>,
}

#[test]
fn public_vectors_of_page_facts_hold() {
    let lines = include_str!("../../tests/fixtures/pages.jsonl").lines();
    let vectors: Vec<PageVector> = lines.map(|line| serde_json::from_str(line).unwrap()).collect();
    for PageVector { id, html, want } in &vectors {
        let page = answer("http://b.test/d/page.html", HeaderMap::new(), html);
        for (name, want) in want {
            let want: Json = serde_json::from_str(&want.to_string().replace("{B}", "http://b.test")).unwrap();
            assert_eq!(fact(name, &page), sorted(want), "{id} {name}");
        }
    }
    assert_eq!(vectors.len(), 24);
}

/// A fact in the form of the vectors.
fn fact(name: &str, page: &Page) -> Json {
    let asked = if name == "nofollow" { "links" } else { name };
    if name == "title" {
        return Extractor::default().read(page).title.into();
    }
    let extracted = Extractor::new(&[field(asked)]).unwrap().read(page);
    let value = serde_json::to_value(&extracted.rows[0].0[0]).unwrap();
    let rows = || value.as_array().unwrap().iter();
    match name {
        "author" => value[0].clone(),
        "date" => json!(value.as_str().map(|date| &date[..10])),
        "opengraph" | "twitter" => sorted(rows().map(|row| json!([row["property"], row["content"]])).collect()),
        "links" | "nofollow" | "images" => {
            let is_meant = |row: &&Json| {
                (name != "nofollow" || row["nofollow"] == true) && !row["url"].as_str().unwrap().starts_with("data:")
            };
            let urls = rows().filter(is_meant).map(|row| json!(row["url"].as_str().unwrap().split('#').next()));
            sorted(urls.collect())
        }
        _ => value,
    }
}

/// A list without its order.
fn sorted(mut value: Json) -> Json {
    if let Json::Array(items) = &mut value {
        items.sort_by_key(ToString::to_string);
        items.dedup();
    }
    value
}
