//! Runs of a checked pipeline whose nodes do nothing and have no settings. Throughput is in nodes: it is the same for
//! every size when a run is linear in its nodes.

use divan::counter::ItemsCount;
use divan::{AllocProfiler, Bencher};
use tapline_benches::{Shape, Workload};
use tapline_pdk::prelude::*;

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

const NODES: [usize; 3] = [3, 50, 1000];

fn main() {
    divan::main();
}

/// The plugin whose nodes do nothing.
struct Idle;

#[plugin(id = "idle")]
impl Idle {
    #[init]
    fn init() -> Result<Self> {
        Ok(Self)
    }

    #[provides(point = "node", key = "idle")]
    async fn idle(&self, _context: &Context) -> Result<Value> {
        Ok(Value::Null)
    }
}

#[divan::bench(args = NODES)]
fn chain(bencher: Bencher<'_, '_>, nodes: usize) {
    run(bencher, Shape::Chain, nodes);
}

#[divan::bench(args = NODES)]
fn fan_out_and_in(bencher: Bencher<'_, '_>, nodes: usize) {
    run(bencher, Shape::Fan, nodes);
}

fn run(bencher: Bencher<'_, '_>, shape: Shape, nodes: usize) {
    let workload = Workload::new(tapline_pdk::native::<Idle>(), &shape.pipeline("idle", nodes));
    bencher.counter(ItemsCount::new(nodes)).bench_local(|| workload.run());
}
