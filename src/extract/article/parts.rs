//! Which part of a page each element belongs to.

use super::super::names::is_any;
use super::hints::Hints;
use super::survey::{Element, Survey};

/// Text of fewer bytes is prose only if it has a sentence: it is a label, a date, a price.
const PROSE: u32 = 40;

/// What a byte in a link counts against one of prose.
const LINKED: f32 = 2.0;

/// How much of a page's text something named like furniture may hold: what holds more is the page.
const MOST: f32 = 0.7;

/// The same, where keeping to [`MOST`] would leave less than [`ENOUGH`] of the page.
const LESS: f32 = 0.33;

/// How much of the prose, or of the text, has to remain.
const ENOUGH: f32 = 0.3;

/// How much of a page's text something named like furniture may hold if it holds the page's `<main>` or `<h1>`.
const LEAST: f32 = 0.1;

/// How many sentences a form has that is more than one: some pages are in one as a whole.
const SENTENCES: u32 = 5;

/// A part of a page, from the most to the least likely content. What is in a part belongs to it or to a later one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    Content,
    /// What buyers think.
    Review,
    /// What accompanies an article: captions, teasers.
    Extra,
    /// What readers think.
    Comment,
    /// Who wrote it.
    Byline,
    /// What surrounds the content, by its names.
    Furniture,
    /// What surrounds the content for sure.
    Chrome,
}

/// How much of something is in each part.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Share([f32; 7]);

impl Share {
    pub(super) fn of(&self, part: Part) -> f32 {
        self.0[part as usize]
    }

    pub(super) fn sum(&self, is_in: impl Fn(Part) -> bool) -> f32 {
        let parts =
            [Part::Content, Part::Review, Part::Extra, Part::Comment, Part::Byline, Part::Furniture, Part::Chrome];
        parts.into_iter().filter(|part| is_in(*part)).map(|part| self.of(part)).sum()
    }
}

/// The elements of a page, each with its part and its worth.
#[derive(Debug)]
pub(super) struct Parts {
    /// The part of each element.
    pub(super) list: Vec<Part>,
    /// What the own text of each element is worth: bytes of prose, less than none where it is links.
    pub(super) worth: Vec<f32>,
    /// The prose in each part, in bytes.
    pub(super) prose: Share,
    /// The text in each part, in bytes.
    pub(super) text: Share,
}

impl Parts {
    /// Tells the elements apart.
    ///
    /// Names mislead: a `newsletter` may be one's whole page. What would leave too little is therefore not believed, as
    /// in Readability, which tries again with less strict rules.
    pub(super) fn of(survey: &Survey<'_>) -> Self {
        let worth = survey.elements.iter().map(worth).collect();
        let mut parts = Self { list: Vec::new(), worth, prose: Share::default(), text: Share::default() };
        let anchored = anchored(survey);
        for most in [MOST, LESS] {
            parts.divide(survey, &anchored, most);
            let is_kept = |part| part < Part::Furniture;
            let prose = parts.prose.sum(|part| part < Part::Chrome);
            if parts.prose.sum(is_kept) > ENOUGH * prose
                || parts.text.sum(is_kept) > ENOUGH * float(survey.total().bytes)
            {
                break;
            }
        }
        parts
    }

    fn divide(&mut self, survey: &Survey<'_>, anchored: &[bool], most: f32) {
        let total = float(survey.total().bytes);
        let mut in_scope = Vec::with_capacity(survey.elements.len());
        self.list.clear();
        (self.prose, self.text) = (Share::default(), Share::default());
        for (index, element) in survey.elements.iter().enumerate() {
            let (outer, is_in_scope) = match self.list.get(element.parent) {
                Some(&part) => (part, in_scope[element.parent]),
                None => (Part::Content, false),
            };
            let is_in_scope = is_in_scope || element.hints.has(Hints::SCOPE);
            let limit = if anchored[index] { LEAST } else { most };
            let is_small = float(element.all.bytes) < limit * total;
            let part = part_of(element, is_small, is_in_scope).max(outer);
            self.list.push(part);
            in_scope.push(is_in_scope);
            if element.is_block {
                self.text.0[part as usize] += float(element.own.bytes);
                self.prose.0[part as usize] += self.worth[index].max(0.0);
            }
        }
    }
}

/// The part of an element, whatever it is in.
fn part_of(element: &Element<'_>, is_small: bool, is_in_scope: bool) -> Part {
    let has = |hint| element.hints.has(hint);
    let is_form = has(Hints::FORM) && element.all.stops < SENTENCES;
    if is_small && has(Hints::CHROME) {
        Part::Chrome
    } else if is_small && (has(Hints::FURNITURE) || is_form || has(Hints::HEADER) && !is_in_scope) {
        Part::Furniture
    } else if has(Hints::COMMENT) {
        Part::Comment
    } else if has(Hints::REVIEW) {
        Part::Review
    } else if is_small && has(Hints::BYLINE) {
        Part::Byline
    } else if is_small && has(Hints::EXTRA) {
        Part::Extra
    } else {
        Part::Content
    }
}

/// What an element's own text is worth (boilerpipe's text and link density, in one figure).
fn worth(element: &Element<'_>) -> f32 {
    if !element.is_block {
        return 0.0;
    }
    let own = element.own;
    let is_prose = own.plain() >= PROSE || own.stops > 0 || is_any!(*element.name(), "pre");
    let prose = if is_prose { float(own.plain()) } else { 0.0 };
    prose - LINKED * float(own.linked)
}

/// Whether each element is or has an anchor.
fn anchored(survey: &Survey<'_>) -> Vec<bool> {
    let mut anchored: Vec<_> = survey.elements.iter().map(|element| element.hints.has(Hints::ANCHOR)).collect();
    for (index, element) in survey.elements.iter().enumerate().rev() {
        anchored[element.parent] |= anchored[index];
    }
    anchored
}

/// A length as a number to weigh.
#[expect(clippy::cast_precision_loss, reason = "a heuristic needs no more than seven digits")]
pub(super) fn float(length: u32) -> f32 {
    length as f32
}
