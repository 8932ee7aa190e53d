//! A model asks tools of other plugins, through the node type `chat`.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use tapline_core::{HookError, Request};
use tapline_host::{Host, Load};
use tapline_pdk::prelude::*;
use tapline_pdk::roles::{Completion, CompletionRequest, Role, ToolCall, ToolOutline};
use tapline_plugin_chat::Chat;

/// A tool that adds numbers.
struct Adder;

#[plugin(id = "adder", version = "1.0.0")]
impl Adder {
    #[init]
    fn init() -> Result<Self> {
        Ok(Self)
    }

    #[provides(point = "tool", key = "add", method = "describe")]
    async fn describe(&self, _context: &Context, _request: Value) -> Result<ToolOutline> {
        let parameters = Value::from_json(r#"{ "type": "object", "required": ["a", "b"] }"#).unwrap();
        Ok(ToolOutline { name: String::new(), description: "Adds two numbers.".into(), parameters })
    }

    #[provides(point = "tool", key = "add", method = "call")]
    async fn add(&self, _context: &Context, request: Value) -> Result<i64> {
        let number = |key: &str| request.get(key).and_then(Value::as_i64);
        match (number("a"), number("b")) {
            (Some(a), Some(b)) => Ok(a + b),
            _ => Err(Failure::new("no-numbers", "`a` and `b` have to be integers")),
        }
    }
}

/// A model that asks for what the prompt says, as `name arguments`, until a tool has answered; then it says the answer.
struct Model;

#[plugin(id = "model", version = "1.0.0")]
impl Model {
    #[init]
    fn init() -> Result<Self> {
        Ok(Self)
    }

    #[provides(point = "provider", key = "model", method = "complete")]
    async fn complete(&self, _context: &Context, request: CompletionRequest) -> Result<Completion> {
        assert_eq!(request.tools.iter().map(|tool| &*tool.name).collect::<Vec<_>>(), ["add"]);
        assert_eq!(request.tools[0].description, "Adds two numbers.");
        let asked = request.messages.first().map_or(&*request.prompt, |first| &*first.content);
        let (name, arguments) = asked.split_once(' ').unwrap();
        match request.messages.last() {
            Some(last) if last.role == Role::Tool && name != "forever" => {
                Ok(Completion::new(&*last.content, "model-1"))
            }
            _ => {
                let name = name.replace("forever", "add");
                let arguments = Value::from_json(arguments).unwrap_or_else(|_| arguments.into());
                let call = ToolCall { id: "1".into(), name, arguments };
                Ok(Completion { tool_calls: vec![call], ..Completion::new("", "model-1") })
            }
        }
    }
}

async fn answer(prompt: &str) -> std::result::Result<Value, HookError> {
    let host = Host::builder().build();
    for plugin in
        [tapline_pdk::native::<Chat>(), tapline_pdk::native::<Adder>(), tapline_pdk::native::<Model>()]
    {
        host.load(Load::native(plugin)).await.unwrap();
    }
    let with = [
        ("provider", Value::from("model")),
        ("prompt", prompt.into()),
        ("tools", vec![Value::from("add")].into()),
        ("turns", 3_i64.into()),
    ];
    let with = Value::from_iter(with);
    host.request(Request::new("node", "chat", "handle", Value::from_iter([("with", with)]))).await
}

#[tokio::test]
async fn what_a_model_asks_a_tool_is_done_and_told_to_it() {
    assert_eq!(answer(r#"add {"a":2,"b":3}"#).await.unwrap(), "5".into());
}

#[tokio::test]
async fn a_tool_that_fails_and_a_tool_that_there_is_not_are_told_to_the_model() {
    let failed = answer(r#"add {"a":2}"#).await.unwrap();
    assert_eq!(failed, r#"{"error":"`a` and `b` have to be integers"}"#.into());
    let unknown = answer(r#"mail {"to":"evil"}"#).await.unwrap();
    assert_eq!(unknown, r#"{"error":"there is no tool `mail`; there are: add"}"#.into());
    let garbage = answer("add {\"a\":").await.unwrap();
    assert_eq!(garbage, r#"{"error":"the arguments are no JSON object"}"#.into());
}

#[tokio::test]
async fn a_model_that_asks_tools_without_end_is_stopped() {
    let error = answer(r#"forever {"a":2,"b":3}"#).await.unwrap_err();
    assert_eq!(error.to_failure().code(), "too-many-turns");
}
