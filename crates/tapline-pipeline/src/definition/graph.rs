use std::collections::BTreeSet;
use std::sync::Arc;

use indexmap::IndexMap;
use tapline_core::linearize;

/// The order in which the nodes of a pipeline can run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Graph {
    levels: Vec<Vec<Arc<str>>>,
    order: Vec<Arc<str>>,
    /// For each node by its place, those that it waits for, sorted by their ids.
    pub(crate) dependencies: Vec<Vec<usize>>,
    /// For each node by its place, those that wait for it.
    pub(crate) dependents: Vec<Vec<usize>>,
}

/// Node ids and, for each, the ids of those that must finish first.
type Dependencies<'a> = IndexMap<&'a Arc<str>, &'a BTreeSet<Arc<str>>>;

impl Graph {
    /// Orders nodes: what they wait for first, and otherwise as they are written.
    ///
    /// # Errors
    /// The closed paths, each along the flow of data and beginning with the node that is written first.
    pub(crate) fn new(nodes: &Dependencies<'_>) -> Result<Self, Vec<Vec<Arc<str>>>> {
        let edges = nodes.values().enumerate().flat_map(|(later, dependencies)| {
            dependencies.iter().filter_map(move |id| Some((nodes.get_index_of(id)?, later)))
        });
        let positions: Vec<_> = (0..nodes.len()).collect();
        let id = |index: &usize| Arc::clone(nodes.keys()[*index]);
        let order = linearize(&positions, &edges.collect()).map_err(|cycles| {
            cycles.iter().map(|cycle| cycle.iter().map(id).collect()).collect::<Vec<Vec<_>>>()
        })?;
        let waits_for =
            |ids: &&BTreeSet<Arc<str>>| ids.iter().filter_map(|id| nodes.get_index_of(id)).collect();
        let dependencies: Vec<Vec<usize>> = nodes.values().map(waits_for).collect();
        let mut dependents = vec![Vec::new(); nodes.len()];
        for (place, earlier) in dependencies.iter().enumerate() {
            earlier.iter().for_each(|earlier| dependents[*earlier].push(place));
        }
        let levels = levels(nodes, &order);
        Ok(Self { levels, order: order.iter().map(id).collect(), dependencies, dependents })
    }

    /// The nodes, each behind all that it waits for, and otherwise as they are written.
    #[must_use]
    pub fn order(&self) -> &[Arc<str>] {
        &self.order
    }

    /// The nodes in groups: those of one group can run at once when all groups before it have finished.
    #[must_use]
    pub fn levels(&self) -> &[Vec<Arc<str>>] {
        &self.levels
    }
}

fn levels(nodes: &Dependencies<'_>, order: &[usize]) -> Vec<Vec<Arc<str>>> {
    let mut level_of = vec![0_usize; nodes.len()];
    let mut levels: Vec<Vec<Arc<str>>> = Vec::new();
    for index in order {
        let Some((id, dependencies)) = nodes.get_index(*index) else { continue };
        let below =
            dependencies.iter().filter_map(|id| nodes.get_index_of(id)).map(|index| level_of[index] + 1);
        let level = below.max().unwrap_or(0);
        level_of[*index] = level;
        if levels.len() <= level {
            levels.resize_with(level + 1, Vec::new);
        }
        levels[level].push(Arc::clone(id));
    }
    levels
}
