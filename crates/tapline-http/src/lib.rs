//! Makes the http requests of plugins.
//!
//! [`WebClient`] is what an application gives its host. What a plugin may ask for has been decided when a request
//! comes here, in `tapline-core`; this crate sees to it that nothing else is reached on the way: a name is looked up
//! once for a connection, all its addresses are looked at, and the connection goes to one of those. Every redirect
//! begins anew.

mod client;
mod exchange;
mod resolve;
mod address;

pub use address::is_public;
pub use client::{ClientBuilder, ClientError, WebClient, tls};
pub use resolve::Resolve;
