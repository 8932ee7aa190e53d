//! A node type from outside: `sentences` makes rows of a text.

use tapline_pdk::prelude::*;
use tapline_pdk::roles::NodeRequest;

/// The plugin.
#[derive(Debug)]
pub struct Sentences;

/// The settings of a node.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    text: String,
}

#[plugin(id = "sentences", capabilities = ["splitting"])]
impl Sentences {
    #[init]
    fn init() -> Result<Self> {
        Ok(Self)
    }

    #[provides(point = "node", key = "sentences", schema = "schemas/sentences.json")]
    async fn sentences(&self, _context: &Context, request: NodeRequest) -> Result<Value> {
        let settings: Settings =
            request.with.to().map_err(|error| Failure::new("invalid-config", error.to_string()))?;
        let rows: Vec<Value> = split(&settings.text).map(Value::from).collect();
        let count = Value::from(rows.len());
        Ok(Value::from_iter([("items", Value::from(rows)), ("count", count)]))
    }
}

/// A sentence ends with its mark.
fn split(text: &str) -> impl Iterator<Item = &str> {
    text.split_inclusive(['.', '!', '?']).map(str::trim).filter(|sentence| !sentence.is_empty())
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn a_sentence_ends_with_its_mark() {
        assert_eq!(
            split("Hello!  How are you? Fine").collect::<Vec<_>>(),
            ["Hello!", "How are you?", "Fine"]
        );
    }
}
