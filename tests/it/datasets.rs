//! Pages made into sets of data: near duplicates marked, chunks.

use serde_json::{Value, json};

use crate::support::{Answer, Gate, Site, fetch, scrape};

/// Words to make sentences of: no two runs of sentences are alike.
const WORDS: [&str; 23] = [
    "river", "stone", "market", "evening", "letter", "garden", "window", "harbour", "music", "winter", "bridge",
    "village", "teacher", "engine", "paper", "silver", "journey", "kitchen", "forest", "signal", "summer", "castle",
    "doctor",
];

/// A sentence of fifteen words that is like no other.
fn sentence(number: usize) -> String {
    let mut state = number as u64 + 1;
    let words = (0..12).map(|_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        WORDS[usize::try_from(state >> 33).unwrap() % WORDS.len()]
    });
    format!("Number {number}, the {}.", words.collect::<Vec<_>>().join(" "))
}

fn paragraphs(sentences: impl Iterator<Item = usize>) -> String {
    let sentences: Vec<_> = sentences.map(sentence).collect();
    let paragraphs: Vec<_> = sentences.chunks(4).map(|sentences| sentences.join(" ")).collect();
    format!("<p>{}</p>", paragraphs.join("</p><p>"))
}

/// A page of a site that looks like this: navigation, an article, a footer.
fn page(look: &str, article: &str) -> String {
    format!(
        "<html><head><title>{look}</title></head><body class={look}><nav><ul><li><a href=/>Home of {look}</a><li><a href=/all>All</a></ul></nav>\
        <main><article>{article}</article></main><footer>Copyright {look}, all rights reserved</footer></body></html>"
    )
}

/// The pages of a site, by path: `/original` has twenty-four sentences, and the others something of it.
fn pages(path: &str) -> Option<String> {
    let original = || paragraphs(0..24);
    let article = match path {
        "/original" | "/copy" | "/other-boilerplate" => original(),
        "/shouted" => original().replace("<p>", "<div>").replace("</p>", "</div>").to_uppercase(),
        "/paragraph-more" => original() + &paragraphs(100..103),
        "/paragraph-less" => paragraphs(0..20),
        "/typos" => original().replacen("river", "rivver", 3),
        "/dated" => format!("{}<p>Last changed on 17 May 2024.</p>", original()),
        "/half" => paragraphs((0..12).chain(200..212)),
        "/other-article" => paragraphs(300..324),
        "/translation" => WORDS.iter().enumerate().fold(original(), |text, (n, word)| {
            text.replace(word, &format!("wort{n}")).replace(" the ", " der ").replace("Number ", "Nummer ")
        }),
        "/without-content" => return Some("<title>x</title>".into()),
        _ => return None,
    };
    let look = if path == "/other-boilerplate" { "another" } else { "site" };
    Some(page(look, &article))
}

fn site() -> Site {
    Site::start(|hit| pages(&hit.path).map_or_else(|| Answer::status(404), Answer::html))
}

/// What the field `duplicate_of` says of each of these pages, which are fetched in this order.
fn duplicates(site: &Site, paths: &[&str]) -> Vec<Value> {
    let list: Vec<_> = paths.iter().map(|path| site.url(path)).collect();
    let run = scrape(["--dedupe-text", "--ordered", "-f", "jsonl"]).stdin(list.join("\n")).run();
    run.records().into_iter().map(|mut record| record["fields"]["duplicate_of"].take()).collect()
}

#[test]
fn near_duplicates_name_the_first_page_of_their_kind_and_how_similar_they_are() {
    let site = site();
    let near = ["/paragraph-more", "/paragraph-less", "/typos", "/dated"];
    for path in near {
        let found = duplicates(&site, &["/original", path]).remove(1);
        assert_eq!(found["url"], site.url("/original"), "{path}");
        let similarity = found["similarity"].as_f64().unwrap();
        assert!((0.8..1.0).contains(&similarity), "{path}: {similarity}");
    }
}

#[test]
fn exact_duplicates_do_not_depend_on_boilerplate_layout_and_letter_case() {
    let site = site();
    let found = duplicates(&site, &["/original", "/copy", "/other-boilerplate", "/shouted"]);
    let expected = json!({"url": site.url("/original"), "similarity": 1.0});
    assert_eq!(found, [Value::Null, expected.clone(), expected.clone(), expected]);
}

#[test]
fn other_pages_of_a_site_translations_and_halves_are_no_duplicates() {
    let site = site();
    let others = ["/original", "/half", "/other-article", "/translation", "/without-content", "/missing", "/gone"];
    assert_eq!(duplicates(&site, &others), [const { Value::Null }; 7]);
}

