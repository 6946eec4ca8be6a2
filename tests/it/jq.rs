//! jq programs on JSON pages: what they give, and that none of them harms more than its page.

use std::fs;

use proptest::prelude::*;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open};
use serde_json::{Value, json};

use crate::support::{Answer, Site, fetch, scrape};

const ANSWER: &str = r#"{
  "items": [
    {"name": "Lamp", "price": 12.5, "id": 9007199254740993, "tags": ["a", "b"]},
    {"name": "Small \"lamp\"", "price": null, "id": 18446744073709551615, "tags": []}
  ],
  "total": 2, "next": "/items?page=2", "z": 1, "a": 2
}"#;

/// A site on which `/N` is the number and `/json` the answer.
fn site() -> Site {
    Site::start(|hit| match &*hit.path {
        "/json" => Answer::typed("application/json", ANSWER),
        "/plain" => Answer::typed("text/plain", ANSWER),
        "/broken" => Answer::typed("application/json", &ANSWER[..100]),
        "/xml" => Answer::typed("application/xml", "<h1>x</h1>"),
        "/html" => Answer::html("<h1>x</h1>"),
        "/deep" => Answer::typed("application/json", "[".repeat(1000)),
        number => Answer::typed("application/json", &number[1..]),
    })
}

#[track_caller]
fn field(path: &str, field: &str) -> Value {
    let site = site();
    let record = fetch(["-s", field, &site.url(path)]);
    assert_eq!(record["error"], Value::Null, "{field}: {record}");
    record["fields"].as_object().unwrap().values().next().unwrap().clone()
}

#[test]
fn a_program_gives_its_first_value_or_all_of_them() {
    for (expression, wanted) in [
        ("x=jq:.items[].name", json!("Lamp")),
        ("x[]=jq:.items[].name", json!(["Lamp", "Small \"lamp\""])),
        ("x= jq: .items | map(.price // 0) | add ", json!(12.5)),
        ("x[]=jq:.items[] | select(.price) | .tags", json!([["a", "b"]])),
        ("x=jq:[.items[].tags[] | ascii_upcase] | join(\"|\")", json!("A|B")),
        ("x=jq:.items[0] | {name, n: (.tags | length)}", json!({"name": "Lamp", "n": 2})),
        ("x=jq:.next | capture(\"page=(?<page>[0-9]+)\").page | tonumber", json!(2)),
        ("x=jq:86400 | todate", json!("1970-01-02T00:00:00Z")),
        ("x=jq:def f($n): if $n == 0 then 1 else $n * f($n - 1) end; f(5)", json!(120)),
        ("x=jq:first(.items[] | select(.price == null)).name", json!("Small \"lamp\"")),
        ("x=jq:.none", Value::Null),
        ("x=jq:empty", Value::Null),
        ("x[]=jq:empty", json!([])),
        ("x[]=jq:.none, 1", json!([null, 1])),
        ("x=jq:.total # a comment | number", json!(2)),
    ] {
        assert_eq!(field("/json", expression), wanted, "{expression}");
    }
    assert_eq!(field("/plain", "x=jq:.total"), 2);
}

