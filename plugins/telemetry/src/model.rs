//! What is to be known of a request to a model, and of its answer.

use serde_json::json;
use tapline_pdk::prelude::*;
use tapline_pdk::roles::{Message, Usage};

use crate::names::{CHAT, EMBEDDINGS};

/// A request to a model.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) operation: String,
    pub(crate) provider: String,
    pub(crate) model: Option<String>,
    /// The prompt as the conventions have it, if content is wanted.
    pub(crate) input_messages: Option<String>,
    /// Who the model is to be, likewise.
    pub(crate) instructions: Option<String>,
}

/// An answer of a model.
#[derive(Debug, Default)]
pub(crate) struct Answered {
    pub(crate) model: Option<String>,
    pub(crate) usage: Option<Usage>,
    pub(crate) finish_reason: Option<String>,
    /// The answer as the conventions have it, if content is wanted.
    pub(crate) output_messages: Option<String>,
}

/// Whether content is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Content {
    Captured,
    LeftOut,
}

/// So much of a text is captured, in bytes.
const LONGEST: usize = 64 << 10;

impl Asked {
    pub(crate) fn read(context: &Context, content: Content) -> Result<Self> {
        let method: String = context.read("provider.method")?;
        let operation = match &*method {
            "complete" | "stream" => CHAT.to_owned(),
            "embed" => EMBEDDINGS.to_owned(),
            _ => method,
        };
        let (mut input_messages, mut instructions) = (None, None);
        if content == Content::Captured {
            input_messages = input(context)?;
            let system = context.get("input.system")?.filter(|system| *system != Value::Null);
            instructions = system.map(|system| json!([part(&system)]).to_string());
        }
        Ok(Self {
            operation,
            provider: context.read("provider.name")?,
            model: text(context, "input.model")?,
            input_messages,
            instructions,
        })
    }
}

/// What was said before, and the prompt.
fn input(context: &Context) -> Result<Option<String>> {
    let before: Vec<Message> = context.read::<Option<_>>("input.messages")?.unwrap_or_default();
    let before = before.iter().map(|said| message(said.role.name(), &said.content.as_str().into()));
    let prompt = context.get("input.prompt")?.filter(|prompt| prompt.as_str() != Some(""));
    let said: Vec<_> = before.chain(prompt.map(|prompt| message("user", &prompt))).collect();
    Ok((!said.is_empty()).then(|| serde_json::Value::from(said).to_string()))
}

impl Answered {
    pub(crate) fn read(context: &Context, content: Content) -> Result<Self> {
        let finish_reason = text(context, "output.finish_reason")?;
        let usage = context.get("output.usage")?.and_then(|usage| usage.to().ok());
        let mut output_messages = None;
        if content == Content::Captured
            && let Some(output) = context.get("output.output")?
        {
            let mut message = message("assistant", &output);
            if let Some(reason) = &finish_reason {
                message["finish_reason"] = reason.as_str().into();
            }
            output_messages = Some(json!([message]).to_string());
        }
        Ok(Self { model: text(context, "output.model")?, usage, finish_reason, output_messages })
    }
}

/// The text at a path; whatever else stands there is as good as nothing.
pub(crate) fn text(context: &Context, path: &str) -> Result<Option<String>> {
    Ok(context.get(path)?.and_then(|value| value.as_str().map(str::to_owned)))
}

fn message(role: &str, content: &Value) -> serde_json::Value {
    json!({"role": role, "parts": [part(content)]})
}

fn part(content: &Value) -> serde_json::Value {
    json!({"type": "text", "content": self::content(content)})
}

/// One message, as the conventions have it.
pub(crate) fn said(role: &str, content: &Value) -> String {
    json!([message(role, content)]).to_string()
}

/// As much of a value as is captured, as text.
pub(crate) fn content(value: &Value) -> String {
    cut(&text_of(value), LONGEST)
}

/// A text as it is, and anything else as JSON.
pub(crate) fn text_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_json(), str::to_owned)
}

/// So many bytes of a text at most.
pub(crate) fn cut(text: &str, most: usize) -> String {
    text.get(..text.floor_char_boundary(most)).unwrap_or_default().to_owned()
}
