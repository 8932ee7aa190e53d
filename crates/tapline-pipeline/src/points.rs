use tapline_core::{CollectPoint, HookError, NotifyPoint, RegisterError, Value};
use tapline_host::Host;
use tapline_roles::{
    Findings, NODE_ERROR, NODE_VALIDATE, NodeError, NodeOutline, PIPELINE_COMPLETE, PIPELINE_START,
    PIPELINE_VALIDATE, PipelineOutline, RunEnd, RunInfo,
};

use crate::definition::{Definition, Step, Work};
use crate::diagnostic::{Code, Diagnostic};

/// The hook points of pipelines besides those around requests, for hooks of the application.
#[derive(Debug)]
#[non_exhaustive]
pub struct Points {
    /// `pipeline.start`: a run begins.
    pub start: NotifyPoint<RunInfo>,
    /// `pipeline.complete`: a run has come to its end.
    pub complete: NotifyPoint<RunEnd>,
    /// `node.error`: a step failed.
    pub node_error: NotifyPoint<NodeError>,
    /// `node.validate`: what is wrong with a node before a run.
    pub node_validate: CollectPoint<NodeOutline, Findings>,
    /// `pipeline.validate`: what is wrong with a pipeline before a run.
    pub pipeline_validate: CollectPoint<PipelineOutline, Findings>,
}

impl Points {
    pub(crate) fn declare(host: &Host) -> Result<Self, RegisterError> {
        Ok(Self {
            start: host.notify_point(PIPELINE_START)?,
            complete: host.notify_point(PIPELINE_COMPLETE)?,
            node_error: host.notify_point(NODE_ERROR)?,
            node_validate: host.collect_point(NODE_VALIDATE)?,
            pipeline_validate: host.collect_point(PIPELINE_VALIDATE)?,
        })
    }

    /// What plugins find wrong with a pipeline, each at its place.
    pub(crate) async fn validate(&self, definition: &Definition) -> Result<Vec<Diagnostic>, HookError> {
        let document = definition.document();
        let outline = PipelineOutline {
            name: definition.name.to_string(),
            document: document.value("").unwrap_or_default(),
        };
        let mut found = Vec::new();
        for answer in self.pipeline_validate.call(&outline).await? {
            found.extend(placed(definition, "", &answer.by.plugin, answer.value));
        }
        for (id, node) in &definition.nodes {
            self.validate_step(definition, id, &node.step, format!("/nodes/{id}"), &mut found).await?;
        }
        Ok(found)
    }

    async fn validate_step(
        &self,
        definition: &Definition,
        id: &str,
        step: &Step,
        pointer: String,
        found: &mut Vec<Diagnostic>,
    ) -> Result<(), HookError> {
        let mut steps = vec![(pointer, step)];
        while let Some((pointer, step)) = steps.pop() {
            steps.extend(step.parts().map(|(name, part)| (format!("{pointer}/{name}"), part)));
            let Work::Call(call) = &step.work else { continue };
            let pointer = format!("{pointer}/with");
            let with =
                definition.document().value(&pointer).unwrap_or_else(|| Value::Object(Default::default()));
            let outline = NodeOutline { id: id.to_owned(), node_type: call.node_type.to_string(), with };
            for answer in self.node_validate.call(&outline).await? {
                found.extend(placed(definition, &pointer, &answer.by.plugin, answer.value));
            }
        }
        Ok(())
    }
}

/// Findings at their places in the file; what has no place stands where the nearest thing above it stands.
fn placed<'a>(
    definition: &'a Definition,
    root: &'a str,
    plugin: &'a str,
    findings: Findings,
) -> impl Iterator<Item = Diagnostic> + 'a {
    let document = definition.document();
    findings.0.into_iter().map(move |finding| {
        let whole = format!("{root}{}", finding.path);
        let above = whole.char_indices().rev().filter(|(_, c)| *c == '/').map(|(end, _)| &whole[..end]);
        let place = std::iter::once(&*whole).chain(above).find_map(|pointer| document.place(pointer));
        let span = place.map_or(0..0, |place| {
            let span = place.key.filter(|key| key.line != place.value.line).unwrap_or(place.value);
            span.start..span.end
        });
        let rule = finding.rule.map(|rule| format!(": rule `{rule}`")).unwrap_or_default();
        Diagnostic::error(document.source(), Code::InvalidConfig, &span, finding.message)
            .hint(format!("plugin `{plugin}` says so{rule}"))
    })
}
