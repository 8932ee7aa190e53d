//! A plugin that the tests tell what to do, hostile things included.

use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};

use tapline_pdk::prelude::*;

/// How the plugin is to start.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Config {
    refuse: Option<String>,
    trap: bool,
}

/// The plugin.
#[derive(Debug, Default)]
pub struct Probe {
    calls: AtomicU64,
}

#[plugin(
    id = "probe",
    capabilities = ["probing"],
    requires = { context = { read = ["input", "output", "error"], write = ["input", "output"] } },
    limits = { memory = "16MiB", cpu = "100ms" },
)]
impl Probe {
    #[init]
    fn init(config: Config) -> Result<Self> {
        assert!(!config.trap, "told to trap");
        match config.refuse {
            Some(reason) => Err(Failure::new("refused", reason)),
            None => Ok(Self::default()),
        }
    }

    // The point `trace` carries a list of words to which everyone on the way adds one.

    #[hook(point = "trace", kind = "around", priority = 20)]
    async fn outer(&self, context: &Context) -> Result<()> {
        around(context, "outer").await
    }

    #[hook(point = "trace", kind = "before", priority = 30)]
    async fn early(&self, context: &Context) -> Result<Flow> {
        add(context, "input", "before")?;
        let words: Vec<String> = context.read("input")?;
        if words.iter().any(|word| word == "finish") {
            context.write("output", ["finished"])?;
            return Ok(Flow::Finish);
        }
        Ok(Flow::Proceed)
    }

    #[hook(point = "trace", kind = "after", priority = 40, on = "always")]
    async fn late(&self, context: &Context) -> Result<()> {
        match context.get("error")? {
            Some(error) => {
                let code = error.get("code").and_then(Value::as_str).unwrap_or_default().to_owned();
                context.write("output", ["recovered", &code])
            }
            None => add(context, "output", "after"),
        }
    }

    #[hook(point = "trace", kind = "around", priority = 80)]
    async fn inner(&self, context: &Context) -> Result<()> {
        around(context, "inner").await
    }

    #[hook(point = "replaced", kind = "replace")]
    async fn instead(&self, context: &Context) -> Result<Value> {
        let input: i64 = context.read("input")?;
        Ok(Value::from(input * 2))
    }

    // The point `do` carries the name of what to do.

    #[hook(point = "do", kind = "around")]
    async fn act(&self, context: &Context) -> Result<()> {
        let what: String = context.read("input")?;
        match what.as_str() {
            "count" => {
                context.next().await?;
                context.write("output", (self.calls.fetch_add(1, Ordering::Relaxed) + 1).to_string())
            }
            "twice" => {
                context.next().await?;
                context.next().await
            }
            "peek" => {
                context.get("secret").and_then(|secret| context.write("output", secret.unwrap_or_default()))
            }
            "poke" => context.write("secret", "mine"),
            "neither" => Ok(()),
            "fail" => Err(Failure::new("told-to", "told to fail")),
            "wrong type" => context.write("output", 17),
            "spin after next" => {
                context.next().await?;
                spin();
                Ok(())
            }
            what => {
                misbehave(what);
                context.next().await
            }
        }
    }

    #[provides(point = "echo", key = "probe")]
    async fn echo(&self, _context: &Context, request: Value) -> Result<Value> {
        if let Some(what) = request.as_str() {
            misbehave(what);
        }
        Ok(request)
    }
}

async fn around(context: &Context, name: &str) -> Result<()> {
    add(context, "input", &format!("{name} in"))?;
    context.next().await?;
    add(context, "output", &format!("{name} out"))
}

fn add(context: &Context, path: &str, word: &str) -> Result<()> {
    let mut words: Vec<String> = context.read(path)?;
    words.push(word.into());
    context.write(path, words)
}

#[expect(clippy::panic, reason = "that is what it is for")]
fn misbehave(what: &str) {
    match what {
        "trap" => panic!("told to trap"),
        "spin" => spin(),
        "recurse" => {
            black_box(recurse(black_box(1)));
        }
        "allocate" => {
            let mut taken = Vec::new();
            loop {
                taken.push(black_box(vec![1_u8; 1 << 20]));
            }
        }
        _ => {}
    }
}

fn spin() {
    loop {
        black_box(0);
    }
}

#[expect(unconditional_recursion, reason = "that is what it is for")]
fn recurse(depth: u64) -> u64 {
    black_box(recurse(black_box(depth + 1))) + depth
}
