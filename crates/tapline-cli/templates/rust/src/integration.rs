//! << description >>

use tapline_pdk::prelude::*;
use tapline_pdk::roles::{Completion, CompletionRequest, NodeRequest};

/// The plugin.
#[derive(Debug)]
pub struct << type >>;

/// What a node is told under `with`; `schemas/<< id >>.json` says the same to whoever checks a pipeline.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// The texts to ask about.
    texts: Vec<String>,
}

#[plugin(
    id = "<< id >>",
    capabilities = [<< capabilities >>],
    depends_on = [{ id = "echo" }],
    requires = { call = ["provider/echo"] },
)]
impl << type >> {
    #[init]
    fn init() -> Result<Self> {
        Ok(Self)
    }

    // Brings another plugin into a node of its own: here a provider, which it calls once for each text.
    #[provides(point = "node", key = "<< id >>", schema = "schemas/<< id >>.json")]
    async fn ask(&self, context: &Context, request: NodeRequest) -> Result<Vec<Value>> {
        let settings: Settings =
            request.with.to().map_err(|error| Failure::new("invalid-settings", error.to_string()))?;
        let mut answers = Vec::new();
        for text in settings.texts {
            let prompt = CompletionRequest::new(text);
            let completion: Completion = context.call("provider/echo", "complete", &prompt).await?;
            answers.push(completion.output);
        }
        Ok(answers)
    }
}
