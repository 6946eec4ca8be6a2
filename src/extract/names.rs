//! What is known of elements by their names.

use std::ops::Deref;

use html5ever::LocalName;

use super::text::{Gap, gap_around};

/// Whether a name is one of several. Names are numbers: this compares no text.
macro_rules! is_any {
    ($name:expr, $($one:tt)+) => { matches!($name, $(html5ever::local_name!($one))|+) };
}
pub(super) use is_any;

/// The name of an element, with what is known by it: found out once for a name, asked for with every tag.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Name {
    local: LocalName,
    /// The bits of [`PROPERTIES`].
    properties: u8,
    gap: Gap,
}

impl Deref for Name {
    type Target = LocalName;

    fn deref(&self) -> &LocalName {
        &self.local
    }
}

/// What can be known of a name.
const PROPERTIES: [fn(&LocalName) -> bool; 8] = [
    may_be_in_head,
    rules_out_frameset,
    is_followed,
    is_table_part,
    is_heading,
    is_formatting,
    is_special,
    has_rules_of_its_own,
];

impl From<LocalName> for Name {
    fn from(local: LocalName) -> Self {
        let bits = PROPERTIES.iter().enumerate().map(|(bit, is_so)| u8::from(is_so(&local)) << bit);
        let (properties, gap) = (bits.sum(), gap_around(&local));
        Self { local, properties, gap }
    }
}

impl Name {
    fn has(&self, property: u8) -> bool {
        self.properties & 1 << property != 0
    }

    pub(super) fn may_be_in_head(&self) -> bool {
        self.has(0)
    }

    /// Whether it makes a page one with a body for good.
    pub(super) fn rules_out_frameset(&self) -> bool {
        self.has(1)
    }

    /// Whether its start and end are followed: it has content and is closed by its own end tag.
    pub(super) fn is_followed(&self) -> bool {
        self.has(2)
    }

    pub(super) fn is_table_part(&self) -> bool {
        self.has(3)
    }

    pub(super) fn is_heading(&self) -> bool {
        self.has(4)
    }

    pub(super) fn is_formatting(&self) -> bool {
        self.has(5)
    }

    /// Whether an end tag of another element does not close it in passing (section 13.2.4.2, "special").
    pub(super) fn is_special(&self) -> bool {
        self.has(6)
    }

    /// Whether somebody asks for just this name: most names need not be compared with any other.
    pub(super) fn has_rules_of_its_own(&self) -> bool {
        self.has(7)
    }

    /// How it is set apart from what is around it, in HTML.
    pub(super) fn gap(&self) -> Gap {
        self.gap
    }
}

fn may_be_in_head(name: &LocalName) -> bool {
    is_any!(*name,
        "html" "head" "base" "basefont" "bgsound" "link" "meta" "title" "noframes" "style" "script" "template"
    )
}

fn rules_out_frameset(name: &LocalName) -> bool {
    is_any!(*name,
        "body" "template" "pre" "listing" "li" "dd" "dt" "button" "applet" "marquee" "object" "table" "area" "br"
        "embed" "img" "image" "keygen" "wbr" "input" "hr" "textarea" "xmp" "iframe" "select"
    )
}

fn is_followed(name: &LocalName) -> bool {
    !is_any!(*name,
        "html" "head" "body" "frameset" "frame" "form" "area" "base" "basefont" "bgsound" "br" "embed" "hr" "image"
        "img" "input" "keygen" "link" "meta" "param" "source" "track" "wbr" "p" "li" "dd" "dt" "option" "optgroup"
        "rb" "rp" "rt" "rtc"
    )
}

fn is_table_part(name: &LocalName) -> bool {
    is_any!(*name, "caption" "col" "colgroup" "tbody" "td" "tfoot" "th" "thead" "tr")
}

fn is_heading(name: &LocalName) -> bool {
    is_any!(*name, "h1" "h2" "h3" "h4" "h5" "h6")
}

fn is_formatting(name: &LocalName) -> bool {
    is_any!(*name, "a" "b" "big" "code" "em" "font" "i" "nobr" "s" "small" "strike" "strong" "tt" "u")
}

fn is_special(name: &LocalName) -> bool {
    is_any!(*name,
        "address" "applet" "article" "aside" "blockquote" "button" "caption" "center" "details" "dir" "div" "dl"
        "fieldset" "figcaption" "figure" "footer" "h1" "h2" "h3" "h4" "h5" "h6" "header" "hgroup" "listing" "main"
        "marquee" "menu" "nav" "object" "ol" "pre" "search" "section" "select" "summary" "table" "td" "template"
        "th" "ul"
    )
}

fn has_rules_of_its_own(name: &LocalName) -> bool {
    is_table_part(name)
        || is_heading(name)
        || is_any!(*name,
            "a" "area" "base" "body" "br" "button" "frame" "frameset" "head" "html" "iframe" "img" "link" "math" "meta" "nobr"
            "noembed" "noframes" "noscript" "picture" "plaintext" "script" "select" "source" "style" "svg" "table"
            "template" "textarea" "title" "xmp"
        )
}
