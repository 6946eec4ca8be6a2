//! Which class names and IDs will still be there tomorrow, and what a field is called after them.

use scraper::ElementRef;

/// What in a page names an element for good, the best first.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Mark {
    /// `itemprop` of microdata.
    Property(String),
    /// A class name.
    Class(String),
    /// The start of a class name whose end is a hash, as CSS modules write them: `Card_title__x3F9a`.
    Start(String),
}

impl Mark {
    /// What names an element best, if anything does.
    pub(super) fn of(element: &ElementRef<'_>) -> Option<Self> {
        let property = element.attr("itemprop").and_then(|names| names.split_ascii_whitespace().next());
        property
            .filter(|name| is_plain(name))
            .map(|name| Self::Property(name.into()))
            .or_else(|| classes(element).next())
    }

    pub(super) fn css(&self) -> String {
        match self {
            Self::Property(name) => format!("[itemprop={name}]"),
            Self::Class(name) => format!(".{name}"),
            Self::Start(start) => format!("[class*={start}]"),
        }
    }

    /// The word in it.
    pub(super) fn word(&self) -> &str {
        match self {
            Self::Property(word) | Self::Class(word) => word,
            Self::Start(start) => start.trim_end_matches('_').rsplit('_').next().unwrap_or(start),
        }
    }
}

/// The marks that the classes of an element are, in their order.
pub(super) fn classes(element: &ElementRef<'_>) -> impl Iterator<Item = Mark> {
    let classes = element.attr("class").unwrap_or_default().split_ascii_whitespace().take(16);
    classes.filter_map(|class| {
        if let Some(start) = module_start(class) {
            return Some(Mark::Start(start.into()));
        }
        is_stable(class).then(|| Mark::Class(class.into()))
    })
}

/// The ID of an element, if it is one that somebody chose.
pub(super) fn id<'t>(element: &ElementRef<'t>) -> Option<&'t str> {
    element.value().id().filter(|id| is_stable(id) && !id.bytes().any(|byte| byte.is_ascii_digit()))
}

/// Whether it can stand in a selector as it is.
fn is_plain(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.len() <= 40
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
}

/// The start of the class name of a CSS module: `Block_element__` of `Block_element__x3F9a`.
fn module_start(class: &str) -> Option<&str> {
    let at = class.rfind("__")?;
    let (start, hash) = (&class[..at + 2], &class[at + 2..]);
    let is_hash = hash.len() >= 5 && (hash.contains(|c: char| c.is_ascii_digit()) || has_odd_case(hash));
    (is_hash && start.trim_end_matches('_').contains('_') && is_plain(start)).then_some(start)
}

/// Whether capitals stand where no word begins, several times.
fn has_odd_case(text: &str) -> bool {
    let pairs = text.as_bytes().windows(2);
    pairs.filter(|pair| pair[0].is_ascii_uppercase() && !pair[1].is_ascii_lowercase()).count() > 0
}

/// Whether somebody chose a class name or an ID for what the element is, rather than for its looks or its state; and no
/// program did.
fn is_stable(name: &str) -> bool {
    is_plain(name) && !is_generated(name) && !is_about_looks(name)
}

/// Prefixes of tools that make class names up.
const GENERATED: [&str; 9] = ["css-", "sc-", "jsx-", "jss", "svelte-", "emotion-", "styled-", "makeStyles-", "ember"];

fn is_generated(name: &str) -> bool {
    let is_hash = |word: &str| {
        let digits = word.bytes().filter(u8::is_ascii_digit).count();
        let is_number = digits == word.len() && digits > 0;
        let is_mixed = digits > 0 && word.len() >= 5 && word[..word.len() - 2].bytes().any(|b| b.is_ascii_digit());
        let has_no_vowel = word.len() >= 5 && !word.bytes().any(|b| b"aeiouyAEIOUY".contains(&b));
        is_number
            || is_mixed
            || has_no_vowel
            || (word.len() >= 5 && has_odd_case(word) && word.to_ascii_uppercase() != word)
    };
    GENERATED.iter().any(|prefix| name.starts_with(prefix)) || name.split(['-', '_']).any(is_hash)
}

