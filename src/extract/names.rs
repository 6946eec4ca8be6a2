//! What is known of elements by their names.

use html5ever::LocalName;

/// Whether a name is one of several. Names are numbers: this compares no text.
macro_rules! is_any {
    ($name:expr, $($one:tt)+) => { matches!($name, $(html5ever::local_name!($one))|+) };
}
pub(super) use is_any;

pub(super) fn may_be_in_head(name: &LocalName) -> bool {
    is_any!(*name,
        "html" "head" "base" "basefont" "bgsound" "link" "meta" "title" "noframes" "style" "script" "template"
    )
}

/// Elements that make a page one with a body for good.
pub(super) fn rules_out_frameset(name: &LocalName) -> bool {
    is_any!(*name,
        "body" "template" "pre" "listing" "li" "dd" "dt" "button" "applet" "marquee" "object" "table" "area" "br"
        "embed" "img" "image" "keygen" "wbr" "input" "hr" "textarea" "xmp" "iframe" "select"
    )
}

/// Elements whose start and end are followed: those that have content and are closed by their own end tag.
pub(super) fn is_followed(name: &LocalName) -> bool {
    !is_any!(*name,
        "html" "head" "body" "frameset" "frame" "form" "area" "base" "basefont" "bgsound" "br" "embed" "hr" "image"
        "img" "input" "keygen" "link" "meta" "param" "source" "track" "wbr" "p" "li" "dd" "dt" "option" "optgroup"
        "rb" "rp" "rt" "rtc"
    )
}

pub(super) fn is_table_part(name: &LocalName) -> bool {
    is_any!(*name, "caption" "col" "colgroup" "tbody" "td" "tfoot" "th" "thead" "tr")
}

pub(super) fn is_heading(name: &LocalName) -> bool {
    is_any!(*name, "h1" "h2" "h3" "h4" "h5" "h6")
}

pub(super) fn is_formatting(name: &LocalName) -> bool {
    is_any!(*name, "a" "b" "big" "code" "em" "font" "i" "nobr" "s" "small" "strike" "strong" "tt" "u")
}

/// Elements that an end tag of another element does not close in passing (section 13.2.4.2, "special").
pub(super) fn is_special(name: &LocalName) -> bool {
    is_any!(*name,
        "address" "applet" "article" "aside" "blockquote" "button" "caption" "center" "details" "dir" "div" "dl"
        "fieldset" "figcaption" "figure" "footer" "h1" "h2" "h3" "h4" "h5" "h6" "header" "hgroup" "listing" "main"
        "marquee" "menu" "nav" "object" "ol" "pre" "search" "section" "select" "summary" "table" "td" "template"
        "th" "ul"
    )
}
