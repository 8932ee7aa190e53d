//! The operations give the answers of polars, on random rows whose columns have types.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::cmp::Ordering;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tapline_pdk::{Object, Value};
use tapline_plugin_transform::{OpError, compare, explode, filter, join, reduce, sort, unique};

type Run = fn(&Value, &Object) -> Result<Value, OpError>;

const SEEDS: u64 = 30;

/// What both are asked.
struct Case {
    run: Run,
    config: Value,
    asked: Value,
}

/// A generator of which the whole state is the seed.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        (mixed ^ (mixed >> 27)) % end
    }

    /// Null now and then.
    fn sometimes(&mut self, value: impl FnOnce(&mut Self) -> Value) -> Value {
        if self.below(6) == 0 { Value::Null } else { value(self) }
    }

    fn rows(&mut self, count: u64) -> Value {
        let big = 1 << 60;
        let row = |id: u64| -> Value {
            let texts = ["a", "b", "é", "\u{1f600}", ""];
            [
                ("id", (big + id).into()),
                ("k", self.sometimes(|random| random.below(5).into())),
                ("s", self.sometimes(|random| texts[usize::try_from(random.below(5)).unwrap()].into())),
                (
                    "x",
                    self.sometimes(|random| {
                        (f64::from(u32::try_from(random.below(40)).unwrap()) / 4.0).into()
                    }),
                ),
                ("l", self.sometimes(|random| (0..random.below(4)).map(Value::from).collect())),
            ]
            .into_iter()
            .collect()
        };
        (0..count).map(row).collect()
    }
}

fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for seed in 0..SEEDS {
        let mut random = Random(seed);
        let (rows, others) = (random.rows(40), random.rows(25));
        let mut case = |run: Run, config: &str, asked: &str| {
            let (mut config, mut asked) =
                (Value::from_json(config).unwrap(), Value::from_json(asked).unwrap());
            let is_join = asked.get("what") == Some(&"join".into());
            config.set_at(if is_join { "left" } else { "items" }, rows.clone()).unwrap();
            asked.set_at("rows", rows.clone()).unwrap();
            if is_join {
                config.set_at("right", others.clone()).unwrap();
                asked.set_at("right", others.clone()).unwrap();
            }
            cases.push(Case { run, config, asked });
        };
        case(filter::run, r#"{"where": "item.k > 1 or item.s == 'b'"}"#, r#"{"what": "filter"}"#);
        for (by, descending) in [(r#""k""#, "false"), (r#"["s", "x"]"#, "false"), (r#"["x", "k"]"#, "true")] {
            let config = format!(r#"{{"by": {by}, "descending": {descending}}}"#);
            case(sort::run, &config, &config.replacen('{', r#"{"what": "sort", "#, 1));
        }
        for by in [r#"["k"]"#, r#"["s", "k"]"#] {
            let aggregates = r#""aggregates": {"sum": {"sum": "item.x"}, "min": {"min": "item.x"},
                "max": {"max": "item.x"}, "mean": {"mean": "item.x"}, "first": {"first": "item.id"},
                "last": {"last": "item.id"}, "ids": {"sum": "item.id - 1152921504606846976"}, "all": {"collect": "item.s"}}"#;
            let config = format!(r#"{{"group_by": {by}, "count": true, {aggregates}}}"#);
            case(reduce::run, &config, &format!(r#"{{"what": "group", "by": {by}}}"#));
        }
        for how in ["inner", "left", "right", "outer", "anti"] {
            for on in [r#"["k"]"#, r#"["k", "s"]"#] {
                let config = format!(r#"{{"on": {on}, "how": "{how}"}}"#);
                case(join::run, &config, &config.replacen('{', r#"{"what": "join", "#, 1));
            }
        }
        for keep in ["first", "last", "none"] {
            let config = format!(r#"{{"by": ["k", "x"], "keep": "{keep}"}}"#);
            case(unique::run, &config, &config.replacen('{', r#"{"what": "unique", "#, 1));
        }
        for keep in ["true", "false"] {
            let config = format!(r#"{{"field": "l", "keep_empty": {keep}}}"#);
            case(explode::run, &config, &config.replacen('{', r#"{"what": "explode", "#, 1));
        }
    }
    cases
}

/// Where the tools are that others have written, unless the runner says otherwise.
#[expect(clippy::disallowed_methods, reason = "the test runner says where they are")]
fn python() -> PathBuf {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/peers");
    let peers = std::env::var("TAPLINE_PEERS").map_or_else(|_| beside(), PathBuf::from);
    peers.join("dataframes/bin/python")
}

/// The answers of polars, which is started once, for that takes a second.
fn answers(cases: &[Case]) -> Option<Vec<Value>> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/frames/answer.py");
    #[expect(clippy::disallowed_methods, reason = "polars is what the operations are compared with")]
    let child = Command::new(python()).arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let Ok(mut child) = child else {
        // The test harness would swallow what is printed by a macro.
        let message = b"SKIPPED: polars is not installed; `cargo xtask setup --install` brings it\n";
        std::io::stderr().write_all(message).unwrap();
        return None;
    };
    let asked: String = cases.iter().map(|case| case.asked.to_json() + "\n").collect();
    let mut input = child.stdin.take().unwrap();
    let asking = std::thread::spawn(move || input.write_all(asked.as_bytes()));
    let output = child.wait_with_output().unwrap();
    asking.join().unwrap().unwrap();
    assert!(output.status.success(), "polars refuses a question");
    let text = String::from_utf8(output.stdout).unwrap();
    Some(text.lines().map(|line| Value::from_json(line).unwrap()).collect())
}

/// The value with its floats rounded, for the last digit of a mean depends on how it is added up; integers are compared
/// exactly.
fn rounded(value: &Value) -> Value {
    match value {
        Value::Number(number) if number.is_f64() => ((number.as_f64().unwrap() * 1e9).round() / 1e9).into(),
        Value::Array(items) => items.iter().map(rounded).collect(),
        Value::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), rounded(value))).collect(),
        other => other.clone(),
    }
}

#[test]
fn filter_sort_groups_joins_unique_and_explode_agree_with_polars() {
    let cases = cases();
    let Some(answers) = answers(&cases) else { return };
    assert_eq!(answers.len(), cases.len());
    for (Case { run, config, asked }, expected) in cases.iter().zip(answers) {
        let output = run(config, &Object::new()).unwrap();
        let actual = output.get("items").unwrap();
        let is_same = compare(&rounded(actual), &rounded(&expected)) == Ordering::Equal;
        assert!(is_same, "{asked}\n ours   {actual}\n polars {expected}");
    }
}
