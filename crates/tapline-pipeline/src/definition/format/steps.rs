use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::{OtherTypes, add, defined, described, object, or_nothing, words};
use crate::definition::{draft_step, rules};

/// What a node is, and what a part of one is, which differ in `needs` alone.
pub(super) fn definitions<'t>(types: impl Iterator<Item = &'t Arc<str>>, others: OtherTypes) -> Json {
    let types: Vec<_> = types.map(|node_type| &**node_type).collect();
    let of_steps = properties(&types, others);
    let mut of_nodes = of_steps.clone();
    of_nodes["needs"] = json!({
        "type": ["array", "null"], "items": { "type": "string" },
        "description": "Nodes that it waits for though it mentions none of their outputs.",
    });
    json!({ "step": step(of_steps), "node": step(of_nodes) })
}

fn step(properties: Json) -> Json {
    let mut step = object(properties, &[]);
    step["oneOf"] = draft_step::WORK_KEYS.iter().map(|key| json!({ "required": [key] })).collect();
    step["dependentSchemas"] = json!({
        "with": { "anyOf": [{ "required": ["type"] }, { "required": ["pipeline"] }] },
    });
    step["allOf"] = json!([defined("settings")]);
    step
}

fn properties(types: &[&str], others: OtherTypes) -> Json {
    let mut properties = work(types, others);
    add(&mut properties, what_is_around());
    add(&mut properties, rules());
    properties
}

/// The keys that say what a step does.
fn work(types: &[&str], others: OtherTypes) -> Json {
    let node_type = match others {
        OtherTypes::Refused => json!({ "enum": types }),
        OtherTypes::Accepted => json!({ "anyOf": [{ "enum": types }, { "type": "string" }] }),
    };
    let list = |description: &str| json!({ "type": "array", "minItems": 1, "items": defined("step"), "description": description });
    json!({
        "type": described(&node_type, "The node's type, which some plugin provides."),
        "value": { "description": "The output itself: a value, or a template that yields it." },
        "switch": list("The first case whose `when` is true is done."),
        "all": {
            "type": ["object", "null"], "propertyNames": defined("name"), "additionalProperties": defined("step"),
            "description": "Parts that are done at once; the output has what each has yielded, by name.",
        },
        "first": list("Parts that are begun at once; the first that succeeds is taken, and the others are ended."),
        "fallback": list("Parts that are tried one after the other, until one succeeds."),
        "pipeline": {
            "type": "string",
            "description": "The file of another pipeline, from the folder of this one; `with` holds its inputs.",
        },
        "with": { "type": ["object", "null"], "description": "The settings of its type, or the inputs of its pipeline." },
    })
}

/// The keys that say when a step is done, how often, and what becomes of errors.
fn what_is_around() -> Json {
    json!({
        "when": described(
            &defined("condition"),
            "An expression; when it is false, the step is skipped and its output is `null`.",
        ),
        "map": described(
            &object(
                json!({
                    "over": { "type": ["string", "array"], "description": "The list." },
                    "as": {
                        "anyOf": [{ "const": "item" }, defined("name")], "default": "item",
                        "description": "The name of the current item in the settings.",
                    },
                    "parallel": described(&defined("count"), "How many items may be under way at once; 1 unless said."),
                }),
                &["over"],
            ),
            "The step is done for each item of a list.",
        ),
        "while": described(
            &or_nothing(object(
                json!({
                    "when": described(
                        &defined("condition"),
                        "An expression: whether it is done once more; `last` is what came of the time before, `iteration` how often it was done.",
                    ),
                    "start": { "description": "What `last` is the first time; `null` unless said." },
                    "max": described(&defined("count"), "How often it may be done."),
                }),
                &["when", "max"],
            )),
            "The step is done again and again.",
        ),
        "on_error": {
            "description": "What becomes of it, and of those that wait for it, when it fails.",
            "default": "fail",
            "anyOf": [{ "enum": words(&draft_step::ON_ERROR) }, on_error()],
        },
    })
}

fn on_error() -> Json {
    let mut on_error = object(
        json!({
            "fallback": described(&defined("step"), "Another step takes its place, which may name the `error`."),
            "dead_letter": {
                "type": "string",
                "description": "A file of JSON lines to which what it was asked is added with the error; then it counts as skipped.",
            },
        }),
        &[],
    );
    on_error["minProperties"] = 1.into();
    on_error["maxProperties"] = 1.into();
    on_error
}

/// What holds for each time that a step is done.
fn rules() -> Json {
    json!({
        "retry": {
            "description": "How often it is tried again after an error.",
            "anyOf": [defined("count"), retry()],
        },
        "timeout": {
            "description": "How long one attempt may take.",
            "anyOf": [defined("duration"), timeout()],
        },
        "cache": described(
            &or_nothing(object(
                json!({ "ttl": described(&defined("duration"), "How long an output is good.") }),
                &["ttl"],
            )),
            "An output is taken again for the same settings.",
        ),
        "rate_limit": rate_limit("How often it may begin."),
        "output_schema": { "type": "object", "description": "A JSON Schema that its output must follow." },
        "validate": {
            "description": "Which plugins look at its output.",
            "anyOf": [validator(), { "type": ["array", "null"], "items": validator() }],
        },
        "budget": budget(),
    })
}

/// Of a step, or of a plugin.
pub(super) fn rate_limit(description: &str) -> Json {
    let limit = object(
        json!({
            "calls": described(&defined("count"), "So often."),
            "per": described(&defined("duration"), "In so long."),
        }),
        &["calls", "per"],
    );
    described(&or_nothing(limit), description)
}

fn retry() -> Json {
    object(
        json!({
            "max": described(&defined("count"), "How often at most, after the first time."),
            "backoff": {
                "enum": words(&rules::BACKOFFS), "default": "exponential",
                "description": "How the time between grows.",
            },
            "delay": described(&defined("duration"), "The first time between; `1s` unless said."),
            "max_delay": described(&defined("duration"), "The longest time between; `30s` unless said."),
        }),
        &["max"],
    )
}

fn timeout() -> Json {
    object(
        json!({
            "run": described(&defined("duration"), "From its begin to its end."),
            "idle": described(&defined("duration"), "Without giving a piece of its answer."),
        }),
        &[],
    )
}

fn validator() -> Json {
    object(
        json!({
            "validator": { "type": "string", "description": "Its name, which some plugin provides." },
            "with": { "description": "What it is told of how to look." },
        }),
        &["validator"],
    )
}

fn budget() -> Json {
    let budget = object(
        json!({
            "tokens": described(&defined("count"), "Tokens of models, those of prompts and of answers."),
            "cost": {
                "type": "number", "exclusiveMinimum": 0,
                "description": "What providers charge, in their currency.",
            },
        }),
        &[],
    );
    described(&or_nothing(budget), "What it may use up in one run.")
}
