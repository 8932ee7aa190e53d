//! << description >>

use tapline_pdk::prelude::*;

/// The plugin.
#[derive(Debug)]
pub struct << type >>(Config);

/// What a pipeline says of the plugin under `config`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Config {
    /// So many characters a prompt may have.
    longest: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self { longest: 1000 }
    }
}

#[plugin(
    id = "<< id >>",
    capabilities = [<< capabilities >>],
    requires = { context = { read = ["input.with.prompt"] } },
)]
impl << type >> {
    #[init]
    fn init(config: Config) -> Result<Self> {
        Ok(Self(config))
    }

    // Before each node of type `chat`: a refusal here is the node's error, and no model is asked.
    #[hook(point = "node.execute", kind = "before", when = { type = "chat" })]
    async fn check(&self, context: &Context) -> Result<Flow> {
        let prompt: String = context.read("input.with.prompt")?;
        let (length, longest) = (prompt.chars().count(), self.0.longest);
        if length > longest {
            let message = format!("the prompt has {length} characters, and may have {longest}");
            return Err(Failure::new("too-long", message));
        }
        Ok(Flow::Proceed)
    }
}