#[test]
fn values_keep_their_type_and_their_order() {
    assert_eq!(field("/json", "x=jq:[.items[].id]").to_string(), "[9007199254740993,18446744073709551615]");
    assert_eq!(
        field("/json", "x=jq:[6 / 2, 1.5, -0.0, 1e300, nan, infinite]").to_string(),
        "[3,1.5,0,1e+300,null,null]"
    );
    assert_eq!(field("/json", "x=jq:{z, a, (1): \"\\u0000é\"}"), json!({"z": 1, "a": 2, "1": "\0é"}));
    let site = site();
    let run = scrape(["-f", "jsonl", "-s", "x=jq:{z, a}", &site.url("/json")]).run().succeeds();
    assert!(run.stdout.contains(r#""x":{"z":1,"a":2}"#), "{}", run.stdout);
}

#[test]
fn what_is_no_json_is_null() {
    for path in ["/html", "/xml", "/broken"] {
        assert_eq!(field(path, "x=jq:1"), Value::Null, "{path}");
        assert_eq!(field(path, "x[]=jq:1"), Value::Null, "{path}");
    }
    let site = site();
    let record = fetch(["-s", "x=jq:1", &site.url("/deep")]);
    assert_eq!(record["error"]["kind"], "too_complex", "{record}");
}

#[test]
fn a_program_that_fails_is_null_and_the_log_tells_why() {
    let site = site();
    let fields =
        ["-s", "a[]=jq:.items[].name, .total.x", "-s", "b=jq:error(\"\u{1b}[2J\")", "-s", "c=jq:.total, .total.x"];
    let run = scrape(fields).args(["-f", "jsonl", "-v", &site.url("/json")]).run().exits(0);
    assert_eq!(run.record()["fields"], json!({"a": null, "b": null, "c": 2}));
    assert!(run.stderr.contains("a jq program failed"), "{}", run.stderr);
    assert!(run.stderr.contains("cannot index 2 with \"x\""), "{}", run.stderr);
    assert!(!run.stderr.contains('\u{1b}'), "{:?}", run.stderr);
}

#[test]
fn what_means_nothing_is_refused_with_a_caret_before_the_first_fetch() {
    let site = site();
    let refused = |expression: &str| {
        let run = scrape(["-s", expression, &site.url("/json")]).run().exits(2);
        assert_eq!(run.stdout, "");
        run.stderr
    };
    assert_eq!(
        refused("price=jq:.price | number"),
        "scrape: --select: there is no filter \"number\" without arguments\n  price=jq:.price | number\n                    ^\n\
         hint: a program has the page and jq's filters, but not input, env, $ENV, halt, debug\n"
    );
    for (expression, caret) in [
        ("a=jq:.b[", 8),
        ("a=jq:", 5),
        ("a= jq:.b c", 9),
        ("a=jq:input", 5),
        ("a=jq:$ENV", 5),
        ("a=jq:.b | env", 10),
        ("a=jq:include \"x\"; .", 14),
        ("a=jq:\"日\" | halt", 12),
    ] {
        let stderr = refused(expression);
        let lines: Vec<_> = stderr.lines().collect();
        assert_eq!(lines[1..3], [format!("  {expression}"), format!("  {:caret$}^", "")], "{stderr}");
        assert!(lines[3].starts_with("hint: "), "{stderr}");
    }
    let recipe = "[[recipe]]\nfields = { a = \"jq:.a |\" }\n";
    let run = scrape(["-r", "r.toml", &site.url("/json")]).file("r.toml", recipe).run().exits(2);
    assert!(run.stderr.starts_with("scrape: r.toml:2: the jq program ends too early\n"), "{}", run.stderr);
    let run = scrape(["explain", "-s", "a=jq:.b[", &site.url("/json")]).run().exits(2);
    assert!(run.stderr.starts_with("scrape: --select: not a jq program: a closing bracket"), "{}", run.stderr);
    assert!(run.stderr.contains("\nhint: "), "{}", run.stderr);
    assert!(site.hits().is_empty());
}

#[test]
fn recipes_read_items_and_fields_with_programs() {
    let site = site();
    let recipe = r#"[[recipe]]
items = "jq:.items[] | . + {rank: (.tags | length)}"
page = { total = "jq:.total" }
[recipe.fields]
name = "jq:.name"
rank = "$.rank"
"tags[]" = { items = "jq:.tags[] | {tag: .}", fields = { name = "jq:.tag", upper = "$.tag | upper" } }
"#;
    let run = scrape(["-f", "jsonl", "-r", "r.toml", &site.url("/json")]).file("r.toml", recipe).run().succeeds();
    let fields: Vec<_> = run.records().iter().map(|record| record["fields"].clone()).collect();
    let tags = json!([{"name": "a", "upper": "A"}, {"name": "b", "upper": "B"}]);
    assert_eq!(
        fields,
        [
            json!({"total": 2, "name": "Lamp", "rank": 2, "tags": tags}),
            json!({"total": 2, "name": "Small \"lamp\"", "rank": 0, "tags": []}),
        ]
    );
}

/// What a page of this number makes of its program, and why it fails; for other numbers all is well.
const HARM: [(&str, &str); 6] = [
    ("1 | until(false; .)", "a jq program takes too long"),
    ("def f: 1 + f; f", "a jq program takes too much memory, or calls itself too deeply"),
    ("[limit(100000000; repeat(1))] | length", ""),
    ("reduce range(3000000) as $i (1; [.]) | length", ""),
    ("range(1000000000)", "jq programs give more than 64 MiB"),
    ("reduce range(300) as $i (1; [.])", "what a jq program gives is nested too deeply"),
];

#[test]
fn a_page_that_takes_too_much_harms_no_other() {
    let site = site();
    let cases = HARM.iter().zip(1..).map(|((program, _), number)| format!("if . == {number} then {program} el"));
    let expression = format!("x[]=jq:{}se . end", cases.collect::<String>());
    let urls: Vec<_> = (0..20_usize).map(|number| site.url(&format!("/{number}"))).collect();
    let args = ["-f", "jsonl", "-s", &expression, "-s", "y=jq:.", "-s", "n=$"];
    let run = scrape(args).args(&urls).run().exits(1);
    for number in 0..20_usize {
        let record = run.record_of(&format!("/{number}"));
        let Some((program, message)) = number.checked_sub(1).and_then(|place| HARM.get(place)) else {
            assert_eq!(record["fields"], json!({"x": [number], "y": number, "n": number}), "{record}");
            continue;
        };
        assert_eq!(record["error"]["kind"], "too_complex", "{program}: {record}");
        assert_eq!(record["fields"], json!({"x": null, "y": null, "n": null}), "{program}: {record}");
        assert!(record["error"]["message"].as_str().unwrap().contains(message), "{program}: {record}");
    }
}

#[test]
fn how_deep_a_program_goes_may_be_for_the_page_to_say() {
    let site = site();
    let expression = "x=jq:def f($n): if $n == 0 then 0 else 1 + f($n - 1) end; f(.)";
    let urls = ["/10", "/100000000", "/1000"].map(|path| site.url(path));
    let run = scrape(["-f", "jsonl", "-s", expression]).args(&urls).run().exits(1);
    assert_eq!(run.record_of("/10")["fields"]["x"], 10);
    assert_eq!(run.record_of("/1000")["fields"]["x"], 1000);
    assert_eq!(run.record_of("/100000000")["error"]["kind"], "too_complex");
}

/// A process: its number and its group's.
#[derive(Debug, PartialEq)]
struct Process(i32, i32);

/// The processes that this one has started.
fn children(of: Pid) -> Vec<Process> {
    let mut children = Vec::new();
    for entry in fs::read_dir("/proc").unwrap() {
        // Others come and go.
        let Ok(stat) = fs::read_to_string(entry.unwrap().path().join("stat")) else { continue };
        let (first, rest) = stat.rsplit_once(')').unwrap();
        let numbers: Vec<i32> = rest.split_whitespace().skip(1).take(2).map(|field| field.parse().unwrap()).collect();
        if numbers[0] == of.as_raw_pid() {
            let number = first.split(' ').next().unwrap().parse().unwrap();
            children.push(Process(number, numbers[1]));
        }
    }
    children
}

#[test]
fn the_process_for_programs_starts_with_the_first_json_knows_nothing_and_ends_with_the_run() {
    let site = site();
    let mut run = scrape(["-", "-f", "jsonl", "-s", "x=jq:."]).env("SECRET", "1").spawn();
    run.write(&format!("{}\n", site.url("/html")));
    run.line();
    assert_eq!(children(run.pid()), []);
    for number in 1..4 {
        run.write(&format!("{}\n", site.url(&format!("/{number}"))));
        run.line();
    }
    let [Process(number, group)] = children(run.pid())[..] else { panic!("{:?}", children(run.pid())) };
    assert_eq!(number, group, "a Ctrl-C in the terminal reaches it");
    let of = |name: &str| fs::read_to_string(format!("/proc/{number}/{name}")).unwrap();
    assert_eq!(of("environ"), "");
    assert_eq!(fs::read_link(format!("/proc/{number}/cwd")).unwrap().to_str(), Some("/"));
    let process = pidfd_open(Pid::from_raw(number).unwrap(), PidfdFlags::empty()).unwrap();
    run.signal(Signal::KILL);
    let mut ends = [PollFd::new(&process, PollFlags::IN)];
    assert_eq!(poll(&mut ends, Some(&Timespec { tv_sec: 30, tv_nsec: 0 })).unwrap(), 1, "it outlives the run");
}

#[test]
fn the_schema_says_that_a_program_may_give_anything() {
    let args = ["schema", "-s", "a=jq:.a", "-s", "b[]=jq:.b"];
    let schema: Value = serde_json::from_str(&scrape(args).run().succeeds().stdout).unwrap();
    let fields = &schema["properties"]["fields"]["properties"];
    assert_eq!(fields["a"]["anyOf"][0]["type"], Value::Null);
    assert_eq!(fields["b"]["anyOf"][0]["type"], json!(["array", "null"]));
}

#[test]
fn explain_shows_what_a_program_gives() {
    let site = site();
    let args = ["explain", "-f", "json", "-s", "n[]=jq:.items[].name", &site.url("/json")];
    let report: Value = serde_json::from_str(&scrape(args).run().succeeds().stdout).unwrap();
    assert_eq!(report["fields"][0]["value"], json!(["Lamp", "Small \"lamp\""]));
}

/// Programs of pieces that often fit together.
fn programs() -> impl Strategy<Value = String> {
    let term = prop::sample::select(vec![
        ".",
        "..",
        ".a",
        ".[]",
        ".[]?",
        ".a[0]?",
        "1",
        "-1",
        "1e9",
        "null",
        "\"x\"",
        "[.]",
        "{a: .}",
        "length",
        "keys",
        "add",
        "tojson",
        "fromjson",
        "explode",
        "implode",
        "tostring",
        "tonumber",
        "reverse",
        "sort",
        "flatten",
        "first",
        "last",
        "not",
        "empty",
        "error",
        "paths",
        "floor",
        "sqrt",
        "todate",
        "min",
        "max",
        "unique",
        "transpose",
        "to_entries",
        "from_entries",
        "ascii_downcase",
        "@base64",
        "@base64d",
        "@uri",
        "@sh",
        "tobytes",
        "range(10)",
        "range(1e9)",
        "infinite",
        "nan",
        "type",
        "combinations",
        "repeat(.)",
        "def f: f; f",
        "def f: 1 + f; f",
        "input_line_number",
    ]);
    let term = term.prop_map(String::from);
    term.prop_recursive(4, 24, 3, |inner| {
        (inner.clone(), inner.clone(), 0..14_usize).prop_map(|(a, b, form)| match form {
            0 => format!("{a} | {b}"),
            1 => format!("{a}, {b}"),
            2 => format!("({a}) + ({b})"),
            3 => format!("({a}) * ({b})"),
            4 => format!("[{a}]"),
            5 => format!("map({a})"),
            6 => format!("try ({a}) catch ({b})"),
            7 => format!("if {a} then {b} end"),
            8 => format!("reduce ({a}) as $x (.; {b})"),
            9 => format!("({a}) as $x | {b}"),
            10 => format!("until({a}; {b})"),
            11 => format!("limit(3; {a})"),
            12 => format!("({a}) |= ({b})"),
            _ => format!("walk({a})"),
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn no_program_on_no_json_does_more_than_fail_its_page(
        program in programs(),
        json in "(\\[|\\{\"a\":|\"a\"|1|null|-0\\.5e3|true|,|\\]|\\}|:){0,12}",
    ) {
        let site = Site::start(move |hit| match &*hit.path {
            "/html" => Answer::html("<title>x</title>"),
            "/odd" => Answer::typed("application/json", json.clone()),
            _ => Answer::typed("application/json", r#"{"a":[1,"x",null,{"a":[[]]}]}"#),
        });
        let urls = ["/html", "/odd", "/json"].map(|path| site.url(path));
        let run = scrape(["-f", "jsonl", "-s", &format!("x=jq:{program}")]).args(&urls).run();
        if run.code == Some(2) {
            prop_assert!(run.stderr.contains("hint: "), "{:?}", run);
            return Ok(());
        }
        for record in run.records() {
            let kind = record["error"]["kind"].as_str().unwrap_or("too_complex");
            prop_assert_eq!(kind, "too_complex", "{:?}", run);
        }
        prop_assert_eq!(&run.record_of("/html")["error"], &Value::Null);
    }
}
