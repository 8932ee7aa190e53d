use std::path::PathBuf;

use semver::Version;
use tapline_core::Manifest;
use tapline_host::{Digest, Loader, Lock, LockedFrom, rights};

use crate::error::InstallError;
use crate::parcel::Parcel;
use crate::plugins::Installed;

/// What a package that is to be installed changes, compared with what somebody has agreed to: the lock, or else the highest
/// version that is there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Change {
    /// Where the very same package is there already.
    pub there: Option<PathBuf>,
    /// The version with which it is compared; `None` for a plugin that is new.
    pub before: Option<Version>,
    /// What it asks for beyond that, in words that follow on "may".
    pub more: Vec<String>,
    /// What it does not ask for any more.
    pub less: Vec<String>,
    /// The digest that the lock holds of this version, where it is another.
    pub locked: Option<Digest>,
}

impl Change {
    /// Compares a package with those that are there, and with a lock.
    ///
    /// # Errors
    /// When the same version is there with other files.
    pub fn of(parcel: &Parcel, installed: &[Installed], lock: &Lock) -> Result<Self, InstallError> {
        let manifest = parcel.manifest();
        let versions = || installed.iter().filter(|one| one.manifest.id() == manifest.id());
        let version = |one: &&Installed| one.manifest.plugin.version.clone();
        let mut change = Self::beyond(manifest, versions().max_by_key(version), lock);
        change.locked = locked(manifest, lock).filter(|locked| *locked != parcel.digest());
        for same in versions().filter(|one| version(one) == manifest.plugin.version) {
            // What cannot be read any more is another.
            match Loader::digest(&same.folder) {
                Ok(there) if there == parcel.digest() => change.there = Some(same.folder.clone()),
                Ok(there) => {
                    return Err(InstallError::OtherFiles {
                        plugin: format!("`{}` {}", manifest.id(), manifest.plugin.version),
                        folder: same.folder.clone(),
                        there,
                        found: parcel.digest(),
                    });
                }
                Err(_) => return Err(InstallError::Occupied(same.folder.clone())),
            }
        }
        Ok(change)
    }

    /// The lock decides where it tells what was asked for.
    fn beyond(manifest: &Manifest, highest: Option<&Installed>, lock: &Lock) -> Self {
        let locked = lock.plugins().iter().find(|locked| locked.id == *manifest.id());
        let locked = locked.and_then(|locked| Some((&locked.version, locked.asked.as_ref()?)));
        let highest = highest.map(|one| (&one.manifest.plugin.version, &one.manifest.requires));
        let Some((version, asked)) = locked.or(highest) else { return Self::default() };
        let more = match locked {
            Some(_) => lock.asked_beyond(manifest),
            None => rights(&manifest.requires.beyond(asked)),
        };
        let less = rights(&asked.beyond(&manifest.requires));
        Self { before: Some(version.clone()), more, less, ..Self::default() }
    }

    /// Whether somebody has to agree before it is installed.
    #[must_use]
    pub const fn needs_consent(&self) -> bool {
        !self.more.is_empty() || self.locked.is_some()
    }
}

/// The digest that a lock holds of just this version.
fn locked(manifest: &Manifest, lock: &Lock) -> Option<Digest> {
    let about = &manifest.plugin;
    let mut locked = lock.plugins().iter();
    match &locked.find(|locked| locked.id == about.id && locked.version == about.version)?.from {
        LockedFrom::Folder { digest, .. } => Some(*digest),
        LockedFrom::BuiltIn => None,
    }
}
