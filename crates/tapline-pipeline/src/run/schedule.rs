use std::collections::VecDeque;

use crate::definition::Graph;

/// Which nodes may run now, by their places in the definition; each node costs as much as it has edges.
pub(super) struct Schedule {
    ready: VecDeque<usize>,
    /// For each node, how many it still waits for.
    waits_for: Vec<usize>,
}

impl Schedule {
    pub(super) fn new(graph: &Graph) -> Self {
        let waits_for: Vec<_> = graph.dependencies.iter().map(Vec::len).collect();
        let ready = (0..waits_for.len()).filter(|place| waits_for[*place] == 0).collect();
        Self { ready, waits_for }
    }

    /// Takes the next node that waits for nothing any more, as they are written.
    pub(super) fn next(&mut self) -> Option<usize> {
        self.ready.pop_front()
    }

    /// Whether only one node can run.
    pub(super) fn is_alone(&self) -> bool {
        self.ready.len() == 1
    }

    /// Takes note that a node is done.
    pub(super) fn done(&mut self, graph: &Graph, place: usize) {
        for dependent in &graph.dependents[place] {
            self.waits_for[*dependent] -= 1;
            if self.waits_for[*dependent] == 0 {
                self.ready.push_back(*dependent);
            }
        }
    }
}
