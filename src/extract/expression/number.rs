//! Text → number, as people write numbers.
//!
//! - There must be exactly one number; what is around it (`€`, `EUR`, `%`, `from`) is passed over, unless it has digits.
//!   A percentage stays what it says: `12 %` is 12.
//! - A space (also a narrow or unbreakable one) and an apostrophe group digits, three by three.
//! - Of a dot and a comma, the last one is the decimal sign and the other one groups: `1,234.50`, `1.234,50`.
//! - Alone, a comma that has three digits behind it groups, and otherwise is the decimal sign: `1,234` but `9,99` and
//!   `0,125`. A dot alone is the decimal sign, and several group: `1.234` is 1.234, `1.234.567` is over a million. Where
//!   that is not what a site means, the decimal sign is to be named: `number(",")`.
//! - Commas may group as in India: `12,34,567`.
//! - A minus (`-`, U+2212) counts if it touches the number or its currency sign, and no letter.
//! - `1e6` has an exponent. What is not finite, or makes no sense in these terms, is no number.

/// A currency sign: the Unicode category Sc, as far as it is in use.
fn is_currency(c: char) -> bool {
    matches!(c, '$' | '¢'..='¥' | '\u{60b}' | '\u{9f3}' | '\u{e3f}' | '\u{17db}' | '\u{20a0}'..='\u{20c0}' | '\u{fdfc}')
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\u{a0}' | '\u{2007}' | '\u{2009}' | '\u{202f}')
}

/// The one number in a text; `decimal` is the decimal sign, where that is known.
pub(super) fn parse(text: &str, decimal: Option<char>) -> Option<f64> {
    let first = text.find(|c: char| c.is_ascii_digit())?;
    // A dot before it belongs to it, unless it ends a word, as in `No.5`.
    let has_dot =
        text[..first].ends_with('.') && !text[..first - 1].ends_with(|c: char| c.is_alphanumeric() || c == '.');
    let start = first - usize::from(has_dot && decimal != Some(','));
    let (before, run) = text.split_at(start);
    let digits = Digits::read(run);
    let (exponent, rest) = split_exponent(&run[digits.length..]);
    if before.contains(char::is_numeric) || rest.contains(char::is_numeric) {
        return None;
    }
    let is_negative = is_negative(before)?;
    let mut plain = digits.plain(decimal)?;
    if !exponent.is_empty() {
        if digits.groups.len() > 2 || digits.separators.iter().any(|&separator| separator != '.') {
            return None;
        }
        plain.push_str(exponent);
    }
    let number: f64 = plain.parse().ok()?;
    number.is_finite().then_some(if is_negative && number != 0.0 { -number } else { number })
}

/// Whether there is a minus before a number; none where that cannot be told from a dash.
fn is_negative(before: &str) -> Option<bool> {
    let behind_currency = before.trim_end_matches(|c| is_space(c) || is_currency(c));
    let touches = before.len() == behind_currency.len() || before[behind_currency.len()..].contains(is_currency);
    let Some(rest) = behind_currency.strip_suffix(['-', '\u{2212}']) else { return Some(false) };
    (touches && !rest.ends_with(char::is_alphanumeric)).then_some(true)
}

/// An exponent at the start of a text, and what follows it.
fn split_exponent(text: &str) -> (&str, &str) {
    let exponent = || {
        let rest = text.strip_prefix(['e', 'E'])?;
        let digits = rest.strip_prefix(['+', '-']).unwrap_or(rest);
        let after = digits.trim_start_matches(|c: char| c.is_ascii_digit());
        let is_one = after.len() < digits.len() && !after.starts_with(char::is_alphanumeric);
        is_one.then(|| text.split_at(text.len() - after.len()))
    };
    exponent().unwrap_or(("", text))
}

/// Groups of digits, and what stands between them.
struct Digits<'t> {
    groups: Vec<&'t str>,
    /// Any space is a space here, and any apostrophe an apostrophe.
    separators: Vec<char>,
    /// All of it, in bytes.
    length: usize,
}

impl<'t> Digits<'t> {
    /// Reads as far as digits follow one another. The first group is empty where a separator comes first.
    fn read(text: &'t str) -> Self {
        let (mut groups, mut separators, mut rest) = (Vec::new(), Vec::new(), text);
        loop {
            let after = rest.trim_start_matches(|c: char| c.is_ascii_digit());
            groups.push(&rest[..rest.len() - after.len()]);
            let length = text.len() - after.len();
            let mut chars = after.chars();
            let separator = match chars.next() {
                Some(c @ ('.' | ',')) => c,
                Some('\'' | '\u{2019}') => '\'',
                Some(c) if is_space(c) && is_thousand(chars.as_str()) => ' ',
                _ => return Self { groups, separators, length },
            };
            if !chars.as_str().starts_with(|c: char| c.is_ascii_digit()) {
                return Self { groups, separators, length };
            }
            separators.push(separator);
            rest = chars.as_str();
        }
    }

