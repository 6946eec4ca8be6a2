//! The words of classes and ids that say what an element is: those that the published algorithms share (Readability,
//! boilerpipe, trafilatura), and what most sites call such things.

use super::hints::Hints;

/// What a word in lower case says; most say nothing.
pub(super) fn look_up(word: &str) -> Hints {
    match word {
        "consent" | "cookie" | "cookies" | "didomi" | "gdpr" | "offscreen" | "onetrust" => Hints::CHROME,
        "advert" | "advertisement" | "advertising" | "announcement" | "anzeige" | "banner" | "breadcrumb"
        | "breadcrumbs" | "btn" | "button" | "buttons" | "cart" | "colophon" | "copyright" | "dialog"
        | "disclaimer" | "drawer" | "dropdown" | "feedback" | "flyout" | "footer" | "hamburger" | "login"
        | "mainmenu" | "masthead" | "megamenu" | "menu" | "menus" | "modal" | "nav" | "navbar" | "navi"
        | "navigation" | "newsletter" | "optin" | "outbrain" | "pager" | "pagination" | "popover" | "popup"
        | "promo" | "promos" | "promotion" | "promotions" | "publicidad" | "publicite" | "recommend"
        | "recommendation" | "recommendations" | "recommended" | "related" | "share" | "sharing" | "sidebar"
        | "signature" | "signin" | "signup" | "similar" | "social" | "sponsor" | "sponsored" | "sponsors" | "sr"
        | "submenu" | "subnav" | "subscribe" | "subscription" | "suggested" | "suggestions" | "taboola" | "toast"
        | "toolbar" | "tooltip" | "topbar" | "trending" | "upsell" | "upsells" | "visually" | "werbung" => {
            Hints::FURNITURE
        }
        "caption" | "carousel" | "excerpt" | "latest" | "meta" | "popular" | "posts" | "recirc" | "recirculation"
        | "tags" => Hints::EXTRA,
        "comentarios" | "comment" | "commentaires" | "commentlist" | "comments" | "disqus" | "kommentar"
        | "kommentare" | "replies" | "reply" => Hints::COMMENT,
        "author" | "authors" | "bio" | "byline" => Hints::BYLINE,
        "review" | "reviews" => Hints::REVIEW,
        _ => Hints::default(),
    }
}
