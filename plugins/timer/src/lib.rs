//! Times the nodes of a pipeline with an around hook outside of all others, and reports what it measured at the
//! extension point `report`, which the command shows after a run.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tapline_pdk::prelude::*;

/// The plugin.
#[derive(Debug, Default)]
pub struct Timer(Mutex<BTreeMap<String, Times>>);

/// What the executions of one node have taken.
#[derive(Debug, Default, Clone, Copy)]
struct Times {
    count: u32,
    total: Duration,
    longest: Duration,
}

#[plugin(id = "timer", requires = { context = { read = ["node.id"] } })]
impl Timer {
    #[init]
    fn init() -> Result<Self> {
        Ok(Self::default())
    }

    #[hook(point = "node.execute", kind = "around", priority = 5)]
    async fn time(&self, context: &Context) -> Result<()> {
        let node: String = context.read("node.id")?;
        let entered = Instant::now();
        let answer = context.next().await;
        self.record(node, entered.elapsed());
        answer
    }

    /// What has been measured, for whoever asks.
    #[provides(point = "report", key = "timer")]
    async fn report(&self, _context: &Context) -> Result<Value> {
        let times = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(times.iter().map(|(node, times)| (node.as_str(), times.to_value())).collect())
    }
}

impl Timer {
    fn record(&self, node: String, taken: Duration) {
        let mut times = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let times = times.entry(node).or_default();
        times.count += 1;
        times.total += taken;
        times.longest = times.longest.max(taken);
    }
}

impl Times {
    fn to_value(self) -> Value {
        Value::from_iter([
            ("count", u64::from(self.count).into()),
            ("total_ms", (self.total.as_secs_f64() * 1e3).into()),
            ("longest_ms", (self.longest.as_secs_f64() * 1e3).into()),
        ])
    }
}
