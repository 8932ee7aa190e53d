//! A completion, whole or in pieces.

use std::collections::BTreeMap;

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use serde::Deserialize;
use sse_stream::SseStream;
use tapline_pdk::prelude::*;
use tapline_pdk::roles::{Completion, ToolCall, Usage};

use crate::chat::Body;
use crate::config::Config;
use crate::trouble::{Trouble, invalid};

/// The last of the pieces says that they are all.
const DONE: &str = "[DONE]";

/// A whole answer.
#[derive(Debug, Deserialize)]
pub(crate) struct Whole {
    #[serde(default)]
    model: String,
    choices: Vec<Choice>,
    usage: Option<Tokens>,
}

#[derive(Debug, Deserialize)]
struct Choice {
    message: Said,
    finish_reason: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Said {
    content: Option<String>,
    refusal: Option<String>,
    #[serde(default)]
    tool_calls: Option<Vec<Asked>>,
}

#[derive(Debug, Deserialize)]
struct Asked {
    #[serde(default)]
    id: String,
    function: Function,
}

#[derive(Debug, Default, Deserialize)]
struct Function {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    arguments: Option<String>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
pub(crate) struct Tokens {
    #[serde(default)]
    prompt_tokens: u64,
    #[serde(default)]
    completion_tokens: u64,
}

/// One piece of an answer.
#[derive(Debug, Deserialize)]
struct Piece {
    model: Option<String>,
    #[serde(default)]
    choices: Vec<PieceChoice>,
    usage: Option<Tokens>,
    error: Option<Value>,
}

#[derive(Debug, Deserialize)]
struct PieceChoice {
    #[serde(default)]
    delta: Delta,
    finish_reason: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
struct Delta {
    content: Option<String>,
    refusal: Option<String>,
    #[serde(default)]
    tool_calls: Option<Vec<PieceAsked>>,
}

#[derive(Debug, Deserialize)]
struct PieceAsked {
    #[serde(default)]
    index: usize,
    id: Option<String>,
    #[serde(default)]
    function: Function,
}

/// What the pieces have made so far.
#[derive(Default)]
struct Gathered {
    model: Option<String>,
    text: String,
    refusal: String,
    asked: BTreeMap<usize, Asked>,
    finish_reason: Option<String>,
    usage: Option<Tokens>,
}

impl Tokens {
    pub(crate) fn usage(self) -> Usage {
        Usage { input_tokens: self.prompt_tokens, output_tokens: self.completion_tokens, cost: None }
    }
}

impl Whole {
    pub(crate) fn completion(self) -> Result<Completion> {
        let choice = self.choices.into_iter().next().ok_or_else(|| invalid("it has no `choices`"))?;
        let Said { content, refusal, tool_calls } = choice.message;
        refused(refusal.as_deref().unwrap_or_default())?;
        Ok(Completion {
            output: content.unwrap_or_default().into(),
            model: self.model,
            tool_calls: tool_calls.into_iter().flatten().map(ToolCall::from).collect(),
            finish_reason: choice.finish_reason,
            usage: self.usage.map(Tokens::usage),
        })
    }
}

impl From<Asked> for ToolCall {
    fn from(Asked { id, function }: Asked) -> Self {
        let arguments = function.arguments.unwrap_or_default();
        let arguments = Value::from_json(&arguments).unwrap_or_else(|_| arguments.into());
        Self { id, name: function.name.unwrap_or_default(), arguments }
    }
}

/// A model that will not answer says why.
fn refused(refusal: &str) -> Result<()> {
    if refusal.is_empty() {
        return Ok(());
    }
    Err(Failure::new("refused", format!("the model refuses to answer: {refusal}")))
}

/// Asks for an answer in pieces, and gives each to whoever reads along.
pub(crate) async fn read_along(
    config: &Config,
    context: &Context,
    request: &Body,
) -> std::result::Result<Completion, Trouble> {
    let body = config.opened(context, "chat/completions", request).await?;
    let chunks = stream::unfold(body, |mut body| async move {
        let chunk = body.chunk().await.transpose()?;
        Some((chunk.map(Bytes::from), body))
    });
    let mut events = Box::pin(SseStream::from_bytes_stream(chunks));
    let mut gathered = Gathered::default();
    while let Some(event) = events.next().await {
        let event = event.map_err(|error| gathered.cut_off(&error.to_string()))?;
        // Comments keep the connection open, and are no data.
        let Some(data) = event.data.filter(|data| !data.is_empty()) else { continue };
        if data == DONE {
            return gathered.completion(request).map_err(Trouble::Final);
        }
        let text = gathered.add(&data)?;
        if !text.is_empty() {
            context.emit(&text).await.map_err(Trouble::Final)?;
        }
    }
    // Some servers end without saying so, and have said before why they end.
    if gathered.finish_reason.is_some() {
        return gathered.completion(request).map_err(Trouble::Final);
    }
    Err(gathered.cut_off("the connection ended before the answer did"))
}

impl Gathered {
    /// Takes a piece over, and tells its text.
    fn add(&mut self, data: &str) -> std::result::Result<String, Trouble> {
        let piece = Value::from_json(data).map_err(|error| error.to_string());
        let piece: Piece = piece
            .and_then(|piece| piece.to().map_err(|error| error.to_string()))
            .map_err(|error| Trouble::Final(invalid(&format!("a piece of it: {error}"))))?;
        if let Some(error) = piece.error {
            let message =
                error.get("message").and_then(Value::as_str).map_or_else(|| error.to_json(), str::to_owned);
            return Err(self.cut_off(&message));
        }
        self.model = self.model.take().or(piece.model);
        self.usage = piece.usage.or(self.usage);
        let mut text = String::new();
        for choice in piece.choices.into_iter().take(1) {
            text = choice.delta.content.unwrap_or_default();
            self.text.push_str(&text);
            self.refusal.push_str(&choice.delta.refusal.unwrap_or_default());
            choice.delta.tool_calls.into_iter().flatten().for_each(|asked| self.add_asked(asked));
            self.finish_reason = choice.finish_reason.or_else(|| self.finish_reason.take());
        }
        Ok(text)
    }

    fn add_asked(&mut self, piece: PieceAsked) {
        let asked = self
            .asked
            .entry(piece.index)
            .or_insert_with(|| Asked { id: String::new(), function: Function::default() });
        asked.id.push_str(&piece.id.unwrap_or_default());
        let add = |whole: &mut Option<String>, part: Option<String>| {
            whole.get_or_insert_default().push_str(&part.unwrap_or_default());
        };
        add(&mut asked.function.name, piece.function.name);
        add(&mut asked.function.arguments, piece.function.arguments);
    }

    /// An answer that ends too early. It can be asked for anew as long as nobody has read any of it.
    fn cut_off(&self, why: &str) -> Trouble {
        let failure =
            Failure::new("cut-off", format!("the answer broke off after {} bytes: {why}", self.text.len()));
        if self.text.is_empty() { Trouble::Passing { failure, wait: None } } else { Trouble::Final(failure) }
    }

    fn completion(self, request: &Body) -> Result<Completion> {
        refused(&self.refusal)?;
        Ok(Completion {
            output: self.text.into(),
            model: self.model.unwrap_or_else(|| request.model.clone()),
            tool_calls: self.asked.into_values().map(ToolCall::from).collect(),
            finish_reason: self.finish_reason,
            usage: self.usage.map(Tokens::usage),
        })
    }
}
