//! Python is there for as long as a plugin needs it.

use tapline::host::UnloadError;
use tapline::{Host, Load, NativePlugin, Value};
use tapline_pdk::native;
use tapline_plugin_python_bridge::{Interpreter, PythonBridge, of};
use tapline_test_kit::Rig;

/// An interpreter, where there is one.
fn interpreter() -> Option<Interpreter> {
    let found = Interpreter::find(None);
    if let Err(error) = &found {
        eprintln!("skipped: {error}");
    }
    found.ok()
}

/// What needs Python, whatever it is made of.
fn dependent(version: &str) -> Load {
    let echo = native::<tapline_plugin_echo::Echo>();
    let need = format!("depends_on = [{{ capability = \"python\", version = \"{version}\" }}]");
    Load::native(NativePlugin {
        manifest: echo.manifest.replacen("depends_on = []", &need, 1).into(),
        ..echo
    })
}

#[tokio::test]
async fn it_tells_which_interpreter_it_is() {
    let Some(interpreter) = interpreter() else { return };
    let rig = Rig::setup().load_native(native::<PythonBridge>()).await.unwrap();
    let told = rig.request("plugin", "python_bridge", "interpreter", Value::Null).await.unwrap();
    assert_eq!(told.get("version").unwrap().as_str(), Some(&*interpreter.version.to_string()));
    assert_eq!(told.get("program").unwrap().as_str(), interpreter.program.to_str());
}

#[tokio::test]
async fn what_is_no_python_is_refused_when_it_is_loaded() {
    for (program, expected) in [
        ("/nowhere/python3", "`/nowhere/python3` cannot be started"),
        ("true", "`true` does not answer as a Python does"),
    ] {
        let config = Value::from_iter([("interpreter", program.into())]);
        let error = Rig::setup().config(config).load_native(native::<PythonBridge>()).await.unwrap_err();
        let said = format!("{error:?}");
        assert!(said.contains(expected), "{said}");
    }
}

#[tokio::test]
async fn python_is_not_unloaded_while_a_plugin_needs_it_unless_that_goes_with_it() {
    let Some(interpreter) = interpreter() else { return };
    let host = Host::builder().build();
    host.load_all(vec![Load::native(of(&interpreter)), dependent(">=3.11")]).await.unwrap();

    let refused = host.unload("python_bridge").await.unwrap_err();
    let dependents = vec!["echo".into()];
    assert_eq!(refused, UnloadError::Needed { plugin: "python_bridge".into(), dependents });

    let ended = host.unload_with_dependents("python_bridge").await.unwrap();
    let ended: Vec<_> = ended.iter().map(|(id, _)| id.as_str()).collect();
    assert_eq!(ended, ["echo", "python_bridge"]);
}

#[tokio::test]
async fn a_plugin_that_needs_another_version_of_python_is_refused() {
    let Some(interpreter) = interpreter() else { return };
    let host = Host::builder().build();
    let refused = host.load_all(vec![Load::native(of(&interpreter)), dependent("<3")]).await.unwrap_err();
    assert!(format!("{refused}").contains("python"), "{refused}");
}
