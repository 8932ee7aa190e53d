//! Tools that a model may ask.

use tapline_pdk::prelude::*;
use tapline_pdk::roles::{CALL, Completion, DESCRIBE, Message, Role, TOOL, ToolCall, ToolOutline};

use crate::LONGEST;

/// The tools of a conversation.
pub(crate) struct Tools(Vec<ToolOutline>);

impl Tools {
    /// Has each tool say what it is for.
    pub(crate) async fn described(context: &Context, names: &[String]) -> Result<Self> {
        let mut outlines = Vec::with_capacity(names.len());
        for name in names {
            let outline: ToolOutline =
                context.call_within(LONGEST, &format!("{TOOL}/{name}"), DESCRIBE, &Value::Null).await?;
            outlines.push(ToolOutline { name: name.clone(), ..outline });
        }
        Ok(Self(outlines))
    }

    pub(crate) fn outlines(&self) -> Vec<ToolOutline> {
        self.0.clone()
    }

    /// Does what the model asks, and adds what it asked and what came of it to the conversation. A tool that fails is an
    /// answer to the model, too, which may do otherwise then; one that is denied ends the conversation.
    pub(crate) async fn answer(
        &self,
        context: &Context,
        completion: Completion,
        messages: &mut Vec<Message>,
    ) -> Result<()> {
        let content = completion.output.as_str().unwrap_or_default().to_owned();
        let calls = completion.tool_calls;
        messages.push(Message {
            role: Role::Assistant,
            content,
            tool_calls: calls.clone(),
            tool_call_id: None,
        });
        for call in calls {
            let answer = self.call(context, &call).await?;
            messages.push(Message {
                role: Role::Tool,
                content: answer.as_str().map_or_else(|| answer.to_json(), str::to_owned),
                tool_calls: Vec::new(),
                tool_call_id: Some(call.id),
            });
        }
        Ok(())
    }

    async fn call(&self, context: &Context, call: &ToolCall) -> Result<Value> {
        let wrong = |message: String| Ok(Value::from_iter([("error", Value::from(message))]));
        // A model may make a name up; it reaches no tool but those that the node names.
        if !self.0.iter().any(|tool| tool.name == call.name) {
            let known: Vec<_> = self.0.iter().map(|tool| &*tool.name).collect();
            return wrong(format!("there is no tool `{}`; there are: {}", call.name, known.join(", ")));
        }
        if call.arguments.as_object().is_none() {
            return wrong("the arguments are no JSON object".to_owned());
        }
        match context.call_within(LONGEST, &format!("{TOOL}/{}", call.name), CALL, &call.arguments).await {
            Ok(answer) => Ok(answer),
            Err(failure) if failure.code() == "denied" => Err(failure),
            Err(failure) => wrong(failure.message().to_owned()),
        }
    }
}
