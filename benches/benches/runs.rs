//! Runs of a checked pipeline whose nodes do nothing and have no settings. Throughput is in nodes: it is the same for
//! every size when a run is linear in its nodes. Beside it: the same, watched by the plugin `telemetry`.

use divan::counter::ItemsCount;
use divan::{AllocProfiler, Bencher};
use tapline::Load;
use tapline_benches::{Shape, Workload};
use tapline_pdk::prelude::*;
use tapline_plugin_telemetry::Telemetry;

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

/// Metrics of all nodes are counted.
#[divan::bench(args = NODES)]
fn chain_with_metrics(bencher: Bencher<'_, '_>, nodes: usize) {
    watched(bencher, nodes, r#"{"prometheus": {"listen": "127.0.0.1:0"}}"#);
}

/// All nodes have spans, which nobody takes: what making them costs, without the network.
#[divan::bench(args = NODES)]
fn chain_with_spans(bencher: Bencher<'_, '_>, nodes: usize) {
    watched(bencher, nodes, r#"{"traces": {"otlp": "http://127.0.0.1:9"}}"#);
}

#[expect(clippy::unwrap_used, reason = "a benchmark that cannot be set up ends")]
fn watched(bencher: Bencher<'_, '_>, nodes: usize, config: &str) {
    let workload = Workload::new(tapline_pdk::native::<Idle>(), &Shape::Chain.pipeline("idle", nodes));
    let config = Value::from_json(config).unwrap();
    let telemetry = Load::native(tapline_pdk::native::<Telemetry>()).config(config);
    let workload = workload.beside(telemetry);
    bencher.counter(ItemsCount::new(nodes)).bench_local(|| workload.run());
}

fn run(bencher: Bencher<'_, '_>, shape: Shape, nodes: usize) {
    let workload = Workload::new(tapline_pdk::native::<Idle>(), &shape.pipeline("idle", nodes));
    bencher.counter(ItemsCount::new(nodes)).bench_local(|| workload.run());
}
