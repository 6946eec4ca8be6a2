//! Which elements are open, as far as reading tokens needs it.
//!
//! This is as much of WHATWG HTML's tree construction (section 13.2.6) as decides how the tokenizer goes on and what an
//! element belongs to: the head or the body, HTML or SVG or math, a template. `p`, `li` and others whose end tags are
//! mostly left out are not followed, misnested formatting is not repaired, and nothing is kept but the names of what is
//! open. Scripting counts as enabled, as in the tree that selectors see.

use html5ever::{LocalName, local_name};

use super::names::{Name, is_any};
use super::tokens::{Content, Tag};

/// How deep elements are followed. Below, they count as part of their ancestor.
const DEPTH: usize = 512;

/// The vocabulary that an element belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Space {
    Html,
    Svg,
    MathMl,
}

/// An element that is open.
#[derive(Debug)]
struct Open {
    space: Space,
    name: Name,
}

impl Open {
    /// What an element leaves that was closed before those inside it: nothing has its name, and no depth changes.
    fn gap() -> Self {
        Self { space: Space::Html, name: Name::default() }
    }

    fn is_gap(&self) -> bool {
        *self.name == local_name!("")
    }
}

/// How far the document has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Phase {
    /// Before the head's end.
    Head,
    /// After the head's end and before the body.
    AfterHead,
    /// In the body or after it.
    Body,
    /// In a frameset, which has no content of its own.
    Frameset,
}

/// What a start tag led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Started {
    /// Nothing: a tag that means nothing where it stands.
    Ignored,
    /// An element of SVG or math.
    Foreign,
    /// An HTML element, and how its content is to be read.
    Html(Content),
}

/// The open elements.
#[derive(Debug)]
pub(super) struct Outline {
    open: Vec<Open>,
    phase: Phase,
    /// How many templates are open.
    templates: u32,
    /// How many elements are open whose white space is kept.
    preformatted: u32,
    /// Whether a frameset may still take the body's place.
    frameset_ok: bool,
}

impl Outline {
    pub(super) fn new() -> Self {
        Self { open: Vec::new(), phase: Phase::Head, templates: 0, preformatted: 0, frameset_ok: true }
    }

    pub(super) fn phase(&self) -> Phase {
        self.phase
    }

    /// How deep the elements that are followed are nested. An element's own depth never changes.
    pub(super) fn depth(&self) -> usize {
        self.open.len()
    }

    /// Whether elements are nested too deeply for more to be followed.
    pub(super) fn is_full(&self) -> bool {
        self.open.len() >= DEPTH
    }

    pub(super) fn is_in_template(&self) -> bool {
        self.templates > 0
    }

    pub(super) fn is_preformatted(&self) -> bool {
        self.preformatted > 0
    }

    /// Whether the innermost element is one of SVG or math: there is CDATA inside.
    pub(super) fn is_foreign(&self) -> bool {
        self.open.last().is_some_and(|open| open.space != Space::Html)
    }

    /// Whether text that stands here is one of the page's: not a template's, a style's or a script's. What is so in HTML
    /// is raw, and does not come here.
    pub(super) fn holds_text(&self) -> bool {
        !self.is_in_template() && !self.is_in_svg(|name| is_any!(**name, "style" "script"))
    }

    /// Whether text that stands here can be seen on the page: the title of a drawing cannot.
    pub(super) fn shows_text(&self) -> bool {
        self.holds_text() && !self.is_in_svg(|name| is_any!(**name, "title" "desc" "metadata"))
    }

    fn is_in_svg(&self, is_wanted: impl Fn(&Name) -> bool) -> bool {
        self.open.last().is_some_and(|open| open.space == Space::Svg && is_wanted(&open.name))
    }

    /// Text that is not of a raw element.
    pub(super) fn text(&mut self, text: &str) {
        let may_open_body = self.phase < Phase::Body && !self.is_in_template();
        if (may_open_body || self.frameset_ok) && !text.trim_ascii().is_empty() {
            self.frameset_ok = false;
            if may_open_body {
                self.phase = Phase::Body;
            }
        }
    }

    /// A start tag.
    pub(super) fn start(&mut self, tag: &Tag<'_>) -> Started {
        if let Some(top) = self.open.last()
            && takes_as_foreign(top, tag)
        {
            if !breaks_out(tag) {
                let space = top.space;
                if !tag.is_self_closing {
                    self.push(space, &tag.name);
                }
                return Started::Foreign;
            }
            self.leave_foreign();
        }
        if !self.enter(&tag.name) {
            return Started::Ignored;
        }
        self.start_html(tag)
    }

