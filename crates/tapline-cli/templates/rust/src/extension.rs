//! << description >>

use tapline_pdk::prelude::*;

/// The plugin.
#[derive(Debug)]
pub struct << type >>;

#[plugin(
    id = "<< id >>",
    capabilities = [<< capabilities >>],
    requires = {
        clock = "coarse",
        context = { read = ["node"] },
        events = { publish = ["<< id >>.*"] },
    },
)]
impl << type >> {
    #[init]
    fn init() -> Result<Self> {
        Ok(Self)
    }

    // Outside of most other hooks, around each node; the lower the priority, the further outside.
    #[hook(point = "node.execute", kind = "around", priority = 10)]
    async fn watch(&self, context: &Context) -> Result<()> {
        let node: String = context.read("node.id")?;
        let begun = context.elapsed()?;
        let outcome = context.next().await;
        let took = context.elapsed()?.saturating_sub(begun);
        let state = if outcome.is_ok() { "done" } else { "failed" };
        context.log(Level::Info, &format!("{node}: {state} after {} ms", took.as_millis()));
        context.publish("<< id >>.node", &Value::from_iter([("node", node.into()), ("state", state.into())]))?;
        // An error that is returned as it came is passed on.
        outcome
    }
}
