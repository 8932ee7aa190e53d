use tapline_pdk::prelude::*;
use tapline_pdk::{NativePlugin, native};

use crate::interpreter::{Interpreter, InterpreterError, OLDEST};

/// The plugin.
#[derive(Debug)]
pub struct PythonBridge(Interpreter);

/// Which interpreter is provided.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Config {
    /// The program; `python3` of the path unless said.
    interpreter: Option<String>,
}

#[plugin(id = "python_bridge", capabilities = [{ name = "python", version = "3.11.0" }])]
impl PythonBridge {
    #[init]
    fn init(config: Config) -> Result<Self> {
        Interpreter::find(config.interpreter.as_deref()).map(Self).map_err(|error| unusable(&error))
    }

    /// Which interpreter it is.
    #[provides(point = "plugin", key = "python_bridge", method = "interpreter")]
    async fn interpreter(&self, _context: &Context) -> Result<Value> {
        let Self(Interpreter { program, version }) = self;
        let program = program.to_string_lossy().into_owned();
        Ok(Value::from_iter([("program", program.into()), ("version", version.to_string().into())]))
    }
}

fn unusable(error: &InterpreterError) -> Failure {
    Failure::new("no-python", error.to_string())
}

/// The plugin with the version of this interpreter, instead of the oldest that will do.
#[must_use]
pub fn of(interpreter: &Interpreter) -> NativePlugin {
    let plugin = native::<PythonBridge>();
    let version = |version| format!("\"{version}\"");
    let manifest = plugin.manifest.replace(&version(&OLDEST), &version(&interpreter.version));
    NativePlugin { manifest: manifest.into(), ..plugin }
}
