//! Pages and selectors that are meant to harm.

use super::*;

/// So many attributes.
fn attributes(count: usize) -> String {
    (0..count).map(|n| format!(" a{n}=x")).collect::<Vec<_>>().concat()
}

#[test]
fn a_page_too_complex_for_a_tree_keeps_what_tokens_tell() {
    for nest in ["<div>", "<ul><li>", "<b>", "<font>", "<table><tr><td>", "<svg><g>"] {
        let body = format!("<title>a</title><h1>b</h1>{}", nest.repeat(100_000));
        let extracted = read(&[field("h1"), select("x[]=p")], &body);
        assert_eq!(extracted.title.as_deref(), Some("a"), "{nest}");
        assert_eq!(extracted.rows[0].0[0].to_cell(), "b");
        assert!(extracted.rows[0].0[1].is_null());
        assert_eq!(extracted.failure.map(|failure| failure.kind), Some(failure::Kind::TooComplex), "{nest}");
    }
}

#[test]
fn formatting_that_is_opened_again_and_again_does_not_fill_the_memory() {
    let attributes = attributes(10_000);
    let formatting: String = ["b", "i", "u", "s", "em"].map(|name| format!("<{name}{attributes}>")).concat();
    // Each paragraph has all of it: 50,000 attributes for four bytes.
    let body = format!("<title>a</title><p>{formatting}</p>{}", "<p>x".repeat(10_000));
    let far = Deadline::for_text(&" ".repeat(100 << 20));
    let failure = construct::build(&body, &far).err().unwrap();
    assert_eq!(failure.kind, failure::Kind::TooComplex);
    assert!(failure.message.contains("again"), "{failure}");
    let bearable = format!("<p>{}</p>{}", "<b><i class=x><font size=1>".repeat(20), "<p>x".repeat(3_000));
    assert_eq!(read(&[select("x=p")], &bearable).failure, None);
}

#[test]
fn links_that_repeat_a_long_base_do_not_fill_the_memory() {
    let page = |base: usize, links: usize| {
        let body = format!("<h1>a</h1><base href='/{}/'>{}", "x".repeat(base), "<a href=y></a>".repeat(links));
        read(&[field("h1"), field("links"), select("x[]=a@href")], &body)
    };
    let extracted = page(1 << 20, 100);
    assert_eq!(extracted.failure.map(|failure| failure.kind), Some(failure::Kind::TooComplex));
    assert_eq!(extracted.rows[0].0[0].to_cell(), "a");
    assert!(extracted.rows[0].0[1].is_null() && extracted.rows[0].0[2].is_null());
    assert_eq!(page(1 << 20, 10).failure, None);
    assert_eq!(page(100, 10_000).failure, None);
}

#[test]
fn images_that_repeat_a_long_text_do_not_fill_the_memory() {
    let page = |alt: usize, candidates: usize| {
        let body = format!("<img alt='{}' srcset='{}'>", "x".repeat(alt), "y 1x,".repeat(candidates));
        read(&[field("images")], &body)
    };
    assert_eq!(page(1 << 20, 100).failure.map(|failure| failure.kind), Some(failure::Kind::TooComplex));
    assert_eq!(page(1 << 20, 10).failure, None);
    assert_eq!(page(100, 10_000).failure, None);
}

#[test]
fn nothing_without_an_end_is_too_much() {
    for endless in [
        "<!--",
        "<!-- -",
        "<p ",
        "<p x",
        "<p x=\"",
        "<p x='y' ",
        "<script>",
        "<script><!--<script>",
        "<style>",
        "<title>",
        "<textarea>",
        "<select>",
        "<select><option>",
        "<table>",
        "<table>x",
        "<table><tr><b>",
        "<svg><![CDATA[",
        "<a>",
        "<a href=x><p>",
        "<b><i></b></i>",
        "<nobr><p>",
        "<b><p></b>",
        "<plaintext>",
        "<frameset>",
        "<h1>",
        "<button>",
        "</p>",
        "</br>",
        "<!doctype ",
        "<?",
        "&",
        "&#",
        "&#x41",
        "<",
        "</",
        "<![CDATA[",
        "\0",
        "\r",
        "<body x>",
        "<html x>",
    ] {
        let body = format!("<title>a</title><p>{}", endless.repeat(2_000));
        let everything = FIELDS.iter().map(|field| Ask::Field(field.name.into()));
        let selectors = ["x[]=*", "y=* * > *", "z=p:has(i) ~ p, :not(:not(b))"].map(select);
        let extracted = read(&everything.chain(selectors).collect::<Vec<_>>(), &body);
        assert_eq!(extracted.title.as_deref(), Some("a"), "{endless}");
        assert!(extracted.failure.is_none_or(|failure| failure.kind == failure::Kind::TooComplex), "{endless}");
    }
}

#[test]
fn hostile_selectors_end_in_time() {
    let body = format!("{}<b></b>{}", "<div>".repeat(400), "<p></p>".repeat(2_000));
    let has = ":has(~ p ~ p ~ i)".repeat(20);
    for css in ["* * * * * * i", "* > * * > * i", "p ~ p ~ p ~ p ~ i", "* + * ~ * i", "p:nth-last-child(3n+1) i", &has]
    {
        let extracted = read(&[select(&format!("x[]={css}"))], &body);
        let is_fine = extracted.failure.is_none_or(|failure| failure.kind == failure::Kind::TooComplex);
        assert!(is_fine && extracted.rows[0].0[0].to_cell().len() <= 2, "{css}");
    }
}

#[test]
fn a_tag_with_a_hundred_thousand_attributes_is_read() {
    let body = format!("<p{} a99999=y><title>a</title>", attributes(100_000));
    let extracted = read(&[select("x=p@a99999")], &body);
    assert_eq!((extracted.failure, extracted.title.as_deref()), (None, Some("a")));
    assert_eq!(extracted.rows[0].0[0].to_cell(), "x");
}

#[test]
fn a_large_page_is_not_given_up() {
    let body = "<div><p class=x>Some text of a <a href=/y>page</a>, which is <b>long</b>.</div>\n".repeat(10_000);
    let extracted = read(&[field("links"), select("x=p.x")], &body);
    assert_eq!(extracted.failure, None);
    assert!(matches!(&extracted.rows[0].0[0], Value::Table(links) if links.len() == 10_000));
}
