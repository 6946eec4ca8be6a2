//! The language that a text is written in, where nobody declares one.
//!
//! Told by its script and its trigrams among the 70 languages that `whatlang` knows; a text in another one may be taken for
//! its neighbour. What was decided:
//! - Only prose counts: lines of at least 60 bytes (as UTF-8: a letter of Chinese says more than one of English) of which at
//!   most one in eight is a digit or mark of ASCII. So menus and code say nothing.
//! - There must be 200 bytes of it. It is cut into pieces: each a line, or so many that they have 200 bytes, and no more than
//!   its first 1000. Of these twelve at most are looked at, spread over the text.
//! - Three quarters of the pieces must be in the same language, each of them reliably (a confidence above 0.9).

use std::collections::BTreeMap;

/// The shortest line of prose, in bytes.
const LINE: usize = 60;

/// The least prose that a language is told by, and the least of a piece but the last, in bytes.
const LEAST: usize = 200;

/// The most of a piece, in bytes.
const MOST: usize = 1000;

/// How many pieces are looked at.
const PIECES: usize = 12;

/// Each language as ISO 639-3 has it, and as a page would declare it (RFC 5646: by its shortest code).
const TAGS: &str = "afr af aka ak amh am ara ar aze az bel be ben bn bul bg cat ca ces cs cmn zh cym cy dan da deu de \
    ell el eng en epo eo est et fin fi fra fr guj gu heb he hin hi hrv hr hun hu hye hy ind id ita it jav jv jpn ja kan kn \
    kat ka khm km kor ko lat la lav lv lit lt mal ml mar mr mkd mk mya my nep ne nld nl nob nb ori or pan pa pes fa pol pl \
    por pt ron ro rus ru sin si slk sk slv sl sna sn spa es srp sr swe sv tam ta tel te tgl tl tha th tuk tk tur tr ukr uk \
    urd ur uzb uz vie vi yid yi zul zu";

/// The language of a text whose blocks stand on lines of their own; none where that is not sure.
pub(super) fn detect(text: &str) -> Option<&'static str> {
    let pieces = pieces(text);
    let mut votes = BTreeMap::<_, usize>::new();
    for piece in &pieces {
        if let Some(found) = whatlang::detect(piece).filter(whatlang::Info::is_reliable) {
            *votes.entry(found.lang().code()).or_default() += 1;
        }
    }
    let (code, votes) = votes.into_iter().max_by_key(|&(_, votes)| votes)?;
    (4 * votes >= 3 * pieces.len()).then(|| tag(code)).flatten()
}

/// Some pieces of the prose, spread over it; none where there is too little.
fn pieces(text: &str) -> Vec<String> {
    let (mut pieces, mut bytes) = (vec![String::new()], 0);
    for line in text.lines().filter(|line| is_prose(line)) {
        bytes += line.len();
        if pieces.last().is_some_and(|piece| piece.len() >= LEAST) {
            pieces.push(String::new());
        }
        if let Some(piece) = pieces.last_mut() {
            piece.push_str(&line[..line.floor_char_boundary(MOST - piece.len())]);
            piece.push('\n');
        }
    }
    if bytes < LEAST {
        return Vec::new();
    }
    let step = pieces.len().div_ceil(PIECES);
    pieces.into_iter().step_by(step).collect()
}

fn is_prose(line: &str) -> bool {
    let marks = line.bytes().filter(|byte| byte.is_ascii_digit() || byte.is_ascii_punctuation()).count();
    line.len() >= LINE && 8 * marks <= line.len()
}

