//! Whether a path of a context can hold anything, as the schema of a hook point says.

use crate::hook::declaration::PointInfo;
use crate::value::{CARRIED, Value};

impl PointInfo {
    /// Why nothing can stand at a path of this point's context; `None` when something may.
    ///
    /// A `*` stands for any name. What the schema says nothing about may hold anything.
    #[must_use]
    pub fn refuses(&self, path: &str) -> Option<String> {
        let mut tokens = path.split('.');
        let name = tokens.next().unwrap_or_default();
        if *name == *CARRIED {
            return None;
        }
        let Some((_, schema)) = self.context.iter().find(|(begin, _)| **begin == *name) else {
            let names: Vec<_> = self.context.iter().map(|(begin, _)| &**begin).collect();
            return Some(format!("the context of `{}` begins with {}", self.id, names.join(", ")));
        };
        let tokens: Vec<_> = tokens.collect();
        refuse(schema, schema, &tokens, name).map(|reason| format!("at `{}`, {reason}", self.id))
    }
}

/// Schemas that refer to each other in a circle are followed so far.
const DEEPEST: usize = 32;

fn refuse(root: &Value, schema: &Value, tokens: &[&str], at: &str) -> Option<String> {
    refuse_within(root, schema, tokens, at, DEEPEST)
}

fn refuse_within(root: &Value, schema: &Value, tokens: &[&str], at: &str, depth: usize) -> Option<String> {
    let (token, rest) = tokens.split_first()?;
    let depth = depth.checked_sub(1)?;
    if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
        let path = reference.strip_prefix("#/")?.replace('/', ".");
        return refuse_within(root, root.at(&path)?, tokens, at, depth);
    }
    for key in ["anyOf", "oneOf"] {
        if let Some(ways) = schema.get(key).and_then(Value::as_array) {
            let mut refusals = ways.iter().map(|way| refuse_within(root, way, tokens, at, depth));
            let first = refusals.next()??;
            return refusals.all(|refusal| refusal.is_some()).then_some(first);
        }
    }
    let below = format!("{at}.{token}");
    let types = types(schema);
    let may_be = |name: &str| types.is_empty() || types.contains(&name);
    if !may_be("object") && !may_be("array") {
        return Some(format!("`{at}` is of type {}", types.join(" or ")));
    }
    if may_be("object") {
        return match (
            schema.get("properties").and_then(|all| all.get(token)),
            schema.get("additionalProperties"),
        ) {
            (Some(property), _) => refuse_within(root, property, rest, &below, depth),
            (None, Some(Value::Bool(false)))
                if *token != "*" && schema.get("patternProperties").is_none() =>
            {
                Some(format!("`{at}` has no `{token}`"))
            }
            (None, Some(further)) => refuse_within(root, further, rest, &below, depth),
            (None, None) => None,
        };
    }
    if *token != "*" && token.parse::<usize>().is_err() {
        return Some(format!("`{at}` is an array, and `{token}` is no place in one"));
    }
    refuse_within(root, schema.get("items")?, rest, &below, depth)
}

fn types(schema: &Value) -> Vec<&str> {
    match schema.get("type") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use crate::hook::declaration::{Mode, PointDeclaration};
    use crate::value::Value;

    #[track_caller]
    fn check(path: &str, refused: Option<&str>) {
        let input = Value::from_json(
            r##"{"type": "object", "additionalProperties": false, "properties": {
                "name": {"type": "string"}, "tags": {"type": "array", "items": {"type": "string"}},
                "any": true, "friend": {"anyOf": [{"$ref": "#"}, {"type": "null"}]}}}"##,
        );
        let input = input.unwrap_or_default();
        let point = PointDeclaration::new("p").into_info("test", Mode::Chain, input, Value::Bool(true));
        assert_eq!(point.refuses(path).as_deref(), refused, "{path}");
    }

    #[test]
    fn a_path_is_held_against_the_schema_of_the_point() {
        check("input", None);
        check("input.name", None);
        check("input.any.thing.at.all", None);
        check("input.*", None);
        check("output.whatever", None);
        check("carried.whatever", None);
        check("input.nmae", Some("at `p`, `input` has no `nmae`"));
        check("input.name.first", Some("at `p`, `input.name` is of type string"));
        check("input.tags.0", None);
        check("input.tags.*", None);
        check("input.tags.first", Some("at `p`, `input.tags` is an array, and `first` is no place in one"));
        check("inptu", Some("the context of `p` begins with input, output, error"));
    }
}
