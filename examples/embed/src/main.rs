//! An application that plugins extend while it runs: it greets people, and knows nothing of pipelines.
//!
//! `cargo run -p embed`

use std::error::Error;
use std::path::Path;

use serde::{Deserialize, Serialize};
use tapline::{HookError, HookPoint, Host, Load, Payload, WasmRuntime};

/// Whom to greet: what plugins see as `input`.
#[derive(Serialize, Deserialize)]
struct Person {
    name: String,
}

impl Payload for Person {}

/// The operation that plugins may join in.
async fn greet(point: &HookPoint<Person, String>, name: &str) -> Result<String, HookError> {
    let person = Person { name: name.into() };
    point.call(person, |person: Person| async move { Ok(format!("Hello, {}", person.name)) }).await
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let plugins = Path::new(env!("CARGO_MANIFEST_DIR")).join("plugins");
    let host = Host::builder().runtime(WasmRuntime::new()?).build();
    let point = host.hook_point("greet")?;

    println!("no plugin:    {}", greet(&point, " Ada ").await?);

    let cheer = host.load(Load::folder(plugins.join("cheer-1"))).await?;
    println!("version 1:    {}", greet(&point, " Ada ").await?);

    host.unload(cheer.as_str()).await?;
    println!("unloaded:     {}", greet(&point, " Ada ").await?);

    host.load(Load::folder(plugins.join("cheer-2"))).await?;
    println!("version 2:    {}", greet(&point, " Ada ").await?);

    for plugin in host.plugins() {
        let about = &plugin.manifest.plugin;
        println!("loaded:       {} {} ({}): {}", about.id, about.version, about.runtime, about.description);
    }
    host.shut_down().await?;
    Ok(())
}
