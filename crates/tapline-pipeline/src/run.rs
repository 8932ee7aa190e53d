use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

use tapline_core::{Object, Value};
use tapline_host::Host;
use tokio::task::{JoinError, JoinSet};

use crate::definition::Definition;

mod execution;
mod schedule;
mod report;

pub use report::{NodeReport, NodeState, Observer, RunError, RunEvent, RunReport, Silent};

use execution::{Execution, NodeDone};
use schedule::Schedule;

/// One execution of a pipeline.
pub(crate) struct Run {
    host: Host,
    definition: Arc<Definition>,
    observer: Arc<dyn Observer>,
    /// What inputs and finished nodes have to offer to those that come after them, by name.
    state: Object,
    reports: Vec<NodeReport>,
    schedule: Schedule,
}

/// How many nodes run at once unless the pipeline says it.
const PARALLEL: usize = 16;

impl Run {
    pub(crate) fn new(
        host: Host,
        definition: Arc<Definition>,
        inputs: Object,
        observer: Arc<dyn Observer>,
    ) -> Self {
        let state = Object::from_iter([("inputs".into(), Value::from(inputs))]);
        let reports = definition.nodes.values().map(NodeReport::waiting).collect();
        let schedule = Schedule::new(&definition);
        Self { host, definition, observer, state, reports, schedule }
    }

    /// Runs every node as soon as what it waits for is done, within the limits.
    pub(crate) async fn finish(mut self) -> RunReport {
        let begun = Instant::now();
        let wall = self.definition.limits.wall;
        let done = match wall {
            Some(limit) => {
                let limited = tokio::time::timeout(limit, self.run_nodes()).await;
                limited.unwrap_or(Err(RunError::Wall { limit }))
            }
            None => self.run_nodes().await,
        };
        let outputs = done.and_then(|()| self.outputs());
        RunReport { outputs, nodes: self.reports, took: begun.elapsed() }
    }

    async fn run_nodes(&mut self) -> Result<(), RunError> {
        let parallel = self.definition.limits.parallel.unwrap_or(PARALLEL).max(1);
        let mut running: JoinSet<NodeDone> = JoinSet::new();
        loop {
            let mut ready = self.schedule.take(parallel - running.len());
            // A node that has nothing beside it needs no task of its own.
            if running.is_empty() && ready.len() == 1 {
                let Some(node) = ready.pop() else { continue };
                let done = self.execution(node).run().await;
                self.settle(done)?;
                continue;
            }
            for node in ready {
                running.spawn(self.execution(node).run());
            }
            match running.join_next().await {
                Some(done) => self.settle(done.map_err(|error| panicked(&error))?)?,
                None => return Ok(()),
            }
        }
    }

    fn execution(&self, place: usize) -> Execution {
        let node = &self.definition.nodes[place];
        let names = node.dependencies.iter().chain(&node.scope).map(|name| &**name).chain(["inputs"]);
        let names: BTreeSet<_> = names.collect();
        let scope = names.iter().filter_map(|name| Some((Arc::from(*name), self.state.get(*name)?.clone())));
        Execution {
            host: self.host.clone(),
            definition: Arc::clone(&self.definition),
            place,
            scope: scope.collect(),
            observer: Arc::clone(&self.observer),
        }
    }

    /// Takes over what a node has done.
    fn settle(&mut self, done: NodeDone) -> Result<(), RunError> {
        self.observer.event(&RunEvent::Finished { report: &done.report });
        let id = Arc::clone(&done.report.id);
        self.reports[done.place] = done.report;
        self.state.insert(id, done.output?);
        self.schedule.done(done.place);
        Ok(())
    }

    fn outputs(&self) -> Result<Object, RunError> {
        let rendered = self.definition.outputs.iter().map(|(name, setting)| {
            Ok((Arc::clone(name), setting.render(&self.state).map_err(RunError::Render)?))
        });
        rendered.collect()
    }
}

/// A task that neither finished nor was abandoned by us.
fn panicked(error: &JoinError) -> RunError {
    RunError::Engine { message: error.to_string() }
}
