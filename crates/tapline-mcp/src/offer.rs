use data_encoding::HEXLOWER;
use rmcp::model::Tool;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};
use sha2::{Digest as _, Sha256};

/// What a server says of itself; nothing of it counts until somebody accepts it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Offer {
    /// What it calls itself.
    pub name: String,
    /// The version that it says it has.
    pub version: String,
    /// Whether it has resources.
    pub has_resources: bool,
    /// Its tools, by name.
    pub tools: Vec<OfferedTool>,
}

/// A tool as a server describes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OfferedTool {
    /// What the server calls it.
    pub name: String,
    /// What it does, in the words of the server.
    pub description: String,
    /// The JSON Schema of its arguments.
    pub schema: Json,
    /// The digest of all that the server says of it: SHA-256, written `sha256:` and 64 hex digits.
    pub digest: String,
}

/// What the engine reads in schemas of node types; no server may say it.
const OURS: &str = "x-tapline";

impl OfferedTool {
    /// The tool that a server describes so.
    pub(crate) fn of(tool: &Tool) -> Self {
        Self {
            name: tool.name.to_string(),
            description: tool.description.as_deref().unwrap_or_default().to_owned(),
            schema: without_ours(Json::Object((*tool.input_schema).clone())),
            digest: digest(tool),
        }
    }
}

/// The digest of all that people and models are told of a tool. Icons and metadata are not: they change with the time.
fn digest(tool: &Tool) -> String {
    let mut said = serde_json::to_value(tool).unwrap_or_default();
    if let Some(said) = said.as_object_mut() {
        said.remove("icons");
        said.remove("_meta");
    }
    // A value has text keys and finite numbers alone, so writing it cannot fail.
    let bytes = serde_json::to_vec(&sorted(said)).unwrap_or_default();
    format!("sha256:{}", HEXLOWER.encode(&Sha256::digest(bytes)))
}

/// The same value, whatever the order in which the keys of its objects came.
pub(crate) fn sorted(value: Json) -> Json {
    match value {
        Json::Object(entries) => {
            let mut entries: Vec<_> = entries.into_iter().map(|(key, value)| (key, sorted(value))).collect();
            entries.sort_by(|(one, _), (other, _)| one.cmp(other));
            Json::Object(entries.into_iter().collect())
        }
        Json::Array(items) => items.into_iter().map(sorted).collect(),
        other => other,
    }
}

fn without_ours(schema: Json) -> Json {
    match schema {
        Json::Object(entries) => {
            let kept = entries.into_iter().filter(|(key, _)| !key.starts_with(OURS));
            Json::Object(kept.map(|(key, value)| (key, without_ours(value))).collect::<Map<_, _>>())
        }
        Json::Array(items) => items.into_iter().map(without_ours).collect(),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tool(text: &str) -> OfferedTool {
        OfferedTool::of(&serde_json::from_str(text).unwrap())
    }

    #[test]
    fn the_digest_is_of_what_is_said_and_not_of_how() {
        let one = tool(r#"{"name":"a","description":"d","inputSchema":{"type":"object","properties":{}}}"#);
        let same = tool(
            r#"{"inputSchema":{"properties":{},"type":"object"},"description":"d","name":"a","_meta":{"x":1}}"#,
        );
        assert_eq!(one.digest, same.digest);
        for other in [
            r#"{"name":"a","description":"D","inputSchema":{"type":"object","properties":{}}}"#,
            r#"{"name":"a","description":"d","inputSchema":{"type":"object"}}"#,
            r#"{"name":"a","title":"t","description":"d","inputSchema":{"type":"object","properties":{}}}"#,
        ] {
            assert_ne!(one.digest, tool(other).digest, "{other}");
        }
    }

    #[test]
    fn a_server_says_nothing_to_the_engine_by_its_schemas() {
        let text = r#"{"name":"a","inputSchema":{"type":"object","x-tapline-pages":true,
            "properties":{"p":{"type":"string","x-tapline":"rows"}}}}"#;
        let expected = serde_json::json!({"type":"object","properties":{"p":{"type":"string"}}});
        assert_eq!(tool(text).schema, expected);
    }
}
