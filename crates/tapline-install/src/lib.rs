//! Packs, installs, removes and verifies packages of plugins.
//!
//! A [`Source`] is opened as a [`Parcel`]: the files of a package in memory, all checked, and nothing written yet.
//! [`Change::of`] tells what installing it would change for the operator, and a [`PluginsFolder`] puts it in its place,
//! whole or not at all. Nothing of a plugin is run.

mod source;
mod fetch;
mod parcel;
mod contents;
mod archive;
mod name;
mod wording;
mod plugins;
mod staging;
mod record;
mod change;
mod needs;
mod error;

pub use archive::LARGEST_ARCHIVE;
pub use change::Change;
pub use contents::{LARGEST_CONTENTS, MOST_FILES};
pub use error::{FetchError, InstallError, PackageError, RemoveError};
pub use needs::needed_by;
pub use parcel::{Inspect, Parcel};
pub use plugins::{Installed, PluginsFolder};
pub use record::{Difference, Record};
pub use source::Source;
