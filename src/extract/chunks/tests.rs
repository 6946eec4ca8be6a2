use proptest::prelude::*;

use super::*;

fn chunks(markdown: &str, limit: usize) -> Vec<Chunk<'_>> {
    split(markdown, NonZeroUsize::new(limit).unwrap()).collect()
}

fn texts(markdown: &str, limit: usize) -> Vec<&str> {
    chunks(markdown, limit).into_iter().map(|chunk| chunk.text).collect()
}

#[test]
fn headings_begin_chunks_and_are_their_path() {
    let markdown = "Before.\n\n# A\n\n## B\n\nIn B.\n\n### C\n\nIn C.\n\n## D\n\nIn D.\n\n# E\n\n# F\n\nIn F.";
    let found: Vec<_> = chunks(markdown, 100).into_iter().map(|chunk| (chunk.path.join("/"), chunk.text)).collect();
    let expected = [
        ("", "Before."),
        ("A/B", "# A\n\n## B\n\nIn B."),
        ("A/B/C", "### C\n\nIn C."),
        ("A/D", "## D\n\nIn D."),
        ("E", "# E"),
        ("F", "# F\n\nIn F."),
    ];
    assert_eq!(found, expected.map(|(path, text)| (path.to_owned(), text)));
}

#[test]
fn what_is_no_heading_begins_no_chunk() {
    let code = "# A\n\n```sh\n# a comment\n\n## another\n```\n\n#hashtag\n\n####### seven\n\n> # quoted";
    assert_eq!(texts(code, 100), [code]);
    assert_eq!(chunks(code, 100)[0].path, ["A"]);
}

#[test]
fn a_long_section_is_cut_between_blocks_and_keeps_its_path() {
    let markdown = "# A\n\none two three\n\nfour five six\n\nseven eight";
    let found = chunks(markdown, 20);
    let texts: Vec<_> = found.iter().map(|chunk| chunk.text).collect();
    assert_eq!(texts, ["# A\n\none two three", "four five six", "seven eight"]);
    assert!(found.iter().all(|chunk| chunk.path == ["A"]));
}

#[test]
fn code_that_fits_is_whole() {
    let code = "```rust\nlet a = 1;\n\nlet b = 2;\n```";
    assert_eq!(texts(&format!("Some words.\n\n{code}\n\nMore words."), 35), ["Some words.", code, "More words."]);
    let in_list = "- one and more\n- ```\n  a\n  b\n  ```\n- two and more";
    assert_eq!(texts(in_list, 20), ["- one and more", "- ```\n  a\n  b\n  ```", "- two and more"]);
}

#[test]
fn code_and_tables_that_do_not_fit_are_cut_between_lines() {
    let code = "```\nfirst line\n\n# second\n```";
    assert_eq!(texts(code, 16), ["```\nfirst line", "# second\n```"]);
    let table = "| a | b |\n| --- | --- |\n| c c | d |\n| e e | f |";
    assert_eq!(texts(table, 24), ["| a | b |\n| --- | --- |", "| c c | d |\n| e e | f |"]);
}

#[test]
fn a_long_paragraph_is_cut_between_sentences_then_words_then_anywhere() {
    assert_eq!(texts("One two. Three four! Five six? Seven.", 20), ["One two. Three four!", "Five six? Seven."]);
    assert_eq!(texts("# A\n\none two three four", 12), ["# A\n\none two", "three four"]);
    assert_eq!(texts("a 0123456789 b", 4), ["a", "0123", "4567", "89 b"]);
    assert_eq!(texts("東京は大きい。京都は古い。", 8), ["東京は大きい。", "京都は古い。"]);
}

#[test]
fn characters_count_and_not_bytes() {
    assert_eq!(texts("äöü äöü äöü", 7), ["äöü äöü", "äöü"]);
}

#[test]
fn a_heading_in_a_path_is_no_longer_than_a_chunk() {
    assert!(chunks("# one two three\n\nfour", 7).iter().all(|chunk| chunk.path == ["one two"]));
}

#[test]
fn the_rows_of_a_page_have_a_bound() {
    let row = Row(vec!["x".repeat(1 << 20).into(), Value::Null, Value::Null, Value::Null]);
    let limit = NonZeroUsize::new(4).unwrap();
    let (few, none) = rows(&row, 1, "one two three", limit);
    assert_eq!((few.len(), none.is_none()), (4, true));
    let (rows, failure) = rows(&row, 1, &"one ".repeat(1000), limit);
    assert_eq!((rows.len(), failure.unwrap().kind), (63, Kind::TooComplex));
}

/// What is left when a text is cut and put together again.
fn without_space(texts: &[&str]) -> String {
    texts.concat().split_whitespace().collect()
}

proptest! {
    #[test]
    fn chunks_are_the_text_and_none_is_too_long(
        pieces in prop::collection::vec(prop::sample::select(vec![
            "# ", "## ", "###### ", "\n", "\n\n", "```", "````", "`", "> ", "- ", "1. ", "| a | b |", "word", "a longer text. ",
            "   ", "。", "日本", "\t", "http://example.com/a/b/c", "\u{a0}", "\r\n", "!",
        ]), 0..60),
        limit in 1..80_usize,
    ) {
        let markdown = pieces.concat();
        let texts = texts(&markdown, limit);
        prop_assert!(texts.iter().all(|text| !text.is_empty() && text.chars().count() <= limit), "{:?}", texts);
        prop_assert_eq!(without_space(&texts), without_space(&[&markdown]));
    }

    #[test]
    fn words_and_lines_of_code_that_fit_are_whole(
        blocks in prop::collection::vec((any::<bool>(), prop::collection::vec("[a-z]{1,9}", 1..12)), 1..8),
        limit in 20..60_usize,
    ) {
        let block = |(is_code, words): &(bool, Vec<String>)| match is_code {
            true => format!("```\n{}\n```", words.join("\n")),
            false => words.join(" "),
        };
        let blocks: Vec<_> = blocks.iter().map(block).collect();
        let markdown = blocks.join("\n\n");
        let texts = texts(&markdown, limit);
        for block in blocks.iter().filter(|block| block.chars().count() <= limit) {
            prop_assert!(texts.iter().any(|text| text.contains(block.as_str())), "{} in {:?}", block, texts);
        }
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        prop_assert_eq!(texts.iter().flat_map(|text| words(text)).collect::<Vec<_>>(), words(&markdown));
    }
}
