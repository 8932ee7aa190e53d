//! `jq`: what a program in the language jq makes of each row, or of one value.

use std::sync::Arc;

use indexmap::IndexMap;
use serde::Deserialize;
use tapline_pdk::{Object, Value};

use crate::{OpError, rows};

mod program;
mod functions;
mod item;
mod slice;
mod arithmetic;
mod meter;

use program::Program;

/// The JSON Schema of the configuration.
pub const SCHEMA: &str = include_str!("../schemas/jq.json");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    filter: String,
    #[serde(default)]
    args: IndexMap<Arc<str>, Value>,
}

/// Makes `{ items, count }` of all that the program `filter` yields for each row of `items`: none, one or more values
/// each. With `value` instead it runs once, on that, and makes `{ items, count, value }`, of which `value` is the first
/// that came out, or null.
///
/// # Errors
/// When the configuration does not fit its schema, when the program cannot be compiled, when it fails for a row, or when
/// it takes more than its measure of work, memory or depth.
pub fn run(config: &Value, _scope: &Object) -> Result<Value, OpError> {
    run_until(config, || false)
}

/// As [`run`], and leaves off between two rows as soon as nobody waits for the answer.
///
/// # Errors
/// As [`run`].
pub fn run_until(config: &Value, is_given_up: impl Fn() -> bool + Sync) -> Result<Value, OpError> {
    let (value, rest) = rows::take(config, "value")?;
    let (items, rest) = match value {
        Some(_) if rest.get("items").is_some() => {
            return Err(OpError::config("`items` and `value` cannot both be given"));
        }
        Some(_) => (None, rest),
        None => {
            let (items, rest) = rows::take(&rest, "items")?;
            (Some(rows::of("items", items)?), rest)
        }
    };
    let config: Config = rest.to().map_err(OpError::config)?;
    let is_given_up = &is_given_up;
    meter::on_large_stack(move || {
        let program = Program::compile("filter", &config.filter, &names(config.args.keys()))?;
        let variables: Vec<Value> = config.args.into_values().collect();
        match (items, value) {
            (Some(items), _) => each(&program, &items, &variables, is_given_up),
            (None, value) => once(&program, value.unwrap_or_default(), &variables),
        }
    })
}

fn each(
    program: &Program,
    items: &[Value],
    variables: &[Value],
    is_given_up: impl Fn() -> bool,
) -> Result<Value, OpError> {
    let mut outputs = Vec::with_capacity(items.len());
    for (row, item) in items.iter().enumerate() {
        if is_given_up() {
            return Err(OpError::Value { message: "nobody waits for the answer any more".to_owned() });
        }
        outputs.extend(program.run(item.clone(), variables).map_err(OpError::row(row))?);
    }
    Ok(rows::list(outputs))
}

fn once(program: &Program, value: Value, variables: &[Value]) -> Result<Value, OpError> {
    let outputs = program.run(value, variables).map_err(|message| OpError::Value { message })?;
    let first = outputs.first().cloned().unwrap_or_default();
    let mut output = rows::list(outputs);
    if let Value::Object(fields) = &mut output {
        Arc::make_mut(fields).insert("value".into(), first);
    }
    Ok(output)
}

/// What is wrong with the program of a configuration, unless a template will make it.
pub(crate) fn mistake(with: &Value) -> Option<OpError> {
    let filter = with.get("filter")?.as_str().filter(|filter| !filter.contains("{{"))?;
    let args = with.get("args").and_then(Value::as_object);
    let variables = names(args.into_iter().flat_map(|args| args.keys()));
    meter::on_large_stack(|| Program::compile("filter", filter, &variables).map(drop)).err()
}

/// The variables of a program, which the language writes with a `$`.
fn names<'a>(args: impl Iterator<Item = &'a Arc<str>>) -> Vec<String> {
    args.map(|name| format!("${name}")).collect()
}
