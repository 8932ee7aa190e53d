//! What plugins ask for by way of their configuration, and whether it is granted.

use anyhow::{Result, bail};
use tapline::Value;
use tapline::core::Manifest;
use tapline::host::Settings;
use tapline::pipeline::{Definition, KnownPlugin};

use crate::candidates::policy;
use crate::lock::granted;
use crate::project::Project;

/// What is to be said of a plugin with the configuration that a pipeline gives it.
pub(crate) struct Judged {
    /// What it asks for and is refused, a sentence each.
    pub(crate) refused: Vec<String>,
    /// The lines of the settings that would allow it.
    pub(crate) leave: Option<String>,
}

/// Looks at what a plugin asks for with a configuration; `None` where the configuration does not name what it has to,
/// which [`refuse`] tells without repeating what it says.
pub(crate) fn judged(plugin: &KnownPlugin, config: &Value, settings: &Settings) -> Option<Judged> {
    let requires = plugin.manifest.requires.resolved(config).ok()?;
    let settled = Manifest { requires, ..Manifest::clone(&plugin.manifest) };
    let policy = policy(&plugin.origin, &settled, settings.policy());
    let unknown = secrets_without_value(plugin, &settled, settings);
    let told = unknown.iter().map(|name| format!("secret `{name}` is not under `[secrets]` in tapline.toml"));
    let refused = policy.refused(&settled).iter().map(ToString::to_string).chain(told).collect();
    let references: String =
        unknown.iter().map(|name| format!("{name} = {{ env = \"{}\" }}\n", variable(name))).collect();
    let references = (!references.is_empty()).then(|| format!("[secrets]\n{references}"));
    let leave: Vec<_> = policy.leave(&settled).into_iter().chain(references).collect();
    Some(Judged { refused, leave: (!leave.is_empty()).then(|| leave.join("\n")) })
}

/// The secrets that the configuration names and the settings do not.
fn secrets_without_value<'m>(
    plugin: &KnownPlugin,
    settled: &'m Manifest,
    settings: &Settings,
) -> Vec<&'m str> {
    let asked = &plugin.manifest.requires.secrets;
    let named = settled.requires.secrets.iter().map(|secret| &*secret.name);
    let mut unknown: Vec<_> = named
        .filter(|name| !asked.iter().any(|secret| secret.name == *name) && !settings.names_secret(name))
        .collect();
    unknown.sort_unstable();
    unknown.dedup();
    unknown
}

/// A variable of the environment that may hold a secret of this name.
fn variable(name: &str) -> String {
    name.to_ascii_uppercase().replace('-', "_")
}

/// Refuses a pipeline whose configuration of a plugin does not name what the plugin asks for.
pub(crate) fn refuse(project: &Project, definition: &Definition) -> Result<()> {
    for plugin in project.plugins() {
        let is_optional = definition.plugins.get(plugin.name()).is_some_and(|entry| entry.optional);
        if let Err(error) = granted(project, definition, plugin)
            && !is_optional
        {
            bail!(error.context(format!("{}: nothing was run", project.file().display())));
        }
    }
    Ok(())
}
