use semver::Version;
use tapline_core::{CONTRACT, Grants, HookKind, LoadError, Manifest, Package, RuntimeKind};
use wasmparser::{BinaryReaderError, Encoding, Parser, Payload};

/// What a component imports and exports, read from its bytes before anything is compiled.
///
/// With it, an application can tell what a component would need before it has a manifest or a grant for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interfaces {
    imports: Vec<String>,
    exports: Vec<String>,
}

/// Bytes that are no component.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NoComponent(String);

const PACKAGE: &str = "tapline:plugin/";
/// So many imports and exports are read: each is a name that is kept.
const MOST_NAMES: usize = 10_000;
/// Components and modules may stand so deep in each other.
const DEEPEST: usize = 100;

impl Interfaces {
    /// Reads the imports and exports of a component, in the order in which they stand, and not those of what it is
    /// made of. It takes time in the size of the bytes, and little memory, whatever they are.
    ///
    /// That they can be read does not mean that the component is valid.
    ///
    /// # Errors
    /// When the bytes are no component, or not as far as can be seen from outside.
    pub fn of(component: &[u8]) -> Result<Self, NoComponent> {
        let mut interfaces = Self { imports: Vec::new(), exports: Vec::new() };
        let mut depth = 0_usize;
        for payload in Parser::new(0).parse_all(component) {
            match payload? {
                Payload::Version { encoding: Encoding::Module, .. } if depth == 0 => {
                    return Err(NoComponent("it is a core module, and not a component".into()));
                }
                Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
                Payload::End(_) => depth = depth.saturating_sub(1),
                Payload::ComponentImportSection(section) if depth == 0 => {
                    let names = section.into_iter().map(|import| Ok(import?.name.name));
                    add(&mut interfaces.imports, names)?;
                }
                Payload::ComponentExportSection(section) if depth == 0 => {
                    let names = section.into_iter().map(|export| Ok(export?.name.name));
                    add(&mut interfaces.exports, names)?;
                }
                _ => {}
            }
            if depth > DEEPEST {
                return Err(NoComponent(format!(
                    "more than {DEEPEST} modules or components stand in each other"
                )));
            }
        }
        Ok(interfaces)
    }

    /// The names of what it imports, as in `tapline:plugin/log@1.0.0`.
    #[must_use]
    pub fn imports(&self) -> &[String] {
        &self.imports
    }

    /// The names of what it exports.
    #[must_use]
    pub fn exports(&self) -> &[String] {
        &self.exports
    }

    /// Compares a component with its manifest, as if all were granted that this asks for. Nothing is compiled.
    ///
    /// # Errors
    /// When it is no component, imports more than the manifest asks for, does not export what the manifest declares, or
    /// was built for another contract.
    pub fn inspect(package: &Package) -> Result<(), LoadError> {
        let manifest = &package.manifest;
        // What is no component is for another to look at.
        if manifest.plugin.runtime != RuntimeKind::Wasm {
            return Ok(());
        }
        let broken = |error: NoComponent| LoadError::Broken {
            plugin: manifest.id().to_string(),
            reason: error.to_string(),
        };
        Self::of(&package.artifact).map_err(broken)?.check(manifest, &manifest.requires)
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

fn add<'a>(
    kept: &mut Vec<String>,
    names: impl Iterator<Item = Result<&'a str, BinaryReaderError>>,
) -> Result<(), NoComponent> {
    for name in names {
        if kept.len() == MOST_NAMES {
            return Err(NoComponent(format!("it imports or exports more than {MOST_NAMES} names")));
        }
        kept.push(name?.to_owned());
    }
    Ok(())
}

impl From<BinaryReaderError> for NoComponent {
    fn from(error: BinaryReaderError) -> Self {
        Self(error.to_string())
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

#[cfg(test)]
mod tests;
