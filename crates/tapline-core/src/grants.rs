use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::call::{CallPattern, CallTarget};
use crate::path::PathSet;
use crate::topic::TopicSet;
use crate::value::Value;

mod beyond;
mod clock;
mod denied;
mod folders;
mod host_pattern;
mod http;
mod machine;
mod path_glob;

pub use clock::ClockGrant;
pub use denied::DENIED;
pub(crate) use denied::NOT_GRANTED;
pub use folders::{Folder, FolderGrant, FolderMode};
pub use host_pattern::{ConfiguredHostError, HostPattern, HostPatternError};
pub use http::{HeaderName, HeaderNameError, HttpGrant, HttpMethod, HttpMethodError, Reach, SecretGrant};
pub use machine::{MachineFolder, MachineFolderError};
pub use path_glob::{PathGlob, PathGlobError};

/// What the host lets one plugin do; computed once when the plugin is loaded, and the only thing that a check reads.
///
/// The default grants nothing. Grants do not protect against a plugin that computes wrong values from what it may
/// read, or that passes on what it may read to where it may write.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Grants {
    /// The places of a call's context that the plugin may read and write.
    pub context: ContextGrants,
    /// Whom the plugin may call: `point/key`, `point/*`, a plugin's id, or `capability:name`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub call: Vec<CallPattern>,
    /// The topics that the plugin may publish and subscribe to.
    #[serde(skip_serializing_if = "EventGrants::is_empty")]
    pub events: EventGrants,
    /// The folders that the plugin may use.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fs: Vec<FolderGrant>,
    /// How exactly the plugin may know the time; not at all where it is absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clock: Option<ClockGrant>,
    /// Whether the plugin may have random numbers of the operating system.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub random: bool,
    /// Whether the plugin may have connections of its own, past the requests that the host makes for it: a process alone can.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub network: bool,
    /// Whether the plugin may start processes of its own: a process alone can.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub processes: bool,
    /// The variables of the host's environment whose values the plugin is given: a server that is started here alone is.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub env: BTreeSet<String>,
    /// The folders of the machine that the plugin sees: a server that is started here alone does.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub folders: Vec<MachineFolder>,
    /// The requests over http that the plugin may make.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub http: Vec<HttpGrant>,
    /// The secrets that the host puts into the plugin's requests.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<SecretGrant>,
    /// What is taken away whatever else says yes; every check looks at it second.
    #[serde(skip)]
    pub denied: Option<Box<Self>>,
}

/// What a manifest asks for under `requires`: the same shape as what can be granted.
pub type Requires = Grants;

/// The places of a call's context that a plugin may read and write.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct ContextGrants {
    /// Readable places.
    #[serde(skip_serializing_if = "PathSet::is_empty")]
    pub read: PathSet,
    /// Writable places.
    #[serde(skip_serializing_if = "PathSet::is_empty")]
    pub write: PathSet,
}

/// The topics that a plugin may publish and subscribe to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct EventGrants {
    /// Topics that it may publish.
    #[serde(skip_serializing_if = "TopicSet::is_empty")]
    pub publish: TopicSet,
    /// Topics that it may subscribe to.
    #[serde(skip_serializing_if = "TopicSet::is_empty")]
    pub subscribe: TopicSet,
}

impl EventGrants {
    /// Whether nothing is granted.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.publish.is_empty() && self.subscribe.is_empty()
    }
}

/// An access without a grant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("plugin `{plugin}` may not {action} `{target}`: {reason}")]
pub struct Denied {
    /// Who tried.
    pub plugin: String,
    /// What was tried: `read`, `write`, `call`, `publish`, `subscribe to`, `use`, `request`, `use the secret`.
    pub action: &'static str,
    /// What it was tried on.
    pub target: String,
    /// Who said no.
    pub reason: &'static str,
}

impl Grants {
    /// Whether the target may be called.
    #[must_use]
    pub fn allow_call(&self, target: &CallTarget) -> bool {
        self.check_call(target).is_ok()
    }

    /// The same grants with the hosts and secrets that a configuration names in the place of `${config:…}`. One that it
    /// does not name is left out.
    ///
    /// # Errors
    /// When what stands there is no URL, or names no secret; or when a grant would be left without hosts.
    pub fn resolved(&self, config: &Value) -> Result<Self, ConfiguredHostError> {
        let named = self.secrets.iter().map(|grant| grant.named_by(config));
        let secrets: Vec<_> = named.filter_map(Result::transpose).collect::<Result<_, _>>()?;
        Ok(Self {
            http: http::resolved(&self.http, config, |grant| &mut grant.hosts)?,
            secrets: http::resolved(&secrets, config, |grant| &mut grant.hosts)?,
            ..self.clone()
        })
    }

    /// Whether nothing is granted that reaches beyond the calls that the plugin is asked to answer.
    #[must_use]
    pub fn is_inward(&self) -> bool {
        self.call.is_empty()
            && self.events.publish.is_empty()
            && self.fs.is_empty()
            && !self.network
            && !self.processes
            && self.env.is_empty()
            && self.folders.is_empty()
            && self.http.is_empty()
            && self.secrets.is_empty()
    }

    /// What both allow, as far as one pattern of the two covers the other.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        Self {
            context: ContextGrants {
                read: self.context.read.intersection(&other.context.read),
                write: self.context.write.intersection(&other.context.write),
            },
            call: narrower(&self.call, &other.call),
            events: EventGrants {
                publish: self.events.publish.intersection(&other.events.publish),
                subscribe: self.events.subscribe.intersection(&other.events.subscribe),
            },
            fs: folders::intersection(&self.fs, &other.fs),
            clock: self.clock.min(other.clock),
            random: self.random && other.random,
            network: self.network && other.network,
            processes: self.processes && other.processes,
            env: self.env.intersection(&other.env).cloned().collect(),
            folders: machine::intersection(&self.folders, &other.folders),
            http: http::both_http(&self.http, &other.http),
            secrets: http::both_secrets(&self.secrets, &other.secrets),
            denied: denied::either(self.denied.as_deref(), other.denied.as_deref()).map(Box::new),
        }
    }
}

/// The patterns of each that the other includes.
fn narrower(one: &[CallPattern], other: &[CallPattern]) -> Vec<CallPattern> {
    let included = |pattern: &&CallPattern, wide: &[CallPattern]| wide.iter().any(|w| w.includes(pattern));
    let ones = one.iter().filter(|pattern| included(pattern, other));
    let others = other.iter().filter(|pattern| included(pattern, one) && !one.contains(pattern));
    ones.chain(others).cloned().collect()
}

#[cfg(test)]
mod tests;
