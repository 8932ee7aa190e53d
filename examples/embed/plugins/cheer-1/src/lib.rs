//! Greets with a cheer.

use tapline_pdk::prelude::*;

/// The plugin.
#[derive(Debug)]
pub struct Cheer;

#[plugin(id = "cheer", requires = { context = { read = ["output"], write = ["output"] } })]
impl Cheer {
    #[init]
    fn init() -> Result<Self> {
        Ok(Self)
    }

    #[hook(point = "greet", kind = "around")]
    async fn cheer(&self, context: &Context) -> Result<()> {
        context.next().await?;
        let greeting: String = context.read("output")?;
        context.write("output", format!("{greeting}!"))
    }
}
