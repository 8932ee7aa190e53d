//! A plugin whose hooks do what its configuration says, so that the conformance suite can write both the manifest and
//! what stands behind it. It is written without `#[plugin]`, because its hooks have no methods.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tapline_pdk::prelude::*;
use tapline_pdk::{BoxFuture, Define, Operation};

/// The plugin.
#[derive(Debug, Default)]
pub struct Script {
    hooks: BTreeMap<String, Vec<Step>>,
    notes: Mutex<Vec<Value>>,
    count: AtomicU32,
}

/// How the plugin is to start.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Config {
    /// What each hook does, by name, and what is done at `start`, `stop`, `health`, `export` and `import`. The state that is
    /// handed over is how often `Count` has been come to.
    hooks: BTreeMap<String, Vec<Step>>,
    /// The error with which `init` refuses.
    refuse: Option<String>,
}

/// One thing that a hook does. Inputs and outputs are lists of words unless a step says otherwise.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// Adds a word to the input.
    Input(String),
    /// Adds a word to the output.
    Output(String),
    /// Sets the output.
    Set(Value),
    /// Doubles the output, a number.
    Double,
    /// Runs what is inside, and passes an error on.
    Next,
    /// Runs what is inside, and goes on whatever it answers.
    NextOrNot,
    /// Runs what is inside until it has an output, so many times at most.
    Retry(usize),
    /// Ends the call with the output.
    Finish,
    /// Fails with a code.
    Fail(String),
    /// Breaks.
    Break,
    /// Publishes an event of this topic, with the payload `hello`.
    Publish(String),
    /// Notes what stands at a path; the contribution `seen` tells the notes.
    Note(String),
    /// Sets the output to how often this instance has come here.
    Count,
    /// Calls a method of a target; the output is what it answers.
    Call(String, String),
    /// As `Call`, and waits so many milliseconds at most.
    CallWithin(u64, String, String),
    /// As `Call`, and passes the pieces of the answer on.
    Relay(String, String),
    /// Waits so many milliseconds.
    Sleep(u64),
    /// Calls a method of a target and waits for nothing.
    Cast(String, String),
    /// Gives a piece of the answer to whoever reads along.
    Emit(Value),
    /// Sets the output to whether somebody reads along.
    Streamed,
    /// Sets the output to who calls.
    Caller,
    /// Ends the plugin, with what it was there for done.
    Exit,
    /// Ends the plugin with an error.
    ExitWith(String),
}

/// What the suite does not put another manifest in the place of.
const MANIFEST: &str = "\
[plugin]
id = \"script\"
version = \"1.0.0\"
description = \"A plugin whose hooks do what its configuration says.\"
host = \"^1.0.0\"
runtime = \"wasm\"
";

impl Define for Script {
    const MANIFEST: &'static str = MANIFEST;

    fn init(context: &Context) -> BoxFuture<'_, Result<Self>> {
        Box::pin(async {
            let config: Config = context.configuration()?;
            match config.refuse {
                Some(reason) => Err(Failure::new("refused", reason)),
                None => Ok(Self { hooks: config.hooks, ..Self::default() }),
            }
        })
    }

    fn call<'a>(&'a self, operation: &'a Operation, context: &'a Context) -> BoxFuture<'a, Result<Flow>> {
        Box::pin(async move {
            match operation {
                Operation::Start => self.run_if_any("start", context).await,
                Operation::Stop => self.run_if_any("stop", context).await,
                Operation::Health => self.run_if_any("health", context).await,
                Operation::ExportState => {
                    context.write("output", self.count.load(Ordering::Relaxed))?;
                    self.run_if_any("export", context).await
                }
                Operation::ImportState { .. } => {
                    self.count.store(context.read("input")?, Ordering::Relaxed);
                    self.run_if_any("import", context).await
                }
                Operation::Handle { contribution, method } if contribution.starts_with("plugin/") => {
                    context.set("output", Value::Null)?;
                    self.run(method, context).await
                }
                Operation::Handle { .. } => {
                    context.set("output", self.notes().clone().into())?;
                    Ok(Flow::Finish)
                }
                Operation::Before { hook }
                | Operation::After { hook }
                | Operation::Around { hook }
                | Operation::Replace { hook }
                | Operation::Answer { hook }
                | Operation::Event { subscription: hook } => self.run(hook, context).await,
            }
        })
    }
}

