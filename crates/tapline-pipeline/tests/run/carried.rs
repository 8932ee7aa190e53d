//! What a hook carries to those inside.

use tapline_host::Load;
use tapline_pdk::prelude::*;
use tapline_pipeline::RunSettings;

use crate::support::{definition, engine};

/// Leaves a mark around a node, and tells what is found of it at the model.
struct Mark;

#[plugin(id = "mark", requires = { context = { read = ["carried", "output"], write = ["carried.mark", "output"] } })]
impl Mark {
    #[init]
    fn init() -> Result<Self> {
        Ok(Self)
    }

    #[hook(point = "node.execute", kind = "around")]
    async fn leave(&self, context: &Context) -> Result<()> {
        let path: String = context.read("carried.step.path")?;
        context.write("carried.mark", format!("left by {path}"))?;
        context.next().await?;
        context.write("output", self.seen(context)?)
    }

    /// Tells what is found.
    #[hook(point = "provider.request", kind = "before")]
    fn read(&self, context: &Context) -> Result<Flow> {
        Err(Failure::new("read", self.seen(context)?))
    }
}

impl Mark {
    fn seen(&self, context: &Context) -> Result<String> {
        let (mark, run): (Value, Value) =
            (context.read("carried.mark")?, context.read("carried.run.pipeline")?);
        let attempt: Value = context.read("carried.step.attempt")?;
        Ok(format!("{mark}, run {run}, attempt {attempt}"))
    }
}

#[tokio::test]
async fn what_a_hook_leaves_is_found_inside_with_the_step_and_the_run() {
    let engine = engine().await;
    engine.host().load(Load::native(tapline_pdk::native::<Mark>())).await.unwrap();
    let text = "nodes: { a: { type: ask, map: { over: \"{{ [1] }}\" }, retry: { max: 1, delay: 1ms } } }\n";
    let report = engine.run_with(definition(text), RunSettings::default()).await.unwrap();
    let error = report.outputs.unwrap_err();
    let mut told = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(error) = cause {
        told += &format!(": {error}");
        cause = error.source();
    }
    assert!(told.contains(r#""left by a[0]", run "test", attempt 2"#), "{told}");
}