    /// Lets a start tag change the phase. Returns whether it means anything there.
    fn enter(&mut self, name: &Name) -> bool {
        if self.is_in_template() {
            return !is_any!(**name, "html" "body" "frameset");
        }
        let has_rules = name.has_rules_of_its_own();
        if has_rules && **name == local_name!("frameset") && (self.phase < Phase::Body || self.frameset_ok) {
            self.phase = Phase::Frameset;
            self.truncate(0);
        }
        match self.phase {
            Phase::Frameset => return is_any!(**name, "html" "noframes" "frameset" "frame"),
            Phase::Head if **name == local_name!("noscript") => {}
            Phase::Head | Phase::AfterHead if !name.may_be_in_head() => self.phase = Phase::Body,
            Phase::Head | Phase::AfterHead | Phase::Body => {}
        }
        self.frameset_ok = self.frameset_ok && !name.rules_out_frameset();
        true
    }

    fn start_html(&mut self, tag: &Tag<'_>) -> Started {
        let name = &tag.name;
        if name.has_rules_of_its_own()
            && let Some(started) = self.start_by_rule(tag)
        {
            return started;
        }
        if name.is_followed() {
            self.push(Space::Html, name);
        }
        Started::Html(Content::Data)
    }

    /// What the start of an element leads to that is not just open from then on.
    fn start_by_rule(&mut self, tag: &Tag<'_>) -> Option<Started> {
        let name = &tag.name;
        let content = content(name);
        if content != Content::Data {
            return Some(Started::Html(content));
        }
        match **name {
            local_name!("svg") | local_name!("math") => {
                let space = if **name == local_name!("svg") { Space::Svg } else { Space::MathMl };
                if !tag.is_self_closing {
                    self.push(space, name);
                }
                return Some(Started::Foreign);
            }
            local_name!("table") => {
                if self.top_is(|name| **name == local_name!("table")) {
                    self.truncate(self.depth() - 1);
                }
            }
            _ if name.is_table_part() => return Some(self.start_table_part(name)),
            _ if name.is_heading() && self.top_is(Name::is_heading) => self.truncate(self.depth() - 1),
            // These do not nest.
            local_name!("a") | local_name!("nobr") | local_name!("button") | local_name!("select") => {
                self.end_named(name);
            }
            _ => {}
        }
        None
    }

    /// A cell, a row or another part: it closes what is open in its table.
    fn start_table_part(&mut self, name: &Name) -> Started {
        let Some(table) = self.table() else { return Started::Ignored };
        self.truncate(table + 1);
        if is_any!(**name, "td" "th" "caption") {
            self.push(Space::Html, name);
        }
        Started::Html(Content::Data)
    }

    /// An end tag that is not of a raw element.
    pub(super) fn end(&mut self, name: &Name) {
        if self.is_foreign() {
            if is_any!(**name, "br" "p") {
                self.leave_foreign();
            } else if let Some(at) = self.foreign_match(name) {
                return self.truncate(at);
            } else if may_be_open_unseen(name) {
                self.leave_foreign();
            }
        }
        self.end_html(name);
    }

    /// The element of SVG or math that an end tag closes.
    fn foreign_match(&self, name: &Name) -> Option<usize> {
        let foreign = self.open.iter().rev().take_while(|open| open.space != Space::Html);
        foreign.into_iter().position(|open| open.name == *name).map(|up| self.depth() - 1 - up)
    }

    fn end_html(&mut self, name: &Name) {
        if !name.has_rules_of_its_own() {
            return self.end_named(name);
        }
        match **name {
            local_name!("head") if self.phase == Phase::Head && !self.is_in_template() => self.phase = Phase::AfterHead,
            local_name!("body") | local_name!("html") | local_name!("br") => {
                if self.phase < Phase::Body && !self.is_in_template() {
                    self.phase = Phase::Body;
                }
            }
            local_name!("template") => {
                if let Some(at) = self.find(|open| is_html(open, name), |_| false) {
                    self.truncate(at);
                }
            }
            local_name!("table") => {
                if let Some(at) = self.table() {
                    self.truncate(at);
                }
            }
            _ if name.is_table_part() => {
                if let Some(at) = self.table() {
                    self.truncate(at + 1);
                }
            }
            _ => self.end_named(name),
        }
    }

    /// Closes the element called `name`, if it is in scope.
    fn end_named(&mut self, name: &Name) {
        if !name.is_followed() {
            return;
        }
        if self.top_is(|top| top == name) {
            return self.truncate(self.depth() - 1);
        }
        let is_target = |open: &Open| {
            open.space == Space::Html && (open.name == *name || (name.is_heading() && open.name.is_heading()))
        };
        let is_generic = !name.is_formatting() && !name.is_special();
        let is_bound =
            |open: &Open| is_scope(open) || (is_generic && open.space == Space::Html && open.name.is_special());
        let Some(at) = self.find(is_target, is_bound) else { return };
        let holds_block = || self.open[at + 1..].iter().any(|open| open.space == Space::Html && open.name.is_special());
        if name.is_formatting() && holds_block() {
            // The adoption agency (section 13.2.6.4.7) leaves what is inside open.
            self.open[at] = Open::gap();
        } else {
            self.truncate(at);
        }
    }

