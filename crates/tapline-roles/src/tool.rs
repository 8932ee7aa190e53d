use serde::{Deserialize, Serialize};
use tapline_core::Value;

/// The extension point of tools, which models ask to have something done: the key is the tool's name. The method
/// [`DESCRIBE`] answers with a [`ToolOutline`], and [`CALL`] does what its request, the tool's arguments, says.
pub const TOOL: &str = "tool";
/// The method that says what a tool is for.
pub const DESCRIBE: &str = "describe";
/// The method that does it.
pub const CALL: &str = "call";

/// As [`DESCRIBE`], of a tool that is made by settings: its request has them under `with`.
pub const DESCRIBE_WITH: &str = "describe_with";
/// As [`CALL`], of a tool that is made by settings: its request has them under `with`, and the arguments under `arguments`.
pub const CALL_WITH: &str = "call_with";

/// The hook point around every request to a tool.
pub const TOOL_CALL: &str = "tool.call";

/// What a model is told of a tool.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolOutline {
    /// Its name.
    #[serde(default)]
    pub name: String,
    /// What it is for, in words for the model.
    #[serde(default)]
    pub description: String,
    /// The JSON Schema of its arguments, which are an object.
    #[serde(default = "anything")]
    pub parameters: Value,
}

fn anything() -> Value {
    Value::from_iter([("type", Value::from("object"))])
}
