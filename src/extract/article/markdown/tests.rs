//! What Markdown looks like.

use proptest::prelude::*;
use scraper::Html;
use url::Url;

use super::super::super::deadline::Deadline;
use super::super::super::links::Base;
use super::super::super::tree::text_of;
use super::super::{Article, Choice};

/// The Markdown of a body of which nothing is left out.
fn markdown(body: &str) -> String {
    let tree = Html::parse_document(&format!("<body>{body}"));
    let deadline = Deadline::for_text(body);
    let mut article = Article::find(&tree, None, &deadline).unwrap();
    let is_left_out = vec![false; article.survey.elements.len()];
    article.choice = Some(Choice { root: 0, is_left_out });
    article.markdown(&Base::new(&Url::parse("http://a.test/b/").unwrap(), None))
}

#[test]
fn headings_and_paragraphs() {
    assert_eq!(
        markdown("<h1>One <em>two</em></h1>text<p>a  b\n c<p>d<h3>e<br>f #</h3><h4></h4><div><div>g</div></div>"),
        "# One *two*\n\ntext\n\na b c\n\nd\n\n### e f \\#\n\ng"
    );
}

#[test]
fn lists_nest_and_count() {
    assert_eq!(
        markdown("<p>x<ul><li>a<ul><li>b<li>c</ul><li><p>d</p><p>e</p></ul><ol start=9><li>f<li>g<ul><li>h</ul></ol>"),
        "x\n\n- a\n  - b\n  - c\n- d\n\n  e\n\n9. f\n10. g\n    - h"
    );
}

#[test]
fn a_list_behind_another_stays_another() {
    assert_eq!(markdown("<ul><li>a</ul><ul><li>b</ul><ul><li>c</ul>"), "- a\n\n* b\n\n- c");
    assert_eq!(markdown("<ol><li>a</ol><ol><li>b</ol>"), "1. a\n\n1) b");
    assert_eq!(markdown("<ul><li></ul><ul><li>b</ul>"), "- b");
}

#[test]
fn a_numbered_list_that_does_not_begin_with_one_cannot_follow_text_at_once() {
    assert_eq!(markdown("<ul><li>a<ol start=2><li>b</ol></ul>"), "- a\n\n  2. b");
    assert_eq!(markdown("<ol start=4294967295><li>a<li>b</ol>"), "999999999. a\n999999999. b");
    assert_eq!(markdown("<ol start=-1><li>a</ol>"), "1. a");
}

#[test]
fn text_between_two_items_does_not_hide_the_second() {
    assert_eq!(markdown("<ol><li>a</li><p>b</p><li>c</li></ol>"), "1. a\n\nb\n\n2. c");
    assert_eq!(markdown("<ol><li>a</li><ul><li>b</ul><li>c</li></ol>"), "1. a\n\n- b\n\n2. c");
}

#[test]
fn items_hold_blocks() {
    assert_eq!(
        markdown("<ol><li><pre>a\n b</pre>c<blockquote>d</blockquote></ol>"),
        "1. ```\n   a\n    b\n   ```\n\n   c\n\n   > d"
    );
}

#[test]
fn quotations_nest() {
    assert_eq!(
        markdown("<blockquote><p>a<p>b<blockquote>c</blockquote></blockquote><blockquote>d</blockquote>e"),
        "> a\n>\n> b\n>\n> > c\n\n> d\n\ne"
    );
}

#[test]
fn code_is_verbatim_and_its_fence_is_longer_than_what_is_within() {
    assert_eq!(
        markdown("<pre><code class='hl language-rust'>\nfn a() {\n\n    `<b>*`\n}\n</code></pre>"),
        "```rust\n\nfn a() {\n\n    `*`\n}\n```".replacen("\n\n", "\n", 1)
    );
    assert_eq!(markdown("<pre>a\n````\nb</pre>"), "`````\na\n````\nb\n`````");
    assert_eq!(markdown("<pre class='language-a`b'>x</pre>"), "```\nx\n```");
    assert_eq!(markdown("<pre>\n</pre>"), "");
}

#[test]
fn inline_code_is_verbatim() {
    assert_eq!(markdown("a <code> b  `c` </code>d"), "a `` b `c` `` d");
    assert_eq!(markdown("x<code>*_[&lt;</code>y<code></code>"), "x`*_[<`y");
    assert_eq!(markdown("<code>a</code><kbd>b</kbd>"), "`a` `b`");
}

