//! Makes an application extensible: loads, registers, supervises and calls plugins, whatever their kind.
//!
//! Start at [`Host`]. A plugin is loaded along one walk, a file for each stop: [`Loader`] reads its package,
//! [`resolve`] chooses versions and finds an order, [`Policy`] settles what it may do, its [`Runtime`](tapline_core::Runtime) loads it,
//! the supervisor starts it, and the registry publishes it. [`Settings`] are what an operator decides about all of
//! this, and a [`Lock`] is what somebody has agreed to.

mod host;
mod shared;
mod builder;
mod load;
mod arrivals;
mod changes;
mod reload;
mod swap;
mod trial;
mod boot;
mod loaded;
mod loader;
mod file;
mod digest;
mod mistake;
mod toml_reader;
mod settings;
mod lock;
mod resolver;
mod dependents;
mod discovered;
mod policy;
mod audit;
mod usage;
mod rates;
mod files;
mod time;
mod supervisor;
mod supervision;
mod lifecycle;
mod calls;
mod streaming;
mod http;
mod deadline;
mod bus;
mod driver;
mod error;

pub use audit::AuditFile;
pub use boot::{BootFailed, StartEntry, StartOutcome, StartReport};
pub use builder::HostBuilder;
pub use bus::{Delivery, Listener, Queueing, Subscription};
pub use digest::{Digest, DigestError};
pub use discovered::Discovered;
pub use error::{HostError, UnloadError};
pub use file::{read_file, write_file};
pub use host::Host;
pub use lifecycle::{PLUGIN_CHANGED, PluginChange, RolledBack};
pub use load::Load;
pub use loaded::{Drain, PluginInfo};
pub use loader::{Loader, ManifestError};
pub use lock::{Drift, Lock, LockError, LockedFrom, LockedPlugin, rights};
pub use mistake::{Mistake, Place};
pub use policy::Policy;
pub use reload::{ReloadError, Reloaded};
pub use resolver::{
    Ask, Candidate, Chosen, Dropped, LeftOut, Other, Resolution, ResolveError, Standing, Why, resolve, why,
};
pub use settings::{SecretError, Secrets, Settings, SettingsError};
pub use streaming::Pieces;
pub use supervisor::{PluginHealth, PluginState, Strategy, StrategyError, Supervision};
pub use swap::{SwapError, Swapped};
pub use tapline_core as core;
pub use trial::Settled;
pub use usage::{Tally, Usage};
