use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

/// A closed path of edges, as indices; the last one leads back to the first.
pub type Cycle = Vec<usize>;

/// Orders the indices of `keys` so that every edge `(earlier, later)` holds, and otherwise by key.
///
/// This is Kahn's algorithm with a min-heap: among all orders that respect the edges, the result is the smallest
/// one, position by position. It depends on nothing but its arguments.
///
/// # Errors
/// A cycle for each group of indices that no order can satisfy.
pub fn linearize<K: Ord>(keys: &[K], edges: &BTreeSet<(usize, usize)>) -> Result<Vec<usize>, Vec<Cycle>> {
    let mut waits_for = vec![0_usize; keys.len()];
    for (_, later) in edges {
        waits_for[*later] += 1;
    }
    let ready = (0..keys.len()).filter(|index| waits_for[*index] == 0);
    let mut heap: BinaryHeap<_> = ready.map(|index| Reverse((&keys[index], index))).collect();
    let mut order = Vec::with_capacity(keys.len());
    while let Some(Reverse((_, index))) = heap.pop() {
        order.push(index);
        for (_, later) in edges.range((index, 0)..=(index, usize::MAX)) {
            waits_for[*later] -= 1;
            if waits_for[*later] == 0 {
                heap.push(Reverse((&keys[*later], *later)));
            }
        }
    }
    if order.len() == keys.len() { Ok(order) } else { Err(cycles(&waits_for, edges)) }
}

/// One cycle through each index that lies on one not yet found.
fn cycles(waits_for: &[usize], edges: &BTreeSet<(usize, usize)>) -> Vec<Cycle> {
    let mut found: Vec<Cycle> = Vec::new();
    let mut members = BTreeSet::new();
    for start in waited_for(waits_for, edges) {
        if !members.contains(&start)
            && let Some(cycle) = shortest_cycle(start, edges)
        {
            members.extend(cycle.iter().copied());
            found.push(cycle);
        }
    }
    found
}

/// The indices that wait and that another one of them waits for, however far behind: what merely waits behind a cycle
/// leads to none.
fn waited_for(waits_for: &[usize], edges: &BTreeSet<(usize, usize)>) -> BTreeSet<usize> {
    let mut waiting: BTreeSet<_> = (0..waits_for.len()).filter(|index| waits_for[*index] > 0).collect();
    let inside: Vec<_> = edges
        .iter()
        .filter(|(earlier, later)| waiting.contains(earlier) && waiting.contains(later))
        .collect();
    let mut waited_for_by = vec![0_usize; waits_for.len()];
    let mut earlier_of: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (earlier, later) in inside {
        waited_for_by[*earlier] += 1;
        earlier_of.entry(*later).or_default().push(*earlier);
    }
    let mut last: Vec<_> = waiting.iter().copied().filter(|index| waited_for_by[*index] == 0).collect();
    while let Some(index) = last.pop() {
        waiting.remove(&index);
        for earlier in earlier_of.remove(&index).into_iter().flatten() {
            waited_for_by[earlier] -= 1;
            if waited_for_by[earlier] == 0 {
                last.push(earlier);
            }
        }
    }
    waiting
}

/// The shortest closed path through `start`, found breadth first.
fn shortest_cycle(start: usize, edges: &BTreeSet<(usize, usize)>) -> Option<Cycle> {
    let mut before = BTreeMap::new();
    let mut queue = std::collections::VecDeque::from([start]);
    while let Some(index) = queue.pop_front() {
        for (_, later) in edges.range((index, 0)..=(index, usize::MAX)) {
            if *later == start {
                let path = std::iter::successors(Some(index), |index| before.get(index).copied());
                let mut cycle: Vec<_> = path.collect();
                cycle.reverse();
                return Some(cycle);
            }
            if let std::collections::btree_map::Entry::Vacant(unseen) = before.entry(*later) {
                unseen.insert(index);
                queue.push_back(*later);
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(keys: &[u8], edges: &[(usize, usize)], expected: Result<&[usize], &[Cycle]>) {
        let edges = edges.iter().copied().collect();
        assert_eq!(linearize(keys, &edges), expected.map(<[_]>::to_vec).map_err(<[_]>::to_vec));
    }

    #[test]
    fn keys_decide_where_edges_do_not() {
        check(&[3, 1, 2], &[], Ok(&[1, 2, 0]));
        check(&[3, 1, 2], &[(0, 1)], Ok(&[2, 0, 1]));
        check(&[1, 1, 1], &[(2, 0)], Ok(&[1, 2, 0]));
    }

    /// All orders of so many indices that respect the edges.
    fn extensions(count: usize, edges: &BTreeSet<(usize, usize)>) -> Vec<Vec<usize>> {
        let mut found = vec![Vec::new()];
        for _ in 0..count {
            found = found
                .into_iter()
                .flat_map(|begun: Vec<usize>| {
                    let is_ready = |next: &usize| {
                        !begun.contains(next) && edges.iter().all(|(e, l)| l != next || begun.contains(e))
                    };
                    let next: Vec<_> = (0..count).filter(is_ready).collect();
                    next.into_iter().map(move |next| begun.iter().copied().chain([next]).collect())
                })
                .collect();
        }
        found
    }

    proptest::proptest! {
        #[test]
        fn an_order_is_the_unique_minimal_linear_extension(
            keys in proptest::collection::vec(0..4_u8, 1..7),
            edges in proptest::collection::btree_set((0..6_usize, 0..6_usize), 0..8),
        ) {
            let edges: BTreeSet<_> =
                edges.into_iter().filter(|(e, l)| *e < keys.len() && *l < keys.len()).collect();
            // The place of a hook among its kind makes every key another one, as it does at a point.
            let keys: Vec<_> = keys.into_iter().zip(0..).collect();
            let by_keys = |order: &Vec<usize>| order.iter().map(|index| keys[*index]).collect::<Vec<(u8, usize)>>();
            let minimal = extensions(keys.len(), &edges).into_iter().min_by_key(by_keys);
            match linearize(&keys, &edges) {
                Ok(order) => proptest::prop_assert_eq!(Some(order), minimal),
                Err(cycles) => {
                    proptest::prop_assert_eq!(None, minimal);
                    for cycle in cycles {
                        let closed = cycle.iter().copied().chain([cycle[0]]).collect::<Vec<_>>();
                        proptest::prop_assert!(closed.windows(2).all(|pair| edges.contains(&(pair[0], pair[1]))));
                    }
                }
            }
        }
    }

    #[test]
    fn every_knot_of_cycles_is_named_by_one_of_them() {
        check(&[0, 0, 0, 0, 0], &[(0, 1), (1, 0), (1, 2), (3, 3), (3, 4)], Err(&[vec![0, 1], vec![3]]));
    }
}
