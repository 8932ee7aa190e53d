use serde::{Deserialize, Serialize};

use crate::path::PathSet;
use crate::topic::TopicSet;

/// What the host lets one plugin do; computed once when the plugin is loaded, and the only thing that a check reads.
///
/// The default grants nothing. Grants do not protect against a plugin that computes wrong values from what it may
/// read, or that passes on what it may read to where it may write.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Grants {
    /// The places of a call's context that the plugin may read and write.
    pub context: ContextGrants,
    /// The contributions that the plugin may call, as `point/key` or `point/*`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub call: Vec<String>,
    /// The topics that the plugin may publish and subscribe to.
    #[serde(skip_serializing_if = "EventGrants::is_empty")]
    pub events: EventGrants,
    /// The folders that the plugin may use.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fs: Vec<FolderGrant>,
}

/// What a manifest asks for under `requires`: the same shape as what can be granted.
pub type Requires = Grants;

/// The places of a call's context that a plugin may read and write.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
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

/// A folder that a plugin may use: `data:` is the folder of the pipeline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FolderGrant {
    /// The folder's name.
    pub path: Folder,
    /// Whether it may be written.
    pub mode: FolderMode,
}

/// The folders that can be granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Folder {
    /// The folder that holds the pipeline file.
    #[serde(rename = "data:")]
    Data,
}

/// How a folder may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum FolderMode {
    /// Read only.
    #[serde(rename = "r")]
    Read,
    /// Read and write.
    #[serde(rename = "rw")]
    ReadWrite,
}

/// An access without a grant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("plugin `{plugin}` may not {action} `{target}`: {reason}")]
pub struct Denied {
    /// Who tried.
    pub plugin: String,
    /// What was tried: `read`, `write`, `call`, `publish`, `subscribe to`, `use`.
    pub action: &'static str,
    /// What it was tried on.
    pub target: String,
    /// Who said no.
    pub reason: &'static str,
}

impl Grants {
    /// Whether the contribution may be called.
    #[must_use]
    pub fn allow_call(&self, point: &str, key: &str) -> bool {
        self.call
            .iter()
            .filter_map(|target| target.split_once('/'))
            .any(|(p, k)| p == point && (k == "*" || k == key))
    }

    /// What both allow.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        let narrower = |target: &&String| {
            target
                .split_once('/')
                .is_some_and(|(point, key)| other.allow_call(point, key) || other.call.contains(target))
        };
        Self {
            context: ContextGrants {
                read: self.context.read.intersection(&other.context.read),
                write: self.context.write.intersection(&other.context.write),
            },
            call: self.call.iter().filter(narrower).cloned().collect(),
            events: EventGrants {
                publish: self.events.publish.intersection(&other.events.publish),
                subscribe: self.events.subscribe.intersection(&other.events.subscribe),
            },
            fs: self.fs.iter().filter(|folder| other.fs.contains(folder)).cloned().collect(),
        }
    }
}
