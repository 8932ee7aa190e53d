use std::path::PathBuf;

use anyhow::{Context as _, Result};
use tapline::WasmRuntime;
use tapline::wasm::{EngineError, Jail};

use crate::arguments::COMPILE;
use crate::output::Output;

/// What runs sandboxed plugins: it compiles them in a process of this command's own, each once for this user.
pub(crate) fn sandbox() -> Result<WasmRuntime> {
    let program = std::env::current_exe().context("this command does not find itself")?;
    let jailed = || WasmRuntime::builder().jail(Jail::new(&program, [COMPILE]));
    let Some(folder) = folder() else { return Ok(jailed().build()?) };
    match jailed().cache(folder).build() {
        Err(EngineError::Cache(reason)) => {
            Output::Error.line(format_args!("warning: plugins are compiled anew each time: {reason}"));
            Ok(jailed().build()?)
        }
        built => Ok(built?),
    }
}

/// Where compiled plugins are kept.
fn folder() -> Option<PathBuf> {
    dirs::cache_dir().map(|folder| folder.join("tapline").join("components"))
}
