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
}
