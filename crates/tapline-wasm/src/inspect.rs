use semver::Version;
use tapline_core::{CONTRACT, Grants, HookKind, LoadError, Manifest};
use wasmparser::{Encoding, Parser, Payload};

/// The interfaces that a component imports and exports, read from its bytes before anything is compiled.
pub(crate) struct Interfaces {
    imports: Vec<String>,
    exports: Vec<String>,
}

const PACKAGE: &str = "tapline:plugin/";

impl Interfaces {
    /// Reads the outermost imports and exports of a component.
    pub(crate) fn of(manifest: &Manifest, artifact: &[u8]) -> Result<Self, LoadError> {
        let broken = |reason: String| LoadError::Broken { plugin: manifest.id().to_string(), reason };
        let mut interfaces = Self { imports: Vec::new(), exports: Vec::new() };
        let mut depth = 0_usize;
        for payload in Parser::new(0).parse_all(artifact) {
            match payload.map_err(|error| broken(error.to_string()))? {
                Payload::Version { encoding: Encoding::Module, .. } if depth == 0 => {
                    return Err(broken("it is a core module, and not a component".into()));
                }
                Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
                Payload::End(_) => depth = depth.saturating_sub(1),
                Payload::ComponentImportSection(section) if depth == 0 => {
                    for import in section {
                        interfaces
                            .imports
                            .push(import.map_err(|error| broken(error.to_string()))?.name.name.to_owned());
                    }
                }
                Payload::ComponentExportSection(section) if depth == 0 => {
                    for export in section {
                        interfaces
                            .exports
                            .push(export.map_err(|error| broken(error.to_string()))?.name.name.to_owned());
                    }
                }
                _ => {}
            }
        }
        Ok(interfaces)
    }

    /// Compares the component with its manifest and its grants.
    pub(crate) fn check(&self, manifest: &Manifest, grants: &Grants) -> Result<(), LoadError> {
        for name in self.imports.iter().chain(&self.exports).filter(|name| name.starts_with(PACKAGE)) {
            check_version(manifest, name)?;
        }
        for import in &self.imports {
            let interface = interface(import);
            if interface.is_none_or(|interface| !may_import(interface, grants)) {
                return Err(LoadError::NotGranted {
                    plugin: manifest.id().to_string(),
                    import: import.clone(),
                });
            }
        }
        for (needed, declared) in needed(manifest) {
            if !self.exports.iter().any(|export| interface(export) == Some(needed)) {
                let missing = format!("{PACKAGE}{needed}");
                return Err(LoadError::Missing { plugin: manifest.id().to_string(), declared, missing });
            }
        }
        Ok(())
    }
}

/// Whether the host links an interface of the contract for a plugin.
pub(crate) fn may_import(interface: &str, grants: &Grants) -> bool {
    match interface {
        // `next` outside of an around hook answers that there is none.
        "types" | "context" | "stream" | "log" | "life" | "chain" => true,
        "peers" => !grants.call.is_empty(),
        "events" => !grants.events.publish.is_empty(),
        "files" => !grants.fs.is_empty(),
        "clock" => grants.clock.is_some(),
        "random" => grants.random,
        "http" => !grants.http.is_empty(),
        _ => false,
    }
}

/// The interfaces that the manifest's declarations need, each with the declaration.
fn needed(manifest: &Manifest) -> Vec<(&'static str, String)> {
    let mut needed = vec![("lifecycle", "a plugin".to_owned())];
    for hook in &manifest.hooks {
        let interface = match hook.kind {
            HookKind::Before => "before",
            HookKind::After => "after",
            HookKind::Around => "around",
            HookKind::Replace => "replace",
            HookKind::Answer => "answer",
        };
        needed.push((interface, format!("the {} hook `{}`", hook.kind, hook.name)));
    }
    let subscriptions = manifest.subscriptions.iter();
    needed.extend(subscriptions.map(|one| ("listener", format!("the subscription `{}`", one.name))));
    needed
        .extend(manifest.provides.iter().map(|one| ("handler", format!("`{}` at `{}`", one.key, one.point))));
    needed.extend(manifest.plugin.health.then(|| ("health", "`health`".to_owned())));
    needed.extend(manifest.plugin.state.then(|| ("state", "`state`".to_owned())));
    needed
}

/// The interface's name within the contract.
fn interface(name: &str) -> Option<&str> {
    let rest = name.strip_prefix(PACKAGE)?;
    Some(rest.split_once('@').map_or(rest, |(interface, _)| interface))
}

fn check_version(manifest: &Manifest, name: &str) -> Result<(), LoadError> {
    let found = name.split_once('@').map_or("without a version", |(_, version)| version);
    let fits = Version::parse(found).is_ok_and(|version| {
        version.major == CONTRACT.major && (version.minor, version.patch) <= (CONTRACT.minor, CONTRACT.patch)
    });
    if fits {
        return Ok(());
    }
    Err(LoadError::Contract { plugin: manifest.id().to_string(), found: found.to_owned() })
}
