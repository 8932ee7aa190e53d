//! Tools that a model may ask.

use tapline_pdk::prelude::*;
use tapline_pdk::roles::{
    CALL, CALL_WITH, Completion, DESCRIBE, DESCRIBE_WITH, Message, Role, TOOL, ToolCall, ToolOutline,
};

use crate::LONGEST;

/// A tool that a node names.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Chosen {
    /// One that is there under its name.
    Named(String),
    /// One that is made by settings.
    Made {
        tool: String,
        /// What the model calls it; what it calls itself unless said.
        name: Option<String>,
        with: Value,
    },
}

/// The tools of a conversation, and what the model is told of each.
pub(crate) struct Tools(Vec<(Chosen, ToolOutline)>);

impl Tools {
    /// Has each tool say what it is for.
    pub(crate) async fn described(context: &Context, chosen: Vec<Chosen>) -> Result<Self> {
        let mut tools = Self(Vec::with_capacity(chosen.len()));
        for chosen in chosen {
            let outline = chosen.outline(context).await?;
            if tools.find(&outline.name).is_some() {
                let message =
                    format!("two tools are called `{}`; give one of them another `name`", outline.name);
                return Err(Failure::new("invalid-config", message));
            }
            tools.0.push((chosen, outline));
        }
        Ok(tools)
    }

    pub(crate) fn outlines(&self) -> Vec<ToolOutline> {
        self.0.iter().map(|(_, outline)| outline.clone()).collect()
    }

    fn find(&self, name: &str) -> Option<&Chosen> {
        self.0.iter().find(|(_, outline)| outline.name == name).map(|(chosen, _)| chosen)
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
        let Some(tool) = self.find(&call.name) else {
            let known: Vec<_> = self.0.iter().map(|(_, outline)| &*outline.name).collect();
            return wrong(format!("there is no tool `{}`; there are: {}", call.name, known.join(", ")));
        };
        if call.arguments.as_object().is_none() {
            return wrong("the arguments are no JSON object".to_owned());
        }
        match tool.call(context, &call.arguments).await {
            Ok(answer) => Ok(answer),
            Err(failure) if failure.code() == "denied" => Err(failure),
            Err(failure) => wrong(failure.message().to_owned()),
        }
    }
}

impl Chosen {
    /// What the model is told of it.
    async fn outline(&self, context: &Context) -> Result<ToolOutline> {
        match self {
            Self::Named(tool) => {
                let outline: ToolOutline =
                    context.call_within(LONGEST, &target(tool), DESCRIBE, &Value::Null).await?;
                Ok(ToolOutline { name: tool.clone(), ..outline })
            }
            Self::Made { tool, name, with } => {
                let request = Value::from_iter([("with", with.clone())]);
                let outline: ToolOutline =
                    context.call_within(LONGEST, &target(tool), DESCRIBE_WITH, &request).await?;
                let its_own = Some(outline.name).filter(|name| !name.is_empty());
                let name = name.clone().or(its_own).unwrap_or_else(|| tool.clone());
                Ok(ToolOutline { name, ..outline })
            }
        }
    }

    async fn call(&self, context: &Context, arguments: &Value) -> Result<Value> {
        match self {
            Self::Named(tool) => context.call_within(LONGEST, &target(tool), CALL, arguments).await,
            Self::Made { tool, with, .. } => {
                let request = Value::from_iter([("with", with.clone()), ("arguments", arguments.clone())]);
                context.call_within(LONGEST, &target(tool), CALL_WITH, &request).await
            }
        }
    }
}

fn target(tool: &str) -> String {
    format!("{TOOL}/{tool}")
}
