//! Text → filter.

use std::thread;

use jaq_core::compile::Undefined;
use jaq_core::data::JustLut;
use jaq_core::load::{self, Arena, File, Loader, lex, parse};
use jaq_core::{Compiler, Filter};
use jaq_json::Val;

use crate::extract::expression::fault::Fault;

/// The stack that programs are compiled and run on, in bytes. No program of the length that is taken needs a tenth of it to
/// be compiled.
pub(super) const STACK: usize = 64 << 20;

/// What a program that sees nothing but the page cannot have.
const LEFT_OUT: [&str; 7] = ["debug", "debug_empty", "env", "halt", "halt_error", "stderr", "stderr_empty"];

/// What to do about a program that is wrong.
const HINT: &str =
    "write a jq program such as jq:.items[].name, in quotes for the shell; https://jqlang.org/manual has all of it";

/// What is the matter with a program.
pub(super) fn check(text: &str) -> Result<(), Fault> {
    // Parser and compiler go down the stack with each bracket and each bar.
    let checked = thread::scope(|scope| {
        let check = || compile(text).map(|_| ());
        Ok::<_, std::io::Error>(thread::Builder::new().stack_size(STACK).spawn_scoped(scope, check)?.join())
    });
    match checked {
        Ok(Ok(result)) => result,
        Ok(Err(panic)) => std::panic::resume_unwind(panic),
        Err(error) => Err(Fault::new(0, format!("no thread can be started to compile this: {error}"), HINT)),
    }
}

/// Compiles a program. Takes a few milliseconds, most of them for the standard library.
pub(super) fn compile(text: &str) -> Result<Filter<JustLut<Val>>, Fault> {
    let definitions = jaq_core::defs().chain(jaq_std::defs()).chain(jaq_json::defs());
    let functions = jaq_core::funs().chain(jaq_std::funs()).chain(jaq_json::funs());
    let arena = Arena::default();
    let loader = Loader::new(definitions.filter(|definition| !LEFT_OUT.contains(&definition.name)));
    let modules = loader.load(&arena, File { code: text, path: () });
    let modules = modules.map_err(|errors| first(text, errors, of_loader))?;
    load::import(&modules, |_| Err(String::new())).map_err(|errors| first(text, errors, of_loader))?;
    let compiler = Compiler::default().with_funs(functions.filter(|(name, ..)| !LEFT_OUT.contains(name)));
    compiler.compile(modules).map_err(|errors| {
        first(text, errors, |undefined| {
            undefined.into_iter().map(|(part, what)| (part, of_name(part, &what))).collect()
        })
    })
}

/// The first thing that is wrong. Each is told with the part of the text where it is.
fn first<'t, E>(text: &str, errors: load::Errors<&'t str, (), E>, parts: impl Fn(E) -> Vec<(&'t str, Wrong)>) -> Fault {
    let wrong = errors.into_iter().flat_map(|(_, error)| parts(error));
    let at = |part: &str| (part.as_ptr() as usize).saturating_sub(text.as_ptr() as usize).min(text.len());
    let wrong = wrong.map(|(part, wrong)| (at(part), wrong)).min_by_key(|&(at, _)| at);
    let (at, Wrong { what, hint }) = wrong.unwrap_or_else(|| (0, Wrong::new("not a jq program".to_owned())));
    Fault::new(text.floor_char_boundary(at), what, hint)
}

/// What is wrong, and what to do about it.
struct Wrong {
    what: String,
    hint: &'static str,
}

impl Wrong {
    fn new(what: String) -> Self {
        Self { what, hint: HINT }
    }
}

fn of_loader(error: load::Error<&str>) -> Vec<(&str, Wrong)> {
    match error {
        load::Error::Lex(errors) => errors.into_iter().map(|(expected, part)| (part, of_lexer(&expected))).collect(),
        load::Error::Parse(errors) => {
            errors.into_iter().map(|(expected, part)| (part, of_parser(&expected, part))).collect()
        }
        load::Error::Io(errors) => {
            let hint = "write the definitions into the program: def f: …; …";
            let wrong = || Wrong { what: "no files are read from in here".to_owned(), hint };
            errors.into_iter().map(|(part, _)| (part, wrong())).collect()
        }
    }
}

fn of_lexer(expected: &lex::Expect<&str>) -> Wrong {
    Wrong::new(match expected {
        lex::Expect::Token => "not a character of a jq program".to_owned(),
        expected => format!("not a jq program: a {} is missing", expected.as_str()),
    })
}

