//! Hook points, the hooks that join in there, and the chains that they form.
//!
//! [`chain`] holds the loop that runs a chain; [`answers`] holds the modes that are none.

mod declaration;
mod point;
mod chain;
mod modes;
mod answers;
mod layer;
mod boundary;
mod typed;
mod trace;
mod quarantine;
mod watch;
mod stats;
mod error;
mod order;
mod shape;
mod explain;

pub use answers::Answer;
pub use chain::{Next, Repeat};
pub use declaration::{Mode, PointDeclaration, PointInfo};
pub use error::{HookError, LayerName};
pub use explain::{ExplainedHook, Explanation, HookInfo, HookState};
pub use layer::{Boundary, Hook, Outcome, Step};
pub use modes::{CollectPoint, FilterPoint, FirstPoint, NotifyPoint};
pub use order::{Cycle, linearize};
pub use point::HookPoint;
pub use stats::LayerStats;
pub use trace::{Trace, TraceEntry, What};
pub use watch::{HookEvent, HookObserver};

#[cfg(test)]
pub(crate) use layer::HookBody;
pub(crate) use layer::Layer;
pub(crate) use point::{ErasedPoint, PlacedHook, Slot, Types};
pub(crate) use quarantine::Quarantine;
pub(crate) use watch::Watch;

#[cfg(test)]
mod tests;
