//! The provider `openai`: any server that speaks the OpenAI API.
//!
//! It runs in the sandbox: it reaches the one server that its configuration names and the operator allows, and it never
//! has the key, which the host puts into the header.

mod config;
mod chat;
mod answer;
mod embedding;
mod server;
mod trouble;

use tapline_pdk::prelude::*;
use tapline_pdk::roles::{Completion, CompletionRequest, EmbeddingRequest, Embeddings};

use config::Config;

/// The plugin.
#[derive(Debug)]
pub struct OpenAi(Config);

#[plugin(
    id = "openai",
    capabilities = ["chat", "embeddings"],
    requires = {
        http = [{
            hosts = ["${config:base_url}"],
            methods = ["POST"],
            paths = ["/*"],
            private = true,
            why = "asks the model server that the configuration names",
        }],
        secrets = [{ name = "${config:api_key}", header = "Authorization", hosts = ["${config:base_url}"] }],
    },
)]
impl OpenAi {
    #[init]
    fn init(config: Config) -> Result<Self> {
        config.checked().map(Self)
    }

    #[provides(point = "provider", key = "openai", method = "complete", authority = "own")]
    async fn complete(&self, context: &Context, request: CompletionRequest) -> Result<Completion> {
        let request = chat::Body::new(&self.0, request, context.is_streamed())?;
        let completion = if request.stream {
            self.0.retried(context, || answer::read_along(&self.0, context, &request)).await?
        } else {
            let answer: answer::Whole = self.0.asked(context, "chat/completions", &request).await?;
            answer.completion()?
        };
        Ok(self.0.priced(completion))
    }

    #[provides(point = "provider", key = "openai", method = "embed", authority = "own")]
    async fn embed(&self, context: &Context, request: EmbeddingRequest) -> Result<Embeddings> {
        let request = embedding::Body::new(&self.0, request)?;
        let answer: embedding::Answer = self.0.asked(context, "embeddings", &request).await?;
        answer.embeddings(&self.0, &request)
    }
}
