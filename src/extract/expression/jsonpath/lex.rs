//! Text → the marks, names and values that a path is written with.

use super::super::fault::Fault;
use super::query::Operand;

/// The largest integer that is the same in every JSON reader, 2⁵³ − 1 (section 2.1).
const LARGEST: i64 = (1 << 53) - 1;

/// A path that is being read.
pub(super) struct Parser<'t> {
    pub(super) text: &'t str,
    pub(super) at: usize,
    /// How deep in a filter it is.
    pub(super) depth: usize,
}

impl<'t> Parser<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, at: 0, depth: 0 }
    }

    pub(super) fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    pub(super) fn skip_space(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches([' ', '\t', '\n', '\r']).len();
    }

    /// Takes a mark if it is next.
    pub(super) fn accept(&mut self, mark: &str) -> bool {
        let is_next = self.rest().starts_with(mark);
        self.at += if is_next { mark.len() } else { 0 };
        is_next
    }

    pub(super) fn expect(&mut self, mark: &str) -> Result<(), Fault> {
        self.skip_space();
        if self.accept(mark) { Ok(()) } else { Err(self.unexpected(&format!("`{mark}`"))) }
    }

    pub(super) fn unexpected(&self, wanted: &str) -> Fault {
        let what = if self.rest().is_empty() { "the JSONPath ends too early" } else { "not JSONPath" };
        Fault::new(self.at, what, format!("{wanted} can stand here"))
    }

    /// An integer without needless zeros, if there is one.
    pub(super) fn integer(&mut self) -> Result<Option<i64>, Fault> {
        let rest = self.rest();
        let digits = rest.strip_prefix('-').unwrap_or(rest);
        let count = digits.len() - digits.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let length = rest.len() - digits.len() + count;
        if length == 0 {
            return Ok(None);
        }
        let is_plain = count > 0 && rest[..length] != *"-0" && (count == 1 || !digits.starts_with('0'));
        let number = rest[..length].parse().ok().filter(|number: &i64| is_plain && number.abs() <= LARGEST);
        let number =
            number.ok_or_else(|| Fault::new(self.at, "not an index of JSONPath", "write it as 0, 12 or -1"))?;
        self.at += length;
        Ok(Some(number))
    }

    /// A text in quotes (section 2.3.1.1).
    pub(super) fn string(&mut self) -> Result<String, Fault> {
        let start = self.at;
        let Some(quote) = self.rest().chars().next() else { return Err(self.unexpected("a text")) };
        self.at += 1;
        let mut string = String::new();
        loop {
            let at = self.at;
            let Some(c) = self.rest().chars().next() else {
                return Err(Fault::new(start, "the text has no end", format!("write {quote} behind it")));
            };
            self.at += c.len_utf8();
            match c {
                _ if c == quote => return Ok(string),
                '\\' => {
                    let c = self.escaped(quote);
                    string.push(c.ok_or_else(|| Fault::new(at, "not an escape of JSON", r"write \\ for a backslash"))?);
                }
                '\0'..='\x1f' => return Err(Fault::new(at, "a control character in a text", r"write it as \u0000")),
                c => string.push(c),
            }
        }
    }

    /// What an escape stands for, behind the backslash.
    pub(super) fn escaped(&mut self, quote: char) -> Option<char> {
        let c = self.rest().chars().next()?;
        self.at += c.len_utf8();
        Some(match c {
            'b' => '\x08',
            'f' => '\x0c',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            '/' | '\\' => c,
            _ if c == quote => c,
            'u' => {
                let mut units = vec![self.hex()?];
                if (0xd800..0xdc00).contains(&units[0]) && self.accept("\\u") {
                    units.push(self.hex()?);
                }
                return char::decode_utf16(units).next()?.ok();
            }
            _ => return None,
        })
    }

    pub(super) fn hex(&mut self) -> Option<u16> {
        let digits = self.rest().get(..4).filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()))?;
        self.at += 4;
        u16::from_str_radix(digits, 16).ok()
    }

    /// A number of JSON; `-0` is one here.
    pub(super) fn number(&mut self) -> Result<Operand, Fault> {
        let rest = self.rest();
        let end = rest.find(|c: char| !matches!(c, '0'..='9' | '-' | '+' | '.' | 'e' | 'E')).unwrap_or(rest.len());
        let number = serde_json::from_str(&rest[..end])
            .map_err(|_| self.unexpected("a query, a number, a 'text', true, false or null"))?;
        self.at += end;
        Ok(Operand::Literal(number))
    }
}
