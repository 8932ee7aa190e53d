//! What authors of plugins ask of the command.

mod build;
mod cases;
mod dev;
mod new;
mod template;

pub(crate) use build::build;
pub(crate) use cases::test;
pub(crate) use dev::dev;
pub(crate) use new::new;
