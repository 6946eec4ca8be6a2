//! `scrape guess`: a recipe that really finds what a page repeats.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::support::scrape::Run;
use crate::support::{Answer, Site, scrape};

/// What is proposed for a page in a file.
fn guess(name: &str, page: &str) -> Run {
    scrape(["guess", name]).file(name, page).run()
}

/// The records of a page, read by the recipe that is proposed for it at its URL.
fn records(media_type: &'static str, page: &str) -> Vec<Value> {
    let body = page.to_owned();
    let site = Site::start(move |_| Answer::typed(media_type, &*body));
    let url = site.url("/list?page=1");
    let recipe = scrape(["guess", &*url]).run().succeeds().stdout;
    // The one page is all that the site has.
    let recipe: String = recipe.split_inclusive('\n').filter(|line| !line.starts_with("next = ")).collect();
    let run = scrape(["-f", "jsonl", "-r", "guessed.toml", &*url]).file("guessed.toml", &recipe).run();
    assert_eq!(run.stderr, "", "{recipe}");
    let records = run.exits(0).records();
    assert!(records.iter().all(|record| record["error"].is_null()), "{recipe}");
    let all = Value::from(records.into_iter().map(|mut record| record["fields"].take()).collect::<Vec<_>>());
    serde_json::from_str(&all.to_string().replace(&site.url(""), "")).unwrap()
}

/// The values that records have in any field, each record's on its own.
fn holds(record: &Value, wanted: &Value) -> bool {
    record.as_object().is_some_and(|fields| fields.values().any(|value| value == wanted))
}

/// Asserts that there is a record for each of `wanted`, with all of its values in some fields.
#[track_caller]
fn finds(page: &str, wanted: &Value) {
    let found = records("text/html", page);
    let wanted = wanted.as_array().unwrap();
    assert_eq!(found.len(), wanted.len(), "{found:#?}");
    for (record, wanted) in found.iter().zip(wanted) {
        for value in wanted.as_array().unwrap() {
            assert!(holds(record, value), "{value} is not in {record:#}");
        }
    }
}

fn example(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/recipes");
    fs::read_to_string(folder.join(name)).unwrap()
}

#[test]
fn the_products_of_the_worked_shop_are_found_without_the_advertisement() {
    let lamps = json!([
        ["L-100", "Heron desk lamp", "/lamps/heron", 1049.5, "In stock", ["/img/heron-1.jpg", "/img/heron-2.jpg"]],
        ["L-200", "Wren clip lamp", "/lamps/wren", 19.9, "Sold out", ["/img/wren.jpg"]],
    ]);
    finds(&example("shop.html"), &lamps);
}

#[test]
fn the_stories_of_the_worked_newspaper_are_found_without_the_one_beside_them() {
    let stories = json!([
        [
            "Ferry runs again after the storm",
            "/2026/03/14/ferry",
            "The first crossing left the pier at seven.",
            "2026-03-14T08:05:00+01:00",
            ["Mira Holm", "Jon Aker"],
            14
        ],
        ["The market moves to the old hall", "/2026/03/13/market", "2026-03-13", "Subscribers only"],
    ]);
    finds(&example("news.html"), &stories);
}

#[test]
fn the_objects_of_the_worked_api_are_found() {
    let found = records("application/json", &example("api.json"));
    assert_eq!(found.len(), 3, "a filter is for who knows what a draft is");
    assert_eq!(found[0]["id"], json!(9_007_199_254_740_993_u64));
    for (record, tag) in found.iter().zip(["v2.1.0", "v2.2.0-rc1", "2.0.9"]) {
        assert_eq!(record["tag"], tag);
    }
    assert_eq!(found[0]["published_at"], "2026-02-03T10:15:00Z");
    assert_eq!(found[0]["labels_name"], json!(["stable", "linux"]));
}

#[test]
fn a_page_in_which_nothing_repeats_has_its_own_facts_for_fields() {
    let found = records("text/html", &example("docs.html"));
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!(found[0]["title"], "Installing ¶");
}

