//! Packs, installs, removes and verifies packages of plugins.
//!
//! A [`Source`] is opened as a [`Parcel`]: the files of a package in memory, all checked, and nothing written yet.
//! [`Change::of`] tells what installing it would change for the operator, and a [`PluginsFolder`] puts it in its place,
//! whole or not at all. Nothing of a plugin is run.
//!
//! ```
//! use tapline_host::Lock;
//! use tapline_install::{Change, Parcel, PluginsFolder};
//!
//! # let package = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/triage/plugins/redact");
//! # let package = std::path::Path::new(package);
//! # let root = tempfile::tempdir()?;
//! # let root = root.path();
//! // `tapline::wasm::Interfaces::inspect` compares components with their manifests.
//! let inspect = |_: &tapline_core::Package| Ok(());
//! let parcel = Parcel::of_folder(package, &inspect)?;
//! let plugins = PluginsFolder::new(root.join("plugins"));
//! let (installed, _broken) = plugins.installed()?;
//! let change = Change::of(&parcel, &installed, &Lock::default())?;
//! assert!(!change.needs_consent());
//! assert_eq!(plugins.put(&parcel, &change, &Lock::default())?, root.join("plugins/redact-1.0.0"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

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
pub use plugins::{Furnish, Installed, PluginsFolder};
pub use record::{Difference, Record};
pub use source::Source;
