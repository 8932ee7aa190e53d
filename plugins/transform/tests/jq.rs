//! The operations give the answers of jq and gojq, on random rows of all types.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::cmp::Ordering;
use std::io::Write;
use std::process::{Command, Stdio};

use tapline_pdk::{Object, Value};
use tapline_plugin_transform::{
    OpError, chunk, compare, explode, filter, flatten, jq, limit, map, reduce, select, sort, transform,
    unique,
};

type Run = fn(&Value, &Object) -> Result<Value, OpError>;

const SEEDS: u64 = 20;
const ROWS: u64 = 60;

/// Random rows: `id` counts them; `k` is anything, or missing; `n` is a number, text or null; `v` an integer, null or
/// missing.
fn rows(seed: u64) -> Value {
    let mut random = Random(seed + 1);
    let row = |id: u64| {
        let mut row = Object::new();
        row.insert("id".into(), id.into());
        const KEYS: [&str; 16] = [
            "null",
            "true",
            "false",
            "0",
            "1",
            "1.0",
            "-2.5",
            "\"\"",
            "\"1\"",
            "\"é\"",
            "\"z\"",
            "[]",
            "[1]",
            "{}",
            "{\"a\":1}",
            "{\"b\":[1],\"a\":1.0}",
        ];
        if let Some(key) = random.pick(&KEYS) {
            row.insert("k".into(), Value::from_json(key).unwrap());
        }
        let number = ["null", "3", "4.5", "-1", "1e3", "\"four\"", "\"\u{1f600}\""];
        let number = random.pick(&number).unwrap_or("7");
        row.insert("n".into(), Value::from_json(number).unwrap());
        if let Some(amount) = random.pick(&["null", "1", "20", "300", "-4000"]) {
            row.insert("v".into(), Value::from_json(amount).unwrap());
        }
        Value::from(row)
    };
    (0..ROWS).map(row).collect()
}

/// A generator of which the whole state is the seed.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed ^ (mixed >> 27)
    }

    /// One of these, or now and then nothing.
    fn pick<'a>(&mut self, choices: &[&'a str]) -> Option<&'a str> {
        let index = usize::try_from(self.next() % (choices.len() as u64 + 1)).unwrap();
        choices.get(index).copied()
    }
}

/// The same language by other people: a difference to one of them may be its own.
const TOOLS: [&str; 2] = ["jq", "gojq"];

/// All that a program yields.
fn outputs(tool: &str, program: &str, input: &Value) -> Option<Value> {
    #[expect(clippy::disallowed_methods, reason = "it is what the operations are compared with")]
    let child = Command::new(tool)
        .args(["--compact-output", &format!("[{program}]")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let Ok(mut child) = child else {
        // The test harness would swallow what is printed by a macro.
        std::io::stderr().write_all(format!("SKIPPED: {tool} is not installed\n").as_bytes()).unwrap();
        return None;
    };
    child.stdin.take().unwrap().write_all(input.to_json().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{tool} refuses {program}");
    Some(Value::from_json(&String::from_utf8(output.stdout).unwrap()).unwrap())
}

/// Compares `items` (or `value`) of the operation with what the tools make of the same rows.
#[track_caller]
fn check(run: Run, config: &str, program: &str) {
    check_after(run, config, Value::clone, program);
}

#[track_caller]
fn check_after(run: Run, config: &str, after: impl Fn(&Value) -> Value, program: &str) {
    for (tool, seed) in TOOLS.iter().flat_map(|tool| (0..SEEDS).map(move |seed| (tool, seed))) {
        let rows = rows(seed);
        let Some(expected) = outputs(tool, program, &rows) else { break };
        let mut config = Value::from_json(config).unwrap();
        config.set_at("items", rows).unwrap();
        let output = run(&config, &Object::new()).unwrap();
        let actual = after(output.get("items").or_else(|| output.get("value")).unwrap());
        let expected = &expected.as_array().unwrap()[0];
        assert_same(&actual, expected, tool, &format!("{program}, seed {seed}"));
    }
}

#[track_caller]
fn assert_same(actual: &Value, expected: &Value, tool: &str, what: &str) {
    let order = compare(&rounded(actual), &rounded(expected));
    assert_eq!(order, Ordering::Equal, "{what}\n ours {actual}\n {tool} {expected}");
}

/// Compares what programs of jq yield for a list; a tool is started once for all of them.
fn check_programs(programs: &[&str]) {
    let together: Vec<String> =
        programs.iter().map(|program| format!("[try ({program}) catch \"error\"]")).collect();
    for (tool, seed) in TOOLS.iter().flat_map(|tool| (0..SEEDS).map(move |seed| (tool, seed))) {
        let rows = rows(seed);
        let Some(expected) = outputs(tool, &together.join(", "), &rows) else { continue };
        for (program, expected) in together.iter().zip(expected.as_array().unwrap()) {
            let config = [("filter", program.as_str().into()), ("value", rows.clone())].into_iter().collect();
            let output = jq::run(&config, &Object::new()).unwrap();
            assert_same(output.get("value").unwrap(), expected, tool, &format!("{program}, seed {seed}"));
        }
    }
}

/// The value with its numbers rounded, for jq 1.6 writes the last digit of a float wrong.
fn rounded(value: &Value) -> Value {
    match value {
        Value::Number(number) => ((number.as_f64().unwrap() * 1e9).round() / 1e9).into(),
        Value::Array(items) => items.iter().map(rounded).collect(),
        Value::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), rounded(value))).collect(),
        other => other.clone(),
    }
}

