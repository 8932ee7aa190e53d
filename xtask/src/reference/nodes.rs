use anyhow::{Context, Result};
use serde_json::Value;

use super::Page;
use super::schema::{Schemas, paragraph};

pub(super) fn page(said: &Value) -> Result<Page> {
    let nodes = said["nodes"].as_array().context("`tapline reference` does not say which nodes there are")?;
    let mut text = "The settings of each node type under `with`. \
        [The nodes that come with it](../nodes.md) says what they are for.\n\n"
        .to_owned();
    text += "An *expression* is one of [the templates' language](../pipeline.md), without braces.\n";
    for node in nodes {
        let (Some(name), Some(plugin)) = (node["type"].as_str(), node["plugin"].as_str()) else { continue };
        let schema = &node["schema"];
        text += &format!("\n## `{name}`\n\n{}Of the plugin `{plugin}`.\n\n", paragraph(schema));
        text += &Schemas::of(schema).object("###", name, schema);
    }
    Ok(Page::new(
        "nodes.md",
        "The nodes, setting by setting",
        "the schemas of the plugins that the command brings",
        &text,
    ))
}
