//! `tapline serve`: a host that stays up while its plugins change.

#[path = "serve/api.rs"]
mod api;
#[path = "serve/changes.rs"]
mod changes;
#[path = "serve/client.rs"]
mod client;
#[path = "serve/watch.rs"]
mod watch;
#[path = "serve/signals.rs"]
mod signals;
#[path = "serve/swaps.rs"]
mod swaps;
#[path = "serve/attacks.rs"]
mod attacks;