    /// The digits as Rust writes a number.
    fn plain(&self, decimal: Option<char>) -> Option<String> {
        let (Some((&last, before)), Some((fraction, whole))) = (self.separators.split_last(), self.groups.split_last())
        else {
            return Some(self.groups.concat());
        };
        let is_decimal = match decimal {
            Some(decimal) => last == decimal,
            None if !matches!(last, '.' | ',') => false,
            None if before.is_empty() => last == '.' || !is_grouped(&self.groups, &self.separators),
            None => before[0] != last,
        };
        if !is_decimal {
            let is_right = is_grouped(&self.groups, &self.separators) && decimal != Some(last);
            return is_right.then(|| self.groups.concat());
        }
        let is_right = before.is_empty() || is_grouped(whole, before) && before[0] != last;
        is_right.then(|| format!("{}.{fraction}", whole.concat()))
    }
}

/// Whether exactly three digits come first.
fn is_thousand(text: &str) -> bool {
    text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len() == 3
}

/// Whether all digits are grouped in one way: three by three, or with commas two by two but for the last three.
fn is_grouped(groups: &[&str], separators: &[char]) -> bool {
    let (Some((first, rest)), Some(separator)) = (groups.split_first(), separators.first()) else { return false };
    let Some((last, middle)) = rest.split_last() else { return false };
    let have = |length: usize| middle.iter().all(|group| group.len() == length);
    separators.iter().all(|other| other == separator)
        && last.len() == 3
        && !first.starts_with('0')
        && ((1..=3).contains(&first.len()) && have(3) || *separator == ',' && (1..=2).contains(&first.len()) && have(2))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn numbers<const N: usize>(texts: [&str; N]) -> [Option<f64>; N] {
        texts.map(|text| parse(text, None))
    }

    #[test]
    fn separators_mean_what_the_documentation_says() {
        assert_eq!(
            numbers(["1,234.50", "1.234,50", "1 234,5", "1'234.5", "1’234"]),
            [1234.5, 1234.5, 1234.5, 1234.5, 1234.0].map(Some)
        );
        assert_eq!(numbers(["1,234", "9,99", "0,125", "1,2", "1,2345"]), [1234.0, 9.99, 0.125, 1.2, 1.2345].map(Some));
        assert_eq!(
            numbers(["1.234", "9.99", "1.234.567", "1,234,567", "12,34,567.8"]),
            [1.234, 9.99, 1_234_567.0, 1_234_567.0, 1_234_567.8].map(Some)
        );
        assert_eq!(
            numbers(["1\u{a0}234\u{a0}567,89", "2\u{202f}500", "007", ".5", "5."]),
            [1_234_567.89, 2500.0, 7.0, 0.5, 5.0].map(Some)
        );
        assert_eq!([parse("1.234", Some(',')), parse("1,234", Some(','))], [Some(1234.0), Some(1.234)]);
        assert_eq!([parse("1.234", Some('.')), parse("1,234", Some('.'))], [Some(1.234), Some(1234.0)]);
        assert_eq!([parse("1.234,5", Some('.')), parse("1.5", Some(','))], [None, None]);
    }

    #[test]
    fn what_is_around_a_number_is_passed_over() {
        assert_eq!(
            numbers(["€9.99", "9,99 EUR", "12 %", "from $ 5", "No.5", "5,-", "2-pack"]),
            [9.99, 9.99, 12.0, 5.0, 5.0, 5.0, 2.0].map(Some)
        );
        assert_eq!(
            numbers(["$.50", "(3)", "EUR5", "1e6", "1.5E-3", "2 eggs", "3e"]),
            [0.5, 3.0, 5.0, 1e6, 0.0015, 2.0, 3.0].map(Some)
        );
    }

    #[test]
    fn a_minus_is_one_where_it_touches() {
        assert_eq!(
            numbers(["-3", "−3", "-€3", "€-3", "- € 3", "now -3 °C", "+3", "-0"]),
            [-3.0, -3.0, -3.0, -3.0, -3.0, -3.0, 3.0, 0.0].map(Some)
        );
        assert_eq!(numbers(["- 3", "A-3", "price - 3"]), [None; 3]);
    }

    #[test]
    fn nonsense_is_no_number() {
        assert_eq!(
            numbers(["", "none", "10-20", "1.2.3", "1,2,3", "12:30", "2024-05-17", "1/2", "4.5 of 5"]),
            [None; 9]
        );
        assert_eq!(
            numbers(["1.234,567.89", "1,234.567,8", "12 34", "5'11", "1e400", "½", "x²3", "1,234e5"]),
            [None; 8]
        );
    }

    proptest! {
        #[test]
        fn no_text_is_too_odd(text in "\\PC{0,20}|[-−€$0-9., 'eE+½A]{0,16}") {
            prop_assert!(parse(&text, None).is_none_or(f64::is_finite));
            prop_assert!(parse(&text, Some(',')).is_none_or(f64::is_finite));
        }

        #[test]
        fn what_rust_writes_is_read(number in -1e15..1e15_f64) {
            prop_assert_eq!(parse(&number.to_string(), Some('.')), Some(number));
        }
    }
}
