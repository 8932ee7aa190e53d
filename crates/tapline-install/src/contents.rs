use std::collections::BTreeMap;
use std::io::{self, Read as _};
use std::path::Path;

use cap_fs_ext::{FollowSymlinks, OpenOptionsFollowExt as _, OpenOptionsSyncExt as _};
use cap_std::ambient_authority;
use cap_std::fs::{Dir, OpenOptions};
use tapline_host::Loader;

use crate::error::PackageError;
use crate::name::{Kind, Names, is_portable};

/// The files of a package by their names, however they came: each name is portable, and together they are not too many
/// and not too large.
#[derive(Debug, Default)]
pub(crate) struct Contents {
    files: BTreeMap<String, Vec<u8>>,
    names: Names,
    entries: usize,
    size: u64,
}

/// The files of a package have no more bytes than this together: the largest component, and 16 MiB for the rest.
pub const LARGEST_CONTENTS: u64 = (256 + 16) << 20;
/// So many files and folders may be in a package.
pub const MOST_FILES: usize = 1000;

/// What is packed beside the files that count, where it lies beside the manifest.
const ABOUT: [&str; 4] = ["CHANGELOG", "LICENSE", "NOTICE", "README"];

impl Contents {
    /// The files of a folder that count, and those beside the manifest that tell people about them. No link is followed.
    pub(crate) fn of_folder(folder: &Path) -> Result<Self, PackageError> {
        let unreadable = |source| PackageError::Unreadable { file: folder.to_owned(), source };
        let dir = Dir::open_ambient_dir(folder, ambient_authority()).map_err(unreadable)?;
        let mut contents = Self::default();
        contents.take(&dir, folder, Loader::MANIFEST, Loader::LARGEST_MANIFEST)?;
        let text = String::from_utf8_lossy(&contents.files[Loader::MANIFEST]);
        let manifest = Loader::parse(&folder.join(Loader::MANIFEST), &text)?;
        let mut names = Loader::names(&manifest);
        for entry in dir.entries().map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            let name = entry.file_name().into_string().ok().filter(|name| is_about(name));
            names.extend(name.filter(|_| entry.file_type().is_ok_and(|kind| !kind.is_dir())));
        }
        names.remove(Loader::MANIFEST);
        names.iter().try_for_each(|name| contents.take(&dir, folder, name, contents.left()))?;
        Ok(contents)
    }

    /// Reads one file of a folder, of at most so many bytes.
    fn take(&mut self, dir: &Dir, folder: &Path, name: &str, limit: u64) -> Result<(), PackageError> {
        self.enter(name, Kind::File)?;
        let unreadable = |source| PackageError::Unreadable { file: folder.join(name), source };
        let kind = dir.symlink_metadata(name).map_err(unreadable)?.file_type();
        if !kind.is_file() {
            let kind = if kind.is_symlink() { "a link" } else { "no regular file" };
            return Err(PackageError::Kind { name: name.to_owned(), kind });
        }
        let mut options = OpenOptions::new();
        // What has become a pipe meanwhile would wait for who writes into it.
        options.read(true).follow(FollowSymlinks::No).nonblock(true);
        let file = dir.open_with(name, &options).map_err(unreadable)?;
        let mut content = Vec::new();
        file.take(limit + 1).read_to_end(&mut content).map_err(unreadable)?;
        if content.len() as u64 > limit {
            return Err(PackageError::TooLarge);
        }
        self.reserve(content.len() as u64)?;
        self.files.insert(name.to_owned(), content);
        Ok(())
    }

    /// Takes up the name of a file or a folder.
    pub(crate) fn enter(&mut self, name: &str, kind: Kind) -> Result<(), PackageError> {
        self.entries += 1;
        if self.entries > MOST_FILES {
            return Err(PackageError::TooMany);
        }
        if !is_portable(name) {
            return Err(PackageError::Name { name: name.to_owned() });
        }
        let collision = |other| PackageError::Collision { name: name.to_owned(), other };
        self.names.add(name, kind).map_err(collision)
    }

    /// Takes up a file whose name was taken up, and that has this many bytes.
    pub(crate) fn fill(
        &mut self,
        name: &str,
        size: u64,
        from: &mut impl io::Read,
    ) -> Result<(), PackageError> {
        self.reserve(size)?;
        let mut content = Vec::new();
        from.take(size).read_to_end(&mut content).map_err(PackageError::damaged)?;
        if content.len() as u64 != size {
            return Err(PackageError::CutOff);
        }
        self.files.insert(name.to_owned(), content);
        Ok(())
    }

    fn reserve(&mut self, size: u64) -> Result<(), PackageError> {
        if size > self.left() {
            return Err(PackageError::TooLarge);
        }
        self.size += size;
        Ok(())
    }

    const fn left(&self) -> u64 {
        LARGEST_CONTENTS - self.size
    }

    /// The files, in the order of their names.
    pub(crate) const fn files(&self) -> &BTreeMap<String, Vec<u8>> {
        &self.files
    }
}

/// Whether a file tells people about the package: `README`, `README.md`, `LICENSE-MIT`, in any case.
fn is_about(name: &str) -> bool {
    let stem = name.split(['.', '-']).next().unwrap_or_default().to_ascii_uppercase();
    ABOUT.contains(&&*stem)
}
