//! What of a page has to be read.

/// A part of a page that is read only where something asks for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// The answer's header fields: nothing of the page.
    Headers,
    /// How long the request took: nothing of the page.
    Timing,
    /// What stands in the head.
    Head,
    /// What an answer says of itself whatever it is: its header fields, and the head of a page.
    Answer,
    /// JSON-LD, wherever it stands, and the head.
    JsonLd,
    /// The headings.
    Headings,
    /// The links.
    Links,
    /// The images.
    Images,
    /// The visible text.
    Text,
    /// Who wrote the page and when, wherever that stands: the head, JSON-LD, the text and what is marked in it.
    Bylines,
    /// What tells that a page is not the one that was asked for: the head, the text, scripts and forms.
    Signals,
    /// Its microdata: the tree, where there may be any.
    Microdata,
    /// Its tree: what is read from that needs no other part.
    Tree,
    /// Its main content, which is read from the tree.
    Article,
    /// What leads to other pages, and the head.
    Leads,
    /// The places that a fragment may name.
    Anchors,
}

impl Part {
    /// It and the parts that it is made of.
    fn bits(self) -> u16 {
        let made_of: &[Self] = match self {
            Self::Answer | Self::JsonLd | Self::Leads => &[Self::Head],
            Self::Bylines => &[Self::Head, Self::JsonLd, Self::Text],
            Self::Signals => &[Self::Head, Self::Headings, Self::Text],
            Self::Article => &[Self::Tree],
            _ => &[],
        };
        made_of.iter().fold(1 << self as u16, |bits, part| bits | 1 << *part as u16)
    }
}

/// A set of parts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Parts(u16);

impl Parts {
    /// A part, and those that it is made of.
    pub(super) fn of(part: Part) -> Self {
        Self(part.bits())
    }

    /// Adds a part, and those that it is made of.
    pub(super) fn insert(&mut self, part: Part) {
        self.0 |= part.bits();
    }

    /// They and a part, with those that it is made of.
    pub(super) fn with(self, part: Part) -> Self {
        Self(self.0 | part.bits())
    }

    pub(super) fn contains(self, part: Part) -> bool {
        self.0 & (1 << part as u16) != 0
    }

    /// Whether reading may not stop at the body.
    pub(super) fn need_body(self) -> bool {
        // This is asked of each token.
        const IN_BODY: u16 = 1 << Part::JsonLd as u16
            | 1 << Part::Headings as u16
            | 1 << Part::Links as u16
            | 1 << Part::Images as u16
            | 1 << Part::Text as u16
            | 1 << Part::Bylines as u16
            | 1 << Part::Signals as u16
            | 1 << Part::Leads as u16
            | 1 << Part::Anchors as u16;
        self.0 & IN_BODY != 0
    }
}
