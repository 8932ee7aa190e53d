use serde::{Deserialize, Serialize};
use tapline_core::Value;

use crate::tool::ToolOutline;

/// The extension point of model providers: the key is the provider's name. The method [`COMPLETE`] answers a
/// [`CompletionRequest`] with a [`Completion`]; [`EMBED`], which not all have, an [`EmbeddingRequest`] with [`Embeddings`].
///
/// Where somebody reads along, a provider gives the text of a completion in pieces while it is made.
pub const PROVIDER: &str = "provider";
/// The method that has a model answer.
pub const COMPLETE: &str = "complete";
/// The method that makes vectors of texts.
pub const EMBED: &str = "embed";

/// The hook point around every request to a provider.
pub const PROVIDER_REQUEST: &str = "provider.request";

/// What a provider is asked under the method [`COMPLETE`].
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct CompletionRequest {
    /// What the model is to answer; empty where the last of `messages` is that.
    #[serde(default)]
    pub prompt: String,
    /// Who the model is to be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    /// What was said before the prompt.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub messages: Vec<Message>,
    /// The model, where the provider has several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// What the model may ask to have done.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tools: Vec<ToolOutline>,
    /// The JSON Schema of the answer, where it is to be a value. Whoever asks holds the answer to it: a provider that can
    /// has the model keep to it, and one that cannot leaves it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_schema: Option<Value>,
    /// How freely the model chooses, from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
    /// How many tokens the answer may have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<u64>,
    /// Texts at which the answer ends.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stop: Vec<String>,
    /// Has a model that can do so answer the same twice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
}

/// Something that was said to a model, or by it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// Who said it.
    pub role: Role,
    /// The text.
    #[serde(default)]
    pub content: String,
    /// What the model asked to have done, in a message of its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tool_calls: Vec<ToolCall>,
    /// Which request of the model a message of a tool answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool_call_id: Option<String>,
}

/// Who says something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Whoever set the model up.
    System,
    /// Whoever asks.
    User,
    /// The model.
    Assistant,
    /// A tool, for the model.
    Tool,
}

impl Role {
    /// Its name, as it is written.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::User => "user",
            Self::Assistant => "assistant",
            Self::Tool => "tool",
        }
    }
}

/// Something that a model asks a tool.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolCall {
    /// Tells it from others of the same answer.
    pub id: String,
    /// The tool.
    pub name: String,
    /// What the tool is given; text where the model wrote what is no JSON.
    pub arguments: Value,
}

/// What a provider answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Completion {
    /// The model's answer: text, or a value where it answers with structure.
    pub output: Value,
    /// The model that answered.
    pub model: String,
    /// What the model asks tools, before it goes on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tool_calls: Vec<ToolCall>,
    /// Why the answer ended: `stop`, `length`, `tool_calls`, or a word of the provider's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finish_reason: Option<String>,
    /// What it has used up, as far as the provider says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
}

/// What a provider is asked under the method [`EMBED`].
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct EmbeddingRequest {
    /// The texts.
    pub texts: Vec<String>,
    /// The model, where the provider has several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// How many numbers a vector is to have, where the model lets one choose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dimensions: Option<u32>,
}

/// Vectors of texts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Embeddings {
    /// One for each text, in their order, all of the same length.
    pub vectors: Vec<Vec<f64>>,
    /// The model that made them.
    pub model: String,
    /// What it has used up, as far as the provider says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
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

impl CompletionRequest {
    /// A prompt alone.
    #[must_use]
    pub fn new(prompt: impl Into<String>) -> Self {
        Self { prompt: prompt.into(), ..Self::default() }
    }
}

impl Completion {
    /// An answer of a model that does not say what it has used up.
    #[must_use]
    pub fn new(output: impl Into<Value>, model: impl Into<String>) -> Self {
        let (output, model) = (output.into(), model.into());
        Self { output, model, tool_calls: Vec::new(), finish_reason: None, usage: None }
    }
}
