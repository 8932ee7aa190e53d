use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::{NOTE, Page};

/// The description of the API of `tapline serve`, as the server answers it.
pub(super) fn for_programs(said: &Value) -> Result<Page> {
    let description = said["api"].as_object().context("`tapline reference` does not say what the API is")?;
    let mut described = serde_json::Map::from_iter([("x-comment".to_owned(), json!(NOTE))]);
    described.extend(description.clone());
    let text = serde_json::to_string_pretty(&described)? + "\n";
    Ok(Page { name: "openapi.json", text })
}