/// What classes of utility frameworks begin with, as whole words or before a hyphen.
const UTILITIES: [&str; 96] = [
    "absolute",
    "align",
    "animate",
    "antialiased",
    "aspect",
    "b",
    "basis",
    "bg",
    "block",
    "border",
    "bottom",
    "btn",
    "clearfix",
    "col",
    "cols",
    "column",
    "columns",
    "container",
    "cursor",
    "d",
    "dark",
    "delay",
    "divide",
    "duration",
    "ease",
    "even",
    "fade",
    "fill",
    "first",
    "fixed",
    "flex",
    "float",
    "font",
    "fs",
    "fw",
    "g",
    "gap",
    "grid",
    "grow",
    "gx",
    "gy",
    "h",
    "hidden",
    "hover",
    "img",
    "inline",
    "inset",
    "is",
    "items",
    "justify",
    "last",
    "lead",
    "leading",
    "left",
    "lg",
    "line",
    "m",
    "max",
    "mb",
    "md",
    "me",
    "min",
    "ml",
    "mr",
    "ms",
    "mt",
    "mx",
    "my",
    "no",
    "object",
    "odd",
    "offset",
    "opacity",
    "order",
    "overflow",
    "p",
    "pb",
    "pe",
    "pl",
    "position",
    "pr",
    "ps",
    "pt",
    "px",
    "py",
    "relative",
    "right",
    "ring",
    "rounded",
    "row",
    "shadow",
    "shrink",
    "sm",
    "space",
    "sr",
    "text",
];

/// More of them, and words that tell a state.
const LOOKS: [&str; 44] = [
    "active",
    "after",
    "alignleft",
    "alignright",
    "before",
    "center",
    "clear",
    "closed",
    "collapse",
    "collapsed",
    "current",
    "disabled",
    "display",
    "has",
    "inner",
    "js",
    "lazy",
    "lazyload",
    "lazyloaded",
    "loaded",
    "loading",
    "open",
    "outer",
    "outline",
    "placeholder",
    "pull",
    "screen",
    "select",
    "selected",
    "self",
    "show",
    "small",
    "sticky",
    "top",
    "tracking",
    "transition",
    "truncate",
    "u",
    "uppercase",
    "visible",
    "visually",
    "visuallyhidden",
    "w",
    "z",
];

fn is_about_looks(name: &str) -> bool {
    // `text` and `columns` alone may be what an element is; `text-sm` is not.
    let (first, rest) = name.split_once('-').map_or((name, None), |(first, rest)| (first, Some(rest)));
    match rest {
        None if matches!(name, "text" | "items" | "line" | "order" | "position" | "column") => false,
        _ => UTILITIES.contains(&first) || LOOKS.contains(&first) || name.len() < 2,
    }
}

/// A text as the name of a field: words in lower case with `_` between them. Empty where it has none.
pub(super) fn name_of(text: &str) -> String {
    let mut name = String::new();
    let mut before = ' ';
    for c in text.chars().take(80) {
        let begins_word = c.is_ascii_uppercase() && before.is_ascii_lowercase();
        if (begins_word || !c.is_ascii_alphanumeric()) && !name.is_empty() && !name.ends_with('_') {
            name.push('_');
        }
        if c.is_ascii_alphanumeric() {
            name.push(c.to_ascii_lowercase());
        }
        before = c;
    }
    name.truncate(32);
    let name = name.trim_matches('_');
    if name.starts_with(|c: char| c.is_ascii_digit()) { format!("_{name}") } else { name.to_owned() }
}

/// What of a name is left when it does not begin with that of the whole: `price` of `product_price` in a `product`.
pub(super) fn within(name: &str, whole: &str) -> String {
    let rest = Some(whole).filter(|whole| !whole.is_empty()).and_then(|whole| name.strip_prefix(whole));
    rest.map(|rest| rest.trim_start_matches('_')).filter(|rest| !rest.is_empty()).unwrap_or(name).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_somebody_chose_is_told_from_one_that_a_program_made() {
        for name in ["price", "product-card", "ProductTitle", "post__author", "text", "athing", "product_pod"] {
            assert!(is_stable(name), "{name}");
        }
        for name in [
            "h-entry",
            "css-1x2y3z",
            "sc-bdVaJa",
            "jsx-123",
            "_3xK2f",
            "post-1234",
            "text-sm",
            "md:flex",
            "col-md-4",
            "mt-2",
            "row",
            "odd",
            "active",
            "bdfghk",
            "a1b2c3d4",
            "w-1/2",
            "[&>p]:m",
            "x",
        ] {
            assert!(!is_stable(name), "{name}");
        }
    }

    #[test]
    fn the_start_of_a_modules_class_is_kept() {
        assert_eq!(module_start("Card_title__2fX3z"), Some("Card_title__"));
        assert_eq!(module_start("card__title"), None);
        assert_eq!(module_start("card__elements"), None);
        assert_eq!(Mark::Start("Card_title__".into()).word(), "title");
    }

    #[test]
    fn a_name_is_made_of_words() {
        for (text, name) in
            [("Unit price (€)", "unit_price"), ("postTitle", "post_title"), ("2024", "_2024"), ("—", "")]
        {
            assert_eq!(name_of(text), name);
        }
        assert_eq!(within("product_price", "product"), "price");
        assert_eq!(within("price", "product"), "price");
    }
}
