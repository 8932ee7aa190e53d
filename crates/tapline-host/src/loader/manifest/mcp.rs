//! What is wrong with the table `[mcp]`.

use std::collections::BTreeSet;

use tapline_core::{About, Instances, McpDeclaration, Provides, Requires, RuntimeKind};

use super::{Part, Written, place};
use crate::toml_reader::Value;

impl<'t> Written<'_, 't> {
    pub(super) fn check_mcp(
        &mut self,
        plugin: &About,
        mcp: Option<&McpDeclaration>,
        provides: &[Part<'_, 't, Provides>],
        requires: Option<&Requires>,
    ) {
        let root = self.root;
        let is_server = plugin.runtime == RuntimeKind::Mcp;
        let Some(declared) = root.get("mcp") else {
            if is_server {
                let message = "an MCP server needs a table `[mcp]` with its `command` or its `url`";
                self.reader.mistake(place(&root["plugin"], "runtime"), message);
            }
            return;
        };
        if !is_server {
            self.reader.mistake(declared.span(), "`[mcp]` is for plugins with `runtime = \"mcp\"`");
        }
        if is_server && plugin.instances == Instances::One {
            let message = "a server answers any number of calls at once: it has no `instances`";
            self.reader.mistake(place(&root["plugin"], "instances"), message);
        }
        let Some(mcp) = mcp else { return };
        self.check_whereabouts(declared, mcp);
        self.check_tools(declared, mcp, provides);
        if let Some(requires) = requires {
            self.check_variables(declared, mcp, requires);
        }
    }

    /// A server is started here or is elsewhere.
    fn check_whereabouts(&mut self, declared: &Value<'t>, mcp: &McpDeclaration) {
        let program = mcp.command.first().map_or("", String::as_str);
        match &mcp.url {
            Some(_) if !mcp.command.is_empty() => {
                self.reader
                    .mistake(place(declared, "url"), "there is either `command` or `url`, and not both");
            }
            Some(url) if !url.starts_with("http://") && !url.starts_with("https://") => {
                let message = format!("`{url}` is no address over http or https");
                self.reader.mistake(place(declared, "url"), message);
            }
            Some(_) if !mcp.env.is_empty() => {
                let message =
                    "`env` is for servers with a `command`: what runs elsewhere has no environment here";
                self.reader.mistake(place(declared, "env"), message);
            }
            Some(_) => {}
            None if program.is_empty() => {
                self.reader.mistake(place(declared, "command"), "there is neither a `command` nor a `url`");
            }
            None if program.contains('/') && !program.starts_with('/') => {
                let message = format!("`{program}` is neither a name nor an absolute path");
                self.reader.mistake(place(declared, "command"), message);
            }
            None if !mcp.headers.is_empty() => {
                let message = "`headers` is for servers with a `url`";
                self.reader.mistake(place(declared, "headers"), message);
            }
            None => {}
        }
    }

    /// Each tool stands behind a node type, and behind one alone.
    fn check_tools(
        &mut self,
        declared: &Value<'t>,
        mcp: &McpDeclaration,
        provides: &[Part<'_, 't, Provides>],
    ) {
        let (mut names, mut keys) = (BTreeSet::new(), BTreeSet::new());
        for tool in &mcp.tools {
            if !names.insert(&tool.name) || !keys.insert(&tool.key) {
                let message = format!("there are two tools `{}` or `{}`", tool.name, tool.key);
                self.reader.mistake(place(declared, "tool"), message);
            }
            if !provides.iter().any(|(one, _)| &*one.point == "node" && one.key == tool.key) {
                let message = format!(
                    "tool `{}` is behind the node type `{}`, which is not under `provides`",
                    tool.name, tool.key
                );
                self.reader.mistake(place(declared, "tool"), message);
            }
        }
    }

    fn check_variables(&mut self, declared: &Value<'t>, mcp: &McpDeclaration, requires: &Requires) {
        let names = mcp.env.values().flat_map(|value| McpDeclaration::variables(value));
        for name in names.filter(|name| !requires.env.contains(*name)) {
            let message = format!("the variable `{name}` is not under `requires.env`");
            self.reader.mistake(place(declared, "env"), message);
        }
    }
}
