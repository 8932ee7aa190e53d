use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;
use tapline_core::{CONTRACT, Manifest};

use crate::BuildError;

/// What an SDK prints of what a plugin declares.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Printed {
    Error { error: String },
    Manifest { manifest: Value, places: BTreeMap<String, String> },
}

/// The manifest that a plugin declares, from what its SDK prints; `folder` is that of its source.
///
/// # Errors
///
/// When it makes no sense, with the line where that stands.
pub(crate) fn manifest(printed: &[u8], folder: &Path) -> Result<Manifest, BuildError> {
    let printed = serde_json::from_slice(printed)
        .map_err(|error| BuildError::not_a_plugin(format!("what it declares cannot be read: {error}")))?;
    let mistake = |what: String| BuildError::Declaration { what: without_folder(&what, folder) };
    match printed {
        Printed::Error { error } => Err(mistake(error)),
        Printed::Manifest { mut manifest, places } => {
            if let Some(about) = manifest.get_mut("plugin").and_then(Value::as_object_mut) {
                about.insert("host".into(), format!("^{CONTRACT}").into());
                about.entry("runtime").or_insert_with(|| "wasm".into());
            }
            read(manifest).map_err(|(path, what)| mistake(located(&path, &what, &places)))
        }
    }
}

/// The text of `plugin.toml`.
///
/// # Errors
///
/// When it cannot be written as TOML, as it is with a `null` in it.
pub(crate) fn text(manifest: &Manifest) -> Result<String, BuildError> {
    toml::to_string(manifest).map_err(|error| BuildError::not_a_plugin(format!("its manifest: {error}")))
}

/// The manifest, or a place within it and what is wrong there.
fn read(declared: Value) -> Result<Manifest, (String, String)> {
    let manifest: Manifest = serde_path_to_error::deserialize(declared)
        .map_err(|error| (error.path().to_string(), error.into_inner().to_string()))?;
    let mistakes = manifest.hooks.iter().enumerate();
    let mistake =
        mistakes.filter_map(|(place, hook)| Some((format!("hook[{place}]"), hook.mistake()?))).next();
    mistake.map_or(Ok(manifest), Err)
}

/// A mistake with the line of the innermost part of the manifest that has one.
fn located(path: &str, what: &str, places: &BTreeMap<String, String>) -> String {
    let parts = places.iter().filter(|(part, _)| {
        path.strip_prefix(part.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    });
    match parts.max_by_key(|(part, _)| part.len()) {
        Some((part, place)) => {
            let key = path.strip_prefix(part.as_str()).unwrap_or(path).trim_start_matches('.');
            let key = if key.is_empty() { String::new() } else { format!("`{key}`: ") };
            format!("{place}: {key}{what}")
        }
        None => format!("`{path}`: {what}"),
    }
}

/// A text that names files as they are called in the folder of the source.
fn without_folder(text: &str, folder: &Path) -> String {
    let mut text = text.to_owned();
    let real = folder.canonicalize();
    for folder in real.iter().map(std::path::PathBuf::as_path).chain([folder]) {
        text = text.replace(&format!("{}{}", folder.display(), std::path::MAIN_SEPARATOR), "");
    }
    text
}

#[cfg(test)]
mod tests;
