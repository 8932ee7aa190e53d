use std::time::Duration;

use anyhow::{Context as _, Result};
use comfy_table::{Table, presets};
use tapline::Host;
use tapline::core::{ExplainedHook, Explanation};
use tapline::pipeline::Engine;

use crate::Ending;
use crate::arguments::ExplainArguments;
use crate::output::Output;
use crate::project::Project;
use crate::summary::time;

/// Shows where the hooks of a point would stand in runs of a pipeline; runs no code of a plugin.
pub(crate) fn explain(arguments: &ExplainArguments) -> Result<Ending> {
    let project = Project::read(&arguments.file)?;
    if project.checked.definition.is_none() {
        project.tell_checked();
        return Ok(Ending::Refused);
    }
    let engine = Engine::new(Host::builder().settings(&project.settings).build())?;
    engine.host().outline(project.manifests())?;
    let explanation = explanation(engine.host(), &arguments.point)?;
    if arguments.json {
        Output::Standard.line(serde_json::to_string(&explanation)?);
    } else {
        Output::Standard.line(for_people(&explanation));
    }
    Ok(Ending::Done)
}

/// The explanation of a point, or which points there are.
pub(crate) fn explanation(host: &Host, point: &str) -> Result<Explanation> {
    host.explain(point).with_context(|| {
        let points: Vec<_> = host.registry().points().iter().map(|point| point.id.to_string()).collect();
        format!("there is no hook point `{point}`; there are {}", points.join(", "))
    })
}

/// A line for the point, a table of its hooks, and the constraints that match nothing.
pub(crate) fn for_people(explanation: &Explanation) -> String {
    let mut lines = vec![explanation.headline()];
    if explanation.hooks.is_empty() {
        lines.push(" no hook joins in here".to_owned());
    } else {
        let mut table = Table::new();
        table.load_style(presets::NOTHING).set_header([
            "",
            "hook",
            "kind",
            "priority",
            "state",
            "calls",
            "errors",
            "p50",
            "p99",
            "why it stands here",
        ]);
        for hook in &explanation.hooks {
            table.add_row(row(hook));
        }
        lines.push(table.to_string());
    }
    lines.extend(explanation.unmatched.iter().map(|selector| format!(" {selector}: matches nothing")));
    lines.join("\n")
}

fn row(hook: &ExplainedHook) -> [String; 10] {
    let quantile =
        |nanoseconds: Option<u64>| nanoseconds.map(Duration::from_nanos).map(time).unwrap_or_default();
    [
        hook.position.map(|position| position.to_string()).unwrap_or_default(),
        format!("{}/{}", hook.plugin, hook.hook),
        hook.kind.to_string(),
        hook.priority.to_string(),
        hook.state.to_string(),
        hook.calls.to_string(),
        hook.errors.to_string(),
        quantile(hook.p50),
        quantile(hook.p99),
        hook.why.clone(),
    ]
}
