//! What the benchmarks share: `cargo xtask bench` runs them all, `cargo xtask bench hooks` those of one file.

mod polling;
mod processor;
mod timing;
mod memory;
mod peer;
mod plugged;
mod bare;
mod workload;
mod model;
mod proxy;

pub use bare::Bare;
pub use memory::of_each;
pub use model::Model;
pub use peer::{Peer, peers};
pub use plugged::Plugged;
pub use polling::finish;
pub use processor::{keep_to_one_core, processor_time};
pub use proxy::Proxy;
pub use timing::{
    Figure, figure, figure_of_batches, figure_of_each, figure_of_threads, processor_figure, time,
};
pub use workload::{Shape, Workload, catalog, checked};
