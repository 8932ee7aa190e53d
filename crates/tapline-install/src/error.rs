use std::io;
use std::path::PathBuf;

use semver::Version;
use tapline_core::LoadError;
use tapline_host::{Digest, ManifestError};
use url::Url;

use crate::archive::LARGEST_ARCHIVE;
use crate::contents::{LARGEST_CONTENTS, MOST_FILES};
use crate::name::LONGEST;

/// Why something is no package that could be installed. Nothing was written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PackageError {
    /// A file or folder cannot be read.
    #[error("cannot read {}", file.display())]
    Unreadable {
        /// What cannot be read.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The archive cannot be fetched.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// It is not what was expected.
    #[error("it has the digest {found}, and {expected} was expected")]
    Unexpected {
        /// The digest that was given.
        expected: Digest,
        /// The digest of what is there.
        found: Digest,
    },
    /// The bytes are no archive.
    #[error("it is no archive that can be read, a `.tar.gz`: {0}")]
    Damaged(String),
    /// The archive ends before its end.
    #[error("the archive is cut off")]
    CutOff,
    /// There is something after the end of the archive.
    #[error("something follows on the end of the archive")]
    Trailing,
    /// A name that leads elsewhere, or to another place on another system.
    #[error(
        "`{}` is no name for a file of a package: parts joined by `/`, each of ASCII letters, digits, `.`, `_` and `-`, \
         beginning with one of the first two or `_` and not ending with `.`, at most {LONGEST} in all",
        name.escape_debug()
    )]
    Name {
        /// The name.
        name: String,
    },
    /// What is neither a regular file nor a folder.
    #[error("`{}` is {kind}; a package has regular files and folders alone", name.escape_debug())]
    Kind {
        /// Its name.
        name: String,
        /// What it is.
        kind: &'static str,
    },
    /// Two files that are one on some systems.
    #[error("`{name}` and `{other}` are one file on some systems")]
    Collision {
        /// The one that came later.
        name: String,
        /// The one that was there.
        other: String,
    },
    /// The files are too large.
    #[error("its files have more than {} MiB", LARGEST_CONTENTS >> 20)]
    TooLarge,
    /// There are too many files.
    #[error("it has more than {MOST_FILES} files and folders")]
    TooMany,
    /// The manifest is not there or wrong, or a file that it names is not there.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// The component is not what its manifest says.
    #[error(transparent)]
    Component(LoadError),
    /// A word of the manifest has a character that nobody sees.
    #[error(
        "the manifest says `{}`, in which U+{:04X} is not visible as it is",
        text.escape_debug(),
        u32::from(*character)
    )]
    Hidden {
        /// The words.
        text: String,
        /// The character.
        character: char,
    },
    /// The name of an author is written to look like another.
    #[error("the author `{}` is written in several scripts, or in letters that look Latin", escaped(.0))]
    Disguised(String),
    /// The version is so long that no folder can have its name.
    #[error("the version `{0}` is too long for the name of a folder")]
    LongVersion(Version),
}

/// Why an archive was not fetched.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// It is no address of an archive.
    #[error("`{url}` is no address from which a package is fetched: {reason}")]
    Address {
        /// The address.
        url: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// What comes over plain http could be anything.
    #[error(
        "{0} is not fetched over plain http unless its digest is given with `--sha256`: anybody on the way could change it"
    )]
    Plain(Url),
    /// It was sent elsewhere, where it does not go.
    #[error(
        "{from} leads to {to}, and a redirect is followed to https or within the same host alone, five times at most"
    )]
    Redirect {
        /// What was asked for.
        from: Url,
        /// Where it leads.
        to: String,
    },
    /// The server has answered with something else.
    #[error("{url} answers with the status {status}")]
    Status {
        /// What was asked for.
        url: Url,
        /// The answer.
        status: u16,
    },
    /// The answer is too large.
    #[error("{0} has more than {most} MiB", most = LARGEST_ARCHIVE >> 20)]
    TooLarge(Url),
    /// The connection failed, or took too long.
    #[error("cannot fetch {url}")]
    Failed {
        /// What was asked for.
        url: Url,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// Why a package was not installed. The folder of plugins is as it was.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InstallError {
    /// The same version is there, and is another.
    #[error(
        "{plugin} is there with other files, in {}: {there}, and not {found}; \
         remove it first, or give the new one another version",
        folder.display()
    )]
    OtherFiles {
        /// The plugin and its version.
        plugin: String,
        /// Where it lies.
        folder: PathBuf,
        /// The digest of what is there.
        there: Digest,
        /// The digest of what was to be installed.
        found: Digest,
    },
    /// There is something in its place.
    #[error("{} is there, and is not this package; move it away, or delete it", .0.display())]
    Occupied(PathBuf),
    /// Others have changed the folder since it was looked at.
    #[error("{} was changed meanwhile, and with it what this package would change; try again", .0.display())]
    Meanwhile(PathBuf),
    /// What it needs on this machine cannot be had.
    #[error("what it needs on this machine cannot be had")]
    Unfurnished(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The folder cannot be looked at.
    #[error(transparent)]
    Listed(#[from] ManifestError),
    /// A file or folder cannot be read or written.
    #[error("cannot write {}", file.display())]
    Unwritable {
        /// The file or folder.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Why a package was not removed. It is there as it was.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RemoveError {
    /// Nobody has installed it, so its files may be there nowhere else.
    #[error("{} was not put there by `tapline plugin install`; delete the folder yourself", .0.display())]
    NotInstalled(PathBuf),
    /// A folder cannot be moved.
    #[error("cannot remove {}", folder.display())]
    Failed {
        /// The folder.
        folder: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl PackageError {
    /// What an error of reading an archive says of it.
    #[expect(clippy::needless_pass_by_value, reason = "it is what errors are mapped by")]
    pub(crate) fn damaged(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Self::CutOff,
            _ => Self::Damaged(error.to_string()),
        }
    }
}

/// A text with all that is not ASCII written as numbers, so that it looks like nothing else.
fn escaped(text: &str) -> String {
    let escaped = |character: char| match character {
        ' '..='~' => character.to_string(),
        other => other.escape_unicode().to_string(),
    };
    text.chars().map(escaped).collect()
}
