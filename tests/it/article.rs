//! What a reader came for.

use serde_json::{Value, json};

use crate::support::{Answer, Site, fetch};

/// The fields of a page that a site has at `/dir/page`.
fn fields(page: impl Into<String>, names: &str) -> Value {
    let page = page.into();
    let site = Site::start(move |_| Answer::html(page.clone()));
    let record = fetch(["-x", names, &site.url("/dir/page")]);
    assert_eq!(record["error"], Value::Null);
    record["fields"].clone()
}

fn article(page: impl Into<String>) -> String {
    fields(page, "article")["article"].as_str().unwrap_or_default().to_owned()
}

/// A sentence that is like no other.
fn sentence(number: usize) -> String {
    format!("This is sentence number {number}, and it goes on for a while, as sentences in articles do.")
}

fn paragraphs(numbers: std::ops::Range<usize>) -> String {
    numbers.map(|number| format!("<p>{}</p>", sentence(number))).collect::<Vec<_>>().concat()
}

/// A page with an article and all that surrounds one.
fn news() -> String {
    format!(
        r#"<!doctype html><html><head><title>News</title><meta property="og:type" content="article"></head><body>
        <header><a href=/>The paper</a> The paper that everybody reads, every day of the week.</header>
        <nav><ul><li><a href=/a>Home</a><li><a href=/b>Sports</a><li><a href=/c>Weather</a></ul></nav>
        <div class="cookie-banner"><p>We use cookies, and so do our partners, all nine hundred of them.</p></div>
        <div class="page-with-sidebar">
        <article>
          <h1>The headline</h1>
          <div class="byline">By Somebody, who has written for the paper for many years.</div>
          <div class="share-buttons">Tell everybody that you know about this, please.</div>
          {}
          <h2>A heading within</h2>
          <figure><img src="../pic.png" alt="A picture"><figcaption>What the picture shows, told at length.</figcaption></figure>
          <ul><li>First point<li>Second point</ul>
          <pre>let x = 1;
    let y = "&lt;b>";</pre>
          {}
          <div class="related-links"><p>Something else that you may want to read, or not.</p></div>
        </article>
        <aside><p>An aside that has nothing to do with any of this, as asides do.</p></aside>
        <div id="comments"><p>First! I have read nothing of this, but I do not agree at all.</p></div>
        </div>
        <footer><p>All rights reserved, all wrongs too. Do not copy this, or do.</p></footer>
        </body></html>"#,
        paragraphs(0..4),
        paragraphs(4..8)
    )
}

#[test]
fn an_article_is_its_text_without_what_surrounds_it() {
    let sentences = |numbers: std::ops::Range<usize>| numbers.map(sentence).collect::<Vec<_>>().join("\n");
    let expected = [
        &*sentences(0..4),
        "A heading within",
        "First point",
        "Second point",
        "let x = 1;\n    let y = \"<b>\";",
        &sentences(4..8),
    ];
    assert_eq!(article(news()), expected.join("\n"));
}

#[test]
fn an_article_is_markdown_with_absolute_urls() {
    let page = news();
    let site = Site::start(move |_| Answer::html(page.clone()));
    let record = fetch(["-x", "markdown", &site.url("/dir/page")]);
    let markdown = record["fields"]["markdown"].as_str().unwrap();
    let image = site.url("/pic.png");
    let expected = format!(
        "{}\n\n## A heading within\n\n![A picture]({image})\n\n- First point\n- Second point\n\n```\nlet x = 1;\n    let y = \"<b>\";\n```\n\n{}",
        sentence(3),
        sentence(4)
    );
    assert!(markdown.contains(&expected), "{markdown}");
    assert!(markdown.starts_with(&sentence(0)) && markdown.ends_with(&sentence(7)), "{markdown}");
}

#[test]
fn links_are_relative_to_the_base_of_the_page() {
    let page = format!("<base href=/base/><main>{}<p>A <a href=x>link</a>, at last.</p></main>", paragraphs(0..3));
    let site = Site::start(move |_| Answer::html(page.clone()));
    let record = fetch(["-x", "markdown", &site.url("/dir/page")]);
    let markdown = record["fields"]["markdown"].as_str().unwrap();
    assert!(markdown.ends_with(&format!("A [link]({}), at last.", site.url("/base/x"))), "{markdown}");
}

#[test]
fn words_are_counted_and_their_fingerprint_does_not_depend_on_the_layout() {
    let one = fields(format!("<title>a</title><article>{}</article>", paragraphs(0..5)), "words,hash");
    let text: Vec<_> = (0..5).map(sentence).collect();
    let other = fields(format!("<nav>x</nav><main>{}</main>", text.join("<br>").to_uppercase()), "words,hash");
    assert_eq!(one["words"], 5 * 17);
    assert_eq!(one, other);
    assert_eq!(one["hash"].as_str().unwrap().len(), 16);
    assert_ne!(one["hash"], fields(paragraphs(0..4), "hash")["hash"]);
}

#[test]
fn posts_are_the_content_of_a_discussion() {
    let posts = (0..6)
        .map(|n| format!("<div class=comment><span class=author>user{n}</span>{}</div>", paragraphs(n..n + 1)))
        .collect::<Vec<_>>()
        .concat();
    let text =
        article(format!("<body><nav><a href=/>Home</a></nav><h1>Who knows?</h1><div class=comments>{posts}</div>"));
    assert_eq!(text, (0..6).map(sentence).collect::<Vec<_>>().join("\n"));
}

