use serde::{Deserialize, Serialize};
use tapline_core::Value;

/// The extension point of validators: the key is the validator's name, and the method is `validate`.
pub const VALIDATOR: &str = "validator";

/// What a validator is asked under the method `validate`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ValidationRequest {
    /// The value to look at: the output of a node.
    pub value: Value,
    /// What the pipeline says of how to look at it; `null` where it says nothing.
    #[serde(default)]
    pub with: Value,
}

/// What a validator answers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Validation {
    /// What is wrong with the value; nothing, when it is right.
    pub errors: Vec<Finding>,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Where, as a JSON pointer into what was looked at; empty for the whole.
    #[serde(default)]
    pub path: String,
    /// What is wrong there, for people.
    pub message: String,
    /// The rule that was broken, for programs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
}
