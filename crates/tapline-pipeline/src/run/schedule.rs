use std::collections::VecDeque;

use crate::definition::Definition;

/// Which nodes may run now, by their places in the definition; each node costs as much as it has edges.
pub(super) struct Schedule {
    ready: VecDeque<usize>,
    /// For each node, how many it still waits for.
    waits_for: Vec<usize>,
    /// For each node, those that wait for it.
    dependents: Vec<Vec<usize>>,
}

impl Schedule {
    pub(super) fn new(definition: &Definition) -> Self {
        let nodes = &definition.nodes;
        let mut dependents = vec![Vec::new(); nodes.len()];
        let mut waits_for = vec![0; nodes.len()];
        for (place, node) in nodes.values().enumerate() {
            for dependency in node.dependencies.iter().filter_map(|id| nodes.get_index_of(id)) {
                dependents[dependency].push(place);
                waits_for[place] += 1;
            }
        }
        let ready = (0..nodes.len()).filter(|place| waits_for[*place] == 0).collect();
        Self { ready, waits_for, dependents }
    }

    /// Takes up to `room` nodes that wait for nothing any more, as they are written.
    pub(super) fn take(&mut self, room: usize) -> Vec<usize> {
        self.ready.drain(..room.min(self.ready.len())).collect()
    }

    /// Takes note that a node is done.
    pub(super) fn done(&mut self, place: usize) {
        for dependent in &self.dependents[place] {
            self.waits_for[*dependent] -= 1;
            if self.waits_for[*dependent] == 0 {
                self.ready.push_back(*dependent);
            }
        }
    }
}
