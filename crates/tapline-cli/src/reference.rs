use anyhow::Result;
use clap::CommandFactory as _;
use clap_markdown::MarkdownOptions;
use serde_json::{Value, json};
use tapline::host::Policy;
use tapline_pdk::roles::NODE;

use crate::Ending;
use crate::arguments::Arguments;
use crate::candidates::builtin_plugins;
use crate::output::Output;
use crate::serve;

/// Writes, as JSON, what this command knows of itself and the reference in the docs is made from: its verbs and flags
/// as Markdown, the settings of the nodes that it brings, and the API of its server.
pub(crate) fn reference() -> Result<Ending> {
    Output::Standard.line(json!({ "command": command(), "nodes": nodes()?, "api": serve::description() }));
    Ok(Ending::Done)
}

fn command() -> String {
    let options = MarkdownOptions::new().title("The command, verb by verb".into()).show_footer(false);
    clap_markdown::help_markdown_command_custom(&Arguments::command(), &options)
}

/// The node types, each with its plugin and the schema of its settings.
fn nodes() -> Result<Vec<Value>> {
    let mut nodes = Vec::new();
    for (plugin, _) in builtin_plugins(&Policy::default())? {
        let types = plugin.manifest.provides.iter().filter(|provides| &*provides.point == NODE);
        nodes.extend(types.map(|provides| {
            let schema = plugin.schemas.get(&(NODE.into(), provides.key.clone()));
            json!({ "plugin": plugin.name(), "type": provides.key, "schema": schema })
        }));
    }
    Ok(nodes)
}
