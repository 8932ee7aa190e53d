//! The node types `chat` and `embed`: ask a model provider, whichever it is.

mod chat;
mod embed;
mod structure;
mod tools;

use std::time::Duration;

use serde::de::DeserializeOwned;
use tapline_pdk::prelude::*;
use tapline_pdk::roles::{Finding, Findings, NodeRequest};

use structure::Structure;

/// The plugin.
#[derive(Debug)]
pub struct Chat;

/// How long a provider may take. The deadline of the node, and the provider's own, come before it.
const LONGEST: Duration = Duration::from_secs(60 * 60);

#[plugin(
    id = "chat",
    // Tools that tell of their work do so for it.
    requires = { call = ["provider/*", "tool/*", "capability:telemetry"], context = { read = ["input"], write = ["output"] } },
)]
impl Chat {
    #[init]
    fn init() -> Result<Self> {
        Ok(Self)
    }

    #[provides(point = "node", key = "chat", schema = "schemas/chat.json")]
    async fn chat(&self, context: &Context, request: NodeRequest) -> Result<Value> {
        chat::run(context, configuration(&request)?).await
    }

    /// What the schema of the settings cannot say of them.
    #[hook(point = "node.validate", kind = "answer", when = { type = "chat" })]
    async fn mistakes(&self, context: &Context) -> Result<Option<Findings>> {
        let schema = context.get("input.with.schema")?;
        let wrong = schema.and_then(|schema| Structure::new(&schema).err());
        Ok(wrong.map(|failure| {
            let (path, message) = ("/schema".to_owned(), failure.message().to_owned());
            Findings(vec![Finding { path, message, rule: None }])
        }))
    }

    #[provides(point = "node", key = "embed", schema = "schemas/embed.json")]
    async fn embed(&self, context: &Context, request: NodeRequest) -> Result<Value> {
        embed::run(context, configuration(&request)?).await
    }
}

fn configuration<T: DeserializeOwned>(request: &NodeRequest) -> Result<T> {
    request.with.to().map_err(|error| Failure::new("invalid-config", error.to_string()))
}

fn default_provider() -> String {
    "echo".into()
}
