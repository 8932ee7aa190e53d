use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use tapline_core::{Manifest, PluginId};

use crate::error::HostError;
use crate::host::Host;
use crate::load::{Artifact, Load, Readied};
use crate::loader::{Loader, ManifestError};
use crate::resolver::{Candidate, Resolution, ResolveError, Standing, resolve};
use crate::shared::Shared;

/// What lies in the folders of a host.
#[derive(Debug, Default)]
pub struct Discovered {
    /// The packages, by folder.
    pub packages: Vec<(PathBuf, Manifest)>,
    /// The folders that cannot be listed, and the packages whose manifest is wrong.
    pub errors: Vec<ManifestError>,
}

impl Host {
    /// Reads the manifests of all packages in the [folders](crate::HostBuilder::plugins) of the host, and nothing else of
    /// them.
    #[must_use]
    pub fn discover(&self) -> Discovered {
        let mut found = Discovered::default();
        for folder in &self.shared().folders {
            match Loader::discover(folder) {
                Ok(packages) => packages.into_iter().for_each(|package| found.add(package)),
                Err(error) => found.errors.push(error),
            }
        }
        found
    }

    /// Those of some plugins, and of the packages in the folders, that are to be started, in their order, when others have
    /// left. All that are asked for have to be.
    pub(crate) fn choose(
        &self,
        mut readied: Vec<Readied>,
        leaving: &BTreeSet<PluginId>,
    ) -> Result<Vec<Readied>, HostError> {
        let mut found = self.discover();
        for error in &found.errors {
            tracing::warn!(%error, "a folder of plugins, or a package in it, cannot be read");
        }
        readied.extend(found.readied());
        readied.retain(|one| !self.shared().blocked().contains(one.manifest.id()));
        for one in readied.iter_mut().filter(|one| one.standing == Standing::Wanted) {
            one.standing = Standing::Required;
        }
        let broken: Vec<_> = found.errors.iter().collect();
        let resolution = self.shared().resolve(&mut readied.iter_mut().collect::<Vec<_>>(), leaving, &broken);
        if !resolution.left_out.is_empty() {
            return Err(HostError::Resolve(resolution.reasons()));
        }
        let mut readied: Vec<_> = readied.into_iter().map(Some).collect();
        Ok(resolution.order.into_iter().filter_map(|place| readied[place].take()).collect())
    }
}

impl Discovered {
    fn add(&mut self, package: PathBuf) {
        match Loader::manifest(&package) {
            Ok(manifest) => self.packages.push((package, manifest)),
            Err(error) => self.errors.push(error),
        }
    }

    /// The packages as plugins that are loaded when another needs them.
    pub(crate) fn readied(&mut self) -> impl Iterator<Item = Readied> {
        let packages = std::mem::take(&mut self.packages);
        packages.into_iter().map(|(folder, manifest)| {
            Load::folder(&folder).available().readied(Arc::new(manifest), Artifact::Unread(folder))
        })
    }
}

impl Shared {
    /// Chooses among plugins that are readied and those that run, and tells those that are readied whom they need. Of the
    /// resolution the places below the number of the readied ones are theirs.
    pub(crate) fn resolve(
        &self,
        readied: &mut [&mut Readied],
        leaving: &BTreeSet<PluginId>,
        broken: &[&ManifestError],
    ) -> Resolution {
        let plugins = self.plugins();
        let running = plugins.iter().filter(|one| !leaving.contains(one.id()));
        let running: Vec<_> = running.map(|one| one.info.manifest.clone()).collect();
        drop(plugins);
        let manifests: Vec<_> = readied.iter().map(|one| one.manifest.clone()).chain(running).collect();
        let standings = readied.iter().map(|one| one.standing);
        let standings = standings.chain(std::iter::repeat(Standing::Running));
        let candidates: Vec<_> = manifests
            .iter()
            .zip(standings)
            .map(|(manifest, standing)| Candidate { manifest, standing })
            .collect();
        let mut resolution = resolve(&candidates);
        for (one, needs) in readied.iter_mut().zip(&resolution.needs) {
            one.needs = needs.iter().map(|place| manifests[*place].id().clone()).collect();
        }
        for dropped in &resolution.dropped {
            let (who, whom) = (manifests[dropped.who].id(), manifests[dropped.whom].id());
            tracing::info!(plugin = %who, optional = %whom, "an optional need is given up, because it closes a circle");
        }
        let reasons = resolution.left_out.iter_mut().flat_map(|left_out| &mut left_out.reasons);
        reasons.for_each(|reason| tell_broken(reason, broken));
        resolution
    }
}

/// Tells of a plugin that is missing that a package of its name is there, with a manifest that is wrong.
fn tell_broken(reason: &mut ResolveError, errors: &[&ManifestError]) {
    let ResolveError::Missing { needed, broken, .. } = reason else { return };
    let folders = errors.iter().filter_map(|error| error.file().parent());
    let folder =
        folders.into_iter().find(|folder| folder.file_name().is_some_and(|name| *name == *needed.as_str()));
    *broken = folder.map(ToOwned::to_owned);
}
