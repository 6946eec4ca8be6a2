//! What the markup says of an element: its name, role, classes, id, and what schema.org calls it.
//!
//! Words are whole ones: `share-bar` and `shareBar` have the word `share`, `shareholder` has not.

use html5ever::ns;
use scraper::node::Element;

use super::super::names::is_any;
use super::vocabulary;

/// What is known of an element by its markup alone: a set of the bits below.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Hints(u16);

impl Hints {
    /// Navigation, a footer, a dialog, what is hidden: no content, wherever it stands.
    pub(super) const CHROME: Self = Self(1);
    /// Named like something that is not content.
    pub(super) const FURNITURE: Self = Self(1 << 1);
    /// Named like something that accompanies an article, and is the content of other pages.
    pub(super) const EXTRA: Self = Self(1 << 2);
    /// Named like comments.
    pub(super) const COMMENT: Self = Self(1 << 3);
    /// Who wrote it.
    pub(super) const BYLINE: Self = Self(1 << 4);
    /// What buyers think.
    pub(super) const REVIEW: Self = Self(1 << 5);
    /// A header: of the page or of a part of it.
    pub(super) const HEADER: Self = Self(1 << 6);
    /// A form.
    pub(super) const FORM: Self = Self(1 << 7);
    /// `<main>`, `<h1>`: what contains one is no furniture.
    pub(super) const ANCHOR: Self = Self(1 << 8);
    /// The main part of a page, or a piece that stands for itself.
    pub(super) const SCOPE: Self = Self(1 << 9);
    /// Named like the text of an article.
    pub(super) const BODY: Self = Self(1 << 10);
    /// A post or a question of a forum.
    pub(super) const POST: Self = Self(1 << 11);
    /// A product.
    pub(super) const PRODUCT: Self = Self(1 << 12);
    /// `<h1>`.
    pub(super) const TITLE: Self = Self(1 << 13);

    pub(super) fn has(self, any: Self) -> bool {
        self.0 & any.0 != 0
    }

    fn add(&mut self, other: Self) {
        self.0 |= other.0;
    }

    /// What an element's markup says.
    pub(super) fn of(element: &Element) -> Self {
        let name = &element.name.local;
        let mut hints = Self::default();
        if is_any!(*name, "nav" "footer" "menu" "aside" "search" "dialog") {
            hints.add(Self::CHROME);
        } else if is_any!(*name, "main") {
            hints.add(Self(Self::ANCHOR.0 | Self::SCOPE.0));
        } else if is_any!(*name, "article") {
            hints.add(Self::SCOPE);
        } else if is_any!(*name, "header") {
            hints.add(Self::HEADER);
        } else if is_any!(*name, "form") {
            hints.add(Self::FORM);
        } else if is_any!(*name, "figcaption") {
            hints.add(Self::EXTRA);
        } else if is_any!(*name, "h1") {
            hints.add(Self(Self::ANCHOR.0 | Self::TITLE.0));
        }
        for (name, value) in element.attrs.iter().filter(|(name, _)| name.ns == ns!()) {
            hints.add_attribute(element, &name.local, value);
        }
        hints
    }

    fn add_attribute(&mut self, element: &Element, name: &str, value: &str) {
        match name {
            "role" => self.add_role(value.trim()),
            "hidden" if !value.eq_ignore_ascii_case("until-found") => self.add(Self::CHROME),
            "aria-hidden" if value.eq_ignore_ascii_case("true") => self.add(Self::CHROME),
            "style" if hides(value) => self.add(Self::CHROME),
            "itemprop" if value == "articleBody" => self.add(Self::BODY),
            "itemtype" => self.add_type(value.rsplit('/').next().unwrap_or(value)),
            "id" if value.split(['-', '_']).count() > 4 => {}
            "class" | "id" if !is_any!(element.name.local, "body" "main" "article") => self.add_words(value),
            _ => {}
        }
    }

    fn add_role(&mut self, role: &str) {
        self.add(match role {
            "navigation" | "banner" | "contentinfo" | "complementary" | "search" | "dialog" | "alertdialog"
            | "menu" | "menubar" | "toolbar" | "alert" | "tooltip" | "listbox" => Self::CHROME,
            "main" => Self(Self::ANCHOR.0 | Self::SCOPE.0),
            "article" => Self::SCOPE,
            _ => Self(0),
        });
    }

