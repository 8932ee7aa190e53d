//! The words of Tapline: what a plugin is, where it joins in, what it may do and how it is called.
//!
//! This crate does no I/O and brings no async runtime. Applications use it through `tapline-host`, authors of
//! plugins through `tapline-pdk`.

mod sync;
mod value;
mod id;
mod path;
mod topic;
mod grants;
mod file;
mod limits;
mod traffic;
mod audit;
mod manifest;
mod failure;
mod call_error;
mod call;
mod http;
mod context;
mod plugin;
mod payload;
mod request;
mod gate;
mod window;
mod driver;
mod scope;
mod hook;
mod stream;
mod registry;

pub use audit::Act;
pub use call::{Authority, Call, CallPattern, CallTarget, CallTargetError, Caller, Calling, METHODS};
pub use call_error::{CallError, Phase};
pub use context::{CallContext, Exit, Level, Services};
pub use driver::Driver;
pub use failure::{Failure, Fault};
pub use file::{EntryKind, FileChange, FileError, FilePath, FilePathError, Files, FolderEntry};
pub use gate::{Gate, OwnedPass, Pass};
pub use grants::{
    ClockGrant, ConfiguredHostError, ContextGrants, DENIED, Denied, EventGrants, Folder, FolderGrant,
    FolderMode, Grants, HeaderName, HeaderNameError, HostPattern, HostPatternError, HttpGrant, HttpMethod,
    HttpMethodError, MachineFolder, MachineFolderError, PathGlob, PathGlobError, Reach, Requires,
    SecretGrant,
};
pub use hook::{
    Answer, Boundary, CollectPoint, Cycle, ExplainedHook, Explanation, FilterPoint, FirstPoint, Hook,
    HookError, HookEvent, HookInfo, HookObserver, HookPoint, HookState, LayerName, LayerStats, Mode, Next,
    NotifyPoint, Outcome, PointDeclaration, PointInfo, Repeat, Step, Trace, TraceEntry, What, linearize,
};
pub use http::{HttpBody, HttpCall, HttpClient, HttpHeader, HttpRequest, HttpResponse};
pub use id::{NameError, PluginId};
pub use limits::{Bytes, BytesError, Limits, LimitsAsked};
pub use manifest::{
    About, CONTRACT, Capability, Conflict, Dependency, HookDeclaration, HookKind, Instances, Manifest,
    McpDeclaration, McpTool, On, OnFailure, Overflow, Priority, PriorityError, ProcessDeclaration, Provides,
    Restart, RuntimeKind, Selector, SubscriptionDeclaration, Target,
};
pub use path::{PathError, PathPattern, PathSet};
pub use payload::Payload;
pub use plugin::{
    BoxFuture, Figures, Flow, InitFn, Instance, LoadError, NativeInstance, NativePlugin, Operation, Package,
    Plugin, Runtime,
};
pub use registry::{
    Contribution, Handler, HookRules, Misfit, Offer, RegisterError, Registration, Registry, Removal,
};
pub use request::Request;
pub use scope::{
    Carry, Scope, ambient, deadline, held, holding, in_lifecycle, is_in_lifecycle, is_inside,
    is_inside_again, within_ambient, within_carried, within_deadline, within_plugin,
};
pub use semver::Version;
pub use stream::{Origin, Reader, Stream};
pub use topic::{Event, Topic, TopicError, TopicPattern, TopicSet};
pub use traffic::{Totals, Traffic};
pub use value::{Name, Number, Object, Value, ValueError};
pub use window::SlidingWindow;