fn of_parser(expected: &parse::Expect<&str>, part: &str) -> Wrong {
    Wrong::new(match expected {
        parse::Expect::Nothing => "not the end of a jq program".to_owned(),
        _ if part.is_empty() => "the jq program ends too early".to_owned(),
        parse::Expect::Just(word) => format!("not a jq program: \"{word}\" is missing"),
        expected => format!("not a jq program: {} is missing", expected.as_str()),
    })
}

fn of_name(name: &str, kind: &Undefined) -> Wrong {
    let what = match kind {
        Undefined::Filter(0) => format!("there is no filter \"{name}\" without arguments"),
        Undefined::Filter(1) => format!("there is no filter \"{name}\" with one argument"),
        Undefined::Filter(count) => format!("there is no filter \"{name}\" with {count} arguments"),
        other => format!("there is no {} \"{name}\"", other.as_str()),
    };
    let hint = "a program has the page and jq's filters, but not input, env, $ENV, halt, debug";
    Wrong { what, hint }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Where a program is wrong, and what about it.
    fn fault(text: &str) -> (usize, String) {
        let fault = check(text).expect_err(text);
        assert!(!fault.hint.is_empty());
        (fault.at, fault.what.into_owned())
    }

    #[test]
    fn what_is_wrong_is_told_where() {
        for (text, at, what) in [
            ("", 0, "the jq program ends too early"),
            (".a | ", 5, "the jq program ends too early"),
            (".a b", 3, "not the end of a jq program"),
            (".a || .b", 3, "not the end of a jq program"),
            (".a[", 3, "not a jq program: a closing bracket is missing"),
            ("\"a", 2, "not a jq program: a closing quote is missing"),
            ("\"ä\" | §", 7, "not a character of a jq program"),
            ("if . then 1 1 end", 12, "not a jq program: else or end is missing"),
            ("reduce . (0; 1)", 9, "not a jq program: \"as\" is missing"),
            (".a | number", 5, "there is no filter \"number\" without arguments"),
            ("map(foo(.; 1))", 4, "there is no filter \"foo\" with 2 arguments"),
            ("$x", 0, "there is no variable \"$x\""),
            ("a::b", 0, "there is no module \"a\""),
            ("break $x", 6, "there is no label \"$x\""),
        ] {
            assert_eq!(fault(text), (at, what.to_owned()), "{text}");
        }
    }

    #[test]
    fn a_program_has_nothing_but_the_page() {
        for name in [
            "input",
            "inputs",
            "input_filename",
            "input_line_number",
            "env",
            "halt",
            "halt_error",
            "debug",
            "stderr",
            "debug_empty",
            "stderr_empty",
            "get_search_list",
        ] {
            assert_eq!(fault(name), (0, format!("there is no filter \"{name}\" without arguments")));
        }
        for call in ["halt(0)", "halt_error(1)", "debug(.)"] {
            assert_eq!(fault(call).0, 0);
        }
        assert_eq!(fault("$ENV.HOME").1, "there is no variable \"$ENV\"");
        for import in ["import \"a\" as a; .", "import \"a\" as $a; .", "include \"a\"; ."] {
            assert_eq!(fault(import), (import.find('a').unwrap_or(0), "no files are read from in here".to_owned()));
        }
    }

    #[test]
    fn the_most_deeply_nested_program_has_stack_enough() {
        for (open, close) in [
            ("(", ")"),
            ("[", "]"),
            ("{a:", "}"),
            (".[", "]"),
            ("\"\\(", ")\""),
            ("-", ""),
            ("try ", ""),
            (".|", ""),
            ("1+", ""),
            ("1//", ""),
            ("if .", ""),
            ("if 1 then ", " end"),
            (".as$x|", ""),
            ("def a:", "1;"),
            ("label$x|", ""),
            (".a", ""),
            ("reduce .as$x(0;", ")"),
            (". as[", "]"),
        ] {
            let count = 4096 / (open.len() + close.len());
            // Whether it means something or not.
            let _ = check(&format!("{}1{}", open.repeat(count), close.repeat(count)));
            let _ = check(&open.repeat(count));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn no_program_is_too_odd(
            text in r#"([.()\[\]{}|,;:$"'\\?@#+*/<=!-]| |a|é|1e9|\.\.|def |reduce |as |if |then |end|try |label |map\(|import )*"#,
        ) {
            if let Err(fault) = check(&text) {
                prop_assert!(text.is_char_boundary(fault.at), "{:?}", fault);
            }
        }
    }
}