    /// The innermost open table, unless a template is between.
    fn table(&self) -> Option<usize> {
        self.find(|open| is_html(open, &local_name!("table")), |open| is_html(open, &local_name!("template")))
    }

    /// The innermost element that is wanted, unless one that is a bound comes first.
    fn find(&self, is_wanted: impl Fn(&Open) -> bool, is_bound: impl Fn(&Open) -> bool) -> Option<usize> {
        let at = self.open.iter().rposition(|open| is_wanted(open) || is_bound(open))?;
        is_wanted(&self.open[at]).then_some(at)
    }

    fn top_is(&self, is_wanted: impl Fn(&Name) -> bool) -> bool {
        self.open.last().is_some_and(|open| open.space == Space::Html && is_wanted(&open.name))
    }

    fn push(&mut self, space: Space, name: &Name) {
        if !self.is_full() {
            let open = Open { space, name: name.clone() };
            self.templates += u32::from(is_html(&open, &local_name!("template")));
            self.preformatted += u32::from(is_preformatted(&open));
            self.open.push(open);
        }
    }

    fn truncate(&mut self, depth: usize) {
        while self.open.len() > depth || self.open.last().is_some_and(Open::is_gap) {
            let Some(open) = self.open.pop() else { break };
            self.templates -= u32::from(is_html(&open, &local_name!("template")));
            self.preformatted -= u32::from(is_preformatted(&open));
        }
    }

    /// Closes elements of SVG and math up to where HTML is allowed.
    fn leave_foreign(&mut self) {
        let home = self.open.iter().rposition(|open| open.space == Space::Html || is_integration_point(open));
        self.truncate(home.map_or(0, |at| at + 1));
    }
}

fn is_html(open: &Open, name: &LocalName) -> bool {
    open.space == Space::Html && *open.name == *name
}

/// Whether a start tag inside `top` is one of SVG or math (section 13.2.6, "tree construction dispatcher").
fn takes_as_foreign(top: &Open, tag: &Tag<'_>) -> bool {
    match top.space {
        Space::Html => false,
        Space::MathMl if *top.name == local_name!("annotation-xml") => *tag.name != local_name!("svg"),
        Space::MathMl if is_integration_point(top) => {
            is_any!(*tag.name, "mglyph" "malignmark")
        }
        Space::Svg | Space::MathMl => !is_integration_point(top),
    }
}

/// Whether HTML may stand inside (section 13.2.6.5).
fn is_integration_point(open: &Open) -> bool {
    match open.space {
        Space::Html => false,
        // Names come in lower case from the tokenizer.
        Space::Svg => is_any!(*open.name, "desc" "title") || &**open.name == "foreignobject",
        Space::MathMl => is_any!(*open.name, "mi" "mo" "mn" "ms" "mtext"),
    }
}

/// Whether a start tag ends SVG or math (section 13.2.6.5).
fn breaks_out(tag: &Tag<'_>) -> bool {
    is_any!(*tag.name,
        "b" "big" "blockquote" "body" "br" "center" "code" "dd" "div" "dl" "dt" "em" "embed" "h1" "h2" "h3" "h4"
        "h5" "h6" "head" "hr" "i" "img" "li" "listing" "menu" "meta" "nobr" "ol" "p" "pre" "ruby" "s" "small" "span"
        "strong" "strike" "sub" "sup" "table" "tt" "u" "ul" "var"
    ) || (*tag.name == local_name!("font")
        && tag.attributes().any(|attribute| ["color", "face", "size"].iter().any(|name| attribute.is_called(name))))
}

/// How the content of an HTML element is read.
fn content(name: &Name) -> Content {
    match **name {
        local_name!("title") | local_name!("textarea") => Content::Rcdata,
        local_name!("script") => Content::Script,
        local_name!("style")
        | local_name!("xmp")
        | local_name!("iframe")
        | local_name!("noembed")
        | local_name!("noframes")
        | local_name!("noscript") => Content::Rawtext,
        local_name!("plaintext") => Content::Plaintext,
        _ => Content::Data,
    }
}

/// Whether an element may be open that is not followed.
fn may_be_open_unseen(name: &Name) -> bool {
    is_any!(**name, "li" "dd" "dt" "option" "optgroup" "rb" "rp" "rt" "rtc")
}

fn is_preformatted(open: &Open) -> bool {
    open.space == Space::Html && is_any!(*open.name, "pre" "listing")
}

/// Elements that what is inside cannot close from there (section 13.2.4.2, "in scope").
fn is_scope(open: &Open) -> bool {
    match open.space {
        Space::Html => is_any!(*open.name,
            "applet" "caption" "marquee" "object" "select" "table" "td" "template" "th"
        ),
        Space::Svg | Space::MathMl => is_integration_point(open),
    }
}
