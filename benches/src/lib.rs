//! What the benchmarks share: `cargo xtask bench` runs them all, `cargo xtask bench hooks` those of one file.

mod polling;
mod timing;
mod plugged;
mod workload;

pub use plugged::Plugged;
pub use polling::finish;
pub use timing::time;
pub use workload::{Shape, Workload};
