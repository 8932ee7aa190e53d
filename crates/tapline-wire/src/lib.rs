//! The messages between a host and a plugin that is a process of its own, bytes in and bytes out.
//!
//! `docs/wire.md` is the specification. This crate does no I/O and knows no host: what is carried is any type that serde
//! can read and write, and a host brings its own.
//!
//! ```
//! use tapline_wire::{Decoder, FromHost, encode};
//!
//! let mut bytes = Vec::new();
//! encode(&FromHost::<()>::Ping { number: 7 }, 1 << 20, &mut bytes)?;
//!
//! let mut decoder = Decoder::new(1 << 20);
//! decoder.push(&bytes);
//! assert_eq!(decoder.next()?, Some(FromHost::<()>::Ping { number: 7 }));
//! # Ok::<(), tapline_wire::WireError>(())
//! ```

mod ask;
mod frame;
mod host;
mod plugin;

pub use ask::{Answer, Ask, Entry, EntryKind, Header, Level, Reply, Request, Slot};
pub use frame::{Decoder, WireError, decode, encode};
pub use host::{Call, FromHost, HostHello, Operation};
pub use plugin::{Done, Flow, FromPlugin, PluginHello, WireFailure};

/// The versions of the protocol that this crate speaks, the oldest and the newest.
pub const VERSIONS: (u32, u32) = (1, 1);
