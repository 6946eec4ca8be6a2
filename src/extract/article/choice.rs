//! Which element holds the main content, and what in it is none.

use super::evidence::Evidence;
use super::hints::Hints;
use super::parts::{Part, Parts, float};
use super::survey::Survey;

/// A page whose prose is a smaller share of its text is an index: a list of links, of products.
const INDEX: f32 = 0.45;

/// The same, for a page that says that it is an article.
const INDEX_ARTICLE: f32 = 0.15;

/// How much prose is no index, in bytes, and which share of its text it is.
const LONG: f32 = 1500.0;
const DENSE: f32 = 0.8;

/// How many times as much as the rest comments are on a page that is about them.
const COMMENTS: f32 = 2.0;

/// The same, for a page that says that it is an article.
const COMMENTS_ARTICLE: f32 = 10.0;

/// How many times as much as the rest extras are on a page that is made of them.
const EXTRAS: f32 = 0.5;

/// How much of the prose something named as the main content has to hold to be it.
const SCOPE: f32 = 0.7;

/// A list of more links than [`FEW`] that has a larger share of its text in them is navigation.
const LINKED: f32 = 0.7;
const FEW: u32 = 2;

/// The main content among the elements of a survey.
#[derive(Clone, Debug)]
pub(super) struct Choice {
    /// The element that holds it.
    pub(super) root: usize,
    /// Which elements are none of it, whatever is in them.
    pub(super) is_left_out: Vec<bool>,
}

impl Choice {
    /// Chooses. There is at least one element.
    pub(super) fn of(survey: &Survey<'_>, evidence: Evidence) -> Self {
        let evidence = evidence.with_body(survey);
        let parts = Parts::of(survey);
        let kind = Kind::of(&parts, evidence);
        let whole = Self { root: 0, is_left_out: parts.list.iter().map(|part| !kind.keeps(*part)).collect() };
        let narrow = whole.clone().narrow(survey, parts.worth.clone());
        if kind.is_index && !narrow.is_prose(survey, &parts) { whole } else { narrow }
    }

    /// Whether it is long and dense prose: there is no such thing in an index, but there is where a text stands between
    /// tables of links.
    fn is_prose(&self, survey: &Survey<'_>, parts: &Parts) -> bool {
        let (mut prose, mut text) = (0.0, 0.0);
        for index in self.root..survey.elements[self.root].end {
            let element = &survey.elements[index];
            if element.is_block && parts.list[index] == Part::Content {
                prose += parts.worth[index].max(0.0);
                text += float(element.own.bytes);
            }
        }
        prose > LONG && prose > DENSE * text
    }

    /// Takes the subtree whose prose outweighs its links the most: the maximum over all subtrees of a sum in which one
    /// that would be negative counts nothing, as if it were cut off. A smaller one that says that it is the content is
    /// preferred if it has nearly as much.
    fn narrow(mut self, survey: &Survey<'_>, mut worth: Vec<f32>) -> Self {
        for (index, element) in survey.elements.iter().enumerate().rev() {
            self.is_left_out[index] |= element.hints.has(Hints::TITLE);
            if self.is_left_out[index] {
                worth[index] = 0.0;
            }
            if index > 0 && worth[index] > 0.0 {
                worth[element.parent] += worth[index];
            }
        }
        // Of those that are worth the same, the innermost.
        let best = (0..worth.len()).max_by(|a, b| worth[*a].total_cmp(&worth[*b])).unwrap_or(0);
        self.root = best;
        for index in best..survey.elements[best].end {
            let names_itself =
                survey.elements[index].hints.has(Hints::BODY) || survey.elements[index].hints.has(Hints::SCOPE);
            if names_itself && index < survey.elements[self.root].end && worth[index] > SCOPE * worth[best] {
                self.root = index;
            }
        }
        for (index, element) in survey.elements.iter().enumerate() {
            let is_linked = float(element.all.linked) > LINKED * float(element.all.bytes);
            self.is_left_out[index] |= element.is_block && worth[index] < 0.0 && element.all.links > FEW && is_linked;
        }
        self
    }
}

/// What a page is, as far as that decides what its content is.
#[derive(Clone, Copy, Debug)]
struct Kind {
    evidence: Evidence,
    /// Its content is what it links to, and not prose.
    is_index: bool,
    keeps_extras: bool,
}

impl Kind {
    fn of(parts: &Parts, mut evidence: Evidence) -> Self {
        let prose = parts.prose.of(Part::Content);
        let many = if evidence.is_article { COMMENTS_ARTICLE } else { COMMENTS };
        evidence.is_discussion |= parts.prose.of(Part::Comment) > many * prose;
        let keeps_extras = parts.prose.of(Part::Extra) > EXTRAS * prose;
        let mut kind = Self { evidence, is_index: false, keeps_extras };
        let density = parts.prose.sum(|part| kind.keeps(part)) / parts.text.sum(|part| kind.keeps(part)).max(1.0);
        kind.is_index = density < if evidence.is_article { INDEX_ARTICLE } else { INDEX };
        kind.keeps_extras |= kind.is_index && !evidence.is_product;
        kind
    }

    /// Whether a part is content.
    fn keeps(self, part: Part) -> bool {
        match part {
            Part::Content => true,
            Part::Review => !self.evidence.is_product,
            Part::Extra => self.keeps_extras,
            Part::Comment => self.evidence.is_discussion,
            Part::Byline | Part::Furniture | Part::Chrome => false,
        }
    }
}
