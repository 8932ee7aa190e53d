//! What has changed in a server since its tools were accepted.

use std::fmt::{self, Write as _};

use semver::Version;
use tapline::core::{Manifest, McpTool};
use tapline::mcp::{Offer, OfferedTool};

use super::first_line;
use crate::audit::visible;

/// The tools that are others than those that were accepted.
#[derive(Debug, Default)]
pub(crate) struct Difference {
    added: Vec<String>,
    removed: Vec<String>,
    changed: Vec<String>,
}

impl Difference {
    /// Compares the accepted tools with those that a server offers now.
    pub(crate) fn between(before: &Manifest, offer: &Offer) -> Self {
        let accepted: Vec<_> = before.mcp.iter().flat_map(|mcp| &mcp.tools).collect();
        let mut difference = Self::default();
        for tool in &offer.tools {
            match accepted.iter().find(|one| one.name == tool.name) {
                Some(one) if one.digest == tool.digest => {}
                Some(one) => difference.changed.push(change(before, one, tool)),
                None => difference.added.push(titled(&tool.name, &tool.description)),
            }
        }
        let is_gone = |one: &&&McpTool| !offer.tools.iter().any(|tool| tool.name == one.name);
        let gone = accepted.iter().filter(is_gone);
        difference.removed = gone.map(|one| titled(&one.name, &one.description)).collect();
        difference
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty() && self.changed.is_empty()
    }

    /// The version after this: pipelines may have to be changed unless there are only more tools.
    pub(crate) fn next(&self, version: &Version) -> Version {
        if self.removed.is_empty() && self.changed.is_empty() {
            Version::new(version.major, version.minor + 1, 0)
        } else {
            Version::new(version.major + 1, 0, 0)
        }
    }
}

fn titled(name: &str, description: &str) -> String {
    format!("{}: {}", visible(name), first_line(description))
}

/// What is different in a tool, line by line.
fn change(before: &Manifest, one: &McpTool, tool: &OfferedTool) -> String {
    let mut text = visible(&one.name);
    if one.description != tool.description {
        two(&mut text, "description", &one.description, &tool.description);
    }
    let schema =
        before.provides.iter().find(|provides| &*provides.point == "node" && provides.key == one.key);
    let schema = schema.and_then(|provides| serde_json::from_str(provides.schema.as_deref()?).ok());
    let schema: serde_json::Value = schema.unwrap_or_default();
    if schema != tool.schema {
        two(&mut text, "schema", &schema.to_string(), &tool.schema.to_string());
    }
    if one.description == tool.description && schema == tool.schema {
        text += "\n    its title, its annotations or the schema of its results";
    }
    text
}

fn two(text: &mut String, what: &str, before: &str, after: &str) {
    for (mark, words) in [("-", before), ("+", after)] {
        for line in words.lines() {
            let _ = write!(text, "\n    {what} {mark} {}", visible(line));
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (what, tools) in [("added", &self.added), ("removed", &self.removed), ("changed", &self.changed)]
        {
            for tool in tools {
                writeln!(formatter, "{what:<8} {tool}")?;
            }
        }
        Ok(())
    }
}