    fn add_type(&mut self, kind: &str) {
        self.add(match kind {
            "DiscussionForumPosting" | "QAPage" => Self::POST,
            "Product" => Self::PRODUCT,
            "Review" => Self::REVIEW,
            "Person" => Self::BYLINE,
            _ => Self(0),
        });
    }

    fn add_words(&mut self, value: &str) {
        let mut last = Word::default();
        for_words(value, |word| {
            let word = Word::of(word);
            if !last.modifies {
                self.add(word.hints);
            }
            if last.is_text && word.is_body {
                self.add(Self::BODY);
            }
            last = word;
        });
    }
}

/// Whether a style makes an element invisible.
fn hides(style: &str) -> bool {
    style.split(';').filter_map(|declaration| declaration.split_once(':')).any(|(property, value)| {
        let (property, value) = (property.trim(), value.trim());
        property.eq_ignore_ascii_case("display") && value.starts_with("none")
            || property.eq_ignore_ascii_case("visibility") && value.starts_with("hidden")
    })
}

/// What a word of a class or id says.
#[derive(Clone, Copy, Debug, Default)]
struct Word {
    hints: Hints,
    /// `has-sidebar` tells of its element, not of what it is.
    modifies: bool,
    /// `article-body`: the first of the two, the second.
    is_text: bool,
    is_body: bool,
}

impl Word {
    fn of(word: &str) -> Self {
        Self {
            hints: vocabulary::look_up(word),
            modifies: matches!(word, "has" | "with" | "no" | "not" | "without"),
            is_text: matches!(word, "article" | "post" | "entry" | "story" | "blog" | "page" | "main"),
            is_body: matches!(word, "content" | "body" | "text"),
        }
    }
}

/// Gives the words of a class or id in lower case: `navBar-top` has three.
fn for_words(value: &str, mut each: impl FnMut(&str)) {
    /// Longer ones are no words.
    const LONGEST: usize = 24;
    let mut word = [0; LONGEST];
    let mut length = 0;
    let mut was_lower = false;
    for byte in value.bytes().chain([b' ']) {
        let is_part = byte.is_ascii_alphanumeric();
        if !is_part || byte.is_ascii_uppercase() && was_lower {
            if (1..=LONGEST).contains(&length) {
                each(std::str::from_utf8(&word[..length]).unwrap_or_default());
            }
            length = 0;
        }
        if is_part {
            if let Some(place) = word.get_mut(length) {
                *place = byte.to_ascii_lowercase();
            }
            length += 1;
        }
        was_lower = byte.is_ascii_lowercase() || byte.is_ascii_digit();
    }
}

#[cfg(test)]
mod tests {
    use scraper::Html;

    use super::*;

    /// The hints of the first element of a body.
    fn hints(html: &str) -> Hints {
        let tree = Html::parse_fragment(html);
        Hints::of(tree.root_element().child_elements().next().expect("an element").value())
    }

    #[test]
    fn classes_and_ids_are_read_by_word() {
        for (class, hint) in [
            ("x navBar-nav", Hints::FURNITURE),
            ("SIDEBAR", Hints::FURNITURE),
            ("cookie_notice", Hints::CHROME),
            ("user-comment", Hints::COMMENT),
            ("post__body", Hints::BODY),
            ("entryContent", Hints::BODY),
        ] {
            assert!(hints(&format!("<div class='{class}'>")).has(hint), "{class}");
            assert!(hints(&format!("<div id='{class}'>")).has(hint), "{class}");
        }
        for class in ["shareholder", "navigate", "has-sidebar", "no-comments", "body post", ""] {
            assert_eq!(hints(&format!("<div class='{class}'>")), Hints::default(), "{class}");
        }
    }

    #[test]
    fn an_id_made_of_a_heading_names_nothing() {
        assert_eq!(hints("<div id=how-to-share-a-menu>"), Hints::default());
        assert!(hints("<div id=the-share-menu>").has(Hints::FURNITURE));
    }

    #[test]
    fn what_is_hidden_is_found() {
        for attribute in ["hidden", "aria-hidden=TRUE", "style='a:b;DISPLAY: none'", "style='visibility:hidden'"] {
            assert!(hints(&format!("<div {attribute}>")).has(Hints::CHROME), "{attribute}");
        }
        for attribute in ["hidden=until-found", "aria-hidden=false", "style='display:block;x:none'", "style=none"] {
            assert!(!hints(&format!("<div {attribute}>")).has(Hints::CHROME), "{attribute}");
        }
    }
}
