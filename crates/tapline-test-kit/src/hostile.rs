use std::fs;
use std::io;

use tempfile::TempDir;

const MANIFEST: &str = include_str!("../../../tests/guests/hostile/plugin.toml");
const COMPONENT: &[u8] = include_bytes!("../../../tests/guests/hostile/plugin.wasm");

/// A package of the plugin `hostile`, which does harm in each way that a sandboxed plugin can, so that an application can
/// see what becomes of it: load it beside others, and call its methods.
///
/// `spin` computes without end, `host_calls` does so in calls of the host, `grow` leaks memory, `recurse` and `trap`
/// break, `events` and `log` flood, `errors` answers with 4 MiB; with the configuration `{ "never_stops": true }` it
/// never returns from `stop`. It asks for leave to publish events of the topic `flood`.
///
/// The package lies in a temporary folder, which goes when this is dropped.
///
/// # Errors
/// When there is no place for temporary files.
pub fn hostile() -> io::Result<TempDir> {
    let folder = tempfile::tempdir()?;
    fs::write(folder.path().join("plugin.toml"), MANIFEST)?;
    fs::write(folder.path().join("plugin.wasm"), COMPONENT)?;
    Ok(folder)
}
