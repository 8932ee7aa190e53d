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

/// Makes tools that add to a number.
struct Maker;

#[plugin(id = "maker", version = "1.0.0")]
impl Maker {
    #[init]
    fn init() -> Result<Self> {
        Ok(Self)
    }

    #[provides(point = "tool", key = "maker", method = "describe_with")]
    async fn describe(&self, _context: &Context, request: Value) -> Result<ToolOutline> {
        let name = request.at("with.name").and_then(Value::as_str).unwrap_or_default().to_owned();
        let parameters = Value::from_json(r#"{ "type": "object" }"#).unwrap();
        Ok(ToolOutline { name, description: "Adds two numbers.".into(), parameters })
    }

    #[provides(point = "tool", key = "maker", method = "call_with")]
    async fn add(&self, _context: &Context, request: Value) -> Result<i64> {
        let number = |path: &str| request.at(path).and_then(Value::as_i64).unwrap();
        Ok(number("with.to") + number("arguments.a"))
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
    answer_with(prompt, r#"["add"]"#).await
}

async fn answer_with(prompt: &str, tools: &str) -> std::result::Result<Value, HookError> {
    let host = Host::builder().build();
    let plugins = [
        tapline_pdk::native::<Chat>(),
        tapline_pdk::native::<Adder>(),
        tapline_pdk::native::<Maker>(),
        tapline_pdk::native::<Model>(),
    ];
    for plugin in plugins {
        host.load(Load::native(plugin)).await.unwrap();
    }
    let with = [
        ("provider", Value::from("model")),
        ("prompt", prompt.into()),
        ("tools", Value::from_json(tools).unwrap()),
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

#[tokio::test]
async fn a_tool_is_made_by_settings_that_no_model_sees() {
    let (its_own, given) = (
        r#"[{ "tool": "maker", "with": { "name": "add", "to": 10 } }]"#,
        r#"[{ "tool": "maker", "name": "add", "with": { "to": 10 } }]"#,
    );
    for tools in [its_own, given] {
        assert_eq!(answer_with(r#"add {"a":2,"to":3}"#, tools).await.unwrap(), "12".into());
    }
}

#[tokio::test]
async fn two_tools_of_one_name_and_settings_for_a_tool_that_takes_none_are_refused() {
    let twice = r#"["add", { "tool": "maker", "name": "add", "with": {} }]"#;
    let error = answer_with("add {}", twice).await.unwrap_err();
    assert_eq!(error.to_failure().code(), "invalid-config");
    let error = answer_with("add {}", r#"[{ "tool": "add", "with": {} }]"#).await.unwrap_err();
    assert_eq!(error.to_failure().code(), "no-such-method");
}
