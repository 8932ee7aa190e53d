use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::limits::optional_duration;

/// A server that speaks the Model Context Protocol, and the tools of it that somebody has accepted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct McpDeclaration {
    /// The program and its arguments, of a server that is started here: an absolute path, or a name that is looked for
    /// where the host looks for programs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub command: Vec<String>,
    /// The address of a server that runs elsewhere. There is either this or `command`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The variables of its environment, of a server that is started here. `${env:NAME}` stands for the value of a variable
    /// of the host that is under `requires.env`, and is looked up when the server is started.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
    /// The headers of requests to it, of a server that runs elsewhere. `${secret:name}` stands for a secret that is under
    /// `requires.secrets`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// Whether it is started by the first call, and not before.
    #[serde(default, skip_serializing_if = "super::is_false")]
    pub lazy: bool,
    /// How long a call may take without a word from the server; as long as the plugin may take in all unless said.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "optional_duration")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub idle: Option<Duration>,
    /// How long a call may take in all; as long as the plugin may unless said.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "optional_duration")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub total: Option<Duration>,
    /// The tools that were accepted. What else the server has is not there.
    #[serde(default, rename = "tool", skip_serializing_if = "Vec::is_empty")]
    pub tools: Vec<McpTool>,
}

/// A tool of a server, as it was when somebody accepted it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct McpTool {
    /// What the server calls it.
    pub name: String,
    /// The node type that calls it: a `key` under `provides`, whose `schema` is the one of its arguments.
    pub key: Arc<str>,
    /// What the server says that it does.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// The digest of all that the server says of it; a tool with another one is not called.
    pub digest: String,
}

const OPENS: &str = "${env:";

impl McpDeclaration {
    /// The variables of the host that a value of `env` names, in its order.
    pub fn variables<'v>(value: &'v str) -> impl Iterator<Item = &'v str> + use<'v> {
        value.split(OPENS).skip(1).filter_map(|rest| rest.split_once('}').map(|(name, _)| name))
    }

    /// The environment of the server, with what `look_up` says in the place of each `${env:NAME}`.
    ///
    /// # Errors
    /// The name of a variable that has no value.
    pub fn environment(
        &self,
        look_up: impl Fn(&str) -> Option<String>,
    ) -> Result<BTreeMap<String, String>, String> {
        let filled = |value: &str| {
            let mut parts = value.split(OPENS);
            let mut filled = parts.next().unwrap_or_default().to_owned();
            for part in parts {
                match part.split_once('}') {
                    Some((name, rest)) => {
                        filled += &look_up(name).ok_or_else(|| name.to_owned())?;
                        filled += rest;
                    }
                    None => filled = filled + OPENS + part,
                }
            }
            Ok::<_, String>(filled)
        };
        self.env.iter().map(|(name, value)| Ok((name.clone(), filled(value)?))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_filled_in_and_one_without_a_value_is_named() {
        let env = [("URL", "http://${env:HOST}:${env:PORT}/"), ("PLAIN", "a$b ${x} ${env:")];
        let env = env.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let mcp = McpDeclaration { env, ..McpDeclaration::default() };
        let look_up = |name: &str| (name != "NONE").then(|| name.to_lowercase());
        let filled = mcp.environment(look_up).unwrap();
        assert_eq!(filled["URL"], "http://host:port/");
        assert_eq!(filled["PLAIN"], "a$b ${x} ${env:");
        assert_eq!(McpDeclaration::variables("${env:A}${env:B}x${env:").collect::<Vec<_>>(), ["A", "B"]);
        assert_eq!(mcp.environment(|_| None), Err("HOST".to_owned()));
    }
}
