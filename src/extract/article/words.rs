//! The words of a text: how many, and a fingerprint of them.

use xxhash_rust::xxh3::Xxh3Default;

/// The words of a text: runs of letters and digits, with the apostrophes within them. Chinese and Japanese have no spaces
/// between words: there, each character is one.
pub(in super::super) fn words(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        rest = &rest[rest.find(char::is_alphanumeric)?..];
        let mut chars = rest.char_indices();
        let first = chars.next().map_or(0, |(_, first)| if is_word(first) { first.len_utf8() } else { 0 });
        let end = if first > 0 { first } else { end_of_word(rest) };
        let word;
        (word, rest) = rest.split_at(end);
        Some(word)
    })
}

/// Where the word ends that a text begins with.
fn end_of_word(text: &str) -> usize {
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let goes_on = match c {
            '\'' | '’' => chars.peek().is_some_and(|(_, next)| next.is_alphanumeric() && !is_word(*next)),
            _ => c.is_alphanumeric() && !is_word(c),
        };
        if !goes_on {
            return at;
        }
    }
    text.len()
}

/// Whether a character counts as a word: kana and ideographs (Unicode 17, blocks of the scripts Hiragana, Katakana, Han).
fn is_word(c: char) -> bool {
    matches!(c, '\u{3041}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}'
        | '\u{20000}'..='\u{3ffff}')
}

/// A fingerprint of a text's words: XXH3 of 64 bits, in hexadecimal, over the words in lower case, a space between each
/// two. Layout, punctuation and letter case make no difference. It tells copies apart from originals, and is no proof
/// against somebody who wants two texts to have the same.
pub(in super::super) fn fingerprint(text: &str) -> String {
    let mut hash = Xxh3Default::new();
    for (nth, word) in words(text).enumerate() {
        if nth > 0 {
            hash.update(b" ");
        }
        hash.update(word.to_lowercase().as_bytes());
    }
    format!("{:016x}", hash.digest())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_runs_of_letters_and_digits() {
        let of = |text| words(text).collect::<Vec<_>>();
        assert_eq!(of("It's 'two', (don’t) -- 3.5% x_y"), ["It's", "two", "don’t", "3", "5", "x", "y"]);
        assert_eq!(of("東京に abc行く"), ["東", "京", "に", "abc", "行", "く"]);
        assert_eq!(of(" ... "), [""; 0]);
    }

    #[test]
    fn a_fingerprint_is_that_of_the_words() {
        assert_eq!(fingerprint("The  end."), fingerprint("\n“the END”"));
        assert_ne!(fingerprint("The end"), fingerprint("Theend"));
        assert_eq!(fingerprint(""), "2d06800538d394c2");
    }
}