#[test]
fn the_facts_of_a_products_own_page_are_found() {
    let page = r#"<title>Shop</title><meta name=description content="A lamp."><nav><a href=/>Home</a></nav>
        <main itemscope itemtype="https://schema.org/Product"><h1>Heron</h1><span itemprop=price content=49.50>€ 49,50</span>
        <p class=sku>L-100</p><p>It stands on one leg, and lights a desk.</p></main>"#;
    finds(page, &json!([["Heron", 49.5, "L-100", "A lamp."]]));
}

/// `n` items that `item` writes.
fn each(n: usize, item: impl Fn(usize) -> String) -> String {
    (1..=n).map(item).collect()
}

/// What three items have: a title, a URL and a price.
fn three() -> Value {
    (1..=3).map(|n| json!([format!("Lamp {n}"), format!("/lamps/{n}"), 10 * n])).collect()
}

/// What three items have: a title and a URL.
fn three_links() -> Value {
    (1..=3).map(|n| json!([format!("Lamp {n}"), format!("/lamps/{n}")])).collect()
}

#[test]
fn cards_are_found() {
    let card =
        |n| format!("<div class=card><a href=/lamps/{n}><h3>Lamp {n}</h3></a><span class=price>${n}0</span></div>");
    finds(&format!("<div class=grid>{}</div>", each(3, card)), &three());
}

#[test]
fn cards_in_rows_are_found_one_by_one() {
    let card = |n| format!("<div class=card><a href=/lamps/{n}>Lamp {n}</a><b class=price>${n}0</b></div>");
    let rows = format!("<div class=row>{}{}</div><div class=row>{}</div>", card(1), card(2), card(3));
    finds(&format!("<div id=shop>{rows}</div>"), &three());
}

#[test]
fn items_of_a_list_are_found() {
    let item = |n| format!("<li><a href=/lamps/{n}>Lamp {n}</a> <span>{n}0 EUR</span>");
    finds(&format!("<main><ul>{}</ul></main>", each(3, item)), &three());
}

#[test]
fn a_list_of_links_is_found_where_it_is_the_content() {
    let item = |n| format!("<li><a href=/lamps/{n}>Lamp {n}</a>");
    finds(&format!("<h1>Lamps</h1><ul class=index>{}</ul>", each(3, item)), &three_links());
}

#[test]
fn the_content_is_found_beside_a_larger_menu() {
    let entry = |n| format!("<li class=entry><a href=/menu/{n}>Entry number {n} of the menu</a>");
    let card = |n| format!("<li class=card><a href=/lamps/{n}>Lamp {n}</a><i class=price>{n}0</i>");
    let page = format!("<nav><ul>{}</ul></nav><ul>{}</ul>", each(200, entry), each(3, card));
    finds(&page, &three());
}

#[test]
fn the_content_is_found_beside_a_menu_that_is_only_called_one() {
    let entry = |n| format!("<div><a href=/menu/{n}>Entry number {n}</a></div>");
    let card = |n| format!("<div><a href=/lamps/{n}>Lamp {n}</a><i>{n}0</i></div>");
    let page = format!("<div class=main-menu>{}</div><div>{}</div>", each(50, entry), each(3, card));
    finds(&page, &three());
}

#[test]
fn the_rows_of_a_table_are_found_and_called_as_its_header_says() {
    let row = |n| format!("<tr><td><a href=/lamps/{n}>Lamp {n}</a><td>{n}0<td>2026-03-0{n}");
    let head = "<tr><th>Name<th>Unit price (€)<th>Added";
    let page = format!("<table>{head}{}</table>", each(3, row));
    finds(&page, &three());
    let found = records("text/html", &page);
    let (price, added) = (&found[1]["unit_price"], &found[1]["added"]);
    assert_eq!((price, added), (&json!(20), &json!("2026-03-02")), "{found:#?}");
}

#[test]
fn the_rows_of_a_table_with_a_head_and_headed_rows_are_found() {
    let row = |n| format!("<tr><th scope=row>Lamp {n}</th><td>{n}0</td></tr>");
    let head = "<thead><tr><th>Name</th><th>Price</th></tr></thead>";
    let page = format!("<table class=prices>{head}<tbody>{}</tbody></table>", each(3, row));
    let wanted: Value = (1..=3).map(|n| json!([format!("Lamp {n}"), 10 * n])).collect();
    finds(&page, &wanted);
}

