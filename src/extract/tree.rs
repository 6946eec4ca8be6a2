//! The whole tree, for selectors, behind a guard.

use std::borrow::Cow;
use std::collections::HashSet;

use html5ever::tendril::StrTendril;
use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{self, TagKind, TokenSink, TokenSinkResult};
use html5ever::tree_builder::{TreeBuilder, TreeBuilderOpts, TreeSink};
use html5ever::{Attribute, LocalName, QualName, expanded_name, local_name, ns};
use scraper::{ElementRef, Html, HtmlTreeSink, Node};

use super::deadline::{Deadline, STRIDE};
use super::names::is_any;
use super::text::{Gap, Prose, gap_around};
use super::tokens::{Content, Tag, Token, Tokens};
use crate::failure::{Failure, Kind};

/// How deep elements may be nested. Blink flattens what is deeper.
const DEPTH: usize = 512;

type Builder = TreeBuilder<<HtmlTreeSink as TreeSink>::Handle, HtmlTreeSink>;

/// Builds the tree of an HTML text: our tokens, html5ever's tree construction, scraper's tree.
///
/// # Errors
/// The text is nested too deeply, or takes too long.
pub(super) fn build(text: &str, deadline: &Deadline) -> Result<Html, Failure> {
    let sink = HtmlTreeSink::new(Html::new_document());
    let builder = TreeBuilder::new(sink, TreeBuilderOpts::default());
    let (mut tokens, shared) = (Tokens::new(text), Shared::new(text));
    let mut next_look = STRIDE;
    while let Some(token) = tokens.next(|| builder.adjusted_current_node_present_but_not_in_html_namespace()) {
        feed(&builder, token, &mut tokens, &shared);
        if tokens.position() >= next_look {
            next_look = tokens.position() + STRIDE;
            deadline.check()?;
            check_depth(&builder)?;
        }
    }
    // What is done at the end is not asked what to do next.
    let _ = builder.process_token(tokenizer::Token::EOFToken, 0);
    TokenSink::end(&builder);
    Ok(builder.sink.finish())
}

/// Looks at the depth of the youngest node: what is deep now was not a while ago.
fn check_depth(builder: &Builder) -> Result<(), Failure> {
    let html = builder.sink.0.borrow();
    let depth = html.tree.nodes().next_back().map_or(0, |node| node.ancestors().count());
    if depth > DEPTH {
        let message = format!("the page nests elements more than {DEPTH} deep");
        return Err(Failure::new(Kind::TooComplex, message));
    }
    Ok(())
}

/// A text in a form whose parts can be held without a copy.
struct Shared<'t> {
    text: &'t str,
    whole: StrTendril,
}

impl<'t> Shared<'t> {
    fn new(text: &'t str) -> Self {
        Self { text, whole: StrTendril::from_slice(text) }
    }

    /// A part of it, which is given as a slice.
    fn part(&self, part: &str) -> StrTendril {
        let start = part.as_ptr().addr().wrapping_sub(self.text.as_ptr().addr());
        match (u32::try_from(start), u32::try_from(part.len())) {
            (Ok(start), Ok(length)) => self.whole.try_subtendril(start, length).ok(),
            _ => None,
        }
        .unwrap_or_else(|| StrTendril::from_slice(part))
    }
}

fn feed(builder: &Builder, token: Token<'_>, tokens: &mut Tokens<'_>, shared: &Shared<'_>) {
    let name = match &token {
        Token::Start(tag) => Some(LocalName::clone(&tag.name)),
        _ => None,
    };
    let token = match token {
        Token::Text(text) => tokenizer::Token::CharacterTokens(shared.part(text)),
        Token::Char(c) => tokenizer::Token::CharacterTokens(StrTendril::from_char(c)),
        Token::Null => tokenizer::Token::NullCharacterToken,
        Token::Start(tag) => start_tag(tag, tokens, shared),
        Token::End(name) => end_tag(LocalName::clone(&name)),
        // No selector sees what it says.
        Token::Comment => tokenizer::Token::CommentToken(StrTendril::new()),
        Token::Doctype(doctype) => tokenizer::Token::DoctypeToken(doctype.parse()),
    };
    let content = match builder.process_token(token, 0) {
        TokenSinkResult::Plaintext => Content::Plaintext,
        TokenSinkResult::RawData(RawKind::Rcdata) => Content::Rcdata,
        TokenSinkResult::RawData(RawKind::Rawtext) => Content::Rawtext,
        TokenSinkResult::RawData(_) => Content::Script,
        TokenSinkResult::Continue | TokenSinkResult::Script(_) | TokenSinkResult::EncodingIndicator(_) => return,
    };
    tokens.switch(content, &name.unwrap_or_default());
}

