//! Text → tree, behind a guard: our tokens, html5ever's tree construction (WHATWG HTML, section 13.2.6), scraper's tree.

use std::borrow::Cow;
use std::collections::HashSet;

use ego_tree::Tree;
use html5ever::tendril::StrTendril;
use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{self, TagKind, TokenSink, TokenSinkResult};
use html5ever::tree_builder::{TreeBuilder, TreeBuilderOpts, TreeSink};
use html5ever::{Attribute, LocalName, QualName, ns};
use memchr::memchr_iter;
use scraper::{Html, HtmlTreeSink, Node};

use super::deadline::Deadline;
use super::tokens::{self, AttributeNames, Content, Token, Tokens};
use crate::failure::{Failure, Kind};

/// How deep elements may be nested. Blink flattens what is deeper.
const DEPTH: usize = 512;

/// After how much of the text and of the tree it is looked at how it goes: bytes, and nodes and attributes.
const STRIDE: usize = 4 << 10;

/// How often it is looked at that before it is looked at the clock, which takes a system call.
const LOOKS: usize = 8;

/// How many nodes and attributes a tree may have more than its text accounts for: one for every two bytes, as in
/// `<p>x<p>x`. Where formatting is misnested, its elements are opened again and again with all their attributes, so that
/// four bytes may stand for megabytes. The worst of real pages have a tenth of this.
const SPARE: usize = 1 << 20;

/// For how many nodes, of 128 bytes each, space is made at once: an element has two tags and often a text, so that there
/// are as many nodes as `<`. What moves the rest later is little beside what it is moved for.
const AT_ONCE: usize = 8 << 10;

/// Builds the tree of an HTML text.
///
/// # Errors
/// The text is nested too deeply, takes too long, or its tree is too large.
pub(super) fn build(text: &str, deadline: &Deadline) -> Result<Html, Failure> {
    let (mut tokens, mut construction) = (Tokens::new(text), Construction::new(text));
    let mut next_look = STRIDE;
    let mut looks = 0;
    while let Some(token) = tokens.next(|| construction.is_in_foreign_element()) {
        construction.take(token, &mut tokens);
        let size = construction.measure()?;
        if tokens.position() + size >= next_look {
            next_look = tokens.position() + size + STRIDE;
            construction.check_depth()?;
            looks += 1;
            if looks % LOOKS == 0 {
                deadline.check()?;
            }
        }
    }
    Ok(construction.finish())
}

/// A tree that is being built.
struct Construction<'t> {
    builder: TreeBuilder<<HtmlTreeSink as TreeSink>::Handle, HtmlTreeSink>,
    text: Shared<'t>,
    attribute_names: AttributeNames,
    /// How many nodes have been measured.
    nodes: usize,
    /// How many nodes and attributes the tree has.
    size: usize,
}

impl<'t> Construction<'t> {
    fn new(text: &'t str) -> Self {
        let mut document = Html::new_document();
        let nodes = memchr_iter(b'<', text.as_bytes()).count().min(AT_ONCE);
        document.tree = Tree::with_capacity(Node::Document, nodes);
        let sink = HtmlTreeSink::new(document);
        let builder = TreeBuilder::new(sink, TreeBuilderOpts::default());
        Self { builder, text: Shared::new(text), attribute_names: AttributeNames::default(), nodes: 0, size: 0 }
    }

    fn is_in_foreign_element(&self) -> bool {
        self.builder.adjusted_current_node_present_but_not_in_html_namespace()
    }

    fn take(&mut self, token: Token<'t>, tokens: &mut Tokens<'t>) {
        let token = match token {
            Token::Start => return self.start(tokens),
            Token::End => tokenizer::Token::TagToken(tag(TagKind::EndTag, &tokens.tag().name)),
            Token::Text(text) => tokenizer::Token::CharacterTokens(self.text.part(text)),
            Token::Char(c) => tokenizer::Token::CharacterTokens(StrTendril::from_char(c)),
            Token::Null => tokenizer::Token::NullCharacterToken,
            // No selector sees what it says.
            Token::Comment => tokenizer::Token::CommentToken(StrTendril::new()),
            Token::Doctype(doctype) => tokenizer::Token::DoctypeToken(doctype.parse()),
        };
        // Only a start tag decides how what follows is read.
        let _ = self.builder.process_token(token, 0);
    }

    fn start(&mut self, tokens: &mut Tokens<'t>) {
        let start = tokens.tag();
        let mut attrs: Vec<_> = start.attributes().map(|attribute| self.attribute(&attribute)).collect();
        let had_duplicate_attributes = remove_duplicates(&mut attrs);
        let self_closing = start.is_self_closing;
        let tag =
            tokenizer::Tag { self_closing, attrs, had_duplicate_attributes, ..tag(TagKind::StartTag, &start.name) };
        let content = match self.builder.process_token(tokenizer::Token::TagToken(tag), 0) {
            TokenSinkResult::Plaintext => Content::Plaintext,
            TokenSinkResult::RawData(RawKind::Rcdata) => Content::Rcdata,
            TokenSinkResult::RawData(RawKind::Rawtext) => Content::Rawtext,
            TokenSinkResult::RawData(RawKind::ScriptData | RawKind::ScriptDataEscaped(_)) => Content::Script,
            TokenSinkResult::Continue | TokenSinkResult::Script(_) | TokenSinkResult::EncodingIndicator(_) => return,
        };
        tokens.switch(content);
    }

    fn attribute(&mut self, attribute: &tokens::Attribute<'t>) -> Attribute {
        let name = QualName::new(None, ns!(), attribute.name(&mut self.attribute_names));
        let value = match attribute.value() {
            Cow::Borrowed(value) => self.text.part(value),
            Cow::Owned(value) => value.into(),
        };
        Attribute { name, value }
    }

    /// How large the tree is: its nodes and attributes, those of the last token among them.
    fn measure(&mut self) -> Result<usize, Failure> {
        let html = self.builder.sink.0.borrow();
        let nodes = html.tree.nodes();
        let count = nodes.len();
        let attributes = |node: &Node| node.as_element().map_or(0, |element| element.attrs.len());
        self.size += nodes.rev().take(count - self.nodes).map(|node| 1 + attributes(node.value())).sum::<usize>();
        self.nodes = count;
        if self.size > SPARE + self.text.text.len() / 2 {
            return Err(Failure::new(Kind::TooComplex, "the page's formatting is opened again too often"));
        }
        Ok(self.size)
    }

    /// Looks at the depth of the youngest node: what is deep now was not a while ago.
    fn check_depth(&self) -> Result<(), Failure> {
        let html = self.builder.sink.0.borrow();
        let depth = html.tree.nodes().next_back().map_or(0, |node| node.ancestors().count());
        if depth > DEPTH {
            let message = format!("the page nests elements more than {DEPTH} deep");
            return Err(Failure::new(Kind::TooComplex, message));
        }
        Ok(())
    }

    fn finish(self) -> Html {
        // After the end there is nothing to decide.
        let _ = self.builder.process_token(tokenizer::Token::EOFToken, 0);
        self.builder.end();
        self.builder.sink.finish()
    }
}

fn tag(kind: TagKind, name: &LocalName) -> tokenizer::Tag {
    let name = name.clone();
    tokenizer::Tag { kind, name, self_closing: false, attrs: Vec::new(), had_duplicate_attributes: false }
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