#[test]
fn map_agrees_with_jq() {
    check(map::run, r#"{"expr": "item.k"}"#, "map(.k)");
    check(
        map::run,
        r#"{"expr": "{'id': item.id, 'deep': item.none.x, 'list': [item.n]}"}"#,
        "map({id, deep: null, list: [.n]})",
    );
    check(map::run, r#"{"expr": "item.id * 2 + 1"}"#, "map(.id * 2 + 1)");
}

#[test]
fn filter_agrees_with_jq() {
    check(filter::run, r#"{"where": "item.k == none"}"#, "map(select(.k == null))");
    check(filter::run, r#"{"where": "item.n > 3"}"#, "map(select(.n > 3))");
    check(
        filter::run,
        r#"{"where": "item.n >= 'four' or item.v < 20"}"#,
        r#"map(select(.n >= "four" or .v < 20))"#,
    );
    check(
        filter::run,
        r#"{"where": "item.k != 1 and item.k != '1'"}"#,
        r#"map(select(.k != 1 and .k != "1" and .k != true))"#,
    );
}

#[test]
fn sort_agrees_with_jq() {
    check(sort::run, r#"{"by": "k"}"#, "sort_by(.k)");
    check(sort::run, r#"{"by": ["n", "v"]}"#, "sort_by(.n, .v)");
    check(sort::run, r#"{"by": [{"expr": "item.id % 7"}, "k"]}"#, "sort_by(.id % 7, .k)");
}

#[test]
fn groups_agree_with_jq() {
    let sorted = |groups: &Value| {
        let config = [("items", groups.clone()), ("by", "k".into())].into_iter().collect();
        sort::run(&config, &Object::new()).unwrap().get("items").unwrap().clone()
    };
    check_after(
        reduce::run,
        r#"{"group_by": "k", "count": true, "aggregates": {
            "sum": {"sum": "item.v"}, "min": {"min": "item.v"}, "max": {"max": "item.n"}, "mean": {"mean": "item.v"},
            "first": {"first": "item.id"}, "last": {"last": "item.n"}, "all": {"collect": "item.v"}}}"#,
        sorted,
        "group_by(.k) | map((map(.v | values)) as $v | {k: .[0].k, count: length, sum: ($v | add), min: ($v | min),
            max: (map(.n | values) | max), mean: (if $v == [] then null else ($v | add) / ($v | length) end),
            first: .[0].id, last: .[-1].n, all: map(.v)})",
    );
}

#[test]
fn a_fold_agrees_with_jq() {
    check(
        reduce::run,
        r#"{"initial": 0, "expr": "acc * 2 % 1009 + (item.v | default(1))"}"#,
        "reduce .[] as $item (0; . * 2 - (. * 2 / 1009 | floor) * 1009 + ($item.v // 1))",
    );
}

#[test]
fn transform_select_and_limit_agree_with_jq() {
    check(
        transform::run,
        r#"{"set": {"id": "item.id + 1", "new": "item.k"}, "rename": {"n": "m"}, "drop": ["v"]}"#,
        "map(. + {id: (.id + 1), new: .k, m: .n} | del(.n, .v))",
    );
    check(select::run, r#"{"fields": ["k", "id", "none"]}"#, "map({k, id, none})");
    check(limit::run, r#"{"max": 10, "skip": 55}"#, ".[55:65]");
}

#[test]
fn unique_agrees_with_jq() {
    let sorted = |rows: &Value| {
        let config = [("items", rows.clone()), ("by", "k".into())].into_iter().collect();
        sort::run(&config, &Object::new()).unwrap().get("items").unwrap().clone()
    };
    check_after(unique::run, r#"{"by": "k"}"#, sorted, "unique_by(.k)");
    check_after(unique::run, r#"{"by": "k", "keep": "last"}"#, sorted, "group_by(.k) | map(.[-1])");
    check_after(
        unique::run,
        r#"{"by": "k", "keep": "none"}"#,
        sorted,
        "group_by(.k) | map(select(length == 1)[])",
    );
}

#[test]
fn lists_are_taken_apart_and_put_together_as_in_jq() {
    let nested = |depth: &str, program: &str| {
        check(
            |config, scope| {
                let lists = [("items", config.get("items").unwrap().clone()), ("size", 3_i64.into())];
                let chunks = chunk::run(&lists.into_iter().collect(), scope)?;
                let again = [("items", chunks.get("items").unwrap().clone()), ("size", 4_i64.into())];
                let mut nested = config.clone();
                let chunks = chunk::run(&again.into_iter().collect(), scope)?;
                nested.set_at("items", chunks.get("items").unwrap().clone()).unwrap();
                flatten::run(&nested, scope)
            },
            depth,
            &format!(
                "def chunks($n): [range(0; length; $n) as $i | .[$i:$i + $n]]; chunks(3) | chunks(4) | {program}"
            ),
        );
    };
    nested(r#"{"depth": 0}"#, ".");
    nested("{}", "flatten(1)");
    nested(r#"{"depth": 2}"#, "flatten(2)");
    let lists = |config: &Value, scope: &Object| {
        let set = r#"{"set": {"l": "range(item.id % 4) | list"}}"#;
        let mut with = Value::from_json(set).unwrap();
        with.set_at("items", config.get("items").unwrap().clone()).unwrap();
        let mut exploded = config.clone();
        exploded.set_at("items", transform::run(&with, scope)?.get("items").unwrap().clone()).unwrap();
        explode::run(&exploded, scope)
    };
    let program = "map(.l = ([range(.id % 4)] | if . == [] then [null] else . end | .[]))";
    check(lists, r#"{"field": "l"}"#, program);
    check(lists, r#"{"field": "l", "keep_empty": false}"#, "map(.l = range(.id % 4))");
}

#[test]
fn programs_agree_with_jq() {
    check_programs(&[
        "map(.k) | sort",
        "map(.n) | unique",
        "group_by(.k) | map([.[0].k, length])",
        "map(.v | numbers) | [add, min, max, length, add / length, (map(. * .) | add)]",
        "[.[] | .n? // .v]",
        "[.[] | select(.k == null or (.n | type) == \"string\") | {id, kind: (.n | type)}]",
        "map({(.id | tostring): .k}) | add | to_entries | sort_by(.key) | map(.value)",
        "[paths(type == \"number\")] | length",
        "map(del(.k) | .n |= (numbers // 0) | .v += 1)",
        "[limit(5; .[] | .id)], [first(.[] | .k), (last | .k)]",
        "reduce .[] as {id: $id, v: $v} (0; . + $id * ($v // 0))",
        "[foreach .[] as $row (0; . + $row.id; [., $row.k])]",
        "map(.k | tojson) | join(\";\") | split(\";\") | map(fromjson)",
        "[.[].n | strings | ascii_upcase, length, explode, test(\"o\")]",
        "map(.k | arrays | flatten | length)",
        "[.[] | .k as $k | try ($k + 1) catch \"no\"]",
        "[.[] | try (.k * 2) catch \"no\"]",
        "[.[] | try (.k - 1) catch \"no\"]",
        "[.[] | try (.id % 7 - .id / 4) catch \"no\"]",
        "[.[] | try (.k | length) catch \"no\"]",
        "[.[] | try (.k | keys) catch \"no\"]",
        "[.[] | .k | (arrays, objects, numbers, nulls) | try .[0] catch \"no\"]",
        "[.[] | try (.k.a) catch \"no\"]",
        "[.[] | try (.k | has(\"a\")) catch \"no\"]",
        "[.[] | try (.k | contains([1])) catch \"no\"]",
        "[.[] | [.k, .n, .v] | tostring]  | map(fromjson)",
        ".[3:7] + .[-2:] | map(.id)",
        ".[2].k = 7 | .[2:4] = [] | map(.id)",
        "map(.id) | [indices(3), index(5), (.[10:] | bsearch(20)), contains([1, 2]), inside([range(100)])]",
        "[.[] | .id | if . < 10 then \"low\" elif . < 20 then \"mid\" else \"high\" end] | group_by(.) | map(length)",
        "label $out | [.[] | if .id > 5 then ., break $out else . end]",
        "[.[] | .id | floor, sqrt, pow(.; 2), (. / 3 | round)]",
        "map(.n | tostring | gsub(\"[0-9]+\"; \"#\")) | unique",
        "with_entries(.value |= .id) | length",
        "[range(0; 10; 3)], [range(5; 0; -2)], ([.[:2][] | .id] | combinations(2)?)",
        "[splits(\", \")?], (map(.id) | any(. > 50), all(. >= 0)), transpose?",
        "map(.k | walk(if type == \"number\" then . + 1 else . end))",
        "[.[:4] | .. | numbers] | sort",
        "[INDEX(.id % 7 | tostring) | to_entries | sort_by(.key)[] | .value.id], (.[0].id | IN(0, 1))",
        "map(.v | select(. != null) | @base64 \"\\(.)\", @text, @json)",
    ]);
}