#[test]
fn the_terms_of_a_list_of_definitions_are_found_with_what_they_mean() {
    let term = |n| format!("<dt>Term {n}<dd>It means the number {n}, and no other one.");
    let wanted: Value =
        (1..=3).map(|n| json!([format!("Term {n}"), format!("It means the number {n}, and no other one.")])).collect();
    finds(&format!("<dl>{}</dl>", each(3, term)), &wanted);
}

#[test]
fn definitions_in_groups_are_found() {
    let term = |n| format!("<div><dt>Lamp {n}</dt><dd class=price>{n}0</dd><dd><a href=/lamps/{n}>More</a></dd></div>");
    finds(&format!("<dl>{}</dl>", each(3, term)), &three());
}

#[test]
fn utility_classes_name_nothing() {
    let card = |n| {
        format!(
            r#"<div class="flex flex-col p-4 md:w-1/2 shadow"><a class="text-lg font-bold" href=/lamps/{n}>Lamp {n}</a>
            <span class="text-sm text-gray-500">{n}0 €</span></div>"#
        )
    };
    let side = r#"<div class="flex flex-col"><p class="text-sm">About</p></div>"#;
    let page =
        format!(r#"<div class="container mx-auto"><div class="grid grid-cols-3">{}</div>{side}</div>"#, each(3, card));
    finds(&page, &three());
    let recipe = guess("a.html", &page).succeeds().stdout;
    assert!(!recipe.contains("text-") && !recipe.contains("grid"), "{recipe}");
}

#[test]
fn hashed_class_names_are_not_relied_on() {
    let card = |n| {
        format!(
            "<div class=css-1x8q9z><h3 class=sc-bdVaJa><a class=css-9k2j1h href=/lamps/{n}>Lamp {n}</a></h3>\
             <div class=_3xK2f>{n}0</div></div>"
        )
    };
    let page = format!("<main><div class=css-77a1b2>{}</div></main>", each(3, card));
    finds(&page, &three());
    let recipe = guess("a.html", &page).succeeds().stdout;
    assert!(!recipe.contains("css-") && !recipe.contains("bdVaJa") && !recipe.contains("3xK2f"), "{recipe}");
}

#[test]
fn of_the_class_names_of_modules_the_part_that_stays_is_used() {
    let card = |n| {
        format!(
            "<div class=Shop_card__a1B2c><a class=Card_title__2fX3z href=/lamps/{n}>Lamp {n}</a>\
             <p class=Card_price__9sK1a>{n}0</p></div>"
        )
    };
    let page = format!("<div>{}</div>", each(3, card));
    finds(&page, &three());
    let recipe = guess("a.html", &page).succeeds().stdout;
    assert!(
        recipe.contains("items = \"div[class*=Shop_card__]\"") && recipe.contains("[class*=Card_price__]"),
        "{recipe}"
    );
}

#[test]
fn advertisements_between_items_are_left_out() {
    let card = |n| format!("<div class=item><h2><a href=/lamps/{n}>Lamp {n}</a></h2><em class=price>{n}0</em></div>");
    let ads = ["<div class=ad><a href=/ad>Buy!</a></div>", "<div class=item><p>Sponsored</p></div>"];
    let page = format!("<div>{}{}{}{}{}</div>", card(1), ads[0], card(2), ads[1], card(3));
    finds(&page, &three());
}

#[test]
fn lists_in_items_are_lists_in_records() {
    let card = |n| {
        let tags = each(n, |tag| format!("<li>tag {tag}"));
        format!(
            "<li class=lamp><a class=name href=/lamps/{n}>Lamp {n}</a><p class=price>{n}0</p><ul class=tags>{tags}</ul>"
        )
    };
    let page = format!("<ul>{}</ul>", each(3, card));
    finds(&page, &three());
    finds(&page, &json!([[["tag 1"]], [["tag 1", "tag 2"]], [["tag 1", "tag 2", "tag 3"]]]));
}

#[test]
fn items_whose_classes_differ_are_found_together() {
    let kinds = ["item odd first", "item even sale", "item odd last sold-out"];
    let card = |n: usize| {
        format!("<div class=\"{}\"><a href=/lamps/{n}>Lamp {n}</a><s class=price>{n}0</s></div>", kinds[n - 1])
    };
    finds(&format!("<section>{}</section>", each(3, card)), &three());
}

#[test]
fn what_some_items_lack_is_null_and_not_required() {
    let card = |n: usize| {
        let rating = if n == 2 { String::new() } else { format!("<i class=rating>{n} of 5 stars, says Ann</i>") };
        format!("<article><h2><a href=/lamps/{n}>Lamp {n}</a></h2>{rating}<p class=price>{n}0</p></article>")
    };
    let page = each(3, card);
    finds(&page, &three());
    let recipe = guess("a.html", &page).succeeds().stdout;
    assert!(recipe.contains("required = [\"title\", \"url\", \"price\"]"), "{recipe}");
    assert!(recipe.contains("rating = \".rating\"  # in 2 of 3: 1 of 5 stars, says Ann"), "{recipe}");
}

#[test]
fn items_of_microdata_are_found_by_their_properties() {
    let card = |n| {
        format!(
            "<div itemscope itemtype=https://schema.org/Product><span itemprop=name>Lamp {n}</span>\
             <a itemprop=url href=/lamps/{n}>see</a><meta itemprop=price content={n}0></div>"
        )
    };
    let page = format!("<div>{}</div>", each(3, card));
    finds(&page, &three());
    let recipe = guess("a.html", &page).succeeds().stdout;
    assert!(recipe.contains("name = \"[itemprop=name]\"") && recipe.contains("[itemtype$="), "{recipe}");
}

#[test]
fn posts_that_answer_others_are_items_of_their_own() {
    let post = |n: usize, inner: &str| {
        format!("<div class=comment><a class=author href=/by/{n}>Ann {n}</a><p class=said>Word {n}</p>{inner}</div>")
    };
    let page = format!("<div id=thread>{}{}</div>", post(1, &post(2, "")), post(3, ""));
    let wanted: Value = (1..=3).map(|n| json!([format!("Ann {n}"), format!("/by/{n}"), format!("Word {n}")])).collect();
    finds(&page, &wanted);
}

#[test]
fn labels_that_are_the_same_everywhere_are_no_fields() {
    let card = |n| {
        format!("<li class=c><a href=/lamps/{n}>Lamp {n}</a><b class=price>{n}0</b><span class=buy>Add to cart</span>")
    };
    let page = format!("<ul>{}</ul>", each(4, card));
    let recipe = guess("a.html", &page).succeeds().stdout;
    assert!(!recipe.contains("buy"), "{recipe}");
}

#[test]
fn numbers_that_only_name_something_stay_texts() {
    let card = |n| format!("<li><a href=/p/{n}>Page {n}</a><b class=phone>+49 30 12345{n}</b><i class=sku>000{n}</i>");
    let wanted: Value =
        (1..=3).map(|n| json!([format!("Page {n}"), format!("+49 30 12345{n}"), format!("000{n}")])).collect();
    finds(&format!("<ul>{}</ul>", each(3, card)), &wanted);
}

#[test]
fn the_recipe_is_for_the_pages_of_the_url_and_tells_of_the_next_one() {
    let site = Site::start(|_| {
        let card = |n| format!("<li><a href=/lamps/{n}>Lamp {n}</a><b class=price>{n}0</b>");
        Answer::html(format!("<ul>{}</ul><a rel=next href=?page=2>on</a>", each(3, card)))
    });
    let host = site.url("").replace("http://", "");
    let recipe = scrape(["guess", &*site.url("/lamps?page=1")]).run().succeeds().stdout;
    assert!(recipe.contains(&format!("match = [\"{host}/lamps\", \"{host}/lamps?*\"]\n")), "{recipe}");
    assert!(recipe.contains("\nnext = \"a[rel=next]@href\"\n"), "{recipe}");
    assert_eq!(site.hits().len(), 1, "nothing but the page is fetched");
}

#[test]
fn a_proposal_is_json_for_scripts() {
    let card = |n| format!("<li><a href=/lamps/{n}>Lamp {n}</a><b class=price>{n}0</b>");
    let page = format!("<ul>{}</ul>", each(3, card));
    let run = scrape(["guess", "-f", "json", "-"]).stdin(page).run().succeeds();
    let proposal: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!((&proposal["items"], &proposal["count"]), (&json!("li"), &json!(3)));
    assert_eq!(proposal["required"], json!(["title", "url", "price"]));
    let price = json!({"name": "price", "expression": ".price | number", "filled": 3, "example": "10"});
    assert_eq!(proposal["fields"][2], price);
    assert_eq!(proposal["match"], json!([]), "a page on standard input has no URL");
}

#[test]
fn json_ld_is_told_of() {
    let page = r#"<script type="application/ld+json">{"@graph": [{"@type": "Product"}, {"@type": "Product"}]}</script><h1>A</h1>"#;
    let recipe = guess("a.html", page).succeeds().stdout;
    assert!(recipe.starts_with("# The page has JSON-LD, too (2 Product): -x jsonld\n"), "{recipe}");
}

#[test]
fn odd_keys_of_json_are_quoted() {
    let page = r#"{"a b": {"list": [{"x-y": 1, "it's": 2, "": 3}, {"x-y": 4}]}}"#;
    let found = records("application/json", page);
    assert_eq!(found, [json!({"x_y": 1}), json!({"x_y": 4})]);
}

#[test]
fn what_is_no_page_to_scrape_ends_with_clear_words() {
    for (name, page, words) in [
        ("a.html", "", "no recipe for the page: nothing in the page repeats"),
        ("a.txt", "Just words.", "recipes read HTML and JSON, and this page is "),
        ("a.bin", "\0\u{1}\u{2}", "recipes read HTML and JSON, and this page is "),
        ("a.xml", "<?xml version='1.0'?><a/>", "recipes read HTML and JSON, and this page is "),
        ("a.json", "{", "its JSON is broken off or no JSON"),
        ("a.json", "[]", "nothing in the page repeats"),
    ] {
        let run = guess(name, page).exits(1);
        assert!(run.stderr.contains(words) && run.stdout.is_empty(), "{name}: {run:#?}");
    }
}

#[test]
fn a_page_that_does_not_come_ends_as_in_a_run() {
    let site = Site::start(|_| Answer::status(404));
    let run = scrape(["guess", &*site.url("/")]).run().exits(4);
    assert!(run.stderr.contains("/: status: "), "{run:#?}");
    let run = scrape(["guess", "nothing.html"]).run().exits(5);
    assert!(run.stderr.contains("cannot read nothing.html"), "{run:#?}");
    scrape(["guess"]).run().refused_over("<URL|FILE>");
}

#[test]
fn a_page_that_is_too_deep_is_refused_in_words() {
    let run = guess("a.html", &"<div>".repeat(100_000)).exits(1);
    assert!(run.stderr.contains("deep") || run.stderr.contains("too long"), "{run:#?}");
}

#[test]
fn a_hundred_thousand_siblings_end_in_a_recipe_or_in_words() {
    let page = each(100_000, |n| format!("<li><a href=/{n}>Item {n}</a>"));
    let run = guess("a.html", &page);
    match run.code {
        Some(0) => assert!(run.stdout.contains("# 100000 in this page"), "{}", run.stdout),
        _ => assert!(run.exits(1).stderr.contains("the page takes too long")),
    }
}

#[test]
fn what_a_page_says_does_no_harm_to_the_recipe_or_a_terminal() {
    let odd = "\u{1b}[31m\u{202e}\"\"\"' # [[recipe]]";
    let card = |n| {
        format!("<li data-x=\"{odd}\"><a href=/{n}>{odd} {n}</a><b class=\"{odd}\" title='\u{7}{n}'>x\u{9b}{n}</b>")
    };
    let page = format!("<ul class=\"{odd}\">{}</ul>", each(3, card));
    assert_eq!(records("text/html; charset=utf-8", &page).len(), 3);
    let recipe = guess("a.html", &page).succeeds().stdout;
    assert!(!recipe.contains(['\u{1b}', '\u{202e}', '\u{7}', '\u{9b}']), "{recipe:?}");
}

#[test]
fn the_same_page_gives_the_same_recipe() {
    let page = example("shop.html");
    let first = guess("a.html", &page).succeeds().stdout;
    assert!((0..5).all(|_| guess("a.html", &page).succeeds().stdout == first));
}