#[test]
fn tables_have_a_head_and_escaped_pipes() {
    assert_eq!(
        markdown("<table><caption>T</caption><tr><th>a|b<th>c<tr><td>1<br>2<td><b>x</b><p>y</table>"),
        "T\n\n| a\\|b | c |\n| --- | --- |\n| 1 2 | **x** y |"
    );
    assert_eq!(
        markdown("<table><tr><td>a<td colspan=2>b<tr><td><code>|</code></table>"),
        "|  |  |  |\n| --- | --- | --- |\n| a | b |  |\n| `\\|` |"
    );
}

#[test]
fn a_row_of_nothing_is_no_head() {
    assert_eq!(
        markdown("<table><tr><th><th><tr><td>a<td>b<tr><td>c<th>d</table>"),
        "|  |  |\n| --- | --- |\n| a | b |\n| c | d |"
    );
}

#[test]
fn a_table_that_is_layout_is_what_is_in_it() {
    assert_eq!(markdown("<table><tr><td>a<td>b</table>"), "a\n\nb");
    assert_eq!(markdown("<table><tr><td>a<td><ul><li>b</ul><tr><td>c<td>d</table>"), "a\n\n- b\n\nc\n\nd");
}

#[test]
fn links_and_images_are_absolute() {
    assert_eq!(markdown("<a href='c d?(e)'> x <b>y</b></a>z"), "[x **y**](http://a.test/b/c%20d?\\(e\\))z");
    assert_eq!(markdown("<img src=/i.png alt='a [b]\n c'>"), "![a \\[b\\] c](http://a.test/i.png)");
    assert_eq!(markdown("<img src='data:,x' data-src=j.png>"), "![](http://a.test/b/j.png)");
    assert_eq!(markdown("<img alt=x><img src='javascript:1'>"), "");
    assert_eq!(markdown("<a href=c><img src=i></a>"), "[![](http://a.test/b/i)](http://a.test/b/c)");
    assert_eq!(markdown("!<a href=c>x</a><a href=c></a>"), "\\![x](http://a.test/b/c)");
}

#[test]
fn links_that_would_run_something_are_text() {
    assert_eq!(markdown("<a href='javascript:alert(1)'>x</a> <a href='data:,x'>y</a> <a>z</a>"), "x y z");
    assert_eq!(markdown("<a href='mailto:a@b.test'>x</a>"), "[x](mailto:a@b.test)");
}

#[test]
fn a_link_around_blocks_is_one_on_the_first() {
    assert_eq!(markdown("<a href=c><div></div><h2>a</h2><p>b</p></a>d"), "## [a](http://a.test/b/c)\n\nb\n\nd");
}

#[test]
fn emphasis_stands_at_words() {
    assert_eq!(markdown("a<b> b </b>c<i></i> <s>d</s>"), "a **b** c ~~d~~");
    assert_eq!(markdown("<b>a</b><b>b</b> <i>c<em>d</em></i>"), "**ab** *cd*");
    assert_eq!(markdown("<b><i>a</i> b</b>"), "***a* b**");
    assert_eq!(markdown("<b>a<br></b>b<br>"), "**a** b");
    assert_eq!(markdown("x<b>b</b>y"), "x**b**y");
}

#[test]
fn emphasis_that_would_not_act_is_left_out() {
    assert_eq!(markdown("x<b>(b)</b> y <b>(b)</b>z <b>(b)</b>."), "x(b) y (b)z **(b)**.");
    assert_eq!(markdown("a<b><s>*</s></b>b"), "a\\*b");
    assert_eq!(markdown("a<b>&nbsp;b </b>c<i>&nbsp;</i>d<i>e&nbsp;</i>f"), "a\u{a0}**b** c\u{a0}d*e*\u{a0}f");
    assert_eq!(markdown("<b>a.</b><a href=c>b</a>"), "**a.**[b](http://a.test/b/c)");
}

#[test]
fn emphasis_goes_on_in_the_next_paragraph() {
    assert_eq!(markdown("<p><b>a</p><p>b</b>c"), "**a**\n\n**b**c");
}

