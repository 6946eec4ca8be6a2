//! The tokenizer against html5ever's.

use std::cell::{Cell, RefCell};

use html5ever::buffer_queue::BufferQueue;
use html5ever::local_name;
use html5ever::tendril::StrTendril;
use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{self, TagKind, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts};
use proptest::prelude::*;

use super::{Content, Token, Tokens};

/// A token that both can be turned into.
#[derive(Clone, Debug, PartialEq)]
enum Plain {
    Text(String),
    Null,
    Start { name: String, attributes: Vec<(String, String)>, is_self_closing: bool },
    End(String),
    Comment,
    Doctype(tokenizer::Doctype),
}

/// Pieces of text made one, and those of nothing left out.
fn push(tokens: &mut Vec<Plain>, token: Plain) {
    match (tokens.last_mut(), token) {
        (Some(Plain::Text(before)), Plain::Text(text)) => before.push_str(&text),
        (_, Plain::Text(text)) if text.is_empty() => {}
        (_, token) => tokens.push(token),
    }
}

fn content_of(name: &str) -> Content {
    match name {
        "title" | "textarea" => Content::Rcdata,
        "style" | "xmp" | "iframe" => Content::Rawtext,
        "script" => Content::Script,
        "plaintext" => Content::Plaintext,
        _ => Content::Data,
    }
}

fn ours(text: &str) -> Vec<Plain> {
    let (mut found, mut tokens, mut is_foreign) = (Vec::new(), Tokens::new(text), false);
    let mut names = super::AttributeNames::default();
    while let Some(token) = tokens.next(|| is_foreign) {
        let token = match token {
            Token::Text(text) => Plain::Text(text.to_owned()),
            Token::Char(c) => Plain::Text(c.into()),
            Token::Null => Plain::Null,
            Token::End => Plain::End(tokens.tag().name.to_string()),
            Token::Comment => Plain::Comment,
            Token::Doctype(doctype) => Plain::Doctype(doctype.parse()),
            Token::Start => {
                tokens.switch(content_of(&tokens.tag().name));
                let tag = tokens.tag();
                let mut attributes: Vec<(String, String)> = Vec::new();
                for attribute in tag.attributes() {
                    let name = attribute.name(&mut names).to_string();
                    if attributes.iter().all(|(earlier, _)| *earlier != name) {
                        attributes.push((name, attribute.value().into_owned()));
                    }
                }
                for (name, value) in &attributes {
                    assert!(name.contains('\u{fffd}') || tag.attribute(name).as_deref() == Some(value));
                }
                Plain::Start { name: tag.name.to_string(), attributes, is_self_closing: tag.is_self_closing }
            }
        };
        is_foreign = next_is_foreign(is_foreign, &token);
        push(&mut found, token);
    }
    assert_eq!(tokens.position(), text.len());
    found
}

/// CDATA is allowed from one `svg` tag to the next.
fn next_is_foreign(is_foreign: bool, token: &Plain) -> bool {
    match token {
        Plain::Start { name, .. } if name == "svg" => true,
        Plain::End(name) if name == "svg" => false,
        _ => is_foreign,
    }
}

#[derive(Default)]
struct Recorder {
    found: RefCell<Vec<Plain>>,
    is_foreign: Cell<bool>,
}

impl TokenSink for Recorder {
    type Handle = ();

    fn process_token(&self, token: tokenizer::Token, _line: u64) -> TokenSinkResult<()> {
        let mut result = TokenSinkResult::Continue;
        let token = match token {
            tokenizer::Token::CharacterTokens(text) => Plain::Text(text.to_string()),
            tokenizer::Token::NullCharacterToken => Plain::Null,
            tokenizer::Token::CommentToken(_) => Plain::Comment,
            tokenizer::Token::DoctypeToken(doctype) => Plain::Doctype(doctype),
            tokenizer::Token::EOFToken | tokenizer::Token::ParseError(_) => return result,
            tokenizer::Token::TagToken(tag) if tag.kind == TagKind::EndTag => Plain::End(tag.name.to_string()),
            tokenizer::Token::TagToken(tag) => {
                result = match content_of(&tag.name) {
                    Content::Rcdata => TokenSinkResult::RawData(RawKind::Rcdata),
                    Content::Rawtext => TokenSinkResult::RawData(RawKind::Rawtext),
                    Content::Script => TokenSinkResult::RawData(RawKind::ScriptData),
                    Content::Plaintext => TokenSinkResult::Plaintext,
                    Content::Data | Content::Cdata => TokenSinkResult::Continue,
                };
                let pairs = tag.attrs.iter().map(|one| (one.name.local.to_string(), one.value.to_string()));
                let attributes = pairs.collect();
                Plain::Start { name: tag.name.to_string(), attributes, is_self_closing: tag.self_closing }
            }
        };
        self.is_foreign.set(next_is_foreign(self.is_foreign.get(), &token));
        push(&mut self.found.borrow_mut(), token);
        result
    }

