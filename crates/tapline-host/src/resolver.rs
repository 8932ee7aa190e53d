use tapline_core::Manifest;

mod pool;
mod unmet;
mod solver;
mod choice;
mod explain;
mod order;
mod reason;
mod why;

#[cfg(test)]
mod tests;

pub use reason::{Ask, ResolveError};
pub use why::{Chosen, Other, Why, why};

use choice::choose;
use explain::reasons;
use order::{Arrangement, arrange};
use pool::Pool;
use unmet::take_out_unmet;

/// A plugin that is there, or could be.
#[derive(Debug, Clone, Copy)]
pub struct Candidate<'a> {
    /// Its manifest.
    pub manifest: &'a Manifest,
    /// How it stands to what is to be loaded.
    pub standing: Standing,
}

/// How a candidate stands to what is to be loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Standing {
    /// It is there and stays.
    Running,
    /// It has to be loaded.
    Required,
    /// It is to be loaded if it can be.
    Wanted,
    /// As [`Available`](Self::Available), and preferred over others: it was taken before.
    Locked,
    /// It is loaded when another needs it.
    Available,
}

/// Which candidates are to be started, in which order. Candidates are told by their places.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Resolution {
    /// Those that are to be started, what is needed first, and otherwise by id.
    pub order: Vec<usize>,
    /// For every candidate, those that meet its needs, the optional ones included; none for those not chosen.
    pub needs: Vec<Vec<usize>>,
    /// The required and wanted ones that cannot be loaded.
    pub left_out: Vec<LeftOut>,
    /// The optional needs that were given up, because they would have closed a circle.
    pub dropped: Vec<Dropped>,
}

/// A candidate that was asked for and cannot be loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// Its place among the candidates.
    pub place: usize,
    /// Why, the cause first.
    pub reasons: Vec<ResolveError>,
}

/// An optional need that was given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dropped {
    /// The place of the candidate that does without.
    pub who: usize,
    /// The place of the one that it may be started before.
    pub whom: usize,
}

/// Chooses which plugins are loaded, one version of each: all that are required, as many of the wanted ones as can be
/// beside those, and what they need. In which order the candidates stand plays no part.
///
/// Of several versions the one that runs, the locked one, or else the highest is preferred; of several plugins that offer
/// a capability, the one that is found first when it is looked up.
#[must_use]
pub fn resolve(candidates: &[Candidate<'_>]) -> Resolution {
    let mut pool = Pool::new(candidates);
    loop {
        take_out_unmet(&mut pool);
        let chosen = choose(&mut pool);
        // Each round without an order has taken out some that needed each other.
        if let Some(arrangement) = arrange(&mut pool, &chosen) {
            return resolution(&pool, &arrangement);
        }
    }
}

fn resolution(pool: &Pool<'_>, arrangement: &Arrangement) -> Resolution {
    let place = |at: usize| pool.members[at].place;
    let places = |members: &[usize]| members.iter().copied().map(place).collect::<Vec<_>>();
    let mut needs = vec![Vec::new(); pool.members.len()];
    for (at, needed) in arrangement.needs.iter().enumerate() {
        needs[place(at)] = places(needed);
    }
    let left_out =
        (0..pool.members.len()).filter(|at| pool.members[*at].is_asked_for() && !pool.is_alive(*at));
    Resolution {
        order: places(&arrangement.order),
        needs,
        left_out: left_out.map(|at| LeftOut { place: place(at), reasons: reasons(pool, at) }).collect(),
        dropped: arrangement
            .dropped
            .iter()
            .map(|(who, whom)| Dropped { who: place(*who), whom: place(*whom) })
            .collect(),
    }
}

impl Resolution {
    /// All reasons for which something is left out, each once.
    #[must_use]
    pub fn reasons(&self) -> Vec<ResolveError> {
        let mut all: Vec<ResolveError> = Vec::new();
        for reason in self.left_out.iter().flat_map(|left_out| &left_out.reasons) {
            if !all.contains(reason) {
                all.push(reason.clone());
            }
        }
        all
    }
}
