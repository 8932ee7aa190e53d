//! << description >>

use tapline_pdk::prelude::*;
use tapline_pdk::roles::{Completion, CompletionRequest};

/// The plugin.
#[derive(Debug)]
pub struct << type >>(Config);

/// What a pipeline says of the plugin under `config`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Config {
    /// Stands before each answer.
    prefix: String,
}

#[plugin(id = "<< id >>", capabilities = [<< capabilities >>])]
impl << type >> {
    #[init]
    fn init(config: Config) -> Result<Self> {
        Ok(Self(config))
    }

    // A model server would be asked here, over `context.http`; see "Requests over http" in the guide.
    #[provides(point = "provider", key = "<< id >>", method = "complete")]
    async fn complete(&self, _context: &Context, request: CompletionRequest) -> Result<Completion> {
        if request.prompt.trim().is_empty() {
            return Err(Failure::new("empty-prompt", "there is nothing to answer"));
        }
        let backwards: String = request.prompt.chars().rev().collect();
        let output = Value::from(format!("{}{backwards}", self.0.prefix));
        Ok(Completion::new(output, "backwards"))
    }
}
