//! Takes personal data out of prompts before a model sees them.
//!
//! It runs in a sandbox, around every node of type `chat`, and is granted one field: the prompt.

mod patterns;

use patterns::Patterns;
use tapline_pdk::prelude::*;

/// Which kinds of personal data to take out; all of them unless said.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Config {
    kinds: Vec<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self { kinds: Patterns::kinds().map(Into::into).collect() }
    }
}

/// The plugin.
#[derive(Debug)]
pub struct Redact(Patterns);

#[plugin(
    id = "redact",
    capabilities = ["redaction"],
    requires = { context = { read = ["input.with.prompt"], write = ["input.with.prompt"] } },
    limits = { memory = "32MiB", cpu = "500ms" },
)]
impl Redact {
    #[init]
    fn init(config: Config) -> Result<Self> {
        Patterns::new(&config.kinds).map(Self)
    }

    #[hook(point = "node.execute", kind = "around", priority = 40, when = { type = "chat" })]
    async fn redact(&self, context: &Context) -> Result<()> {
        let prompt: String = context.read("input.with.prompt")?;
        if let Some(redacted) = self.0.redact(&prompt) {
            context.write("input.with.prompt", redacted)?;
        }
        context.next().await
    }
}
