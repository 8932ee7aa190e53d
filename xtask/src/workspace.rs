use std::collections::BTreeSet;

use anyhow::{Context, Result};
use cargo_metadata::camino::{Utf8Path, Utf8PathBuf};
use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package, PackageId};
use tapline_build::rust::TARGET;

/// What cargo knows about this repository.
#[derive(Debug)]
pub(crate) struct Workspace {
    metadata: Metadata,
}

impl Workspace {
    /// Asks cargo, and has it resolve dependencies as a guest's build does.
    pub(crate) fn read() -> Result<Self> {
        let options = ["--filter-platform".to_owned(), TARGET.to_owned()];
        let metadata = MetadataCommand::new().other_options(options).exec().context("cargo metadata")?;
        Ok(Self { metadata })
    }

    pub(crate) fn root(&self) -> &Utf8Path {
        &self.metadata.workspace_root
    }

    /// The folder of everything that concerns guests below the target folder.
    pub(crate) fn guests_target(&self) -> Utf8PathBuf {
        self.target().join("guests")
    }

    /// The folder of everything that is built.
    pub(crate) fn target(&self) -> &Utf8Path {
        &self.metadata.target_directory
    }

    pub(crate) fn members(&self) -> Vec<&Package> {
        self.metadata.workspace_packages()
    }

    pub(crate) fn has_member(&self, name: &str) -> bool {
        self.members().iter().any(|package| package.name == name)
    }

    /// The members that are built as components.
    pub(crate) fn guests(&self) -> Vec<&Package> {
        let mut guests = self.members();
        guests.retain(|package| is_guest(package));
        guests.sort_by(|one, other| one.name.cmp(&other.name));
        guests
    }

    /// The package and the members it is built from, however indirectly; what only its tests use is not among them.
    pub(crate) fn built_from(&self, package: &Package) -> Vec<&Package> {
        let mut found = BTreeSet::new();
        let mut open = vec![&package.id];
        while let Some(id) = open.pop() {
            if self.metadata.workspace_members.contains(id) && found.insert(id) {
                open.extend(self.dependencies(id));
            }
        }
        found.into_iter().map(|id| &self.metadata[id]).collect()
    }

    /// The folders that hold the sources of packages from outside.
    pub(crate) fn source_folders_outside(&self) -> BTreeSet<&Utf8Path> {
        let outside = self.metadata.packages.iter().filter(|package| package.source.is_some());
        outside.filter_map(|package| folder(package).parent()).collect()
    }

    fn dependencies(&self, id: &PackageId) -> impl Iterator<Item = &PackageId> {
        let nodes = self.metadata.resolve.iter().flat_map(|resolve| &resolve.nodes);
        nodes
            .filter(move |node| node.id == *id)
            .flat_map(|node| &node.deps)
            .filter(|dependency| dependency.dep_kinds.iter().any(|dep| dep.kind == DependencyKind::Normal))
            .map(|dependency| &dependency.pkg)
    }
}

/// The folder of a package's `Cargo.toml`.
pub(crate) fn folder(package: &Package) -> &Utf8Path {
    package.manifest_path.parent().unwrap_or(&package.manifest_path)
}

/// Whether `[package.metadata.tapline] guest = true` stands in the package's `Cargo.toml`.
pub(crate) fn is_guest(package: &Package) -> bool {
    package.metadata["tapline"]["guest"] == true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cargo_run_without_a_package_runs_the_command() {
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml");
        let metadata = MetadataCommand::new().manifest_path(root).no_deps().exec().unwrap();
        let default = metadata.workspace_default_packages();
        assert_eq!(default.iter().map(|package| package.name.as_str()).collect::<Vec<_>>(), ["tapline-cli"]);
    }
}
