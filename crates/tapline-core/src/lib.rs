//! The words of Tapline: what a plugin is, where it joins in, what it may do and how it is called.
//!
//! This crate does no I/O and brings no async runtime. Applications use it through `tapline-host`, authors of
//! plugins through `tapline-pdk`.

mod value;
mod id;
mod path;
mod grants;
mod limits;
mod manifest;
mod failure;
mod context;
mod plugin;
mod payload;
mod request;
mod gate;
mod hook;
mod registry;

pub use context::{CallContext, Level, Services};
pub use failure::{CallError, Failure, Fault};
pub use gate::{Gate, Pass};
pub use grants::{ContextGrants, Denied, Folder, FolderGrant, FolderMode, Grants, Requires};
pub use hook::{
    Boundary, Cycle, Hook, HookError, HookInfo, HookPoint, LayerName, LayerStats, Next, Outcome, PointInfo,
    Step, linearize,
};
pub use id::{NameError, PluginId};
pub use limits::{Bytes, BytesError, Limits, LimitsAsked};
pub use manifest::{
    About, CONTRACT, Dependency, HookDeclaration, HookKind, Manifest, OnFailure, Priority, PriorityError,
    Provides, RuntimeKind, Selector,
};
pub use path::{PathError, PathPattern, PathSet};
pub use payload::Payload;
pub use plugin::{
    BoxFuture, Flow, InitFn, Instance, LoadError, NativeInstance, NativePlugin, Operation, Package, Plugin,
    Runtime, configuration,
};
pub use registry::{Contribution, Handler, RegisterError, Registration, Registry};
pub use request::Request;
pub use value::{Number, Object, Value, ValueError};