#[test]
fn lines_are_broken_hard_and_twice_is_a_paragraph() {
    assert_eq!(markdown("a<br>b<br><br>c<br>"), "a\\\nb\n\nc");
    assert_eq!(markdown("<i>a<br>b</i>"), "*a\\\nb*");
}

#[test]
fn text_that_looks_like_markdown_is_text() {
    assert_eq!(
        markdown("<p># a<p>- b<p>1. c<p>&gt; d<p>+ e<p>---<p>*f* _g_ [h](i) `j` &lt;b> ~~k~~ \\ &amp;lt;"),
        "\\# a\n\n\\- b\n\n1\\. c\n\n\\> d\n\n\\+ e\n\n\\---\n\n\
         \\*f\\* \\_g\\_ \\[h\\](i) \\`j\\` \\<b> \\~\\~k\\~\\~ \\\\ \\&lt;"
    );
    assert_eq!(markdown("a | b<br>--- | ---"), "a | b\\\n\\--- | ---");
}

#[test]
fn rules_stand_alone() {
    assert_eq!(markdown("a<hr>b<ul><li><hr></ul>"), "a\n\n___\n\nb\n\n- ___");
}

#[test]
fn depth_is_bounded() {
    let deep = "<blockquote>".repeat(400) + "a<br>b";
    assert_eq!(
        markdown(&deep),
        [["> ".repeat(32), "a\\\n".into()].concat(), ["> ".repeat(32), "b".into()].concat()].concat()
    );
    let deep = "<ul><li>".repeat(200) + "a";
    assert!(markdown(&deep).len() < 100);
}

/// Takes the marks away that this writes.
fn unmark(markdown: &str) -> String {
    let mut text = String::new();
    let mut chars = markdown.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => text.extend(chars.next().filter(|c| *c != '\n')),
            '*' | '~' | '`' => {}
            _ => text.push(c),
        }
    }
    text
}

fn squeeze(text: &str) -> String {
    text.split_whitespace().collect()
}

proptest! {
    #[test]
    fn all_text_is_there_and_nothing_else(
        pieces in prop::collection::vec(prop::sample::select(vec![
            "a", "B.", "(", "é", " ", "\n", "*", "_", "~", "\\", "&lt;", "&gt;", "&amp;", "&amp;lt;", "[", "]", "!", "|", "#",
            "<b>", "</b>", "<i>", "</i>", "<s>", "</s>", "<p>", "<div>", "</div>", "<br>",
        ]), 0..40),
    ) {
        let body = pieces.concat();
        let tree = Html::parse_document(&format!("<body>{body}"));
        let text = text_of(&tree.root_element());
        prop_assert_eq!(squeeze(&unmark(&markdown(&body))), squeeze(&text), "{}", body);
    }

    #[test]
    fn no_tag_acts(
        pieces in prop::collection::vec(prop::sample::select(vec![
            "a", "`", "``", "&lt;b&gt;", "&lt;", "&gt;", "\\", "<code>", "</code>", "<pre>", "</pre>", "<b>", "</b>", "<p>", "<li>", "<ul>",
            "</ul>", "<td>", "<tr>", "<table>", "</table>", "<a href=x>", "</a>", "<img src=y alt='&lt;i>`'>", "<h2>", "</h2>", "<br>", " ", "\n",
            "<blockquote>", "</blockquote>",
        ]), 0..40),
    ) {
        let markdown = markdown(&pieces.concat());
        // Outside of code, whose fences are as long as nothing within, no `<` is without its backslash.
        let mut rest = &*markdown;
        while let Some(at) = rest.find(['\\', '`', '<']) {
            prop_assert!(!rest[at..].starts_with('<'), "{:?}", markdown);
            if rest[at..].starts_with('\\') {
                rest = &rest[at + 2.min(rest.len() - at)..];
                continue;
            }
            let fence = rest[at..].split(|c| c != '`').next().unwrap();
            let body = &rest[at + fence.len()..];
            let mut close = 0;
            loop {
                let Some(next) = body[close..].find(fence) else { return Err(TestCaseError::fail(format!("{markdown:?}"))) };
                let run = body[close + next..].len() - body[close + next..].trim_start_matches('`').len();
                close += next + run;
                if run == fence.len() {
                    break;
                }
            }
            rest = &body[close..];
        }
    }
}
