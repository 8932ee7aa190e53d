//! Hook points, the hooks that join in there, and the chains that they form.

mod point;
mod chain;
mod layer;
mod boundary;
mod typed;
mod stats;
mod error;
mod order;

pub use chain::Next;
pub use error::{HookError, LayerName};
pub use layer::{Boundary, Hook, Outcome, Step};
pub use order::{Cycle, linearize};
pub use point::{HookInfo, HookPoint, PointInfo};
pub use stats::LayerStats;

#[cfg(test)]
pub(crate) use layer::HookBody;
pub(crate) use layer::Layer;
pub(crate) use point::{ErasedPoint, PlacedHook};

#[cfg(test)]
mod tests;