#[test]
fn links_are_the_content_of_an_index() {
    let items = (0..30).map(|n| format!("<li><a href=/{n}>Item number {n}</a>")).collect::<Vec<_>>().concat();
    let text = article(format!(
        "<nav><a href=/>Home</a></nav><main><h1>All items</h1><ul>{items}</ul></main><footer>Imprint</footer>"
    ));
    assert!(text.starts_with("All items\nItem number 0\n") && text.ends_with("\nItem number 29"), "{text}");
}

#[test]
fn a_text_between_tables_of_links_is_found() {
    let links = |from: usize| {
        (from..from + 60)
            .map(|n| format!("<a href=/{n}>Another of our pages, the one of number {n}</a><br>"))
            .collect::<Vec<_>>()
            .concat()
    };
    let text = article(format!("<table><tr><td>{}<td>{}<td>{}</table>", links(0), paragraphs(0..25), links(60)));
    assert_eq!(text, (0..25).map(sentence).collect::<Vec<_>>().join("\n"));
}

#[test]
fn reviews_are_no_part_of_a_product() {
    let page = |kind: &str| {
        format!(
            "<meta property=og:type content={kind}><main>{}<div class=reviews>{}</div></main>",
            paragraphs(0..4),
            paragraphs(7..8)
        )
    };
    assert_eq!(article(page("product")), (0..4).map(sentence).collect::<Vec<_>>().join("\n"));
    assert!(article(page("website")).contains(&sentence(7)));
}

#[test]
fn what_is_named_like_furniture_and_is_the_page_is_its_content() {
    let text =
        article(format!("<div class=newsletter><h1>Letter 12</h1>{}</div><footer>Imprint</footer>", paragraphs(0..4)));
    assert_eq!(text, (0..4).map(sentence).collect::<Vec<_>>().join("\n"));
}

#[test]
fn what_is_hidden_is_left_out() {
    for hidden in ["hidden", "aria-hidden=true", "style='color: red; display : none'", "role=dialog"] {
        let text = article(format!("<main>{}<div {hidden}>{}</div></main>", paragraphs(0..3), paragraphs(7..8)));
        assert_eq!(text, (0..3).map(sentence).collect::<Vec<_>>().join("\n"), "{hidden}");
    }
}

#[test]
fn what_only_a_reader_without_scripts_sees_is_content_where_it_is_most_of_the_page() {
    let shell = "<body><div id=app>Loading</div>";
    let posts = format!("<noscript><nav><a href=/>Home</a></nav><main>{}</main></noscript>", paragraphs(0..4));
    assert_eq!(article(format!("{shell}{posts}")), (0..4).map(sentence).collect::<Vec<_>>().join("\n"));
    let tracker = "<noscript><img src=/track>Please turn scripts on.</noscript>";
    assert_eq!(article(format!("{tracker}<main>{}</main>", paragraphs(0..1))), sentence(0));
}

#[test]
fn words_of_inline_elements_that_are_left_out_are_no_glue() {
    assert_eq!(
        article(format!("<main>{}<p>One<div class=share>x</div>two, three and four.</main>", paragraphs(0..2)))
            .lines()
            .skip(2)
            .collect::<Vec<_>>(),
        ["One", "two, three and four."]
    );
}

#[test]
fn a_page_without_content_has_none() {
    let nothing = json!({"article": null, "markdown": null, "words": null, "hash": null});
    for page in
        ["", "<title>x</title>", "<frameset><frame src=a></frameset>", "<body><script>let x = 1;</script><img src=y>"]
    {
        assert_eq!(fields(page, "article,markdown,words,hash"), nothing, "{page}");
    }
    let site = Site::start(|_| Answer::typed("text/plain", "No HTML, but text."));
    let record = fetch(["-x", "article,markdown,words,hash", &site.url("/")]);
    assert_eq!(record["fields"], nothing);
}

#[test]
fn hostile_pages_take_linear_time() {
    // What is not linear takes longer than a page may, and comes back as too complex.
    let pages = [
        "<p>a, b.".repeat(40_000),
        "<a href=x>a</a> ".repeat(20_000),
        "<a href=x><b>a.</b></a>x".repeat(12_000),
        "<b>a.</b>x<i>y</i>".repeat(15_000),
        "a<br>".repeat(50_000),
        format!("<table>{}", "<tr><td colspan=1000>a".repeat(12_000)),
        format!("{}{}", "<blockquote>".repeat(400), "a<br>".repeat(30_000)),
        format!("{}{}", "<div class='a b-c dE_f'>".repeat(400), "<p>a<div>b</div>".repeat(8_000)),
        format!("<div class='{}'>a, b.", "comment-".repeat(30_000)),
        format!("<pre>{}", "`".repeat(250_000)),
        format!("<p>{}", "&amp;#a".repeat(30_000)),
        format!("<script type='application/ld+json'>{}</script>a, b.", "\"@type\":[".repeat(25_000)),
        format!("<noscript>{}</noscript>", "<p>a, b.".repeat(20_000)),
    ];
    for page in pages {
        let start: String = page.chars().take(60).collect();
        let fields = fields(page, "article,markdown,words,hash");
        assert!(fields["markdown"].is_string() && fields["words"].as_u64().is_some(), "{start}");
    }
}
