use anyhow::{Context, Result, ensure};
use wasmparser::{Parser, Payload};
use wit_component::ComponentEncoder;

/// Where the PDK's macro leaves the text of the manifest.
const SECTION: &str = "tapline:manifest";

/// What a guest's core module becomes.
#[derive(Debug)]
pub(crate) struct Component {
    /// The text of the manifest, in TOML.
    pub(crate) manifest: String,
    /// The component, which no longer contains the manifest.
    pub(crate) bytes: Vec<u8>,
}

impl Component {
    pub(crate) fn from_core_module(module: &[u8]) -> Result<Self> {
        let (manifest, rest) = take_section(module)?;
        ensure!(
            !manifest.is_empty(),
            "no section `{SECTION}`: a guest declares itself with the macro of tapline-pdk"
        );
        let manifest = String::from_utf8(manifest).context("the manifest")?;
        manifest.parse::<toml::Table>().context("the manifest")?;
        let encoder = ComponentEncoder::default().module(&rest).context("the core module")?;
        let bytes = encoder.validate(true).encode().context("the component")?;
        Ok(Self { manifest, bytes })
    }
}

/// What the section holds, and the module without it.
fn take_section(module: &[u8]) -> Result<(Vec<u8>, Vec<u8>)> {
    let (mut taken, mut rest) = (Vec::new(), Vec::new());
    let mut start = 0;
    for payload in Parser::new(0).parse_all(module) {
        let payload = payload.context("the core module")?;
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
