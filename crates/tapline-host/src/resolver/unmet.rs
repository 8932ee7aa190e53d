use std::collections::VecDeque;

use super::pool::{Fate, Pool};

/// Takes out those that need something that nobody offers, and those that need them, until all needs of all that are
/// left are met by somebody. Found so, what is missing among a thousand plugins costs no search.
pub(super) fn take_out_unmet(pool: &mut Pool<'_>) {
    let count = pool.members.len();
    let mut open: Vec<Vec<usize>> = pool.members.iter().map(|one| vec![0; one.providers.len()]).collect();
    let mut needed_by: Vec<Vec<(usize, usize)>> = vec![Vec::new(); count];
    let mut falling = VecDeque::new();
    for at in (0..count).filter(|at| pool.is_alive(*at) && !pool.is_running(*at)) {
        for need in pool.members[at].hard_needs() {
            for provider in pool.members[at].providers[need].iter().filter(|other| pool.is_alive(**other)) {
                open[at][need] += 1;
                needed_by[*provider].push((at, need));
            }
            if open[at][need] == 0 {
                falling.push_back((at, need));
            }
        }
    }
    while let Some((at, need)) = falling.pop_front() {
        if !pool.is_alive(at) {
            continue;
        }
        pool.members[at].fate = Some(Fate::Unmet(need));
        for (dependent, need) in std::mem::take(&mut needed_by[at]) {
            open[dependent][need] -= 1;
            if open[dependent][need] == 0 {
                falling.push_back((dependent, need));
            }
        }
    }
}
