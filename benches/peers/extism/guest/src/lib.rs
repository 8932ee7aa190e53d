//! A hook as Extism's documentation writes one: it takes JSON, changes a field, and answers with JSON.

use extism_pdk::{FnResult, FromBytes, Json, ToBytes, plugin_fn};
use serde::{Deserialize, Serialize};

/// What the hook is about.
#[derive(Deserialize, Serialize, FromBytes, ToBytes)]
#[encoding(Json)]
pub struct Context {
    text: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    body: String,
}

#[plugin_fn]
pub fn hop(mut context: Context) -> FnResult<Context> {
    let first = if context.text.starts_with('h') { "j" } else { "h" };
    context.text.replace_range(..1, first);
    Ok(context)
}

/// What a call costs in itself.
#[plugin_fn]
pub fn nothing() -> FnResult<()> {
    Ok(())
}
