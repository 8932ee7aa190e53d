//! A request for a completion, as the API has it.

use serde::Serialize;
use tapline_pdk::prelude::*;
use tapline_pdk::roles::{CompletionRequest, Message, Role, ToolCall, ToolOutline};

use crate::config::Config;

#[derive(Debug, Serialize)]
pub(crate) struct Body {
    pub(crate) model: String,
    messages: Vec<Said>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<Tool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_format: Option<ResponseFormat>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    stop: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Option<u64>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) stream: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    stream_options: Option<StreamOptions>,
}

#[derive(Debug, Serialize)]
struct Said {
    role: Role,
    content: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<Asked>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_call_id: Option<String>,
}

#[derive(Debug, Serialize)]
struct Asked {
    id: String,
    r#type: &'static str,
    function: AskedFunction,
}

#[derive(Debug, Serialize)]
struct AskedFunction {
    name: String,
    /// JSON as text.
    arguments: String,
}

#[derive(Debug, Serialize)]
struct Tool {
    r#type: &'static str,
    function: ToolOutline,
}

#[derive(Debug, Serialize)]
struct ResponseFormat {
    r#type: &'static str,
    json_schema: JsonSchema,
}

#[derive(Debug, Serialize)]
struct JsonSchema {
    name: &'static str,
    schema: Value,
}

#[derive(Debug, Serialize)]
struct StreamOptions {
    include_usage: bool,
}

const FUNCTION: &str = "function";

impl Body {
    pub(crate) fn new(config: &Config, request: CompletionRequest, stream: bool) -> Result<Self> {
        let model = request.model.or_else(|| config.model.clone()).ok_or_else(|| {
            let message = "no model is named: give the node a `model`, or the provider's configuration one";
            Failure::new("no-model", message)
        })?;
        let system = request.system.map(|text| Said::text(Role::System, text));
        let prompt = (!request.prompt.is_empty()).then(|| Said::text(Role::User, request.prompt));
        let before = request.messages.into_iter().map(Said::from);
        let messages = system.into_iter().chain(before).chain(prompt).collect();
        let json_schema = |schema| JsonSchema { name: "answer", schema };
        let format = |schema| ResponseFormat { r#type: "json_schema", json_schema: json_schema(schema) };
        Ok(Self {
            model,
            messages,
            tools: request.tools.into_iter().map(|function| Tool { r#type: FUNCTION, function }).collect(),
            response_format: request.output_schema.map(format),
            temperature: request.temperature,
            max_tokens: request.max_tokens,
            stop: request.stop,
            seed: request.seed,
            stream,
            stream_options: stream.then_some(StreamOptions { include_usage: true }),
        })
    }
}

impl Said {
    const fn text(role: Role, content: String) -> Self {
        Self { role, content, tool_calls: Vec::new(), tool_call_id: None }
    }
}

impl From<Message> for Said {
    fn from(message: Message) -> Self {
        let Message { role, content, tool_calls, tool_call_id } = message;
        Self { role, content, tool_calls: tool_calls.into_iter().map(Asked::from).collect(), tool_call_id }
    }
}

impl From<ToolCall> for Asked {
    fn from(ToolCall { id, name, arguments }: ToolCall) -> Self {
        let arguments = arguments.as_str().map_or_else(|| arguments.to_json(), str::to_owned);
        Self { id, r#type: FUNCTION, function: AskedFunction { name, arguments } }
    }
}
