use serde::{Deserialize, Serialize};
use tapline_core::Value;

/// The extension point of model providers: the key is the provider's name, and the method is `complete`.
pub const PROVIDER: &str = "provider";

/// The hook point around every request to a provider.
pub const PROVIDER_REQUEST: &str = "provider.request";

/// What a provider is asked under the method `complete`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CompletionRequest {
    /// What the model is to answer.
    pub prompt: String,
    /// Who the model is to be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    /// The model, where the provider has several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
}

/// What a provider answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Completion {
    /// The model's answer: text, or a value where it answers with structure.
    pub output: Value,
    /// The model that answered.
    pub model: String,
    /// What it has used up, as far as the provider says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// Why the model stopped, in its own words, as in `stop` and `length`; `None` where the provider does not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finish_reason: Option<String>,
}

/// What a request to a model has used up; any answer of a provider may have it under `usage`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Usage {
    /// Tokens of the prompt.
    #[serde(default)]
    pub input_tokens: u64,
    /// Tokens of the answer.
    #[serde(default)]
    pub output_tokens: u64,
    /// What it costs, in the provider's currency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<f64>,
}

impl Completion {
    /// An answer of a model that does not say what it has used up.
    #[must_use]
    pub fn new(output: impl Into<Value>, model: impl Into<String>) -> Self {
        Self { output: output.into(), model: model.into(), usage: None, finish_reason: None }
    }
}
