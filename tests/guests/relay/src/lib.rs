//! Hooks that do next to nothing, so that benchmarks measure what is around them.

use tapline_pdk::prelude::*;

/// The plugin.
#[derive(Debug)]
pub struct Relay;

#[plugin(id = "relay", requires = { context = { read = ["input.small"] } })]
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
}
