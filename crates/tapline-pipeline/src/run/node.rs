use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tapline_core::Bytes;
use tokio::time::Instant;

use super::error::{Ended, RunError, StepError, WHOLE};
use super::event::RunEvent;
use super::frame::Frame;
use super::list::PagedList;
use super::meter::Amounts;
use super::pages;
use super::path::Path;
use super::report::{NodeReport, NodeState};
use super::steps::{Outcome, Steps};
use crate::definition::{NodeDefinition, Work};

/// What came of a node.
pub(super) struct NodeDone {
    pub(super) place: usize,
    pub(super) outcome: Result<Outcome, Ended>,
    items: Option<usize>,
    tolerated: usize,
    reused: usize,
    used: Amounts,
    took: Duration,
}

impl NodeDone {
    /// Puts what came of the node into its report.
    pub(super) fn tell(&self, report: &mut NodeReport) {
        report.state = match &self.outcome {
            Ok(Outcome::Done(_) | Outcome::List(_)) => NodeState::Done,
            Ok(Outcome::Skipped | Outcome::LeftOut) => NodeState::Skipped,
            Err(_) => NodeState::Failed,
        };
        report.items = self.items;
        report.tolerated = self.tolerated;
        report.reused = self.reused;
        report.used = self.used;
        report.took = self.took;
    }
}

impl Steps {
    /// Does a node, with the outputs of those that it waits for.
    pub(super) async fn node(
        self,
        place: usize,
        mut frame: Frame,
        lists: Vec<(Arc<str>, Arc<PagedList>)>,
        is_left_out: bool,
    ) -> NodeDone {
        let definition = Arc::clone(&self.definition);
        let node = &definition.nodes[place];
        let begun = Instant::now();
        let outcome = if is_left_out {
            Ok(Outcome::LeftOut)
        } else {
            if self.within.is_empty() {
                self.shared.observer.event(&RunEvent::NodeStarted { node: &node.id });
            }
            let path = Path::Node(&self.within, &node.id);
            let outcome = match self.take(node, path, &mut frame, lists).await {
                Ok(rows) => self.begin(node, path, &frame, rows).await,
                Err(ended) => Err(ended),
            };
            // What waits for the node begins when all of it is kept.
            match self.kept.finish().await {
                Ok(()) => outcome,
                Err(error) => outcome.and(Err(Ended::Run(RunError::Journal(error)))),
            }
        };
        NodeDone {
            place,
            outcome,
            items: node.step.map.as_ref().map(|_| self.items.load(Ordering::Relaxed)),
            tolerated: self.tolerated.load(Ordering::Relaxed),
            reused: self.reused.load(Ordering::Relaxed),
            used: self.meter.used(),
            took: begun.elapsed(),
        }
    }

    /// Puts lists among the variables, as much of each as the node names, and gives the one that it takes page by page.
    async fn take(
        &self,
        node: &NodeDefinition,
        path: Path<'_>,
        frame: &mut Frame,
        lists: Vec<(Arc<str>, Arc<PagedList>)>,
    ) -> Result<Option<(Arc<str>, Arc<PagedList>)>, Ended> {
        let taken = if let Work::Call(call) = &node.step.work { call.takes_rows_of.as_ref() } else { None };
        let mut rows = None;
        for (name, list) in lists {
            let value = if !node.whole.contains(&name) {
                list.rest.clone().into()
            } else if list.bytes > WHOLE.0 {
                let (node_name, count, bytes) = (Arc::clone(&name), list.count, Bytes(list.bytes));
                let error = StepError::TooLong { node: node_name, count, bytes };
                return Err(self.failed(&node.step, path, 1, error));
            } else {
                let list = Arc::clone(&list);
                self.io(&node.step, path, pages::blocking(move || list.load()).await)?
            };
            frame.push(Arc::clone(&name), value);
            if taken == Some(&name) && !node.whole.contains(&name) {
                rows = Some((name, list));
            }
        }
        Ok(rows)
    }

    async fn begin(
        &self,
        node: &NodeDefinition,
        path: Path<'_>,
        frame: &Frame,
        rows: Option<(Arc<str>, Arc<PagedList>)>,
    ) -> Result<Outcome, Ended> {
        let Work::Call(call) = &node.step.work else { return self.run(&node.step, path, frame).await };
        // What is cached is one value.
        let makes_pages = call.makes_pages && self.shared.lists.is_some() && node.step.rules.cache.is_none();
        if rows.is_none() && !makes_pages {
            return self.run(&node.step, path, frame).await;
        }
        Box::pin(self.run_paged(&node.step, call, rows, path, frame)).await
    }
}
