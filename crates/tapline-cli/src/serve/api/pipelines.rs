use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::{Path, Shared};
use crate::serve::pipeline::Pipeline;
use crate::serve::problem::{Problem, Redacted};
use crate::serve::problems::{BadRequest, NoToken, NotFound};

/// A pipeline in the list.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct PipelineView {
    /// Its name.
    pub(crate) name: String,
    /// Its file.
    pub(crate) file: String,
    /// `ready`, or `stopped` when it cannot run.
    pub(crate) status: String,
    /// Why it cannot run.
    pub(crate) why: Option<String>,
}

/// What is known of a pipeline.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct PipelineWhole {
    #[serde(flatten)]
    pub(crate) pipeline: PipelineView,
    /// What a run is given; empty while the pipeline cannot run.
    pub(crate) inputs: Vec<InputView>,
    /// Its nodes, as they are written.
    pub(crate) nodes: Vec<NodeView>,
    /// The names of what a run yields.
    pub(crate) outputs: Vec<String>,
    /// The plugins that it uses.
    pub(crate) plugins: Vec<String>,
    /// Why it cannot run, as `tapline check --format json` writes it.
    #[schema(value_type = Vec<Object>)]
    pub(crate) mistakes: Vec<Value>,
}

/// An input of a pipeline.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct InputView {
    pub(crate) name: String,
    /// `string`, `integer`, `number`, `boolean`, `array` or `object`.
    #[serde(rename = "type")]
    pub(crate) input_type: String,
    /// Whether a run has to give it.
    pub(crate) required: bool,
    /// What it is, for people.
    pub(crate) description: String,
}

/// A node of a pipeline.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct NodeView {
    pub(crate) id: String,
    /// Its type, or the key that says what it does.
    #[serde(rename = "type")]
    pub(crate) kind: String,
    /// The nodes that have to be done before it.
    pub(crate) after: Vec<String>,
}

/// The pipelines that are served.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct PipelinesPage {
    pub(crate) pipelines: Vec<PipelineView>,
}

/// Lists the pipelines.
#[utoipa::path(get, path = "/v1/pipelines", tag = "pipelines", security(("token" = [])), responses(
    (status = 200, body = PipelinesPage, description = "The pipelines that are served."),
    NoToken))]
pub(crate) async fn list(State(server): Shared) -> Redacted<PipelinesPage> {
    let pipelines = server.deployment.pipelines();
    Redacted(PipelinesPage {
        pipelines: pipelines.values().map(|pipeline| PipelineView::of(pipeline)).collect(),
    })
}

/// Shows a pipeline.
#[utoipa::path(get, path = "/v1/pipelines/{pipeline}", tag = "pipelines", security(("token" = [])),
    params(("pipeline" = String, Path, description = "The name of the pipeline.")),
    responses(
        (status = 200, body = PipelineWhole, description = "What is known of it."),
        BadRequest,
        NoToken,
        NotFound))]
pub(crate) async fn show(
    State(server): Shared,
    Path(name): Path<String>,
) -> Result<Redacted<PipelineWhole>, Problem> {
    Ok(Redacted(PipelineWhole::of(&*server.deployment.pipeline(&name)?)))
}

impl PipelineView {
    fn of(pipeline: &Pipeline) -> Self {
        let why = pipeline.now.as_ref().err().map(|mistakes| mistakes.sentence(&pipeline.name));
        Self {
            name: pipeline.name.to_string(),
            file: pipeline.file().display().to_string(),
            status: if why.is_none() { "ready" } else { "stopped" }.to_owned(),
            why,
        }
    }
}

impl PipelineWhole {
    fn of(pipeline: &Pipeline) -> Self {
        let definition = pipeline.now.as_ref().ok();
        let inputs =
            definition.iter().flat_map(|definition| &definition.inputs).map(|(name, input)| InputView {
                name: name.to_string(),
                input_type: input.input_type.to_string(),
                required: input.required,
                description: input.description.to_string(),
            });
        let nodes = definition.iter().flat_map(|definition| definition.nodes.values()).map(|node| NodeView {
            id: node.id.to_string(),
            kind: node.step.kind().to_string(),
            after: node.dependencies.iter().map(ToString::to_string).collect(),
        });
        let outputs = definition.iter().flat_map(|definition| definition.outputs.keys());
        let mistakes = pipeline.now.as_ref().err().map(|mistakes| mistakes.for_programs());
        Self {
            pipeline: PipelineView::of(pipeline),
            inputs: inputs.collect(),
            nodes: nodes.collect(),
            outputs: outputs.map(ToString::to_string).collect(),
            plugins: pipeline.wanted.keys().map(ToString::to_string).collect(),
            mistakes: mistakes.map(Vec::from).unwrap_or_default(),
        }
    }
}