    fn adjusted_current_node_present_but_not_in_html_namespace(&self) -> bool {
        self.is_foreign.get()
    }
}

fn theirs(text: &str) -> Vec<Plain> {
    let tokenizer = Tokenizer::new(Recorder::default(), TokenizerOpts::default());
    let queue = BufferQueue::default();
    queue.push_back(StrTendril::from_slice(text));
    while !matches!(tokenizer.feed(&queue), html5ever::TokenizerResult::Done) {}
    tokenizer.end();
    tokenizer.sink.found.into_inner()
}

#[test]
fn names_are_interned_whatever_their_length_and_case() {
    let mut names = super::AttributeNames::default();
    let mut find = |name: &str| names.find(name, name.len()).clone();
    for _ in 0..2 {
        assert_eq!(find("DIV"), local_name!("div"));
        assert_eq!(find("div"), local_name!("div"));
        assert_eq!(find("BlockQuote"), local_name!("blockquote"));
        assert_eq!(&*find("x\0Y"), "x\u{fffd}y");
        assert_eq!(&*find("\0"), "\u{fffd}");
        assert_eq!(&*find("é"), "é");
    }
}

#[test]
fn a_megabyte_of_empty_sections_is_read() {
    assert_eq!(ours(&format!("<svg>{}", "<![CDATA[]]>".repeat(100_000))).len(), 1);
}

/// What decides something, and a little that does not.
const PIECES: &[&str] = &[
    "<",
    ">",
    "/",
    "!",
    "?",
    "=",
    "\"",
    "'",
    "-",
    "--",
    "-->",
    "--!>",
    "<!--",
    "<!-->",
    "<!--->",
    "]]>",
    "]",
    "&",
    "#",
    ";",
    " ",
    "\n",
    "\r",
    "\r\n",
    "\t",
    "\u{c}",
    "\0",
    "a",
    "B",
    "é",
    "\u{feff}",
    "😀",
    "</",
    "</>",
    "<!",
    "<?",
    "<!doctype",
    "<!DOCTYPE html",
    " PUBLIC",
    " system",
    " \"-//W3C//DTD HTML 4.01//EN\"",
    " 'x'",
    "<a",
    "<A HREF",
    "<p>",
    "</p>",
    "<br/>",
    " href=",
    " href = 'a&amp;b'",
    " class=\"x y\"",
    " x=1/>",
    "&amp;",
    "&amp",
    "&AMP",
    "&notin;",
    "&notit;",
    "&not",
    "&NotEqualTilde;",
    "&ngE;",
    "&lang",
    "&nope;",
    "&#",
    "&#x",
    "&#65;",
    "&#x41",
    "&#0;",
    "&#128;",
    "&#x81;",
    "&#xD800;",
    "&#x110000;",
    "&#99999999999;",
    "&CounterClockwiseContourIntegral;",
    "<title>",
    "</title>",
    "</TITLE ",
    "</titl",
    "<textarea>",
    "</textarea>",
    "<script>",
    "<script",
    "</script>",
    "</script",
    "</SCRIPT/",
    "<style>",
    "</style>",
    "<plaintext>",
    "<svg>",
    "</svg>",
    "<![CDATA[",
    "<![cdata[",
    "<xmp>",
    "</xmp>",
];

fn soup() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(PIECES), 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn tokens_are_those_of_html5ever(text in soup()) {
        prop_assert_eq!(ours(&text), theirs(&text), "{:?}", text);
    }

    #[test]
    fn tokens_of_any_text_are_those_of_html5ever(text in "(?s).{0,60}") {
        prop_assert_eq!(ours(&text), theirs(&text), "{:?}", text);
    }
}
