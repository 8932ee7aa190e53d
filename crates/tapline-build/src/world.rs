use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use tapline_core::{HookKind, Manifest};

use crate::project::write_if_changed;
use crate::{BuildError, Sdk};

/// The name of the world that a component is made for.
pub(crate) const WORLD: &str = "component";

/// What a component imports and exports, by the names of the contract's interfaces: no more than its manifest says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct World {
    /// `types` is not among them; it comes with the others.
    pub(crate) imports: Vec<&'static str>,
    pub(crate) exports: Vec<&'static str>,
}

impl World {
    pub(crate) fn of(manifest: &Manifest) -> Self {
        let asked = &manifest.requires;
        let imports = [
            ("context", true),
            ("chain", true),
            ("stream", true),
            ("log", true),
            ("life", true),
            ("peers", !asked.call.is_empty()),
            ("events", !asked.events.publish.is_empty()),
            ("files", !asked.fs.is_empty()),
            ("clock", asked.clock.is_some()),
            ("random", asked.random),
            ("http", !asked.http.is_empty()),
        ];
        let has = |kind| manifest.hooks.iter().any(|hook| hook.kind == kind);
        let exports = [
            ("lifecycle", true),
            ("before", has(HookKind::Before)),
            ("after", has(HookKind::After)),
            ("around", has(HookKind::Around)),
            ("replace", has(HookKind::Replace)),
            ("answer", has(HookKind::Answer)),
            ("listener", !manifest.subscriptions.is_empty()),
            ("handler", !manifest.provides.is_empty()),
            ("health", manifest.plugin.health),
            ("state", manifest.plugin.state),
        ];
        Self { imports: chosen(&imports), exports: chosen(&exports) }
    }

    /// Writes the contract and this world of it into a folder, which it answers with.
    pub(crate) fn write(&self, sdk: &Sdk, scratch: &Path) -> Result<PathBuf, BuildError> {
        let folder = scratch.join("wit");
        let contract = sdk.contract().join("plugin.wit");
        let text = std::fs::read(&contract).map_err(|source| BuildError::File { path: contract, source })?;
        write_if_changed(&folder.join("plugin.wit"), &text)?;
        write_if_changed(&folder.join("component.wit"), self.text().as_bytes())?;
        Ok(folder)
    }

    fn text(&self) -> String {
        // Some of the names are words of the language, too.
        let mut text = format!("package tapline:plugin@{};\nworld {WORLD} {{\n", tapline_core::CONTRACT);
        let lines = self.imports.iter().map(|name| ("import", name));
        for (word, name) in lines.chain(self.exports.iter().map(|name| ("export", name))) {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "    {word} %{name};");
        }
        text.push_str("}\n");
        text
    }
}

fn chosen(names: &[(&'static str, bool)]) -> Vec<&'static str> {
    names.iter().filter(|(_, is_chosen)| *is_chosen).map(|(name, _)| *name).collect()
}
