//! What is wrong with a node before anything runs, as far as its schema cannot say it.

use tapline_pdk::Value;
use tapline_pdk::roles::{Finding, Findings, NodeOutline};

use crate::{join, jq, reduce, rows, unique};

/// Looks at a node as it is written, templates and all; nothing when there is nothing to say.
pub(crate) fn find(node: &NodeOutline) -> Option<Findings> {
    let settings = without_rows(&node.with)?;
    let (key, message) = match node.node_type.as_str() {
        "reduce" => reduce::mistake(&settings)?,
        "join" => join::mistake(&settings).map(|(key, error)| (key.to_owned(), error.to_string()))?,
        "jq" => ("filter".to_owned(), jq::mistake(&settings)?.to_string()),
        "unique" if settings.get("by").is_some() && settings.get("expr").is_some() => {
            ("expr".to_owned(), unique::both_keys().to_string())
        }
        "template" if settings.get("as").is_some() && node.with.get("items").is_none() => {
            ("as".to_owned(), "`as` needs `items`".to_owned())
        }
        _ => return None,
    };
    let path = if key.is_empty() { key } else { format!("/{key}") };
    Some(Findings(vec![Finding { path, message, rule: None }]))
}

/// The settings without rows, in whose place there is a template that says nothing of them.
fn without_rows(with: &Value) -> Option<Value> {
    ["items", "left", "right"]
        .iter()
        .try_fold(with.clone(), |rest, field| rows::take(&rest, field).map(|(_, rest)| rest))
        .ok()
}
