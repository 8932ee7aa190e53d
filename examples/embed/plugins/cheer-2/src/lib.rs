//! Greets with a cheer, and with care for names.

use tapline_pdk::prelude::*;

/// The plugin.
#[derive(Debug)]
pub struct Cheer;

#[plugin(id = "cheer", requires = { context = { read = ["input.name", "output"], write = ["input.name", "output"] } })]
impl Cheer {
    #[init]
    fn init() -> Result<Self> {
        Ok(Self)
    }

    #[hook(point = "greet", kind = "around")]
    async fn cheer(&self, context: &Context) -> Result<()> {
        let name: String = context.read("input.name")?;
        context.write("input.name", name.trim())?;
        context.next().await?;
        let greeting: String = context.read("output")?;
        context.write("output", format!("{greeting}! Hip, hip, hooray!"))
    }
}
