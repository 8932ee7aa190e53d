//! The node type `chat`: asks a model provider.
//!
//! Its output is what the model answered: text, or a value where the provider answers with structure.

use tapline_pdk::prelude::*;
use tapline_pdk::roles::{Completion, CompletionRequest, NodeRequest, PROVIDER};

/// The plugin.
#[derive(Debug)]
pub struct Chat;

/// The configuration of a node of type `chat`.
#[derive(Debug, Deserialize)]
struct Config {
    #[serde(flatten)]
    request: CompletionRequest,
    #[serde(default = "default_provider")]
    provider: String,
}

fn default_provider() -> String {
    "echo".into()
}

#[plugin(id = "chat", requires = { call = ["provider/*"] })]
impl Chat {
    #[init]
    fn init() -> Result<Self> {
        Ok(Self)
    }

    #[provides(point = "node", key = "chat", schema = "schemas/chat.json")]
    async fn chat(&self, context: &Context, request: NodeRequest) -> Result<Value> {
        let config: Config =
            request.with.to().map_err(|error| Failure::new("invalid-config", error.to_string()))?;
        let completion: Completion =
            context.call(&format!("{PROVIDER}/{}", config.provider), "complete", &config.request).await?;
        Ok(completion.output)
    }
}
