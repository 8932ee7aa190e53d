//! The manifest of a server, from what it offers.

use std::collections::BTreeSet;
use std::sync::Arc;

use tapline_core::{Manifest, McpTool, Provides};

use crate::offer::{Offer, OfferedTool};
use crate::resources;

/// A name that models are told is no longer than this, in characters.
const LONGEST_NAME: usize = 64;

impl Offer {
    /// The manifest of a server with all that it offers as accepted; all else stays as it stands in the one before.
    #[must_use]
    pub fn accepted(&self, before: &Manifest) -> Manifest {
        let mut manifest = before.clone();
        let id = before.id().as_str();
        let mut keys = BTreeSet::new();
        let tools: Vec<_> =
            self.tools.iter().map(|tool| (tool, free_key(id, &tool.name, &mut keys))).collect();
        manifest.provides = tools.iter().flat_map(|(tool, key)| both(tool, key)).collect();
        if self.has_resources && !keys.contains(&*resources::key(id)) {
            let key = resources::key(id).into();
            manifest
                .provides
                .push(Provides { schema: Some(resources::SCHEMA.into()), ..provides("node", key) });
        }
        let methods = resources::METHODS.map(Arc::from).into();
        manifest.provides.push(Provides { methods, ..provides("plugin", id.into()) });
        if let Some(mcp) = &mut manifest.mcp {
            mcp.tools = tools.into_iter().map(|(tool, key)| accepted(tool, key)).collect();
        }
        manifest
    }
}

fn accepted(tool: &OfferedTool, key: Arc<str>) -> McpTool {
    let (name, description, digest) = (tool.name.clone(), tool.description.clone(), tool.digest.clone());
    McpTool { name, key, description, digest }
}

/// A tool is a node type, and a tool for models.
fn both(tool: &OfferedTool, key: &Arc<str>) -> [Provides; 2] {
    [
        Provides { schema: Some(tool.schema.to_string()), ..provides("node", Arc::clone(key)) },
        Provides {
            methods: ["describe", "call"].map(Arc::from).into(),
            ..provides("tool", tool_key(key).into())
        },
    ]
}

fn provides(point: &str, key: Arc<str>) -> Provides {
    let (schema, methods, authority) = (None, Vec::new(), tapline_core::Authority::default());
    Provides { point: point.into(), key, schema, methods, authority }
}

/// The node type of a tool: `ID.NAME`, with `_` for what cannot stand in a key, and a number where two would be the same.
fn free_key(id: &str, name: &str, taken: &mut BTreeSet<String>) -> Arc<str> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let plain: String = name.chars().map(|c| if is_plain(c) { c } else { '_' }).collect();
    let first = format!("{id}.{plain}");
    let others = (2..).map(|number| format!("{first}_{number}"));
    let is_free = |key: &String| !taken.iter().any(|taken| tool_key(taken) == tool_key(key));
    let key = std::iter::once(first.clone()).chain(others).find(is_free).unwrap_or(first);
    taken.insert(key.clone());
    key.into()
}

/// What models call the tool behind a node type: their names have no dots.
pub(crate) fn tool_key(key: &str) -> String {
    key.chars().map(|c| if c == '.' { '_' } else { c }).take(LONGEST_NAME).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_tool_has_a_key_of_its_own() {
        let mut taken = BTreeSet::new();
        let mut key = |name: &str| free_key("x", name, &mut taken).to_string();
        assert_eq!(key("a/b"), "x.a_b");
        assert_eq!(key("a.b"), "x.a.b_2");
        assert_eq!(key("a b"), "x.a_b_3");
        assert_eq!(key("ä*"), "x.__");
        assert_eq!(tool_key("x.a.b_2"), "x_a_b_2");
    }
}