/// How a page would declare the language of this code.
fn tag(code: &str) -> Option<&'static str> {
    let mut words = TAGS.split_ascii_whitespace();
    words.find(|word| *word == code)?;
    words.next()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use whatlang::Lang;

    use super::*;

    /// A paragraph in each of some languages.
    const TEXTS: [(&str, &str); 13] = [
        (
            "en",
            "The old harbour lies at the end of a narrow road that winds down from the hills. In the morning the fishermen bring in their boats, and by noon most of what they have caught is on its way to the markets of the larger towns along the coast.",
        ),
        (
            "de",
            "Der alte Hafen liegt am Ende einer schmalen Straße, die sich von den Hügeln herunterwindet. Am Morgen bringen die Fischer ihre Boote zurück, und bis zum Mittag ist das meiste von dem, was sie gefangen haben, schon unterwegs zu den Märkten der größeren Städte.",
        ),
        (
            "fr",
            "Le vieux port se trouve au bout d'une route étroite qui descend des collines. Le matin, les pêcheurs ramènent leurs bateaux, et vers midi la plus grande partie de ce qu'ils ont pris est déjà en route vers les marchés des villes plus importantes de la côte.",
        ),
        (
            "es",
            "El viejo puerto se encuentra al final de un camino estrecho que baja desde las colinas. Por la mañana los pescadores traen sus barcos, y hacia el mediodía la mayor parte de lo que han pescado ya está en camino hacia los mercados de las ciudades más grandes.",
        ),
        (
            "pt",
            "O velho porto fica no fim de uma estrada estreita que desce das colinas. De manhã os pescadores trazem os seus barcos, e ao meio-dia a maior parte do que apanharam já está a caminho dos mercados das cidades maiores, onde não há quem não conheça o seu peixe.",
        ),
        (
            "it",
            "Il vecchio porto si trova alla fine di una strada stretta che scende dalle colline. Al mattino i pescatori riportano le loro barche, e verso mezzogiorno la maggior parte di ciò che hanno pescato è già in viaggio verso i mercati delle città più grandi della costa.",
        ),
        (
            "nl",
            "De oude haven ligt aan het einde van een smalle weg die van de heuvels naar beneden kronkelt. In de ochtend brengen de vissers hun boten binnen, en tegen de middag is het meeste van wat zij gevangen hebben al onderweg naar de markten van de grotere steden.",
        ),
        (
            "pl",
            "Stary port leży na końcu wąskiej drogi, która schodzi ze wzgórz. Rano rybacy wracają swoimi łodziami, a do południa większość tego, co złowili, jest już w drodze na targi większych miast na wybrzeżu, gdzie wszyscy znają ich ryby i chętnie je kupują.",
        ),
        (
            "ru",
            "Старая гавань лежит в конце узкой дороги, которая спускается с холмов. Утром рыбаки возвращаются на своих лодках, и к полудню большая часть того, что они поймали, уже находится на пути к рынкам больших городов на побережье.",
        ),
        (
            "ar",
            "يقع الميناء القديم في نهاية طريق ضيق ينحدر من التلال. في الصباح يعود الصيادون بقواربهم، وبحلول الظهر يكون معظم ما اصطادوه في طريقه إلى أسواق المدن الكبيرة على طول الساحل.",
        ),
        (
            "hi",
            "पुराना बंदरगाह एक संकरी सड़क के अंत में है जो पहाड़ियों से नीचे आती है। सुबह मछुआरे अपनी नावें लेकर लौटते हैं और दोपहर तक उनकी पकड़ी हुई अधिकांश मछलियाँ बड़े शहरों के बाज़ारों के रास्ते में होती हैं।",
        ),
        (
            "zh",
            "古老的港口位于一条从山上蜿蜒而下的狭窄道路的尽头。早晨，渔民们驾着船回来，到了中午，他们捕到的大部分鱼已经在运往沿海大城市市场的路上了。那里的每个人都知道他们的鱼，也很愿意购买。",
        ),
        (
            "ja",
            "古い港は、丘から曲がりくねって下る狭い道の終わりにあります。朝になると漁師たちが船で戻り、昼までには捕れた魚のほとんどが海岸沿いの大きな町の市場へと運ばれていきます。",
        ),
    ];

    fn text(tag: &str) -> &'static str {
        TEXTS.iter().find(|(known, _)| *known == tag).unwrap().1
    }

    #[test]
    fn a_paragraph_is_enough() {
        for (tag, text) in TEXTS {
            assert_eq!(detect(text), Some(tag), "{text}");
            let page = format!("Home\nAbout us\n{text}\nContact\n© 2024 Example Ltd. 12/34\n");
            assert_eq!(detect(&page), Some(tag), "{page}");
        }
    }

    #[test]
    fn a_menu_in_another_language_does_not_count() {
        let menu = "Home\nAbout us\nProducts and services\nTerms of use\nPrivacy policy\nContact our team\n".repeat(20);
        assert_eq!(detect(&format!("{menu}{}", text("de"))), Some("de"));
        assert_eq!(detect(&menu), None);
    }

    #[test]
    fn what_is_short_says_nothing() {
        assert_eq!(detect(""), None);
        assert_eq!(detect("The old harbour lies at the end of a narrow road that winds down from the hills."), None);
        let numbers =
            "12.50 17.25 1,000 99.95 A-113 2024-05-17 12:30:00 0x7f 555-0199 B-52 3.14159 2.71828\n".repeat(10);
        assert_eq!(detect(&numbers), None);
    }

    #[test]
    fn code_is_no_prose() {
        let rust = "let found = whatlang::detect(piece).filter(whatlang::Info::is_reliable).map(|info| info.lang());\n";
        let shell =
            "find . -name '*.rs' -print0 | xargs -0 grep -nE 'fn [a-z_]+\\(' | sort -t: -k1,1 -k2,2n > functions.txt\n";
        let css = ".card{display:flex;flex-direction:column;margin:0 auto;padding:1rem;border:1px solid #ccc}\n";
        for code in [rust, shell, css] {
            assert_eq!(detect(&code.repeat(30)), None, "{code}");
        }
    }

    #[test]
    fn a_text_in_two_languages_is_in_neither() {
        for (one, other) in [("en", "fr"), ("de", "ru"), ("zh", "en")] {
            let mixed = format!("{}\n{}\n", text(one), text(other)).repeat(6);
            assert_eq!(detect(&mixed), None, "{one} and {other}");
            let halves = format!("{}\n{}\n", text(one).repeat(12), text(other).repeat(12));
            assert_eq!(detect(&halves), None, "{one}, then {other}");
        }
        let quotation = format!("{}{}\n", format!("{}\n", text("en")).repeat(30), text("fr"));
        assert_eq!(detect(&quotation), Some("en"));
    }

    #[test]
    fn every_language_has_a_tag() {
        let tags: Vec<_> = Lang::all().iter().map(|lang| tag(lang.code()).unwrap()).collect();
        assert!(tags.iter().all(|tag| tag.len() == 2), "{tags:?}");
        assert_eq!(TAGS.split_ascii_whitespace().count(), 2 * tags.len());
    }

    proptest! {
        #[test]
        fn any_text_is_fine(lines in prop::collection::vec("\\PC{0,900}", 0..12)) {
            let _ = detect(&lines.join("\n"));
        }
    }
}