impl Script {
    async fn run_if_any(&self, moment: &str, context: &Context) -> Result<Flow> {
        if self.hooks.contains_key(moment) { self.run(moment, context).await } else { Ok(Flow::Proceed) }
    }

    async fn run(&self, hook: &str, context: &Context) -> Result<Flow> {
        let steps = self.hooks.get(hook).ok_or_else(|| Failure::new("no-such-hook", hook))?;
        let mut flow = Flow::Proceed;
        for step in steps {
            match step {
                Step::Input(word) => add(context, "input", word)?,
                Step::Output(word) => add(context, "output", word)?,
                Step::Set(value) => context.set("output", value.clone())?,
                Step::Double => context.write("output", context.read::<i64>("output")? * 2)?,
                Step::Next => context.next().await?,
                Step::NextOrNot => drop(context.next().await),
                Step::Retry(times) => retry(context, *times).await?,
                Step::Finish => flow = Flow::Finish,
                Step::Fail(code) => return Err(Failure::new(code.as_str(), "it was told to fail")),
                Step::Break => broken(),
                Step::Publish(topic) => drop(context.publish(topic, &"hello")?),
                Step::Count => context.write("output", self.count.fetch_add(1, Ordering::Relaxed) + 1)?,
                Step::Call(target, method) => {
                    context.set("output", context.call(target, method, &Value::Null).await?)?;
                }
                Step::CallWithin(milliseconds, target, method) => {
                    let time = Duration::from_millis(*milliseconds);
                    let answer = context.call_within(time, target, method, &Value::Null).await?;
                    context.set("output", answer)?;
                }
                Step::Relay(target, method) => {
                    let time = Duration::from_secs(5);
                    context.set("output", context.relay(time, target, method, &Value::Null).await?)?;
                }
                Step::Sleep(milliseconds) => context.sleep(Duration::from_millis(*milliseconds)).await,
                Step::Cast(target, method) => context.cast(target, method, &Value::Null)?,
                Step::Emit(piece) => context.emit(piece).await?,
                Step::Streamed => context.write("output", context.is_streamed())?,
                Step::Caller => context.write("output", context.caller())?,
                Step::Exit => context.exit(),
                Step::ExitWith(code) => context.exit_with(Failure::new(code.as_str(), "it cannot go on")),
                Step::Note(path) => {
                    let value = context.get(path)?.unwrap_or_default();
                    self.notes().push(value);
                }
            }
        }
        Ok(flow)
    }

    fn notes(&self) -> std::sync::MutexGuard<'_, Vec<Value>> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn retry(context: &Context, times: usize) -> Result<()> {
    let mut answer = context.next().await;
    for _ in 1..times {
        if answer.is_ok() {
            break;
        }
        answer = context.next().await;
    }
    answer
}

fn add(context: &Context, path: &str, word: &str) -> Result<()> {
    let mut words: Vec<String> = context.read::<Option<_>>(path)?.unwrap_or_default();
    words.push(word.into());
    context.write(path, words)
}

#[expect(clippy::panic, reason = "that is what it is for")]
fn broken() {
    panic!("it was told to break");
}

#[cfg(target_family = "wasm")]
mod component {
    use super::{MANIFEST, Script};

    #[allow(unsafe_code, reason = "naming a section is unsafe, and how the manifest gets into the component")]
    #[unsafe(link_section = "tapline:manifest")]
    #[used]
    static SECTION: [u8; MANIFEST.len()] = *MANIFEST.as_bytes().first_chunk().unwrap();

    tapline_pdk::export_lifecycle!(Script);
    tapline_pdk::export_before!(Script);
    tapline_pdk::export_after!(Script);
    tapline_pdk::export_around!(Script);
    tapline_pdk::export_replace!(Script);
    tapline_pdk::export_answer!(Script);
    tapline_pdk::export_listener!(Script);
    tapline_pdk::export_handler!(Script);
    tapline_pdk::export_health!(Script);
    tapline_pdk::export_state!(Script);
}
