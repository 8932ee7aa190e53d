//! Does harm in every way that a sandboxed plugin can think of, one method each.

use std::hint::black_box;

use tapline_pdk::prelude::*;

/// How the plugin is to end.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Config {
    never_stops: bool,
}

/// The plugin.
#[derive(Debug)]
pub struct Hostile(Config);

#[plugin(
    id = "hostile",
    requires = { events = { publish = ["flood"] } },
    limits = { memory = "16MiB", cpu = "50ms", wall = "1s" },
)]
impl Hostile {
    #[init]
    fn init(config: Config) -> Result<Self> {
        Ok(Self(config))
    }

    #[stop]
    async fn stop(&self) -> Result<()> {
        if self.0.never_stops {
            forever();
        }
        Ok(())
    }

    #[method]
    async fn nothing(&self, _context: &Context, _request: Value) -> Result<()> {
        Ok(())
    }

    #[method]
    async fn spin(&self, _context: &Context, _request: Value) -> Result<()> {
        forever();
        Ok(())
    }

    #[provides(point = "node", key = "spin")]
    async fn spin_node(&self, _context: &Context, _request: Value) -> Result<()> {
        forever();
        Ok(())
    }

    #[method]
    async fn host_calls(&self, context: &Context, _request: Value) -> Result<()> {
        loop {
            black_box(context.get("input")?);
        }
    }

    #[method]
    async fn grow(&self, _context: &Context, _request: Value) -> Result<()> {
        let mut kept = Vec::new();
        loop {
            kept.push(black_box(vec![1_u8; 1 << 20]));
        }
    }

    #[method]
    #[expect(clippy::panic, reason = "that is what it is for")]
    async fn trap(&self, _context: &Context, _request: Value) -> Result<()> {
        panic!("on purpose")
    }

    #[method]
    async fn recurse(&self, _context: &Context, _request: Value) -> Result<u64> {
        Ok(deep(black_box(1)))
    }

    #[method]
    async fn events(&self, context: &Context, _request: Value) -> Result<()> {
        loop {
            // Whether it was refused makes no difference to a flood.
            let _ = context.publish("flood", &"x");
        }
    }

    #[method]
    async fn log(&self, context: &Context, _request: Value) -> Result<()> {
        let line = "x".repeat(1 << 10);
        loop {
            context.log(Level::Info, &line);
        }
    }

    #[method]
    async fn errors(&self, _context: &Context, _request: Value) -> Result<()> {
        Err(Failure::new("huge", "x".repeat(4 << 20)))
    }
}

fn forever() {
    let mut count = 0_u64;
    while black_box(true) {
        count = black_box(count.wrapping_add(1));
    }
}

#[expect(unconditional_recursion, reason = "that is what it is for")]
fn deep(depth: u64) -> u64 {
    let frame = [depth; 64];
    black_box(deep(black_box(depth + 1)) + black_box(frame)[0])
}
