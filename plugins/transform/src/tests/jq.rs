use std::sync::Arc;

use tapline_pdk::Value;

use super::{check, check_items, json, scope};
use crate::{OpError, jq};

/// What a program yields for one value.
fn outputs(program: &str, input: &str) -> Result<Value, OpError> {
    let config = [("filter", program.into()), ("value", json(input))].into_iter().collect();
    jq::run(&config, &scope()).map(|output| output.get("items").unwrap().clone())
}

#[track_caller]
fn yields(program: &str, input: &str, expected: &str) {
    assert_eq!(outputs(program, input).unwrap().to_json(), json(expected).to_json(), "{program}");
}

#[track_caller]
fn fails(program: &str, input: &str, expected: &str) {
    assert_eq!(outputs(program, input).unwrap_err().to_string(), expected, "{program}");
}

#[test]
fn a_program_yields_none_one_or_more_values_for_each_row() {
    check_items(
        jq::run,
        r#"{"items": [{"a": [1, 2]}, {"a": []}, {"a": [3]}], "filter": ".a[] | . * $by", "args": {"by": 10}}"#,
        "[10, 20, 30]",
    );
    check(
        jq::run,
        r#"{"value": [3, 1, 2], "filter": "sort, length"}"#,
        r#"{"items": [[1, 2, 3], 3], "count": 2, "value": [1, 2, 3]}"#,
    );
    check(jq::run, r#"{"value": 1, "filter": "empty"}"#, r#"{"items": [], "count": 0, "value": null}"#);
}

#[test]
fn what_a_program_does_not_change_is_shared() {
    let config = json(r#"{"items": [{"a": {"b": 1}}], "filter": ".a"}"#);
    let output = jq::run(&config, &scope()).unwrap();
    let (Some(Value::Object(one)), Some(Value::Object(other))) =
        (output.at("items.0"), config.at("items.0.a"))
    else {
        panic!("both are objects")
    };
    assert!(Arc::ptr_eq(one, other));
}

#[test]
fn operators_do_what_the_manual_of_jq_says() {
    yields(".a.b, .a[\"c\"]?, .none.x", r#"{"a": {"b": 1}}"#, "[1, null, null]");
    yields(".[1:3], .[-1], .[:-1], .[5]", "[1, 2, 3]", "[[2, 3], 3, [1, 2], null]");
    yields(r#".[1:2], .[-1:]"#, r#""aéz""#, r#"["é", "z"]"#);
    yields("1 + 2, 7 / 2, 6 / 2, 7 % 3, -7 % 3, 1.5 * 2, 5 - 7", "null", "[3, 3.5, 3, 1, -1, 3.0, -2]");
    yields(
        "9007199254740993 + 1, 9223372036854775807 + 1",
        "null",
        "[9007199254740994, 9223372036854775808]",
    );
    yields(r#""ab" * 3, "a,b" / ",", ("x" * 0)"#, "null", r#"["ababab", ["a", "b"], null]"#);
    yields(
        "{a: 1} + {b: 2}, {a: {b: 1}} * {a: {c: 2}}",
        "null",
        r#"[{"a": 1, "b": 2}, {"a": {"b": 1, "c": 2}}]"#,
    );
    yields("[1, 2, 3] - [2.0]", "null", "[[1, 3]]");
    yields("map(.a) | add", r#"[{"a": 1}, {"a": 2}]"#, "[3]");
    yields(
        "group_by(.k) | map({k: .[0].k, n: length})",
        r#"[{"k": 2}, {"k": 1}, {"k": 2.0}]"#,
        r#"[[{"k": 1, "n": 1}, {"k": 2, "n": 2}]]"#,
    );
    yields(
        ".a |= . + 1, .b = 5, del(.a), (.a, .c) = 9",
        r#"{"a": 1}"#,
        r#"[{"a": 2}, {"a": 1, "b": 5}, {}, {"a": 9, "c": 9}]"#,
    );
    yields(
        ".[1] = 5, .[1:] = [9], (.[] | select(. > 1)) += 10, del(.[0])",
        "[1, 2, 3]",
        "[[1, 5, 3], [1, 9], [1, 12, 13], [2, 3]]",
    );
    yields(".[2].a = 1", "null", r#"[[null, null, {"a": 1}]]"#);
    yields(
        "to_entries, with_entries(.value += 1), keys, has(\"a\")",
        r#"{"b": 1, "a": 2}"#,
        r#"[[{"key": "b", "value": 1}, {"key": "a", "value": 2}], {"b": 2, "a": 3}, ["a", "b"], true]"#,
    );
    yields("[paths], [leaf_paths]", r#"{"a": [1]}"#, r#"[[["a"], ["a", 0]], [["a", 0]]]"#);
}

#[test]
fn functions_do_what_the_manual_of_jq_says() {
    yields(
        r#"test("^a"), [scan("[a-z]")], sub("a"; "x"), ascii_upcase, split("b")"#,
        r#""abc""#,
        r#"[true, ["a", "b", "c"], "xbc", "ABC", ["a", "c"]]"#,
    );
    yields(
        r#"@base64, @csv "\([1, "a\"b", null])", @json "x\(.)", @uri"#,
        r#""é""#,
        r#"["w6k=", "1,\"a\"\"b\",", "x\"é\"", "%C3%A9"]"#,
    );
    yields("try error(\"x\") catch ., (.a? // \"none\")", "1", r#"["x", "none"]"#);
    yields(
        "reduce .[] as [$a, $b] (0; . + $a * $b), [foreach .[] as [$a] (0; . + $a)]",
        "[[1, 2], [3, 4]]",
        "[14, [1, 4]]",
    );
    yields("[limit(3; repeat(1))], first(range(10)), [range(0; 1; 0.5)]", "null", "[[1, 1, 1], 0, [0, 0.5]]");
    yields("[.[] | tonumber], ([.[] | tostring] | join(\"-\"))", r#"["1", 2.5]"#, r#"[[1, 2.5], "1-2.5"]"#);
    yields(
        "contains({a: [\"b\"]}), indices(1)?, inside({a: [\"abc\"], b: 1})",
        r#"{"a": ["abc"]}"#,
        "[true, true]",
    );
    yields(
        "index(\"b\"), [indices(\", \")[]], ltrimstr(\"a\"), length, explode",
        r#""a, b""#,
        r#"[3, [1], ", b", 4, [97, 44, 32, 98]]"#,
    );
    yields("floor, sqrt, pow(.; 2), length, tojson", "6.25", "[6, 2.5, 39.0625, 6.25, \"6.25\"]");
    yields("todate, (todate | fromdate)", "0", r#"["1970-01-01T00:00:00Z", 0]"#);
    yields("[.[] | (1 / .)?], ([.[] | 1 / (. + 1)])", "[0, 1]", "[[1], [1, 0.5]]");
    yields("infinite, nan, ([nan] | sort)", "null", "[1.7976931348623157e308, null, [null]]");
    yields("tojson | fromjson, (\"[1\" | try fromjson catch \"bad\")", "[1.0]", r#"[[1.0], "bad"]"#);
    yields(
        "flatten, unique, min, transpose?",
        "[[3, 1], [1, [2]]]",
        "[[3, 1, 1, 2], [[1, [2]], [3, 1]], [1, [2]], [[3, 1], [1, [2]]]]",
    );
    yields("label $out | 1, break $out, 2", "null", "[1]");
    yields(
        "[bsearch(2, 0)], walk(if type == \"number\" then . + 1 else . end)",
        "[1, 2]",
        "[[1, -1], [2, 3]]",
    );
}

#[test]
fn an_error_of_a_program_names_its_row() {
    let config = json(r#"{"items": [{"a": 1}, {"a": [1]}], "filter": ".a + 1"}"#);
    assert_eq!(jq::run(&config, &scope()).unwrap_err().to_string(), "row 1: cannot calculate [1] + 1");
    fails("error(\"no such luck\")", "1", "no such luck");
    fails("error({a: 1})", "1", r#"the program failed with {"a":1}"#);
    fails("1 / 0", "null", "cannot calculate 1 / 0");
    fails("1 % 0", "null", "cannot calculate 1 % 0");
    fails(".a", "[1]", r#"cannot index [1] with "a""#);
    fails("{(1): 2}", "null", "1 is no name of a field, which is text");
    fails(".[9999999] = 1", "[]", "index 9999999 is out of bounds");
}

#[test]
fn a_wrong_program_is_an_error_with_its_place() {
    let wrong = |program: &str, message: &str, line: usize, column: usize| {
        let error = outputs(program, "null").unwrap_err();
        assert_eq!(error.to_string(), format!("`filter`: {message} at {line}:{column}"));
        assert_eq!(error.position().unwrap().column, column);
    };
    wrong("map(.a", "expected closing parenthesis, and the program ends", 1, 7);
    wrong("map(.a))", "expected token, found `)`", 1, 8);
    wrong(".a |", "expected term, and the program ends", 1, 5);
    wrong("\n  .a | nope", "there is no filter `nope`", 2, 8);
    wrong("map(.; 1)", "there is no filter `map` of 2 arguments", 1, 1);
    wrong(". + $x", "there is no variable `$x`", 1, 5);
    wrong("if . then 1", "expected else or end, and the program ends", 1, 12);
    wrong("§", "expected token, found `§`", 1, 1);
    wrong("import \"x\" as x; .", "module loading not supported", 1, 9);
}

#[test]
fn a_program_finds_nothing_but_its_values() {
    for name in [
        "env",
        "$ENV",
        "input",
        "inputs",
        "now",
        "halt",
        "halt_error",
        "debug",
        "stderr",
        "localtime",
        "input_filename",
    ] {
        let message = outputs(name, "null").unwrap_err().to_string();
        assert!(message.starts_with("`filter`: there is no "), "{name}: {message}");
    }
}

const WORK: &str = "the program takes too much work or memory; does it come to an end?";

#[track_caller]
fn ends(programs: &[&str], input: &str) {
    for program in programs {
        let message = outputs(program, input).unwrap_err().to_string();
        let is_bounded = message == WORK || message == "the program calls itself too deeply";
        assert!(is_bounded, "{program}: {message}");
    }
}

#[test]
fn a_program_that_does_not_end_is_an_error() {
    let programs = [
        "repeat(.)",
        "last(repeat(.))",
        "def f: f; f",
        "def f: f?; f",
        "def f: try f catch f; f",
        "def f: (., .) | f; [f]",
        "until(false; .)",
        "[recurse(.)]",
        "isempty(repeat(empty))",
        "label $out | repeat(1 | select(. == 2) | break $out)",
    ];
    ends(&programs, "null");
}

#[test]
fn a_program_that_counts_without_end_is_an_error() {
    let programs = [
        "[range(0; 1e18)]",
        "last(range(0; 1; 0))",
        "reduce range(1e18) as $i (.; .)",
        "reduce range(1e18) as $i (.; try error catch .)",
        "[limit(1e18; repeat(1))] | length",
        "first(skip(1e18; repeat(1)))",
        "reduce range(100) as $i (\"x\"; . + .)",
        "reduce range(100) as $i ([1]; . + .)",
    ];
    ends(&programs, "null");
    let cartesian = vec!["(.,.,.,.,.,.,.,.,.,.)"; 30].join("|");
    let product = vec!["$a[]"; 30].join("|");
    ends(&[&format!("last({cartesian})"), &format!(". as $a | last({product})")], "[1,2,3,4,5,6,7,8,9]");
}

#[test]
fn what_a_program_without_end_leaves_behind_does_no_harm() {
    // These leave lists of millions of links, which are dropped link within link.
    let programs = [
        "def f(g): f(g|.); f(.)",
        "path(def f: .[0] | f; f)",
        "(def f: .[0] | f; f) |= 1",
        "path(repeat(.[0]))",
    ];
    ends(&programs, "null");
}

#[test]
fn a_program_that_calls_itself_too_deeply_is_an_error() {
    for program in ["def f: 1 + f; f", "def f: [f]; f", "def f: f | .; f", "def f: {a: f}; f"] {
        fails(program, "null", "the program calls itself too deeply");
    }
    yields("def f: if . == 0 then 0 else 1 + (. - 1 | f) end; f", "5000", "[5000]");
    let deep = "def f(g; $n): if $n == 0 then g else f(g | . + 1; $n - 1) end; f(.; 40000)";
    fails(deep, "0", "the program calls itself too deeply");
}

#[test]
fn a_value_that_nests_too_deep_is_an_error() {
    let nested = "the program makes a value that nests more than 128 deep";
    fails("reduce range(100000) as $i (.; [.])", "null", nested);
    fails("reduce range(100000) as $i (.; {a: .})", "null", nested);
    fails("[range(200) | 0] as $path | setpath($path; 1)", "null", nested);
    yields("reduce range(120) as $i (.; [.]) | [recurse] | length", "null", "[121]");
    yields("reduce range(1000) as $i ({a: {b: 1}}; {a: {b: .a.b}})", "null", r#"[{"a": {"b": 1}}]"#);
    yields(
        "reduce range(1000) as $i (.; .s = [.s[0]]) | .s",
        r#"{"s": [[1]], "big": [[[[[[1]]]]]]}"#,
        "[[[1]]]",
    );
}

#[test]
fn a_long_program_is_refused_and_a_deep_one_does_no_harm() {
    let long = format!("1{}", " + 1".repeat(5000));
    fails(&long, "null", "`filter` has 20001 bytes, and a program may have 16384");
    let around = |open: &str, inner: &str, close: &str| {
        let count = (16_384 - inner.len()) / (open.len() + close.len());
        let program = [open.repeat(count), inner.to_owned(), close.repeat(count)].concat();
        // It works, or it is an error.
        outputs(&program, "1").map(drop).unwrap_or_default();
    };
    for (open, inner, close) in [
        ("(", ".", ")"),
        ("[", ".", "]"),
        ("{a:", ".", "}"),
        ("-", "1", ""),
        (".|", ".", ""),
        (".,", ".", ""),
        ("1+", "1", ""),
        ("try ", "1", ""),
        ("if ", "1", " then 1 end"),
        ("if 1 then ", "1", " end"),
        ("def f:", "1", ";f"),
        ("def f:1;", "f", ""),
        ("\"\\(", "1", ")\""),
        (".[", "0", "]"),
        ("reduce . as $x (.;", "1", ")"),
        (". as $x|", "$x", ""),
        (".a|=", "1", ""),
        ("1//", "1", ""),
        (". as [", "$x", "]"),
        ("label $x|", "1", ""),
        ("f(", "1", ")"),
        ("map(", ".", ")"),
        ("", ".", "[0]"),
        ("", ".", "?"),
        ("", ".", ".a"),
    ] {
        around(open, inner, close);
    }
}
