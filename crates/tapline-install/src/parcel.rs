use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use tapline_core::{LoadError, Manifest, Package};
use tapline_host::{Digest, Loader};

use crate::archive;
use crate::contents::Contents;
use crate::error::PackageError;
use crate::wording;

/// A package on its way: its files are in memory and have passed every check, and nothing is written.
#[derive(Debug)]
pub struct Parcel {
    contents: Contents,
    package: Package,
    digest: Digest,
    from: String,
    archive: Option<Digest>,
}

/// Looks at a component, as `tapline::wasm::Interfaces::inspect` does: whether it is what its manifest says. Called once for
/// each package; runs nothing of it.
pub type Inspect<'a> = dyn Fn(&Package) -> Result<(), LoadError> + Send + Sync + 'a;

/// The name of a folder is no longer than this, in bytes.
const LONGEST: usize = 200;

impl Parcel {
    /// The package in a folder: its manifest, its schemas, its component, and `README`, `LICENSE`, `NOTICE` and `CHANGELOG`
    /// files beside the manifest. What else lies there is left out, and no link is followed.
    ///
    /// # Errors
    /// When a file cannot be read, or the package is none that could be installed.
    pub fn of_folder(folder: &Path, inspect: &Inspect<'_>) -> Result<Self, PackageError> {
        let contents = Contents::of_folder(folder)?;
        Self::checked(contents, folder, None, inspect)
    }

    /// The package in an archive of this name; the file is not looked at.
    ///
    /// # Errors
    /// When the bytes are no archive, or the package is none that could be installed.
    pub fn of_archive(name: &Path, bytes: &[u8], inspect: &Inspect<'_>) -> Result<Self, PackageError> {
        let contents = archive::unpacked(bytes)?;
        Self::checked(contents, name, Some(Digest::of_bytes(bytes)), inspect)
    }

    fn checked(
        contents: Contents,
        from: &Path,
        archive: Option<Digest>,
        inspect: &Inspect<'_>,
    ) -> Result<Self, PackageError> {
        let (package, digest) = Loader::read_files(from, contents.files())?;
        wording::check(&package.manifest)?;
        // What stands in comments is read by people, too.
        if let Some(text) = contents.files().get(Loader::MANIFEST) {
            wording::check_text(&String::from_utf8_lossy(text))?;
        }
        inspect(&package).map_err(PackageError::Component)?;
        let parcel = Self { contents, package, digest, from: from.display().to_string(), archive };
        if parcel.name().len() > LONGEST {
            return Err(PackageError::LongVersion(parcel.manifest().plugin.version.clone()));
        }
        Ok(parcel)
    }

    /// The same package, which somebody made of something else.
    #[must_use]
    pub fn made_of(mut self, from: impl Into<String>) -> Self {
        self.from = from.into();
        self
    }

    /// The archive of the package, a `.tar.gz`: the same files make the same bytes, wherever and whenever they are packed.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn packed(&self) -> io::Result<Vec<u8>> {
        archive::packed(&self.contents)
    }

    /// What the author declares.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.package.manifest
    }

    /// The digest of the files that count, as a lock holds it.
    #[must_use]
    pub const fn digest(&self) -> Digest {
        self.digest
    }

    /// The digest of the archive that it came in.
    #[must_use]
    pub const fn archive(&self) -> Option<Digest> {
        self.archive
    }

    /// The folder, file or address that it came from.
    #[must_use]
    pub fn from(&self) -> &str {
        &self.from
    }

    /// What its folder is called: `ID-VERSION`.
    #[must_use]
    pub fn name(&self) -> String {
        let about = &self.manifest().plugin;
        format!("{}-{}", about.id, about.version)
    }

    /// All files, by name.
    #[must_use]
    pub const fn files(&self) -> &BTreeMap<String, Vec<u8>> {
        self.contents.files()
    }
}
