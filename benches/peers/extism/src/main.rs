//! What Extism takes, by the figure: each line that is read names one, and a line of JSON answers it.
//!
//! `call`, `hop BYTES THREADS`, `instance`, `load`, `load cached` in nanoseconds, and `memory` in bytes.

use std::hint::black_box;
use std::io;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use extism::{CompiledPlugin, Manifest, Plugin, PluginBuilder, Wasm};
use serde_json::json;

#[path = "../../../src/timing.rs"]
#[allow(dead_code)]
mod timing;
#[path = "../../../src/memory.rs"]
mod memory;

use timing::{Figure, figure, figure_of_threads};

const GUEST: &[u8] = include_bytes!("../guest/plugin.wasm");
/// 64 MiB, in pages of a sandbox's memory.
const MEMORY: u32 = 1024;
/// So many instances tell what one needs.
const IDLE: usize = 50;

fn main() -> Result<()> {
    let compiled = builder().with_cache_disabled().compile()?;
    for line in io::stdin().lines() {
        let name = line?;
        let Figure { value, spread } = measure(&compiled, &name)?;
        println!("{}", json!({ "name": name, "value": value, "spread": spread }));
    }
    Ok(())
}

fn measure(compiled: &CompiledPlugin, name: &str) -> Result<Figure> {
    Ok(match *name.split(' ').collect::<Vec<_>>() {
        ["call"] => call(&mut fresh(compiled)),
        ["hop", bytes, threads] => hop(compiled, bytes.parse()?, threads.parse()?)?,
        ["instance"] => figure(|| drop(fresh(compiled))),
        ["load"] => figure(|| drop(fresh(&builder().with_cache_disabled().compile().unwrap()))),
        ["load", "cached"] => load_cached()?,
        ["memory"] => memory::of_each(IDLE, || fresh(compiled)),
        _ => bail!("there is no figure `{name}`"),
    })
}

/// As an application would: with its limits on, and without WASI, which the guest does not need.
fn builder() -> PluginBuilder<'static> {
    let manifest =
        Manifest::new([Wasm::data(GUEST)]).with_memory_max(MEMORY).with_timeout(Duration::from_secs(30));
    PluginBuilder::new(manifest).with_wasi(false)
}

fn fresh(compiled: &CompiledPlugin) -> Plugin {
    Plugin::new_from_compiled(compiled).unwrap()
}

fn call(plugin: &mut Plugin) -> Figure {
    figure(|| plugin.call::<(), ()>("nothing", ()).unwrap())
}

/// The hook, on as many threads, each with an instance that is used again.
fn hop(compiled: &CompiledPlugin, bytes: usize, threads: usize) -> Result<Figure> {
    let context = context(bytes);
    let expected = context.replacen("hello", "jello", 1);
    let hop = |plugin: &mut Plugin| {
        black_box(plugin.call::<&str, &str>("hop", &context).unwrap());
    };
    let mut first = fresh(compiled);
    if first.call::<&str, &str>("hop", &context)? != expected {
        bail!("the hook does something else");
    }
    if threads == 1 {
        return Ok(figure(|| hop(&mut first)));
    }
    let plugins = (0..threads).map(|_| fresh(compiled));
    let mut threads: Vec<_> =
        plugins.map(|mut plugin| move |calls: u32| (0..calls).for_each(|_| hop(&mut plugin))).collect();
    Ok(figure_of_threads(&mut threads))
}

/// A context of so many bytes, 16 at least, as JSON.
fn context(bytes: usize) -> String {
    let small = r#"{"text":"hello"}"#;
    let more = r#"{"text":"hello","body":""}"#;
    match bytes.checked_sub(more.len()) {
        Some(rest) => more.replace(r#"body":""#, &format!(r#"body":"{}"#, "x".repeat(rest))),
        None => small.to_owned(),
    }
}

/// With everything on disk that Extism keeps there.
fn load_cached() -> Result<Figure> {
    let settings = std::env::current_exe()?.with_file_name("cache.toml");
    std::fs::write(&settings, format!("[cache]\ndirectory = {:?}\n", settings.with_file_name("cache")))?;
    let load = || builder().with_cache_config(&settings).compile().map(|compiled| fresh(&compiled));
    load().context("the cache")?;
    Ok(figure(|| drop(load().unwrap())))
}
