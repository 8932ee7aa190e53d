use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value as Json;
use tapline_core::{Failure, Manifest};

use crate::offer::{Offer, OfferedTool, sorted};

/// The tools that somebody has accepted, by the node types that call them.
#[derive(Debug, Default)]
pub(crate) struct Accepted(BTreeMap<Arc<str>, AcceptedTool>);

/// A tool as it was accepted.
#[derive(Debug)]
pub(crate) struct AcceptedTool {
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) schema: Json,
    digest: String,
}

/// Which of the accepted tools are not what they were, and what is different.
#[derive(Debug, Default)]
pub(crate) struct Quarantine(BTreeMap<String, String>);

impl Accepted {
    pub(crate) fn of(manifest: &Manifest) -> Self {
        let tools = manifest.mcp.iter().flat_map(|mcp| &mcp.tools);
        let accepted = tools.map(|tool| {
            let mut provides = manifest.provides.iter();
            let schema = provides.find(|one| &*one.point == "node" && one.key == tool.key);
            let schema = schema.and_then(|one| serde_json::from_str(one.schema.as_deref()?).ok());
            let (name, description) = (tool.name.clone(), tool.description.clone());
            let digest = tool.digest.clone();
            let schema = schema.unwrap_or_default();
            (Arc::clone(&tool.key), AcceptedTool { name, description, schema, digest })
        });
        Self(accepted.collect())
    }

    /// The tool behind a node type, or behind the name that models have for it.
    pub(crate) fn get(&self, key: &str) -> Option<&AcceptedTool> {
        let as_tool = |(one, tool): (&Arc<str>, _)| (crate::manifest::tool_key(one) == key).then_some(tool);
        self.0.get(key).or_else(|| self.0.iter().find_map(as_tool))
    }

    /// Compares what was accepted with what a server offers now.
    pub(crate) fn compare(&self, offer: &Offer) -> Quarantine {
        let find = |name: &str| offer.tools.iter().find(|tool| tool.name == name);
        let changed = self.0.values().filter_map(|tool| {
            let difference = match find(&tool.name) {
                Some(offered) if offered.digest == tool.digest => return None,
                Some(offered) => tool.difference(offered),
                None => "the server does not have it any more".to_owned(),
            };
            Some((tool.name.clone(), difference))
        });
        Quarantine(changed.collect())
    }
}

impl AcceptedTool {
    /// In what the tool of the server is another one.
    fn difference(&self, offered: &OfferedTool) -> String {
        let description = self.description != offered.description;
        let schema = sorted(self.schema.clone()) != sorted(offered.schema.clone());
        let changed = match (description, schema) {
            (true, true) => "its description and its schema have",
            (true, false) => "its description has",
            (false, true) => "its schema has",
            (false, false) => "its title, its annotations or the schema of its results have",
        };
        format!("{changed} changed since")
    }
}

impl Quarantine {
    /// What is wrong with a tool of a plugin, if anything is.
    pub(crate) fn check(&self, plugin: &str, tool: &str) -> Result<(), Failure> {
        let Some(difference) = self.0.get(tool) else { return Ok(()) };
        let message = format!(
            "tool `{tool}` of plugin `{plugin}` is not the one that was accepted: {difference}; \
             `tapline mcp update {plugin}` shows it, and accepts it if you say so"
        );
        Err(Failure::new("tool-changed", message))
    }

    /// Each tool that is not what it was, and what is different.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(tool, difference)| (&**tool, &**difference))
    }
}
