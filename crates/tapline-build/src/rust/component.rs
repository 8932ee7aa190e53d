use wasmparser::{BinaryReaderError, Parser, Payload};
use wit_component::ComponentEncoder;

use crate::{Artifact, BuildError, Built};

/// Where the PDK's macro leaves the text of the manifest.
const SECTION: &str = "tapline:manifest";

impl Built {
    /// Makes a component of a core module that the PDK was compiled into; the manifest is taken out of it.
    ///
    /// # Errors
    ///
    /// When it is no such module.
    pub fn from_core_module(module: &[u8]) -> Result<Self, BuildError> {
        let (manifest, rest) = take_section(module).map_err(|error| not_made("the core module", error))?;
        if manifest.is_empty() {
            let what = "nothing in it declares a plugin: an `impl` block under `#[plugin]` does";
            return Err(BuildError::not_a_plugin(what));
        }
        let manifest = String::from_utf8(manifest).map_err(|error| not_made("the manifest", error))?;
        manifest.parse::<toml::Table>().map_err(|error| not_made("the manifest", error))?;
        let encoder = ComponentEncoder::default().module(&rest);
        let encoded = encoder.and_then(|encoder| encoder.validate(true).encode());
        let component = encoded.map_err(|error| not_made("the component", format!("{error:#}")))?;
        Ok(Self { manifest, artifact: Artifact::Component(component) })
    }
}

fn not_made(what: &str, why: impl std::fmt::Display) -> BuildError {
    BuildError::not_a_plugin(format!("{what}: {why}"))
}

/// What the section holds, and the module without it.
fn take_section(module: &[u8]) -> Result<(Vec<u8>, Vec<u8>), BinaryReaderError> {
    let (mut taken, mut rest) = (Vec::new(), Vec::new());
    let mut start = 0;
    for payload in Parser::new(0).parse_all(module) {
        let payload = payload?;
        let end = match &payload {
            Payload::Version { range, .. } => range.end,
            section => match section.as_section() {
                Some((_, range)) => range.end,
                None => continue,
            },
        };
        match payload {
            Payload::CustomSection(section) if section.name() == SECTION => taken.extend(section.data()),
            _ => rest.extend(&module[start..end]),
        }
        start = end;
    }
    Ok((taken, rest))
}

#[cfg(test)]
mod tests;
