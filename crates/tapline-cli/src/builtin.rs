use std::path::Path;

use anyhow::Result;
use tapline::core::Manifest;
use tapline::host::PluginInfo;
use tapline::{Load, Loader, NativePlugin, Value};
use tapline_pdk::native;
use tapline_plugin_python_bridge::Interpreter;

/// A plugin that the command brings.
#[derive(Clone)]
pub(crate) enum Builtin {
    /// One that is linked in.
    Native(NativePlugin),
    /// One that runs in the sandbox, as a package whose manifest names no files of schemas.
    Package {
        /// `plugin.toml`.
        manifest: &'static str,
        /// `plugin.wasm`.
        component: &'static [u8],
    },
}

/// The plugins that the command brings.
pub(crate) fn all() -> Vec<Builtin> {
    vec![
        Builtin::Native(native::<tapline_plugin_io::Io>()),
        Builtin::Native(native::<tapline_plugin_transform::Transform>()),
        Builtin::Native(native::<tapline_plugin_chat::Chat>()),
        Builtin::Native(native::<tapline_plugin_echo::Echo>()),
        package!("openai"),
        Builtin::Native(native::<tapline_plugin_python_bridge::PythonBridge>()),
        Builtin::Native(native::<tapline_plugin_schema::SchemaValidator>()),
        Builtin::Native(native::<tapline_plugin_telemetry::Telemetry>()),
        Builtin::Native(native::<tapline_plugin_timer::Timer>()),
    ]
}

/// The plugin that provides Python, with the version of the interpreter that its configuration names; `None` where there is
/// none, which it tells when it is started.
pub(crate) fn python(config: &Value) -> Option<Builtin> {
    let named = config.get("interpreter").and_then(Value::as_str);
    let interpreter = Interpreter::find(named).ok()?;
    Some(Builtin::Native(tapline_plugin_python_bridge::of(&interpreter)))
}

/// A package of `plugins/`, as it is committed.
macro_rules! package {
    ($name:literal) => {
        Builtin::Package {
            manifest: include_str!(concat!("../../../plugins/", $name, "/plugin.toml")),
            component: include_bytes!(concat!("../../../plugins/", $name, "/plugin.wasm")),
        }
    };
}
use package;

impl Builtin {
    pub(crate) fn manifest(&self) -> Result<Manifest> {
        Ok(match self {
            Self::Native(plugin) => Loader::native(plugin)?,
            Self::Package { manifest, .. } => Loader::parse(Path::new(NOWHERE), manifest)?,
        })
    }

    pub(crate) fn load(&self) -> Result<Load> {
        Ok(match self {
            Self::Native(plugin) => Load::native(plugin.clone()),
            Self::Package { manifest, component } => {
                let files = [
                    (Loader::MANIFEST.to_owned(), manifest.as_bytes().to_vec()),
                    (Loader::ARTIFACT.to_owned(), component.to_vec()),
                ];
                Load::package(Loader::read_files(Path::new(NOWHERE), &files.into())?.0).own_authority()
            }
        })
    }
}

/// The folder that a plugin came from; `None` where the command brings it.
pub(crate) fn folder(plugin: &PluginInfo) -> Option<&Path> {
    plugin.folder.as_deref().filter(|folder| *folder != Path::new(NOWHERE))
}

/// Stands for the folder of a package that has none.
const NOWHERE: &str = "(built in)";
