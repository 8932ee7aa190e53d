//! A conversation with a model, until it has answered.

use tapline_pdk::prelude::*;
use tapline_pdk::roles::{COMPLETE, Completion, CompletionRequest, Message, PROVIDER, Role};

use crate::structure::Structure;
use crate::tools::{Chosen, Tools};
use crate::{LONGEST, default_provider};

/// The configuration of a node of type `chat`.
#[derive(Debug, Deserialize)]
pub(crate) struct Config {
    prompt: Option<String>,
    system: Option<String>,
    #[serde(default)]
    messages: Vec<Message>,
    #[serde(default = "default_provider")]
    provider: String,
    model: Option<String>,
    schema: Option<Value>,
    #[serde(default = "two")]
    repairs: usize,
    #[serde(default)]
    tools: Vec<Chosen>,
    #[serde(default = "ten")]
    turns: usize,
    temperature: Option<f64>,
    max_tokens: Option<u64>,
    #[serde(default)]
    stop: Vec<String>,
    seed: Option<u64>,
}

const fn two() -> usize {
    2
}

const fn ten() -> usize {
    10
}

/// Asks until there is an answer that fits: what the model asks tools is done, and what it gets wrong it is told.
pub(crate) async fn run(context: &Context, mut config: Config) -> Result<Value> {
    let structure = config.schema.as_ref().map(Structure::new).transpose()?;
    let tools = Tools::described(context, std::mem::take(&mut config.tools)).await?;
    let target = format!("{PROVIDER}/{}", config.provider);
    let (mut turns, mut repairs) = (config.turns, config.repairs);
    let mut request = request(config, &tools);
    loop {
        let completion: Completion = context.relay(LONGEST, &target, COMPLETE, &request).await?;
        // What was asked stands before whatever is said from here on.
        if !request.prompt.is_empty() {
            request.messages.push(said(Role::User, std::mem::take(&mut request.prompt)));
        }
        if !completion.tool_calls.is_empty() {
            if turns == 0 {
                return Err(Failure::new(
                    "too-many-turns",
                    "the model asks tools again and again, and does not answer",
                ));
            }
            turns -= 1;
            tools.answer(context, completion, &mut request.messages).await?;
            continue;
        }
        let Some(structure) = &structure else { return Ok(completion.output) };
        let wrong = match structure.value(&completion.output) {
            Ok(value) => return Ok(value),
            Err(wrong) => wrong,
        };
        if repairs == 0 {
            let cut = if completion.finish_reason.as_deref() == Some("length") {
                "; it was cut at `max_tokens`"
            } else {
                ""
            };
            return Err(Failure::new(
                "wrong-answer",
                format!("the model's answer does not fit `schema`: {wrong}{cut}"),
            )
            .with_details(completion.output));
        }
        repairs -= 1;
        context
            .log(Level::Info, &format!("the answer does not fit `schema` and is asked for again: {wrong}"));
        request.messages.push(said(Role::Assistant, text(&completion.output)));
        request.messages.push(said(Role::User, structure.complaint(&wrong)));
    }
}

/// What is asked first.
fn request(config: Config, tools: &Tools) -> CompletionRequest {
    CompletionRequest {
        prompt: config.prompt.unwrap_or_default(),
        system: config.system,
        messages: config.messages,
        model: config.model,
        tools: tools.outlines(),
        output_schema: config.schema,
        temperature: config.temperature,
        max_tokens: config.max_tokens,
        stop: config.stop,
        seed: config.seed,
    }
}

fn said(role: Role, content: String) -> Message {
    Message { role, content, tool_calls: Vec::new(), tool_call_id: None }
}

fn text(output: &Value) -> String {
    output.as_str().map_or_else(|| output.to_json(), str::to_owned)
}
