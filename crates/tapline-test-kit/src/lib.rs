//! What tests of Tapline and of its plugins share.

mod guests;

pub use guests::guest;
