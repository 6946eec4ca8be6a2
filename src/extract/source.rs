//! What the fields of one page are read from.

use std::cell::OnceCell;

use scraper::Html;

use super::article::{Article, words};
use super::bylines;
use super::deadline::Deadline;
use super::hints;
use super::language;
use super::links::Base;
use super::metadata::naming;
use super::parts::{Part, Parts};
use super::reader::{self, Found};
use super::structured::jsonld::Documents;
use super::structured::microdata;
use super::tree::base_href;
use crate::failure::Failure;
use crate::page::{Kind as PageKind, Page};
use crate::similarity::Signature;
use crate::value::Value;

/// What fields are read from. None takes what another one reads.
pub(super) struct Source<'a> {
    pub(super) page: &'a Page<'a>,
    pub(super) found: Found<'a>,
    /// There where a field or a selector needs it, and the page is HTML that is not too complex.
    tree: Option<&'a Html>,
    /// There where a field needs it, as the tree is.
    article: Option<Article<'a>>,
    pub(super) base: Base,
    /// The page's JSON-LD, parsed by the first field that needs it.
    documents: OnceCell<Documents>,
    deadline: &'a Deadline,
    /// Why a field could not be read.
    pub(super) failure: Option<Failure>,
}

impl<'a> Source<'a> {
    pub(super) fn new(page: &'a Page<'a>, found: Found<'a>, tree: Option<&'a Html>, deadline: &'a Deadline) -> Self {
        let base = Base::of(page, found.head.base.as_deref());
        Self { page, found, tree, article: None, base, documents: OnceCell::new(), deadline, failure: None }
    }

    /// Finds the main content in the tree, or in what stands for it where there are no scripts.
    pub(super) fn find_article(&mut self, tree: &'a Html, scriptless: Option<&'a Html>) {
        match Article::find(tree, scriptless, self.deadline) {
            Ok(article) => self.article = Some(article),
            Err(why) => self.failure = Some(why),
        }
    }

    /// What the main content is, as `read` tells it; null where there is none.
    pub(super) fn of_article(&self, read: impl FnOnce(&Article<'a>) -> Value<'static>) -> Value<'static> {
        self.article.as_ref().filter(|article| !article.text().is_empty()).map_or(Value::Null, read)
    }

    /// What the main content is compared by.
    pub(super) fn signature(&self) -> Option<Signature> {
        self.article.as_ref().and_then(|article| Signature::of(words(article.text())))
    }

    /// The main content as Markdown.
    pub(super) fn markdown(&self) -> Option<String> {
        let article = self.article.as_ref().filter(|article| !article.text().is_empty())?;
        Some(article.markdown(&self.base_of_tree()))
    }

    /// The base of what is read from the tree: the head need not have been read.
    pub(super) fn base_of_tree(&self) -> Base {
        Base::of(self.page, self.tree.and_then(base_href))
    }

    pub(super) fn documents(&self) -> &Documents {
        self.documents.get_or_init(|| Documents::parse(&self.found.jsonld))
    }

    /// What may say who wrote the page, and when.
    pub(super) fn bylines(&self) -> bylines::Evidence<'_> {
        let head = &self.found.head;
        let title = self.found.title.as_deref().unwrap_or_default();
        let canonical = head.links_of("canonical").map(|link| &*link.href);
        let urls = canonical.chain(head.content(&["og:url"])).chain([self.page.url.path()]);
        bylines::Evidence {
            head,
            documents: self.documents(),
            bylines: &self.found.bylines,
            source: &self.page.text,
            text: &self.found.text,
            headline: self.found.bylines.headline(&self.found.text, title),
            urls: urls.collect(),
        }
    }

    pub(super) fn hints(&self) -> Value<'static> {
        let evidence = hints::Evidence {
            page: self.page,
            title: self.found.title.as_deref().unwrap_or_default(),
            headings: &self.found.headings,
            text: &self.found.text,
            signals: &self.found.signals,
        };
        evidence.to_value()
    }

    /// The language that the page declares, else the one that its text is in.
    pub(super) fn language(&mut self) -> Option<String> {
        naming::language(&self.found.head, self.page.headers).or_else(|| self.detect_language().map(str::to_owned))
    }

    /// Reads the text if nobody else has asked for it: most pages declare their language, in their head.
    fn detect_language(&mut self) -> Option<&'static str> {
        match self.page.kind {
            PageKind::Html if self.found.text.is_empty() => {
                let (found, result) = reader::read(&self.page.text, Parts::of(Part::Text), self.deadline);
                self.failure = self.failure.take().or(result.err());
                language::detect(&found.text)
            }
            PageKind::Html => language::detect(&self.found.text),
            PageKind::Text => language::detect(&self.page.text),
            PageKind::Xml | PageKind::Json | PageKind::Binary => None,
        }
    }

    /// Whether the page names more URLs than it may, which is noted as its failure.
    pub(super) fn has_too_many_urls(&mut self) -> bool {
        let result = self.base.check();
        let has_too_many = result.is_err();
        self.failure = self.failure.take().or(result.err());
        has_too_many
    }

    /// The microdata; null where it is too much to be read.
    pub(super) fn microdata(&mut self) -> Value<'static> {
        let Some(tree) = self.tree else { return Value::List(Vec::new()) };
        microdata::items(tree, self.deadline).unwrap_or_else(|failure| {
            self.failure = Some(failure);
            Value::Null
        })
    }
}