#[test]
fn the_original_is_the_first_of_the_input_and_never_itself_a_duplicate() {
    let site = site();
    let found = duplicates(&site, &["/other-article", "/paragraph-more", "/original", "/copy"]);
    assert_eq!((&found[0], &found[1]), (&Value::Null, &Value::Null));
    assert!(found[2..].iter().all(|found| found["url"] == site.url("/paragraph-more")), "{found:?}");
}

#[test]
fn the_original_is_the_first_that_came_unless_the_order_is_that_of_the_input() {
    for (options, original) in [(&["--ordered"][..], "/original"), (&[], "/copy")] {
        let gate = Gate::shut();
        let site = Site::start(move |hit| match &*hit.path {
            "/original" => Answer::html(pages("/original").unwrap()).behind(&gate),
            // Of two slots one is held, so that the copy has come and gone by now.
            "/other-article" => {
                gate.open();
                Answer::html(pages("/other-article").unwrap())
            }
            path => Answer::html(pages(path).unwrap()),
        });
        let list = ["/original", "/copy", "/other-article"].map(|path| site.url(path)).join("\n");
        let run = scrape(["--dedupe-text", "-c", "2", "-f", "jsonl"]).args(options).stdin(list).run().succeeds();
        let copy = if original == "/copy" { "/original" } else { "/copy" };
        assert_eq!(run.record_of(copy)["fields"]["duplicate_of"]["url"], site.url(original));
        assert_eq!(run.record_of(original)["fields"]["duplicate_of"], Value::Null);
    }
}

