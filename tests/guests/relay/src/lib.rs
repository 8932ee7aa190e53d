//! Hooks that do next to nothing, so that benchmarks measure what is around them.

use tapline_pdk::prelude::*;

/// The plugin.
#[derive(Debug)]
pub struct Relay;

#[plugin(id = "relay", requires = { context = { read = ["input.small", "input.text"], write = ["input.text"] } })]
impl Relay {
    #[init]
    fn init() -> Result<Self> {
        Ok(Self)
    }

    #[hook(point = "relay-one", kind = "around")]
    async fn alone(&self, context: &Context) -> Result<()> {
        context.next().await
    }

    #[hook(point = "relay", kind = "around")]
    async fn a(&self, context: &Context) -> Result<()> {
        context.next().await
    }

    #[hook(point = "relay", kind = "around")]
    async fn b(&self, context: &Context) -> Result<()> {
        context.next().await
    }

    #[hook(point = "relay", kind = "around")]
    async fn c(&self, context: &Context) -> Result<()> {
        context.next().await
    }

    #[hook(point = "relay", kind = "around")]
    async fn d(&self, context: &Context) -> Result<()> {
        context.next().await
    }

    // One small field of an input that may be large.

    #[hook(point = "relay-field", kind = "around")]
    async fn field(&self, context: &Context) -> Result<()> {
        context.get("input.small")?;
        context.next().await
    }

    // One small text, which is changed.

    #[hook(point = "relay-text", kind = "around")]
    async fn text(&self, context: &Context) -> Result<()> {
        let mut text: String = context.read("input.text")?;
        let first = if text.starts_with('h') { "j" } else { "h" };
        text.replace_range(..1, first);
        context.write("input.text", text)?;
        context.next().await
    }
}
