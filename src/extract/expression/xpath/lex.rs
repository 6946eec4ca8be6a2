//! Text → tokens (XPath 1.0, section 3.7).

use super::super::fault::Fault;
use super::expr::Operator;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token<'t> {
    /// One of `( ) [ ] . .. @ , :: / //`.
    Symbol(&'static str),
    Operator(Operator),
    /// `*`, or a name with or without colon.
    Name(&'t str),
    Literal(&'t str),
    Number(f64),
    Variable,
    End,
}

/// Longer ones first.
const SYMBOLS: [&str; 11] = ["::", "//", "..", "(", ")", "[", "]", ".", "@", ",", "/"];

/// Longer ones first.
const OPERATORS: [(&str, Operator); 9] = [
    ("!=", Operator::NotEqual),
    ("<=", Operator::AtMost),
    (">=", Operator::AtLeast),
    ("=", Operator::Equal),
    ("<", Operator::Below),
    (">", Operator::Above),
    ("+", Operator::Plus),
    ("-", Operator::Minus),
    ("|", Operator::Union),
];

/// What is an operator where one can stand, and a name elsewhere.
const WORDS: [(&str, Operator); 5] = [
    ("*", Operator::Times),
    ("and", Operator::And),
    ("or", Operator::Or),
    ("div", Operator::Divide),
    ("mod", Operator::Modulo),
];

/// The tokens of an expression, each with the byte where it begins. The last one is the end.
pub(super) fn tokens(text: &str) -> Result<Vec<(Token<'_>, usize)>, Fault> {
    let mut tokens: Vec<(Token<'_>, usize)> = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches([' ', '\t', '\r', '\n']);
        let at = text.len() - rest.len();
        let (token, length) = token(rest, tokens.last().map(|(token, _)| token)).map_err(|fault| fault.within(at))?;
        rest = &rest[length..];
        let is_end = token == Token::End;
        tokens.push((token, at));
        if is_end {
            return Ok(tokens);
        }
    }
}

/// The first token of `rest`, and how long it is.
fn token<'t>(rest: &'t str, before: Option<&Token<'_>>) -> Result<(Token<'t>, usize), Fault> {
    let Some(first) = rest.chars().next() else { return Ok((Token::End, 0)) };
    if first.is_ascii_digit() || first == '.' && rest[1..].starts_with(|c: char| c.is_ascii_digit()) {
        return Ok(number(rest));
    }
    if let Some(symbol) = SYMBOLS.into_iter().find(|symbol| rest.starts_with(symbol)) {
        return Ok((Token::Symbol(symbol), symbol.len()));
    }
    if let Some((written, operator)) = OPERATORS.into_iter().find(|(written, _)| rest.starts_with(written)) {
        return Ok((Token::Operator(operator), written.len()));
    }
    if matches!(first, '"' | '\'') {
        let end = rest[1..].find(first);
        let end = end.ok_or_else(|| Fault::new(0, "the text has no end", format!("write {first} behind it")))?;
        return Ok((Token::Literal(&rest[1..=end]), end + 2));
    }
    if first == '$' {
        return Ok((Token::Variable, 1));
    }
    let length = if first == '*' { 1 } else { name_length(rest) };
    if length == 0 {
        return Err(Fault::new(
            0,
            format!("`{first}` means nothing in XPath"),
            "write XPath 1.0, such as //a[@class='x']/@href",
        ));
    }
    let name = &rest[..length];
    let word = WORDS.into_iter().find(|(word, _)| *word == name).filter(|_| may_be_operator(before));
    Ok((word.map_or(Token::Name(name), |(_, operator)| Token::Operator(operator)), length))
}

/// Whether a word or `*` behind this token is an operator.
fn may_be_operator(before: Option<&Token<'_>>) -> bool {
    match before {
        None | Some(Token::Operator(_)) => false,
        Some(Token::Symbol(symbol)) => matches!(*symbol, ")" | "]" | "." | ".."),
        Some(_) => true,
    }
}

fn number<'t>(rest: &str) -> (Token<'t>, usize) {
    let is_digit = |c: char| c.is_ascii_digit();
    let mut end = rest.len() - rest.trim_start_matches(is_digit).len();
    if let Some(fraction) = rest[end..].strip_prefix('.') {
        end = rest.len() - fraction.trim_start_matches(is_digit).len();
    }
    // Digits around a dot are a number to Rust, too.
    (Token::Number(rest[..end].parse().unwrap_or(f64::NAN)), end)
}

/// The length of a name, which may have a colon inside or end with `:*`.
fn name_length(rest: &str) -> usize {
    let part = |text: &str| {
        let is_started = text.starts_with(|c: char| c.is_alphabetic() || c == '_');
        let is_inside = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
        if is_started { text.len() - text.trim_start_matches(is_inside).len() } else { 0 }
    };
    let first = part(rest);
    match rest[first..].strip_prefix(':') {
        Some(second) if first > 0 && part(second) > 0 => first + 1 + part(second),
        _ => first,
    }
}
