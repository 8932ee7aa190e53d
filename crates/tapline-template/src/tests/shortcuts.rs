use tapline_core::{Object, Value};

use super::json;
use crate::program::Program;
use crate::shortcut::is_true;

const VALUES: [&str; 20] = [
    "null",
    "true",
    "false",
    "0",
    "1",
    "-1",
    "1.0",
    "0.0",
    "-0.0",
    "2.5",
    "9007199254740993",
    "18446744073709551615",
    "\"\"",
    "\"a\"",
    "\"é\"",
    "\"1\"",
    "[]",
    "[1]",
    "{}",
    "{\"f\": {\"g\": 1}, \"a b\": null}",
];

const EXPRESSIONS: [&str; 20] = [
    "x",
    "x.f",
    "x.f.g",
    "x['a b']",
    "x['f'].missing.deeper",
    "x == y",
    "x != y",
    "x < y",
    "x <= y",
    "x > y",
    "x >= y",
    "x and y",
    "x or y",
    "not x",
    "x.f == none",
    "x == 'a' or not y",
    "x > 1 and y != 2.5",
    "{'a': x, 'b': x.f, 'a': y}",
    "[x] == [y]",
    "nope or x",
];

#[test]
fn a_shortcut_yields_what_the_engine_yields() {
    for expression in EXPRESSIONS {
        let program = Program::expression(expression).unwrap();
        for x in VALUES {
            for y in VALUES {
                let scope: Object = [("x".into(), json(x)), ("y".into(), json(y))].into_iter().collect();
                let (short, long) = (program.run(&scope), program.run_without_shortcut(&scope));
                assert_eq!(text(&short), text(&long), "{expression} with {x} and {y}");
                assert_eq!(
                    program.run_for_truth(&scope),
                    long.map(|value| is_true(&value)),
                    "{expression} with {x}"
                );
            }
        }
    }
}

/// JSON tells `1` from `1.0` and shows the order of fields.
fn text<E: Clone>(result: &Result<Value, E>) -> Result<String, E> {
    result.as_ref().map(Value::to_json).map_err(E::clone)
}