fn start_tag(tag: Tag<'_>, tokens: &mut Tokens<'_>, shared: &Shared<'_>) -> tokenizer::Token {
    let mut attrs: Vec<Attribute> = Vec::new();
    for attribute in tag.attributes() {
        let name = QualName::new(None, ns!(), tokens.name(&attribute));
        let value = match attribute.value() {
            Cow::Borrowed(value) => shared.part(value),
            Cow::Owned(value) => value.into(),
        };
        attrs.push(Attribute { name, value });
    }
    let had_duplicate_attributes = remove_duplicates(&mut attrs);
    tokenizer::Token::TagToken(tokenizer::Tag {
        kind: TagKind::StartTag,
        name: LocalName::clone(&tag.name),
        self_closing: tag.is_self_closing,
        attrs,
        had_duplicate_attributes,
    })
}

fn end_tag(name: LocalName) -> tokenizer::Token {
    tokenizer::Token::TagToken(tokenizer::Tag {
        kind: TagKind::EndTag,
        name,
        self_closing: false,
        attrs: Vec::new(),
        had_duplicate_attributes: false,
    })
}

/// Keeps the first attribute of each name. Returns whether there was another one.
fn remove_duplicates(attrs: &mut Vec<Attribute>) -> bool {
    /// A hash set costs more than it saves below.
    const FEW: usize = 16;
    let before = attrs.len();
    if before <= FEW {
        for at in (1..before).rev() {
            if attrs[..at].iter().any(|earlier| earlier.name.local == attrs[at].name.local) {
                attrs.remove(at);
            }
        }
    } else {
        let mut seen = HashSet::with_capacity(before);
        attrs.retain(|attribute| seen.insert(attribute.name.local.clone()));
    }
    attrs.len() < before
}

/// Whether an element is the content of a template, and so no part of the page.
pub(super) fn is_in_template(element: &ElementRef<'_>) -> bool {
    element.ancestors().any(|node| node.value().is_fragment())
}

/// The text in an element, white space collapsed, blocks a space apart; without that of scripts, styles, templates and
/// `noscript` inside.
pub(super) fn text_of(element: &ElementRef<'_>) -> String {
    let mut prose = Prose::default();
    let root = **element;
    let mut node = root;
    loop {
        let is_entered = match node.value() {
            Node::Text(text) => {
                prose.push(text);
                false
            }
            Node::Element(inner) => {
                prose.set_apart(gap_around(&inner.name.local).min(Gap::Space));
                node == root || !is_any!(inner.name.local, "script" "style" "template" "noscript")
            }
            _ => false,
        };
        if let Some(child) = node.first_child().filter(|_| is_entered) {
            node = child;
            continue;
        }
        while node != root && node.next_sibling().is_none() {
            let Some(parent) = node.parent() else { break };
            node = parent;
            if let Node::Element(left) = node.value() {
                prose.set_apart(gap_around(&left.name.local).min(Gap::Space));
            }
        }
        match node.next_sibling().filter(|_| node != root) {
            Some(sibling) => node = sibling,
            None => return prose.finish(),
        }
    }
}

/// The elements of a tree in document order, which is not the order in which they came.
pub(super) fn elements(tree: &Html) -> impl Iterator<Item = ElementRef<'_>> {
    tree.tree.root().descendants().filter_map(ElementRef::wrap)
}

/// The `href` of the first `<base>` that has one.
pub(super) fn base_href(tree: &Html) -> Option<&str> {
    let mut bases = elements(tree).filter(|element| element.value().name.expanded() == expanded_name!(html "base"));
    bases.find_map(|base| base.attr("href").filter(|_| !is_in_template(&base)))
}
