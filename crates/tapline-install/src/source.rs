use std::path::{Path, PathBuf};

use tapline_host::{Digest, read_file};
use url::Url;

use crate::archive::LARGEST_ARCHIVE;
use crate::error::{FetchError, PackageError};
use crate::fetch;
use crate::parcel::{Inspect, Parcel};

/// Where a package comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A folder with a manifest.
    Folder(PathBuf),
    /// An archive.
    File(PathBuf),
    /// An archive that a server has.
    Url(Url),
}

impl Source {
    /// What is meant by a text: an address over http or https, or else a path.
    ///
    /// # Errors
    /// When it is an address from which nothing is fetched.
    pub fn parse(text: &str) -> Result<Self, FetchError> {
        if text.contains("://") {
            return fetch::address(text).map(Self::Url);
        }
        let path = PathBuf::from(text);
        Ok(if path.is_dir() { Self::Folder(path) } else { Self::File(path) })
    }

    /// Reads the package, and fetches it where it is elsewhere. `expected` is the SHA-256 of the archive; of a folder, the
    /// digest of its package. Nothing is written, and it can be dropped at any time.
    ///
    /// # Errors
    /// When it cannot be had, is not what is expected, or is none that could be installed.
    pub async fn open(
        &self,
        expected: Option<Digest>,
        inspect: &Inspect<'_>,
    ) -> Result<Parcel, PackageError> {
        let (name, bytes) = match self {
            Self::Folder(folder) => {
                let parcel = Parcel::of_folder(folder, inspect)?;
                expect(expected, parcel.digest())?;
                return Ok(parcel);
            }
            Self::File(file) => {
                let unreadable = |source| PackageError::Unreadable { file: file.clone(), source };
                (file.clone(), read_file(file, LARGEST_ARCHIVE).map_err(unreadable)?)
            }
            Self::Url(url) => (named(url), fetch::fetched(url, expected.is_some()).await?),
        };
        if expected.is_some() {
            expect(expected, Digest::of_bytes(&bytes))?;
        }
        Parcel::of_archive(&name, &bytes, inspect)
    }
}

fn expect(expected: Option<Digest>, found: Digest) -> Result<(), PackageError> {
    match expected {
        Some(expected) if expected != found => Err(PackageError::Unexpected { expected, found }),
        _ => Ok(()),
    }
}

/// The address without what may be a key to it.
fn named(url: &Url) -> PathBuf {
    let mut named = url.clone();
    named.set_query(None);
    named.set_fragment(None);
    Path::new(named.as_str()).to_owned()
}