#[test]
fn the_field_stands_behind_the_others_in_every_format_and_in_the_schema() {
    let site = site();
    let list = format!("{}\n{}", site.url("/original"), site.url("/copy"));
    let run =
        scrape(["--dedupe-text", "--ordered", "-x", "words", "-o", "out.csv", "-o", "out.tsv", "-o", "out.jsonl"]);
    let run = run.stdin(list).run().succeeds();
    let csv = run.file("out.csv");
    assert!(csv.lines().next().unwrap().ends_with(",words,duplicate_of"), "{csv}");
    let cell = format!(r#"{{"url":"{}","similarity":1.0}}"#, site.url("/original"));
    assert!(csv.trim_end().ends_with(&format!("\"{}\"", cell.replace('"', "\"\""))), "{csv}");
    assert!(run.file("out.tsv").trim_end().ends_with(&cell), "{run:?}");

    let schema = scrape(["schema", "--dedupe-text", "-x", "words"]).run().succeeds().stdout;
    let schema: Value = serde_json::from_str(&schema).unwrap();
    assert_eq!(schema["properties"]["fields"]["required"], json!(["duplicate_of", "words"]));
    let validator = jsonschema::validator_for(&schema).unwrap();
    for line in run.file("out.jsonl").lines() {
        assert!(validator.is_valid(&serde_json::from_str(line).unwrap()), "{line}");
    }
}

#[test]
fn a_field_of_the_same_name_is_refused() {
    scrape(["--dedupe-text", "-s", "duplicate_of=h1", "-"]).run().refused_over("two fields are called `duplicate_of`");
}

#[test]
fn without_the_option_there_is_no_such_field() {
    let site = site();
    let run = scrape(["-f", "jsonl", "-x", "words", &site.url("/original")]).run().succeeds();
    assert_eq!(run.record()["fields"].as_object().unwrap().len(), 1);
}

/// A manual of two chapters, with code.
fn manual() -> String {
    let code = "<pre># no heading\n\nlet x = 1;</pre>";
    let chapters = [("Install", 0..6), ("Use", 6..20)];
    let chapters = chapters.map(|(name, sentences)| format!("<h3>{name}</h3>{}{code}", paragraphs(sentences)));
    page("manual", &format!("<h2>Guide</h2>{}", chapters.concat()))
}

#[test]
fn each_chunk_is_a_record_with_its_number_path_and_text() {
    let site = Site::start(|_| Answer::html(manual()));
    let limit = 400;
    let run = scrape(["--chunk", "400", "-x", "words,markdown", "-f", "jsonl", &site.url("/")]).run().succeeds();
    let records = run.records();
    let of = |name: &str| records.iter().map(|record| record["fields"][name].clone()).collect::<Vec<_>>();
    let texts: Vec<_> = of("text").iter().map(|text| text.as_str().unwrap().to_owned()).collect();
    assert!(texts.len() > 3 && texts.iter().all(|text| text.chars().count() <= limit), "{texts:#?}");
    assert_eq!(of("chunk"), (0..texts.len()).map(Value::from).collect::<Vec<_>>());
    assert_eq!(records[0]["fields"]["path"], json!(["Guide", "Install"]));
    assert_eq!(records.last().unwrap()["fields"]["path"], json!(["Guide", "Use"]));
    assert!(texts[0].starts_with("## Guide\n\n### Install\n\nNumber 0, the "), "{}", texts[0]);
    assert_eq!(texts.iter().filter(|text| text.contains("```\n# no heading\n\nlet x = 1;\n```")).count(), 2);

    let without_space = |text: &str| text.split_whitespace().collect::<String>();
    assert_eq!(without_space(&texts.concat()), without_space(of("markdown")[0].as_str().unwrap()));
    assert!(records.iter().all(|record| record["title"] == "manual" && record["error"].is_null()));
    assert!(of("words").iter().all(|words| *words == of("words")[0] && words.is_u64()));
    assert_eq!(site.hits().len(), 1);
}

#[test]
fn chunks_come_in_every_format_and_are_as_the_schema_says() {
    let site = Site::start(|_| Answer::html(manual()));
    let run = scrape(["--chunk", "300", "-o", "out.csv", "-o", "out.tsv", "-o", "out.jsonl", &site.url("/")]).run();
    let run = run.succeeds();
    let records: Vec<Value> = run.file("out.jsonl").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(run.file("out.tsv").lines().count(), records.len());
    let csv = run.file("out.csv");
    assert!(csv.lines().next().unwrap().ends_with(",chunk,path,text"), "{csv}");
    assert_eq!(csv.matches(&format!("{},argument:1,", site.url("/"))).count(), records.len());
    let schema = scrape(["schema", "--chunk", "300"]).run().succeeds().stdout;
    let validator = jsonschema::validator_for(&serde_json::from_str(&schema).unwrap()).unwrap();
    assert!(records.len() > 4 && records.iter().all(|record| validator.is_valid(record)), "{records:#?}");
}

#[test]
fn a_page_without_content_is_one_record_without_a_chunk() {
    let site = Site::start(|hit| match &*hit.path {
        "/empty" => Answer::html("<title>x</title>"),
        "/text" => Answer::typed("text/plain", "No HTML, but text."),
        _ => Answer::status(404),
    });
    for path in ["/empty", "/text", "/missing"] {
        let record = fetch(["--chunk", "300", &site.url(path)]);
        assert_eq!(record["fields"], json!({"chunk": null, "path": null, "text": null}), "{path}");
    }
}

#[test]
fn every_chunk_of_a_duplicate_says_so() {
    let site = site();
    let list = format!("{}\n{}", site.url("/original"), site.url("/paragraph-more"));
    let run = scrape(["--dedupe-text", "--chunk", "500", "--ordered", "-f", "jsonl"]).stdin(list).run().succeeds();
    let is_marked = |record: &Value| record["fields"]["duplicate_of"]["url"] == site.url("/original");
    let (copies, originals): (Vec<_>, Vec<_>) =
        run.records().into_iter().partition(|record| record["url"] == site.url("/paragraph-more"));
    assert!(copies.len() > 2 && copies.iter().all(is_marked), "{copies:#?}");
    assert!(originals.len() > 2 && !originals.iter().any(is_marked), "{originals:#?}");
}

#[test]
fn a_page_whose_chunks_would_fill_the_memory_is_too_complex() {
    // Its text is in every record.
    let page = page("long", &paragraphs(0..900));
    let site = Site::start(move |_| Answer::html(page.clone()));
    let run = scrape(["--chunk", "100", "-x", "article", &site.url("/")]).run().exits(4);
    assert!(run.stdout.lines().count() > 10 && run.stdout.len() < 100 << 20, "{}", run.stdout.len());
    assert!(run.stdout.lines().all(|line| line.contains("\ttoo_complex: its chunks")), "{}", run.stderr);
}

#[test]
fn chunks_of_nothing_and_two_texts_are_refused() {
    scrape(["--chunk", "0", "-"]).run().refused_over("--chunk");
    scrape(["--chunk", "many", "-"]).run().refused_over("--chunk");
    let run = scrape(["--chunk", "100", "-x", "text", "-"]).run().refused_over("two fields are called `text`");
    assert!(run.stderr.contains("hint: ") && run.stderr.contains("chunks have chunk, path and text"), "{}", run.stderr);
}

#[test]
fn copies_among_the_pages_of_a_crawl_are_marked() {
    let site = Site::start(|hit| match &*hit.path {
        "/robots.txt" => Answer::status(404),
        "/" => Answer::html("<a href=/original>1</a><a href=/other-article>2</a><a href=/copy>3</a>"),
        path => pages(path).map_or_else(|| Answer::status(404), Answer::html),
    });
    let url = site.url("/");
    let run = scrape(["--depth", "1", "--dedupe-text", "-c", "1", "-f", "jsonl", &url]).run().succeeds();
    let copies = ["/", "/original", "/other-article", "/copy"].map(|path| {
        let copy = &run.record_of(path)["fields"]["duplicate_of"]["url"];
        copy.as_str().map(str::to_owned)
    });
    assert_eq!(copies, [None, None, None, Some(site.url("/original"))]);
}
