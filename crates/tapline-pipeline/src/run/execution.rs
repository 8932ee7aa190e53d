use std::sync::Arc;
use std::time::Instant;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use tapline_core::{Name, Object, Request, Value};
use tapline_host::Host;

use super::report::{NodeReport, NodeState, Observer, RunError, RunEvent};
use crate::definition::{Definition, MapDefinition, NodeDefinition, RenderError};

static WITH: Name = Name::new(|| "with".into());
static SCOPE: Name = Name::new(|| "scope".into());

/// One node, with all that it needs to run.
pub(super) struct Execution {
    pub(super) host: Host,
    pub(super) definition: Arc<Definition>,
    /// The node's place in the definition.
    pub(super) place: usize,
    pub(super) scope: Object,
    pub(super) observer: Arc<dyn Observer>,
}

/// What came of a node.
pub(super) struct NodeDone {
    pub(super) place: usize,
    pub(super) report: NodeReport,
    pub(super) output: Result<Value, RunError>,
}

impl Execution {
    pub(super) async fn run(self) -> NodeDone {
        let node = &self.definition.nodes[self.place];
        let begun = Instant::now();
        let mut report = NodeReport::waiting(node);
        let output = match self.is_wanted(node) {
            Ok(false) => {
                report.state = NodeState::Skipped;
                Ok(Value::Null)
            }
            Ok(true) => {
                self.observer.event(&RunEvent::Started { id: &node.id });
                self.run_node(node, &mut report).await
            }
            Err(error) => Err(RunError::Render(error)),
        };
        report.took = begun.elapsed();
        if output.is_err() {
            report.state = NodeState::Failed;
        } else if report.state == NodeState::Waiting {
            report.state = NodeState::Done;
        }
        NodeDone { place: self.place, report, output }
    }

    fn is_wanted(&self, node: &NodeDefinition) -> Result<bool, RenderError> {
        node.when.as_ref().map_or(Ok(true), |when| when.is_true(&self.scope))
    }

    async fn run_node(&self, node: &NodeDefinition, report: &mut NodeReport) -> Result<Value, RunError> {
        match &node.map {
            None => self.request(node, &self.scope, None).await,
            Some(map) => {
                let outputs = self.run_items(node, map).await?;
                report.items = Some(outputs.len());
                let count = Value::from(outputs.len());
                Ok(Value::from_iter([("items", Value::from(outputs)), ("count", count)]))
            }
        }
    }

    /// Runs the node for every item of a list; the outputs keep the order of the items.
    async fn run_items(&self, node: &NodeDefinition, map: &MapDefinition) -> Result<Vec<Value>, RunError> {
        let over = map.over.render(&self.scope).map_err(RunError::Render)?;
        let items = over
            .as_array()
            .ok_or_else(|| RunError::NotAList { node: Arc::clone(&node.id), found: over.kind() })?;
        let total = items.len();
        let progress = &Progress::new(total);
        stream::iter(items.iter().cloned().enumerate())
            .map(|(place, item)| async move {
                let mut scope = self.scope.clone();
                scope.insert(Arc::clone(&map.item), item);
                // A list of items that never wait would otherwise keep everyone else from their turn.
                tokio::task::coop::consume_budget().await;
                let output = self.request(node, &scope, Some(place)).await?;
                if let Some(done) = progress.step() {
                    self.observer.event(&RunEvent::Progress { id: &node.id, done, total });
                }
                Ok(output)
            })
            .buffered(map.parallel.max(1))
            .try_collect()
            .await
    }

    async fn request(
        &self,
        node: &NodeDefinition,
        scope: &Object,
        item: Option<usize>,
    ) -> Result<Value, RunError> {
        let with = node.with.render(scope).map_err(RunError::Render)?;
        let visible = node.scope.iter().filter_map(|name| Some((Arc::clone(name), scope.get(name)?.clone())));
        let input = Object::from_iter([(WITH.shared(), with), (SCOPE.shared(), visible.collect())]);
        let request = Request { input: input.into(), ..node.request.clone() };
        self.host.request(request).await.map_err(|source| RunError::Node {
            node: Arc::clone(&node.id),
            item,
            source,
        })
    }
}

/// Counts items, and tells each hundredth part of them.
struct Progress {
    done: std::sync::atomic::AtomicUsize,
    step: usize,
    total: usize,
}

impl Progress {
    const fn new(total: usize) -> Self {
        Self { done: std::sync::atomic::AtomicUsize::new(0), step: total.div_ceil(100), total }
    }

    /// How many are done, when that is worth telling.
    fn step(&self) -> Option<usize> {
        let done = self.done.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1;
        (done == self.total || done.is_multiple_of(self.step.max(1))).then_some(done)
    }
}
